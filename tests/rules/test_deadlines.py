"""When an answer is due, in minutes people really work."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.rules.deadlines import (
    ANSWER_DAYS,
    VIETNAM,
    WorkingHours,
    add_minutes,
    due_at,
    is_working_time,
    minutes_between,
    next_opening,
)

USUAL = WorkingHours()
DAY = USUAL.minutes_a_day
SATURDAY_MORNING = WorkingHours(weekdays=frozenset({0, 1, 2, 3, 4, 5}))
WITHOUT_LUNCH = WorkingHours(shifts=((time(8, 0), time(16, 0)),))
# Tết Bính Ngọ as a commune might write it down: Monday 16 to Friday 20 February 2026 off,
# Saturday the 14th worked instead; Hùng Kings' day falls on a Sunday, so Monday 27 April is off.
HOLIDAYS = {date(2026, 2, n): False for n in range(16, 21)} | {
    date(2026, 2, 14): True,
    date(2026, 4, 27): False,
    date(2026, 4, 30): False,
    date(2026, 5, 1): False,
    date(2026, 1, 1): False,
    date(2027, 1, 1): False,
}


def local(text: str) -> datetime:
    """A moment written as people here write it: "07/10 08:00", in 2026 unless it says otherwise."""
    day, hour = text.split()
    if day.count("/") == 1:
        day += "/2026"
    return datetime.strptime(f"{day} {hour}", "%d/%m/%Y %H:%M").replace(tzinfo=VIETNAM)


@pytest.mark.parametrize(
    ("label", "start", "minutes", "due"),
    [
        ("inside the morning", "07/10 08:00", 60, "07/10 09:00"),
        ("up to the lunch break", "07/10 08:00", 210, "07/10 11:30"),
        ("over the lunch break", "07/10 11:00", 60, "07/10 14:00"),
        ("begun exactly at lunch", "07/10 11:30", 30, "07/10 14:00"),
        ("begun during lunch", "07/10 12:15", 30, "07/10 14:00"),
        ("begun as the afternoon opens", "07/10 13:30", 30, "07/10 14:00"),
        ("before the office opens", "07/10 05:00", 30, "07/10 08:00"),
        ("exactly as it opens", "07/10 07:30", 30, "07/10 08:00"),
        ("after hours", "07/10 20:00", 30, "08/10 08:00"),
        ("exactly at 17:00", "07/10 17:00", 30, "08/10 08:00"),
        ("one minute before 17:00", "07/10 16:59", 2, "08/10 07:31"),
        ("a full day fills the day", "07/10 07:30", DAY, "07/10 17:00"),
        ("a day from the middle of the morning", "07/10 09:30", DAY, "08/10 09:30"),
        ("a day from the middle of lunch", "07/10 12:00", DAY, "08/10 11:30"),
        ("a day from Friday afternoon", "09/10 15:00", DAY, "12/10 15:00"),
        ("Friday at 17:00", "09/10 17:00", 30, "12/10 08:00"),
        ("Friday night", "09/10 22:00", DAY, "12/10 17:00"),
        ("Saturday", "10/10 09:00", 30, "12/10 08:00"),
        ("Sunday", "11/10 23:59", 30, "12/10 08:00"),
        ("midnight", "07/10 00:00", 1, "07/10 07:31"),
        ("two weeks", "05/10 07:30", 10 * DAY, "16/10 17:00"),
        ("into Tết", "13/02 16:30", 60, "14/02 08:00"),
        ("over the whole of Tết", "14/02 16:30", 60, "23/02 08:00"),
        ("begun on the first day of Tết", "17/02 09:00", 60, "23/02 08:30"),
        ("a worked Saturday counts", "14/02 08:00", 60, "14/02 09:00"),
        ("the Sunday after it does not", "15/02 08:00", 60, "23/02 08:30"),
        ("a week before Tết, five days", "11/02 09:30", 5 * DAY, "24/02 09:30"),
        ("a holiday made up for on Monday", "24/04 16:30", 60, "28/04 08:00"),
        ("the long weekend of 30 April", "29/04 16:00", 120, "04/05 08:30"),
        ("over New Year", "31/12 16:30", 60, "04/01/2027 08:00"),
        ("over the end of February", "27/02 16:30", 60, "02/03 08:00"),
        ("no minutes inside hours", "07/10 10:00", 0, "07/10 10:00"),
        ("no minutes at lunch", "07/10 12:00", 0, "07/10 13:30"),
        ("no minutes on a holiday", "18/02 12:00", 0, "23/02 07:30"),
    ],
)
def test_working_minutes_pass_only_while_people_work(label: str, start: str, minutes: int, due: str) -> None:
    assert add_minutes(local(start), minutes, USUAL, HOLIDAYS) == local(due), label


@pytest.mark.parametrize(
    ("sla", "due"),
    [
        ("S0", "08/10 09:30"),
        ("S1", "08/10 09:30"),
        ("S2", "12/10 09:30"),
        ("S3", "14/10 09:30"),
        ("S4", "21/10 09:30"),
        ("a class nobody knows", "14/10 09:30"),
    ],
)
def test_each_class_has_its_days(sla: str, due: str) -> None:
    assert due_at(local("07/10 09:30"), sla, USUAL, {}) == local(due)


def test_the_classes_are_those_of_the_domain() -> None:
    assert ANSWER_DAYS == {"S0": 1, "S1": 1, "S2": 3, "S3": 5, "S4": 10}


def test_a_day_is_as_long_as_the_commune_works() -> None:
    assert (USUAL.minutes_a_day, WITHOUT_LUNCH.minutes_a_day) == (450, 480)


def test_a_commune_may_work_on_saturdays() -> None:
    assert add_minutes(local("09/10 16:30"), 60, SATURDAY_MORNING, {}) == local("10/10 08:00")


def test_a_day_off_is_off_although_saturdays_are_worked() -> None:
    assert add_minutes(local("09/10 16:30"), 60, SATURDAY_MORNING, {date(2026, 10, 10): False}) == local("12/10 08:00")


def test_a_commune_may_work_through_lunch() -> None:
    assert add_minutes(local("07/10 11:30"), 60, WITHOUT_LUNCH, {}) == local("07/10 12:30")


def test_a_deadline_is_given_in_utc() -> None:
    assert add_minutes(local("07/10 08:00"), 60, USUAL, {}).tzinfo is UTC


def test_a_moment_may_come_in_any_zone() -> None:
    in_tokyo = datetime(2026, 10, 7, 19, 0, tzinfo=timezone(timedelta(hours=9)))
    assert add_minutes(in_tokyo, 30, USUAL, {}) == local("08/10 08:00")


def test_hours_without_any_working_day_are_reported() -> None:
    with pytest.raises(ValueError, match="working hours"):
        add_minutes(local("07/10 08:00"), 60, WorkingHours(weekdays=frozenset()), {})


@pytest.mark.parametrize(
    ("start", "end", "minutes"),
    [
        ("07/10 08:00", "07/10 09:00", 60),
        ("07/10 11:00", "07/10 14:00", 60),
        ("07/10 11:30", "07/10 13:30", 0),
        ("09/10 16:00", "12/10 08:00", 90),
        ("14/02 16:00", "23/02 08:00", 90),
        ("07/10 09:00", "07/10 08:00", -60),
        ("12/10 08:00", "09/10 16:00", -90),
        ("07/10 08:00", "07/10 08:00", 0),
        ("10/10 08:00", "11/10 20:00", 0),
    ],
)
def test_minutes_left_are_counted_in_working_time(start: str, end: str, minutes: int) -> None:
    assert minutes_between(local(start), local(end), USUAL, HOLIDAYS) == minutes


def test_a_ticket_overdue_for_years_is_not_flattered() -> None:
    weeks = (date(2029, 10, 8) - date(2026, 10, 5)).days // 7
    assert minutes_between(local("05/10 07:30"), local("08/10/2029 07:30"), USUAL, {}) == weeks * 5 * DAY


@pytest.mark.parametrize(
    ("moment", "is_open", "opens"),
    [
        ("07/10 07:29", False, "07/10 07:30"),
        ("07/10 07:30", True, "07/10 07:30"),
        ("07/10 11:29", True, "07/10 11:29"),
        ("07/10 11:30", False, "07/10 13:30"),
        ("07/10 16:59", True, "07/10 16:59"),
        ("07/10 17:00", False, "08/10 07:30"),
        ("10/10 09:00", False, "12/10 07:30"),
        ("14/02 09:00", True, "14/02 09:00"),
        ("17/02 09:00", False, "23/02 07:30"),
    ],
)
def test_the_office_is_open_or_says_when_it_opens(moment: str, is_open: bool, opens: str) -> None:
    assert is_working_time(local(moment), USUAL, HOLIDAYS) is is_open
    assert next_opening(local(moment), USUAL, HOLIDAYS) == local(opens)


moments = st.datetimes(datetime(2025, 12, 1), datetime(2026, 12, 31), timezones=st.just(VIETNAM))  # noqa: DTZ001 - the zone comes beside


@settings(max_examples=60, deadline=None)
@given(moments, st.integers(0, 5_000))
def test_what_was_added_can_be_counted_again(start: datetime, minutes: int) -> None:
    start = start.replace(second=0, microsecond=0)
    assert minutes_between(start, add_minutes(start, minutes, USUAL, HOLIDAYS), USUAL, HOLIDAYS) == minutes


@settings(max_examples=60, deadline=None)
@given(moments, moments, st.integers(0, 5_000))
def test_who_came_earlier_is_never_due_later(one: datetime, other: datetime, minutes: int) -> None:
    earlier, later = sorted((one, other))
    assert add_minutes(earlier, minutes, USUAL, HOLIDAYS) <= add_minutes(later, minutes, USUAL, HOLIDAYS)


MORNINGS = WorkingHours(special=((5, ((time(7, 30), time(11, 30)),)),), weekdays=frozenset({0, 1, 2, 3, 4, 5}))
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - as above


@settings(max_examples=200, deadline=None)
@given(
    start=MOMENTS,
    end=MOMENTS,
    hours=st.sampled_from([USUAL, MORNINGS]),
    holidays=st.dictionaries(st.dates(date(2025, 12, 30), date(2028, 1, 2)), st.booleans(), max_size=40),
)
def test_counting_by_weeks_gives_what_counting_by_days_gives(
    start: datetime, end: datetime, hours: WorkingHours, holidays: dict[date, bool]
) -> None:
    start, end = min(start, end), max(start, end)
    seconds, day = 0.0, local_day(start)
    while day <= local_day(end):
        for opens, ends in hours.shifts_on(day.weekday()) if holidays.get(day, day.weekday() in hours.weekdays) else ():
            begins, over = (datetime.combine(day, moment, VIETNAM) for moment in (opens, ends))
            seconds += max(0.0, (min(over, end) - max(begins, start)).total_seconds())
        day += timedelta(days=1)
    assert minutes_between(start, end, hours, holidays) == int(seconds // 60)
    assert minutes_between(end, start, hours, holidays) == -int(seconds // 60)


def local_day(moment: datetime) -> date:
    return moment.astimezone(VIETNAM).date()
