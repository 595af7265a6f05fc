"""Fallback: a reply that surely did not arrive, or waited too long, goes to the citizen by another channel.

It stays one message: its deliveries are its attempts, each at one URN. What may have arrived is not sent a second time
by a machine, but for what has gone unseen as long as the commune bears; what is sealed never leaves its channel.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session, aliased

from adapters.base import Adapter
from bot.access import Forbidden, audit, delivery_for, may_reply
from bot.queue import REPLIES
from bot.rules.fallback import OtherWay, best_way, patience
from bot.rules.lifecycle import NotAllowed
from bot.rules.window import window
from bot.runtime import Runtime
from bot.usecases.communes import commune_book
from bot.usecases.deliveries import owe
from bot.usecases.telling import voice_for
from storage.channels import Channel
from storage.communes import Commune
from storage.contacts import Conversation, Urn
from storage.deliveries import Delivery
from storage.enums import DeliveryKind, DeliveryState
from storage.messages import Message
from storage.officials import Official
from storage.tickets import Ticket
from storage.undo import UNDONE

log = structlog.get_logger()

AT_ONCE = 50
OLDEST = timedelta(days=3)  # what nobody saw for so long is for a person to decide
MAY_GO = frozenset({DeliveryState.REFUSED, DeliveryState.UNKNOWN, DeliveryState.CANCELLED})


def reroute_due(runtime: Runtime) -> int:
    """Send what failed, and what has waited or gone unseen too long, by another way; gives how many went."""
    went = 0
    with runtime.database.transaction() as session:
        now = runtime.now()
        for delivery in (*_refused(session), *_impatient(session, runtime, now)):
            went += _reroute(session, runtime, delivery, now)
    if went:
        runtime.nudge(REPLIES)
    return went


def ways_of(session: Session, runtime: Runtime, contact_id: int) -> list[OtherWay]:
    """The channels on which we may meet a contact, and whether we may write there now."""
    now = runtime.now()
    rows = session.execute(
        sa.select(Urn, Channel)
        .join(Channel, Channel.id == Urn.channel_id)
        .where(Urn.contact_id == contact_id)
        .order_by(Urn.id)
    )
    return [_way(runtime, urn, channel, now) for urn, channel in rows]


def send_elsewhere(runtime: Runtime, official: Official, delivery_id: int, urn_id: int) -> int:
    """A person decides that a message goes another way, also one of unknown fate; gives the ticket's id."""
    with runtime.database.transaction() as session:
        delivery, ticket = delivery_for(session, official, delivery_id)
        session.refresh(delivery, with_for_update=True)
        if not may_reply(official, ticket):
            raise Forbidden
        if ticket.is_sealed:
            raise NotAllowed("sealed", "Phản ánh mật chỉ được trả lời ở nơi người dân đã gửi.")
        if delivery.state not in MAY_GO or delivery.message_id is None or delivery.code == UNDONE:
            raise NotAllowed("not_failed", "Tin này không còn chờ gửi lại. Anh/Chị vui lòng tải lại trang.")
        tried = _tried(session, delivery.message_id)
        ways = ways_of(session, runtime, ticket.contact_id)
        way = next((w for w in ways if w.urn_id == urn_id and w.is_open and urn_id not in tried), None)
        if way is None:
            raise NotAllowed(
                "no_way", "Kênh này không gửi được lúc này. Anh/Chị vui lòng chọn kênh khác hoặc gọi điện."
            )
        _send(session, runtime, delivery, session.get_one(Message, delivery.message_id), way)
        delivery.rerouted_at = runtime.now()
        audit(
            session, official, "delivery.sent_elsewhere", f"delivery:{delivery_id}", runtime.now(),
            was=delivery.state.value, urn=urn_id,
        )  # fmt: skip
    runtime.nudge(REPLIES)
    return ticket.id


def _refused(session: Session) -> Iterator[Delivery]:
    query = sa.select(Delivery).where(
        Delivery.state == DeliveryState.REFUSED,
        Delivery.kind == DeliveryKind.REPLY,
        Delivery.rerouted_at.is_(None),
    )
    yield from session.scalars(
        query.order_by(Delivery.id).limit(AT_ONCE).with_for_update(skip_locked=True, of=Delivery)
    )


def _impatient(session: Session, runtime: Runtime, now: datetime) -> Iterator[Delivery]:
    """First parts of replies whose citizen can be met elsewhere, and which have waited as long as the commune bears."""
    other = aliased(Urn)
    elsewhere = sa.select(other.id).where(other.contact_id == Urn.contact_id, other.id != Urn.id).exists()
    pages = [kind for kind, adapter in runtime.adapters.items() if not adapter.limits.rings]
    is_page = Channel.type.in_(pages)
    for commune in session.scalars(sa.select(Commune)):
        bears = patience(commune.settings)
        late = [
            sa.and_(state, Delivery.created_at < now - most)
            for state, most in (
                # What may be with the channel already waits for a person.
                (sa.and_(Delivery.state == DeliveryState.WAITING, Delivery.via.is_(None)), bears.waiting),
                (sa.and_(Delivery.state == DeliveryState.SENT, ~is_page), bears.unseen),
                (sa.and_(Delivery.state == DeliveryState.SENT, is_page), bears.unread_on_page),
            )
            if most is not None
        ]
        if not late:
            continue
        query = (
            sa.select(Delivery)
            .join(Urn, Urn.id == Delivery.urn_id)
            .join(Channel, Channel.id == Delivery.channel_id)
            .where(
                Delivery.commune_id == commune.id,
                Delivery.kind == DeliveryKind.REPLY,
                Delivery.part == 1,
                Delivery.rerouted_at.is_(None),
                Delivery.created_at > now - OLDEST,
                sa.or_(*late),
                elsewhere,
            )
        )
        yield from session.scalars(
            query.order_by(Delivery.id).limit(AT_ONCE).with_for_update(skip_locked=True, of=Delivery)
        )


