"""Unit names: the administrative units of the country, of today and before, under every name they bear."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import NamedTuple

import ahocorasick

from nlp.characters import accent_key, fold
from nlp.keystrokes import from_telex, from_vni
from nlp.normalise import normalise
from nlp.shorthand import ALWAYS, EXACT, NUMBER_WORDS, NUMBER_WORDS_EXACT, UNITS

COMMUNE, DISTRICT, PROVINCE = range(3)
TODAY, FORMER, OLDER = range(3)
_KINDS = ("tinh", "thanh pho", "thi xa", "quan", "huyen")
_WORD = re.compile(r"[^\W_]+")
_I_OR_Y = re.compile(r"^([hklmstv]|qu)y(?=\d?$)")
_SPELLED_I_OR_Y = re.compile(r"\b([hklmstv]|qu)([iy])\b")
_SHORTEST_WITH_TYPO = 5
_NUMBERS = frozenset(map(fold, (*NUMBER_WORDS, *NUMBER_WORDS_EXACT)))
# The old cities under the central government: their districts are known by initials.
_GREAT = frozenset({"ha noi", "ho chi minh", "da nang", "hai phong", "can tho"})
_NICKNAMES = {
    "Sài Gòn": "Hồ Chí Minh", "Thừa Thiên Huế": "Huế", "Đắc Lắc": "Đắk Lắk", "Đaklak": "Đắk Lắk",
    "Đắc Nông": "Đắk Nông", "Kontum": "Kon Tum",
}  # fmt: skip
# Districts gone before the books of 2025, all in one city since, by their wards of that year.
_GONE_DISTRICTS = {
    "2": "An Khánh;An Lợi Đông;An Phú;Bình Trưng Đông;Bình Trưng Tây;Cát Lái;Thạnh Mỹ Lợi;Thảo Điền;Thủ Thiêm",
    "9": "Hiệp Phú;Long Bình;Long Phước;Long Thạnh Mỹ;Long Trường;Phú Hữu;Phước Bình;Phước Long A;Phước Long B;"
    "Tăng Nhơn Phú A;Tăng Nhơn Phú B;Tân Phú;Trường Thạnh",
    "Thủ Đức": "Bình Chiểu;Bình Thọ;Hiệp Bình Chánh;Hiệp Bình Phước;Linh Chiểu;Linh Đông;Linh Tây;Linh Trung;Linh Xuân;"
    "Tam Bình;Tam Phú;Trường Thọ",
}
_GONE_INTO = "Thành phố Thủ Đức"


class FormerUnit(NamedTuple):
    """A commune as of 30 June 2025 (or an island district), and today's communes it lies in."""

    code: str
    kind: str
    name: str
    district: str
    province: str
    current_codes: tuple[str, ...]


class OlderName(NamedTuple):
    """A name gone before that, folded and without spaces, and the former unit it was merged into."""

    key: str
    kind: str
    former_code: str


class Unit(NamedTuple):
    """A unit of some level and age; `codes` are today's. `district` is a number, `province` a former one's name."""

    level: int
    kind: str
    name: str
    codes: tuple[str, ...]
    age: int
    district: int = -1
    province: str = ""


