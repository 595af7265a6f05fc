"""Webhooks out: each one is a row, posted in order per citizen, and tried again on the ladder until answered 200."""

from __future__ import annotations

import fcntl
import sqlite3
import threading
import time
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO

import httpx
import structlog

from bot.web.sandbox import wire
from bot.web.sandbox.calling import certificates
from bot.web.sandbox.settings import SandboxAccount, SandboxSettings
from bot.web.sandbox.store import Store, now_ms

LADDER_SECONDS = (30, 300, 900, 1_800, 3_600)
LANES = 64
BATCH = 64
POLL_SECONDS = 0.1

log = structlog.get_logger()


@dataclass(frozen=True)
class Event:
    """A webhook about to be queued; it leaves at the instant it speaks of."""

    name: str
    user_id: str
    body: str
    at_ms: int


def queue(db: sqlite3.Connection, account: SandboxAccount, events: Iterable[Event]) -> int:
    """Keep the events to be sent and say the id of the last; a switched-off event is silently never sent.

    During an outage all are lost, as they are when a gateway was away for longer than the ladder.
    """
    is_out = db.execute("SELECT 1 FROM outages WHERE oa_id = ?", (account.oa_id,)).fetchone()
    state = "lost" if is_out else "pending"
    rows = [
        (account.oa_id, e.user_id, _lane(account.oa_id, e.user_id), e.name, str(e.at_ms), e.body, e.at_ms, state)
        for e in events
        if account.webhook_url and e.name not in account.switched_off_events
    ]
    statement = (
        "INSERT INTO webhooks (oa_id, user_id, lane, event_name, timestamp, body, due_ms, state)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    )
    if len(rows) > 1:
        db.executemany(statement, rows)
    elif rows:
        db.execute(statement, rows[0])
    return int(db.execute("SELECT last_insert_rowid()").fetchone()[0]) if rows else 0


def queue_again(db: sqlite3.Connection, user_id: str) -> int:
    """Deliver a citizen's latest event once more, byte for byte; 0 when there is none."""
    cursor = db.execute(
        "INSERT INTO webhooks (oa_id, user_id, lane, event_name, timestamp, body, due_ms)"
        " SELECT oa_id, user_id, lane, event_name, timestamp, body, ? FROM webhooks WHERE user_id = ?"
        " AND event_name NOT LIKE 'oa_%' AND event_name NOT IN ('user_received_message', 'user_seen_message')"
        " ORDER BY id DESC LIMIT 1",
        (now_ms(), user_id),
    )
    return int(cursor.lastrowid or 0) if cursor.rowcount else 0


def swap_last_two(db: sqlite3.Connection, user_id: str) -> bool:
    """Let a citizen's last two events that still wait leave in the wrong order; whether there were two."""
    rows = db.execute(
        "SELECT id, due_ms FROM webhooks WHERE user_id = ? AND state = 'pending' ORDER BY due_ms DESC, id DESC LIMIT 2",
        (user_id,),
    ).fetchall()
    if len(rows) != 2:
        return False
    later, earlier = rows
    db.execute("UPDATE webhooks SET due_ms = ? WHERE id = ?", (earlier["due_ms"] - 1, later["id"]))
    return True


def _lane(oa_id: str, user_id: str) -> int:
    return zlib.crc32(f"{oa_id}:{user_id}".encode()) % LANES


class Dispatcher:
    """The threads that post webhooks; citizens are dealt out among them, so each one's events stay in order."""

    def __init__(self, settings: SandboxSettings, store: Store) -> None:
        self._settings = settings
        self._store = store
        self._stopping = threading.Event()
        self.is_held = False
        self._wakes = [threading.Event() for _ in range(settings.webhook_workers)]
        self._threads: list[threading.Thread] = []
        self._leader_lock = threading.Lock()
        self._leader_file: IO[str] | None = None

    def start(self) -> None:
        """Begin to post what is due, including what an earlier run left behind."""
        for number in range(len(self._wakes)):
            thread = threading.Thread(target=self._run, args=(number,), name=f"sandbox-webhooks-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def nudge(self) -> None:
        """Look for due webhooks now rather than at the next poll."""
        for wake in self._wakes:
            wake.set()

    def stop(self) -> None:
        """Finish the posts in hand and end the threads; the rest stays in the file."""
        self._stopping.set()
        self.nudge()
        for thread in self._threads:
            thread.join(timeout=self._settings.webhook_timeout + 3)
        if self._leader_file:
            self._leader_file.close()

    def probe(self, account: SandboxAccount, event_name: str) -> dict[str, object]:
        """Post the console's sample event and report whether the console would store this URL."""
        at_ms = now_ms()
        body = wire.probe_event(event_name, account.app_id, at_ms).encode()
        with self._client() as client:
            started = time.monotonic()
            result = self._post(client, account, body, str(at_ms), attempts=0)
        return {"ok": result == "200", "result": result, "seconds": round(time.monotonic() - started, 3)}

    def _client(self) -> httpx.Client:
        return httpx.Client(
            timeout=self._settings.webhook_timeout, trust_env=False, verify=certificates(), follow_redirects=False
        )

    def _run(self, number: int) -> None:
        wake = self._wakes[number]
        with self._client() as client:
            while not self._stopping.is_set():
                if not self._leads():
                    self._stopping.wait(1)
                    continue
                wake.clear()
                rows = self._due(number)
                for row in rows:
                    if self._stopping.is_set():
                        return
                    if not self.is_held:  # looked at after the rows: none of those that came meanwhile slips through
                        self._deliver(client, row)
                if not rows or self.is_held:
                    wake.wait(POLL_SECONDS)

    def _leads(self) -> bool:
        # Two server processes on one file would post everything twice; the file lock dies with its process.
        with self._leader_lock:
            if self._leader_file:
                return True
            file = self._store.path.with_suffix(".sending").open("w")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                file.close()
                return False
            self._leader_file = file
            return True

    def _due(self, number: int) -> list[sqlite3.Row]:
        with self._store.reading() as db:
            return db.execute(
                "SELECT id, oa_id, timestamp, body, attempts FROM webhooks"
                " WHERE state = 'pending' AND due_ms <= ? AND lane % ? = ? ORDER BY due_ms, id LIMIT ?",
                (now_ms(), len(self._wakes), number, BATCH),
            ).fetchall()

    def _deliver(self, client: httpx.Client, row: sqlite3.Row) -> None:
        account = self._settings.account(row["oa_id"])
        if account is None:
            self._record(row, "lost", "no such account any more", 0)
            return
        result = self._post(client, account, row["body"].encode(), row["timestamp"], row["attempts"])
        if result == "200":
            self._record(row, "delivered", result, 0)
        elif row["attempts"] < len(LADDER_SECONDS):
            wait = LADDER_SECONDS[row["attempts"]] * self._settings.retry_time_scale
            self._record(row, "pending", result, now_ms() + int(wait * 1000))
        else:
            log.warning("sandbox.webhook_lost", webhook_id=row["id"], oa_id=row["oa_id"], result=result)
            self._record(row, "lost", result, 0)

    def _post(self, client: httpx.Client, account: SandboxAccount, raw: bytes, timestamp: str, attempts: int) -> str:
        headers = wire.headers(account.app_id, raw, timestamp, account.oa_secret, attempts)
        started = time.monotonic()
        try:
            response = client.post(account.webhook_url, content=raw, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return type(error).__name__
        # httpx times each step, Zalo the whole answer.
        if time.monotonic() - started > self._settings.webhook_timeout:
            return "too slow"
        return str(response.status_code)

    def _record(self, row: sqlite3.Row, state: str, result: str, due_ms: int) -> None:
        with self._store.writing(quietly=True) as db:
            db.execute(
                "UPDATE webhooks SET state = ?, last_result = ?, due_ms = ?, attempts = attempts + 1, delivered_ms = ?"
                " WHERE id = ?",
                (state, result, due_ms, now_ms() if state == "delivered" else 0, row["id"]),
            )
