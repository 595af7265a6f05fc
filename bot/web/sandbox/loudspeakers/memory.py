"""What a pretend source system remembers: clusters, bulletins, when they play, boards, the log, and who signed in."""

from __future__ import annotations

import json
import secrets
import sqlite3
from dataclasses import dataclass
from typing import Any

from bot.web.sandbox.settings import SandboxVillage

SCHEMA = """
CREATE TABLE IF NOT EXISTS loa_clusters (
    account TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, area TEXT NOT NULL, volume INTEGER NOT NULL,
    fate TEXT NOT NULL DEFAULT 'well', beat_ms INTEGER NOT NULL, PRIMARY KEY (account, id));
CREATE TABLE IF NOT EXISTS loa_bulletins (
    account TEXT NOT NULL, key TEXT NOT NULL, urgency TEXT NOT NULL, title TEXT NOT NULL, script TEXT NOT NULL,
    audio TEXT NOT NULL, seconds INTEGER NOT NULL, targets TEXT NOT NULL, body TEXT NOT NULL,
    received_ms INTEGER NOT NULL, cancelled_ms INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (account, key));
CREATE TABLE IF NOT EXISTS loa_plays (
    id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, key TEXT NOT NULL, begin_ms INTEGER NOT NULL,
    end_ms INTEGER NOT NULL, played INTEGER NOT NULL DEFAULT 0, UNIQUE (account, key, begin_ms));
CREATE TABLE IF NOT EXISTS loa_boards (
    account TEXT NOT NULL, key TEXT NOT NULL, title TEXT NOT NULL, text TEXT NOT NULL, until_ms INTEGER NOT NULL,
    received_ms INTEGER NOT NULL, cancelled_ms INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (account, key));
CREATE TABLE IF NOT EXISTS loa_logs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, key TEXT NOT NULL, cluster TEXT NOT NULL,
    at_ms INTEGER NOT NULL, kind TEXT NOT NULL, is_success INTEGER NOT NULL, reason TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS loa_tokens (token TEXT PRIMARY KEY, account TEXT NOT NULL, expires_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS loa_calls (
    id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, path TEXT NOT NULL, key TEXT NOT NULL,
    is_new INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS loa_notices (
    id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, ref TEXT NOT NULL, revision INTEGER NOT NULL,
    urgency TEXT NOT NULL, title TEXT NOT NULL, text TEXT NOT NULL, source TEXT NOT NULL, areas TEXT NOT NULL,
    cancelled TEXT NOT NULL, at_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS loa_feedback (
    id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, ref TEXT NOT NULL, said TEXT NOT NULL,
    text TEXT NOT NULL, photos TEXT NOT NULL, name TEXT NOT NULL, phone TEXT NOT NULL, area TEXT NOT NULL,
    at_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS loa_told (
    id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, kind TEXT NOT NULL, ref TEXT NOT NULL,
    key TEXT NOT NULL, text TEXT NOT NULL, received_ms INTEGER NOT NULL, UNIQUE (account, kind, key));
CREATE TABLE IF NOT EXISTS loa_statistics (
    account TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL, received_ms INTEGER NOT NULL,
    PRIMARY KEY (account, key));
"""

WELL, BROKEN, SILENT = "well", "broken", "silent"
FATES = (WELL, BROKEN, SILENT)
BOARD = "BANG-01"
PAGE = 200


@dataclass(frozen=True)
class Handed:
    """A bulletin of the province as it is handed down; `areas`: for whom; `cancelled`: why it is taken back."""

    ref: str
    urgency: str
    title: str
    text: str
    areas: tuple[str, ...]
    revision: int = 1
    source: str = "UBND tỉnh Tập Dượt"
    cancelled: str = ""
    until: int = 0


@dataclass(frozen=True)
class Written:
    """What a citizen writes in the central app; `said` tells apart what they write under one number."""

    ref: str
    text: str
    area: str
    said: str = "1"
    photos: tuple[str, ...] = ()
    name: str = ""
    phone: str = ""


