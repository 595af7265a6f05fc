"""Receipts and echoes: what the channel says later about messages that left our account."""

from __future__ import annotations

import sqlalchemy as sa

from adapters.messages import Echo, Receipt, ReceiptStatus
from bot.usecases.citizens import citizen
from bot.usecases.deliveries import cancel_later_parts
from bot.usecases.keeping import is_kept, keep_attachments
from bot.usecases.work import Citizen, NotYet, Work
from nlp.normalise import fold
from storage.deliveries import Delivery
from storage.enums import DeliveryState, Direction, Origin
from storage.messages import Message
from storage.tickets import Ticket

UNDELIVERED = "undelivered"
_OUT = {DeliveryState.SENT, DeliveryState.UNKNOWN, DeliveryState.SENDING}
LOOKS = 3  # about half a minute: longer than any send takes to be written down


def take_receipt(work: Work, word: Receipt) -> str:
    """A message of ours arrived, was read or could not be delivered; states only ever move forward."""
    found = 0
    for external_id in word.external_ids:
        delivery = work.session.scalar(
            sa.select(Delivery).where(Delivery.channel_id == work.channel.id, Delivery.external_id == external_id)
        )
        if delivery is None:
            continue
        found += 1
        _move_forward(work, delivery, word)
    if found < len(word.external_ids) and work.row.tries < LOOKS and _something_is_out(work):
        raise NotYet
    return f"receipt:{word.status.value}" if found else "receipt:unmatched"


def take_echo(work: Work, word: Echo) -> str:
    """Our own words come back; words that are not ours were typed by a colleague in the channel's own app."""
    known = work.session.scalar(
        sa.select(Delivery.id).where(Delivery.channel_id == work.channel.id, Delivery.external_id == word.external_id)
    )
    if known is not None:
        return "echo:ours"
    person = citizen(work, word.urn)
    if person.contact.erased_at is not None and word.occurred_at <= person.contact.erased_at:
        work.row.body = b"{}"
        return "echo:withdrawn"
    if is_kept(work, person, word.external_id):
        return "echo:known"
    if not word.by_person:
        if _settle_unknown(work, person, word):
            return "echo:settled_unknown"
        if work.row.tries < LOOKS and _something_is_out(work, person):
            raise NotYet
    _keep_colleagues_words(work, person, word)
    return "echo:colleague" if word.by_person else "echo:other_app"


def _move_forward(work: Work, delivery: Delivery, word: Receipt) -> None:
    status = _of_all_pieces(delivery, word) if word.parts > 1 else word.status
    if status is ReceiptStatus.FAILED:
        _undelivered(work, delivery, word)
    elif status is not None:
        _arrived(delivery, word, status)


def _of_all_pieces(delivery: Delivery, word: Receipt) -> ReceiptStatus | None:
    """What is true of the whole message: it arrived when every piece did, and failed when one of them failed."""
    told = {**(delivery.part_receipts or {}), str(word.part): word.status.value}
    delivery.part_receipts = told
    if ReceiptStatus.FAILED.value in told.values():
        return ReceiptStatus.FAILED
    return word.status if len(told) >= word.parts else None


def _undelivered(work: Work, delivery: Delivery, word: Receipt) -> None:
    """The network gave up: an official sees it and may send again. What has arrived stays arrived."""
    if not (delivery.state in _OUT or _may_be_out(delivery)):
        return
    delivery.state, delivery.code, delivery.reason = DeliveryState.REFUSED, UNDELIVERED, word.reason[:400]
    cancel_later_parts(work.session, delivery.id, DeliveryState.REFUSED)


def _may_be_out(delivery: Delivery) -> bool:
    """Whether it waits to be sent once more although the channel may have it."""
    return delivery.state is DeliveryState.WAITING and delivery.via is not None


def _arrived(delivery: Delivery, word: Receipt, status: ReceiptStatus) -> None:
    delivery.delivered_at = delivery.delivered_at or word.occurred_at
    if status is ReceiptStatus.READ:
        delivery.read_at = delivery.read_at or word.occurred_at
        delivery.state = DeliveryState.READ
    elif delivery.state in _OUT or _may_be_out(delivery):
        delivery.state = DeliveryState.DELIVERED
    elif delivery.state is DeliveryState.REFUSED and delivery.code == UNDELIVERED:
        # A telephone that was switched off for a day: the network had given up too early.
        delivery.state, delivery.code, delivery.reason = DeliveryState.DELIVERED, None, None


def _something_is_out(work: Work, person: Citizen | None = None) -> bool:
    query = sa.select(Delivery.id).where(
        Delivery.channel_id == work.channel.id, Delivery.state == DeliveryState.SENDING
    )
    if person is not None:
        query = query.where(Delivery.urn_id == person.urn.id)
    return work.session.scalar(query.limit(1)) is not None


def _settle_unknown(work: Work, person: Citizen, word: Echo) -> bool:
    """A delivery of unknown outcome with these very words did go out."""
    unsettled = work.session.scalars(
        sa.select(Delivery)
        .where(
            Delivery.urn_id == person.urn.id,
            Delivery.state == DeliveryState.UNKNOWN,
            Delivery.external_id.is_(None),
            sa.or_(Delivery.text == word.text, Delivery.sealed.is_not(None)),
        )
        .order_by(Delivery.id)
    )
    delivery = next((row for row in unsettled if row.text == word.text), None)
    if delivery is None:
        return False
    delivery.state = DeliveryState.SENT
    delivery.external_id = word.external_id
    delivery.sent_at = word.occurred_at
    delivery.code, delivery.reason = "settled_by_echo", None
    return True


def _keep_colleagues_words(work: Work, person: Citizen, word: Echo) -> None:
    latest = work.session.scalar(
        sa.select(Ticket)
        .where(Ticket.conversation_id == person.conversation.id, Ticket.is_open, Ticket.opened_at <= word.occurred_at)
        .order_by(Ticket.last_in_at.desc())
        .limit(1)
    )
    message = Message(
        commune_id=work.channel.commune_id,
        channel_id=work.channel.id,
        conversation_id=person.conversation.id,
        ticket_id=latest.id if latest else None,
        inbound_event_id=work.row.id,
        direction=Direction.OUT,
        origin=Origin.CHANNEL_APP,
        external_id=word.external_id[:160],
        text=word.text,
        text_folded=fold(word.text),
        is_sealed=bool(latest and latest.is_sealed),
        occurred_at=word.occurred_at,
        created_at=work.now,
    )
    work.session.add(message)
    keep_attachments(work, message, word.attachments)
    person.conversation.last_message_at = max(filter(None, (person.conversation.last_message_at, word.occurred_at)))
