"""The map: where the tickets of a list are, as far as somebody has said, and how many each place has.

A ticket stands where it was pinned, or else at its place of the commune's list, where enough pins tell where that is.
What is sealed is not on it (domain §8.2). Points are rounded to about ten metres: the ticket's own page is more exact.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.runtime import Runtime
from bot.usecases.communes import holidays_of, working_hours
from bot.usecases.ticket_list import looker_of
from storage.communes import Commune, Place
from storage.enums import TicketState, Urgency
from storage.figures import NOTHING, Figure, Filters, condition, conditions
from storage.officials import Official
from storage.outlines import Surroundings, surroundings
from storage.tickets import Looker, Ticket, View, listed

MOST_PINS = 10_000
_DIGITS = 4
PINS_FOR_A_PLACE = 3  # one pin may be somebody's home


class Look(StrEnum):
    """How a ticket is drawn, the most pressing first."""

    EMERGENCY = "emergency"
    LATE = "late"
    URGENT = "urgent"
    OPEN = "open"
    ENDED = "ended"


@dataclass(frozen=True)
class Pin:
    """A ticket on the map. `is_rough`: it stands at its place, as nobody pinned it."""

    id: int
    code: str
    latitude: float
    longitude: float
    look: Look
    topic: str | None
    state: TicketState
    is_rough: bool


@dataclass(frozen=True)
class PlaceSum:
    """How many tickets a place has; `key` is its number, 0 for those without a place."""

    key: int
    name: str
    many: int
    drawn: int
    urgent: int
    late: int


@dataclass(frozen=True)
class TicketMap:
    """`away`: tickets pinned outside of what the map shows. `is_cut`: there are more tickets than it takes."""

    surroundings: Surroundings | None
    pins: list[Pin]
    places: list[PlaceSum]
    names: list[tuple[str, float, float]]
    away: list[int]
    many: int
    is_cut: bool


def ticket_map(runtime: Runtime, official: Official, commune: Commune, view: View, filters: Filters) -> TicketMap:
    """Where the tickets are that the list shows this official under the same view and filters."""
    around = surroundings(commune.locality_code)
    now = runtime.now()
    hours = working_hours(dict(commune.settings))
    with runtime.database.reading() as session:
        looker = looker_of(official, now, hours, holidays_of(session, commune.id))
        is_late = sa.case((condition(Figure.LATE_OPEN, now), 1), else_=0).label("is_late")
        found = _tickets(session, is_late, *listed(looker, view), *conditions(filters, now))
        points = _points(session, looker)
    is_cut = len(found) > MOST_PINS
    pins, away = _placed(found[:MOST_PINS], points, around)
    return TicketMap(
        surroundings=around,
        pins=pins,
        places=_sums(found[:MOST_PINS], {pin.id for pin in pins}),
        names=[(name, *at) for name, at in points.values() if around and around.view.holds(*at)],
        away=away,
        many=len(found[:MOST_PINS]),
        is_cut=is_cut,
    )


_Row = Any  # a row of `_tickets`
_Points = dict[int, tuple[str, tuple[float, float]]]


def _tickets(session: Session, is_late: sa.ColumnElement[int], *chosen: sa.ColumnElement[bool]) -> list[_Row]:
    query = (
        sa.select(
            Ticket.id, Ticket.code, Ticket.latitude, Ticket.longitude, Ticket.topic, Ticket.state, Ticket.urgency,
            Ticket.is_open, Ticket.place_id, Place.name.label("place"), is_late,
        )
        .outerjoin(Place, Place.id == Ticket.place_id)
        .where(Ticket.is_sealed.is_(False), *chosen)
        .order_by(Ticket.id.desc())
        .limit(MOST_PINS + 1)
    )  # fmt: skip
    return list(session.execute(query))


def _points(session: Session, looker: Looker) -> _Points:
    """Where each place is, as the pins of its tickets tell: their median, once there are enough."""
    rows = session.execute(
        sa.select(Ticket.place_id, Place.name, Ticket.latitude, Ticket.longitude)
        .join(Place, Place.id == Ticket.place_id)
        .where(looker.seen_by, Ticket.is_sealed.is_(False), Ticket.is_spam.is_(False),
               Ticket.latitude.is_not(None), Ticket.longitude.is_not(None))
        .order_by(Ticket.id.desc())
        .limit(MOST_PINS)
    )  # fmt: skip
    pinned: dict[int, tuple[str, list[float], list[float]]] = {}
    for place, name, latitude, longitude in rows:
        _, latitudes, longitudes = pinned.setdefault(place, (name, [], []))
        latitudes.append(latitude)
        longitudes.append(longitude)
    return {
        place: (name, (_rounded(median(latitudes)), _rounded(median(longitudes))))
        for place, (name, latitudes, longitudes) in pinned.items()
        if len(latitudes) >= PINS_FOR_A_PLACE
    }


def _placed(found: Iterable[_Row], points: _Points, around: Surroundings | None) -> tuple[list[Pin], list[int]]:
    pins, away = [], []
    for row in found:
        at = (_rounded(row.latitude), _rounded(row.longitude)) if _is_pinned(row) else None
        where = at or (points[row.place_id][1] if row.place_id in points else None)
        if where is None:
            continue
        if around is None or not around.view.holds(*where):
            away.append(row.id)
            continue
        pins.append(Pin(row.id, row.code, *where, _look(row), row.topic, row.state, at is None))
    return pins, away


def _is_pinned(row: _Row) -> bool:
    return row.latitude is not None and row.longitude is not None


def _look(row: _Row) -> Look:
    if not row.is_open:
        return Look.ENDED
    if row.urgency is Urgency.EMERGENCY:
        return Look.EMERGENCY
    if row.is_late:
        return Look.LATE
    return Look.URGENT if row.urgency is Urgency.URGENT else Look.OPEN


def _sums(found: Iterable[_Row], drawn: set[int]) -> list[PlaceSum]:
    grouped: dict[int, list[_Row]] = {}
    for row in found:
        grouped.setdefault(row.place_id or NOTHING, []).append(row)
    sums = [
        PlaceSum(
            key,
            members[0].place or "",
            len(members),
            sum(row.id in drawn for row in members),
            sum(bool(row.is_open) and row.urgency is not Urgency.NORMAL for row in members),
            sum(row.is_late for row in members),
        )
        for key, members in grouped.items()
    ]
    return sorted(sums, key=lambda one: (-one.many, one.name))


def _rounded(degrees: float) -> float:
    return round(degrees, _DIGITS)
