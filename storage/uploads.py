"""Uploads: pictures that a channel has from us already, and under which id."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, OfCommune


class Upload(OfCommune, Base):
    """One stored picture as one channel knows it."""

    __tablename__ = "uploads"
    __table_args__ = (sa.UniqueConstraint("channel_id", "blob"),)

    channel_id: Mapped[int] = mapped_column(sa.ForeignKey("channels.id"))
    blob: Mapped[str] = mapped_column(sa.String(80))
    handle: Mapped[str] = mapped_column(sa.String(500))
    uploaded_at: Mapped[datetime]
