"""Papers that were issued, and transfers of tickets to bodies outside."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.base import Base, OfCommune, one_of
from storage.enums import TransferLineKind, TransferState
from storage.sealing import Sealable


class Paper(OfCommune, Sealable, Base):
    """A paper with a running number of its kind and year, and all that it says: made again it is the same bytes.

    `facts`: what it was made of; {} once the citizen's words were erased. `blob`, `digest` (SHA-256), `size`: the file,
    made when first looked at; the digest stays when the file goes.
    """

    __tablename__ = "papers"
    __table_args__ = (sa.UniqueConstraint("commune_id", "kind", "year", "number"),)

    kind: Mapped[str] = mapped_column(sa.String(10))
    year: Mapped[int]
    number: Mapped[int]
    ticket_id: Mapped[int] = mapped_column(sa.ForeignKey("tickets.id"), index=True)
    facts: Mapped[dict[str, Any]]
    blob: Mapped[str | None] = mapped_column(sa.String(80))
    digest: Mapped[str | None] = mapped_column(sa.String(64))
    size: Mapped[int | None]
    issued_at: Mapped[datetime]
    issued_by_id: Mapped[int] = mapped_column(sa.ForeignKey("officials.id"))

    WORDS = ("facts",)

    def is_secret(self, session: Session) -> bool:
        """Whether its ticket is sealed."""
        from storage.tickets import Ticket

        ticket = session.get(Ticket, self.ticket_id)
        return ticket is not None and ticket.is_sealed

    @property
    def sign(self) -> str:
        """Number and sign as papers carry them: 12/PC-UBND."""
        return f"{self.number}/{self.kind}-UBND"


class Transfer(OfCommune, Base):
    """A ticket handed to a body outside: sent, acknowledged, answered; it stays ours until the citizen has an answer.

    `expected_on`: the last day of its answer. `remind_at`: when the desk must be reminded, once. `acknowledged_by_id`:
    the official who wrote down that the body has it; None: the body said so itself. `link_digest`: what the body's
    one-time link is recognised by, until `link_expires_at`; None: it has none, or it was taken back. `to_commune_id`,
    `to_ticket_id`: the commune on this installation that gets it, and the ticket it became there.
    """

    __tablename__ = "transfers"
    __table_args__ = (
        sa.UniqueConstraint("link_digest"),
        sa.Index("ix_transfers_remind", "remind_at", sqlite_where=sa.text("remind_at IS NOT NULL"),
                 postgresql_where=sa.text("remind_at IS NOT NULL")),
    )  # fmt: skip

    ticket_id: Mapped[int] = mapped_column(sa.ForeignKey("tickets.id"), index=True)
    agency_id: Mapped[int | None] = mapped_column(sa.ForeignKey("agencies.id"))
    to_commune_id: Mapped[int | None] = mapped_column(sa.ForeignKey("communes.id"), index=True)
    to_ticket_id: Mapped[int | None] = mapped_column(sa.ForeignKey("tickets.id"))
    body: Mapped[str] = mapped_column(sa.String(200))
    paper_id: Mapped[int] = mapped_column(sa.ForeignKey("papers.id"))
    state: Mapped[TransferState] = mapped_column(one_of(TransferState), default=TransferState.SENT)
    expected_on: Mapped[date]
    sent_at: Mapped[datetime]
    sent_by_id: Mapped[int] = mapped_column(sa.ForeignKey("officials.id"))
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("officials.id"))
    answered_at: Mapped[datetime | None]
    recalled_at: Mapped[datetime | None]
    remind_at: Mapped[datetime | None]
    link_digest: Mapped[str | None] = mapped_column(sa.String(64))
    link_expires_at: Mapped[datetime | None]


class TransferLine(OfCommune, Sealable, Base):
    """One thing said between a body and us about a transfer: its question, our word, its answer.

    `official_id`: who of us said it or wrote it down; None: it came by the link. `author`: who of the body wrote, as
    they say. `once`: made with the form, so that sending it twice says it once. `is_file_sealed`: its picture is kept
    locked with the commune's key for sealed words.
    """

    __tablename__ = "transfer_lines"
    __table_args__ = (
        sa.UniqueConstraint("transfer_id", "once"),
        sa.Index("ix_transfer_lines_file_unsettled", "id",
                 sqlite_where=sa.text("image_blob IS NOT NULL AND (sealed IS NOT NULL) <> is_file_sealed"),
                 postgresql_where=sa.text("image_blob IS NOT NULL AND (sealed IS NOT NULL) <> is_file_sealed")),
    )  # fmt: skip

    transfer_id: Mapped[int] = mapped_column(sa.ForeignKey("transfers.id"))
    kind: Mapped[TransferLineKind] = mapped_column(one_of(TransferLineKind))
    text: Mapped[str] = mapped_column(sa.Text)
    author: Mapped[str] = mapped_column(sa.String(120), default="")
    image_blob: Mapped[str | None] = mapped_column(sa.String(80))
    is_file_sealed: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    at: Mapped[datetime]
    official_id: Mapped[int | None] = mapped_column(sa.ForeignKey("officials.id"))
    once: Mapped[str] = mapped_column(sa.String(40))

    WORDS = ("text", "author")

    def is_secret(self, session: Session) -> bool:
        """Whether the ticket that was handed over is sealed now."""
        from storage.tickets import Ticket

        transfer = session.get(Transfer, self.transfer_id)
        ticket = session.get(Ticket, transfer.ticket_id) if transfer is not None else None
        return ticket is not None and ticket.is_sealed
