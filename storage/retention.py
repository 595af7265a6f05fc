"""Retention: how long a commune keeps what, what went in which run, and the tickets that must stay."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, OfCommune
from storage.tickets import Ticket


class RetentionRule(OfCommune, Base):
    """For how many days a commune keeps a kind of data; without a row nothing of that kind goes."""

    __tablename__ = "retention_rules"
    __table_args__ = (sa.UniqueConstraint("commune_id", "kind"),)

    kind: Mapped[str] = mapped_column(sa.String(20))
    days: Mapped[int]
    changed_at: Mapped[datetime]
    changed_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("officials.id"))


class RetentionRun(OfCommune, Base):
    """What of one kind went at once: the proof of deletion, and where a run that was cut short goes on.

    `before`: what was older than that; `reached_id`: looked at up to this row. `digest`: SHA-256 over the numbers of
    the rows, each with the digest before it, beginning with kind, commune and `before`.
    """

    __tablename__ = "retention_runs"
    __table_args__ = (
        sa.Index("uq_retention_runs_running", "commune_id", "kind", unique=True,
                 sqlite_where=sa.text("ended_at IS NULL"), postgresql_where=sa.text("ended_at IS NULL")),
    )  # fmt: skip

    kind: Mapped[str] = mapped_column(sa.String(20))
    days: Mapped[int]
    before: Mapped[datetime]
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    reached_id: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    count: Mapped[int] = mapped_column(default=0)
    oldest_at: Mapped[datetime | None]
    newest_at: Mapped[datetime | None]
    digest: Mapped[str] = mapped_column(sa.String(64), default="")


class Hold(OfCommune, Base):
    """A ticket that must stay as it is, for an inspection or a dispute, until somebody releases it."""

    __tablename__ = "holds"
    __table_args__ = (
        sa.Index("uq_holds_standing", "ticket_id", unique=True, sqlite_where=sa.text("released_at IS NULL"),
                 postgresql_where=sa.text("released_at IS NULL")),
    )  # fmt: skip

    ticket_id: Mapped[int] = mapped_column(sa.ForeignKey("tickets.id"))
    reason: Mapped[str] = mapped_column(sa.String(300))
    at: Mapped[datetime]
    by_id: Mapped[int] = mapped_column(sa.ForeignKey("officials.id"))
    released_at: Mapped[datetime | None]
    released_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("officials.id"))


def is_held(ticket: type[Ticket] = Ticket) -> sa.ColumnElement[bool]:
    """The condition that a ticket must stay."""
    return sa.select(Hold.id).where(Hold.ticket_id == ticket.id, Hold.released_at.is_(None)).exists()
