"""Snoozing: until when a report may leave the lists of what is to be done, and what never may.

The clocks go on meanwhile and call it back before a promise slips; so does whatever the citizen says.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from bot.rules.clocks import Calendar, Clock, Running, notices
from bot.rules.deadlines import VIETNAM, is_working_time, next_opening
from bot.rules.lifecycle import DESK, WORKERS, NotAllowed
from storage.enums import Role, TicketState, Urgency

LONGEST_REASON = 300
LONGEST_DAYS = 60
_LOUD = frozenset({Urgency.EMERGENCY, Urgency.URGENT})
_OF_THE_DESK = frozenset({TicketState.NEW, TicketState.RECEIVED})


class Until(StrEnum):
    """Until when, in an official's words."""

    AFTERNOON = "afternoon"
    TOMORROW = "tomorrow"
    MONDAY = "monday"
    DATE = "date"


@dataclass(frozen=True)
class Choice:
    """A moment that is offered. `is_next_day`: it is really tomorrow, not the next day that is worked."""

    until: Until
    at: datetime
    is_next_day: bool = False


@dataclass(frozen=True)
class Standing:
    """What the rule needs to know of a ticket; `latest`: see `latest_moment`."""

    state: TicketState
    urgency: Urgency
    roles: Set[Role]
    latest: datetime | None
    is_sealed: bool = False
    is_spam: bool = False


def choices(now: datetime, calendar: Calendar, latest: datetime | None) -> list[Choice]:
    """The moments worth offering: each before the deadline, none twice."""
    found: list[Choice] = []
    for until in (Until.AFTERNOON, Until.TOMORROW, Until.MONDAY):
        at = moment_of(until, None, now, calendar)
        if at is None or (latest is not None and at >= latest) or at in {one.at for one in found}:
            continue
        found.append(Choice(until, at, at.astimezone(VIETNAM).date() == _tomorrow(now)))
    return found


def moment_of(until: Until, day: date | None, now: datetime, calendar: Calendar) -> datetime | None:
    """The moment that is meant: always one at which the office opens. None where there is none."""
    today = now.astimezone(VIETNAM).date()
    if until is Until.AFTERNOON:
        return _afternoon(today, now, calendar)
    if until is Until.TOMORROW:
        return _opening(_tomorrow(now), calendar)
    if until is Until.MONDAY:
        return _opening(today + timedelta(days=7 - today.weekday()), calendar)
    return _opening(day, calendar) if day is not None and day <= today + timedelta(days=LONGEST_DAYS) else None


def latest_moment(clocks: Iterable[Running], calendar: Calendar, now: datetime) -> datetime | None:
    """Before when it must be back: the answer's deadline, and any that nothing will warn of any more."""
    return min((one.due for one in clocks if one.clock is Clock.ANSWER or _is_warned(one, calendar, now)), default=None)


def check(standing: Standing, until: datetime | None, now: datetime) -> datetime:
    """The moment, if the ticket may be snoozed until then; NotAllowed says why not and what to do."""
    _must_be_able(standing)
    if standing.latest is not None and standing.latest <= now:
        raise NotAllowed("late", "Phản ánh đã quá hạn nên không hẹn lại được. Anh/Chị vui lòng xử lý ngay.")
    if until is None:
        raise NotAllowed("no_moment", "Cần chọn lúc xem lại: một ngày từ mai đến %(most)s ngày tới.", most=LONGEST_DAYS)
    if until <= now:
        raise NotAllowed("past", "Lúc hẹn phải ở phía trước. Anh/Chị vui lòng chọn lúc khác.")
    if standing.latest is not None and until >= standing.latest:
        raise NotAllowed(
            "past_deadline",
            "Không hẹn quá hạn được: hạn gần nhất là %(due)s. Anh/Chị vui lòng chọn lúc sớm hơn.",
            due=standing.latest.astimezone(VIETNAM).strftime("%H:%M %d/%m/%Y"),
        )
    return until


def may_snooze(standing: Standing, now: datetime) -> bool:
    """Whether there is any moment until which the ticket may be snoozed."""
    try:
        _must_be_able(standing)
    except NotAllowed:
        return False
    return standing.latest is None or standing.latest > now


def _must_be_able(standing: Standing) -> None:
    if standing.is_spam or not standing.state.is_open:
        raise NotAllowed("ended", "Phản ánh đã kết thúc hoặc là tin rác nên không cần hẹn xem lại.")
    if standing.is_sealed:
        raise NotAllowed("sealed", "Phản ánh đang niêm phong không hẹn lại được: không có hạn nào nhắc.")
    if standing.urgency in _LOUD:
        raise NotAllowed("urgent", "Phản ánh khẩn không hẹn lại được. Anh/Chị xử lý ngay, hoặc sửa mức khẩn nếu sai.")
    if not standing.roles & (DESK if standing.state in _OF_THE_DESK else WORKERS):
        raise NotAllowed("not_yours", "Tài khoản của Anh/Chị không được phép thực hiện bước này.")


def _is_warned(running: Running, calendar: Calendar, now: datetime) -> bool:
    """Whether its first warning is over, so that the next thing heard would be that it is late."""
    return next(iter(notices(running, calendar))).at <= now


def _tomorrow(now: datetime) -> date:
    return now.astimezone(VIETNAM).date() + timedelta(days=1)


def _afternoon(today: date, now: datetime, calendar: Calendar) -> datetime | None:
    shifts = calendar.hours.shifts
    begins = datetime.combine(today, shifts[-1][0], VIETNAM).astimezone(UTC)
    is_worked = is_working_time(begins, calendar.hours, calendar.holidays)
    return begins if len(shifts) > 1 and is_worked and now < begins else None


def _opening(day: date, calendar: Calendar) -> datetime:
    return next_opening(datetime.combine(day, time(0), VIETNAM), calendar.hours, calendar.holidays)
