"""Bulk, afterwards: what became of each report of a run; a day later nobody needs to know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.access import NotFound, seen_by
from bot.runtime import Runtime
from storage.agencies import Agency
from storage.bulk import BulkItem, BulkRun
from storage.enums import ItemState
from storage.officials import Official
from storage.tickets import Ticket

KEPT = timedelta(days=1)


@dataclass(frozen=True)
class RunPage:
    """A run with its items in order, each with the report that the official still sees; the others by number only."""

    run: BulkRun
    items: list[tuple[BulkItem, Ticket]]
    unseen: int
    agency: str | None
    lead: str | None
    may_undo: bool

    def of(self, *states: ItemState) -> list[tuple[BulkItem, Ticket]]:
        """Those of which this became."""
        return [(item, ticket) for item, ticket in self.items if item.state in states]


def run_of(session: Session, official: Official, run_id: int) -> BulkRun:
    """A run of this official's own; NotFound otherwise."""
    run = session.scalar(sa.select(BulkRun).where(BulkRun.id == run_id, BulkRun.official_id == official.id))
    if run is None:
        raise NotFound
    return run


def until_of(run: BulkRun) -> datetime | None:
    """The moment until which reports were put aside."""
    return datetime.fromisoformat(run.given["until"]) if "until" in run.given else None


def open_run(runtime: Runtime, official: Official, run_id: int) -> RunPage:
    """The page of a run."""
    with runtime.database.reading() as session:
        run = run_of(session, official, run_id)
        mine = sa.select(BulkItem).where(BulkItem.run_id == run_id).order_by(BulkItem.position)
        items = list(session.scalars(mine))
        query = sa.select(Ticket).where(Ticket.id.in_([one.ticket_id for one in items]), seen_by(official))
        seen = {ticket.id: ticket for ticket in session.scalars(query)}
        agency = session.get(Agency, run.given["agency"]) if "agency" in run.given else None
        lead = seen.get(run.given.get("lead", 0))
    shown = [(one, seen[one.ticket_id]) for one in items if one.ticket_id in seen]
    may_undo = run.until is not None and run.until > runtime.now() and run.undone_at is None
    return RunPage(
        run, shown, len(items) - len(shown), agency.name if agency else None, lead.code if lead else None, may_undo
    )


def forget_over(runtime: Runtime) -> None:
    """Nobody needs to know a day later what a run did: history does."""
    over = sa.select(BulkRun.id).where(BulkRun.created_at < runtime.now() - KEPT)
    with runtime.database.reading() as session:
        if session.scalar(over.limit(1)) is None:
            return
    with runtime.database.transaction(durable=False) as session:
        session.execute(sa.delete(BulkItem).where(BulkItem.run_id.in_(over)))
        session.execute(sa.delete(BulkRun).where(BulkRun.created_at < runtime.now() - KEPT))
