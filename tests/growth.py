"""Growth: whether work grows with its input or with its square, by the time the processor spends on it."""

from __future__ import annotations

import time
from collections.abc import Callable

PARTS, ROUNDS = 4, 3
# Four times as much takes 4 times as long if the work is even, 16 times if it is square.
MOST = 9.0


def grows_evenly(act: Callable[[str], object], text: str) -> bool:
    """Whether the whole text takes about as many times longer than a quarter of it as it is longer."""
    act(text[:50])
    quarter, whole = (min(_took(act, part) for _ in range(ROUNDS)) for part in (text[: len(text) // PARTS], text))
    return whole < MOST * quarter + 0.01


def _took(act: Callable[[str], object], text: str) -> float:
    begun = time.thread_time()
    act(text)
    return time.thread_time() - begun
