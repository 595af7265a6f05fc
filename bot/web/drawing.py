"""Drawing: borders and tickets as a picture that needs no script, in the plane of a page."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from bot.usecases.ticket_map import Look, Pin
from storage.outlines import Box, Outline

WIDTH = 1000
_CELL = 44
_ORDER = list(Look)


@dataclass(frozen=True)
class Dot:
    """Tickets that stand near each other, drawn as one: where, how large, and the look of the most pressing."""

    x: float
    y: float
    size: float
    look: Look
    ids: tuple[int, ...]


class Plane:
    """Degrees to the picture's own units; near enough for a commune."""

    def __init__(self, view: Box) -> None:
        self.view = view
        self._narrow = math.cos(math.radians((view.south + view.north) / 2))
        self._scale = WIDTH / ((view.east - view.west) * self._narrow)
        self.height = max(1, round((view.north - view.south) * self._scale))

    def at(self, latitude: float, longitude: float) -> tuple[float, float]:
        """Where a point is drawn."""
        x = (longitude - self.view.west) * self._narrow * self._scale
        return round(x, 1), round((self.view.north - latitude) * self._scale, 1)

    def path(self, outline: Outline) -> str:
        """A border as the data of a path."""
        return "".join(self._ring(ring) for ring in outline.rings)

    def _ring(self, ring: Iterable[tuple[float, float]]) -> str:
        points = [self.at(latitude, longitude) for longitude, latitude in ring]
        return "M" + "L".join(f"{x:g} {y:g}" for x, y in points) + "Z"

    def dots(self, pins: Iterable[Pin]) -> list[Dot]:
        """The tickets, those of one small square together; the most pressing are drawn last, so on top."""
        squares: dict[tuple[int, int], list[Pin]] = {}
        for pin in pins:
            x, y = self.at(pin.latitude, pin.longitude)
            squares.setdefault((int(x / _CELL), int(y / _CELL)), []).append(pin)
        dots = [self._dot(members) for members in squares.values()]
        return sorted(dots, key=lambda dot: -_ORDER.index(dot.look))

    def _dot(self, members: list[Pin]) -> Dot:
        points = [self.at(pin.latitude, pin.longitude) for pin in members]
        x, y = (round(sum(values) / len(values), 1) for values in zip(*points, strict=True))
        look = min((pin.look for pin in members), key=_ORDER.index)
        return Dot(x, y, round(min(30.0, 13 + 3 * math.sqrt(len(members) - 1)), 1), look, tuple(p.id for p in members))
