"""Until when a channel lets us write to a citizen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.rules.window import Window, window

NOW = datetime(2026, 10, 7, 5, 0, tzinfo=UTC)


def after(hours: float | None) -> Window:
    last = None if hours is None else NOW - timedelta(hours=hours)
    return window(last, NOW, hours=166, free_hours=47)


def test_a_channel_without_windows_is_always_open() -> None:
    assert window(None, NOW, hours=None, free_hours=None) == Window(True, None, True, None)


def test_nobody_is_written_to_who_never_did_anything() -> None:
    assert after(None) == Window(False, None, False, None)


@pytest.mark.parametrize(
    ("hours", "is_open", "is_free"),
    [
        (0, True, True),
        (46.99, True, True),
        (47, True, False),
        (165.99, True, False),
        (166, False, False),
        (500, False, False),
    ],
)
def test_the_window_closes_exactly_when_it_says(hours: float, is_open: bool, is_free: bool) -> None:
    found = after(hours)
    assert (found.is_open, found.is_free) == (is_open, is_free)


def test_the_window_says_when_it_closes() -> None:
    found = after(10)
    assert (found.closes_at, found.free_until) == (NOW + timedelta(hours=156), NOW + timedelta(hours=37))


def test_a_window_without_a_free_part_is_free_as_long_as_it_is_open() -> None:
    found = window(NOW - timedelta(hours=5), NOW, hours=24, free_hours=None)
    assert found.is_free
    assert found.free_until == found.closes_at


def test_a_clock_that_runs_ahead_does_not_close_the_window() -> None:
    assert after(-1).is_open
