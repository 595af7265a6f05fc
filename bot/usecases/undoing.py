"""Undoing: what an official sends waits a few seconds in the house, and until it leaves they may take it back.

Everything is done at once, as if it had been sent: state, clocks, the promise to tell. How it stood before is kept
beside it, and undoing sets back each fact that nobody has changed since. Whoever sends a message wraps what they do in
`undoable`; it needs to know nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from bot.queue import MEDIA
from bot.rules.lifecycle import NotAllowed
from bot.rules.undoing import MOST_SECONDS, undo_time
from bot.runtime import Runtime
from bot.usecases import clocks, drafts
from bot.usecases.desk import Desk, at_desk
from storage.base import Instant
from storage.blobs import let_go
from storage.communes import Commune
from storage.contacts import Conversation
from storage.deliveries import Delivery
from storage.enums import DeliveryState, EventKind, Origin, TicketState
from storage.incidents import joined_to
from storage.messages import Attachment, Message
from storage.officials import Official
from storage.tickets import Ticket, TicketEvent
from storage.undo import UNDONE, Undoable, was_meant

log = structlog.get_logger()

KEPT = timedelta(seconds=2 * MOST_SECONDS)
REASON = "Cán bộ đã hoàn tác trước khi gửi."

# What sending may change. When the clock must be heard next follows from the others.
_OF_TICKET = (
    "state", "is_open", "accept_due_at", "accepted_at", "action_due_at", "acted_at", "due_at", "paused_at",
    "paused_until", "answered_at", "closed_at", "snoozed_until",
)  # fmt: skip
_OF_TALK = (
    "asked", "asked_ticket_id", "asked_at", "asked_count", "held_by_id", "held_since", "held_until", "last_message_at",
)  # fmt: skip
_CARRIED = frozenset({TicketState.ANSWERED, TicketState.WAITING_CITIZEN, TicketState.DECLINED})
_OF = {"ticket": (Ticket, _OF_TICKET), "talk": (Conversation, _OF_TALK)}

Facts = dict[str, dict[str, Any]]


@dataclass
class Chance:
    """To take back what is being sent: the message, and the form it was written in."""

    message: Message | None = None
    written: dict[str, str] = field(default_factory=dict)
    was_draft: bool = False

    def keep(self, message: Message, written: dict[str, str] | None = None, *, was_draft: bool = False) -> None:
        """This is what is sent. `was_draft`: it waited for a leader, and does so again when it is taken back."""
        self.message, self.written, self.was_draft = message, written or {}, was_draft


@contextmanager
def undoable(desk: Desk) -> Iterator[Chance]:
    """Whatever is owed inside waits as long as the commune gives its officials to take it back."""
    chance, session = Chance(), desk.session
    wait = undo_time(session.get_one(Commune, desk.ticket.commune_id).settings)
    if not wait:
        yield chance
        return
    rows = _rows(desk)
    before = _before(rows)
    made: list[Any] = []

    def note(_: Session, row: Any) -> None:
        made.append(row)

    sa.event.listen(session, "pending_to_persistent", note)
    try:
        yield chance
        session.flush()
    finally:
        sa.event.remove(session, "pending_to_persistent", note)
    owed = [row for row in made if isinstance(row, Delivery)]
    if chance.message is not None and owed:
        _hold_back(desk, chance, owed, rows, before, desk.now + wait)


def _hold_back(
    desk: Desk, chance: Chance, owed: list[Delivery], rows: list[Any], before: Facts, until: datetime
) -> None:
    for delivery in owed:
        delivery.next_attempt_at = delivery.held_until = until
    for row in rows:
        if isinstance(row, Conversation) and row.asked is not None and row.asked_at == desk.now:
            row.asked_at = until  # nobody answers what was not asked yet
    message = chance.message
    assert message is not None  # noqa: S101 - asked by the caller
    desk.session.add(
        Undoable(
            commune_id=desk.ticket.commune_id,
            ticket_id=desk.ticket.id,
            official_id=desk.official.id,
            message_id=message.id,
            message_ids=sorted({message.id, *(one.message_id for one in owed if one.message_id is not None)}),
            was_draft=chance.was_draft,
            version=desk.ticket.version,
            before=before,
            after=_facts(rows),
            written=chance.written,
            sent_at=desk.now,
            until=until,
        )
    )


def _rows(desk: Desk) -> list[Any]:
    """What sending about this ticket may change: it and its talk, those who joined it and theirs."""
    session = desk.session
    tickets = [desk.ticket, *([] if desk.ticket.is_sealed else joined_to(session, desk.ticket.id))]
    talks = {ticket.conversation_id for ticket in tickets}
    return [*tickets, *session.scalars(sa.select(Conversation).where(Conversation.id.in_(talks)))]


def _before(rows: list[Any]) -> Facts:
    found = _facts(rows)
    for row in rows:
        if isinstance(row, Conversation) and row.asked_data is not None:
            # What was offered may be the citizen's words, which are not copied: that question is not put again.
            found[_name(row)] |= {"asked": None, "asked_at": None}
    return found


def _facts(rows: list[Any]) -> Facts:
    return {_name(row): {fact: _plain(getattr(row, fact)) for fact in _facts_of(row)} for row in rows}


def _name(row: Any) -> str:
    return f"{'ticket' if isinstance(row, Ticket) else 'talk'}:{row.id}"


def _facts_of(row: Any) -> tuple[str, ...]:
    return _OF_TICKET if isinstance(row, Ticket) else _OF_TALK


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


# ---- back again -----------------------------------------------------------------------------------------------------


def undo(runtime: Runtime, official: Official, ticket_id: int, number: int) -> None:
    """Take back what this official sent, from everybody it was for. NotAllowed when it has left, or others went on."""
    with at_desk(runtime, official, ticket_id, None) as desk:
        session = desk.session
        mine = sa.select(Undoable).where(
            Undoable.id == number, Undoable.ticket_id == ticket_id, Undoable.official_id == official.id
        )
        chance = session.scalar(mine.with_for_update())
        if chance is None:
            raise _left()
        if chance.undone_at is not None:
            raise NotAllowed(UNDONE, "Tin này đã được hoàn tác trước đó.")
        owed = list(
            session.scalars(
                sa.select(Delivery)
                .where(Delivery.message_id.in_(chance.message_ids), Delivery.created_at >= chance.sent_at)
                .order_by(Delivery.id)
                .with_for_update()
            )
        )
        if any(_has_begun(delivery) for delivery in owed):
            raise _left()
        rows = _known(desk, chance)
        _call_off(desk, chance, owed)
        _take_back(desk, chance)
        was = desk.ticket.state
        _set_back(desk, rows, chance)
        clocks.plan(desk.ticket, clocks.calendar_of(desk.book))
        moved = {"from": was.value, "to": desk.ticket.state.value} if desk.ticket.state is not was else {}
        desk.event(EventKind.UNDONE, {"deed": chance.version, "message_id": chance.message_id, **moved})
        if chance.written:
            drafts.put_back(session, official, desk.ticket, chance.written, desk.now)
        chance.undone_at, chance.written = desk.now, {}
    log.info("reply.undone", ticket_id=ticket_id, deliveries=len(owed))
    runtime.nudge(MEDIA)


def undone_deeds(session: Session, ticket_id: int) -> set[int]:
    """The versions of a ticket that were made by what was taken back later."""
    query = sa.select(TicketEvent.data).where(TicketEvent.ticket_id == ticket_id, TicketEvent.kind == EventKind.UNDONE)
    return {int(data["deed"]) for data in session.scalars(query)}


def still_undoable(runtime: Runtime, official: Official) -> tuple[Undoable, str] | None:
    """The latest that this official sent and may still take back, with the code of its report."""
    return next(iter(all_undoable(runtime, official, most=1)), None)


def all_undoable(runtime: Runtime, official: Official, *, most: int) -> list[tuple[Undoable, str]]:
    """What this official sent and may still take back, the latest first, each with the code of its report."""
    with runtime.database.reading() as session:
        query = (
            sa.select(Undoable, Ticket.code)
            .join(Ticket, Ticket.id == Undoable.ticket_id)
            .where(Undoable.official_id == official.id, Undoable.until > runtime.now(), Undoable.undone_at.is_(None))
        )
        rows = session.execute(query.order_by(Undoable.id.desc()).limit(most))
        return [(chance, code) for chance, code in rows]


def forget_over(runtime: Runtime) -> None:
    """What nobody can take back any more is not kept."""
    over = Undoable.until < runtime.now() - KEPT
    with runtime.database.reading() as session:
        if session.scalar(sa.select(Undoable.id).where(over).limit(1)) is None:
            return
    with runtime.database.transaction(durable=False) as session:
        session.execute(sa.delete(Undoable).where(over))


def _left() -> NotAllowed:
    return NotAllowed("left", "Tin đã rời hệ thống nên không hoàn tác được. Phản ánh vẫn giữ nguyên như sau khi gửi.")


def _has_begun(delivery: Delivery) -> bool:
    waits = delivery.state is DeliveryState.WAITING and delivery.tries == 0
    return not waits and delivery.state is not DeliveryState.CANCELLED


def _known(desk: Desk, chance: Undoable) -> list[Any]:
    """The rows it changed, locked; NotAllowed when somebody has built on it meanwhile."""
    session, rows = desk.session, []
    for name in chance.after:
        kind, number = name.split(":")
        row = session.get(_OF[kind][0], int(number), with_for_update=True)
        if row is not None:
            rows.append(row)
    if not _carried_state(desk.ticket, chance):
        return rows
    since = [ticket for ticket in joined_to(session, desk.ticket.id) if _name(ticket) not in chance.after]
    if _has_moved(desk.ticket, chance) or since:  # who joined since was told the result at once
        raise NotAllowed(
            "moved_on", "Phản ánh đã được xử lý tiếp sau khi gửi nên không hoàn tác được. Tin vẫn gửi như đã định."
        )
    return rows


def _carried_state(ticket: Ticket, chance: Undoable) -> bool:
    """Whether the message was itself a step of the lifecycle, which cannot stand without it."""
    state = chance.after[_name(ticket)]["state"]
    return TicketState(state) in _CARRIED and bool(state != chance.before[_name(ticket)]["state"])


def _has_moved(ticket: Ticket, chance: Undoable) -> bool:
    return ticket.state is not TicketState(chance.after[_name(ticket)]["state"])


def _call_off(desk: Desk, chance: Undoable, owed: list[Delivery]) -> None:
    gone = [delivery.image_blob for delivery in owed]
    for delivery in owed:
        delivery.state, delivery.code, delivery.reason = DeliveryState.CANCELLED, UNDONE, REASON
        delivery.key = f"undone:{chance.id}:{delivery.id}"  # an approval that is taken back may come again
        delivery.text, delivery.template, delivery.choices, delivery.image_blob = "", None, None, None
    let_go(desk.session, gone, desk.now)


def _take_back(desk: Desk, chance: Undoable) -> None:
    """Nothing was said: a draft is one again, of everything else no word stays."""
    session = desk.session
    gone: list[str | None] = []
    for message in session.scalars(sa.select(Message).where(Message.id.in_(chance.message_ids))):
        if chance.was_draft and message.id == chance.message_id:
            message.template = "result_draft"
            continue
        message.template, message.text, message.text_folded = UNDONE, "", ""
        message.filled = message.external_id = None  # its form may be sent again
        for attachment in session.scalars(sa.select(Attachment).where(Attachment.message_id == message.id)):
            gone.append(attachment.blob)
            session.delete(attachment)
    session.flush()
    let_go(session, gone, desk.now)


def _set_back(desk: Desk, rows: list[Any], chance: Undoable) -> None:
    """Each fact as it was, but for those that somebody else has changed since."""
    gone_on = _talks_gone_on(desk.session, rows, chance)
    for row in rows:
        if (row.conversation_id if isinstance(row, Ticket) else row.id) in gone_on:
            continue  # something that an official said later stands, and with it that the report was taken in
        if row is desk.ticket and _has_moved(desk.ticket, chance):
            continue  # a colleague took the next step: that the report was taken in stays true
        before, after = chance.before[_name(row)], chance.after[_name(row)]
        for fact, value in after.items():
            if before[fact] != value and _plain(getattr(row, fact)) == value:
                setattr(row, fact, _typed(type(row), fact, before[fact]))
        if isinstance(row, Ticket) and row is not desk.ticket:
            row.version += 1


def _talks_gone_on(session: Session, rows: list[Any], chance: Undoable) -> set[int]:
    """The conversations in which an official has said something since that was not taken back."""
    talks = {row.conversation_id if isinstance(row, Ticket) else row.id for row in rows}
    later = sa.select(Message.conversation_id).where(
        Message.conversation_id.in_(talks),
        Message.origin == Origin.OFFICIAL,
        Message.id > max(chance.message_ids),
        was_meant(Message.template),
    )
    return set(session.scalars(later))


def _typed(table: Any, fact: str, value: Any) -> Any:
    kind = table.__table__.c[fact].type
    if value is None:
        return None
    if isinstance(kind, Instant):
        return datetime.fromisoformat(value)
    return TicketState(value) if fact == "state" else value
