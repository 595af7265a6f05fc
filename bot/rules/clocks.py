"""The three clocks of a ticket: taken in, first action, answer; when each must speak up before and after it slips.

All minutes are working minutes, but for what is in danger: that runs day and night (domain §6).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from bot.rules.deadlines import ANSWER_DAYS, WorkingHours, add_minutes, due_in_days, minutes_between

EMERGENCY = "S0"
LONGEST_PAUSE_DAYS = 5
LONGEST_EXTENSION_DAYS = 10
_NEAR = 0.75


class Clock(StrEnum):
    """What is promised: to take it in, to do something, to answer; and what was promised after an answer was late."""

    ACCEPT = "accept"
    ACTION = "action"
    ANSWER = "answer"
    PROMISE = "promise"


class Level(StrEnum):
    """How far a clock is: three quarters, all of it, a working day more."""

    NEAR = "near"
    DUE = "due"
    LATE = "late"


LEVELS = tuple(Level)


@dataclass(frozen=True)
class Calendar:
    """When a commune works."""

    hours: WorkingHours = field(default_factory=WorkingHours)
    holidays: Mapping[date, bool] = field(default_factory=dict)

    def plus(self, start: datetime, minutes: int) -> datetime:
        """So many working minutes later."""
        return add_minutes(start, minutes, self.hours, self.holidays)

    def plus_days(self, start: datetime, days: int) -> datetime:
        """So many working days later."""
        return due_in_days(start, days, self.hours, self.holidays)

    def between(self, start: datetime, end: datetime) -> int:
        """Working minutes between two moments."""
        return minutes_between(start, end, self.hours, self.holidays)


@dataclass(frozen=True)
class Deadlines:
    """Until when a report must be taken in, something be done, and an answer be given."""

    accept: datetime
    action: datetime
    answer: datetime


# Working minutes to take in and to act; of a day: as many as the commune works in one.
_ACCEPT_MINUTES = {"S1": 60, "S2": 240, "S3": 480, "S4": 480}
_ACTION_MINUTES, _ACTION_DAYS = {"S1": 240}, {"S2": 1, "S3": 2, "S4": 3}
_EMERGENCY_MINUTES = 15


def deadlines(start: datetime, sla: str, calendar: Calendar, *, answer_days: int | None = None) -> Deadlines:
    """The deadlines of a report that came at `start`. `answer_days`: where the law sets another one."""
    answer = calendar.plus_days(start, answer_days or ANSWER_DAYS.get(sla, ANSWER_DAYS["S3"]))
    if sla == EMERGENCY:
        soon = start + timedelta(minutes=_EMERGENCY_MINUTES)
        return Deadlines(soon, soon, answer)
    accept = calendar.plus(start, _ACCEPT_MINUTES.get(sla, _ACCEPT_MINUTES["S3"]))
    if sla in _ACTION_MINUTES:
        return Deadlines(accept, calendar.plus(start, _ACTION_MINUTES[sla]), answer)
    return Deadlines(accept, calendar.plus_days(start, _ACTION_DAYS.get(sla, _ACTION_DAYS["S3"])), answer)


@dataclass(frozen=True)
class Running:
    """A clock that still runs: since when, until when; `is_real`: day and night."""

    clock: Clock
    start: datetime
    due: datetime
    is_real: bool = False


@dataclass(frozen=True)
class Notice:
    """Somebody must hear of a clock, from this moment on."""

    clock: Clock
    level: Level
    at: datetime
    due: datetime


def notices(running: Running, calendar: Calendar) -> Iterator[Notice]:
    """When a clock must speak up, in order."""
    start, due = running.start, running.due
    if running.is_real:
        near, late = start + (due - start) * _NEAR, due + timedelta(hours=1)
    else:
        near = calendar.plus(start, int(calendar.between(start, due) * _NEAR))
        late = calendar.plus_days(due, 1)
    for level, at in zip(LEVELS, (min(near, due), due, late), strict=True):
        yield Notice(running.clock, level, at, due)


def due_notices(clocks: Iterator[Running], calendar: Calendar, after: datetime, now: datetime) -> list[Notice]:
    """What must be said now of clocks last looked at `after`: of each the latest level that was reached."""
    found: dict[Clock, Notice] = {}
    for running in clocks:
        for notice in notices(running, calendar):
            if after < notice.at <= now:
                found[running.clock] = notice
    return list(found.values())


def next_notice(clocks: Iterator[Running], calendar: Calendar, after: datetime) -> datetime | None:
    """When the next of these clocks must speak up; None when nothing is left to say."""
    return min((n.at for running in clocks for n in notices(running, calendar) if n.at > after), default=None)


def shifted(due: datetime, paused_at: datetime, resumed_at: datetime, calendar: Calendar) -> datetime:
    """A deadline after a pause: as many working minutes later as the pause was long.

    One that was not over when the pause began is not over when it ends, either, however short the rest of it was.
    """
    later = calendar.plus(due, max(0, calendar.between(paused_at, resumed_at)))
    if paused_at < due and later <= resumed_at:
        return calendar.plus(resumed_at, max(1, calendar.between(paused_at, due)))
    return later
