"""What a deed of many changes of one report: its facts before and after, the rows it made, and how to set them back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.base import Instant
from storage.corrections import Correction
from storage.deliveries import Delivery
from storage.enums import DeliveryState, TicketState
from storage.messages import Message
from storage.tickets import Ticket

_FACTS = (
    "state", "is_open", "is_spam", "topic", "topic_is_confirmed", "is_restricted", "agency_id", "official_id",
    "accept_due_at", "accepted_at", "action_due_at", "acted_at", "due_at", "paused_at", "paused_until", "answered_at",
    "closed_at", "snoozed_until",
)  # fmt: skip


@dataclass
class Made:
    """The rows that a deed made, and the deliveries it called off."""

    deliveries: list[Delivery] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    corrections: list[Correction] = field(default_factory=list)
    called_off: list[int] = field(default_factory=list)

    def numbers(self) -> dict[str, list[int]]:
        """By number, as they are kept; empty ones left out."""
        found = {
            "deliveries": [one.id for one in self.deliveries],
            "messages": [one.id for one in self.messages],
            "corrections": [one.id for one in self.corrections],
            "called_off": self.called_off,
        }
        return {name: numbers for name, numbers in found.items() if numbers}


@contextmanager
def noted(session: Session, ticket: Ticket) -> Iterator[Made]:
    """Note the rows that are made inside."""
    made = Made()
    waiting = _waiting(session, ticket)

    def note(_: Session, row: Any) -> None:
        if isinstance(row, Delivery):
            made.deliveries.append(row)
        elif isinstance(row, Message):
            made.messages.append(row)
        elif isinstance(row, Correction):
            made.corrections.append(row)

    sa.event.listen(session, "pending_to_persistent", note)
    try:
        yield made
    finally:
        sa.event.remove(session, "pending_to_persistent", note)
    made.called_off = sorted(waiting - _waiting(session, ticket))


def _waiting(session: Session, ticket: Ticket) -> set[int]:
    mine = sa.select(Message.id).where(Message.ticket_id == ticket.id)
    query = sa.select(Delivery.id).where(Delivery.message_id.in_(mine), Delivery.state == DeliveryState.WAITING)
    return set(session.scalars(query))


def hold_back(deliveries: Sequence[Delivery], until: datetime) -> None:
    """What is told waits in the house until then."""
    for delivery in deliveries:
        delivery.next_attempt_at = delivery.held_until = until


def facts_of(ticket: Ticket) -> dict[str, Any]:
    """The facts of a report that a deed may change, as plain values."""
    return {fact: _plain(getattr(ticket, fact)) for fact in _FACTS}


def set_back(ticket: Ticket, before: dict[str, Any]) -> None:
    """Each fact as it was."""
    for fact in _FACTS:
        value = before[fact]
        if value is not None and isinstance(Ticket.__table__.c[fact].type, Instant):
            value = datetime.fromisoformat(value)
        setattr(ticket, fact, TicketState(value) if fact == "state" else value)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
