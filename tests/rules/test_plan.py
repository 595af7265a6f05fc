"""What is possible for a citizen now, and when a message may not go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.rules.window import Plan, Way, Why, plan, refused_code, window

NOW = datetime(2026, 10, 7, 5, 0, tzinfo=UTC)


def planned(hours: float | None, **more: object) -> Plan:
    last = None if hours is None else NOW - timedelta(hours=hours)
    return plan(window(last, NOW, hours=166, free_hours=47), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("hours", "more", "way", "why"),
    [
        (1, {}, Way.FREE, Why.NOTHING),
        (46.9, {}, Way.FREE, Why.NOTHING),
        (47, {}, Way.PAID, Why.NOT_FREE),
        (47, {"may_pay": False}, Way.CLOSED, Why.NOT_FREE),
        (47, {"may_pay": False, "has_form": True}, Way.TEMPLATE, Why.NOT_FREE),
        (165.9, {}, Way.PAID, Why.NOT_FREE),
        (166, {}, Way.CLOSED, Why.TOO_LONG_AGO),
        (166, {"has_form": True}, Way.TEMPLATE, Why.TOO_LONG_AGO),
        (None, {}, Way.CLOSED, Why.NEVER_THERE),
        (None, {"has_form": True}, Way.TEMPLATE, Why.NEVER_THERE),
        (1, {"refusal": Why.REFUSED}, Way.CLOSED, Why.REFUSED),
        (1, {"refusal": Why.REFUSED, "has_form": True}, Way.TEMPLATE, Why.REFUSED),
        (1, {"refusal": Why.BLOCKED, "has_form": True}, Way.CLOSED, Why.BLOCKED),
    ],
)
def test_the_best_way_there_is(hours: float | None, more: dict[str, object], way: Way, why: Why) -> None:
    found = planned(hours, **more)
    assert (found.way, found.why) == (way, why)


def test_a_free_way_says_until_when_and_how_long_it_could_be_paid_for() -> None:
    found = planned(10)
    assert (found.until, found.then_until) == (NOW + timedelta(hours=37), NOW + timedelta(hours=156))
    assert planned(10, may_pay=False).then_until is None
    assert planned(50).until == NOW + timedelta(hours=116)


def test_a_channel_without_windows_is_always_free() -> None:
    found = plan(window(None, NOW, hours=None, free_hours=None))
    assert (found.way, found.until) == (Way.FREE, None)


@pytest.mark.parametrize(
    ("hours", "more", "pays", "code"),
    [
        (1, {}, False, None),
        (50, {}, True, None),
        (50, {}, False, "window_paid"),
        (50, {"may_pay": False}, True, "window_paid"),
        (170, {}, True, "window_closed"),
        (170, {"has_form": True}, True, "window_closed"),
        (None, {}, True, "window_closed"),
        (1, {"refusal": Why.BLOCKED}, True, "blocked"),
    ],
)
def test_what_may_not_go_has_a_code(hours: float | None, more: dict[str, object], pays: bool, code: str | None) -> None:
    assert refused_code(planned(hours, **more), pays=pays) == code
