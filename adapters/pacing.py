"""Pacing: at which moments messages may leave, so that no second ever holds more than the channel allows."""

from __future__ import annotations

import math
from collections.abc import Sequence

MOST_REMEMBERED = 200  # above so many a second the time that is looked at is shorter than a second
CATCHING_UP = 1.25  # how much faster than its rate a channel goes that has fallen behind
FORGOTTEN_AFTER = 3.0  # spans: after a pause that long there is nothing left to make up for


def window(rate: float) -> tuple[int, float]:
    """How many messages may leave within how many seconds, at this rate a second."""
    most = max(1, min(int(rate), MOST_REMEMBERED))
    return most, most / rate


def next_slot(taken: Sequence[float], earliest: float, rate: float, room: float) -> float:
    """The next moment, in seconds, at which a message may leave; not before `earliest`.

    `taken`: earlier slots in order, at least the latest that `window` speaks of. `room`: by how much a message may
    leave later than its slot. Slots are a rate's distance apart; after a hold-up they come a little faster, but never
    so that `window` is broken, wherever one begins to count.
    """
    if not taken or math.isinf(rate):
        return earliest
    most, span = window(rate)
    before = taken[-most] if len(taken) >= most else None
    if before is None or before + FORGOTTEN_AFTER * span < earliest:
        return max(earliest, taken[-1] + (span + room) / most)
    return max(earliest, taken[-1] + span / most / CATCHING_UP, before + span + room)


def remembered(taken: Sequence[float], rate: float) -> list[float]:
    """The slots that the next ones depend on."""
    return [] if math.isinf(rate) else list(taken[-window(rate)[0] :])
