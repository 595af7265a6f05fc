"""Phrases: finds the phrases of word lists in a text, with or without accents, whole words only."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

import ahocorasick

from nlp.characters import accent_key, fold, is_ordinary
from nlp.keystrokes import is_syllable
from nlp.normalise import BY_ACCENTS, Normalised, is_kept, normalise
from nlp.shorthand import NUMBER_WORDS, NUMBER_WORDS_EXACT, UNITS
from nlp.spacing import parted, unheld

V = TypeVar("V")
_WORD = re.compile(r"[^\W_]+")
_NUMBERS = frozenset(map(fold, (*NUMBER_WORDS, *NUMBER_WORDS_EXACT)))
_MOST_LETTERS = 2
_PLAIN = {"plain"}
_FIRST, _LAST = itemgetter(1), itemgetter(2)
DATA = Path(__file__).parent / "data"


def rows(file_name: str) -> Iterator[list[str]]:
    """The rows of a word list in nlp/data, as lists of fields; comment lines are left out."""
    for line in (DATA / file_name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line.split("\t")


class Hit(NamedTuple, Generic[V]):
    """A phrase found: what it means, and the tokens [first, last) it covers."""

    value: V
    first: int
    last: int


# By spelling without accents: each phrase's list, meaning and accents, and whether it is found by these alone.
Spelled = dict[str, list[tuple[int, V, tuple[str, ...], bool]]]


def spelled(*lists: Iterable[tuple[str, V]]) -> Spelled[V]:
    """The phrases of lists by how they are spelled."""
    found: Spelled[V] = {}
    for number, phrases in enumerate(lists):
        for phrase, value in phrases:
            for key, accents in _spellings(phrase):
                found.setdefault(key, []).append((number, value, accents, phrase[0] == "="))
    return found


class PhraseMatcher(Generic[V]):
    """All phrases of one or more lists, found in one pass.

    In an accented text a phrase must agree with the accents ("mưa" is not "mua"). A phrase that starts with "=" is
    only recognised by its accents, because without them it is an everyday word ("cháy", but also "chạy").
    """

    def __init__(self, *lists: Iterable[tuple[str, V]], found: Spelled[V] | None = None) -> None:
        """`found`: what `spelled` makes of the lists, when it is known already."""
        self._count = len(lists)
        found = spelled(*lists) if found is None else found
        self._automaton = ahocorasick.Automaton()
        self._is_empty = not found
        for key in list(found):
            # What has been put in is let go at once: both need not be in memory.
            self._automaton.add_word(key, (len(key) - 1, key.count(" ") - 1, found.pop(key)))
        self._automaton.make_automaton()

    def find(self, text: Normalised) -> list[Hit[V]]:
        """Every phrase of the first list in the text, overlapping ones too, in the order of where they end."""
        return self.find_each(text)[0]

    def find_each(self, text: Normalised) -> list[list[Hit[V]]]:
        """The same for each list."""
        hits: list[list[Hit[V]]] = [[] for _ in range(self._count)]
        if self._is_empty or not text.words:
            return hits
        starts, written = text.line_tokens, text.accent_keys
        is_accented, is_bare = text.is_accented, text.is_bare
        is_certain = is_accented and "" not in written
        new = tuple.__new__
        for end, (length, count, same) in self._automaton.iter(text.line):
            first = starts[end - length]
            last = first + count
            here = written[first:last]
            for number, value, accents, is_strict in same:
                if is_strict and not is_accented:
                    continue
                is_same = is_bare or here == accents
                if is_same or ((not is_certain or "" in accents) and _agree(text, first, here, accents)):
                    hits[number].append(new(Hit, (value, first, last)))
        return hits


def _agree(text: Normalised, first: int, here: tuple[str, ...], accents: tuple[str, ...]) -> bool:
    """Whether words agree with a phrase: an accent that is missing says nothing unless the writer uses them."""
    for at, (one, wanted) in enumerate(zip(here, accents, strict=True), first):
        if one != wanted and one and wanted:
            token = text.tokens[at]
            if text.is_accented or token.accented != token.word:
                return False
    return True


class _Word(NamedTuple):
    """A word of a list: whether the normaliser may change it, its spelling without accents, and its accents.

    `sort`: "plain", "changed", or what it may not stand beside: "letter", "unit", "number".
    """

    sort: str
    folded: str
    accents: str


class _Words(dict[str, _Word]):
    """The words of the lists, each looked at once."""

    def __missing__(self, word: str) -> _Word:
        folded = fold(word)
        self[word] = found = _Word(_sort(word, folded), folded, accent_key(word))
        return found


def _sort(word: str, folded: str) -> str:
    """Whether the normaliser may change a word, and if not alone, beside what."""
    if not (word.isalpha() and word.islower() and is_ordinary(word)) or word in BY_ACCENTS or not is_kept(folded):
        return "changed"
    if len(folded) > 3 and not is_syllable(folded) and (unheld(folded) or parted(folded)):
        return "changed"
    if len(folded) == 1:
        return "letter"
    return "unit" if folded in UNITS else "number" if folded in _NUMBERS else "plain"


_WORDS = _Words()


def _spellings(phrase: str) -> Iterable[tuple[str, tuple[str, ...]]]:
    """A phrase as the normaliser writes it, and as it stands: "hư" without its accent is not recognised as hỏng.

    Each as a piece of a line of folded words, with the words' accents.
    """
    known = [_WORDS[word] for word in phrase.removeprefix("=").split(" ")]
    if _is_settled(known):
        return ((f" {' '.join([word[1] for word in known])} ", tuple([word[2] for word in known])),)
    written = normalise(phrase).tokens
    if not written:
        return ()
    standing = _WORD.findall(unicodedata.normalize("NFC", phrase.lower()))
    return {
        f" {fold(' '.join(standing))} ": tuple(map(accent_key, standing)),
        f" {' '.join(token.word for token in written)} ": tuple(accent_key(token.accented) for token in written),
    }.items()


def is_settled(phrase: str) -> bool:
    """Whether a phrase is so plain that the normaliser writes it as it stands, which most phrases of a list are."""
    return _is_settled([_WORDS[word] for word in phrase.split(" ")])


def _is_settled(words: Sequence[_Word]) -> bool:
    sorts = {word[0] for word in words}
    if sorts == _PLAIN:
        return True
    if "changed" in sorts or sorts >= {"unit", "number"}:
        return False
    return "letter" not in sorts or sum([len(word.folded) == 1 for word in words]) <= _MOST_LETTERS


def longest(hits: Iterable[Hit[V]]) -> list[Hit[V]]:
    """Leave out what lies inside a longer phrase: "đường" in "đèn đường"."""
    hits = list(hits)
    if len(hits) < 2:
        return hits
    kept: list[Hit[V]] = []
    reach, since = -1, -1
    # From the first on, the longest first; both sorts leave hits of the same words in their order.
    ordered = sorted(hits, key=_LAST, reverse=True)
    ordered.sort(key=_FIRST)
    for hit in ordered:
        _, first, last = hit
        if last > reach or (first == since and last == reach):
            kept.append(hit)
            reach, since = last, first
    return kept


def folded_words(words: str) -> frozenset[str]:
    """A set of folded words from one string."""
    return frozenset(fold(words).split())
