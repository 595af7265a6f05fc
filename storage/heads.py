"""Village heads: who of a village reports for its people by a personal link."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, OfCommune


class VillageHead(OfCommune, Base):
    """A head of a village, with the digest of their link; the link itself is shown once and kept nowhere."""

    __tablename__ = "village_heads"
    __table_args__ = (sa.UniqueConstraint("channel_id", "visitor"),)

    channel_id: Mapped[int] = mapped_column(sa.ForeignKey("channels.id"))
    visitor: Mapped[str] = mapped_column(sa.String(40))
    name: Mapped[str] = mapped_column(sa.String(120))
    phone: Mapped[str] = mapped_column(sa.String(32), default="")
    place_id: Mapped[int] = mapped_column(sa.ForeignKey("places.id"))
    created_at: Mapped[datetime]
    created_by_id: Mapped[int] = mapped_column(sa.ForeignKey("officials.id"))
    revoked_at: Mapped[datetime | None]
