"""Extending: more time, once, with a reason the citizen reads and a leader's word; and an apology when it is late."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from bot.access import may_reply
from bot.queue import REPLIES
from bot.rules.clocks import LONGEST_EXTENSION_DAYS
from bot.rules.deadlines import VIETNAM
from bot.rules.lifecycle import LONGEST_WORDS, SHORTEST_REASON, NotAllowed
from bot.runtime import Runtime
from bot.usecases.answered import tell_joined
from bot.usecases.clocks import calendar_of, plan
from bot.usecases.desk import Desk, at_desk
from storage.alerts import raise_alert
from storage.enums import AlertKind, EventKind, Role
from storage.officials import Official
from storage.tickets import Ticket

ASKED, GRANTED, REFUSED = "asked", "granted", "refused"
FURTHEST_PROMISE = timedelta(days=60)


def may_ask(official: Official, ticket: Ticket, now: datetime) -> bool:
    """Whether more time may be asked for: once, before it is late, while somebody works on it."""
    return (
        ticket.is_open
        and not ticket.is_sealed
        and ticket.extension is None
        and ticket.due_at is not None
        and now < ticket.due_at
        and may_reply(official, ticket)
    )


def may_decide(official: Official, ticket: Ticket) -> bool:
    """Whether the official says yes or no to what a colleague asked."""
    asked = ticket.extension if ticket.extension and ticket.extension.get("state") == ASKED else None
    return asked is not None and ticket.is_open and official.has(Role.LEADER) and asked.get("by") != official.id


def may_apologise(official: Official, ticket: Ticket, now: datetime) -> bool:
    """Whether the citizen is owed an apology with a new day."""
    return (
        ticket.is_open
        and not ticket.is_sealed
        and ticket.due_at is not None
        and ticket.due_at < now
        and may_reply(official, ticket)
    )


def ask(runtime: Runtime, official: Official, ticket_id: int, *, version: int, days: int, reason: str) -> bool:
    """Ask for so many working days more; a leader needs nobody else. True when it was granted at once."""
    reason = _reason(reason)
    if not 1 <= days <= LONGEST_EXTENSION_DAYS:
        raise NotAllowed("days", "Chỉ gia hạn được từ 1 đến %(most)s ngày làm việc.", most=LONGEST_EXTENSION_DAYS)
    with at_desk(runtime, official, ticket_id, version) as desk:
        if not may_ask(official, desk.ticket, desk.now):
            raise NotAllowed(
                "not_extendable", "Phản ánh này không gia hạn được: đã gia hạn một lần, đã quá hạn hoặc đã kết thúc."
            )
        desk.ticket.extension = {"days": days, "reason": reason, "by": official.id, "state": ASKED}
        desk.event(EventKind.EXTENSION_ASKED, {"days": days}, reason)
        if official.has(Role.LEADER):
            _grant(desk)
            is_granted = True
        else:
            is_granted = False
            raise_alert(
                desk.session,
                desk.ticket.commune_id,
                AlertKind.EXTENSION,
                f"extension:{ticket_id}:{desk.ticket.version}",
                desk.now,
                ticket_id=ticket_id,
                audience="leaders",
                days=days,
            )
    runtime.nudge(REPLIES)
    return is_granted


def decide(runtime: Runtime, official: Official, ticket_id: int, *, version: int, is_granted: bool) -> None:
    """A leader says yes or no; the citizen hears of a yes, with the reason and the new day."""
    with at_desk(runtime, official, ticket_id, version) as desk:
        if not may_decide(official, desk.ticket):
            raise NotAllowed("nothing_to_decide", "Không có đề nghị gia hạn nào chờ Anh/Chị quyết định.")
        if is_granted:
            _grant(desk)
        else:
            desk.ticket.extension = {**(desk.ticket.extension or {}), "state": REFUSED}
            desk.event(EventKind.EXTENSION_REFUSED)
    runtime.nudge(REPLIES)


def apologise(
    runtime: Runtime, official: Official, ticket_id: int, *, version: int, reason: str, by_date: date | None
) -> None:
    """Tell the citizen that it is late, why, and by which day it will be answered; the breach stays a breach."""
    reason = _reason(reason)
    with at_desk(runtime, official, ticket_id, version) as desk:
        ticket = desk.ticket
        if not may_apologise(official, ticket, desk.now):
            raise NotAllowed("not_late", "Phản ánh này chưa quá hạn hoặc đã kết thúc.")
        today = desk.now.astimezone(VIETNAM).date()
        if by_date is None or not today < by_date <= today + FURTHEST_PROMISE:
            raise NotAllowed("needs_date", "Cần ghi ngày trả lời mới, sau hôm nay và trong vòng 60 ngày.")
        ticket.promised_at = datetime.combine(by_date, time(17), VIETNAM)
        plan(ticket, calendar_of(desk.book))
        promise = {
            "lydo": reason,
            "donvi": desk.agency.name if desk.agency else desk.book.name,
            "han": f"{by_date:%d/%m/%Y}",
        }
        text = desk.say("overdue", **promise)
        desk.owe(desk.write(text.words, template=text.key))
        tell_joined(desk, "overdue", promise)
        desk.event(EventKind.APOLOGISED, {"by_date": by_date.isoformat()}, reason)
    runtime.nudge(REPLIES)


def _grant(desk: Desk) -> None:
    ticket = desk.ticket
    asked = {**(ticket.extension or {}), "state": GRANTED}
    before = ticket.due_at
    ticket.extension = asked
    if before is not None:
        ticket.due_at = calendar_of(desk.book).plus_days(before, int(asked["days"]))
    plan(ticket, calendar_of(desk.book))
    due = ticket.due_at or desk.now
    text = desk.say("extended", lydo=str(asked["reason"]), han=desk.voice.moment(due))
    desk.owe(desk.write(text.words, template=text.key))
    tell_joined(desk, "extended", {"lydo": str(asked["reason"]), "han": lambda voice: voice.moment(due)})
    data = {"days": asked["days"], "due": ticket.due_at.isoformat() if ticket.due_at else None}
    desk.event(EventKind.EXTENDED, data)


def _reason(words: str) -> str:
    reason = " ".join(words.split())
    if not SHORTEST_REASON <= len(reason) <= LONGEST_WORDS:
        raise NotAllowed(
            "needs_reason", "Cần nêu lý do từ %(least)s đến %(most)s ký tự.", least=SHORTEST_REASON, most=LONGEST_WORDS
        )
    return reason