class UnitNames:
    """Finds units by name: exactly, by initials, by a name gone long ago, or with one letter wrong."""

    def __init__(
        self,
        rows: Iterable[tuple[str, str, str, str]],
        former: Iterable[FormerUnit] = (),
        older: Iterable[OlderName] = (),
    ) -> None:
        self.province_of: dict[str, str] = {}
        self.official: dict[str, str] = {}
        self.districts_of: dict[str, set[int]] = {}
        self.former_provinces_of: dict[str, set[str]] = {}
        self.district_names: list[str] = []
        self._by_name: dict[str, list[Unit]] = {}
        self._former: dict[str, Unit] = {}
        self._add_today(rows)
        self._add_former(former)
        self._add_gone_districts()
        for nickname, name in _NICKNAMES.items():
            for unit in tuple(self._by_name.get(name, ())):
                if unit.level == PROVINCE:
                    self._add(unit._replace(name=nickname))
        self.older: dict[str, list[Unit]] = {}
        for key, kind, code in older:
            now = self._former.get(code)
            if now:
                gone = now._replace(kind=fold(kind), name="", age=OLDER)
                self.older.setdefault(key, []).append(gone)
        self._by_key = _by_key(self._by_name)
        self.is_empty = not self._by_key
        self.automaton = ahocorasick.Automaton()
        for key, units in self._by_key.items():
            self.automaton.add_word(f" {key} ", (len(key) + 2, key.count(" ") + 1, units))
        self.automaton.make_automaton()
        self.initials = _initials(self._by_name.values())

    def _add_today(self, rows: Iterable[tuple[str, str, str, str]]) -> None:
        for code, kind, name, parent in rows:
            folded = fold(kind)
            level = PROVINCE if not parent and folded in ("tinh", "thanh pho") else COMMUNE
            self.province_of[code] = code if level == PROVINCE else parent
            self.official[code] = f"{kind[:1].upper()}{kind[1:]} {name}"
            self._add(Unit(level, folded, name, (code,), TODAY))

    def _add(self, unit: Unit) -> None:
        self._by_name.setdefault(unit.name, []).append(unit)

    def _add_former(self, former: Iterable[FormerUnit]) -> None:
        numbers: dict[tuple[str, str], int] = {}
        codes_of: list[set[str]] = []
        for code, kind, name, district, province, codes in former:
            number = numbers.setdefault((district, province), len(numbers))
            if number == len(codes_of):
                codes_of.append(set())
                self.district_names.append(district)
            codes_of[number].update(codes)
            for current in codes:
                self.districts_of.setdefault(current, set()).add(number)
                self.former_provinces_of.setdefault(current, set()).add(province)
            if f"{kind} {name}".lower() != district.lower():
                unit = Unit(COMMUNE, _fold_kind(kind), name, codes, FORMER, number, province)
                self._former[code] = unit
                self._add(unit)
        for (district, province), number in numbers.items():
            kind, name = split_kind(district)
            self._add(Unit(DISTRICT, kind, name, tuple(sorted(codes_of[number])), FORMER, number, province))
        self._add_former_provinces({province for _, province in numbers})

    def _add_former_provinces(self, provinces: set[str]) -> None:
        known = {name_key(unit.name) for units in self._by_name.values() for unit in units if _is_province(unit)}
        today: dict[str, set[str]] = {}
        for code, names in self.former_provinces_of.items():
            for name in names:
                today.setdefault(name, set()).add(self.province_of.get(code, ""))
        for province in sorted(provinces):
            kind, name = split_kind(province)
            if name_key(name) not in known:
                codes = tuple(sorted(today[province] - {""}))
                self._add(Unit(PROVINCE, kind, name, codes[:1], FORMER, -1, province))

    def _add_gone_districts(self) -> None:
        if _GONE_INTO not in self.district_names:
            return
        number = self.district_names.index(_GONE_INTO)
        codes_of = {unit.name: unit.codes for unit in self._former.values() if unit.district == number}
        for name, wards in _GONE_DISTRICTS.items():
            codes = {code for ward in wards.split(";") for code in codes_of.get(ward, ())}
            self._add(Unit(DISTRICT, "quan", name, tuple(sorted(codes)), OLDER, number, "Thành phố Hồ Chí Minh"))

    def inside(self, child: Unit, parent: Unit) -> int:
        """Whether a unit lies in another: 2 or more as the books have it, 1 when only the ground is the same, 0 not."""
        if child.level >= parent.level:
            return 0
        if parent.level == DISTRICT:
            if child.age != TODAY:
                return 2 * (child.district == parent.district)
            return int(parent.district in self.districts_of.get(child.codes[0], ()))
        if parent.age == TODAY:
            if not any(self.province_of.get(code) == parent.codes[0] for code in child.codes):
                return 0
            is_old = child.level == DISTRICT and name_key(split_kind(child.province)[1]) == name_key(parent.name)
            return 2 + is_old
        if child.age != TODAY:
            return 2 * (child.province == parent.province)
        return int(parent.province in self.former_provinces_of.get(child.codes[0], ()))

    def called(self, key: str) -> tuple[Unit, ...]:
        """Units of exactly this name, folded."""
        return self._by_key.get(key, ())

    def nearly(self, joined: str, *, is_wrong: bool = False) -> Iterator[Unit]:
        """Units whose name without spaces is this, or if none is (or it `is_wrong`) has one letter different."""
        if len(joined) >= _SHORTEST_WITH_TYPO - 1:
            for name in self._like(joined, is_wrong):
                yield from self._joined[name]

    @cached_property
    def _like(self) -> Callable[[str, bool], Sequence[str]]:
        """The names like this one; the words after "xã" are mostly the same few, and no name."""
        return lru_cache(maxsize=4096)(self._near.like)

    @cached_property
    def _joined(self) -> dict[str, list[Unit]]:
        joined: dict[str, list[Unit]] = {}
        for key, units in self._by_key.items():
            joined.setdefault(key.replace(" ", ""), []).extend(units)
        return joined

    @cached_property
    def _near(self) -> _Near:
        return _Near(name for name in self._joined if len(name) >= _SHORTEST_WITH_TYPO)


def _is_province(unit: Unit) -> bool:
    return unit.level == PROVINCE


@lru_cache(maxsize=64)
def _fold_kind(kind: str) -> str:
    return fold(kind)


def split_kind(official: str) -> tuple[str, str]:
    """The kind, folded, and the name of an official name: "Quận Tân Bình"."""
    folded = fold(official)
    for kind in _KINDS:
        if folded.startswith(kind + " "):
            return kind, official[len(kind) + 1 :]
    return "", official


