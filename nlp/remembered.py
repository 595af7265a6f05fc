"""Remembered: what a function says of a word, kept for the words in use, and looked up as fast as in a dict."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")
_MOST = 20_000


class Remembered(dict[K, V]):
    """A function's answers by what it is asked; all are let go when there are too many."""

    def __init__(self, function: Callable[[K], V], most: int = _MOST) -> None:
        super().__init__()
        self._function, self._most = function, most

    def __missing__(self, key: K) -> V:
        if len(self) >= self._most:
            self.clear()
        value = self[key] = self._function(key)
        return value
