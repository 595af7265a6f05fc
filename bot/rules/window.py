"""Until when a channel lets us write to a citizen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Window:
    """Whether a reply may go out now; `closes_at` is None on a channel without windows."""

    is_open: bool
    closes_at: datetime | None
    is_free: bool
    free_until: datetime | None


def window(
    last_interaction_at: datetime | None, now: datetime, *, hours: float | None, free_hours: float | None
) -> Window:
    """The window that the citizen's last interaction opened; `hours` None: the channel has none."""
    if hours is None:
        return Window(is_open=True, closes_at=None, is_free=True, free_until=None)
    if last_interaction_at is None:
        return Window(is_open=False, closes_at=None, is_free=False, free_until=None)
    closes = last_interaction_at + timedelta(hours=hours)
    free = last_interaction_at + timedelta(hours=free_hours) if free_hours is not None else closes
    return Window(is_open=now < closes, closes_at=closes, is_free=now < free, free_until=free)
