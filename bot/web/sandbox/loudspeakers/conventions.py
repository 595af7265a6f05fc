"""The two ways in which pretend systems write values; each refuses what is written in the other's.

Nothing is shared with the gateway's own profiles, so that each checks the other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

VIETNAM = timezone(timedelta(hours=7))
ORDINARY, PRIORITY, EMERGENCY = "thong_thuong", "uu_tien", "khan_cap"


class WrongType(ValueError):
    """A value is not written as this system wants it."""


@dataclass(frozen=True)
class Convention:
    """How one vendor writes; codes are looked up as written."""

    name: str
    urgency: Mapping[Any, str]
    idle: Any
    playing: Any
    broken: Any
    connected: Any
    cut_off: Any
    played: Any
    shown: Any
    names: Mapping[str, str]

    def instant(self, milliseconds: int) -> Any:
        """A moment."""
        if self.name == "epoch":
            return milliseconds // 1000
        moment = datetime.fromtimestamp(milliseconds / 1000, VIETNAM)
        return moment.replace(tzinfo=None).isoformat(timespec="microseconds")

    def flag(self, *, is_so: bool) -> Any:
        """Yes or no."""
        return int(is_so) if self.name == "epoch" else str(int(is_so))

    def read_instant(self, value: object) -> int:
        """A moment in milliseconds. Raises WrongType."""
        if self.name == "epoch":
            return _whole(value) * 1000
        text = _matching(value, r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}")
        return int(datetime.fromisoformat(text).replace(tzinfo=VIETNAM).timestamp() * 1000)

    def read_day(self, value: object) -> date:
        """A day. Raises WrongType."""
        if self.name == "epoch":
            return datetime.fromtimestamp(_whole(value), UTC).astimezone(VIETNAM).date()
        return date.fromisoformat(_matching(value, r"\d{4}-\d\d-\d\d"))

    def read_clock(self, value: object) -> time:
        """A time of day. Raises WrongType."""
        if self.name == "epoch":
            seconds = _whole(value)
            return time(seconds // 3600, seconds // 60 % 60, seconds % 60)
        return time.fromisoformat(_matching(value, r"\d\d:\d\d:\d\d\.\d{6}"))

    def read_length(self, value: object) -> int:
        """A length in seconds. Raises WrongType."""
        if self.name == "epoch":
            return _whole(value)
        hours, minutes, seconds = _matching(value, r"\d{2,}:\d\d:\d\d").split(":")
        return int(hours) * 3600 + int(minutes) * 60 + int(seconds)

    def read_urgency(self, value: object) -> str:
        """A class. Raises WrongType."""
        if isinstance(value, bool) or not isinstance(value, int | str) or value not in self.urgency:
            raise WrongType("MucDoUuTien")
        return self.urgency[value]

    def code_of(self, urgency: str) -> Any:
        """The code of a class."""
        return next(code for code, name in self.urgency.items() if name == urgency)

    def read_feedback_state(self, value: object) -> str:
        """How a feedback stands, in words. Raises WrongType."""
        self.check_code(value)
        states = {1: "accepted", 2: "refused", 3: "answered", "TN": "accepted", "TC": "refused", "TL": "answered"}
        if not isinstance(value, int | str) or value not in states:
            raise WrongType("TrangThai")
        return states[value]

    def check_code(self, value: object) -> None:
        """Whether it is a code at all. Raises WrongType."""
        if isinstance(value, bool) or not isinstance(value, int if self.name == "epoch" else str):
            raise WrongType("code")


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise WrongType("not a number")
    return value


def _matching(value: object, shape: str) -> str:
    if not isinstance(value, str) or not re.fullmatch(shape, value, re.ASCII):
        raise WrongType("not in the form wanted")
    return value


CONVENTIONS = {
    "epoch": Convention(
        "epoch", {1: ORDINARY, 2: PRIORITY, 3: EMERGENCY}, idle=0, playing=1, broken=2, connected=1, cut_off=0,
        played=1, shown=2, names={"bulletin": "BanTinId", "source": "NguonId"},
    ),
    "iso": Convention(
        "iso", {"TT": ORDINARY, "UT": PRIORITY, "KC": EMERGENCY}, idle="SS", playing="DP", broken="HONG",
        connected="KN", cut_off="MKN", played="PHAT", shown="HIEN", names={"bulletin": "BanTinID", "source": "NguonID"},
    ),
}  # fmt: skip
