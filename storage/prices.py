"""Prices: what one paid message costs on a channel, in đồng."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.base import Base, OfCommune


class Price(OfCommune, Base):
    """What a part costs where each part is paid for, or a message outside the free window; no row: nobody said."""

    __tablename__ = "prices"

    channel_id: Mapped[int] = mapped_column(sa.ForeignKey("channels.id"), unique=True)
    dong: Mapped[int]
    official_id: Mapped[int] = mapped_column(sa.ForeignKey("officials.id"))
    set_at: Mapped[datetime]


def prices_of(session: Session, channel_ids: Collection[int]) -> dict[str, int]:
    """By channel's number, as JSON has it, what one costs there."""
    query = sa.select(Price.channel_id, Price.dong).where(Price.channel_id.in_(channel_ids))
    return {str(number): dong for number, dong in session.execute(query.order_by(Price.channel_id))}
