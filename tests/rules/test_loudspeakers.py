"""Loudspeakers: steps, hours, counts and conditions, on plain values."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import permutations
from typing import Any

import pytest

from bot.rules.audience import USUAL_QUIET_HOURS
from bot.rules.loudspeakers import (
    BROKEN,
    CUT_OFF,
    EMERGENCY,
    ORDINARY,
    PLAYING,
    PRIORITY,
    WELL,
    Limits,
    Said,
    condition,
    limit_problem,
    limits_of,
    reading_seconds,
    schedule_problem,
    step_after,
    tally,
)
from storage.enums import SourceStep

NOON = datetime(2026, 10, 7, 5, 0, tzinfo=UTC)  # in Vietnam
TODAY = date(2026, 10, 7)
AT_FIVE = (time(17, 0), time(17, 10))


def steps(urgency: str, *, has_lines: bool) -> list[SourceStep]:
    found = [SourceStep.HAND_OVER]
    while following := step_after(found[-1], urgency, has_lines=has_lines):
        found.append(following)
    return found


@pytest.mark.parametrize("urgency", [ORDINARY, PRIORITY])
def test_a_bulletin_is_handed_over_then_planned_then_shown(urgency: str) -> None:
    assert steps(urgency, has_lines=True) == [SourceStep.HAND_OVER, SourceStep.SCHEDULE, SourceStep.SHOW]
    assert steps(urgency, has_lines=False) == [SourceStep.HAND_OVER, SourceStep.SCHEDULE]


def test_an_emergency_waits_for_no_schedule() -> None:
    assert steps(EMERGENCY, has_lines=True) == [SourceStep.HAND_OVER, SourceStep.SHOW]
    assert steps(EMERGENCY, has_lines=False) == [SourceStep.HAND_OVER]


def test_nothing_follows_a_recall() -> None:
    assert step_after(SourceStep.CANCEL, ORDINARY, has_lines=True) is None


def test_a_script_of_130_words_takes_a_minute() -> None:
    assert reading_seconds("lời " * 130) == 60


@pytest.mark.parametrize(
    ("days", "slots", "problem"),
    [
        ([TODAY], [AT_FIVE], ""),
        ([TODAY], [], "missing"),
        ([], [AT_FIVE], "missing"),
        ([TODAY + timedelta(days=n) for n in range(32)], [AT_FIVE], "many"),
        ([TODAY], [(time(17, 10), time(17, 0))], "backwards"),
        ([TODAY], [(time(11, 59), time(12, 10))], "past"),
        ([TODAY + timedelta(days=1), TODAY - timedelta(days=1)], [AT_FIVE], "past"),
        ([TODAY + timedelta(days=1)], [(time(5, 0), time(5, 30))], "quiet"),
        ([TODAY], [(time(20, 55), time(21, 5))], "quiet"),
        ([TODAY], [(time(20, 45), time(21, 0))], ""),
    ],
)
def test_a_schedule_is_looked_at(days: list[date], slots: list[tuple[time, time]], problem: str) -> None:
    assert schedule_problem(days, slots, NOON, USUAL_QUIET_HOURS) == problem


def test_a_commune_without_quiet_hours_may_play_at_dawn() -> None:
    assert schedule_problem([TODAY + timedelta(days=1)], [(time(5, 0), time(5, 30))], NOON, None) == ""


def test_the_count_does_not_depend_on_the_order_of_the_log() -> None:
    said = [Said("1", is_success=True), Said("2", is_success=False, reason="cháy loa"), Said("1", is_success=False),
            Said("9", is_success=True)]  # fmt: skip
    found = {(*sorted(t.played), *sorted(t.failed), *sorted(t.quiet), t.total)
             for order in permutations(said) if (t := tally({"1", "2", "3"}, order))}  # fmt: skip
    assert found == {("1", "9", "2", "3", 4)}


@pytest.mark.parametrize(
    ("state", "minutes_ago", "is_connected", "how"),
    [
        ("idle", 1, True, WELL),
        ("playing", 1, True, PLAYING),
        ("broken", 1, True, BROKEN),
        ("broken", 1, False, CUT_OFF),
        ("idle", 1, False, CUT_OFF),
        ("idle", 31, True, CUT_OFF),
        ("who knows", 1, True, WELL),
    ],
)
def test_how_a_cluster_is(state: str, minutes_ago: int, is_connected: bool, how: str) -> None:
    assert condition(state, NOON - timedelta(minutes=minutes_ago), NOON, is_connected=is_connected) == how


def slot(begins: str, ends: str) -> tuple[time, time]:
    return time.fromisoformat(begins), time.fromisoformat(ends)


HANOI = Limits(sessions=2, minutes=15, weekdays_only=True)


@pytest.mark.parametrize(
    ("slots", "taken", "problem"),
    [
        ([slot("06:45", "07:00"), slot("17:00", "17:15")], [], ""),
        ([slot("06:45", "07:01")], [], "long"),
        ([slot("06:45", "06:50"), slot("11:00", "11:05"), slot("17:00", "17:05")], [], "many"),
        ([slot("11:00", "11:05")], [slot("06:45", "07:00"), slot("17:00", "17:15")], "many"),
        ([slot("06:50", "07:00")], [slot("06:45", "06:50"), slot("17:00", "17:15")], ""),  # one session with it
        ([slot("07:00", "07:05")], [slot("06:45", "07:00")], "long"),  # together they are too long
        ([slot("17:00", "17:05")], [slot("06:00", "07:00")], ""),  # what is too long already is not its fault
    ],
)
def test_sessions_are_few_and_short(slots: list[Any], taken: list[Any], problem: str) -> None:
    assert limit_problem([TODAY], slots, {TODAY: taken}, HANOI) == problem


def test_weekends_are_silent_where_a_commune_says_so() -> None:
    saturday = date(2026, 10, 10)
    assert limit_problem([TODAY, saturday], [AT_FIVE], {}, HANOI) == "weekend"
    assert limit_problem([TODAY, saturday], [AT_FIVE], {}, Limits()) == ""


def test_another_day_is_no_hindrance() -> None:
    full = {date(2026, 10, 8): [slot("06:45", "07:00"), slot("17:00", "17:15")]}
    assert limit_problem([TODAY], [slot("11:00", "11:05")], full, HANOI) == ""
    assert limit_problem([TODAY, date(2026, 10, 8)], [slot("11:00", "11:05")], full, HANOI) == "many"


def test_limits_are_the_usual_ones_until_they_are_set() -> None:
    assert limits_of({}) == Limits(0, 45, False)
    told = {"loudspeaker_sessions": 2, "loudspeaker_minutes": 15, "loudspeaker_weekdays": True}
    assert limits_of(told) == HANOI
    assert limits_of({"loudspeaker_sessions": "x", "loudspeaker_minutes": None}) == Limits()