@lru_cache(maxsize=4096)
def name_key(name: str) -> tuple[str, ...]:
    """The words of a name, wherever its tone marks are written."""
    return tuple(word_key(word) for word in _WORD.findall(unicodedata.normalize("NFC", name.lower())))


@lru_cache(maxsize=4096)
def name_words(name: str) -> tuple[str, ...]:
    """The words of a name without accents."""
    return tuple(_WORD.findall(fold(name)))


@lru_cache(maxsize=16384)
def word_key(word: str) -> str:
    """A word's letters and tone; without what spellings differ in: Đăk and Đắk, Mỹ and Mĩ."""
    key = accent_key(word)
    if key[-2:-1] == "k":
        return key[:-1]
    return _I_OR_Y.sub(r"\1i", key)


def _by_key(by_name: dict[str, list[Unit]]) -> dict[str, tuple[Unit, ...]]:
    """The same by spelling without accents: as it stands, as the normaliser writes it, and with figures padded."""
    keys: dict[str, list[Unit]] = {}
    for name, units in by_name.items():
        plain = _WORD.findall(fold(name))
        spellings = {" ".join(plain)}
        if _is_rewritten(name, plain):
            spellings.add(" ".join(token.word for token in normalise(name).tokens))
        if "'" in name:
            spellings.add(" ".join(_WORD.findall(fold(name.replace("'", "")))))
        if _SPELLED_I_OR_Y.search(" ".join(plain)):
            spellings.add(_SPELLED_I_OR_Y.sub(_i_for_y, " ".join(plain)))
        if name.isdigit() and len(name) == 1:
            spellings.add(f"0{name}")
        for spelling in spellings:
            keys.setdefault(spelling, []).extend(units)
    return {key: tuple(dict.fromkeys(units)) for key, units in keys.items()}


def _i_for_y(match: re.Match[str]) -> str:
    return match[1] + ("y" if match[2] == "i" else "i")


def _is_rewritten(name: str, plain: list[str]) -> bool:
    """Whether the normaliser may write something else for a name."""
    if "'" in name or any(map(_is_shorthand, plain)) or any(word in EXACT for word in name.lower().split()):
        return True
    return any(unit in UNITS and number in _NUMBERS for unit, number in pairwise(plain))


@lru_cache(maxsize=4096)
def _is_shorthand(word: str) -> bool:
    return word in ALWAYS or from_telex(word) is not None or from_vni(word) is not None


def _initials(groups: Iterable[list[Unit]]) -> dict[str, tuple[Unit, ...]]:
    """Provinces, cities and the districts of the great cities by their initials: "gv", "brvt"."""
    found: dict[str, list[Unit]] = {}
    for units in groups:
        for unit in units:
            is_known = unit.level == PROVINCE or (
                unit.level == DISTRICT and (unit.kind == "thanh pho" or split_kind(fold(unit.province))[1] in _GREAT)
            )
            words = _WORD.findall(fold(unit.name)) if is_known and unit.name not in _NICKNAMES else []
            if len(words) > 1:
                found.setdefault("".join(word[0] for word in words), []).append(unit)
    found.setdefault("sg", []).extend(found.get("hcm", ()))
    return {letters: tuple(dict.fromkeys(units)) for letters, units in found.items()}


class _Near:
    """Names but for one letter: of a name with one letter wrong, the first half or the second is as it should be."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)
        self._halves: dict[tuple[int, str], list[str]] = {}
        for name in self._names:
            size = len(name)
            middle = size // 2
            self._halves.setdefault((size, name[:middle]), []).append(name)
            self._halves.setdefault((-size, name[middle:]), []).append(name)

    def like(self, word: str, is_wrong: bool) -> list[str]:
        if word in self._names and not is_wrong:
            return [word]
        found = self._names & {_swapped_in_the_middle(word)}
        for size in (len(word) - 1, len(word), len(word) + 1):
            middle = size // 2
            for half in ((size, word[:middle]), (-size, word[middle - size :])):
                alike = self._halves.get(half)
                if alike:
                    found |= {name for name in alike if is_one_edit(word, name)}
        return sorted(found)


def _swapped_in_the_middle(word: str) -> str:
    """With the two letters swapped that stand in different halves; any other swap leaves one half as it is."""
    at = len(word) // 2 - 1
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def is_one_edit(one: str, other: str) -> bool:
    """Whether at most one letter was left out, added, replaced, or swapped with the next."""
    if one == other:
        return True
    if len(one) > len(other):
        one, other = other, one
    if len(other) - len(one) > 1:
        return False
    at = 0
    while at < len(one) and one[at] == other[at]:
        at += 1
    if len(one) < len(other):
        return one[at:] == other[at + 1 :]
    if one[at + 1 :] == other[at + 1 :]:
        return True
    return one[at : at + 2] == other[at : at + 2][::-1] and one[at + 2 :] == other[at + 2 :]
