"""Snoozing: a report leaves the lists of what is to be done until a moment, for everybody; much wakes it earlier."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from bot.access import roles_on
from bot.rules.clocks import Calendar
from bot.rules.lifecycle import NotAllowed
from bot.rules.snoozing import (
    LONGEST_REASON,
    Standing,
    Until,
    check,
    latest_moment,
    moment_of,
)
from bot.runtime import Runtime
from bot.usecases.clocks import calendar_of, running
from bot.usecases.desk import at_desk
from storage.enums import EventKind
from storage.officials import Official
from storage.tickets import Ticket


@dataclass(frozen=True)
class Snoozed:
    """Until when, and the warning of a deadline that will call it back before, if one will."""

    until: datetime
    sooner: datetime | None


def snooze(
    runtime: Runtime,
    official: Official,
    ticket_id: int,
    *,
    version: int,
    until: str | datetime,
    day: date | None = None,
    reason: str = "",
) -> Snoozed:
    """Put a report aside until a moment, or one of those that are offered. Raises NotAllowed, Changed."""
    reason = " ".join(reason.split())
    if len(reason) > LONGEST_REASON:
        raise NotAllowed("too_long", "Lý do dài hơn %(most)s ký tự. Anh/Chị vui lòng rút ngắn.", most=LONGEST_REASON)
    with at_desk(runtime, official, ticket_id, version) as desk:
        ticket, calendar = desk.ticket, calendar_of(desk.book)
        moment = until if isinstance(until, datetime) else _moment(until, day, desk.now, calendar)
        ticket.snoozed_until = check(standing(official, ticket, calendar, desk.now), moment, desk.now)
        desk.event(EventKind.SNOOZED, {"until": ticket.snoozed_until.isoformat()}, reason or None)
        notice = ticket.next_notice_at
        is_sooner = notice is not None and notice < ticket.snoozed_until
        return Snoozed(ticket.snoozed_until, notice if is_sooner else None)


def _moment(until: str, day: date | None, now: datetime, calendar: Calendar) -> datetime | None:
    wanted = Until(until) if until in {one.value for one in Until} else Until.DATE
    return moment_of(wanted, day, now, calendar)


def unsnooze(runtime: Runtime, official: Official, ticket_id: int, *, version: int) -> None:
    """Take it back into the lists now."""
    with at_desk(runtime, official, ticket_id, version) as desk:
        if desk.ticket.snoozed_until is None:
            raise NotAllowed("awake", "Phản ánh này không còn hẹn xem lại; nó đang ở trong danh sách việc.")
        desk.ticket.snoozed_until = None
        desk.event(EventKind.WOKEN)


def standing(official: Official, ticket: Ticket, calendar: Calendar, now: datetime) -> Standing:
    """What the rule needs to know of a ticket."""
    return Standing(
        state=ticket.state,
        urgency=ticket.urgency,
        roles=roles_on(official, ticket),
        latest=latest_moment(running(ticket), calendar, now),
        is_sealed=ticket.is_sealed,
        is_spam=ticket.is_spam,
    )
