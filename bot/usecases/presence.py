"""Presence: who else has a ticket's page open, and who of them is writing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.runtime import Runtime
from storage.database import insert_ignore
from storage.drafts import Draft
from storage.officials import Official
from storage.presence import BEATS, STAYS, Presence

KEPT = timedelta(days=1)


@dataclass(frozen=True)
class Company:
    """A colleague who is there. `writes`: what they type was saved a moment ago."""

    name: str
    writes: bool


def company(session: Session, official: Official, ticket_id: int, now: datetime) -> list[Company]:
    """Who else is on the page of a ticket that this official may see."""
    writes = (
        sa.select(Draft.id)
        .where(Draft.ticket_id == ticket_id, Draft.official_id == Official.id, Draft.saved_at > now - STAYS)
        .exists()
    )
    rows = session.execute(
        sa.select(Official.name, writes)
        .join(Presence, Presence.official_id == Official.id)
        .where(Presence.ticket_id == ticket_id, Presence.seen_at > now - STAYS, Official.id != official.id)
        .order_by(Official.name, Official.id)
    )
    return [Company(name, bool(is_writing)) for name, is_writing in rows]


def beat(runtime: Runtime, official: Official, ticket_id: int, last: datetime | None) -> None:
    """The official's page is open. `last`: when that was last written down; a sign every few seconds will do."""
    now = runtime.now()
    if last is not None and now - last < BEATS:
        return
    with runtime.database.transaction(durable=False) as session:
        mine = (Presence.ticket_id == ticket_id, Presence.official_id == official.id)
        found = session.scalar(sa.update(Presence).where(*mine).values(seen_at=now).returning(Presence.ticket_id))
        if found is None:
            insert_ignore(session, Presence, [{"ticket_id": ticket_id, "official_id": official.id, "seen_at": now}])


def forget_gone(runtime: Runtime) -> None:
    """Who was there yesterday concerns nobody."""
    with runtime.database.transaction() as session:
        session.execute(sa.delete(Presence).where(Presence.seen_at < runtime.now() - KEPT))
