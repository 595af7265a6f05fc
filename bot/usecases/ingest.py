"""Ingest: admitted webhooks become durable rows, many in one commit, before anybody is told 200."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter, deque
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from adapters.base import Accepts, Adapter, CalledBack
from bot.queue import INBOX
from bot.rules.deadlines import VIETNAM
from bot.runtime import Runtime
from storage.ingest import Ingest, NewEvent, channel_rows

log = structlog.get_logger()

MOST_IN_ONE_COMMIT = 256
MOST_WAITING = 4_000
COUNTS_EVERY_SECONDS = 1.0
CHANNELS_EVERY_SECONDS = 5.0


class Overloaded(Exception):
    """Too much is waiting to be stored: the caller says 503 and the channel comes back."""


@dataclass(frozen=True)
class OpenChannel:
    """A channel as the door sees it: its typed configuration and the adapter that admits its events."""

    id: int
    commune_id: int
    slug: str
    type: str
    account: str
    settings: dict[str, Any]
    adapter: Adapter
    config: Any
    accepts: Accepts


class Register:
    """The channels whose webhooks are let in, looked up again every few seconds."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._lock = threading.Lock()
        self._by_slug: dict[str, OpenChannel] = {}
        self._by_account: dict[tuple[str, str], OpenChannel] = {}
        self._read_at = float("-inf")

    def by_slug(self, slug: str) -> OpenChannel | None:
        """The channel whose webhook address ends with this."""
        self._refresh()
        return self._by_slug.get(slug)

    def by_account(self, type: str, account: str) -> OpenChannel | None:  # noqa: A002 - the field's own word
        """The channel of this account: one app may serve several, all at one address."""
        return self._by_account.get((type, account))

    def _refresh(self) -> None:
        if time.monotonic() - self._read_at < CHANNELS_EVERY_SECONDS and self._by_slug:
            return
        with self._lock:
            if time.monotonic() - self._read_at < (CHANNELS_EVERY_SECONDS if self._by_slug else 0.5):
                return
            try:
                channels = [c for c in map(self._open, channel_rows(self._runtime.database)) if c]
            except Exception as error:  # noqa: BLE001 - with the database away, what was known a moment ago stands
                log.warning("door.channels_unread", error=type(error).__name__)
                self._read_at = time.monotonic()
                return
            self._by_slug = {c.slug: c for c in channels}
            self._by_account = {(c.type, c.account): c for c in channels}
            self._read_at = time.monotonic()

    def _open(self, row: Any) -> OpenChannel | None:
        adapter = self._runtime.adapters.get(row.type)
        try:
            if adapter is None:
                raise ValueError(f"unknown type {row.type}")
            config = adapter.config(dict(row.settings), json.loads(self._runtime.vault.open(row.secrets)))
        except Exception as error:  # noqa: BLE001 - one broken channel must not close the door for all others
            log.error("door.channel_unusable", channel=row.slug, error=type(error).__name__)
            return None
        accepts = adapter.accepts if isinstance(adapter, CalledBack) else Accepts()
        return OpenChannel(
            row.id, row.commune_id, row.slug, row.type, row.account, dict(row.settings), adapter, config, accepts
        )


class _Waiting:
    """An event on its way into the database; a bare lock is the cheapest thing a thread can wait for."""

    __slots__ = ("event", "is_stored", "settled")

    def __init__(self, event: NewEvent) -> None:
        self.event = event
        self.is_stored = False
        self.settled = threading.Lock()
        self.settled.acquire()

    def settle(self, *, is_stored: bool) -> None:
        self.is_stored = is_stored
        self.settled.release()


