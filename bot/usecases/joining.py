"""Joining: a long SMS that comes in pieces becomes one message, at the latest after ten minutes."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
import structlog

from adapters.base import Joining
from adapters.messages import Envelope, MessagePart
from bot.queue import INBOX
from bot.usecases.tokens import channel_config
from bot.usecases.work import NotYet, Work
from storage.channels import Channel
from storage.enums import InboundState
from storage.messages import InboundEvent

log = structlog.get_logger()

PATIENCE = timedelta(minutes=10)


def take_part(work: Work, part: MessagePart) -> str:
    """Wait for the other pieces; whoever sees them all, or has waited long enough, hands on what there is.

    Pieces that cannot be locked are in other hands, which see the same and put down the same event.
    """
    if work.row.state is not InboundState.WAITING:
        return "part:joined"
    adapter: object = work.runtime.adapters[work.channel.type]
    if not isinstance(adapter, Joining):
        return "ignored:unsupported"
    found = _pieces_of_one(work, part)
    until = min(row.received_at for row, _ in found) + PATIENCE
    if len(found) < part.total and work.now < until:
        raise NotYet(until)
    envelope = adapter.joined([piece for _, piece in found], channel_config(work.runtime, work.channel))
    _put_down(work, envelope, f"joined:{min(row.id for row, _ in found)}:{len(found)}")
    for row in _free(work, [row.id for row, _ in found]):
        row.state, row.outcome, row.done_at = InboundState.DONE, "part:joined", work.now
        row.lease_id = row.lease_until = None
    if len(found) == part.total:
        return "part:joined"
    log.warning("intake.pieces_missing", event_id=work.row.id, have=len(found), total=part.total)
    return "part:incomplete"


def _pieces_of_one(work: Work, part: MessagePart) -> list[tuple[InboundEvent, MessagePart]]:
    """The pieces that belong together with this one: a telephone may use its reference again within minutes.

    The first pieces of each number are one message, the second ones another, in the order they came.
    """
    sets: dict[int, list[tuple[InboundEvent, MessagePart]]] = {}
    seen: dict[int, int] = {}
    mine = 0
    for row in work.session.scalars(_neighbours(work)):
        for piece in work.runtime.adapters[work.channel.type].parse(row.body):
            if not isinstance(piece, MessagePart) or _family(piece) != _family(part):
                continue
            turn = seen[piece.number] = seen.get(piece.number, 0) + 1
            sets.setdefault(turn, []).append((row, piece))
            if row.id == work.row.id:
                mine = turn
    return sets[mine]


def _neighbours(work: Work) -> sa.Select[tuple[InboundEvent]]:
    row = work.row
    return (
        sa.select(InboundEvent)
        .where(
            InboundEvent.channel_id == row.channel_id,
            InboundEvent.conversation_key == row.conversation_key,
            InboundEvent.event_name == row.event_name,
            InboundEvent.received_at.between(row.received_at - PATIENCE, row.received_at + PATIENCE),
        )
        .order_by(InboundEvent.id)
    )


def _family(part: MessagePart) -> tuple[str, str, str, int]:
    return part.urn, part.destination, part.reference, part.total


def _put_down(work: Work, envelope: Envelope, key: str) -> None:
    """The whole message as an event of its own, once; it may be for another commune on the same number."""
    channel = work.channel
    if envelope.account != channel.account:
        query = sa.select(Channel).where(Channel.type == channel.type, Channel.account == envelope.account)
        channel = work.session.scalar(query.where(Channel.is_active)) or channel
    known = sa.select(InboundEvent.id).where(InboundEvent.channel_id == channel.id, InboundEvent.key == key)
    if work.session.scalar(known) is not None:
        return
    work.session.add(
        InboundEvent(
            commune_id=channel.commune_id,
            channel_id=channel.id,
            key=key,
            event_name=envelope.event_name,
            conversation_key=envelope.conversation,
            body=envelope.body or b"",
            occurred_at=envelope.occurred_at,
            received_at=work.now,
            state=InboundState.WAITING,
            next_try_at=work.now,
        )
    )
    work.nudges.add(INBOX)


def _free(work: Work, ids: list[int]) -> list[InboundEvent]:
    query = sa.select(InboundEvent).where(
        InboundEvent.id.in_(ids), InboundEvent.id != work.row.id, InboundEvent.state == InboundState.WAITING
    )
    return list(work.session.scalars(query.with_for_update(skip_locked=True)))
