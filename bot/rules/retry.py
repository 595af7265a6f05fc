"""When to try a delivery again, and when to stop."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

FIRST_SECONDS = 5.0
LONGEST_SECONDS = 1800.0
MOST_DOUBLINGS = 16


def next_try(now: datetime, tries: int, *, at_least: float = 0.0, jitter: random.Random | None = None) -> datetime:
    """After `tries` failures: doubling pauses up to half an hour, spread so that many do not return at once."""
    pause = min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** min(MOST_DOUBLINGS, max(0, tries - 1)))
    spread = (jitter or random).uniform(0.8, 1.2)
    return now + timedelta(seconds=max(at_least, pause * spread))
