"""Practice shifts: who practises, since when, and with which invented citizens."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, OfCommune


class Practice(OfCommune, Base):
    """One practice shift of an official. `links`: task → the secret of the invented citizen who wrote for it."""

    __tablename__ = "practices"

    official_id: Mapped[int] = mapped_column(sa.ForeignKey("officials.id"), index=True)
    begun_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    links: Mapped[dict[str, Any]] = mapped_column(default=dict)
