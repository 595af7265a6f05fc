"""Rows from before words were locked: sealed by an earlier release, they are locked at the upgrade."""

from __future__ import annotations

import sqlalchemy as sa
import structlog

from bot.runtime import Runtime
from storage.messages import Message
from storage.sealing import Sealable, open_words, seals_of, settle
from storage.tickets import Ticket

log = structlog.get_logger()

AT_ONCE = 100


def lock_old_rows(runtime: Runtime) -> int:
    """Lock what is sealed and still stands in plain; gives how many tickets and messages. Safe to run again."""
    locked = 0
    while done := _lock_some(runtime):
        locked += done
    if locked:
        runtime.database.rebuild()  # pages that were free before nobody wiped
        log.info("sealed.old_rows_locked", rows=locked)
    return locked


def _lock_some(runtime: Runtime) -> int:
    done = 0
    with runtime.database.transaction() as session:
        open_words(session)
        of_tickets = sa.select(Ticket).where(Ticket.is_sealed.is_(True), Ticket.sealed.is_(None))
        of_messages = sa.select(Message).where(Message.is_sealed.is_(True), Message.sealed.is_(None))
        for query in (of_tickets, of_messages):
            rows: list[Sealable] = list(session.scalars(query.limit(AT_ONCE)))
            settle(rows)
            session.flush()
            done += len(rows)
    return done


def rewrap_keys(runtime: Runtime) -> tuple[int, int]:
    """Lock every commune's key with today's installation key; gives how many were, and how many cannot be opened."""
    with runtime.database.transaction() as session:
        return seals_of(session).rewrap(session)
