"""Alerts: what an official on duty must see at once; whoever has seen one says so, and it is written down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from bot.access import OF_TICKETS, NotFound, audit, may_direct, seen_by
from bot.runtime import Runtime
from storage.alerts import Alert
from storage.enums import AlertKind, Role
from storage.officials import Official
from storage.tickets import Ticket

MOST_SHOWN = 20
# What calls only as long as somebody works on the report.
_OF_WORK = (AlertKind.DEADLINE, AlertKind.EXTENSION, AlertKind.RETURNED, AlertKind.TRANSFER)


@dataclass(frozen=True)
class Call:
    """An alert nobody has answered yet, with the ticket it is about."""

    alert: Alert
    ticket: Ticket | None

    @property
    def due(self) -> datetime:
        """The deadline a clock speaks of."""
        return datetime.fromisoformat(str(self.alert.data["due"])) if "due" in self.alert.data else self.alert.at

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
    visible = sa.or_(visible, sa.and_(Alert.ticket_id.is_(None), Alert.audience.in_(_named(official))))
    return (
        sa.select(Alert, Ticket)
        .outerjoin(Ticket, Ticket.id == Alert.ticket_id)
        .where(Alert.commune_id == official.commune_id, visible, _is_for(official))
        .order_by(Alert.id)
    )


def _is_for(official: Official) -> sa.ColumnElement[bool]:
    """Whether an alert calls this official: a clock calls those whose work it is, while there is work."""
    theirs: sa.ColumnElement[bool] = Ticket.official_id == official.id
    if official.agency_id is not None:
        theirs = sa.or_(theirs, sa.and_(Ticket.official_id.is_(None), Ticket.agency_id == official.agency_id))
    called = [
        Alert.audience.is_(None),
        sa.and_(Alert.audience == "owner", theirs),
        Alert.audience.in_(_named(official)),
    ]
    if may_direct(official):
        called.append(Alert.audience == "desk")
    if official.has(Role.LEADER):
        called.append(Alert.audience == "leaders")
    is_over = sa.and_(Alert.kind.in_(_OF_WORK), Ticket.is_open.is_(False))
    return sa.and_(sa.or_(*called), ~sa.func.coalesce(is_over, sa.false()))


def _named(official: Official) -> list[str]:
    """How alerts for this official alone, or for their unit, are addressed."""
    unit = [f"agency:{official.agency_id}"] if official.agency_id is not None and official.has(*OF_TICKETS) else []
    return [f"official:{official.id}", *unit]


def _open_to(official: Official) -> sa.Select[tuple[Alert, Ticket]]:
    return _of(official).where(Alert.seen_at.is_(None))
