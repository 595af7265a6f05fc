"""The chain: what was done, seen and sent, in links that each hold the one before: nothing can be changed unseen."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, WithId


class ChainLink(WithId, Base):
    """Some rows of one table, each with its digest, under one digest that holds the link before.

    `rows`: [id, digest of what stays, digest of what may lawfully be erased], in the order of ids.
    `previous`: the digest of link `id - 1`, "" for the first; unique, so that there is one chain and no fork.
    """

    __tablename__ = "chain"
    __table_args__ = (sa.UniqueConstraint("previous"), sa.Index("ix_chain_source", "source", "last_id"))

    source: Mapped[str] = mapped_column(sa.String(20))
    first_id: Mapped[int]
    last_id: Mapped[int]
    rows: Mapped[list[Any]]
    linked_at: Mapped[datetime]
    previous: Mapped[str] = mapped_column(sa.String(64))
    digest: Mapped[str] = mapped_column(sa.String(64))
