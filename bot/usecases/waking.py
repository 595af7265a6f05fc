"""Waking: what was put aside is back in the lists, as something has come that must be seen."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from storage.enums import EventKind
from storage.tickets import Ticket, TicketEvent


def wake(session: Session, ticket: Ticket, now: datetime, by: str) -> None:
    """Something has come that must be seen (`by`: "citizen", "clock", "body", "urgency", "incident")."""
    until, ticket.snoozed_until = ticket.snoozed_until, None
    if until is not None and until > now:
        session.add(
            TicketEvent(
                commune_id=ticket.commune_id, ticket_id=ticket.id, kind=EventKind.WOKEN, at=now, data={"why": by}
            )
        )
