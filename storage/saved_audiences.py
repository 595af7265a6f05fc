"""Saved audiences: questions about followers that a commune asks again and again, by name."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.audiences import About, Narrowing
from storage.base import Base, Json, OfCommune


class SavedAudience(OfCommune, Base):
    """A question with a name; bulletins keep a copy of it, so changing it changes nothing that was written."""

    __tablename__ = "saved_audiences"
    __table_args__ = (sa.UniqueConstraint("commune_id", "name"),)

    name: Mapped[str] = mapped_column(sa.String(80))
    channel_ids: Mapped[list[int]] = mapped_column(default=list)
    topic: Mapped[str] = mapped_column(sa.String(40), default="")
    place_ids: Mapped[list[int]] = mapped_column(default=list)
    narrowing: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    version: Mapped[int] = mapped_column(default=1)
    made_by_id: Mapped[int] = mapped_column(sa.ForeignKey("officials.id"))
    changed_by_id: Mapped[int] = mapped_column(sa.ForeignKey("officials.id"))
    changed_at: Mapped[datetime]

    @property
    def about(self) -> About:
        """What is asked."""
        return About(self.topic, tuple(self.place_ids), Narrowing.of(self.narrowing))


def saved_of(session: Session, commune_id: int) -> list[SavedAudience]:
    """A commune's saved audiences by name."""
    query = sa.select(SavedAudience).where(SavedAudience.commune_id == commune_id)
    return list(session.scalars(query.order_by(SavedAudience.name, SavedAudience.id)))
