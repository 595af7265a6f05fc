"""Localities: places named in a message — the commune's own, other communes and provinces, or words that say where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from nlp.characters import fold
from nlp.cues import all_cues
from nlp.home_places import find_home_places
from nlp.landmarks import FILE, barred_names, find_landmarks
from nlp.normalise import Normalised
from nlp.phrases import Hit, PhraseMatcher, longest
from nlp.reading import Home, PlaceGuess, Span

_PROVINCE_KINDS = frozenset({"tinh", "thanh pho"})
# How a kind of unit is written before its name; districts are gone but still written.
_TYPE_WORDS = {
    ("xa",): "xa", ("phuong",): "phuong", ("dac", "khu"): "dac khu", ("thi", "tran"): "xa", ("dao",): "dac khu",
    ("tinh",): "tinh", ("thanh", "pho"): "thanh pho",
}  # fmt: skip
_MOST = 6


@dataclass(frozen=True, slots=True)
class Unit:
    """A current administrative unit; `kind` without accents."""

    code: str
    kind: str
    name: str
    parent: str

    @property
    def is_province(self) -> bool:
        """Whether it is a province or a city of that rank."""
        return self.kind in _PROVINCE_KINDS


@dataclass(frozen=True)
class PlacesFound:
    """The places of a message, best first, and where they stand.

    `asides`: tokens that say nothing but where. `elsewhere`: the message is about another commune.
    """

    guesses: tuple[PlaceGuess, ...] = ()
    evidence: tuple[Span, ...] = ()
    asides: tuple[tuple[int, int], ...] = ()
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class _Found:
    guess: PlaceGuess
    first: int
    last: int
    rank: int


class Gazetteer:
    """The provinces and communes of the country by name."""

    def __init__(self, rows: Iterable[tuple[str, str, str, str]]) -> None:
        by_name: dict[str, list[Unit]] = {}
        for code, kind, name, parent in rows:
            by_name.setdefault(name, []).append(Unit(code, fold(kind), name, parent))
        self._matcher = PhraseMatcher((name, tuple(units)) for name, units in by_name.items())

    def find(self, text: Normalised) -> list[Hit[tuple[Unit, ...]]]:
        """The longest names in the text with all units that bear them; accents may have told them apart."""
        merged: dict[tuple[int, int], tuple[Unit, ...]] = {}
        for hit in longest(self._matcher.find(text)):
            span = hit.first, hit.last
            merged[span] = tuple(dict.fromkeys((*merged.get(span, ()), *hit.value)))
        return [Hit(units, first, last) for (first, last), units in merged.items()]


def find_places(text: Normalised, home: Home, gazetteer: Gazetteer) -> PlacesFound:
    """Look for the commune's own places first, then for units of the country, then for words that say where."""
    own = _own(text, home)
    taken = [(f.first, f.last) for f in own]
    units = [f for f in _units(text, home, gazetteer) if not _overlaps(f.first, f.last, taken)]
    taken += [(f.first, f.last) for f in units]
    spots = [spot for spot in find_landmarks(text) if not _overlaps(spot.first, spot.last, taken)]
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


def _units(text: Normalised, home: Home, gazetteer: Gazetteer) -> Iterator[_Found]:
    hits = gazetteer.find(text)
    if not hits:
        return
    barred = barred_names(text)
    provinces = _named_provinces(text, hits)
    for hit in hits:
        kind, first = _type_before(text, hit.first)
        if kind or (hit.first not in barred and _stands_alone(text, hit)):
            yield _meant(text, hit, kind, first, home, provinces)


def _type_before(text: Normalised, at: int) -> tuple[str, int]:
    """The kind of unit written before a name, and where that begins."""
    for words, kind in _TYPE_WORDS.items():
        tokens = text.tokens[max(0, at - len(words)) : at]
        if tuple(token.word for token in tokens) != words:
            continue
        # "xã" and "xa" (far), "phường" and "phương" are told apart where the writer uses accents.
        if not text.is_accented or any(token.accented in ("", *_ACCENTED_TYPES) for token in tokens):
            return kind, at - len(words)
    return "", at


_ACCENTED_TYPES = ("xã", "phường", "đặc", "khu", "thị", "trấn", "đảo", "tỉnh", "thành", "phố")


def _stands_alone(text: Normalised, hit: Hit[tuple[Unit, ...]]) -> bool:
    """Without a type word: several words, written with capitals, in a text that is not all capitals."""
    tokens = text.tokens[hit.first : hit.last]
    if len(tokens) < 2 or text.original.isupper():
        return False
    if not text.is_accented and len(tokens) < 3 and not hit.value[0].is_province:
        return False
    communes = [unit for unit in hit.value if not unit.is_province]
    is_one = len(communes) <= 1 or any(unit.is_province for unit in hit.value)
    return is_one and all(text.original[token.start].isupper() for token in tokens)


def _named_provinces(text: Normalised, hits: list[Hit[tuple[Unit, ...]]]) -> frozenset[str]:
    """Codes of the provinces named anywhere; they tell apart communes of one name."""
    codes = set()
    for hit in hits:
        kind, _ = _type_before(text, hit.first)
        if kind in _PROVINCE_KINDS or (not kind and _stands_alone(text, hit)):
            codes |= {unit.code for unit in hit.value if unit.is_province}
    return frozenset(codes)


def _meant(
    text: Normalised, hit: Hit[tuple[Unit, ...]], kind: str, first: int, home: Home, provinces: frozenset[str]
) -> _Found:
    """The unit a name means; only the words when several units bear it and nothing tells which."""
    units = list(hit.value)
    if kind:
        units = [unit for unit in units if unit.is_province == (kind in _PROVINCE_KINDS)] or units
        units = [unit for unit in units if unit.kind == kind] or units
    elif any(unit.is_province for unit in units):
        units = [unit for unit in units if unit.is_province]
    units = [unit for unit in units if unit.parent in provinces] or units
    here = [unit for unit in units if unit.code == home.commune_code]
    near = [unit for unit in units if unit.parent == home.province_code]
    # The name of the home commune means the home commune, unless another province is named with it.
    units = here or near or units
    if len(units) > 1:
        return replace(_words(text, first, hit.last), rank=_UNSURE)
    guess = _guess(units[0], home, 0.95 if kind else 0.85 if here else 0.7)
    return _Found(guess, first, hit.last, _rank(units[0], home, guess.probability))


def _guess(unit: Unit, home: Home, probability: float) -> PlaceGuess:
    if unit.is_province:
        is_here = None if unit.code == home.province_code else False
        return PlaceGuess("province", unit.code, unit.name, probability, is_here)
    return PlaceGuess("commune", unit.code, unit.name, probability, unit.code == home.commune_code)


def _rank(unit: Unit, home: Home, sureness: float) -> int:
    if unit.code == home.commune_code:
        return _HERE
    return _ELSEWHERE if not unit.is_province and sureness >= 0.8 else _UNSURE


def _is_passing(text: Normalised, found: _Found) -> bool:
    """Whether the place is only where something comes from or goes to, or borders on."""
    before = {hit.last for hit in all_cues(text, FILE) if hit.value == "away"}
    return found.first in before
