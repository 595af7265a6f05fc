"""The audit: who did or saw what, when; rows are only ever added."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, WithId


class AuditEntry(WithId, Base):
    """`target` is like "ticket:12"; `data` never holds a citizen's words."""

    __tablename__ = "audit"

    commune_id: Mapped[int | None] = mapped_column(sa.ForeignKey("communes.id"), index=True)
    official_id: Mapped[int | None] = mapped_column(sa.ForeignKey("officials.id"))
    at: Mapped[datetime] = mapped_column(index=True)
    action: Mapped[str] = mapped_column(sa.String(60))
    target: Mapped[str | None] = mapped_column(sa.String(80), index=True)
    address: Mapped[str | None] = mapped_column(sa.String(64))
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
