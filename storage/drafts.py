"""Drafts: what an official is writing about a ticket and has not sent."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.base import Base, OfCommune, one_of
from storage.sealing import Sealable


class DraftKind(StrEnum):
    """What it will be: words to the citizen, or a note for colleagues."""

    REPLY = "reply"
    NOTE = "note"


class Draft(OfCommune, Sealable, Base):
    """One composer of one official: the words, and what else stood in its form (`fields`)."""

    __tablename__ = "drafts"
    __table_args__ = (sa.UniqueConstraint("ticket_id", "official_id", "kind"),)

    ticket_id: Mapped[int] = mapped_column(sa.ForeignKey("tickets.id"))
    official_id: Mapped[int] = mapped_column(sa.ForeignKey("officials.id"))
    kind: Mapped[DraftKind] = mapped_column(one_of(DraftKind))
    text: Mapped[str] = mapped_column(sa.Text, default="")
    fields: Mapped[dict[str, Any]] = mapped_column(default=dict)
    saved_at: Mapped[datetime]

    WORDS = ("text", "fields")

    def is_secret(self, session: Session) -> bool:
        """Whether its ticket is."""
        from storage.tickets import Ticket

        ticket = session.get(Ticket, self.ticket_id)
        return ticket is not None and ticket.is_sealed
