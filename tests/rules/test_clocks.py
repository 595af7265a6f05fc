"""Three clocks, and when each must be heard; moments as people here write them."""

from __future__ import annotations

from datetime import time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules.clocks import (
    Calendar,
    Clock,
    Level,
    Running,
    deadlines,
    due_notices,
    next_notice,
    notices,
    shifted,
)
from bot.rules.deadlines import WorkingHours
from tests.rules.test_deadlines import HOLIDAYS, local

USUAL = Calendar(WorkingHours(), HOLIDAYS)
SATURDAYS = Calendar(WorkingHours(weekdays=frozenset(range(6))), HOLIDAYS)
SHORT_DAY = Calendar(WorkingHours(shifts=((time(8, 0), time(12, 0)),)), {})


@pytest.mark.parametrize(
    ("sla", "start", "accept", "action", "answer"),
    [
        ("S0", "07/10 08:00", "07/10 08:15", "07/10 08:15", "08/10 08:00"),
        ("S0", "10/10 23:50", "11/10 00:05", "11/10 00:05", "12/10 17:00"),
        ("S1", "07/10 08:00", "07/10 09:00", "07/10 14:00", "08/10 08:00"),
        ("S1", "07/10 16:30", "08/10 08:00", "08/10 11:00", "08/10 16:30"),
        ("S1", "07/10 20:00", "08/10 08:30", "08/10 11:30", "08/10 17:00"),
        ("S2", "07/10 08:00", "07/10 14:00", "08/10 08:00", "12/10 08:00"),
        ("S2", "09/10 15:00", "12/10 09:30", "12/10 15:00", "14/10 15:00"),
        ("S3", "07/10 08:00", "08/10 08:30", "09/10 08:00", "14/10 08:00"),
        ("S3", "13/02 16:00", "14/02 16:30", "23/02 16:00", "26/02 16:00"),  # the 14th is worked for the Tết block
        ("S3", "24/04 15:00", "28/04 15:30", "29/04 15:00", "06/05 15:00"),  # Hùng Kings, 30/4, 1/5
        ("S4", "07/10 08:00", "08/10 08:30", "12/10 08:00", "21/10 08:00"),
        ("S4", "31/12 16:00", "04/01/2027 16:30", "06/01/2027 16:00", "15/01/2027 16:00"),
        ("", "07/10 08:00", "08/10 08:30", "09/10 08:00", "14/10 08:00"),
    ],
)
def test_deadlines_of_each_class(sla: str, start: str, accept: str, action: str, answer: str) -> None:
    found = deadlines(local(start), sla, USUAL)
    assert (found.accept, found.action, found.answer) == (local(accept), local(action), local(answer))


def test_a_commune_that_works_on_saturdays_answers_earlier() -> None:
    assert deadlines(local("09/10 15:00"), "S2", SATURDAYS).answer == local("13/10 15:00")


def test_a_day_is_as_long_as_the_commune_works() -> None:
    found = deadlines(local("07/10 08:00"), "S2", SHORT_DAY)
    assert (found.accept, found.answer) == (local("07/10 12:00"), local("09/10 12:00"))


def test_the_law_may_set_another_answer() -> None:
    assert deadlines(local("07/10 08:00"), "S3", USUAL, answer_days=2).answer == local("09/10 08:00")


def heard(running: Running, calendar: Calendar = USUAL) -> list[tuple[str, str]]:
    return [(n.level.value, f"{n.at.astimezone(local('07/10 08:00').tzinfo):%d/%m %H:%M}")
            for n in notices(running, calendar)]  # fmt: skip


def a_clock(start: str, due: str, clock: Clock = Clock.ANSWER, *, is_real: bool = False) -> Running:
    return Running(clock, local(start), local(due), is_real)


def test_a_clock_speaks_at_three_quarters_at_the_end_and_a_day_later() -> None:
    assert heard(a_clock("07/10 07:30", "12/10 17:00")) == [
        ("near", "09/10 17:00"),
        ("due", "12/10 17:00"),
        ("late", "13/10 17:00"),
    ]


