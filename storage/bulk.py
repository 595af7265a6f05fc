"""Work on many reports in one go: what was asked for, and what became of each; in numbers and codes, no words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, OfCommune, one_of
from storage.enums import BulkDeed, ItemState


class BulkRun(OfCommune, Base):
    """One official's wish about many reports, known by its form (`token`).

    `given`: what goes with the deed: an agency's number, a topic's slug, a moment, the number of the report that leads.
    `until`: until when it can be taken back, from when all was done. `undone_at`: when that was wished.
    """

    __tablename__ = "bulk_runs"
    __table_args__ = (sa.UniqueConstraint("official_id", "token"), sa.Index("ix_bulk_runs_created", "created_at"))

    official_id: Mapped[int] = mapped_column(sa.ForeignKey("officials.id"))
    token: Mapped[str] = mapped_column(sa.String(64))
    deed: Mapped[BulkDeed] = mapped_column(one_of(BulkDeed))
    given: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    until: Mapped[datetime | None]
    undone_at: Mapped[datetime | None]


class BulkItem(OfCommune, Base):
    """One report of a run. `version`: as the official saw it; `version_after`: as the deed left it.

    `why`: the sentence why it was left out or kept, with its values. `before`, `after`: the facts of the report that
    the deed changed; `made`: numbers of the rows it made or called off.
    """

    __tablename__ = "bulk_items"
    __table_args__ = (sa.UniqueConstraint("run_id", "ticket_id"),)

    run_id: Mapped[int] = mapped_column(sa.ForeignKey("bulk_runs.id"))
    ticket_id: Mapped[int] = mapped_column(sa.ForeignKey("tickets.id"), index=True)
    position: Mapped[int]
    version: Mapped[int]
    version_after: Mapped[int | None]
    state: Mapped[ItemState] = mapped_column(one_of(ItemState), default=ItemState.WAITING)
    why: Mapped[dict[str, Any]] = mapped_column(default=dict)
    before: Mapped[dict[str, Any]] = mapped_column(default=dict)
    after: Mapped[dict[str, Any]] = mapped_column(default=dict)
    made: Mapped[dict[str, Any]] = mapped_column(default=dict)
