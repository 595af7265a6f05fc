"""Readings for tools: JSON lines in, what was understood out; a bad line never stops the run."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NamedTuple

from bot.country import build_gazetteer
from bot.usecases.installation import Installation
from nlp.home_places import read_places
from nlp.reader import Reader
from nlp.reading import Home, KnownPlace, PlaceGuess, Reading
from nlp.units import Gazetteer
from storage.seed_rows import former_units, units_today

_SHOWN_CODES = 5


class UnknownCode(ValueError):
    """No commune or province of today has this code."""


class BadPlaces(ValueError):
    """A list of places that cannot be used; says what is wrong and what to do."""


class _BadLine(ValueError):
    """A line that cannot be read; says why."""


class _Asked(NamedTuple):
    id: Any
    text: str
    home: str


class Country:
    """The units of the country from the files that ship: the reader's gazetteer, and homes by code."""

    def __init__(self) -> None:
        self._today = units_today()
        self._former = former_units()
        self._by_code = {code: (name, parent) for code, _, name, parent in self._today}

    @cached_property
    def gazetteer(self) -> Gazetteer:
        """All units, of today and before."""
        return build_gazetteer(self._today)

    def home(self, code: str, places: tuple[KnownPlace, ...]) -> Home:
        """The home with this code; raises UnknownCode. "" is no home in particular."""
        if not code:
            return Home("", "", "", places)
        if code not in self._by_code:
            raise UnknownCode(self._why_unknown(code))
        name, province = self._by_code[code]
        return Home(code, name, province, places) if province else Home("", "", code, places)

    def _why_unknown(self, code: str) -> str:
        now = next((codes.split() for own, *_, codes in self._former if own == code), [])
        if not now:
            return f"no commune or province has the code {code!r}"
        shown = ", ".join(now[:_SHOWN_CODES]) + (", …" if len(now) > _SHOWN_CODES else "")
        return f"{code!r} is the code of a former unit; today's codes there: {shown}"


@cache
def country() -> Country:
    """The country, read once."""
    return Country()


class Homes:
    """Homes by code with their places: those of the list given, or else of the commune served here."""

    def __init__(self, installation: Installation, places: Sequence[KnownPlace] | None) -> None:
        self._installation = installation
        self._places = None if places is None else tuple(places)
        self._known: dict[str, Home] = {}

    def home(self, code: str) -> Home:
        """The home with this code; raises UnknownCode."""
        if code not in self._known:
            bare = country().home(code, ())
            places = self._installation.places(code) if self._places is None else self._places
            self._known[code] = Home(bare.commune_code, bare.commune_name, bare.province_code, places)
        return self._known[code]


class Lines:
    """Reads lines, each for the home it names or for the one given."""

    def __init__(
        self,
        *,
        places: Sequence[KnownPlace] | None = None,
        code: str = "",
        note: Callable[[str], None] = lambda _: None,
    ) -> None:
        installation = Installation(note)
        self._homes = Homes(installation, places)
        self._code = code
        self._homes.home(code)
        self._reader = Reader(country().gazetteer, installation.judge())

    def answer(self, line: bytes, number: int = 1) -> dict[str, Any] | None:
        """One line's reading; {"error": …} says what is wrong with the line; None for an empty line."""
        if not line.strip():
            return None
        known: dict[str, Any] = {}
        try:
            asked = _asked(line, known)
            home = self._homes.home(asked.home or self._code)
        except (_BadLine, UnknownCode) as error:
            return {**known, "error": f"line {number}: {error}"}
        return {"id": asked.id, **as_line(asked.text, self._reader.read(asked.text, home), home)}