def test_three_quarters_are_of_working_time_not_of_the_clock_on_the_wall() -> None:
    # Friday three o'clock to Monday three o'clock: a working day, of which 337 minutes are three quarters.
    assert heard(a_clock("09/10 15:00", "12/10 15:00"))[0] == ("near", "12/10 11:07")


def test_danger_is_counted_day_and_night() -> None:
    assert heard(a_clock("10/10 23:00", "10/10 23:20", Clock.ACCEPT, is_real=True)) == [
        ("near", "10/10 23:15"),
        ("due", "10/10 23:20"),
        ("late", "11/10 00:20"),
    ]


def test_of_a_clock_not_heard_for_long_only_the_loudest_is_said() -> None:
    running = a_clock("07/10 07:30", "08/10 17:00")
    (said,) = due_notices(iter([running]), USUAL, local("07/10 07:30"), local("12/10 08:00"))
    assert said.level is Level.LATE
    assert due_notices(iter([running]), USUAL, local("12/10 08:00"), local("20/10 08:00")) == []


def test_each_clock_is_heard_for_itself() -> None:
    both = [a_clock("07/10 07:30", "07/10 09:30", Clock.ACCEPT), a_clock("07/10 07:30", "12/10 17:00")]
    said = due_notices(iter(both), USUAL, local("07/10 07:30"), local("12/10 08:00"))
    assert {(n.clock, n.level) for n in said} == {(Clock.ACCEPT, Level.LATE), (Clock.ANSWER, Level.NEAR)}


def test_the_next_moment_is_the_earliest_of_all_that_is_left() -> None:
    both = [a_clock("07/10 07:30", "07/10 09:30", Clock.ACCEPT), a_clock("07/10 07:30", "12/10 17:00")]
    assert next_notice(iter(both), USUAL, local("07/10 07:30")) == local("07/10 09:00")
    assert next_notice(iter(both), USUAL, local("08/10 10:00")) == local("09/10 17:00")
    assert next_notice(iter(both), USUAL, local("14/10 10:00")) is None


@pytest.mark.parametrize(
    ("due", "paused", "resumed", "then"),
    [
        ("12/10 10:00", "08/10 08:00", "08/10 09:00", "12/10 11:00"),
        ("12/10 10:00", "08/10 11:00", "08/10 14:00", "12/10 11:00"),
        ("12/10 10:00", "08/10 18:00", "09/10 06:00", "12/10 10:00"),
        ("12/10 10:00", "09/10 16:00", "13/10 08:00", "13/10 11:30"),  # 60 + 450 + 30 minutes
        ("13/02 16:00", "13/02 15:00", "14/02 09:00", "14/02 10:00"),  # a Saturday that is worked
        ("12/10 10:00", "08/10 09:00", "08/10 08:00", "12/10 10:00"),  # clocks that were set back
    ],
)
def test_a_pause_gives_back_the_working_time_it_took(due: str, paused: str, resumed: str, then: str) -> None:
    assert shifted(local(due), local(paused), local(resumed), USUAL) == local(then)


def test_a_pause_that_begins_in_the_last_minute_leaves_that_minute() -> None:
    due, back = local("08/10 10:00"), local("08/10 10:00") + timedelta(seconds=20)
    assert shifted(due, due - timedelta(seconds=20), back, USUAL) == back + timedelta(minutes=1)
    assert shifted(due, due + timedelta(seconds=5), back, USUAL) == due, "what was over stays over"


@given(start=st.integers(0, 500_000), minutes=st.integers(1, 20_000))
def test_near_is_never_behind_due_nor_due_behind_late(start: int, minutes: int) -> None:
    begun = local("01/01 00:00") + timedelta(minutes=start)
    running = Running(Clock.ANSWER, begun, USUAL.plus(begun, minutes))
    near, due, late = (n.at for n in notices(running, USUAL))
    assert begun <= near <= due < late
    assert USUAL.between(begun, near) == int(minutes * 0.75)
