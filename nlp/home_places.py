"""Home places: the commune's own villages, streets and landmarks, found under every name they go by."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from nlp.characters import fold
from nlp.landmarks import barred_names
from nlp.normalise import Normalised
from nlp.phrases import Hit, PhraseMatcher, folded_words, longest
from nlp.reading import Home, KnownPlace

# What one commune calls xóm its neighbour calls thôn, and citizens call the same unit either.
UNITS = (
    "tổ dân phố", "khu dân cư", "khu phố", "khu vực", "tiểu khu", "khối phố",
    "xóm", "thôn", "ấp", "bản", "buôn", "làng", "tổ", "khóm", "khối", "khu", "đội", "cụm", "phum", "sóc",
)  # fmt: skip
# Before a name these are also everyday words ("bản chưa" and "bạn chưa"): by their accents only.
_ONLY_ACCENTED = frozenset({"ấp", "bản", "tổ", "đội", "làng", "khu", "khối", "cụm", "sóc"})
_THINGS = (
    "trường tiểu học", "trường mầm non", "trường mẫu giáo", "trường trung học cơ sở", "trường trung học phổ thông",
    "trường", "chợ", "cầu", "đường", "phố", "chùa", "đình", "đền", "nhà văn hóa", "trạm y tế", "công viên", "hồ",
    "kênh",
)  # fmt: skip
_COUNTING = folded_words("tổ đội cụm nhóm")
_COUNTED = folded_words("người hộ thành em cháu")
_AS_NAMED, _AS_UNIT, _BARE = 0.95, 0.85, 0.7


@dataclass(frozen=True, slots=True)
class Named:
    """A place under one of its names, and how surely that name means it."""

    place: KnownPlace
    sureness: float
    is_number: bool = False


_BETWEEN_ALIASES = re.compile(r"[|;,]")


def read_places(path: Path) -> tuple[KnownPlace, ...]:
    """A commune's places from a CSV of name, kind, aliases (separated by "|", ";" or ","), parent; keys count rows."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.DictReader(file) if (row.get("name") or "").strip()]
    return tuple(
        KnownPlace(
            str(number),
            row["name"].strip(),
            (row.get("kind") or "").strip(),
            tuple(a.strip() for a in _BETWEEN_ALIASES.split(row.get("aliases") or "") if a.strip()),
        )
        for number, row in enumerate(rows, 1)
    )


@lru_cache(maxsize=128)
def _matcher(places: tuple[KnownPlace, ...]) -> PhraseMatcher[Named]:
    return PhraseMatcher(pair for place in places for pair in _names(place))


def find_home_places(text: Normalised, home: Home) -> list[tuple[Hit[Named], float]]:
    """The commune's places in the text, longest names first to win, each with its probability."""
    barred = barred_names(text)
    by_span: dict[tuple[int, int], dict[str, Hit[Named]]] = {}
    for hit in longest(_matcher(home.places).find(text)):
        if _is_count(text, hit) or (hit.value.sureness == _BARE and hit.first in barred):
            continue
        same = by_span.setdefault((hit.first, hit.last), {})
        known = same.get(hit.value.place.key)
        if known is None or known.value.sureness < hit.value.sureness:
            same[hit.value.place.key] = hit
    found = []
    for same in by_span.values():
        surest = max(hit.value.sureness for hit in same.values())
        best = [hit for hit in same.values() if hit.value.sureness == surest]
        found += [(hit, round(surest / len(best), 3)) for hit in best]
    return found


def _is_count(text: Normalised, hit: Hit[Named]) -> bool:
    """Whether the number belongs to the next word: "tổ 5 người"."""
    if hit.last >= len(text.tokens) or not hit.value.is_number or text.tokens[hit.first].word not in _COUNTING:
        return False
    return text.tokens[hit.last].word in _COUNTED


def _names(place: KnownPlace) -> Iterator[tuple[str, Named]]:
    for written in (place.name, *place.aliases):
        name = " ".join(unicodedata.normalize("NFC", written).lower().split())
        if not name:
            continue
        unit, rest = _split(name, UNITS)
        if not unit and fold(place.kind.lower()) in _FOLDED_UNITS:
            unit, rest = place.kind.lower(), name
        if unit and rest:
            yield from _unit_names(place, unit, rest)
            continue
        yield name, Named(place, _AS_NAMED)
        thing, rest = _split(name, _THINGS)
        if thing and len(rest.split()) > 1:
            yield rest, Named(place, _BARE)
        if thing.startswith("trường ") and rest:
            yield f"trường {rest}", Named(place, _AS_UNIT)
            yield f"{thing.removeprefix('trường ')} {rest}", Named(place, _AS_NAMED)


def _unit_names(place: KnownPlace, unit: str, rest: str) -> Iterator[tuple[str, Named]]:
    is_number = rest[0].isdigit()
    for number in _numbers(rest) if is_number else (rest,):
        yield f"{unit} {number}", Named(place, _AS_NAMED, is_number)
        yield f"{unit} số {number}", Named(place, _AS_NAMED, is_number)
        for other in UNITS:
            if other == unit:
                continue
            strict = "=" if not is_number and other in _ONLY_ACCENTED else ""
            yield f"{strict}{other} {number}", Named(place, _AS_UNIT, is_number)
            if is_number:
                yield f"{other} số {number}", Named(place, _AS_UNIT, is_number)
    if not is_number and len(rest.split()) > 1:
        yield f"={rest}", Named(place, _BARE)


def _numbers(rest: str) -> tuple[str, ...]:
    """A number as people write it: 5, 05."""
    plain = rest.lstrip("0") or rest
    padded = f"0{plain}" if not plain[:2].isdigit() or len(plain) == 1 else plain
    return tuple(dict.fromkeys((rest, plain, padded)))


def _split(name: str, heads: tuple[str, ...]) -> tuple[str, str]:
    folded = fold(name)
    for head in sorted(heads, key=len, reverse=True):
        if folded.startswith(fold(head) + " ") and len(folded) == len(name):
            return name[: len(head)], name[len(head) + 1 :].strip()
    return "", name


_FOLDED_UNITS = frozenset(fold(unit) for unit in UNITS)
