"""Deliveries: owe a message, hand it to its channel once, and know the truth about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session, aliased

from adapters.base import Paid
from adapters.text import length, split
from bot.queue import BROADCAST, REPLIES
from bot.runtime import Runtime
from storage.announcements import lines_past_held
from storage.channels import Channel
from storage.contacts import Urn
from storage.deliveries import Attempt, Delivery
from storage.enums import DeliveryKind, DeliveryState, Importance
from storage.messages import Message
from storage.sealing import Look, open_words
from storage.undo import UNDONE, was_meant

log = structlog.get_logger()

PRIORITY_EMERGENCY, PRIORITY_REPLY, PRIORITY_ACK, PRIORITY_ANNOUNCEMENT = 0, 1, 3, 8
PRIORITY_ALARM = 5  # an announcement of an emergency: it overtakes other announcements, and goes at night
PRIORITIES = {Importance.EMERGENCY: PRIORITY_ALARM, Importance.PRIORITY: 7, Importance.ROUTINE: PRIORITY_ANNOUNCEMENT}
LEASE = timedelta(seconds=60)  # longer than an upload and a send together


def owe(
    session: Session,
    runtime: Runtime,
    *,
    channel: Channel,
    urn: Urn,
    text: str,
    kind: DeliveryKind,
    key: str,
    priority: int,
    message: Message | None = None,
    announcement_id: int | None = None,
    image_blob: str | None = None,
    quoted_external_id: str | None = None,
    choices: tuple[str, ...] = (),
    pays: bool = False,
    template: dict[str, Any] | None = None,
    asks: str = "",
) -> list[Delivery]:
    """Promise a message to a citizen, in as many parts as the channel needs; nudge after your commit."""
    now = runtime.now()
    pieces = pieces_for(runtime, channel, text) or [""]
    if image_blob:
        pieces = beside_picture(runtime, channel, pieces)
    parts = [
        Delivery(
            commune_id=channel.commune_id,
            key=key if number == 1 else f"{key}:{number}",
            channel_id=channel.id,
            urn_id=urn.id,
            conversation_id=message.conversation_id if message else None,
            message_id=message.id if message else None,
            announcement_id=announcement_id,
            kind=kind,
            priority=priority,
            part=number,
            parts=len(pieces),
            text=piece,
            choices=list(choices) if choices and number == len(pieces) else None,
            asks=asks or None if number == len(pieces) else None,
            image_blob=image_blob if number == 1 else None,
            quoted_external_id=quoted_external_id if number == 1 else None,
            pays=pays,
            template=template,
            state=DeliveryState.WAITING,
            next_attempt_at=now,
            created_at=now,
        )
        for number, piece in enumerate(pieces, 1)
    ]
    session.add_all(parts)
    session.flush()
    return parts


def pieces_for(runtime: Runtime, channel: Channel, text: str) -> list[str]:
    """The messages a text becomes on a channel, in the words that will be read there."""
    adapter = runtime.adapters[channel.type]
    if isinstance(adapter, Paid):
        return adapter.pieces(channel.settings, text)
    return split(text, adapter.limits.text, adapter.limits.text_units)


def beside_picture(runtime: Runtime, channel: Channel, pieces: list[str]) -> list[str]:
    """The same messages where a picture goes with the first; where its words are more than a caption, it goes alone."""
    limits = runtime.adapters[channel.type].limits
    is_too_long = limits.caption is not None and length(pieces[0], limits.text_units) > limits.caption
    return ["", *pieces] if is_too_long else pieces  # each part is one call and has one outcome


@dataclass(frozen=True)
class Claimed:
    """A delivery that this process alone may send now, with what is needed to do so.

    `name`: how the channel may know it, the same at each try; `via`: the gateway that may have it already.
    """

    id: int
    attempt_id: int
    commune_id: int
    urn_id: int
    urn: str
    text: str
    image_blob: str | None
    quoted_external_id: str | None
    tries: int
    kind: DeliveryKind
    announcement_id: int | None
    choices: tuple[str, ...] = ()
    name: str = ""
    via: str | None = None
    pays: bool = False
    template: dict[str, Any] | None = None
    asks: str = ""
    is_sealed: bool = False


@dataclass
class Outcome:
    """What became of one claimed delivery; `next_attempt_at` set: it waits again.

    `gateway`: through which one it was tried; `is_gateway_failure`: that one surely did not take it, through no fault
    of the message. `was_paid`: the channel charged for it, as far as we know its clock.
    """

    claimed: Claimed
    state: DeliveryState
    code: str | None = None
    reason: str | None = None
    external_id: str | None = None
    next_attempt_at: datetime | None = None
    exchange: list[Any] = field(default_factory=list)
    quota: dict[str, str] = field(default_factory=dict)
    unreachable: bool = False
    via: str | None = None
    gateway: str = ""
    is_gateway_failure: bool = False
    was_paid: bool = False


_Earlier = aliased(Delivery)  # made once: an alias builds a column of its own for each of the table's


def claim(
    session: Session,
    channel: Channel,
    kinds: list[DeliveryKind],
    limit: int,
    lease: str,
    now: datetime,
    *,
    is_quiet: bool = False,
) -> list[Claimed]:
    """Take up to `limit` due deliveries, most urgent first, and write down the intent to send them.

    `is_quiet`: people may be disturbed by emergencies only.
    """
    blocked = (
        sa.select(_Earlier.id)
        .where(
            _Earlier.urn_id == Delivery.urn_id,
            _Earlier.id < Delivery.id,
            _Earlier.state.in_([DeliveryState.WAITING, DeliveryState.SENDING]),
            _Earlier.kind != DeliveryKind.ANNOUNCEMENT,
            # What its official may still take back holds up nothing: the bot answers danger at once.
            sa.or_(_Earlier.held_until.is_(None), _Earlier.held_until <= now),
        )
        .exists()
    )
    split_before = (
        sa.select(_Earlier.id)
        .where(
            _Earlier.urn_id == Delivery.urn_id,
            _Earlier.announcement_id == Delivery.announcement_id,
            _Earlier.part < Delivery.part,
            _Earlier.state.in_([DeliveryState.WAITING, DeliveryState.SENDING]),
        )
        .exists()
    )
    query = (
        sa.select(Delivery)
        .where(
            Delivery.channel_id == channel.id,
            Delivery.state == DeliveryState.WAITING,
            *of_kinds(kinds),
            Delivery.next_attempt_at <= now,
            ~blocked,
            ~split_before,
            *([Delivery.priority <= PRIORITY_ALARM] if is_quiet and DeliveryKind.ANNOUNCEMENT in kinds else []),
        )
        .with_for_update(skip_locked=True, of=Delivery)
    )
    open_words(session)
    lines = lines_past_held(session, channel.id) if DeliveryKind.ANNOUNCEMENT in kinds else None
    rows = _with_words(_first(session, query, limit) if lines is None else _of_lines(session, query, lines, limit))
    attempts = []
    for row in rows:
        row.state = DeliveryState.SENDING
        row.tries += 1
        row.lease_id = lease
        row.lease_until = now + LEASE
        attempts.append(Attempt(commune_id=row.commune_id, delivery_id=row.id, number=row.tries, started_at=now))
    session.add_all(attempts)
    session.flush()
    urns = {}
    if rows:
        pairs = session.execute(sa.select(Urn.id, Urn.value).where(Urn.id.in_([r.urn_id for r in rows])))
        urns = {urn_id: value for urn_id, value in pairs}  # noqa: C416 - rows are not plain tuples
    return [
        Claimed(
            r.id, a.id, r.commune_id, r.urn_id, urns[r.urn_id], r.text, r.image_blob, r.quoted_external_id, r.tries,
            r.kind, r.announcement_id, tuple(r.choices or ()), _name(r), r.via, r.pays, r.template, r.asks or "",
            r.sealed is not None,
        )
        for r, a in zip(rows, attempts, strict=True)
    ]  # fmt: skip


def of_kinds(kinds: list[DeliveryKind]) -> list[Any]:
    """The conditions of deliveries of these kinds: to announcements or to one citizen, never both.

    Priorities tell them apart as well, and lead through the index past a million that wait of the other kind.
    """
    is_many = DeliveryKind.ANNOUNCEMENT in kinds
    bound = Delivery.priority >= PRIORITY_ALARM if is_many else Delivery.priority < PRIORITY_ALARM
    return [Delivery.kind.in_(kinds), bound]


def _first(session: Session, query: sa.Select[Any], limit: int) -> list[Delivery]:
    return list(session.scalars(query.order_by(Delivery.priority, Delivery.next_attempt_at, Delivery.id).limit(limit)))


def _of_lines(session: Session, query: sa.Select[Any], announcement_ids: list[int], limit: int) -> list[Delivery]:
    """The first of these announcements, one line after the other: an index of each leads to it."""
    rows: list[Delivery] = []
    for number in announcement_ids:
        line = query.where(Delivery.announcement_id == number).order_by(Delivery.next_attempt_at, Delivery.id)
        rows += session.scalars(line.limit(limit - len(rows)))
        if len(rows) >= limit:
            break
    return rows


def _with_words(rows: Iterable[Delivery]) -> list[Delivery]:
    """Those that can be said; what was sealed with a key that is missing here waits for a person."""
    known = []
    for row in rows:
        if row.look is not Look.LOST:
            known.append(row)
            continue
        row.state, row.code = DeliveryState.REFUSED, "key_lost"
        row.reason = "Máy chủ không có khóa niêm phong nên không đọc được tin để gửi. Cần khôi phục khóa rồi gửi lại."
    return known


def _name(row: Delivery) -> str:
    # The moment tells two installations with one account at a provider apart.
    return f"hc-{row.created_at:%y%m%d%H%M%S}-{row.id}-{row.resends}"


def record(session: Session, outcomes: list[Outcome], lease: str, now: datetime) -> None:
    """Write down what became of claimed deliveries. A row whose lease was taken away is left as it is."""
    for outcome in outcomes:
        claimed = outcome.claimed
        values: dict[str, Any] = {
            "state": outcome.state,
            "code": outcome.code,
            "reason": outcome.reason,
            "lease_id": None,
            "lease_until": None,
            "via": outcome.via,
        }
        if outcome.external_id:
            values["external_id"] = outcome.external_id
        if outcome.state is DeliveryState.SENT:
            values["sent_at"] = now
        if outcome.was_paid:
            values["was_paid"] = True
        if outcome.next_attempt_at is not None:
            values["next_attempt_at"] = outcome.next_attempt_at
        session.execute(
            sa.update(Delivery)
            .where(Delivery.id == claimed.id, Delivery.lease_id == lease, Delivery.state == DeliveryState.SENDING)
            .values(**values)
        )
        exchange = [] if claimed.is_sealed else outcome.exchange  # channels repeat in their answers what was sent
        session.execute(
            sa.update(Attempt)
            .where(Attempt.id == claimed.attempt_id)
            .values(ended_at=now, outcome=outcome.state.value, code=outcome.code, exchange=exchange)
        )
        if outcome.unreachable:
            session.execute(
                sa.update(Urn).where(Urn.id == claimed.urn_id).values(unreachable_at=now, unreachable_code=outcome.code)
            )
        if outcome.state in {DeliveryState.REFUSED, DeliveryState.UNKNOWN}:
            cancel_later_parts(session, claimed.id, outcome.state)


def cancel_later_parts(session: Session, delivery_id: int, state: DeliveryState) -> None:
    """What follows a part that did not arrive would make no sense."""
    first = session.get_one(Delivery, delivery_id)
    if first.part >= first.parts:
        return
    same = (
        Delivery.message_id == first.message_id
        if first.message_id
        else Delivery.announcement_id == first.announcement_id
    )
    session.execute(
        sa.update(Delivery)
        .where(
            same, Delivery.urn_id == first.urn_id, Delivery.part > first.part, Delivery.state == DeliveryState.WAITING
        )
        .values(state=DeliveryState.CANCELLED, code=f"earlier_part_{state.value}", reason="Phần trước chưa gửi được.")
    )


def expire_leases(runtime: Runtime, *, everything: bool = False) -> int:
    """Deliveries whose sender died between intent and outcome: nobody knows, so nothing is sent again by itself.

    `everything`: this process is the only one, so whoever held a lease is dead.
    """
    now = runtime.now()
    with runtime.database.transaction() as session:
        query = sa.select(Delivery).where(Delivery.state == DeliveryState.SENDING)
        if not everything:
            query = query.where(Delivery.lease_until < now)
        rows = list(session.scalars(query.limit(500).with_for_update(skip_locked=True)))
        for row in rows:
            row.state = DeliveryState.UNKNOWN
            row.code = "sender_died"
            row.reason = (
                "Máy chủ dừng giữa lúc gửi nên không rõ người dân đã nhận chưa. Có thể gọi điện hoặc bấm Gửi lại."
            )
            row.lease_id = row.lease_until = None
            session.execute(
                sa.update(Attempt)
                .where(Attempt.delivery_id == row.id, Attempt.ended_at.is_(None))
                .values(ended_at=now, outcome=DeliveryState.UNKNOWN.value, code="sender_died")
            )
            cancel_later_parts(session, row.id, DeliveryState.UNKNOWN)
    if rows:
        log.warning("delivery.sender_died", count=len(rows))
    return len(rows)


def resend(runtime: Runtime, official_id: int, delivery: Delivery, *, pays: bool = False) -> None:
    """A person decides to send a refused, unknown or cancelled delivery again; later parts follow it.

    `pays`: they agree that the channel charges for it.
    """
    now = runtime.now()
    with runtime.database.transaction() as session:
        row = session.get_one(Delivery, delivery.id)
        again = {DeliveryState.REFUSED, DeliveryState.UNKNOWN, DeliveryState.CANCELLED}
        if row.state not in again or row.code == UNDONE:
            return
        same = (
            [Delivery.message_id == row.message_id]
            if row.message_id
            else [Delivery.announcement_id == row.announcement_id]
        )
        is_unknown = Delivery.state == DeliveryState.UNKNOWN
        session.execute(
            sa.update(Delivery)
            .where(
                *same,
                Delivery.urn_id == row.urn_id,
                Delivery.part >= row.part,
                Delivery.state.in_(again),
                was_meant(Delivery.code),
            )
            .values(
                state=DeliveryState.WAITING,
                code=None,
                reason=None,
                next_attempt_at=now,
                part_receipts=None,
                rerouted_at=None,
                # What may have arrived keeps its name, by which the channel knows it; what surely has not gets another.
                tries=sa.case((is_unknown, 1), else_=0),
                resends=Delivery.resends + sa.case((is_unknown, 0), else_=1),
                via=sa.case((is_unknown, Delivery.via), else_=None),
                pays=sa.or_(Delivery.pays, sa.literal(pays)),
            )
        )
    log.info("delivery.resend", delivery_id=delivery.id, official_id=official_id)
    runtime.nudge(BROADCAST if delivery.kind is DeliveryKind.ANNOUNCEMENT else REPLIES)
