"""Loudspeakers: steps, hours, counts and conditions, on plain values."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import permutations

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
    Said,
    condition,
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
