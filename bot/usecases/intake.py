"""Intake: every event a channel gave us becomes a message, a fact about a citizen, or a visible exception."""

from __future__ import annotations

import secrets as random_secrets
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog

from adapters.messages import (
    WHEN_IT_REACHED_US,
    AccountNotice,
    Echo,
    Event,
    Following,
    Ignored,
    InboundMessage,
    Interaction,
    MessagePart,
    ProfileShared,
    Reaction,
    Receipt,
    Withdrawal,
)
from bot.queue import INBOX
from bot.rules.retry import next_try
from bot.runtime import Runtime
from bot.usecases import citizens, driven, faq, joining, receipts, reports
from bot.usecases.communes import CommuneBook, commune_book
from bot.usecases.taps import answer_taps
from bot.usecases.work import NotYet, Taken, Work, where
from nlp.faq import FaqMatch
from nlp.reading import Reading
from storage.boundaries import boundaries
from storage.channels import Channel
from storage.database import advisory_lock
from storage.enums import InboundState
from storage.intake import claim_events
from storage.messages import InboundEvent
from storage.sealing import open_words

log = structlog.get_logger()

BATCH = 100
LEASE = timedelta(seconds=60)
# How long a batch may wait for another driver of the talk altogether; then we answer ourselves, well within the lease.
DRIVEN_SECONDS = 20.0


def drain(runtime: Runtime, *, budget_seconds: float = 5.0) -> int:
    """Handle waiting events for at most `budget_seconds`; gives how many were finished."""
    end = time.monotonic() + budget_seconds
    finished = 0
    while time.monotonic() < end:
        handled = drain_batch(runtime)
        finished += handled
        if handled == 0:
            return finished
    runtime.nudge(INBOX)
    return finished


def drain_batch(runtime: Runtime) -> int:
    """Lease a batch, understand it outside any lock, then write it down; a bad event cannot sink its neighbours."""
    lease = random_secrets.token_hex(8)
    with runtime.database.transaction() as session:
        open_words(session)
        rows = claim_events(session, BATCH, lease, runtime.now(), LEASE)
        channels = {
            c.id: c for c in session.scalars(sa.select(Channel).where(Channel.id.in_({r.channel_id for r in rows})))
        }
        books = {c: commune_book(session, c) for c in {r.commune_id for r in rows}}
    if not rows:
        return 0
    answer_taps(runtime, rows, channels)
    until = time.monotonic() + DRIVEN_SECONDS
    taken = [_understand(runtime, row, channels[row.channel_id], books[row.commune_id], until) for row in rows]
    try:
        nudges = _write(runtime, taken, lease)
    except Exception as error:  # noqa: BLE001 - one event breaks the batch: find out which, alone
        log.warning("intake.batch_failed", size=len(taken), error=type(error).__name__)
        nudges = _write_one_by_one(runtime, taken, lease)
    for job in nudges:
        runtime.nudge(job)
    return len(rows)


def _understand(runtime: Runtime, row: InboundEvent, channel: Channel, book: CommuneBook, until: float) -> Taken:
    try:
        words = tuple(_dated(word, row) for word in runtime.adapters[channel.type].parse(row.body))
        readings = tuple(
            runtime.reader.read(word.text, book.home) if isinstance(word, InboundMessage) and word.text else None
            for word in words
        )
        asked = tuple(
            faq.match(book.faq, word.text, reading) if isinstance(word, InboundMessage) else None
            for word, reading in zip(words, readings, strict=True)
        )
        said = tuple(
            driven.answer(runtime, channel, word, reading, until) if isinstance(word, InboundMessage) else None
            for word, reading in zip(words, readings, strict=True)
        )
        if any(isinstance(word, InboundMessage) and word.has_pin for word in words):
            boundaries()  # they take a second to read; filing asks for them while others wait for its locks
    except Exception as error:  # noqa: BLE001 - a poison message must be seen, not loop
        log.error("intake.not_understood", event_id=row.id, error=type(error).__name__, where=where(error))
        return Taken(row.id, (Ignored("poison", type(error).__name__),), (None,), (None,), (None,))
    return Taken(row.id, words, readings, asked, said)


def _dated(word: Event, row: InboundEvent) -> Event:
    """What names no moment of its own happened when it reached us."""
    return replace(word, occurred_at=row.occurred_at) if word.occurred_at == WHEN_IT_REACHED_US else word


