"""Fallback: by which other way a message may go when the first one failed, or took too long."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

# Settings of the commune: 0 means never.
WAIT_MINUTES, UNSEEN_HOURS = "fallback_wait_minutes", "fallback_unseen_hours"
USUAL_WAIT_MINUTES, USUAL_UNSEEN_HOURS = 60, 0
SHORTEST_WAIT = timedelta(minutes=5)
USUAL_PAGE_HOURS = 4  # on a page nobody is called to look


@dataclass(frozen=True)
class OtherWay:
    """Another channel of the citizen. `is_open`: we may write there now; `rings`: they notice that we did."""

    urn_id: int
    channel_id: int
    name: str
    is_open: bool
    is_paid: bool
    rings: bool
    last_interaction_at: datetime | None


@dataclass(frozen=True)
class Patience:
    """How long a commune waits before a message goes another way; None: for ever."""

    waiting: timedelta | None
    unseen: timedelta | None
    unread_on_page: timedelta | None


def patience(settings: Mapping[str, Any]) -> Patience:
    """What the commune has set, or what is usual."""
    minutes = _number(settings.get(WAIT_MINUTES), USUAL_WAIT_MINUTES)
    hours = _number(settings.get(UNSEEN_HOURS), USUAL_UNSEEN_HOURS)
    page = _number(settings.get(UNSEEN_HOURS), USUAL_PAGE_HOURS)
    return Patience(
        max(SHORTEST_WAIT, timedelta(minutes=minutes)) if minutes else None,
        timedelta(hours=hours) if hours else None,
        timedelta(hours=page) if page else None,
    )


def best_way(ways: Iterable[OtherWay], tried: Set[int]) -> OtherWay | None:
    """The way to try next: one that costs nothing before one that does, then where they spoke last.

    `tried`: URNs where this message went before.
    """
    left = [way for way in ways if way.is_open and way.rings and way.urn_id not in tried]
    return min(left, key=lambda way: (way.is_paid, -_spoke_at(way), way.urn_id), default=None)


def _spoke_at(way: OtherWay) -> float:
    return way.last_interaction_at.timestamp() if way.last_interaction_at else 0.0


def _number(value: object, usual: int) -> int:
    return value if isinstance(value, int) and value >= 0 else usual
