"""Spots: where a photo's camera, or a citizen's pin, says the matter is; an official takes one with a click."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.access import attachment_for
from bot.rules.lifecycle import NotAllowed
from bot.runtime import Runtime
from bot.usecases.desk import at_desk
from bot.usecases.tickets import must_direct
from storage.boundaries import boundaries
from storage.communes import Commune, Locality
from storage.enums import EventKind
from storage.messages import Attachment
from storage.officials import Official
from storage.tickets import Ticket

# Photos of one matter are taken a few steps apart: about ten metres are one spot.
_SAME = 4
_PIN = "location"


@dataclass(frozen=True)
class Spot:
    """A position somebody's file tells. `commune`: its name, where known; `is_here`: whether that is ours."""

    attachment_id: int
    latitude: float
    longitude: float
    is_pin: bool
    commune: str | None
    is_here: bool


def spots_of(session: Session, ticket: Ticket, attachments: Iterable[Attachment]) -> list[Spot]:
    """Positions that could be taken: each once, and not the one the ticket has."""
    seen = {_rounded(ticket.latitude, ticket.longitude)}
    chosen: list[Attachment] = []
    for one in attachments:
        where = _rounded(one.latitude, one.longitude)
        if where is not None and where not in seen:
            seen.add(where)
            chosen.append(one)
    if not chosen:
        return []
    own = session.scalar(sa.select(Commune.locality_code).where(Commune.id == ticket.commune_id))
    names = _names(session, {one.locality_code for one in chosen if one.locality_code})
    return [
        Spot(
            one.id,
            one.latitude or 0.0,
            one.longitude or 0.0,
            one.kind == _PIN,
            names.get(one.locality_code or ""),
            one.locality_code == own,
        )
        for one in chosen
    ]


def take(runtime: Runtime, official: Official, ticket_id: int, *, version: int, attachment_id: int) -> None:
    """Put the ticket where this file says it is. Raises NotAllowed, Changed, NotFound."""
    borders = boundaries()  # they take a second to read, the first time: not while others wait for the ticket
    with at_desk(runtime, official, ticket_id, version) as desk:
        must_direct(desk)
        found, of = attachment_for(desk.session, official, attachment_id)
        if ticket_id not in {of.id, of.merged_into_id} or found.latitude is None or found.longitude is None:
            raise NotAllowed("no_spot", "Tệp này không có vị trí, hoặc thuộc phản ánh khác. Anh/Chị tải lại trang.")
        ticket = desk.ticket
        code = borders.commune_at(found.latitude, found.longitude)
        words = f"{found.latitude:.5f}, {found.longitude:.5f}"
        name = _names(desk.session, {code}).get(code) if code else None
        before = ticket.place_text
        ticket.latitude, ticket.longitude = found.latitude, found.longitude
        ticket.locality_code = code or ticket.locality_code
        desk.event(EventKind.PLACE_CHANGED, {"from": before, "to": f"{words} ({name})" if name else words})


def _rounded(latitude: float | None, longitude: float | None) -> tuple[float, float] | None:
    return None if latitude is None or longitude is None else (round(latitude, _SAME), round(longitude, _SAME))


def _names(session: Session, codes: set[str]) -> dict[str, str]:
    rows = session.execute(sa.select(Locality.code, Locality.type, Locality.name).where(Locality.code.in_(codes)))
    return {code: f"{kind} {name}" for code, kind, name in rows}
