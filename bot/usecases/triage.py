"""Triage: how urgent a report is and whether it is one at all; what an official says here stands."""

from __future__ import annotations

import sqlalchemy as sa

from bot.access import audit
from bot.rules.lifecycle import NotAllowed
from bot.runtime import Runtime
from bot.usecases.clocks import calendar_of, plan
from bot.usecases.corrections import NO_SPAM, SPAM, record
from bot.usecases.desk import Desk, at_desk
from bot.usecases.incidents import let_go
from bot.usecases.tickets import must_direct, set_deadline
from bot.usecases.waking import wake
from storage.deliveries import Delivery
from storage.enums import CorrectionKind, DeliveryState, EventKind, TicketState, Urgency
from storage.messages import Message
from storage.officials import Official
from storage.tickets import Ticket, TicketEvent

# What was answered, or waits for a leader's word, is no spam any more.
_MAY_BE_SPAM = frozenset(
    {
        TicketState.NEW,
        TicketState.RECEIVED,
        TicketState.WAITING_CITIZEN,
        TicketState.ASSIGNED,
        TicketState.IN_PROGRESS,
        TicketState.REOPENED,
    }
)


def set_urgency(runtime: Runtime, official: Official, ticket_id: int, *, version: int, urgency: str) -> None:
    """Confirm or correct how urgent it is; the deadline follows, and only later messages may raise it again."""
    if urgency not in {one.value for one in Urgency}:
        raise NotAllowed("no_such_urgency", "Không có mức khẩn này. Anh/Chị vui lòng chọn trong danh sách.")
    with at_desk(runtime, official, ticket_id, version) as desk:
        must_direct(desk)
        ticket, before = desk.ticket, desk.ticket.urgency
        is_news = ticket.urgency_set_at is None or before.value != urgency
        ticket.urgency, ticket.urgency_set_at = Urgency(urgency), desk.now
        if before.value != urgency and not ticket.is_sealed:
            set_deadline(desk)
        if ticket.urgency is not Urgency.NORMAL:
            wake(desk.session, ticket, desk.now, "urgency")
        if is_news:
            record(desk, CorrectionKind.URGENCY, before.value, urgency)
        desk.event(EventKind.URGENCY_CHANGED, {"from": before.value, "to": urgency})


def may_be_spam(ticket: Ticket) -> bool:
    """Whether a ticket may be put aside as spam now."""
    return not ticket.is_spam and not ticket.is_sealed and ticket.state in _MAY_BE_SPAM


def mark_spam(runtime: Runtime, official: Official, ticket_id: int, *, version: int) -> None:
    """Put a ticket aside: closed without a word to its sender, never deleted."""
    with at_desk(runtime, official, ticket_id, version) as desk:
        must_direct(desk)
        ticket = desk.ticket
        if not may_be_spam(ticket):
            raise NotAllowed(
                "no_spam", "Phản ánh đã có kết quả, đang niêm phong hoặc đã kết thúc nên không chuyển vào tin rác được."
            )
        record(desk, CorrectionKind.SPAM, NO_SPAM, SPAM)
        desk.event(EventKind.MARKED_SPAM, {"from": ticket.state.value})
        let_go(desk.session, ticket, desk.book, desk.now, official.id)
        ticket.is_spam, ticket.state, ticket.is_open, ticket.closed_at = True, TicketState.CLOSED, False, desk.now
        ticket.snoozed_until = None
        _say_nothing_more(desk)
        audit(desk.session, official, "ticket.marked_spam", f"ticket:{ticket_id}", desk.now)


def may_be_restored(ticket: Ticket) -> bool:
    """Whether a ticket may come back out of spam: nothing is left of one whose sender had their data erased."""
    return ticket.is_spam and ticket.state is not TicketState.WITHDRAWN


def restore(runtime: Runtime, official: Official, ticket_id: int, *, version: int) -> None:
    """Take a ticket back out of spam, to where it stood."""
    with at_desk(runtime, official, ticket_id, version) as desk:
        must_direct(desk)
        ticket = desk.ticket
        if not ticket.is_spam:
            raise NotAllowed("not_spam", "Phản ánh này không nằm trong tin rác.")
        if not may_be_restored(ticket):
            raise NotAllowed("erased", "Người dân đã rút dữ liệu nên phản ánh không còn nội dung để khôi phục.")
        state = _stood(desk)
        record(desk, CorrectionKind.SPAM, SPAM, NO_SPAM)
        ticket.is_spam, ticket.state, ticket.is_open, ticket.closed_at = False, state, state.is_open, None
        ticket.compare_at = desk.now
        plan(ticket, calendar_of(desk.book))
        desk.event(EventKind.RESTORED, {"to": state.value})
        audit(desk.session, official, "ticket.restored", f"ticket:{ticket_id}", desk.now)


def _stood(desk: Desk) -> TicketState:
    """The state a ticket had when it was put aside."""
    query = (
        sa.select(TicketEvent.data)
        .where(TicketEvent.ticket_id == desk.ticket.id, TicketEvent.kind == EventKind.MARKED_SPAM)
        .order_by(TicketEvent.id.desc())
        .limit(1)
    )
    data = desk.session.scalar(query) or {}
    return TicketState(data.get("from", TicketState.NEW.value))


def _say_nothing_more(desk: Desk) -> None:
    mine = sa.select(Message.id).where(Message.ticket_id == desk.ticket.id)
    desk.session.execute(
        sa.update(Delivery)
        .where(Delivery.message_id.in_(mine), Delivery.state == DeliveryState.WAITING)
        .values(state=DeliveryState.CANCELLED, code="spam", reason="Phản ánh đã chuyển vào tin rác.")
    )
