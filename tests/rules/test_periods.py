"""Periods: months as the calendar or a province closes them, and their days."""

from __future__ import annotations

import itertools
from datetime import date, datetime

import pytest

from bot.rules.deadlines import VIETNAM
from bot.rules.periods import Closing, Span, between, month_of, parts


def at(*when: int) -> datetime:
    return datetime(*when, tzinfo=VIETNAM)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("year", "month", "closing", "begins", "ends"),
    [
        (2026, 10, Closing.MONTH_END, at(2026, 10, 1), at(2026, 11, 1)),
        (2026, 12, Closing.MONTH_END, at(2026, 12, 1), at(2027, 1, 1)),
        (2026, 10, Closing.NOON_OF_25TH, at(2026, 9, 25, 12), at(2026, 10, 25, 12)),
        (2026, 1, Closing.NOON_OF_25TH, at(2025, 12, 25, 12), at(2026, 1, 25, 12)),
    ],
)
def test_a_month_begins_and_ends(year: int, month: int, closing: Closing, begins: datetime, ends: datetime) -> None:
    assert month_of(year, month, closing) == Span(begins, ends)


@pytest.mark.parametrize(
    ("span", "many", "second"),
    [
        (month_of(2026, 10), 31, Span(at(2026, 10, 2), at(2026, 10, 3))),
        (month_of(2026, 10, Closing.NOON_OF_25TH), 31, Span(at(2026, 9, 26), at(2026, 9, 27))),
        # Thursday 1 October: the first week has four days.
        (between(date(2026, 10, 1), date(2026, 12, 31)), 14, Span(at(2026, 10, 5), at(2026, 10, 12))),
        (between(date(2026, 10, 7), date(2026, 10, 7)), 1, None),
    ],
)
def test_days_follow_one_another_without_a_gap(span: Span, many: int, second: Span | None) -> None:
    found = parts(span)
    assert len(found) == many
    assert second is None or found[1] == second
    assert (found[0].begins, found[-1].ends) == (span.begins, span.ends)
    assert all(one.ends == after.begins for one, after in itertools.pairwise(found))
