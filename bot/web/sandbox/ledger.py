"""Questions about what happened: who was sent what, how often, and what became of each webhook."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

HEAD = 80


@dataclass(frozen=True)
class Book:
    """A table of messages, and what it calls the account, the person, and whether the message is the account's."""

    table: str
    account: str
    person: str
    is_ours: str


MESSAGES = Book("messages", account="oa_id", person="user_id", is_ours="from_oa")


def page(db: sqlite3.Connection, book: Book, after: int, limit: int, account: str, person: object) -> dict[str, Any]:
    """Accepted sends with an id above `after`; ids rise but may skip, for citizens' own messages share them."""
    where, values = f"{book.is_ours} = 1", list[object]()
    for column, value in ((book.account, account), (book.person, person)):
        if value:
            where += f" AND {column} = ?"
            values.append(value)
    total = db.execute(f"SELECT count(*) FROM {book.table} WHERE {where}", values).fetchone()[0]  # noqa: S608 - our words
    rows = db.execute(
        f"SELECT * FROM {book.table} WHERE {where} AND id > ? ORDER BY id LIMIT ?",  # noqa: S608 - our own words
        [*values, after, limit],
    ).fetchall()
    entries = [_entry(book, row) for row in rows]
    return {"total": total, "count": len(entries), "next_after": rows[-1]["id"] if rows else after, "rows": entries}


def repeats(db: sqlite3.Connection, book: Book, limit: int) -> list[dict[str, Any]]:
    """Content one person was sent more than once, the most repeated first."""
    rows = db.execute(
        f"SELECT {book.account}, {book.person}, content_sha256, count(*) AS times, group_concat(msg_id) AS message_ids"  # noqa: S608 - our own words
        f" FROM {book.table} WHERE {book.is_ours} = 1 GROUP BY {book.account}, {book.person}, content_sha256"
        " HAVING times > 1 ORDER BY times DESC LIMIT ?",
        (limit,),
    ).fetchall()
    return [{**dict(row), "message_ids": row["message_ids"].split(",")} for row in rows]


def conversation(db: sqlite3.Connection, user_id: str, after: int, limit: int) -> list[dict[str, Any]]:
    """A citizen's messages after an id, oldest first; when there are more than the limit, the newest of them."""
    rows = db.execute(
        "SELECT * FROM (SELECT * FROM messages WHERE user_id = ? AND id > ? ORDER BY id DESC LIMIT ?) ORDER BY id",
        (user_id, after, limit),
    ).fetchall()
    return [_message(row) for row in rows]


def webhooks(
    db: sqlite3.Connection, after: int, limit: int, user_id: str
) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """How many webhooks are pending, delivered and lost, and those after an id."""
    counts = db.execute("SELECT state, count(*) AS number FROM webhooks GROUP BY state").fetchall()
    rows = db.execute(
        "SELECT id, oa_id, user_id, event_name, timestamp, state, attempts, due_ms, last_result, delivered_ms"
        " FROM webhooks WHERE id > ? AND (? = '' OR user_id = ?) ORDER BY id LIMIT ?",
        (after, user_id, user_id, limit),
    ).fetchall()
    return {row["state"]: row["number"] for row in counts}, [dict(row) for row in rows]


def summary(db: sqlite3.Connection, oa_id: str) -> dict[str, int]:
    """The numbers of one account for the control page."""
    row = db.execute(
        "SELECT (SELECT count(*) FROM citizens WHERE oa_id = :oa) AS citizens,"
        " (SELECT count(*) FROM messages WHERE oa_id = :oa AND from_oa = 1) AS sends,"
        " (SELECT count(*) FROM messages WHERE oa_id = :oa AND from_oa = 0) AS said,"
        " (SELECT count(*) FROM webhooks WHERE oa_id = :oa AND state = 'pending') AS pending,"
        " (SELECT count(*) FROM webhooks WHERE oa_id = :oa AND state = 'lost') AS lost,"
        " (SELECT count(*) FROM outages WHERE oa_id = :oa) AS is_out",
        {"oa": oa_id},
    ).fetchone()
    return dict(row)


def _entry(book: Book, row: sqlite3.Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "message_id": row["msg_id"],
        book.account: row[book.account],
        book.person: row[book.person],
        "kind": row["kind"],
        "text_sha256": row["text_sha256"],
        "content_sha256": row["content_sha256"],
        "text_head": row["text"][:HEAD],
        "received_at_ms": row["at_ms"],
        "received_monotonic_ns": row["at_monotonic_ns"],
        "answered": bool(row["answered"]),
    }


def _message(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "msg_id": row["msg_id"],
        "from_oa": bool(row["from_oa"]),
        "kind": row["kind"],
        "text": row["text"],
        "at_ms": row["at_ms"],
        "seen_ms": row["seen_ms"],
        **json.loads(row["content"]),
    }
