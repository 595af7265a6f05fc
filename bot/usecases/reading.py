"""Readings for tools: JSON lines in, what was understood out; a bad line never stops the run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bot.runtime import Runtime
from nlp.home_places import read_places
from nlp.reading import Home, KnownPlace, Reading
from storage.communes import Commune, Locality, Place


class Lines:
    """Reads lines for one home, or for the home each line names."""

    def __init__(self, runtime: Runtime, *, code: str | None = None, places: Path | None = None) -> None:
        self._runtime = runtime
        self._code = code
        self._places = read_places(places) if places else None
        self._homes: dict[str, Home] = {}

    def read(self, line: str) -> dict[str, Any]:
        """One line's reading; {"error": …} says what is wrong with the line."""
        try:
            asked = json.loads(line)
        except ValueError:
            return {"error": "not JSON"}
        if not isinstance(asked, dict) or not isinstance(asked.get("text"), str):
            number = asked.get("id") if isinstance(asked, dict) else None
            return {"id": number, "error": 'a line is an object with a "text" that is a string'}
        home = self._home(str(asked.get("home") or self._code or ""))
        if home is None:
            return {"id": asked.get("id"), "error": f"no unit has the code {asked.get('home') or self._code!r}"}
        return {"id": asked.get("id"), **_as_line(self._runtime.reader.read(asked["text"], home), home)}

    def _home(self, code: str) -> Home | None:
        if code not in self._homes:
            found = self._look_up(code)
            if found is None:
                return None
            self._homes[code] = found
        return self._homes[code]

    def _look_up(self, code: str) -> Home | None:
        if not code:
            return Home("", "", "", self._places or ())
        with self._runtime.database.reading() as session:
            unit = session.get(Locality, code)
            if unit is None:
                return None
            places = self._places
            if places is None:
                rows = session.scalars(
                    sa.select(Place)
                    .join(Commune, Commune.id == Place.commune_id)
                    .where(Commune.locality_code == code, Place.is_active)
                    .order_by(Place.id)
                )
                places = tuple(KnownPlace(str(p.id), p.name, p.kind, tuple(p.aliases)) for p in rows)
        if unit.level == "province":
            return Home("", "", unit.code, places)
        return Home(unit.code, unit.name, unit.parent_code or "", places)


def _as_line(reading: Reading, home: Home) -> dict[str, Any]:
    kinds = {place.key: place.kind for place in home.places}
    return {
        "intent": reading.intent,
        "topic": reading.topic or "",
        "topics": [{"slug": t.slug, "p": round(t.probability, 3)} for t in reading.topics],
        "urgency": reading.urgency,
        "sealed": reading.sealed,
        "places": [
            {"name": p.name, "kind": kinds.get(p.key, ""), "p": round(p.probability, 3)}
            for p in reading.places
            if p.level in {"place", "words"}
        ],
        "units": [
            {"level": p.level, "codes": list(p.codes), "name": p.name, "legacy": p.is_former, "here": bool(p.is_here)}
            for p in reading.places
            if p.level in {"commune", "district", "province"}
        ],
        "pii": [{"kind": s.kind, "start": s.start, "end": s.end} for s in reading.personal_data],
        "spam": reading.intent == "spam",
        "abstain": not reading.topics,
        "model": reading.version,
    }
