"""Periods: the month that is reported, as the calendar has it or as a province closes its books, and its days."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from bot.rules.deadlines import VIETNAM

DAILY_AT_MOST = 35  # more days are told by weeks
_LAST_DAY, _NOON = 25, time(12)


class Closing(StrEnum):
    """When a month's books are closed: at its end, or at noon of the 25th (domain §14.6)."""

    MONTH_END = "month"
    NOON_OF_25TH = "25"


@dataclass(frozen=True)
class Span:
    """From one moment to another, which is no part of it."""

    begins: datetime
    ends: datetime


def month_of(year: int, month: int, closing: Closing = Closing.MONTH_END) -> Span:
    """The span of a reported month in Vietnam."""
    first = date(year, month, 1)
    if closing is Closing.MONTH_END:
        return Span(_at(first), _at(_next_month(first)))
    before = first - timedelta(days=1)
    return Span(_at(before.replace(day=_LAST_DAY), _NOON), _at(first.replace(day=_LAST_DAY), _NOON))


def between(first: date, last: date) -> Span:
    """The span of whole days, both included."""
    return Span(_at(first), _at(last + timedelta(days=1)))


def parts(span: Span) -> list[Span]:
    """The days of a span, or its weeks (from Monday) where the days are many; the outer ones may be shorter."""
    is_long = span.ends - span.begins > timedelta(days=DAILY_AT_MOST)
    return list(_cut(span, 7 if is_long else 1))


def _cut(span: Span, days: int) -> Iterator[Span]:
    begins = span.begins.astimezone(VIETNAM)
    while begins < span.ends:
        monday = begins.date() - timedelta(days=begins.weekday() if days > 1 else 0)
        ends = min(_at(monday + timedelta(days=days)), span.ends)
        yield Span(begins, ends)
        begins = ends


def _next_month(first: date) -> date:
    return (first + timedelta(days=32)).replace(day=1)


def _at(day: date, hour: time = time()) -> datetime:
    return datetime.combine(day, hour, VIETNAM)
