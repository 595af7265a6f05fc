"""Frequent questions of a commune: what it has added to the entries that ship, changed in them, or hidden."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, OfCommune


class FaqRow(OfCommune, Base):
    """An entry a commune has written. One with the key of an entry that ships stands in its place.

    `variants`: other ways to ask it, one a line. `source` and `as_of` are told with the answer. When not `is_active`
    nobody is answered with it, nor with the entry that ships under its key.
    """

    __tablename__ = "faq_entries"
    __table_args__ = (sa.UniqueConstraint("commune_id", "key"),)

    key: Mapped[str] = mapped_column(sa.String(60))
    topic: Mapped[str] = mapped_column(sa.String(40))
    question: Mapped[str] = mapped_column(sa.String(300))
    variants: Mapped[str] = mapped_column(sa.Text, default="")
    answer: Mapped[str] = mapped_column(sa.Text)
    source: Mapped[str] = mapped_column(sa.String(300))
    as_of: Mapped[str] = mapped_column(sa.String(40))
    is_active: Mapped[bool] = mapped_column(default=True)
    version: Mapped[int] = mapped_column(default=1)
    changed_at: Mapped[datetime]
    changed_by: Mapped[int | None] = mapped_column(sa.ForeignKey("officials.id"))
