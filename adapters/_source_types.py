"""How a source system writes moments, days, times of day, lengths and codes; both conventions are read everywhere."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone

from adapters.bodies import EARLIEST, LATEST
from adapters.source_profile import Profile

_FRACTION = re.compile(r"(\.\d{6})\d+")


@dataclass(frozen=True)
class Wire:
    """A profile's way to write values."""

    profile: Profile

    @property
    def zone(self) -> timezone:
        """The village's time."""
        return timezone(timedelta(hours=self.profile.zone))

    def instant(self, moment: datetime) -> int | str:
        """A moment: epoch seconds, or local time with microseconds."""
        if self.profile.instants == "epoch":
            return int(moment.timestamp())
        return moment.astimezone(self.zone).replace(tzinfo=None).isoformat(timespec="microseconds")

    def day(self, day: date) -> int | str:
        """A day: the epoch seconds of its beginning, or its date."""
        if self.profile.days == "epoch":
            return int(datetime.combine(day, time(), self.zone).timestamp())
        return day.isoformat()

    def clock(self, moment: time) -> int | str:
        """A time of day: seconds since midnight, or HH:mm:ss.ffffff."""
        if self.profile.clocks == "seconds":
            return moment.hour * 3600 + moment.minute * 60 + moment.second
        return moment.isoformat(timespec="microseconds")

    def length(self, seconds: int) -> int | str:
        """How long something takes: seconds, or hh:mm:ss."""
        if self.profile.lengths == "seconds":
            return seconds
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"

    def code(self, value: str) -> int | str:
        """A code of a list: a number, or text."""
        return int(value) if self.profile.codes == "number" and value.isdecimal() else value

    def urgency(self, name: str) -> int | str:
        """The system's own code of a class."""
        return self.code(self.profile.urgency[name])

    def read_instant(self, value: object) -> datetime | None:
        """A moment as somebody wrote it, in either convention; None when it makes no sense."""
        if isinstance(value, bool):
            return None
        if isinstance(value, int | float) or (isinstance(value, str) and re.fullmatch(r"\d{9,10}", value, re.ASCII)):
            return _sensible(float(value))
        if not isinstance(value, str) or len(value) > 40:
            return None
        try:
            found = datetime.fromisoformat(_FRACTION.sub(r"\1", value.strip()))
        except ValueError:
            return None
        return _within((found if found.tzinfo else found.replace(tzinfo=self.zone)).astimezone(UTC))


def read_code(value: object) -> str:
    """A code as text, whether it came as a number or not; empty when it is neither."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int):
        return str(value)
    return value.strip()[:40] if isinstance(value, str) else ""


def _sensible(seconds: float) -> datetime | None:
    is_sensible = EARLIEST.timestamp() <= seconds < LATEST.timestamp()
    return datetime.fromtimestamp(seconds, UTC) if is_sensible else None


def _within(moment: datetime) -> datetime | None:
    return moment if EARLIEST <= moment < LATEST else None
