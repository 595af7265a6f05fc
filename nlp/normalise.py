"""Normalise: a citizen's spelling as plain words, each still tied to where it stands in the original."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from operator import ne
from typing import Any

from nlp.characters import ACCENT_KEYS, Views, fold
from nlp.keystrokes import from_telex, from_vni
from nlp.raw_words import Raw, Token, in_columns, in_tokens, is_full_stop, raw_words, read_views
from nlp.remembered import Remembered
from nlp.shorthand import (
    ALWAYS,
    BEFORE_NAME,
    BEFORE_NUMBER,
    EXACT,
    JOINED_TO_NUMBER,
    NOT_COUNTED,
    NUMBER_SPELLINGS,
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


@dataclass(eq=False)
class Normalised:
    """A text read twice: `accented` (NFC, lower case) and `folded` (no accents, shorthand written out).

    `words`, `written`, `starts`, `ends` and `gaps`: what the tokens are made of, in columns. `line` is the words alone,
    " o ga | ngap ", with a bar where the writer paused; `line_tokens` gives the token after each space of it;
    `accent_keys`: of each token's accents (see `accent_key`). `is_accented`: the writer uses accents, so a missing one
    means something; `is_bare`: there is not one. `findings`: what one step of a reading has found and another will ask
    for again. The tokens and the two views are put together when they are asked for.
    """

    original: str
    words: Sequence[str]
    written: Sequence[str]
    starts: Sequence[int]
    ends: Sequence[int]
    gaps: Sequence[str]
    line: str
    line_tokens: dict[int, int]
    accent_keys: tuple[str, ...]
    is_accented: bool
    is_bare: bool
    _seen: Views
    _raw: Raw
    findings: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def tokens(self) -> tuple[Token, ...]:
        """The words one by one."""
        return tuple(in_tokens(self._raw))

    @cached_property
    def accented(self) -> str:
        """The text in NFC and lower case."""
        return "".join(self._seen.accented)

    @property
    def is_ordinary(self) -> bool:
        """Whether it has nothing but ASCII and the letters of Vietnamese, composed."""
        return self._seen.is_ordinary

    @property
    def folded(self) -> str:
        """The text without accents, shorthand written out."""
        return self._folded.text

    @cached_property
    def _folded(self) -> _Folded:
        return _Folded(self.tokens, self._raw.tail, len(self.original))

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
        return self.starts[first], self.ends[last - 1]


def _original(at: tuple[Sequence[int], Sequence[int]], start: int, end: int) -> tuple[int, int]:
    if start >= end:
        return 0, 0
    return at[0][start], at[1][end - 1]


def normalise(text: str) -> Normalised:
    """Both views of any string at all; normalising the folded view again changes nothing."""
    seen = read_views(text)
    raw = raw_words(seen)
    with_accents = sum(map(ne, raw.written, raw.words))
    is_accented = with_accents > 0 and with_accents >= _ACCENTED_SHARE * sum(map(str.isalpha, raw.words))
    words, written, starts, ends, gaps, tail, _ = out = _written_out(raw, has_accents=with_accents > 0)
    is_bare = with_accents == 0
    if is_bare and out is not raw:
        is_bare = all(accented in (word, "") for word, accented in zip(words, written, strict=True))
    line, line_tokens = _lined_up(words, gaps, tail)
    return Normalised(
        text, words, written, starts, ends, gaps, line, line_tokens,
        accent_keys=tuple(map(ACCENT_KEYS.__getitem__, written)),
        is_accented=is_accented,
        is_bare=is_bare,
        _seen=seen,
        _raw=out,
    )  # fmt: skip


def _lined_up(words: Sequence[str], gaps: Sequence[str], tail: str) -> tuple[str, dict[int, int]]:
    """The words in one line with a bar where the writer paused, and the token after each space of it."""
    if not words:
        return " ", {}
    pieces = list(words)
    if True in map(_PAUSES.__getitem__, gaps):
        for at, gap in enumerate(gaps):
            if _PAUSES[gap] and at:
                pieces[at - 1] += " |"
    line = " ".join(pieces)
    starts = accumulate([len(piece) + 1 for piece in pieces], initial=0)
    return f" {line} | " if _PAUSES[tail] else f" {line} ", dict(zip(starts, range(len(pieces)), strict=False))


def _is_pause(gap: str) -> bool:
    return _PAUSE.search(gap) is not None


_PAUSES = Remembered(_is_pause)


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

    def __init__(self, tokens: Sequence[Token], tail: str, size: int) -> None:
        self._parts: list[str] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        before = (-1, -1)
        for word, _, start, end, gap in tokens:
            if (start, end) == before and gap == " ":
                self._text(f" {word}", start, end)
            else:
                self._gap(gap, start)
                self._text(word, start, end)
            before = (start, end)
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


def _written_out(raw: Raw, *, has_accents: bool) -> Raw:
    """The words with shorthand written out and villages' numbers as figures, each in its place."""
    kept = list(map(_KEPT.__getitem__, raw.words))
    is_plain = all(kept) and BY_ACCENTS.isdisjoint(raw.written)
    if is_plain and UNITS.isdisjoint(raw.words):
        return raw
    raws = list(in_tokens(raw))
    if not is_plain:
        odd = [at for at, token in enumerate(raws) if not kept[at] or token[1] in BY_ACCENTS]
        writer = _Writer(raws, [raws[at].word for at in odd], has_accents=has_accents)
        written = {at: writer.word(at) for at in odd}
        raws = writer.undotted(odd)
        since = 0
        tokens: list[Token] = []
        for at in odd:
            tokens += raws[since:at]
            _, _, start, end, gap = raws[at]
            for number, (word, accented) in enumerate(written[at]):
                tokens.append(Token(word, accented, start, end, " " if number else gap))
            since = at + 1
        raws = tokens + raws[since:]
    return in_columns(_units_counted(raws, has_accents), raw.tail)


