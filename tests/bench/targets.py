"""Targets: floors of a benchmark, judged with the spread of its rounds in mind."""

from __future__ import annotations

import statistics
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """A floor that must be kept, unless the spread of the rounds explains the gap."""

    name: str
    must: float
    at_most: bool = False

    @property
    def sign(self) -> str:
        """How the floor is written."""
        return "≤" if self.at_most else "≥"

    def verdict(self, values: list[float]) -> str:
        """ "ok", "within spread" or "MISSED"."""
        middle, spread = statistics.median(values), max(values) - min(values)
        if (middle <= self.must) if self.at_most else (middle >= self.must):
            return "ok"
        reach = middle - spread if self.at_most else middle + spread
        return "within spread" if ((reach <= self.must) if self.at_most else (reach >= self.must)) else "MISSED"


# An announcement to many (tests/bench/pace.py), in every second from any message on.
PACE = {"share": 0.95, "busiest": 1.0, "reply_p95_s": 2.0}

# A bulletin to a million (tests/bench/broadcast.py). `grown`: of a process's memory, over the whole watch.
BROADCAST = {
    "created_s": Target("all deliveries are written down", 60.0, at_most=True),
    "share": Target("sent, of the rate", 0.95),
    "lag_s": Target("the page is behind", 2.0, at_most=True),
    "reply_p95_s": Target("a reply arrives", 2.0, at_most=True),
    "grown": Target("memory grows", 0.05, at_most=True),
}
