"""Tickets and their events."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, OfCommune, one_of
from storage.enums import EventKind, TicketState, Urgency

OPEN_STATES = [state for state in TicketState if state.is_open]


class Ticket(OfCommune, Base):
    """A report we owe an answer to. `version` grows with every change, so that two officials cannot collide."""

    __tablename__ = "tickets"
    __table_args__ = (
        sa.UniqueConstraint("commune_id", "code"),
        sa.Index("ix_tickets_list", "commune_id", "is_open", "due_at", "id"),
        sa.Index("ix_tickets_agency", "commune_id", "agency_id", "is_open", "due_at"),
    )

    code: Mapped[str] = mapped_column(sa.String(20))
    conversation_id: Mapped[int] = mapped_column(sa.ForeignKey("conversations.id"), index=True)
    contact_id: Mapped[int] = mapped_column(sa.ForeignKey("contacts.id"), index=True)
    state: Mapped[TicketState] = mapped_column(one_of(TicketState), default=TicketState.NEW)
    is_open: Mapped[bool] = mapped_column(default=True)
    topic: Mapped[str | None] = mapped_column(sa.String(40))
    topic_is_confirmed: Mapped[bool] = mapped_column(default=False)
    place_id: Mapped[int | None] = mapped_column(sa.ForeignKey("places.id"))
    place_text: Mapped[str | None] = mapped_column(sa.String(300))
    locality_code: Mapped[str | None] = mapped_column(sa.String(8))
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    urgency: Mapped[Urgency] = mapped_column(one_of(Urgency), default=Urgency.NORMAL)
    agency_id: Mapped[int | None] = mapped_column(sa.ForeignKey("agencies.id"))
    official_id: Mapped[int | None] = mapped_column(sa.ForeignKey("officials.id"))
    summary: Mapped[str] = mapped_column(sa.String(300), default="")
    is_sealed: Mapped[bool] = mapped_column(default=False)
    is_restricted: Mapped[bool] = mapped_column(default=False)
    is_touched: Mapped[bool] = mapped_column(default=False)
    merged_into_id: Mapped[int | None] = mapped_column(sa.ForeignKey("tickets.id"))
    announcement_id: Mapped[int | None] = mapped_column(sa.ForeignKey("announcements.id"))
    opened_at: Mapped[datetime]
    last_in_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)


class TicketEvent(OfCommune, Base):
    """One fact in a ticket's life; rows are only ever added."""

    __tablename__ = "ticket_events"

    ticket_id: Mapped[int] = mapped_column(sa.ForeignKey("tickets.id"), index=True)
    kind: Mapped[EventKind] = mapped_column(one_of(EventKind))
    at: Mapped[datetime]
    official_id: Mapped[int | None] = mapped_column(sa.ForeignKey("officials.id"))
    note: Mapped[str | None] = mapped_column(sa.Text)
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
