"""Until when a report may be put aside, as a table; moments as people here write them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from bot.rules.clocks import Clock, Running
from bot.rules.lifecycle import NotAllowed
from bot.rules.snoozing import Standing, Until, check, choices, latest_moment, may_snooze, moment_of
from storage.enums import Role, TicketState, Urgency
from tests.rules.test_clocks import SHORT_DAY, USUAL
from tests.rules.test_deadlines import local

S, U = TicketState, Until
NOW = local("07/10 09:00")  # a Wednesday
USUALLY = Standing(S.RECEIVED, Urgency.NORMAL, frozenset({Role.RECEIVER}), local("14/10 08:00"))


@pytest.mark.parametrize(
    ("until", "now", "moment"),
    [
        (U.AFTERNOON, "07/10 09:00", "07/10 13:30"),
        (U.AFTERNOON, "07/10 13:29", "07/10 13:30"),
        (U.AFTERNOON, "07/10 13:30", None),
        (U.AFTERNOON, "10/10 09:00", None),  # a Saturday
        (U.TOMORROW, "07/10 23:00", "08/10 07:30"),
        (U.TOMORROW, "09/10 09:00", "12/10 07:30"),  # a Friday: the next day that is worked
        (U.MONDAY, "07/10 09:00", "12/10 07:30"),
        (U.MONDAY, "12/10 06:00", "19/10 07:30"),  # it is Monday: the next
    ],
)
def test_moments_are_those_at_which_the_office_opens(until: Until, now: str, moment: str | None) -> None:
    assert moment_of(until, None, local(now), USUAL) == (local(moment) if moment else None)


def test_a_date_means_when_the_office_opens_on_it_or_next() -> None:
    assert moment_of(U.DATE, date(2026, 10, 10), NOW, USUAL) == local("12/10 07:30")
    assert moment_of(U.DATE, date(2026, 10, 9), NOW, USUAL) == local("09/10 07:30")
    assert moment_of(U.DATE, None, NOW, USUAL) is None
    assert moment_of(U.DATE, date(2027, 10, 9), NOW, USUAL) is None


def test_where_there_is_one_shift_there_is_no_afternoon() -> None:
    assert moment_of(U.AFTERNOON, None, NOW, SHORT_DAY) is None


@pytest.mark.parametrize(
    ("now", "latest", "offered"),
    [
        ("07/10 09:00", "14/10 08:00", [("afternoon", False), ("tomorrow", True), ("monday", False)]),
        ("07/10 14:00", "08/10 10:00", [("tomorrow", True)]),
        ("07/10 14:00", "08/10 07:30", []),
        ("09/10 14:00", "14/10 08:00", [("tomorrow", False)]),  # which is Monday, and not offered twice
    ],
)
def test_what_is_offered_lies_before_the_deadline(now: str, latest: str, offered: list[tuple[str, bool]]) -> None:
    found = choices(local(now), USUAL, local(latest))
    assert [(one.until.value, one.is_next_day) for one in found] == offered


def test_a_clock_that_will_warn_does_not_shorten_it_one_that_has_warned_does() -> None:
    accept = Running(Clock.ACCEPT, local("07/10 08:00"), local("07/10 14:00"))
    answer = Running(Clock.ANSWER, local("07/10 08:00"), local("12/10 08:00"))
    assert latest_moment([accept, answer], USUAL, local("07/10 09:00")) == answer.due
    assert latest_moment([accept, answer], USUAL, local("07/10 11:29")) == accept.due
    assert latest_moment([], USUAL, NOW) is None


@pytest.mark.parametrize(
    ("change", "until", "code"),
    [
        ({"urgency": Urgency.EMERGENCY}, "08/10 07:30", "urgent"),
        ({"urgency": Urgency.URGENT}, "08/10 07:30", "urgent"),
        ({"is_sealed": True, "latest": None}, "08/10 07:30", "sealed"),
        ({"is_spam": True}, "08/10 07:30", "ended"),
        ({"state": S.ANSWERED}, "08/10 07:30", "ended"),
        ({"latest": local("06/10 08:00")}, "08/10 07:30", "late"),
        ({}, "14/10 08:00", "past_deadline"),
        ({}, "07/10 09:00", "past"),
        ({}, None, "no_moment"),
        ({"roles": frozenset({Role.HANDLER})}, "08/10 07:30", "not_yours"),
        ({"roles": frozenset()}, "08/10 07:30", "not_yours"),
        ({}, "14/10 07:59", None),
        ({"roles": frozenset({Role.HANDLER}), "state": S.IN_PROGRESS}, "08/10 07:30", None),
        ({"latest": None}, "08/10 07:30", None),
    ],
)
def test_what_may_not_be_put_aside_is_refused(change: dict[str, object], until: str | None, code: str | None) -> None:
    standing = replace(USUALLY, **change)  # type: ignore[arg-type]
    moment = local(until) if until else None
    if code is None:
        assert check(standing, moment, NOW) == moment
        assert may_snooze(standing, NOW)
        return
    with pytest.raises(NotAllowed) as refused:
        check(standing, moment, NOW)
    assert refused.value.code == code
    assert may_snooze(standing, NOW) is (code in {"past_deadline", "past", "no_moment"})
