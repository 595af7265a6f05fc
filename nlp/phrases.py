"""Phrases: finds the phrases of a word list in a text, with or without accents, whole words only."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import ahocorasick

from nlp.characters import accent_key, fold
from nlp.normalise import Normalised, Token, normalise

V = TypeVar("V")
_WORD = re.compile(r"[^\W_]+")
DATA = Path(__file__).parent / "data"


def rows(file_name: str) -> Iterator[list[str]]:
    """The rows of a word list in nlp/data, as lists of fields; comment lines are left out."""
    for line in (DATA / file_name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line.split("\t")


@dataclass(frozen=True, slots=True)
class Hit(Generic[V]):
    """A phrase found: what it means, and the tokens [first, last) it covers."""

    value: V
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class _Phrase(Generic[V]):
    value: V
    words: tuple[str, ...]
    is_strict: bool


class PhraseMatcher(Generic[V]):
    """All phrases of a list, found in one pass.

    In an accented text a phrase must agree with the accents ("mưa" is not "mua"). A phrase that starts with "=" is
    only recognised by its accents, because without them it is an everyday word ("cháy", but also "chạy").
    """

    def __init__(self, phrases: Iterable[tuple[str, V]]) -> None:
        found: dict[str, list[_Phrase[V]]] = {}
        for phrase, value in phrases:
            for key, words in _spellings(phrase).items():
                found.setdefault(key, []).append(_Phrase(value, words, phrase.startswith("=")))
        self._automaton = ahocorasick.Automaton()
        for key, same in found.items():
            self._automaton.add_word(key, (len(key), same))
        self._automaton.make_automaton()
        self._is_empty = not found

    def find(self, text: Normalised) -> list[Hit[V]]:
        """Every phrase in the text, overlapping ones too, in the order of where they end."""
        if self._is_empty or not text.tokens:
            return []
        hits = []
        for end, (length, same) in self._automaton.iter(text.line):
            first = text.line_tokens[end - length + 1]
            for phrase in same:
                last = first + len(phrase.words)
                if _agree(text.tokens[first:last], phrase, text.is_accented):
                    hits.append(Hit(phrase.value, first, last))
        return hits


def _spellings(phrase: str) -> dict[str, tuple[str, ...]]:
    """A phrase as the normaliser writes it, and as it stands: "hư" without its accent is not recognised as hỏng."""
    written = normalise(phrase).tokens
    plain = _WORD.findall(unicodedata.normalize("NFC", phrase.lower()))
    if not written:
        return {}
    return {
        f" {fold(' '.join(plain))} ": tuple(plain),
        f" {' '.join(token.word for token in written)} ": tuple(token.accented for token in written),
    }


def _agree(tokens: tuple[Token, ...], phrase: _Phrase[V], is_accented: bool) -> bool:
    if phrase.is_strict and not is_accented:
        return False
    for token, wanted in zip(tokens, phrase.words, strict=True):
        written = token.accented
        if written in ("", wanted) or not wanted:
            continue
        if written == token.word and not is_accented:
            continue
        if accent_key(written) != accent_key(wanted):
            return False
    return True


def longest(hits: Iterable[Hit[V]]) -> list[Hit[V]]:
    """Leave out what lies inside a longer phrase: "đường" in "đèn đường"."""
    kept: list[Hit[V]] = []
    reach, since = -1, -1
    for hit in sorted(hits, key=lambda h: (h.first, -h.last)):
        if hit.last > reach or (hit.first, hit.last) == (since, reach):
            kept.append(hit)
            reach, since = hit.last, hit.first
    return kept


def folded_words(words: str) -> frozenset[str]:
    """A set of folded words from one string."""
    return frozenset(fold(words).split())
