"""Presence: who has the page of a ticket open just now."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base

STAYS = timedelta(seconds=15)  # without a sign
BEATS = timedelta(seconds=5)  # no sign is written down more often


class Presence(Base):
    """The last sign of one official on one ticket's page."""

    __tablename__ = "presences"

    ticket_id: Mapped[int] = mapped_column(sa.ForeignKey("tickets.id"), primary_key=True)
    official_id: Mapped[int] = mapped_column(sa.ForeignKey("officials.id"), primary_key=True)
    seen_at: Mapped[datetime]


def last_sign(ticket_id: Any, official_id: int) -> sa.ScalarSelect[datetime]:
    """When this official was last seen on the ticket's page."""
    mine = sa.select(Presence.seen_at).where(Presence.ticket_id == ticket_id, Presence.official_id == official_id)
    return mine.correlate_except(Presence).scalar_subquery()


def is_company(ticket_id: Any, official_id: int, now: datetime) -> sa.ColumnElement[bool]:
    """Whether somebody else is there."""
    others = sa.select(Presence.ticket_id).where(
        Presence.ticket_id == ticket_id, Presence.official_id != official_id, Presence.seen_at > now - STAYS
    )
    return others.correlate_except(Presence).exists()
