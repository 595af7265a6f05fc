"""Units: the administrative units a text names, of today and before, as today's codes; an address is one unit."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from nlp.normalise import Normalised
from nlp.reading import Home
from nlp.unit_mentions import Mention, find_mentions, respelled
from nlp.unit_names import (
    COMMUNE,
    DISTRICT,
    OLDER,
    PROVINCE,
    TODAY,
    FormerUnit,
    OlderName,
    Unit,
    UnitNames,
)
from nlp.unit_words import Words, is_after_locative, is_everyday_name, is_nearly_kind, words_of

__all__ = ["FormerUnit", "Gazetteer", "OlderName", "UnitGuess"]

_LEVELS = ("commune", "district", "province")
_NEAR = 4
_WINDOW = 4
_MOST_LISTED = 3
_MOST = 60
_BETWEEN = frozenset({"thuoc", "cua", "o", "tai", "cu", "ngoai", "trong", "duoi", "tren"})
_NEAR_KM, _KM_A_DEGREE = 25.0, 111.2


@dataclass(slots=True)
class UnitGuess:
    """A unit named in a text.

    `codes`: today's, sorted; `name`: as it was officially written. `is_here`: whether it is the home; None when that
    cannot be told. `question`: "which" of several units of that name, or into which part of a "split" one. `first`
    and `last` are the tokens [first, last) with the parents that were named.
    """

    level: str
    codes: tuple[str, ...]
    name: str
    is_former: bool
    is_here: bool | None
    probability: float
    question: str
    first: int
    last: int


@dataclass(slots=True)
class _Address:
    """Mentions that belong together: the most specific, what it may be, and what stands around it."""

    leaf: Mention
    units: tuple[Unit, ...]
    parents: list[tuple[Unit, ...]]
    first: int
    last: int
    is_loose: bool


class Gazetteer:
    """The provinces, districts and communes of the country by name."""

    def __init__(
        self,
        rows: Iterable[tuple[str, str, str, str]],
        former: Iterable[FormerUnit] = (),
        older: Iterable[OlderName] = (),
        centres: Mapping[str, tuple[float, float]] | None = None,
    ) -> None:
        """`centres`: latitude and longitude of today's communes by code; without them no commune has neighbours."""
        self._names = UnitNames(rows, former, older)
        self._centres = centres or {}

    def find(self, text: Normalised, home: Home, taken: Sequence[tuple[int, int]] = ()) -> tuple[UnitGuess, ...]:
        """The units named in a text sent to this home, in its order; names inside `taken` tokens are left out."""
        if not text.words or self._names.is_empty:
            return ()
        words = words_of(text)
        mentions = [m for m in islice(find_mentions(words, self._names), _MOST) if not _is_taken(words, m, taken)]
        if not mentions:
            return ()
        addresses = self._with_far_parents(self._addresses(words, mentions, home), home)
        return tuple(self._guess(words, address, home) for address in addresses)

    def official_name(self, codes: Sequence[str]) -> str:
        """What today's units are called, when they are few."""
        return ", ".join(self._names.official.get(code, code) for code in codes) if len(codes) <= _MOST_LISTED else ""

    def _addresses(self, words: Words, mentions: list[Mention], home: Home) -> list[_Address]:
        """Neighbours of which one lies in the other become one; what is still loose then is left out."""
        addresses: list[_Address] = []
        for mention in mentions:
            last = addresses[-1] if addresses else None
            if last and _are_neighbours(words, last.last, mention.first) and self._join(words, last, mention):
                continue
            if last and self._join_respelled(words, last, mention):
                continue
            is_loose = mention.is_loose
            addresses.append(_Address(mention, mention.units, [], mention.first, mention.last, is_loose))
        return [
            address
            for address in addresses
            if not address.is_loose or _is_home(address, home) or self._is_near(words, address, home)
        ]

    def _is_near(self, words: Words, address: _Address, home: Home) -> bool:
        """Whether a name alone, in small letters or without accents, is the home's or that of a commune near it."""
        leaf = address.leaf
        says_where = is_after_locative(words, leaf.first)
        is_told = says_where or leaf.is_former
        if leaf.kind or leaf.last - leaf.first < 2 or is_everyday_name(words, leaf.first, leaf.last, is_told=is_told):
            return False
        codes = {code for unit in address.units if unit.level == COMMUNE for code in unit.codes}
        if home.commune_code in codes:
            return True
        if says_where and (leaf.is_capital or words.words[leaf.first - 1] == "que"):
            return bool(codes)
        return is_told and any(self._distance(code, home) < _NEAR_KM for code in codes)

    def _distance(self, code: str, home: Home) -> float:
        """Kilometres between the middles of two communes, near enough for neighbours."""
        here, there = self._centres.get(home.commune_code), self._centres.get(code)
        if here is None or there is None:
            return math.inf
        return _KM_A_DEGREE * math.hypot(here[0] - there[0], (here[1] - there[1]) * math.cos(math.radians(here[0])))

    def _join(self, words: Words, address: _Address, mention: Mention) -> bool:
        """Make one of an address and the name that follows it, if the one lies in the other."""
        within = self._within
        units = within(address.units, [_fitting(mention)]) or within(address.units, [mention.units])
        if units:
            address.parents.append(mention.units)
            address.units = units
        else:
            units = within(mention.units, [*address.parents, _fitting(address.leaf, address.units)])
            if units:
                address.parents.append(address.units)
                address.leaf, address.units = mention, units
            elif mention.kind or not _is_same_ground(address.units, mention.units):
                return False
        address.last = mention.last
        # What the one leaves open the other settles, unless both are names alone.
        leaf = address.leaf
        is_plain = bool(leaf.kind or mention.kind) or (leaf.is_capital and mention.is_capital)
        is_plain = is_plain or len(address.parents) > 1 or leaf.last - leaf.first > 2
        is_plain = is_plain or all(_is_rare(words, one) for one in (leaf, mention))
        address.is_loose = address.is_loose and mention.is_loose and not is_plain
        return True

    def _join_respelled(self, words: Words, address: _Address, mention: Mention) -> bool:
        """The same where the name before a district fits into it but for one letter."""
        leaf = address.leaf
        is_district = mention.kind is not None and DISTRICT in mention.kind.levels
        if not is_district or address.parents or mention.first - leaf.last > 2:
            return False
        units = self._within(respelled(words, leaf, mention.first, self._names), [_fitting(mention)])
        if not units:
            return False
        address.units, address.last, address.is_loose = units, mention.last, False
        address.parents.append(mention.units)
        return True

    def _within(self, units: Sequence[Unit], parents: Sequence[Sequence[Unit]]) -> tuple[Unit, ...]:
        """The units that lie in one of each row of parents; on each level, by the books before by the ground."""
        for above in parents:
            best = [0, 0, 0]
            rated = []
            for unit in units:
                rate = max((self._names.inside(unit, parent) for parent in above), default=0)
                if rate:
                    rated.append((rate, unit))
                    best[unit.level] = max(best[unit.level], rate)
            units = [unit for rate, unit in rated if rate == best[unit.level]]
        return tuple(units)

    def _with_far_parents(self, addresses: list[_Address], home: Home) -> list[_Address]:
        """What is named elsewhere in the text tells which of several is meant: "phường 5 và phường 7 quận 3"."""
        used: set[int] = set()
        for number, address in enumerate(addresses if len(addresses) > 1 else ()):
            if len(address.units) == 1 or len(self._meant(address, home)) == 1:
                continue
            for other in range(max(0, number - _WINDOW), min(len(addresses), number + _WINDOW)):
                above = addresses[other]
                is_commune = all(unit.level == COMMUNE for unit in above.units)
                parents = above.parents if is_commune else [_fitting(above.leaf, above.units)]
                units = self._within(address.units, parents) if parents and other != number else ()
                if units:
                    address.units = units
                    address.parents += parents
                    used |= set() if is_commune else {other}
                    break
        return [address for number, address in enumerate(addresses) if number not in used]

    def _meant(self, address: _Address, home: Home) -> tuple[Unit, ...]:
        """Which of the units of that name: of the written kind, at home, today's before former ones."""
        leaf = address.leaf
        units = _fitting(leaf, address.units)
        if leaf.kind is None:
            levels = [unit.level for unit in units]
            if PROVINCE in levels:
                units = tuple(unit for unit in units if unit.level == PROVINCE)
        if leaf.is_former:
            units = tuple(unit for unit in units if unit.age != TODAY) or units
        units = self._at_home(units, home)
        age = min(unit.age for unit in units)
        units = tuple(unit for unit in units if unit.age == age)
        level = min(unit.level for unit in units)
        return tuple(unit for unit in units if unit.level == level)

    def _at_home(self, units: tuple[Unit, ...], home: Home) -> tuple[Unit, ...]:
        here = tuple(unit for unit in units if unit.level != PROVINCE and home.commune_code in unit.codes)
        province = self._names.province_of
        near = (unit for unit in units if any(province.get(c) == home.province_code for c in unit.codes))
        return here or (tuple(near) if home.province_code else ()) or units

    def _guess(self, words: Words, address: _Address, home: Home) -> UnitGuess:
        units = self._meant(address, home)
        codes = tuple(sorted({code for unit in units for code in unit.codes}))
        unit = units[0]
        question = ""
        if len(codes) > 1 and len(units) > 1:
            question = "which"
        elif len(codes) > 1 and unit.level == COMMUNE:
            question = "split"
        probability = address.leaf.probability / (len(units) if question == "which" else 1)
        return UnitGuess(
            level=_LEVELS[unit.level],
            codes=codes,
            name=self._name(words, address, units),
            is_former=unit.age != TODAY,
            is_here=self._is_here(unit, codes, home),
            probability=round(max(probability, 0.01), 3),
            question=question,
            first=words.at[address.first],
            last=words.at[address.last - 1] + 1,
        )

    def _name(self, words: Words, address: _Address, units: tuple[Unit, ...]) -> str:
        unit = units[0]
        if unit.age == TODAY:
            return self._names.official[unit.codes[0]]
        if unit.age == OLDER:
            leaf = address.leaf
            typed = words.as_typed(leaf.start, leaf.last).split()
            name = " ".join(word[:1].upper() + word[1:] for word in typed)
            return f"{_WRITTEN.get(unit.kind, unit.kind)} {name}"
        if unit.level == PROVINCE:
            return unit.province
        district = self._names.district_names[unit.district]
        if unit.level == DISTRICT:
            return district
        name = f"{_WRITTEN.get(unit.kind, unit.kind)} {unit.name}"
        return name if len(units) > 1 else f"{name}, {district}"

    def _is_here(self, unit: Unit, codes: tuple[str, ...], home: Home) -> bool | None:
        if unit.level == PROVINCE:
            return None if home.province_code in codes else False
        if home.commune_code:
            if home.commune_code not in codes:
                return False
            return True if codes == (home.commune_code,) else None
        is_near = any(self._names.province_of.get(code) == home.province_code for code in codes)
        return None if is_near else False


