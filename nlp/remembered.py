"""Remembered: what a function says of a word, kept for the words in use, and looked up as fast as in a dict."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

V = TypeVar("V")
_MOST, _LONGEST = 20_000, 40


class Remembered(dict[str, V]):
    """A function's answers by the word it is asked about.

    All are let go when there are too many, and those about what is too long for a word are not kept.
    """

    def __init__(self, function: Callable[[str], V]) -> None:
        super().__init__()
        self._function = function

    def __missing__(self, word: str) -> V:
        value = self._function(word)
        if len(word) <= _LONGEST:
            if len(self) >= _MOST:
                self.clear()
            self[word] = value
        return value
