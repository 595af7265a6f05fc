"""The first set-up of an installation: its code, how far it has come, and that it is over."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, WithId


class Setup(WithId, Base):
    """One set-up. Only the digest of its code is kept; `done`: the steps that were finished or put off."""

    __tablename__ = "setups"

    code_hash: Mapped[str] = mapped_column(sa.String(64))
    created_at: Mapped[datetime]
    commune_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    official_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    done: Mapped[list[str]] = mapped_column(default=list)
    tries: Mapped[int] = mapped_column(default=0, server_default="0")
    finished_at: Mapped[datetime | None]