class Writer:
    """A thread that takes everything that queued up while the previous commit ran and commits it at once."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._queue: deque[_Waiting] = deque()
        self._bell = threading.Lock()
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._counts_lock = threading.Lock()
        self._counted_at = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="ingest", daemon=True)
        self._is_stopping = False

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write what is waiting, then end."""
        self._is_stopping = True
        self._ring()
        self._thread.join(timeout=10)

    def store(self, event: NewEvent, timeout: float) -> bool:
        """Wait until the event is durable; False if it could not be stored in time. Raises Overloaded."""
        if len(self._queue) >= MOST_WAITING:
            raise Overloaded
        waiting = _Waiting(event)
        self._queue.append(waiting)
        self._ring()
        return waiting.settled.acquire(timeout=timeout) and waiting.is_stored

    def _ring(self) -> None:
        with suppress(RuntimeError):  # it rings already
            self._bell.release()

    def count(self, channel_id: int | None, name: str, amount: int = 1) -> None:
        """Count an outcome at the door; written down within a second or so."""
        if not amount:
            return
        scope = "door" if channel_id is None else f"channel:{channel_id}"
        period = self._runtime.now().astimezone(VIETNAM).strftime("%Y-%m-%d")
        with self._counts_lock:
            self._counts[scope, name, period] += amount

    def _run(self) -> None:
        ingest = Ingest(self._runtime.database)
        while True:
            batch = self._next_batch()
            if not batch:
                self._write_counts(ingest)
                if self._is_stopping and not self._queue:
                    break
                continue
            self._commit(ingest, batch)
        ingest.close()

    def _next_batch(self) -> list[_Waiting]:
        if not self._queue:
            self._bell.acquire(timeout=COUNTS_EVERY_SECONDS)
        batch: list[_Waiting] = []
        with suppress(IndexError):
            while len(batch) < MOST_IN_ONE_COMMIT:
                batch.append(self._queue.popleft())
        return batch

    def _commit(self, ingest: Ingest, batch: list[_Waiting]) -> None:
        counts = self._take_counts() if time.monotonic() - self._counted_at > COUNTS_EVERY_SECONDS else {}
        try:
            new = ingest.write([w.event for w in batch], counts)
        except Exception as error:  # noqa: BLE001 - whatever failed, the callers must hear it
            self._give_back(counts)
            log.warning("door.commit_failed", size=len(batch), error=type(error).__name__)
            self._commit_one_by_one(ingest, batch)
            return
        self._tell(batch, new)

    def _commit_one_by_one(self, ingest: Ingest, batch: list[_Waiting]) -> None:
        """One bad row must not sink its neighbours; a database that is away fails them all, quickly."""
        failures = 0
        for waiting in batch:
            if failures == 2:
                waiting.settle(is_stored=False)
                continue
            try:
                new = ingest.write([waiting.event], {})
            except Exception as error:  # noqa: BLE001 - as above
                failures += 1
                log.error("door.event_not_stored", channel_id=waiting.event.channel_id, error=type(error).__name__)
                waiting.settle(is_stored=False)
            else:
                failures = 0
                self._tell([waiting], new)

    def _tell(self, batch: list[_Waiting], new: dict[int, int]) -> None:
        for waiting in batch:
            waiting.settle(is_stored=True)
        if any(new.values()):
            self._runtime.nudge(INBOX)
        for channel_id, size in Counter(w.event.channel_id for w in batch).items():
            fresh = new.get(channel_id, 0)
            self.count(channel_id, "accepted", fresh)
            self.count(channel_id, "duplicate", size - fresh)

    def _write_counts(self, ingest: Ingest) -> None:
        counts = self._take_counts()
        if not counts:
            return
        try:
            ingest.write([], counts)
        except Exception as error:  # noqa: BLE001 - counts are kept for the next try
            self._give_back(counts)
            log.warning("door.counts_unwritten", error=type(error).__name__)

    def _take_counts(self) -> dict[tuple[str, str, str], int]:
        self._counted_at = time.monotonic()
        with self._counts_lock:
            counts, self._counts = dict(self._counts), Counter()
        return counts

    def _give_back(self, counts: dict[tuple[str, str, str], int]) -> None:
        with self._counts_lock:
            self._counts.update(counts)


def is_bootstrapping(channel: OpenChannel, runtime: Runtime) -> bool:
    """Whether the channel may answer 200 to what it cannot check yet: only until the hour an operator set."""
    if getattr(channel.config, "signature_mode", "") != "bootstrap":
        return False
    try:
        until = datetime.fromisoformat(str(channel.settings.get("bootstrap_until", "")))
    except ValueError:
        return False
    return until.tzinfo is not None and runtime.now() < until <= runtime.now() + timedelta(days=2)
