"""Characters: two views of a text, with accents and without, each tied to the original's code points."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from nlp.remembered import Remembered

# Letters of other alphabets that look Latin, the several forms of đ, and typographic marks.
_LOOKALIKES = str.maketrans(
    "аеорсухіјѕһԁԛԝοανιðɖı" + "‘’‚′`´“”„«»‐‑‒–—―−⁄",
    "aeopcyxijshdqwoaviđđi" + "''''''" + '"""""' + "-------/",
)
_NO_MARKS = str.maketrans({"đ": "d", "ł": "l", "ø": "o", "æ": "ae", "œ": "oe", "ß": "ss"})
_FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
_MOST_MARKS = 8


def _is_ignorable(char: str) -> bool:
    """Zero-width characters, variation selectors and controls: they change nothing a reader sees."""
    if char in _FILLERS or "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef":
        return True
    return unicodedata.category(char) in ("Cf", "Cc") and not char.isspace()


def _settled(step: Callable[[str], str], text: str) -> str:
    """Repeat a rewriting until it changes nothing, so that doing it twice is doing it once."""
    for _ in range(6):
        rewritten = step(text)
        if rewritten == text:
            break
        text = rewritten
    return text


def _accented_step(text: str) -> str:
    kept = "".join(c for c in text if not _is_ignorable(c))
    return unicodedata.normalize("NFKC", kept).lower().translate(_LOOKALIKES)


def _folded_step(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    kept = "".join(c for c in decomposed if not unicodedata.combining(c) and not _is_ignorable(c))
    return kept.lower().translate(_LOOKALIKES).translate(_NO_MARKS)


class _Table(dict[int, str]):
    """A translation table that works a character out when it is first met."""

    def __init__(self, step: Callable[[str], str]) -> None:
        super().__init__()
        self._step = step

    def __missing__(self, code: int) -> str:
        value = _settled(self._step, chr(code))
        self[code] = value
        return value


_ACCENTED = _Table(_accented_step)
_FOLDED = _Table(_folded_step)


def fold(text: str) -> str:
    """Lower case without accents, đ as d; the same for composed and decomposed spellings, and folded twice."""
    return text.translate(_FOLDED)


# What stands between two spaces is mostly a word.
_PIECES = Remembered(fold)
_LETTERS = "aăâbcdđeêghiklmnoôơpqrstuưvxyfjwz"
_MARKS = "\u0300\u0301\u0303\u0309\u0323"
_TONED = {unicodedata.normalize("NFC", letter + mark) for letter in "aăâeêioôơuưy" for mark in _MARKS}
# What most messages are made of: here the accented view is the lower case.
_ORDINARY = frozenset(map(chr, (*range(0x20, 0x60), *range(0x61, 0x7F)))) | {"\n", *_LETTERS, *_TONED}
_ORDINARY |= {letter.upper() for letter in _ORDINARY}
_STRANGE = re.compile(f"[^{re.escape(''.join(sorted(_ORDINARY)))}]")


def is_ordinary(text: str) -> bool:
    """Whether a text has nothing but ASCII and the letters of Vietnamese, composed."""
    return _STRANGE.search(text) is None


@lru_cache(maxsize=4096)
def _is_simple(char: str) -> bool:
    return len(_FOLDED[ord(char)]) == 1 and len(_ACCENTED[ord(char)]) == 1 and not unicodedata.combining(char)


@dataclass(slots=True)
class Views:
    """Both views of a text as cells: one base character of the original with the marks that follow it.

    `accented[i]` is cell i with accents; `folded` is one string and `cell_of[j]` the cell of its j-th character;
    `starts` and `ends` give each cell's code points in the original. `is_ordinary`: see the function of that name.
    """

    folded: str
    cell_of: Sequence[int]
    accented: Sequence[str]
    starts: Sequence[int]
    ends: Sequence[int]
    is_ordinary: bool = False


# Whoever reads a message looks at it more than once.
@lru_cache(maxsize=2)
def views(text: str) -> Views:
    """Both views of any string, in linear time."""
    is_plain = _STRANGE.search(text) is None
    if is_plain:
        accented = text.lower()
        folded = accented if accented.isascii() else " ".join(map(_PIECES.__getitem__, accented.split(" ")))
    elif all(map(_is_simple, set(text))):
        accented, folded = text.translate(_ACCENTED), text.translate(_FOLDED)
    else:
        return _views_by_cluster(text)
    places = range(len(text))
    return Views(folded, places, accented, places, range(1, len(text) + 1), is_plain)


def _views_by_cluster(text: str) -> Views:
    starts = [i for i, c in enumerate(text) if i == 0 or not (unicodedata.combining(c) or _is_ignorable(c))]
    ends = [*starts[1:], len(text)]
    folded: list[str] = []
    cell_of: list[int] = []
    accented: list[str] = []
    for cell, (start, end) in enumerate(zip(starts, ends, strict=True)):
        # Sorting marks is quadratic in Unicode libraries: nobody writes more than a few on one letter.
        cluster = "".join(c for c in text[start:end] if not _is_ignorable(c))[: _MOST_MARKS + 1]
        accented.append(_settled(_accented_step, cluster))
        plain = cluster.translate(_FOLDED)
        folded.append(plain)
        cell_of.extend([cell] * len(plain))
    return Views("".join(folded), cell_of, accented, starts, ends)


_TONES = {"\u0300": "1", "\u0301": "2", "\u0323": "3", "\u0309": "4", "\u0303": "4"}


def _accent_key(word: str) -> str:
    tone = ""
    letters = []
    for char in unicodedata.normalize("NFD", word):
        if char in _TONES:
            tone = _TONES[char]
        else:
            letters.append(char)
    # The same key is the same object, so that two are compared at once.
    return sys.intern("".join(letters) + tone)


ACCENT_KEYS = Remembered(_accent_key)


def accent_key(word: str) -> str:
    """A word's letters and tone, wherever the tone is written (hoà, hòa); hỏi and ngã count as one tone,
    because half the country writes them alike.
    """
    return ACCENT_KEYS[word]
