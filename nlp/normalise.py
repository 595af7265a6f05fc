"""Normalise: a citizen's spelling as plain words, each still tied to where it stands in the original."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from nlp.characters import Views, fold
from nlp.keystrokes import from_telex, from_vni
from nlp.raw_words import RawWord, is_full_stop, raw_words, read_views
from nlp.shorthand import (
    ALWAYS,
    BEFORE_NAME,
    BEFORE_NUMBER,
    EXACT,
    JOINED_TO_NUMBER,
    NOT_COUNTED,
    NUMBER_WORDS,
    NUMBER_WORDS_EXACT,
    RANG_AFTER,
    UNITS,
)

__all__ = ["Normalised", "Token", "fold", "normalise"]

_SPACE = re.compile(r"\s+")
_JOINED = re.compile(rf"({'|'.join(sorted(JOINED_TO_NUMBER, key=len, reverse=True))})(\d{{1,4}}[a-z]?)\Z")
_PAUSE = re.compile(r"[.,;:!?\n()]")
_ACCENTED_SHARE = 0.3


class Token(NamedTuple):
    """A word without accents, the same with accents ("" when unknown), and its place in the original."""

    word: str
    accented: str
    start: int
    end: int


@dataclass(frozen=True)
class Normalised:
    """A text read twice: `accented` (NFC, lower case) and `folded` (no accents, shorthand written out).

    `line` is the words alone, " o ga | ngap ", with a bar where the writer paused; `line_tokens` gives the token
    after each space of it. `is_accented`: the writer uses accents, so a missing one means something.
    """

    original: str
    accented: str
    folded: str
    tokens: tuple[Token, ...]
    line: str
    line_tokens: dict[int, int]
    is_accented: bool
    _accented_at: tuple[Sequence[int], Sequence[int]]
    _folded_at: tuple[Sequence[int], Sequence[int]]

    def accented_span(self, start: int, end: int) -> tuple[int, int]:
        """Where a piece of `accented` stands in the original, as code point offsets."""
        return _original(self._accented_at, start, end)

    def folded_span(self, start: int, end: int) -> tuple[int, int]:
        """Where a piece of `folded` stands in the original, as code point offsets."""
        return _original(self._folded_at, start, end)

    def token_span(self, first: int, last: int) -> tuple[int, int]:
        """Where tokens [first, last) stand in the original."""
        return self.tokens[first].start, self.tokens[last - 1].end


def _original(at: tuple[Sequence[int], Sequence[int]], start: int, end: int) -> tuple[int, int]:
    if start >= end:
        return 0, 0
    return at[0][start], at[1][end - 1]


def normalise(text: str) -> Normalised:
    """Both views of any string at all; normalising the folded view again changes nothing."""
    seen = read_views(text)
    raws, tail = raw_words(seen)
    with_accents = sum(raw.accented != raw.word for raw in raws)
    letters = sum(raw.word.isalpha() for raw in raws)
    is_accented = with_accents > 0 and with_accents >= _ACCENTED_SHARE * letters
    words = _Writer(raws, with_accents > 0).written()
    folded = _Folded()
    for gap, replacement, raw in words:
        folded.add(gap, replacement, raw)
    folded.gap(tail, len(text))
    return Normalised(
        original=text,
        accented="".join(seen.accented),
        folded="".join(folded.parts),
        tokens=tuple(folded.tokens),
        line="".join(folded.line) + " ",
        line_tokens=folded.line_tokens,
        is_accented=is_accented,
        _accented_at=_accented_offsets(seen),
        _folded_at=(folded.starts, folded.ends),
    )


def _accented_offsets(seen: Views) -> tuple[Sequence[int], Sequence[int]]:
    if isinstance(seen.accented, str):
        return seen.starts, seen.ends
    starts: list[int] = []
    ends: list[int] = []
    for cell, part in enumerate(seen.accented):
        starts.extend([seen.starts[cell]] * len(part))
        ends.extend([seen.ends[cell]] * len(part))
    return starts, ends


class _Folded:
    """The folded view while it is written: text, offsets, tokens and the line of words."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.tokens: list[Token] = []
        self.line: list[str] = []
        self.line_tokens: dict[int, int] = {}
        self._line_length = 0

    def add(self, gap: str, replacement: list[tuple[str, str]], raw: RawWord) -> None:
        self.gap(gap, raw.start)
        for number, (word, accented) in enumerate(replacement):
            if number:
                self._text(" ", raw.start, raw.end)
            self._text(word, raw.start, raw.end)
            self.line_tokens[self._line_length] = len(self.tokens)
            self._line(" " + word)
            self.tokens.append(Token(word, accented, raw.start, raw.end))

    def gap(self, gap: str, until: int) -> None:
        if self.tokens and _PAUSE.search(gap):
            self._line(" |")
        is_edge = not self.parts or until == -1
        plain = _SPACE.sub(" ", gap)
        plain = plain.lstrip() if is_edge else plain
        since = self.ends[-1] if self.ends else 0
        # Between two words that were stuck together there is nothing: the space stands where the first is.
        self._text(plain, since if until > since or not self.starts else self.starts[-1], max(until, since))

    def _text(self, text: str, start: int, end: int) -> None:
        if text:
            self.parts.append(text)
            self.starts.extend([start] * len(text))
            self.ends.extend([end] * len(text))

    def _line(self, text: str) -> None:
        self.line.append(text)
        self._line_length += len(text)


