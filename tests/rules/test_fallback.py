"""Which other way a message goes, and how long it waits before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.rules.fallback import OtherWay, best_way, patience

NINE = datetime(2026, 10, 7, 2, 0, tzinfo=UTC)


def a_way(
    urn_id: int, *, is_open: bool = True, is_paid: bool = False, rings: bool = True, ago: int | None = 1
) -> OtherWay:
    at = None if ago is None else NINE - timedelta(hours=ago)
    return OtherWay(urn_id, urn_id, f"kênh {urn_id}", is_open, is_paid, rings, at)


def chosen(*ways: OtherWay, tried: frozenset[int] = frozenset()) -> int | None:
    way = best_way(ways, tried)
    return way.urn_id if way else None


def test_where_they_spoke_last_comes_first() -> None:
    assert chosen(a_way(1, ago=5), a_way(2, ago=2), a_way(3, ago=None)) == 2


def test_what_costs_money_comes_last() -> None:
    assert chosen(a_way(1, is_paid=True, ago=0), a_way(2, ago=90)) == 2
    assert chosen(a_way(1, is_paid=True)) == 1


def test_no_way_that_is_closed_silent_or_tried() -> None:
    assert chosen(a_way(1, is_open=False), a_way(2, rings=False), a_way(3), tried=frozenset({3})) is None


def test_a_commune_that_set_nothing_waits_an_hour_and_never_doubts_what_was_sent() -> None:
    usual = patience({})
    assert usual.waiting == timedelta(hours=1)
    assert usual.unseen is None
    assert usual.unread_on_page == timedelta(hours=4)


@pytest.mark.parametrize(
    ("minutes", "waits"),
    [
        (30, timedelta(minutes=30)),
        (1, timedelta(minutes=5)),
        (0, None),
        (-3, timedelta(hours=1)),
        ("x", timedelta(hours=1)),
    ],
)
def test_waiting_is_what_the_commune_set_but_not_less_than_five_minutes(
    minutes: object, waits: timedelta | None
) -> None:
    assert patience({"fallback_wait_minutes": minutes}).waiting == waits


def test_hours_without_being_seen_hold_for_pages_too() -> None:
    assert patience({"fallback_unseen_hours": 12}).unseen == timedelta(hours=12)
    assert patience({"fallback_unseen_hours": 12}).unread_on_page == timedelta(hours=12)
    assert patience({"fallback_unseen_hours": 0}).unread_on_page is None
