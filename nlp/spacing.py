"""Spacing: letters written apart, letters held down, and words stuck together, put right word by word.

What is done depends on the folded letters alone, so that doing it again changes nothing.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from nlp.characters import fold
from nlp.keystrokes import is_syllable
from nlp.prepared import prepared

_DATA = Path(__file__).parent / "data"
_PART = "vocabulary"
_LISTS = ("lexicon.tsv", "topics.tsv", "intents.tsv", "urgency.tsv", "sealed.tsv")
# The ends of fields and rows too, so that no two words follow each other across one.
_WORD_OR_EDGE = re.compile(r"[a-z]+|[\t\n]")
_HELD = re.compile(r"([a-z])\1{2,}")
_REPEATED = re.compile(r"([a-z])\1+")
_SHORTEST, _LONGEST = 5, 28
_MOST_PARTS = 4
# Joined by habit or borrowed, and syllables by accident.
_ONE_WORD = frozenset({
    "camera", "karaoke", "internet", "online", "video", "photo", "hotline", "canteen", "banner", "game", "laptop",
    "marathon", "panel", "sonar", "salon", "alone", "chinese", "machine", "national", "cantin", "tiki", "radio",
})  # fmt: skip


@cache
def _vocabulary() -> tuple[frozenset[str], frozenset[tuple[str, str]]]:
    """The words of the word lists, and which two follow each other in a phrase."""
    kept = prepared(_PART)
    if kept is not None:
        return frozenset(kept["words"]), frozenset(map(tuple, kept["pairs"]))
    return _read_vocabulary()


def _read_vocabulary() -> tuple[frozenset[str], frozenset[tuple[str, str]]]:
    words: set[str] = set(_ONE_WORD)
    pairs: set[tuple[str, str]] = set()
    for name in _LISTS:
        lines = fold((_DATA / name).read_text(encoding="utf-8")).splitlines()
        found = _WORD_OR_EDGE.findall("\n".join(line for line in lines if not line.startswith("#")))
        words.update(found)
        pairs.update(pairwise(found))
    return frozenset(words), frozenset(pairs)


def vocabulary_to_keep() -> dict[str, Any]:
    """The same as plain JSON values."""
    words, pairs = _read_vocabulary()
    return {_PART: {"words": sorted(words), "pairs": sorted(pairs)}}


def is_everyday_pair(first: str, second: str) -> bool:
    """Whether two folded words stand next to each other in some phrase of the word lists."""
    return (first, second) in _vocabulary()[1]


@lru_cache(maxsize=8192)
def unheld(word: str) -> str:
    """A folded word without the letters held down, "ngapppp" and "quaaaa"; "" when it has none, or is no syllable."""
    if _HELD.search(word) is None:
        return ""
    short = _REPEATED.sub(r"\1", word)
    return short if len(short) > 1 and is_syllable(short) else ""


@lru_cache(maxsize=8192)
def parted(word: str) -> tuple[str, ...]:
    """The syllables stuck together in a folded word, two to four; empty when it is a word, or when nobody can tell.

    Every two syllables in a row must stand so in some phrase of the word lists, or, of three and more, all but one.
    """
    if not _SHORTEST <= len(word) <= _LONGEST or not word.isascii() or not word.isalpha() or is_syllable(word):
        return ()
    words, pairs = _vocabulary()
    if word in words:
        return ()
    best: tuple[int, tuple[str, ...]] = (99, ())
    for parts in _splits(word, words, _MOST_PARTS):
        if len(parts) < 2:
            continue
        # A letter alone ("ô nhiễm") is only believed in a known phrase.
        unknown = sum(1 + any(len(part) == 1 for part in pair) for pair in pairwise(parts) if pair not in pairs)
        if unknown <= (len(parts) > 2) and (unknown, len(parts)) < (best[0], len(best[1]) or 9):
            best = (unknown, parts)
    return best[1]


def _splits(word: str, words: frozenset[str], most: int) -> list[tuple[str, ...]]:
    """All ways to write a word as at most so many syllables of the word lists."""
    if not word:
        return [()]
    if not most:
        return []
    found: list[tuple[str, ...]] = []
    for size in range(1, min(7, len(word)) + 1):
        first = word[:size]
        if first in words and is_syllable(first):
            found += [(first, *rest) for rest in _splits(word[size:], words, most - 1)]
    return found


@lru_cache(maxsize=2048)
def spelled(letters: str) -> tuple[str, ...]:
    """The words spelled letter by letter: one syllable, or several; empty when there are none."""
    if is_syllable(letters):
        return (letters,)
    return parted(letters)
