"""Localities: places named in a message — the commune's own, other communes and provinces, or words that say where."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from nlp.cues import all_cues
from nlp.home_places import find_home_places
from nlp.landmarks import find_landmarks
from nlp.normalise import Normalised
from nlp.reading import Home, PlaceGuess, Span
from nlp.units import Gazetteer, UnitGuess
from nlp.word_lists import LANDMARKS

__all__ = ["Gazetteer", "PlacesFound", "find_places"]

_MOST = 6
_SURE = 0.8


@dataclass(slots=True)
class PlacesFound:
    """The places of a message, best first, and where they stand.

    `asides`: tokens that say nothing but where. `elsewhere`: the message is about another commune.
    """

    guesses: tuple[PlaceGuess, ...] = ()
    evidence: tuple[Span, ...] = ()
    asides: tuple[tuple[int, int], ...] = ()
    elsewhere: bool = False


_NOWHERE = PlacesFound()


class _Found(NamedTuple):
    guess: PlaceGuess
    first: int
    last: int
    rank: int


def find_places(text: Normalised, home: Home, gazetteer: Gazetteer) -> PlacesFound:
    """Look for the commune's own places first, then for units of the country, then for words that say where."""
    own = _own(text, home)
    taken = [(f.first, f.last) for f in own]
    units = list(_units(text, home, gazetteer, taken))
    taken += [(f.first, f.last) for f in units]
    spots = [spot for spot in find_landmarks(text) if not _overlaps(spot.first, spot.last, taken)]
    if not taken and not spots:
        return _NOWHERE
    words = [_words(text, spot.first, spot.last) for spot in spots]
    found = sorted((*own, *units, *words), key=lambda f: (f.rank, -f.guess.probability, f.first))[:_MOST]
    guesses = tuple(dict.fromkeys(f.guess for f in found))
    spans = dict.fromkeys(Span(*text.token_span(f.first, f.last), "place", f.guess.level) for f in found)
    is_here = bool(own) or any(f.guess.is_here for f in units)
    elsewhere = not is_here and any(f.rank == _ELSEWHERE and not _is_passing(text, f) for f in units)
    asides = (*taken, *((spot.first, spot.last) for spot in spots if spot.is_aside))
    return PlacesFound(guesses, tuple(spans), asides, elsewhere)


_OWN, _ELSEWHERE, _WORDS, _HERE, _UNSURE = range(5)


def _own(text: Normalised, home: Home) -> list[_Found]:
    return [
        _Found(PlaceGuess("place", hit.value.place.key, hit.value.place.name, p, True), hit.first, hit.last, _OWN)
        for hit, p in find_home_places(text, home)
    ]


def _words(text: Normalised, first: int, last: int) -> _Found:
    start, end = text.token_span(first, last)
    return _Found(PlaceGuess("words", "", " ".join(text.original[start:end].split()), 0.5), first, last, _WORDS)


def _overlaps(first: int, last: int, taken: list[tuple[int, int]]) -> bool:
    return any(first < end and start < last for start, end in taken)


def _units(text: Normalised, home: Home, gazetteer: Gazetteer, taken: list[tuple[int, int]]) -> Iterator[_Found]:
    for unit in gazetteer.find(text, home, taken):
        now = gazetteer.official_name(unit.codes) if unit.is_former else ""
        yield _Found(_guess(unit, now), unit.first, unit.last, _rank(unit))


def _guess(unit: UnitGuess, now: str) -> PlaceGuess:
    return PlaceGuess(
        level=unit.level,
        key=unit.codes[0] if len(unit.codes) == 1 else "",
        name=unit.name,
        probability=unit.probability,
        is_here=unit.is_here,
        codes=unit.codes,
        is_former=unit.is_former,
        question=unit.question,
        now=now,
    )


def _rank(unit: UnitGuess) -> int:
    if unit.is_here:
        return _HERE
    is_elsewhere = unit.is_here is False and unit.level != "province" and unit.probability >= _SURE
    return _ELSEWHERE if is_elsewhere else _UNSURE


def _is_passing(text: Normalised, found: _Found) -> bool:
    """Whether the place is only where something comes from or goes to, or borders on."""
    before = {hit.last for hit in all_cues(text, LANDMARKS) if hit.value == "away"}
    return found.first in before
