"""The clocks at work: they start, stand still and stop with what happens to a ticket, and speak up before it slips."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from bot.queue import REPLIES
from bot.rules.clocks import (
    EMERGENCY,
    LONGEST_PAUSE_DAYS,
    Calendar,
    Clock,
    Level,
    Notice,
    Running,
    deadlines,
    due_notices,
    next_notice,
    shifted,
)
from bot.rules.deadlines import DATA_REQUEST_DAYS
from bot.runtime import Runtime
from bot.usecases.communes import CommuneBook, commune_book
from bot.usecases.telling import Stage, tell
from bot.usecases.waking import wake
from bot.usecases.work import Citizen
from nlp.topics import TOPICS
from storage.alerts import Alert, raise_alert
from storage.channels import Channel
from storage.contacts import Contact, Conversation, Urn
from storage.enums import AlertKind, EventKind, TicketState, Urgency
from storage.incidents import joined_to
from storage.tickets import Ticket, TicketEvent

log = structlog.get_logger()

AT_ONCE = 100
# Who hears of a clock: whose work it is; then whoever dispatches; then the leaders.
AUDIENCE = {Level.NEAR: "owner", Level.DUE: "desk", Level.LATE: "leaders"}
_ACTED = frozenset(
    {
        TicketState.WAITING_CITIZEN,
        TicketState.IN_PROGRESS,
        TicketState.WAITING_APPROVAL,
        TicketState.FORWARDED,
        TicketState.ANSWERED,
        TicketState.DECLINED,
        TicketState.MERGED,
        TicketState.CLOSED,
    }
)


def calendar_of(book: CommuneBook) -> Calendar:
    """When the commune works."""
    return Calendar(book.hours, book.holidays)


def sla_of(ticket: Ticket) -> str:
    """Which class of promise a ticket has, by its urgency and topic."""
    topic = TOPICS.get(ticket.topic or "khac")
    return {Urgency.EMERGENCY: EMERGENCY, Urgency.URGENT: "S1"}.get(ticket.urgency, topic.sla if topic else "S3")


def set_deadlines(ticket: Ticket, book: CommuneBook, *, is_data_request: bool = False) -> None:
    """The deadlines follow topic and urgency; an extension that was granted stays. What is sealed has none."""
    if ticket.is_sealed:
        ticket.accept_due_at = ticket.action_due_at = ticket.due_at = ticket.next_notice_at = None
        return
    calendar = calendar_of(book)
    days = DATA_REQUEST_DAYS if is_data_request else None
    until = deadlines(ticket.opened_at, sla_of(ticket), calendar, answer_days=days)
    ticket.accept_due_at, ticket.action_due_at, ticket.due_at = until.accept, until.action, until.answer
    if ticket.extension and ticket.extension.get("state") == "granted":
        ticket.due_at = calendar.plus_days(until.answer, int(ticket.extension["days"]))
    plan(ticket, calendar)


def begin_again(ticket: Ticket, book: CommuneBook, now: datetime) -> None:
    """A reopened ticket has a new promise: quick action and answer, counted from now."""
    calendar = calendar_of(book)
    until = deadlines(now, "S2", calendar)
    ticket.acted_at = ticket.paused_at = ticket.paused_until = ticket.promised_at = ticket.extension = None
    ticket.action_due_at, ticket.due_at = until.action, until.answer
    ticket.noticed_at = now
    plan(ticket, calendar)


def moved(ticket: Ticket, source: TicketState, target: TicketState, book: CommuneBook, now: datetime) -> None:
    """What a step of the lifecycle does to the clocks."""
    calendar = calendar_of(book)
    if source is TicketState.NEW:
        ticket.accepted_at = ticket.accepted_at or now
    if target in _ACTED:
        ticket.acted_at = ticket.acted_at or now
    if target is TicketState.WAITING_CITIZEN and ticket.paused_at is None:
        ticket.paused_at, ticket.paused_until = now, calendar.plus_days(now, LONGEST_PAUSE_DAYS)
    elif target is not TicketState.WAITING_CITIZEN and ticket.paused_at is not None:
        _resume(ticket, now, calendar)
    plan(ticket, calendar)


def acted(ticket: Ticket, book: CommuneBook, now: datetime) -> None:
    """Somebody spoke to the citizen: that is the first action."""
    if ticket.acted_at is None:
        ticket.acted_at = now
        plan(ticket, calendar_of(book))


def plan(ticket: Ticket, calendar: Calendar) -> None:
    """When the clock must be heard next."""
    if not ticket.is_open or ticket.is_sealed:
        ticket.next_notice_at = None
        return
    ticket.next_notice_at = next_notice(running(ticket), calendar, _heard(ticket))
    if ticket.paused_at is not None and not _is_before(ticket.next_notice_at, ticket.paused_at):
        ticket.next_notice_at = ticket.paused_until


def _is_before(notice: datetime | None, pause: datetime) -> bool:
    """Whether it was to be said before the clocks stood still, and nobody has come to it yet."""
    return notice is not None and notice <= pause


def running(ticket: Ticket) -> Iterator[Running]:
    """The clocks of a ticket that still run."""
    is_real = ticket.urgency is Urgency.EMERGENCY
    start = ticket.opened_at
    if ticket.accept_due_at is not None and ticket.accepted_at is None and ticket.state is TicketState.NEW:
        yield Running(Clock.ACCEPT, start, ticket.accept_due_at, is_real)
    if ticket.action_due_at is not None and ticket.acted_at is None:
        yield Running(Clock.ACTION, start, ticket.action_due_at, is_real)
    if ticket.due_at is not None and ticket.is_open:
        yield Running(Clock.ANSWER, start, ticket.due_at)
        if ticket.promised_at is not None and ticket.promised_at > ticket.due_at:
            yield Running(Clock.PROMISE, ticket.due_at, ticket.promised_at)


def speak_up(runtime: Runtime) -> int:
    """Let every clock whose moment has come be heard; gives how many tickets were looked at."""
    now = runtime.now()
    due = (Ticket.next_notice_at.is_not(None), Ticket.next_notice_at <= now)
    with runtime.database.reading() as session:
        if session.scalar(sa.select(Ticket.id).where(*due).limit(1)) is None:
            return 0
    with runtime.database.transaction() as session:
        query = sa.select(Ticket).where(*due).order_by(Ticket.next_notice_at).limit(AT_ONCE)
        tickets = list(session.scalars(query.with_for_update(skip_locked=True)))
        books: dict[int, CommuneBook] = {}
        for ticket in tickets:
            if ticket.commune_id not in books:
                books[ticket.commune_id] = commune_book(session, ticket.commune_id)
            _hear(session, runtime, ticket, books[ticket.commune_id], now)
    runtime.nudge(REPLIES)
    return len(tickets)


def _hear(session: Session, runtime: Runtime, ticket: Ticket, book: CommuneBook, now: datetime) -> None:
    calendar = calendar_of(book)
    if ticket.is_open and not ticket.is_spam and not ticket.is_sealed:
        for notice in due_notices(running(ticket), calendar, _heard(ticket), ticket.paused_at or now):
            _call(session, ticket, notice, now)
        if ticket.paused_until is not None and ticket.paused_until <= now:
            _close_unanswered(session, runtime, ticket, book, now)
    ticket.noticed_at = now
    plan(ticket, calendar)


def _call(session: Session, ticket: Ticket, notice: Notice, now: datetime) -> None:
    base = f"clock:{ticket.id}:{notice.clock.value}:{int(notice.due.timestamp())}"
    session.execute(
        sa.update(Alert)
        .where(Alert.ticket_id == ticket.id, Alert.key.like(f"{base}:%"), Alert.seen_at.is_(None))
        .values(seen_at=now)  # the next level says it louder
    )
    is_new = raise_alert(
        session,
        ticket.commune_id,
        AlertKind.DEADLINE,
        f"{base}:{notice.level.value}",
        now,
        ticket_id=ticket.id,
        audience=AUDIENCE[notice.level],
        clock=notice.clock.value,
        level=notice.level.value,
        due=notice.due.isoformat(),
    )
    if is_new:
        wake(session, ticket, now, "clock")
        log.info("clock.called", ticket_id=ticket.id, clock=notice.clock.value, level=notice.level.value)


def _close_unanswered(session: Session, runtime: Runtime, ticket: Ticket, book: CommuneBook, now: datetime) -> None:
    """The citizen was asked and said nothing for so long: close it politely; a word of theirs opens it again."""
    if joined_to(session, ticket.id):  # others have nothing to do with that silence
        source, ticket.state = ticket.state, TicketState.RECEIVED
        ticket.is_touched = True
        ticket.version += 1
        moved(ticket, source, ticket.state, book, now)
        data = {"from": source.value, "to": ticket.state.value, "by": "clock"}
        session.add(_event_of(ticket, data, now))
        return
    source, ticket.state = ticket.state, TicketState.CLOSED
    ticket.is_open, ticket.closed_at, ticket.is_touched = False, now, True
    ticket.version += 1
    ticket.paused_at = ticket.paused_until = None
    data = {"from": source.value, "to": TicketState.CLOSED.value, "by": "clock"}
    session.add(_event_of(ticket, data, now))
    session.flush()
    conversation = session.get_one(Conversation, ticket.conversation_id)
    person = Citizen(
        session.get_one(Contact, conversation.contact_id), session.get_one(Urn, conversation.urn_id), conversation
    )
    stage = Stage(runtime, session, session.get_one(Channel, conversation.channel_id), book, now)
    tell(stage, person, f"unanswered:{ticket.id}:{ticket.version}", "closed_unanswered", ticket=ticket)


def _event_of(ticket: Ticket, data: dict[str, str], now: datetime) -> TicketEvent:
    return TicketEvent(
        commune_id=ticket.commune_id, ticket_id=ticket.id, kind=EventKind.STATE_CHANGED, at=now, data=data
    )


def _resume(ticket: Ticket, now: datetime, calendar: Calendar) -> None:
    paused_at = ticket.paused_at or now
    for name in ("accept_due_at", "action_due_at", "due_at"):
        due = getattr(ticket, name)
        if due is not None and due > paused_at:
            setattr(ticket, name, shifted(due, paused_at, now, calendar))
    ticket.paused_at = ticket.paused_until = None


def _heard(ticket: Ticket) -> datetime:
    """Up to when the clocks of a ticket have been heard."""
    return ticket.noticed_at or ticket.opened_at.replace(microsecond=0)
