"""The sandbox's own memory: one SQLite file, many readers, one writer at a time."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.web.sandbox.bots.memory import SCHEMA as BOTS
from bot.web.sandbox.loudspeakers.memory import SCHEMA as LOUDSPEAKERS
from bot.web.sandbox.sms.memory import SCHEMA as SMS

SCHEMA = """
CREATE TABLE IF NOT EXISTS citizens (
    user_id TEXT PRIMARY KEY, oa_id TEXT NOT NULL, user_id_by_app TEXT NOT NULL, name TEXT NOT NULL,
    conversation_id TEXT NOT NULL DEFAULT '', follows INTEGER NOT NULL DEFAULT 0, chatted INTEGER NOT NULL DEFAULT 0,
    blocked_code INTEGER NOT NULL DEFAULT 0, last_interaction_ms INTEGER NOT NULL DEFAULT 0,
    last_message_id INTEGER NOT NULL DEFAULT 0, created_ms INTEGER NOT NULL, phone TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS citizens_recent ON citizens (oa_id, last_message_id DESC);

CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, oa_id TEXT NOT NULL, user_id TEXT NOT NULL, from_oa INTEGER NOT NULL,
    msg_id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, text TEXT NOT NULL, content TEXT NOT NULL,
    text_sha256 TEXT NOT NULL, content_sha256 TEXT NOT NULL, at_ms INTEGER NOT NULL, at_monotonic_ns INTEGER NOT NULL,
    answered INTEGER NOT NULL DEFAULT 1, seen_ms INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS messages_of ON messages (user_id, id);
CREATE INDEX IF NOT EXISTS messages_unseen ON messages (user_id) WHERE from_oa = 1 AND seen_ms = 0;

CREATE TABLE IF NOT EXISTS webhooks (
    id INTEGER PRIMARY KEY AUTOINCREMENT, oa_id TEXT NOT NULL, user_id TEXT NOT NULL, lane INTEGER NOT NULL,
    event_name TEXT NOT NULL, timestamp TEXT NOT NULL, body TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'pending',
    attempts INTEGER NOT NULL DEFAULT 0, due_ms INTEGER NOT NULL, last_result TEXT NOT NULL DEFAULT '',
    delivered_ms INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS webhooks_due ON webhooks (due_ms, id) WHERE state = 'pending';
CREATE INDEX IF NOT EXISTS webhooks_of ON webhooks (user_id, id);

CREATE TABLE IF NOT EXISTS access_tokens (
    token TEXT PRIMARY KEY, oa_id TEXT NOT NULL, expires_ms INTEGER NOT NULL, void_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS refresh_tokens (
    token TEXT PRIMARY KEY, oa_id TEXT NOT NULL, expires_ms INTEGER NOT NULL, spent_ms INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS codes (
    code TEXT PRIMARY KEY, oa_id TEXT NOT NULL, challenge TEXT NOT NULL, expires_ms INTEGER NOT NULL,
    used_ms INTEGER NOT NULL DEFAULT 0);

CREATE TABLE IF NOT EXISTS media (
    name TEXT PRIMARY KEY, handle TEXT NOT NULL UNIQUE, oa_id TEXT NOT NULL, kind TEXT NOT NULL,
    title TEXT NOT NULL, content_type TEXT NOT NULL, size INTEGER NOT NULL, md5 TEXT NOT NULL,
    created_ms INTEGER NOT NULL, data BLOB NOT NULL);

CREATE TABLE IF NOT EXISTS faults (
    id INTEGER PRIMARY KEY AUTOINCREMENT, oa_id TEXT NOT NULL, applies_to TEXT NOT NULL, kind TEXT NOT NULL,
    remaining INTEGER NOT NULL, details TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS articles (
    token TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, oa_id TEXT NOT NULL, content TEXT NOT NULL,
    looks INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS outages (oa_id TEXT PRIMARY KEY, since_ms INTEGER NOT NULL);
"""


def now_ms() -> int:
    """This instant in epoch milliseconds, the unit of every Zalo timestamp."""
    return time.time_ns() // 1_000_000


class Store:
    """The connections to one sandbox file; safe to share between the threads of a web server."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.on_commit: Callable[[], None] = lambda: None
        self._writer = self._connect()
        self._write_lock = threading.Lock()
        self._readers: list[sqlite3.Connection] = []
        self._readers_lock = threading.Lock()
        self._writer.executescript(SCHEMA + BOTS + SMS + LOUDSPEAKERS)
        known = {row["name"] for row in self._writer.execute("PRAGMA table_info(citizens)")}
        if "phone" not in known:  # a file from before there were telephone numbers
            self._writer.execute("ALTER TABLE citizens ADD COLUMN phone TEXT NOT NULL DEFAULT ''")

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=10, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection to ask questions with."""
        with self._readers_lock:
            connection = self._readers.pop() if self._readers else None
        connection = connection or self._connect()
        try:
            yield connection
        finally:
            with self._readers_lock:
                self._readers.append(connection)

    @contextmanager
    def writing(self, *, quietly: bool = False) -> Iterator[sqlite3.Connection]:
        """Lend the only writing connection; what happens inside is kept whole or not at all."""
        with self._write_lock:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            self._writer.execute("COMMIT")
        if not quietly:
            self.on_commit()

    def close(self) -> None:
        """Close every connection; nobody may use the store afterwards."""
        with self._write_lock, self._readers_lock:
            for connection in (self._writer, *self._readers):
                connection.close()
            self._readers.clear()
