"""Working time: when an answer is due, and how much of it is left, in minutes people really work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import count, islice
from zoneinfo import ZoneInfo

Shifts = tuple[tuple[time, time], ...]

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
MAX_DAYS_AHEAD = 400


@dataclass(frozen=True)
class WorkingHours:
    """Shifts of a working day in local time, and the weekdays worked (Monday is 0).

    `special`: weekdays with shifts of their own, such as a Saturday on which only the morning is worked.
    """

    shifts: Shifts = ((time(7, 30), time(11, 30)), (time(13, 30), time(17, 0)))
    weekdays: frozenset[int] = frozenset({0, 1, 2, 3, 4})
    special: tuple[tuple[int, Shifts], ...] = ()

    def shifts_on(self, weekday: int) -> Shifts:
        """The shifts of a weekday, when it is worked."""
        return dict(self.special).get(weekday, self.shifts)

    @property
    def minutes_a_day(self) -> int:
        """Working minutes of a full day."""
        return sum(_minutes(end) - _minutes(start) for start, end in self.shifts)


# Working days until an answer with a result is due (domain §6); S0 needs a status within one day.
ANSWER_DAYS: dict[str, int] = {"S0": 1, "S1": 1, "S2": 3, "S3": 5, "S4": 10}


# Within which requests about personal data must be answered (Law 91/2025, domain §12 L3).
DATA_REQUEST_DAYS = 2


def due_at(start: datetime, sla: str, hours: WorkingHours, holidays: Mapping[date, bool]) -> datetime:
    """When the answer is due. `holidays`: day → True if it is worked although it is a weekend, else a day off."""
    return due_in_days(start, ANSWER_DAYS.get(sla, 5), hours, holidays)


def due_in_days(start: datetime, days: int, hours: WorkingHours, holidays: Mapping[date, bool]) -> datetime:
    """When this many working days have passed since `start`."""
    return add_minutes(start, days * hours.minutes_a_day, hours, holidays)


def add_minutes(start: datetime, minutes: int, hours: WorkingHours, holidays: Mapping[date, bool]) -> datetime:
    """The moment when this many working minutes have passed since `start`."""
    local = start.astimezone(VIETNAM)
    left = timedelta(minutes=minutes)
    for day in islice(_days_from(local.date()), MAX_DAYS_AHEAD):
        for opens, ends in _shifts_on(day, hours, holidays):
            begins = max(opens, local)
            if begins >= ends:
                continue
            if left <= ends - begins:
                return (begins + left).astimezone(UTC)
            left -= ends - begins
    raise ValueError("no working time within a year: check the working hours and holidays")


def minutes_between(start: datetime, end: datetime, hours: WorkingHours, holidays: Mapping[date, bool]) -> int:
    """Working minutes from start to end; negative when the end is before the start."""
    if end < start:
        return -minutes_between(end, start, hours, holidays)
    first, last = start.astimezone(VIETNAM), end.astimezone(VIETNAM)
    # What lies between the first day and the last is counted by weeks: a list tells of tickets a year overdue.
    total = timedelta(minutes=_minutes_of_days(first.date() + timedelta(days=1), last.date(), hours, holidays))
    for day in {first.date(), last.date()}:
        for begins, ends in _shifts_on(day, hours, holidays):
            total += max(timedelta(), min(ends, last) - max(begins, first))
    return int(total.total_seconds() // 60)


def _minutes_of_days(begin: date, end: date, hours: WorkingHours, holidays: Mapping[date, bool]) -> int:
    """Working minutes of whole days, the last one left out."""
    days = (end - begin).days
    if days <= 0:
        return 0
    worked = _minutes_by_weekday(hours)
    usual = [minutes if weekday in hours.weekdays else 0 for weekday, minutes in enumerate(worked)]
    weeks, rest = divmod(days, 7)
    total = weeks * sum(usual) + sum(usual[(begin.weekday() + n) % 7] for n in range(rest))
    for day, is_worked in holidays.items():
        if begin <= day < end:
            total += (worked[day.weekday()] if is_worked else 0) - usual[day.weekday()]
    return total


@lru_cache(maxsize=256)
def _minutes_by_weekday(hours: WorkingHours) -> list[int]:
    return [sum(_minutes(end) - _minutes(start) for start, end in hours.shifts_on(weekday)) for weekday in range(7)]


def is_working_time(moment: datetime, hours: WorkingHours, holidays: Mapping[date, bool]) -> bool:
    """Whether the office is open at this moment."""
    local = moment.astimezone(VIETNAM)
    return any(begins <= local < ends for begins, ends in _shifts_on(local.date(), hours, holidays))


def next_opening(moment: datetime, hours: WorkingHours, holidays: Mapping[date, bool]) -> datetime:
    """The next moment the office opens, or this one when it is open."""
    return add_minutes(moment, 0, hours, holidays)


def _days_from(day: date) -> Iterator[date]:
    return (day + timedelta(days=n) for n in count())


def _shifts_on(day: date, hours: WorkingHours, holidays: Mapping[date, bool]) -> list[tuple[datetime, datetime]]:
    works = holidays.get(day, day.weekday() in hours.weekdays)
    if not works:
        return []
    return [
        (datetime.combine(day, begins, VIETNAM), datetime.combine(day, ends, VIETNAM))
        for begins, ends in hours.shifts_on(day.weekday())
    ]


def _minutes(moment: time) -> int:
    return moment.hour * 60 + moment.minute
