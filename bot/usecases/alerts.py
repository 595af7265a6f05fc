"""Alerts: what an official on duty must see at once; whoever has seen one says so, and it is written down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from bot.access import NotFound, audit, may_direct, seen_by
from bot.runtime import Runtime
from storage.alerts import Alert
from storage.officials import Official
from storage.tickets import Ticket

MOST_SHOWN = 20


@dataclass(frozen=True)
class Call:
    """An alert nobody has answered yet, with the ticket it is about."""

    alert: Alert
    ticket: Ticket | None

    @property
    def since(self) -> datetime:
        """Since when, for what has lasted a while."""
        return datetime.fromisoformat(str(self.alert.data["since"])) if "since" in self.alert.data else self.alert.at


def unseen(runtime: Runtime, official: Official) -> list[Call]:
    """The alerts for this official, the oldest first."""
    with runtime.database.reading() as session:
        return [Call(alert, ticket) for alert, ticket in session.execute(_open_to(official).limit(MOST_SHOWN))]


def seen(runtime: Runtime, official: Official, alert_id: int) -> None:
    """The official has seen it: nobody else need be called. NotFound when it is not theirs; twice is no harm."""
    with runtime.database.transaction() as session:
        row = session.execute(_of(official).where(Alert.id == alert_id)).first()
        if row is None:
            raise NotFound
        alert: Alert = row[0]
        if alert.seen_at is None:
            alert.seen_at, alert.seen_by_id = runtime.now(), official.id
            audit(session, official, "alert.seen", f"alert:{alert_id}", runtime.now())


def _of(official: Official) -> sa.Select[tuple[Alert, Ticket]]:
    visible: sa.ColumnElement[bool] = sa.and_(Alert.ticket_id.is_not(None), seen_by(official))
    if may_direct(official):
        visible = sa.or_(visible, Alert.ticket_id.is_(None))
    return (
        sa.select(Alert, Ticket)
        .outerjoin(Ticket, Ticket.id == Alert.ticket_id)
        .where(Alert.commune_id == official.commune_id, visible)
        .order_by(Alert.id)
    )


def _open_to(official: Official) -> sa.Select[tuple[Alert, Ticket]]:
    return _of(official).where(Alert.seen_at.is_(None))