def _reroute(session: Session, runtime: Runtime, delivery: Delivery, now: datetime) -> bool:
    """Look for another way, once; False when there is none, or the message need not or must not take it."""
    is_waiting = delivery.state is DeliveryState.WAITING
    message = session.get(Message, delivery.message_id) if delivery.message_id else None
    if message is None or message.is_sealed or _is_sealed(session, message):
        delivery.rerouted_at = now
        return False
    contact_id = session.scalar(sa.select(Urn.contact_id).where(Urn.id == delivery.urn_id))
    way = best_way(ways_of(session, runtime, contact_id or 0), _tried(session, message.id))
    if way is None:
        # What waits may find one later; what has failed is shown to people.
        delivery.rerouted_at = None if is_waiting else now
        return False
    if is_waiting:
        _call_off(session, delivery, way)
    _send(session, runtime, delivery, message, way)
    delivery.rerouted_at = now
    return True


def _is_sealed(session: Session, message: Message) -> bool:
    ticket = session.get(Ticket, message.ticket_id) if message.ticket_id else None
    return ticket is not None and ticket.is_sealed


def _call_off(session: Session, delivery: Delivery, way: OtherWay) -> None:
    session.execute(
        sa.update(Delivery)
        .where(
            Delivery.message_id == delivery.message_id,
            Delivery.urn_id == delivery.urn_id,
            Delivery.state == DeliveryState.WAITING,
        )
        .values(
            state=DeliveryState.CANCELLED,
            code="went_elsewhere",
            reason=f"Chờ quá lâu nên đã chuyển qua {way.name}."[:400],
        )
    )
    session.refresh(delivery)


def _send(session: Session, runtime: Runtime, delivery: Delivery, message: Message, way: OtherWay) -> None:
    urn, channel = session.get_one(Urn, way.urn_id), session.get_one(Channel, way.channel_id)
    conversation = session.scalar(sa.select(Conversation).where(Conversation.urn_id == urn.id))
    first = session.get_one(Channel, delivery.channel_id)
    limits = runtime.adapters[channel.type].limits
    parts = owe(
        session,
        runtime,
        channel=channel,
        urn=urn,
        text=_words(session, runtime, message, first, channel, conversation),
        kind=DeliveryKind.REPLY,
        key=f"other:{message.id}:{urn.id}",
        priority=delivery.priority,
        message=message,
        image_blob=_picture(session, message) if limits.image_bytes else None,
    )
    for part in parts:
        part.instead_of_id = delivery.id
        part.conversation_id = conversation.id if conversation else part.conversation_id
    log.info("delivery.went_elsewhere", delivery_id=delivery.id, channel=channel.slug, code=delivery.code)


def _words(
    session: Session,
    runtime: Runtime,
    message: Message,
    first: Channel,
    channel: Channel,
    conversation: Conversation | None,
) -> str:
    """The message, with a line before it that says which report it is about and why it comes here."""
    ticket = session.get(Ticket, message.ticket_id) if message.ticket_id else None
    if ticket is None:
        return message.text
    limits = runtime.adapters[channel.type].limits
    voice = voice_for(limits, commune_book(session, channel.commune_id), conversation)
    return f"{voice.say('another_way', ma=ticket.code, kenh=first.name).words}\n{message.text}"


def _picture(session: Session, message: Message) -> str | None:
    query = sa.select(Delivery.image_blob).where(Delivery.message_id == message.id, Delivery.image_blob.is_not(None))
    return session.scalar(query.limit(1))


def _tried(session: Session, message_id: int) -> set[int]:
    return set(session.scalars(sa.select(Delivery.urn_id).where(Delivery.message_id == message_id)))


def _way(runtime: Runtime, urn: Urn, channel: Channel, now: datetime) -> OtherWay:
    adapter: Adapter | None = runtime.adapters.get(channel.type)
    if adapter is None:
        return OtherWay(urn.id, channel.id, channel.name, False, False, False, urn.last_interaction_at)
    limits = adapter.limits
    is_open = window(
        urn.last_interaction_at, now, hours=limits.window_hours, free_hours=limits.free_window_hours
    ).is_open
    works = channel.is_active and channel.paused_at is None and urn.unreachable_at is None
    return OtherWay(
        urn.id, channel.id, channel.name, is_open and works, limits.is_sms, limits.rings, urn.last_interaction_at
    )