@dataclass(frozen=True)
class Received:
    """A bulletin as it came in, read."""

    key: str
    urgency: str
    title: str
    script: str
    audio: str
    seconds: int
    targets: tuple[str, ...]
    body: dict[str, Any]


def furnish(db: sqlite3.Connection, village: SandboxVillage, now: int) -> None:
    """Put up a village's loudspeakers, unless they stand there."""
    for number in range(1, village.clusters + 1):
        fate = BROKEN if number in village.broken else WELL
        db.execute(
            "INSERT OR IGNORE INTO loa_clusters (account, id, name, area, volume, fate, beat_ms)"
            " VALUES (?, ?, ?, ?, 80, ?, ?)",
            (village.username, f"86{number:013d}", f"Cụm loa số {number}", f"Xóm {number}", fate, now),
        )


def clusters(db: sqlite3.Connection, account: str) -> list[sqlite3.Row]:
    """The clusters in the order of their numbers."""
    return db.execute("SELECT * FROM loa_clusters WHERE account = ? ORDER BY id", (account,)).fetchall()


def beat(db: sqlite3.Connection, account: str, now: int) -> None:
    """Everything that is not cut off says that it is there."""
    db.execute("UPDATE loa_clusters SET beat_ms = ? WHERE account = ? AND fate <> ?", (now, account, SILENT))


def set_fate(db: sqlite3.Connection, account: str, cluster: str, fate: str) -> bool:
    """Break, cut off or mend a cluster; False when there is none."""
    done = db.execute("UPDATE loa_clusters SET fate = ? WHERE account = ? AND id = ?", (fate, account, cluster))
    return done.rowcount == 1


def new_token(db: sqlite3.Connection, account: str, expires: int) -> str:
    """A token for a session."""
    token = secrets.token_urlsafe(24)
    db.execute("INSERT INTO loa_tokens (token, account, expires_ms) VALUES (?, ?, ?)", (token, account, expires))
    return token


def is_signed_in(db: sqlite3.Connection, account: str, token: str, now: int) -> bool:
    """Whether this token still works."""
    question = "SELECT 1 FROM loa_tokens WHERE token = ? AND account = ? AND expires_ms > ?"
    return db.execute(question, (token, account, now)).fetchone() is not None


def sign_out(db: sqlite3.Connection, account: str) -> None:
    """No token works any more."""
    db.execute("DELETE FROM loa_tokens WHERE account = ?", (account,))


def keep(db: sqlite3.Connection, account: str, one: Received, now: int) -> bool:
    """Take a bulletin in, once for each key; False when it is known."""
    done = db.execute(
        "INSERT OR IGNORE INTO loa_bulletins (account, key, urgency, title, script, audio, seconds, targets, body,"
        " received_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            account, one.key, one.urgency, one.title, one.script, one.audio, one.seconds, json.dumps(one.targets),
            json.dumps(one.body, ensure_ascii=False), now,
        ),
    )  # fmt: skip
    return done.rowcount == 1


def add_play(db: sqlite3.Connection, account: str, key: str, begin: int, end: int) -> bool:
    """Let it play at a moment; False when it does already."""
    done = db.execute(
        "INSERT OR IGNORE INTO loa_plays (account, key, begin_ms, end_ms) VALUES (?, ?, ?, ?)",
        (account, key, begin, end),
    )
    return done.rowcount == 1


def keep_board(db: sqlite3.Connection, account: str, key: str, title: str, text: str, until: int, now: int) -> bool:
    """Show something on the board, once for each key."""
    done = db.execute(
        "INSERT OR IGNORE INTO loa_boards (account, key, title, text, until_ms, received_ms) VALUES (?, ?, ?, ?, ?, ?)",
        (account, key, title, text, until, now),
    )
    return done.rowcount == 1