def _write(runtime: Runtime, taken: list[Taken], lease: str) -> set[str]:
    nudges: set[str] = set()
    with runtime.database.transaction() as session:
        # Each event is flushed whole before the next begins; flushing before every question costs half the time.
        session.autoflush = False
        # Filing looks at all that was said; without the key it must not guess, so the event waits.
        open_words(session, strictly=True)
        query = sa.select(InboundEvent).where(
            InboundEvent.id.in_([t.event_id for t in taken]), InboundEvent.lease_id == lease
        )
        rows = {row.id: row for row in session.scalars(query.with_for_update())}
        # All conversation locks first and in one order: two workers with neighbouring events cannot deadlock.
        for key in sorted({f"{row.channel_id}:{row.conversation_key}" for row in rows.values()}):
            advisory_lock(session, key)
        people = citizens.known_people(session, {(row.channel_id, row.conversation_key) for row in rows.values()})
        channels: dict[int, Channel] = {}
        books: dict[int, CommuneBook] = {}
        finished: dict[InboundEvent, dict[str, Any]] = {}
        mine = [t for t in taken if t.event_id in rows and rows[t.event_id].state is InboundState.WAITING]
        for item in sorted(mine, key=lambda t: (rows[t.event_id].occurred_at, t.event_id)):
            row = rows[item.event_id]
            channel = channels.setdefault(row.channel_id, session.get_one(Channel, row.channel_id))
            if row.commune_id not in books:
                books[row.commune_id] = commune_book(session, row.commune_id)
            work = Work(runtime, session, channel, books[row.commune_id], row, runtime.now(), nudges, people)
            finished[row] = _finish(work, item)
            session.flush()
        for row, values in finished.items():  # together, so that they are written in one go
            for name, value in values.items():
                setattr(row, name, value)
    return nudges


def _write_one_by_one(runtime: Runtime, taken: list[Taken], lease: str) -> set[str]:
    nudges: set[str] = set()
    for item in taken:
        try:
            nudges |= _write(runtime, [item], lease)
        except Exception as error:  # noqa: BLE001 - counted, and parked when it keeps failing
            log.error("intake.event_failed", event_id=item.event_id, error=type(error).__name__, where=where(error))
            _count_failure(runtime, item.event_id, lease, type(error).__name__)
    return nudges


def _count_failure(runtime: Runtime, event_id: int, lease: str, what: str) -> None:
    with runtime.database.transaction() as session:
        row = session.get_one(InboundEvent, event_id)
        if row.lease_id != lease:
            return
        _try_again_or_park(row, runtime, f"error:{what}")


def _try_again_or_park(row: InboundEvent, runtime: Runtime, outcome: str) -> None:
    now = runtime.now()
    row.tries += 1
    row.lease_id = row.lease_until = None
    row.outcome = outcome[:120]
    if row.tries >= runtime.settings.event_max_tries:
        row.state = InboundState.PARKED
        row.done_at = now
    else:
        row.next_try_at = next_try(now, row.tries)


def _finish(work: Work, item: Taken) -> dict[str, Any]:
    """Handle the event; gives what to write down of it."""
    outcomes = []
    try:
        for word, reading, asked, said in zip(item.words, item.readings, item.faq, item.driven, strict=True):
            outcomes.append(_handle(work, word, reading, asked, said))
    except NotYet as pause:
        return _wait_a_moment(work, pause.until)
    state = InboundState.DONE
    if "ignored:poison" in outcomes or "ignored:unreadable" in outcomes:
        state = InboundState.PARKED
    elif all(o.startswith("ignored") for o in outcomes):
        state = InboundState.IGNORED
    return {
        "state": state,
        "outcome": ",".join(outcomes)[:120],
        "lease_id": None,
        "lease_until": None,
        "done_at": work.now,
    }


def _wait_a_moment(work: Work, until: datetime | None) -> dict[str, Any]:
    """A receipt or echo overtook the answer to our own call; after a few looks it speaks of something not ours.

    `until`: what comes in pieces waits for the others, however often it was looked at.
    """
    if until is not None:
        return {"lease_id": None, "lease_until": None, "next_try_at": until}
    tries = work.row.tries + 1
    return {"tries": tries, "lease_id": None, "lease_until": None, "next_try_at": next_try(work.now, tries)}


def _handle(
    work: Work, word: Event, reading: Reading | None, asked: FaqMatch | None, said: tuple[str, ...] | None
) -> str:
    doors: dict[type[Any], Callable[[], str]] = {
        InboundMessage: lambda: reports.take_message(work, word, reading, asked, said),  # type: ignore[arg-type]
        MessagePart: lambda: joining.take_part(work, word),  # type: ignore[arg-type]
        Echo: lambda: receipts.take_echo(work, word),  # type: ignore[arg-type]
        Receipt: lambda: receipts.take_receipt(work, word),  # type: ignore[arg-type]
        Following: lambda: citizens.take_following(work, word),  # type: ignore[arg-type]
        Interaction: lambda: citizens.take_interaction(work, word),  # type: ignore[arg-type]
        ProfileShared: lambda: citizens.take_profile(work, word),  # type: ignore[arg-type]
        Reaction: lambda: citizens.take_reaction(work, word),  # type: ignore[arg-type]
        Withdrawal: lambda: citizens.take_withdrawal(work, word),  # type: ignore[arg-type]
        AccountNotice: lambda: citizens.take_notice(work, word),  # type: ignore[arg-type]
        Ignored: lambda: f"ignored:{word.reason}",  # type: ignore[union-attr]
    }
    return doors[type(word)]()


def expire_leases(runtime: Runtime) -> int:
    """This process is the only one and has just begun: events leased by its dead predecessor are free again."""
    with runtime.database.transaction() as session:
        freed = session.execute(
            sa.update(InboundEvent)
            .where(InboundEvent.state == InboundState.WAITING, InboundEvent.lease_id.is_not(None))
            .values(lease_id=None, lease_until=None)
        )
    return int(freed.rowcount)  # type: ignore[attr-defined]