_WRITTEN = {"phuong": "Phường", "xa": "Xã", "thi tran": "Thị trấn", "dac khu": "Đặc khu", "quan": "Quận"}


def _is_taken(words: Words, mention: Mention, taken: Sequence[tuple[int, int]]) -> bool:
    first, last = words.at[mention.first], words.at[mention.last - 1] + 1
    return any(first < end and start < last for start, end in taken)


def _are_neighbours(words: Words, end: int, start: int) -> bool:
    """Whether nothing stands between, or only a word that links them, or a kind too misspelled to be read."""
    between = words.words[end:start]
    if len(between) == 1 and is_nearly_kind(between[0]):
        return True
    return len(between) < 3 and all(word in _BETWEEN for word in between)


def _is_rare(words: Words, mention: Mention) -> bool:
    """Whether a name has several words that stand together in no phrase of the word lists."""
    return mention.last - mention.first > 1 and not is_everyday_name(words, mention.first, mention.last, is_told=True)


def _is_home(address: _Address, home: Home) -> bool:
    """Whether a doubtful name is that of the home, after the word for its kind."""
    if not address.leaf.kind:
        return False
    return any(unit.age == TODAY and home.commune_code in unit.codes for unit in address.units)


def _is_same_ground(units: Sequence[Unit], others: Sequence[Unit]) -> bool:
    """Whether a name written beside another is only where that one lies today."""
    return any(set(unit.codes) & set(other.codes) for unit in units for other in others if unit.age != TODAY)


def _fitting(mention: Mention, units: tuple[Unit, ...] = ()) -> tuple[Unit, ...]:
    """The units of the kind that was written, if there are any."""
    units = units or mention.units
    if not mention.kind:
        return units
    return tuple(unit for unit in units if unit.kind == mention.kind.kind) or units
