"""Accents: how words written without diacritics probably read, as a help for the eye; unsure words stay as written.

A word is judged by the words beside it: counts of words and of pairs, put together over all ways to read the line
(forward and backward). The file is made by `nlp.accents_training`, carries its SHA-256 and is refused when a byte of it
differs.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
import zlib
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from nlp.characters import fold
from nlp.loading import uncollected

ACCENTS_FILE = Path(__file__).parent / "data" / "accents.model"
MAGIC = b"HCACC1\n"
# A word is written out when it is this surely read so, and a line is told when so many of its words are. Measured in
# tests/nlp/test_accents.py.
SURE, ENOUGH = 0.9, 0.7
FEWEST_WORDS, MOST_WORDS = 4, 120
_WORD = re.compile(r"[^\W\d_]+")
_PAUSE = re.compile(r"[.!?;:\n]")
_DISCOUNT = 0.6
_OF_USE, _OF_COMPANY = 0.7, 0.3  # how much a word's own count says, and beside how many others it stands
_UNKNOWN = 1e-7


class BadAccents(ValueError):
    """The file is not as it was written."""


class Accents:
    """The counts, ready to judge. `words`: number 0 is the edge of a line."""

    def __init__(self, about: dict[str, Any]) -> None:
        words: list[str] = about["words"]
        self.words: Final = words
        followed, beside, before = about["followed"], about["beside"], about["before"]
        many, pairs = sum(about["counts"]), sum(before)
        self._alone: Final = [
            _OF_USE * count / many + _OF_COMPANY * least / pairs + _UNKNOWN
            for count, least in zip(about["counts"], before, strict=True)
        ]
        self._left_over: Final = [
            min(1.0, _DISCOUNT * about["unit"] * others / total) if total else 1.0
            for total, others in zip(followed, beside, strict=True)
        ]
        self._size: Final = len(words)
        self._after: Final = _chances(about, followed, self._size)
        self._ways: Final = _ways(words, about["counts"])

    @classmethod
    def load(cls, path: Path) -> Accents:
        """The counts in a file; raises BadAccents, or OSError when there is none."""
        content = path.read_bytes()
        body = content[len(MAGIC) + 32 :]
        if content[: len(MAGIC)] != MAGIC or content[len(MAGIC) : len(MAGIC) + 32] != hashlib.sha256(body).digest():
            raise BadAccents("the checksum does not match")
        with uncollected():
            return cls(json.loads(zlib.decompress(body)))

    def read(self, text: str) -> str:
        """The text as it probably reads; "" when it has accents, is too short, or too little of it is sure."""
        text = unicodedata.normalize("NFC", text)
        found = list(_WORD.finditer(text))
        if not FEWEST_WORDS <= len(found) <= MOST_WORDS or any(fold(m[0]) != m[0].lower() for m in found):
            return ""
        guesses = [guess for line in _lines(text, found) for guess in self.guess([m[0].lower() for m in line])]
        sure = [word if chance >= SURE else "" for word, chance in guesses]
        if sum(map(bool, sure)) < ENOUGH * len(found) or all(
            word in ("", m[0].lower()) for word, m in zip(sure, found, strict=True)
        ):
            return ""
        out: list[str] = []
        since = 0
        for word, match in zip(sure, found, strict=True):
            out += text[since : match.start()], _cased(word, match[0]) if word else match[0]
            since = match.end()
        return "".join((*out, text[since:]))

    def guess(self, folded: Sequence[str]) -> list[tuple[str, float]]:
        """For each folded word of a line the way it reads best, and how surely; unknown words as they are, at 0."""
        columns = [self._ways.get(word, ()) for word in folded]
        steps = [(0,), *(column or (0,) for column in columns), (0,)]  # what is unknown parts a line
        tables = [self._table(one, other) for one, other in pairwise(steps)]
        ahead = [[1.0]]
        for table in tables[:-1]:
            ahead.append(_scaled([sum(map(float.__mul__, ahead[-1], way)) for way in zip(*table, strict=True)]))
        back = [1.0]
        guesses: list[tuple[str, float]] = []
        for at in range(len(columns), 0, -1):
            back = _scaled([sum(map(float.__mul__, way, back)) for way in tables[at]])
            both = _scaled(list(map(float.__mul__, ahead[at], back)))
            best = max(range(len(both)), key=both.__getitem__)
            known = columns[at - 1]
            guesses.append((self.words[known[best]], both[best]) if known else (folded[at - 1], 0.0))
        return guesses[::-1]

    def _table(self, one: Sequence[int], other: Sequence[int]) -> list[list[float]]:
        after, size, alone = self._after, self._size, self._alone
        return [
            [after.get(first * size + second, 0.0) + left * alone[second] for second in other]
            for first in one
            for left in (self._left_over[first],)
        ]


@cache
def shipped() -> Accents:
    """The counts that ship, read when they are first asked for."""
    return Accents.load(ACCENTS_FILE)


def _chances(about: dict[str, Any], followed: Sequence[int], size: int) -> dict[int, float]:
    discount, key, found = _DISCOUNT * about["unit"], 0, {}
    for step, count in zip(about["pairs"], about["pair_counts"], strict=True):
        key += step
        found[key] = (count - min(discount, count)) / followed[key // size]
    return found


def _ways(words: Sequence[str], counts: Sequence[int]) -> dict[str, tuple[int, ...]]:
    """For each folded word the ways it is written, the usual first; slips are left out."""
    ways: dict[str, list[int]] = {}
    for number, word in enumerate(words):
        if number:
            ways.setdefault(fold(word), []).append(number)
    kept = {}
    for word, numbers in ways.items():
        most = sum(counts[number] for number in numbers)
        usual = sorted((n for n in numbers if counts[n] >= _SLIP * most), key=lambda n: (-counts[n], n))
        kept[word] = tuple(usual[:_MOST_WAYS])
    return kept


_SLIP, _MOST_WAYS = 0.002, 8


def _lines(text: str, found: Sequence[re.Match[str]]) -> list[list[re.Match[str]]]:
    """The words between two pauses."""
    lines: list[list[re.Match[str]]] = [[]]
    for before, match in zip((None, *found), found, strict=False):
        if before is not None and _PAUSE.search(text, before.end(), match.start()):
            lines.append([])
        lines[-1].append(match)
    return lines


def _scaled(values: list[float]) -> list[float]:
    most = sum(values)
    return [value / most for value in values]


def _cased(word: str, like: str) -> str:
    if len(like) > 1 and like.isupper():
        return word.upper()
    return word[0].upper() + word[1:] if like[0].isupper() else word