class _Writer:
    """Writes shorthand out, word by word, looking one word to either side."""

    def __init__(self, raws: list[Token], odd: list[str], *, has_accents: bool) -> None:
        self._raws = raws
        self._has_accents = has_accents
        telex = sum(from_telex(word) is not None and word not in ALWAYS for word in odd)
        vni = sum(from_vni(word) is not None for word in odd)
        self._is_telex, self._is_vni = telex > 1, vni > 1

    def undotted(self, odd: Iterable[int]) -> list[Token]:
        """The words as they stand; the full stop of an abbreviation is no pause."""
        undotted = self._raws.copy()
        for at in filter(self._is_dotted, odd):
            undotted[at + 1] = undotted[at + 1]._replace(gap=" ")
        return undotted

    def _is_dotted(self, at: int) -> bool:
        """Whether this is an abbreviation whose full stop belongs to it: "p. Dĩ An"."""
        if at + 1 == len(self._raws) or not is_full_stop(self._raws[at + 1].gap):
            return False
        word = self._raws[at].word
        if word in BEFORE_NAME:
            return not (at and self._raws[at - 1].word[-1].isdigit())
        return word in ("tp", "kp", "tdp", "dg")

    def word(self, at: int) -> list[tuple[str, str]]:
        """The words (folded, accented) that stand for one."""
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


def is_kept(word: str) -> bool:
    """Whether a folded word stays as it is whatever stands around it, but for what its accents say."""
    if word in ALWAYS or word in BEFORE_NAME or word in BEFORE_NUMBER or _JOINED.match(word):
        return False
    return from_telex(word) is None and from_vni(word) is None


_KEPT = Remembered(is_kept)


def _units_counted(tokens: list[Token], has_accents: bool) -> list[Token]:
    """The words with the number of a village as a figure: "xóm bảy" is xóm 7."""
    units = [at for at, token in enumerate(tokens[:-1], 1) if token[0] in UNITS]
    if not units:
        return tokens
    counted = tokens.copy()
    for at in units:
        token = tokens[at]
        following = tokens[at + 1] if at + 1 < len(tokens) else None
        is_alone = token.start != tokens[at - 1].start and (following is None or following.start != token.start)
        if not (is_alone and token.gap.isspace()) or (following and following.word in NOT_COUNTED):
            continue
        # The "phố" of "thành phố" is none: Tam Kỳ is a city, no eighth street.
        if [before.word for before in tokens[max(0, at - 2) : at]] == ["thanh", "pho"]:
            continue
        figure = NUMBER_WORDS_EXACT.get(token.accented) if has_accents else None
        if token.accented in ("", token.word) or token.accented in NUMBER_SPELLINGS:
            figure = figure or NUMBER_WORDS.get(token.word)
        if figure:
            counted[at] = token._replace(word=figure, accented=figure)
    return counted
