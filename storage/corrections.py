"""Corrections: what officials said of readings, agreeing or not; what the reader learns from."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, OfCommune, one_of
from storage.enums import CorrectionKind


class Correction(OfCommune, Base):
    """One official's word on one answer of a reading; `before` and `after` are equal when they agreed.

    Both are codes, never words: a topic's slug, an urgency, "sealed" or "open", "spam" or "-", or a place's number
    ("words" where only words were given). `message_id`: the ticket's first report, the only place its text is kept.
    `reader_version`: of the reading corrected; `probability`: what it gave `before`, where it gives one.
    """

    __tablename__ = "corrections"
    __table_args__ = (sa.Index("ix_corrections_recent", "commune_id", "at"),)

    ticket_id: Mapped[int] = mapped_column(sa.ForeignKey("tickets.id"), index=True)
    message_id: Mapped[int | None] = mapped_column(sa.ForeignKey("messages.id"), index=True)
    kind: Mapped[CorrectionKind] = mapped_column(one_of(CorrectionKind))
    before: Mapped[str | None] = mapped_column(sa.String(40))
    after: Mapped[str | None] = mapped_column(sa.String(40))
    reader_version: Mapped[str] = mapped_column(sa.String(60), default="")
    probability: Mapped[float | None]
    official_id: Mapped[int] = mapped_column(sa.ForeignKey("officials.id"))
    at: Mapped[datetime]
