"""What is exchanged with a source system besides bulletins: how its app's feedback stands, and months handed in."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Json, OfCommune, one_of
from storage.enums import ReportState


class SourceFeedback(OfCommune, Base):
    """That a report came from the app of a source system, and up to which state it was told how it stands.

    `ref`: its number there. `told`: the last of `exchange.FEEDBACK_STATES` that it was told; "" none yet.
    """

    __tablename__ = "source_feedback"
    __table_args__ = (
        sa.UniqueConstraint("channel_id", "ref"),
        sa.Index("ix_source_feedback_due", "channel_id", "next_try_at"),
    )

    channel_id: Mapped[int] = mapped_column(sa.ForeignKey("channels.id"))
    ref: Mapped[str] = mapped_column(sa.String(80))
    told: Mapped[str] = mapped_column(sa.String(20), default="")
    told_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime]
    code: Mapped[str | None] = mapped_column(sa.String(60))
    created_at: Mapped[datetime]


class SourceReport(OfCommune, Base):
    """A month's figures as they were handed to a source system: sums only, and what it said to them.

    `revision`: the first is the month's own, later ones were asked for and take its place. `figures`: what was told.
    """

    __tablename__ = "source_reports"
    __table_args__ = (
        sa.UniqueConstraint("channel_id", "first_on", "revision"),
        sa.Index("ix_source_reports_due", "state", "next_try_at"),
    )

    channel_id: Mapped[int] = mapped_column(sa.ForeignKey("channels.id"))
    first_on: Mapped[date]
    last_on: Mapped[date]
    revision: Mapped[int] = mapped_column(default=1)
    as_of: Mapped[datetime]
    figures: Mapped[dict[str, Any]] = mapped_column(Json)
    official_id: Mapped[int | None] = mapped_column(sa.ForeignKey("officials.id"))
    state: Mapped[ReportState] = mapped_column(one_of(ReportState), default=ReportState.WAITING)
    answer: Mapped[str] = mapped_column(sa.String(200), default="")
    code: Mapped[str | None] = mapped_column(sa.String(60))
    reason: Mapped[str | None] = mapped_column(sa.String(400))
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]

    @property
    def key(self) -> str:
        """By which the source system knows this report again."""
        return f"HC.TK.{self.commune_id}.{self.first_on:%Y%m}.r{self.revision}"
