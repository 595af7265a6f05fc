"""Aloud: on which loudspeakers a bulletin is read out, and when, as an official types it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

_HOUR = re.compile(r"(\d{1,2})(?:\s*(?:[:hg.]|giờ)\s*(\d{2})?)?", re.IGNORECASE)
_BETWEEN = re.compile(r"[,;\n]+")


@dataclass(frozen=True)
class Aloud:
    """The loudspeaker channels, the first and the last day, and the hours ("6h45, 17:00") at which reading begins."""

    channel_ids: tuple[int, ...] = ()
    begins: date | None = None
    ends: date | None = None
    hours: str = ""

    @property
    def days(self) -> tuple[date, ...]:
        """Each day on which it is read; without a last day the first only."""
        if self.begins is None:
            return ()
        many = ((self.ends or self.begins) - self.begins).days + 1
        return tuple(self.begins + timedelta(days=n) for n in range(max(0, min(many, 400))))

    @property
    def times(self) -> tuple[time, ...]:
        """When it begins to be read each day. Raises ValueError for what is no hour."""
        pieces = [piece.strip() for piece in _BETWEEN.split(self.hours) if piece.strip()]
        return tuple(sorted({_time(piece) for piece in pieces}))

    def slots(self, seconds: int) -> tuple[tuple[time, time], ...]:
        """From when to when it is read each day, if reading takes so long. Raises ValueError."""
        return tuple((begin, _later(begin, seconds)) for begin in self.times)

    def data(self) -> dict[str, Any]:
        """As it is kept; {} when nothing is read out."""
        if not self.channel_ids:
            return {}
        days = [day.isoformat() if day else "" for day in (self.begins, self.ends)]
        return {"channels": sorted(self.channel_ids), "days": days, "hours": self.hours}


NOT_ALOUD = Aloud()


def aloud_of(data: Mapping[str, Any]) -> Aloud:
    """From what was kept."""
    if not data:
        return NOT_ALOUD
    begins, ends = (date.fromisoformat(day) if day else None for day in data["days"])
    return Aloud(tuple(data["channels"]), begins, ends, data["hours"])


def _time(piece: str) -> time:
    found = _HOUR.fullmatch(piece)
    if found is None:
        raise ValueError(piece)
    return time(int(found[1]), int(found[2] or 0))


def _later(begin: time, seconds: int) -> time:
    """The whole minute at which reading is surely over, at the latest the day's last."""
    day = datetime(2000, 1, 1)  # noqa: DTZ001 - any day: only hours are counted
    end = datetime.combine(day, begin) + timedelta(minutes=-(-seconds // 60) + 1)
    return end.time() if end.date() == day.date() else time(23, 59)
