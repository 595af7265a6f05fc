"""Outlines: the borders of a commune and of those around it, picked from the file of all without building its index."""

from __future__ import annotations

import gzip
import json
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from storage.boundaries import FILE
from storage.seed_rows import centres, units_today

Point = tuple[float, float]  # longitude, latitude, as the file has them
_CANDIDATES = 48  # communes whose centres are nearest; those that touch the view are drawn
_AROUND = 0.12  # of the commune's width and height, seen beyond its border


@dataclass(frozen=True)
class Box:
    """West, south, east, north in degrees."""

    west: float
    south: float
    east: float
    north: float

    def holds(self, latitude: float, longitude: float) -> bool:
        """Whether a point lies within."""
        return self.south <= latitude <= self.north and self.west <= longitude <= self.east

    def meets(self, other: Box) -> bool:
        """Whether two boxes have a part in common."""
        apart = self.east < other.west or other.east < self.west or self.north < other.south or other.north < self.south
        return not apart


@dataclass(frozen=True)
class Outline:
    """A commune's name and the rings of its border, holes among them."""

    name: str
    rings: tuple[tuple[Point, ...], ...]


@dataclass(frozen=True)
class Surroundings:
    """A commune, those around it as far as they are seen, and what is seen."""

    own: Outline
    around: tuple[Outline, ...]
    view: Box


@lru_cache(maxsize=64)
def surroundings(code: str) -> Surroundings | None:
    """The borders to draw for a commune; None where the file does not know it."""
    at = centres()
    if code not in at:
        return None
    nearest = sorted(at, key=lambda other: _distance(at[code], at[other]))[: _CANDIDATES + 1]
    found = _read({*nearest, code})
    own = found.pop(code, None)
    if own is None:
        return None
    view = _widened(_box(own))
    return Surroundings(own, tuple(one for one in found.values() if _box(one).meets(view)), view)


def _read(codes: set[str]) -> dict[str, Outline]:
    names = {code: f"{kind} {name}" for code, kind, name, _ in units_today()}
    with gzip.open(FILE, "rt", encoding="utf-8") as file:
        text = file.read()
    decoder = json.JSONDecoder()
    found = {}
    for code in sorted(codes):
        at = text.find(f'"id":"{code}"')
        if at >= 0:
            geometry, _ = decoder.raw_decode(text, text.index('"geometry":', at) + len('"geometry":'))
            found[code] = Outline(names.get(code, code), tuple(_rings(geometry)))
    return found


def _rings(geometry: dict[str, Any]) -> list[tuple[Point, ...]]:
    polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    return [tuple((float(x), float(y)) for x, y in ring) for polygon in polygons for ring in polygon]


def _box(outline: Outline) -> Box:
    longitudes = [x for ring in outline.rings for x, _ in ring]
    latitudes = [y for ring in outline.rings for _, y in ring]
    return Box(min(longitudes), min(latitudes), max(longitudes), max(latitudes))


def _widened(box: Box) -> Box:
    wide, high = (box.east - box.west) * _AROUND, (box.north - box.south) * _AROUND
    return Box(box.west - wide, box.south - high, box.east + wide, box.north + high)


def _distance(one: tuple[float, float], other: tuple[float, float]) -> float:
    return math.hypot(one[0] - other[0], (one[1] - other[1]) * math.cos(math.radians(one[0])))
