"""Subscriptions: which announcements a citizen wants; whoever named nothing gets them all."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, BigId, OfCommune

# In the topic's place: of those who only joined a group; they hear of its news and of what is for everybody.
GROUPS_ONLY = "nhom"


class Subscription(OfCommune, Base):
    """A wish for announcements of one topic ("" any, GROUPS_ONLY none), about one place of the commune (0 any)."""

    __tablename__ = "subscriptions"
    __table_args__ = (sa.UniqueConstraint("urn_id", "topic", "place_id"),)

    urn_id: Mapped[int] = mapped_column(sa.ForeignKey("urns.id"))
    topic: Mapped[str] = mapped_column(sa.String(40), default="", server_default="")
    place_id: Mapped[int] = mapped_column(BigId, default=0, server_default="0")
    since: Mapped[datetime]
