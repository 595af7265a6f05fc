"""Alerts: what an official on duty must see at once, until somebody says they have."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.base import Base, OfCommune, one_of
from storage.enums import AlertKind


class Alert(OfCommune, Base):
    """Something that must not wait. `key` makes raising it twice impossible; `data` holds no words of citizens.

    `audience`: "owner" of the ticket, "desk" or "leaders"; "official:7", "agency:7": only they; None: whoever sees
    the ticket.
    """

    __tablename__ = "alerts"
    __table_args__ = (
        sa.UniqueConstraint("key"),
        sa.Index("ix_alerts_unseen", "commune_id", "id", sqlite_where=sa.text("seen_at IS NULL"),
                 postgresql_where=sa.text("seen_at IS NULL")),
    )  # fmt: skip

    kind: Mapped[AlertKind] = mapped_column(one_of(AlertKind))
    key: Mapped[str] = mapped_column(sa.String(120))
    ticket_id: Mapped[int | None] = mapped_column(sa.ForeignKey("tickets.id"), index=True)
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    audience: Mapped[str | None] = mapped_column(sa.String(20))
    at: Mapped[datetime]
    seen_at: Mapped[datetime | None]
    seen_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("officials.id"))


def was_raised(session: Session, kind: AlertKind, ticket_id: int) -> bool:
    """Whether there has been an alert of this kind about a ticket."""
    query = sa.select(Alert.id).where(Alert.ticket_id == ticket_id, Alert.kind == kind).limit(1)
    return session.scalar(query) is not None


def raise_alert(
    session: Session,
    commune_id: int,
    kind: AlertKind,
    key: str,
    at: datetime,
    *,
    ticket_id: int | None = None,
    audience: str | None = None,
    **data: object,
) -> bool:
    """Write an alert down, once for each key; False when it stands there already."""
    if session.scalar(sa.select(Alert.id).where(Alert.key == key)) is not None:
        return False
    session.add(
        Alert(commune_id=commune_id, kind=kind, key=key, ticket_id=ticket_id, audience=audience, data=data, at=at)
    )
    session.flush()
    return True
