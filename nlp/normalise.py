"""Normalise: a citizen's spelling as plain words, each still tied to where it stands in the original."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from nlp.characters import Views, accent_key, fold
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


_Written = tuple[str, list[tuple[str, str]], RawWord]


@dataclass(frozen=True, eq=False)
class Normalised:
    """A text read twice: `accented` (NFC, lower case) and `folded` (no accents, shorthand written out).

    `line` is the words alone, " o ga | ngap ", with a bar where the writer paused; `line_tokens` gives the token
    after each space of it; `accent_keys`: of each token's accents (see `accent_key`). `is_accented`: the writer uses
    accents, so a missing one means something; `is_bare`: there is not one. `findings`: what one step of a reading has
    found and another will ask for again. The two views are put together when they are asked for.
    """

    original: str
    tokens: tuple[Token, ...]
    line: str
    line_tokens: dict[int, int]
    accent_keys: tuple[str, ...]
    is_accented: bool
    is_bare: bool
    _seen: Views
    _written: Sequence[_Written]
    _tail: str
    findings: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def accented(self) -> str:
        """The text in NFC and lower case."""
        return "".join(self._seen.accented)

    @property
    def folded(self) -> str:
        """The text without accents, shorthand written out."""
        return self._folded.text

    @cached_property
    def _folded(self) -> _Folded:
        return _Folded(self._written, self._tail, len(self.original))

    @cached_property
    def _accented_at(self) -> tuple[Sequence[int], Sequence[int]]:
        return _accented_offsets(self._seen)

    def accented_span(self, start: int, end: int) -> tuple[int, int]:
        """Where a piece of `accented` stands in the original, as code point offsets."""
        return _original(self._accented_at, start, end)

    def folded_span(self, start: int, end: int) -> tuple[int, int]:
        """Where a piece of `folded` stands in the original, as code point offsets."""
        return _original((self._folded.starts, self._folded.ends), start, end)

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
    with_accents = sum([raw.accented != raw.word for raw in raws])
    is_accented = with_accents > 0 and with_accents >= _ACCENTED_SHARE * sum([raw.word.isalpha() for raw in raws])
    written = _Writer(raws, with_accents > 0).written()
    tokens: list[Token] = []
    line: list[str] = []
    line_tokens: dict[int, int] = {}
    length = 0
    for gap, replacement, (_, _, start, end, _) in written:
        if gap != " " and tokens and _PAUSE.search(gap):
            line.append("|")
            length += 2
        for word, accented in replacement:
            line_tokens[length] = len(tokens)
            line.append(word)
            length += len(word) + 1
            # Twice as fast as calling the class, and done for every word.
            tokens.append(tuple.__new__(Token, (word, accented, start, end)))
    if tokens and _PAUSE.search(tail):
        line.append("|")
    return Normalised(
        original=text,
        tokens=tuple(tokens),
        line=f" {' '.join(line)} " if line else " ",
        line_tokens=line_tokens,
        accent_keys=tuple([accent_key(token[1]) for token in tokens]),
        is_accented=is_accented,
        is_bare=with_accents == 0 and all(token.accented in (token.word, "") for token in tokens),
        _seen=seen,
        _written=written,
        _tail=tail,
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
    """The folded view: its text, and where each character of it stands in the original."""

    def __init__(self, words: Sequence[_Written], tail: str, size: int) -> None:
        self._parts: list[str] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        for gap, replacement, raw in words:
            self._gap(gap, raw.start)
            for number, (word, _) in enumerate(replacement):
                self._text(f" {word}" if number else word, raw.start, raw.end)
        self._gap(tail, size)
        self.text = "".join(self._parts)

    def _gap(self, gap: str, until: int) -> None:
        plain = _SPACE.sub(" ", gap)
        plain = plain if self._parts else plain.lstrip()
        since = self.ends[-1] if self.ends else 0
        # Between two words that were stuck together there is nothing: the space stands where the first is.
        self._text(plain, since if until > since or not self.starts else self.starts[-1], max(until, since))

    def _text(self, text: str, start: int, end: int) -> None:
        if text:
            self._parts.append(text)
            self.starts.extend([start] * len(text))
            self.ends.extend([end] * len(text))


class _Writer:
    """Writes shorthand out, word by word, looking one word to either side."""

    def __init__(self, raws: list[RawWord], has_accents: bool) -> None:
        self._raws = raws
        self._has_accents = has_accents
        self._kept = [is_kept(raw.word) for raw in raws]
        odd = [raw.word for raw, kept in zip(raws, self._kept, strict=True) if not kept]
        telex = sum(from_telex(word) is not None and word not in ALWAYS for word in odd)
        vni = sum(from_vni(word) is not None for word in odd)
        self._is_telex, self._is_vni = telex > 1, vni > 1

    def written(self) -> list[_Written]:
        """Each word with the gap before it and the words (folded, accented) that stand for it."""
        out: list[_Written] = []
        was_kept = True
        for at, (raw, kept) in enumerate(zip(self._raws, self._kept, strict=True)):
            word, accented, _, _, gap = raw
            if not was_kept and self._is_dotted(at - 1):
                gap = " "
            is_same = kept and accented not in BY_ACCENTS
            out.append((gap, [(word, accented)] if is_same else self._word(at), raw))
            was_kept = kept
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


# Words that may stand for others by their accents.
BY_ACCENTS = frozenset({"răng", *EXACT})


@lru_cache(maxsize=16384)
def is_kept(word: str) -> bool:
    """Whether a folded word stays as it is whatever stands around it, but for what its accents say."""
    if word in ALWAYS or word in BEFORE_NAME or word in BEFORE_NUMBER or _JOINED.match(word):
        return False
    return from_telex(word) is None and from_vni(word) is None


def _count_units(out: list[_Written], has_accents: bool) -> None:
    """Write the number of a village as a figure: "xóm bảy" is xóm 7."""
    for at in range(1, len(out)):
        if out[at - 1][1][-1][0] not in UNITS:
            continue
        gap, words, _ = out[at]
        if not gap.isspace() or len(words) != 1:
            continue
        if at + 1 < len(out) and out[at + 1][1][0][0] in NOT_COUNTED:
            continue
        if _ends_city(out, at):
            continue
        word, accented = words[0]
        figure = NUMBER_WORDS.get(word) or (NUMBER_WORDS_EXACT.get(accented) if has_accents else None)
        if figure:
            words[0] = (figure, figure)


def _ends_city(out: list[_Written], at: int) -> bool:
    """Whether the "phố" before is that of "thành phố": Tam Kỳ is a city, no eighth street."""
    before = [word for _, words, _ in out[max(0, at - 2) : at] for word, _ in words]
    return before[-2:] == ["thanh", "pho"]