class _Writer:
    """Writes shorthand out, word by word, looking one word to either side."""

    def __init__(self, raws: list[RawWord], has_accents: bool) -> None:
        self._raws = raws
        self._has_accents = has_accents
        telex = sum(from_telex(raw.word) is not None and raw.word not in ALWAYS for raw in raws)
        vni = sum(from_vni(raw.word) is not None for raw in raws)
        self._is_telex, self._is_vni = telex > 1, vni > 1

    def written(self) -> list[tuple[str, list[tuple[str, str]], RawWord]]:
        """Each word with the gap before it and the words (folded, accented) that stand for it."""
        out: list[tuple[str, list[tuple[str, str]], RawWord]] = []
        for at, raw in enumerate(self._raws):
            gap = raw.gap
            if at and self._is_dotted(at - 1):
                gap = " "
            out.append((gap, self._word(at), raw))
        _count_units(out, self._has_accents)
        return out

    def _is_dotted(self, at: int) -> bool:
        """Whether this is an abbreviation whose full stop belongs to it: "p. Dĩ An"."""
        if at + 1 == len(self._raws) or not is_full_stop(self._raws[at + 1].gap):
            return False
        word = self._raws[at].word
        if word in BEFORE_NAME:
            return not (at and self._raws[at - 1].word[-1].isdigit())
        return word in ("tp", "kp", "tdp", "dg")

    def _word(self, at: int) -> list[tuple[str, str]]:
        raw = self._raws[at]
        long = self._abbreviation(at) or self._always(at) or self._exact(at)
        if long:
            return [(fold(word), word) for word in long.split()]
        joined = _JOINED.match(raw.word)
        if joined and self._is_vni and self._followed_by_number(at):
            return [(joined[1], "")]
        if joined:
            return [(fold(w), w) for w in JOINED_TO_NUMBER[joined[1]].split()] + [(joined[2], joined[2])]
        typed = self._decoded(raw.word)
        return [(typed, "")] if typed else [(raw.word, raw.accented)]

    def _followed_by_number(self, at: int) -> bool:
        following = self._raws[at + 1 : at + 2]
        return bool(following) and following[0].word[0].isdigit() and following[0].gap.isspace()

    def _abbreviation(self, at: int) -> str | None:
        word = self._raws[at].word
        if word in BEFORE_NAME and self._is_dotted(at):
            return BEFORE_NAME[word]
        if word in BEFORE_NUMBER and self._followed_by_number(at):
            return BEFORE_NUMBER[word]
        return None

    def _always(self, at: int) -> str | None:
        word = self._raws[at].word
        if word == "k" and at and self._raws[at - 1].word.isdigit():
            return None
        return ALWAYS.get(word)

    def _exact(self, at: int) -> str | None:
        if not self._has_accents:
            return None
        accented = self._raws[at].accented
        following = self._raws[at + 1] if at + 1 < len(self._raws) else None
        if accented == "răng":
            return "sao" if following and following.accented in RANG_AFTER else None
        rule = EXACT.get(accented)
        if rule is None or (following and following.word in rule[2]):
            return None
        return None if at and self._raws[at - 1].word in rule[1] else rule[0]

    def _decoded(self, word: str) -> str | None:
        telex = from_telex(word)
        if telex and (telex[1] or self._is_telex):
            return telex[0]
        vni = from_vni(word)
        if vni and (vni[1] or self._is_vni):
            return vni[0]
        return None


def _count_units(out: list[tuple[str, list[tuple[str, str]], RawWord]], has_accents: bool) -> None:
    """Write the number of a village as a figure: "xóm bảy" is xóm 7."""
    for at in range(1, len(out)):
        gap, words, _ = out[at]
        if not gap.isspace() or len(words) != 1 or out[at - 1][1][-1][0] not in UNITS:
            continue
        if at + 1 < len(out) and out[at + 1][1][0][0] in NOT_COUNTED:
            continue
        if _ends_city(out, at):
            continue
        word, accented = words[0]
        figure = NUMBER_WORDS.get(word) or (NUMBER_WORDS_EXACT.get(accented) if has_accents else None)
        if figure:
            words[0] = (figure, figure)


def _ends_city(out: list[tuple[str, list[tuple[str, str]], RawWord]], at: int) -> bool:
    """Whether the "phố" before is that of "thành phố": Tam Kỳ is a city, no eighth street."""
    before = [word for _, words, _ in out[max(0, at - 2) : at] for word, _ in words]
    return before[-2:] == ["thanh", "pho"]
