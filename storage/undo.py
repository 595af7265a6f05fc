"""What can still be undone: a message that waits in the house, and how everything stood before it was sent."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.base import Base, OfCommune
from storage.sealing import Sealable

UNDONE = "undone"  # the template of a message and the code of a delivery that were taken back: nobody ever got them


class Undoable(OfCommune, Sealable, Base):
    """One sending that its official may take back until its deliveries leave.

    `message_id`: what was sent, or the result that was approved (`was_draft`); `message_ids`: all that was owed with
    it, to whomever. `before`, `after`: the facts of tickets and conversations that it changed, by number. `written`:
    the form as it was filled in, to be put back; gone as soon as nobody can want it any more. `version`: that of the
    ticket after it, by which its events are known.
    """

    __tablename__ = "undoables"
    __table_args__ = (
        sa.Index("ix_undoables_ticket", "ticket_id", "official_id", "until"),
        sa.Index("ix_undoables_until", "until"),
    )

    ticket_id: Mapped[int] = mapped_column(sa.ForeignKey("tickets.id"))
    official_id: Mapped[int] = mapped_column(sa.ForeignKey("officials.id"))
    message_id: Mapped[int] = mapped_column(sa.ForeignKey("messages.id"))
    message_ids: Mapped[list[int]]
    was_draft: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int]
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]
    written: Mapped[dict[str, Any]] = mapped_column(default=dict)
    sent_at: Mapped[datetime]
    until: Mapped[datetime]
    undone_at: Mapped[datetime | None]

    WORDS = ("written",)

    def is_secret(self, session: Session) -> bool:
        """Whether its ticket is."""
        from storage.tickets import Ticket

        ticket = session.get(Ticket, self.ticket_id)
        return ticket is not None and ticket.is_sealed


def was_meant(column: Any) -> sa.ColumnElement[bool]:
    """Of a message's template or a delivery's code: whether it was not taken back."""
    return sa.func.coalesce(column, "") != UNDONE


def is_not_final(ticket_id: Any, now: datetime) -> sa.ColumnElement[bool]:
    """Whether something about this ticket may still be taken back."""
    waiting = sa.select(Undoable.id).where(
        Undoable.ticket_id == ticket_id, Undoable.until > now, Undoable.undone_at.is_(None)
    )
    return waiting.exists()


def latest_undoable(ticket_id: Any, official_id: int, now: datetime) -> sa.ScalarSelect[int]:
    """The number of the latest sending about a ticket that this official may still take back."""
    return (
        sa.select(sa.func.max(Undoable.id))
        .where(
            Undoable.ticket_id == ticket_id,
            Undoable.official_id == official_id,
            Undoable.until > now,
            Undoable.undone_at.is_(None),
        )
        .correlate_except(Undoable)
        .scalar_subquery()
    )