def _asked(line: bytes, known: dict[str, Any]) -> _Asked:
    """What a line asks; puts its id into `known` before it looks at the rest; raises _BadLine."""
    try:
        row = json.loads(line.decode("utf-8-sig"), parse_constant=_no_json, parse_float=_finite)
    except UnicodeDecodeError as error:
        raise _BadLine(f"not UTF-8 (byte {error.start + 1})") from None
    except RecursionError:
        raise _BadLine("not JSON: nested too deeply") from None
    except ValueError as error:
        raise _BadLine(f"not JSON: {error}") from None
    if not isinstance(row, dict):
        raise _BadLine('an object {"id","text","home"} is needed')
    if "id" in row:
        known["id"] = row["id"]
    text, home = row.get("text"), row.get("home")
    if not isinstance(text, str):
        raise _BadLine('"text" must be there and be a string')
    if home is not None and not isinstance(home, str):
        raise _BadLine('"home" must be a code in quotes, such as "27925"')
    return _Asked(row.get("id"), text, (home or "").strip())


def _no_json(word: str) -> None:
    raise ValueError(f"{word} is no JSON value")


def _finite(word: str) -> float:
    number = float(word)
    if math.isinf(number):
        raise ValueError(f"{word[:20]} is too large")
    return number


def as_line(text: str, reading: Reading, home: Home) -> dict[str, Any]:
    """A reading as tools get it; `spots`: words that say where and are no place of the list."""
    kinds = {place.key: place.kind for place in home.places}
    return {
        "intent": reading.intent,
        "topic": reading.topic or "",
        "topics": [
            {"slug": t.slug, "p": round(t.probability, 3), "why": _why(text, reading, t.slug)} for t in reading.topics
        ],
        "urgency": reading.urgency,
        "sealed": reading.sealed,
        "places": [
            {"name": p.name, "kind": kinds.get(p.key, ""), "p": round(p.probability, 3)}
            for p in reading.places
            if p.level == "place"
        ],
        "spots": [p.name for p in reading.places if p.level == "words"],
        "units": [_unit(p) for p in reading.places if p.level in {"commune", "district", "province"}],
        "pii": [{"kind": s.kind, "start": s.start, "end": s.end} for s in reading.personal_data],
        "spam": reading.intent == "spam",
        "parts": [
            {
                "topic": p.slug,
                "p": round(p.probability, 3),
                "start": p.start,
                "end": p.end,
                "text": text[p.start : p.end],
            }
            for p in reading.parts
        ],
        "abstain": reading.abstains,
        "language": reading.language,
        "model": reading.version,
    }


def _why(text: str, reading: Reading, slug: str) -> list[str]:
    """The words of the original that spoke for a topic, once each."""
    spans = (s for s in reading.evidence if s.kind == "topic" and s.note == slug)
    return list(dict.fromkeys(text[s.start : s.end] for s in spans))


def _unit(place: PlaceGuess) -> dict[str, Any]:
    return {
        "level": place.level,
        "codes": list(place.codes),
        "name": place.name,
        "legacy": place.is_former,
        "here": bool(place.is_here),
    }


def places_from(path: Path) -> tuple[KnownPlace, ...]:
    """A commune's places from a CSV of name, kind, aliases, parent in UTF-8; raises BadPlaces."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadPlaces(
            f"{path.name} is not UTF-8 (byte {error.start + 1}): save it as “CSV UTF-8” (lưu lại dạng CSV UTF-8)"
        ) from None
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
        _check_columns(path.name, rows[0] if rows else [])
        return read_places(path)
    except csv.Error as error:
        raise BadPlaces(f"{path.name} is no CSV: {error}") from None


def _check_columns(file_name: str, columns: Iterable[str]) -> None:
    found = [column.strip() for column in columns]
    if "name" in found:
        return
    if any(mark in column for column in found for mark in ";\t"):
        raise BadPlaces(f"{file_name}: the columns must be separated by commas (ngăn cách cột bằng dấu phẩy)")
    raise BadPlaces(
        f'{file_name} has no column "name" (thiếu cột name): the first line must be name,kind,aliases,parent, '
        f"not {','.join(found)[:80] or 'empty'}"
    )
