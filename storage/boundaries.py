"""Boundaries: which commune a point lies in, from simplified borders that ship with the program."""

from __future__ import annotations

import gzip
import json
import threading
from functools import cache
from pathlib import Path

import shapely

from storage.seeding import SEEDS

FILE = SEEDS / "commune_boundaries.geojson.gz"
# Borders are simplified to about 55 m; a point this near to one (in degrees, about 1 km) still belongs to a commune.
_NEAR = 0.01
_reading = threading.Lock()


class Boundaries:
    """The borders of all communes; built in about two seconds, so once a process and when first needed."""

    def __init__(self, path: Path = FILE) -> None:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            features = json.load(file)["features"]
        self._codes = [str(feature["id"]) for feature in features]
        self._areas = shapely.from_geojson([json.dumps(feature["geometry"]) for feature in features])
        self._tree = shapely.STRtree(self._areas)

    def commune_at(self, latitude: float, longitude: float) -> str | None:
        """The code of the commune at a point (degrees, WGS 84); None outside the country or for no point at all."""
        if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
            return None
        point = shapely.Point(longitude, latitude)
        inside = self._tree.query(point, predicate="intersects")
        if len(inside):
            return self._codes[int(inside[0])]
        near = self._tree.query_nearest(point, max_distance=_NEAR)
        return self._codes[int(near[0])] if len(near) else None


def boundaries() -> Boundaries:
    """The borders that ship; read when first asked for, so ask before taking a lock that others wait for."""
    with _reading:
        return _shipped()


@cache
def _shipped() -> Boundaries:
    return Boundaries()
