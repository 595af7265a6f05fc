"""Questions asked while events are taken in: claiming them, running numbers, the pieces of a conversation."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.communes import Counter
from storage.enums import InboundState
from storage.messages import InboundEvent


def claim_events(session: Session, limit: int, lease_id: str, now: datetime, lease: timedelta) -> list[InboundEvent]:
    """Take waiting events, oldest first, that nobody else holds."""
    query = (
        sa.select(InboundEvent)
        .where(
            InboundEvent.state == InboundState.WAITING,
            InboundEvent.next_try_at <= now,
            sa.or_(InboundEvent.lease_until.is_(None), InboundEvent.lease_until < now),
        )
        .order_by(InboundEvent.next_try_at, InboundEvent.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = list(session.scalars(query))
    for row in rows:
        row.lease_id = lease_id
        row.lease_until = now + lease
    return rows


def next_number(session: Session, scope: str, name: str, period: str) -> int:
    """The next running number; two transactions never get the same one."""
    return int(session.execute(_adding(session, scope, name, period, 1).returning(Counter.value)).scalar_one())


def add(session: Session, scope: str, name: str, period: str, amount: int) -> None:
    """Count something."""
    session.execute(_adding(session, scope, name, period, amount))


def _adding(session: Session, scope: str, name: str, period: str, amount: int) -> Any:
    statement: Any
    if session.get_bind().dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as pg_insert

        statement = pg_insert(Counter)
    else:
        from sqlalchemy.dialects.sqlite import insert as sqlite_insert

        statement = sqlite_insert(Counter)
    return statement.values(scope=scope, name=name, period=period, value=amount).on_conflict_do_update(
        index_elements=["scope", "name", "period"], set_={"value": Counter.value + amount}
    )