def cancel(db: sqlite3.Connection, account: str, key: str, now: int) -> bool:
    """Play and show it no more; False when there was nothing of it."""
    done = 0
    for table in ("loa_bulletins", "loa_boards"):
        statement = f"UPDATE {table} SET cancelled_ms = ? WHERE account = ? AND key = ? AND cancelled_ms = 0"  # noqa: S608
        done += db.execute(statement, (now, account, key)).rowcount
    db.execute("DELETE FROM loa_plays WHERE account = ? AND key = ? AND played = 0", (account, key))
    return bool(done)


def note(db: sqlite3.Connection, account: str, path: str, key: str, *, is_new: bool) -> None:
    """Write down that something was accepted, the first time or again."""
    db.execute("INSERT INTO loa_calls (account, path, key, is_new) VALUES (?, ?, ?, ?)", (account, path, key, is_new))


def report(
    db: sqlite3.Connection, account: str, key: str, cluster: str, at: int, kind: str, *, reason: str = ""
) -> None:
    """A device says what it did; with a reason: what it could not do."""
    db.execute(
        "INSERT INTO loa_logs (account, key, cluster, at_ms, kind, is_success, reason) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (account, key, cluster, at, kind, not reason, reason),
    )


def hand_down(db: sqlite3.Connection, account: str, one: Handed, now: int) -> None:
    """Let a bulletin of the province be asked for."""
    db.execute(
        "INSERT INTO loa_notices (account, ref, revision, urgency, title, text, source, areas, cancelled, at_ms,"
        " until_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            account, one.ref, one.revision, one.urgency, one.title, one.text, one.source, ",".join(one.areas),
            one.cancelled, now, one.until,
        ),
    )  # fmt: skip


def latest_notice(db: sqlite3.Connection, account: str, ref: str) -> sqlite3.Row | None:
    """The highest revision of a bulletin of the province."""
    question = "SELECT * FROM loa_notices WHERE account = ? AND ref = ? ORDER BY revision DESC LIMIT 1"
    found: sqlite3.Row | None = db.execute(question, (account, ref)).fetchone()
    return found


def write(db: sqlite3.Connection, account: str, one: Written, now: int) -> None:
    """A citizen writes in the app."""
    db.execute(
        "INSERT INTO loa_feedback (account, ref, said, text, photos, name, phone, area, at_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (account, one.ref, one.said, one.text, json.dumps(one.photos), one.name, one.phone, one.area, now),
    )


def keep_told(db: sqlite3.Connection, account: str, kind: str, ref: str, key: str, text: str, now: int) -> bool:
    """Keep an answer or a state, once for each key."""
    done = db.execute(
        "INSERT OR IGNORE INTO loa_told (account, kind, ref, key, text, received_ms) VALUES (?, ?, ?, ?, ?, ?)",
        (account, kind, ref, key, text, now),
    )
    return done.rowcount == 1


def keep_statistics(db: sqlite3.Connection, account: str, key: str, body: dict[str, Any], now: int) -> bool:
    """Keep a month's figures, once for each key."""
    done = db.execute(
        "INSERT OR IGNORE INTO loa_statistics (account, key, body, received_ms) VALUES (?, ?, ?, ?)",
        (account, key, json.dumps(body, ensure_ascii=False), now),
    )
    return done.rowcount == 1


def after(db: sqlite3.Connection, table: str, account: str, number: int) -> list[sqlite3.Row]:
    """What follows a row of one of our numbered tables."""
    question = f"SELECT * FROM {table} WHERE account = ? AND id > ? ORDER BY id LIMIT ?"  # noqa: S608
    return db.execute(question, (account, number, PAGE)).fetchall()


def of_account(db: sqlite3.Connection, table: str, account: str) -> list[dict[str, Any]]:
    """All rows of a village in one of our tables."""
    order = {
        "loa_calls": "id",
        "loa_plays": "begin_ms",
        "loa_logs": "id",
        "loa_tokens": "expires_ms",
        "loa_notices": "id",
        "loa_feedback": "id",
        "loa_told": "id",
    }.get(table, "received_ms")
    rows = db.execute(f"SELECT * FROM {table} WHERE account = ? ORDER BY {order}", (account,))  # noqa: S608
    return [dict(row) for row in rows.fetchall()]
