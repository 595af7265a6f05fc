"""Wording: a commune's own versions of the texts citizens receive; the latest of a key and language counts."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.base import Base, OfCommune


class CommuneText(OfCommune, Base):
    """One version of a commune's own text; empty words mean: the shipped text again."""

    __tablename__ = "commune_texts"
    __table_args__ = (sa.UniqueConstraint("commune_id", "key", "language", "version"),)

    key: Mapped[str] = mapped_column(sa.String(60))
    language: Mapped[str] = mapped_column(sa.String(8))
    version: Mapped[int]
    words: Mapped[str] = mapped_column(sa.Text, default="", server_default="")
    sms: Mapped[str] = mapped_column(sa.Text, default="", server_default="")
    official_id: Mapped[int] = mapped_column(sa.ForeignKey("officials.id"))
    at: Mapped[datetime]


def own_texts(session: Session, commune_id: int) -> list[CommuneText]:
    """The commune's texts as they stand now, one for each key and language."""
    newest = (
        sa.select(sa.func.max(CommuneText.id))
        .where(CommuneText.commune_id == commune_id)
        .group_by(CommuneText.key, CommuneText.language)
    )
    return list(session.scalars(sa.select(CommuneText).where(CommuneText.id.in_(newest))))
