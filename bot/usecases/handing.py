"""Handing work over: whose open reports go where when a person or a unit works no longer.

Sealed reports are neither counted nor named here: their readers decide about them (domain §8.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.agencies import Agency
from storage.enums import EventKind
from storage.officials import Official
from storage.tickets import Ticket, TicketEvent


def open_work_of(session: Session, official: Official) -> list[Ticket]:
    """The open reports that this person has, the sealed ones left out."""
    query = sa.select(Ticket).where(
        Ticket.commune_id == official.commune_id,
        Ticket.official_id == official.id,
        Ticket.is_open,
        Ticket.is_sealed.is_(False),
    )
    return list(session.scalars(query.order_by(Ticket.due_at, Ticket.id)))


def open_work_at(session: Session, agency: Agency) -> list[Ticket]:
    """The open reports of a unit, the sealed ones left out."""
    query = sa.select(Ticket).where(
        Ticket.commune_id == agency.commune_id,
        Ticket.agency_id == agency.id,
        Ticket.is_open,
        Ticket.is_sealed.is_(False),
    )
    return list(session.scalars(query.order_by(Ticket.due_at, Ticket.id)))


def hand_over(session: Session, leaving: Official, heir: Official | None, by: Official, now: datetime) -> int:
    """Give a person's open reports to a colleague, or back to the unit; gives how many of those that are counted.

    A colleague gets what their unit has; the rest goes back to its unit. Sealed ones go back to their readers.
    """
    tickets = _locked(session, Ticket.official_id == leaving.id, leaving.commune_id)
    for ticket in tickets:
        agency = session.get(Agency, ticket.agency_id) if ticket.agency_id else None
        fits = heir is not None and not ticket.is_sealed and heir.agency_id in (None, ticket.agency_id)
        ticket.official_id = heir.id if heir is not None and fits else None
        told = {"agency": agency.name if agency else "", "official": heir.name if heir is not None and fits else None}
        _note(session, ticket, told, by.id, now)
    return sum(not ticket.is_sealed for ticket in tickets)


def let_go_elsewhere(session: Session, official: Official, by: Official, now: datetime) -> int:
    """After a move to another unit: the reports of other units go back to them."""
    tickets = _locked(session, Ticket.official_id == official.id, official.commune_id)
    moved = [t for t in tickets if official.agency_id is not None and t.agency_id != official.agency_id]
    for ticket in moved:
        agency = session.get(Agency, ticket.agency_id) if ticket.agency_id else None
        ticket.official_id = None
        _note(session, ticket, {"agency": agency.name if agency else "", "official": None}, by.id, now)
    return sum(not ticket.is_sealed for ticket in moved)


def move_to(session: Session, closing: Agency, heir: Agency, now: datetime) -> int:
    """A unit is no more: its open reports are the other one's; gives how many."""
    tickets = [t for t in _locked(session, Ticket.agency_id == closing.id, closing.commune_id) if not t.is_sealed]
    for ticket in tickets:
        ticket.agency_id = heir.id
        _note(session, ticket, {"agency": heir.name, "official": None, "closed": closing.name}, None, now)
    return len(tickets)


def _locked(session: Session, which: sa.ColumnElement[bool], commune_id: int) -> Sequence[Ticket]:
    query = sa.select(Ticket).where(Ticket.commune_id == commune_id, which, Ticket.is_open).order_by(Ticket.id)
    return session.scalars(query.with_for_update(of=Ticket)).all()


def _note(session: Session, ticket: Ticket, data: dict[str, Any], by: int | None, now: datetime) -> None:
    ticket.version += 1
    session.add(
        TicketEvent(
            commune_id=ticket.commune_id, ticket_id=ticket.id, kind=EventKind.ASSIGNED, at=now, official_id=by,
            data=data,
        )
    )  # fmt: skip
