"""What the pretend networks remember: telephones, every message accepted, and what is still to be told to gateways."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from dataclasses import dataclass
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS sms_phones (
    number TEXT PRIMARY KEY, name TEXT NOT NULL, is_off INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS sms_messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, phone TEXT NOT NULL, from_phone INTEGER NOT NULL,
    other TEXT NOT NULL, text TEXT NOT NULL, alphabet TEXT NOT NULL, units INTEGER NOT NULL, pieces INTEGER NOT NULL,
    reference INTEGER NOT NULL, total INTEGER NOT NULL, piece INTEGER NOT NULL, our_id TEXT NOT NULL,
    wants TEXT NOT NULL, answered INTEGER NOT NULL, fate TEXT NOT NULL, at_ms INTEGER NOT NULL,
    at_monotonic_ns INTEGER NOT NULL, text_sha256 TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS sms_messages_of ON sms_messages (phone, id);
CREATE INDEX IF NOT EXISTS sms_messages_named ON sms_messages (account, our_id) WHERE our_id != '';
CREATE TABLE IF NOT EXISTS sms_calls (
    id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, phone TEXT NOT NULL, kind TEXT NOT NULL,
    body TEXT NOT NULL, place REAL NOT NULL DEFAULT 0, state TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
    due_ms INTEGER NOT NULL, result TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS sms_calls_due ON sms_calls (account, due_ms) WHERE state = 'waiting';
"""
HEAD, PATIENCE_MS = 80, 60_000
ON_ITS_WAY, ARRIVED, FAILED = "on_its_way", "arrived", "failed"
MESSAGE, RECEIPT = "message", "receipt"
HELD, WAITING, TOLD, LOST = "held", "waiting", "told", "lost"
LADDER_SECONDS = (2.0, 5.0, 15.0, 60.0, 300.0)  # then a provider gives up


@dataclass(frozen=True)
class Sms:
    """A message as a network keeps it. `other`: the sender's name, or the number it was written to; `our_id`: what
    the gateway calls it; `wants`: where its receipts go, as the provider understands it, "" when nobody wants any."""

    account: str
    phone: str
    other: str
    text: str
    alphabet: str
    units: int
    pieces: int = 1
    from_phone: bool = False
    reference: int = 0
    total: int = 1
    piece: int = 1
    our_id: str = ""
    wants: str = ""
    answered: bool = True


def now_ms() -> int:
    """This instant in epoch milliseconds."""
    return time.time_ns() // 1_000_000


# ---- telephones -----------------------------------------------------------------------------------------------------


def phone_of(db: sqlite3.Connection, number: str) -> sqlite3.Row | None:
    """A pretend telephone by its number 84…"""
    row: sqlite3.Row | None = db.execute("SELECT * FROM sms_phones WHERE number = ?", (number,)).fetchone()
    return row


def add_phone(db: sqlite3.Connection, name: str, number: str = "") -> str:
    """One more telephone; gives its number, which begins with 8490000 unless one is asked for."""
    last = db.execute("SELECT max(number) FROM sms_phones WHERE number LIKE '8490000____'").fetchone()[0]
    number = number or (str(int(last) + 1) if last else "84900000001")
    db.execute("INSERT INTO sms_phones (number, name) VALUES (?, ?) ON CONFLICT DO NOTHING", (number, name))
    return number


# ---- messages -------------------------------------------------------------------------------------------------------


def keep(db: sqlite3.Connection, sms: Sms) -> int:
    """Write down a message that a network has accepted; gives its number."""
    values = {
        **vars(sms), "fate": ON_ITS_WAY, "at_ms": now_ms(), "at_monotonic_ns": time.monotonic_ns(),
        "text_sha256": hashlib.sha256(sms.text.encode("utf-8", "replace")).hexdigest(),
    }  # fmt: skip
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    cursor = db.execute(f"INSERT INTO sms_messages ({names}) VALUES ({marks})", values)  # noqa: S608 - our own words
    return int(cursor.lastrowid or 0)


def is_known(db: sqlite3.Connection, account: str, our_id: str) -> bool:
    """Whether a message with this name was accepted before."""
    query = "SELECT 1 FROM sms_messages WHERE account = ? AND our_id = ? AND our_id != ''"
    return db.execute(query, (account, our_id)).fetchone() is not None


def message_of(db: sqlite3.Connection, number: int) -> sqlite3.Row:
    """A message by its number."""
    row: sqlite3.Row = db.execute("SELECT * FROM sms_messages WHERE id = ?", (number,)).fetchone()
    return row


def talk(db: sqlite3.Connection, phone: str, after: int = 0, limit: int = 200) -> list[dict[str, Any]]:
    """What stands on a telephone, oldest first: pieces as one message once all have come.

    After a minute it is shown with a gap for each that has not.
    """
    rows = db.execute(
        "SELECT * FROM (SELECT * FROM sms_messages WHERE phone = ? AND (from_phone = 1 OR fate = ?)"
        " ORDER BY id DESC LIMIT ?) ORDER BY id",
        (phone, ARRIVED, limit),
    ).fetchall()
    whole: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        key = (row["other"], row["reference"], row["total"]) if row["total"] > 1 else (row["id"],)
        if key in whole and row["piece"] in whole[key]["known"]:
            key = (*key, row["id"])  # the same number was used again
        found = whole.setdefault(key, {**dict(row), "known": {}})
        found["known"][row["piece"]] = row["text"]
        found["id"], found["pieces"] = row["id"], max(found["pieces"], len(found["known"]))
        found["units"] = row["units"] if len(found["known"]) == 1 else found["units"] + row["units"]
    is_late = now_ms() - PATIENCE_MS
    talks = [
        {**one, "text": _joined(one), "from_phone": bool(one["from_phone"])}
        for one in sorted(whole.values(), key=lambda one: one["id"])
        if len(one["known"]) == one["total"] or one["at_ms"] < is_late
    ]
    return [one for one in talks if one["id"] > after]


def _joined(one: dict[str, Any]) -> str:
    return "".join(one["known"].get(n, " […] ") for n in range(1, one["total"] + 1))


def ledger(db: sqlite3.Connection, after: int, limit: int, account: str, phone: str) -> dict[str, Any]:
    """Every message accepted from gateways with a number above `after`, oldest first, and how many there are."""
    where, values = "from_phone = 0", []
    for column, value in (("account", account), ("phone", phone)):
        if value:
            where += f" AND {column} = ?"
            values.append(value)
    total = db.execute(f"SELECT count(*) FROM sms_messages WHERE {where}", values).fetchone()[0]  # noqa: S608 - ours
    rows = db.execute(
        f"SELECT * FROM sms_messages WHERE {where} AND id > ? ORDER BY id LIMIT ?",  # noqa: S608 - ours
        [*values, after, limit],
    ).fetchall()
    entries = [
        {
            **{name: row[name] for name in ("id", "account", "phone", "alphabet", "units", "pieces", "reference")},
            **{name: row[name] for name in ("total", "piece", "our_id", "fate", "text_sha256")},
            "sender": row["other"],
            "text_head": row["text"][:HEAD],
            "answered": bool(row["answered"]),
            "received_at_ms": row["at_ms"],
            "received_monotonic_ns": row["at_monotonic_ns"],
        }
        for row in rows
    ]
    return {"total": total, "count": len(rows), "next_after": rows[-1]["id"] if rows else after, "rows": entries}


def repeats(db: sqlite3.Connection, limit: int) -> list[dict[str, Any]]:
    """The same words accepted for the same telephone more than once; pieces count by their place."""
    rows = db.execute(
        "SELECT account, phone, text_sha256, piece, count(*) AS times FROM sms_messages WHERE from_phone = 0"
        " GROUP BY account, phone, text_sha256, piece HAVING times > 1 ORDER BY times DESC LIMIT ?",
        (limit,),
    ).fetchall()
    return [dict(row) for row in rows]


# ---- what gateways are to be told -----------------------------------------------------------------------------------


def call(
    db: sqlite3.Connection, account: str, phone: str, kind: str, body: dict[str, Any], *, wait: float = 0.0,
    is_held: bool = False,
) -> int:  # fmt: skip
    """Have something told to the gateway after so many seconds, or not before it is let go; gives its number."""
    cursor = db.execute(
        "INSERT INTO sms_calls (account, phone, kind, body, state, due_ms) VALUES (?, ?, ?, ?, ?, ?)",
        (
            account, phone, kind, json.dumps(body, ensure_ascii=False), HELD if is_held else WAITING,
            now_ms() + int(wait * 1000),
        ),
    )  # fmt: skip
    number = int(cursor.lastrowid or 0)
    db.execute("UPDATE sms_calls SET place = ? WHERE id = ?", (number, number))
    return number


def due(db: sqlite3.Connection, account: str, limit: int) -> list[sqlite3.Row]:
    """What may be told now, in order."""
    return db.execute(
        "SELECT * FROM sms_calls WHERE account = ? AND state = ? AND due_ms <= ? ORDER BY due_ms, place LIMIT ?",
        (account, WAITING, now_ms(), limit),
    ).fetchall()


def told(db: sqlite3.Connection, number: int, result: str = "") -> None:
    """The gateway has it."""
    db.execute(
        "UPDATE sms_calls SET state = ?, result = ?, attempts = attempts + 1 WHERE id = ?", (TOLD, result, number)
    )


def not_told(db: sqlite3.Connection, number: int, result: str, scale: float) -> None:
    """It did not get there: it is told again later, and given up after the last step of the ladder."""
    tries = db.execute("SELECT attempts FROM sms_calls WHERE id = ?", (number,)).fetchone()[0]
    is_lost = tries >= len(LADDER_SECONDS)
    later = 0 if is_lost else now_ms() + int(LADDER_SECONDS[tries] * scale * 1000)
    db.execute(
        "UPDATE sms_calls SET state = ?, result = ?, due_ms = ?, attempts = attempts + 1 WHERE id = ?",
        (LOST if is_lost else WAITING, result[:80], later, number),
    )


def release(db: sqlite3.Connection, account: str) -> None:
    """Let go what was held back."""
    db.execute("UPDATE sms_calls SET state = ? WHERE account = ? AND state = ?", (WAITING, account, HELD))


def swap_last_two(db: sqlite3.Connection, account: str) -> bool:
    """Let the last two messages that the gateway has not heard be told in the wrong order."""
    rows = db.execute(
        "SELECT id, place, due_ms FROM sms_calls WHERE account = ? AND kind = ? AND state IN (?, ?)"
        " ORDER BY place DESC LIMIT 2",
        (account, MESSAGE, HELD, WAITING),
    ).fetchall()
    if len(rows) == 2:
        for mine, other in ((rows[0], rows[1]), (rows[1], rows[0])):
            values = (other["place"], other["due_ms"], mine["id"])
            db.execute("UPDATE sms_calls SET place = ?, due_ms = ? WHERE id = ?", values)
    return len(rows) == 2


def again(db: sqlite3.Connection, account: str) -> int:
    """Tell the latest message once more; gives its number, 0 when there is none."""
    row = db.execute(
        "SELECT max(id) AS id FROM sms_calls WHERE account = ? AND kind = ? AND state = ?", (account, MESSAGE, TOLD)
    ).fetchone()
    if row["id"]:
        db.execute("UPDATE sms_calls SET state = ?, attempts = 0, due_ms = 0 WHERE id = ?", (WAITING, row["id"]))
    return int(row["id"] or 0)


def calls(db: sqlite3.Connection, after: int, limit: int) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """How many calls wait, are held, told and lost, and those after a number, without anybody's words."""
    counts = db.execute("SELECT state, count(*) AS number FROM sms_calls GROUP BY state").fetchall()
    rows = db.execute(
        "SELECT id, account, phone, kind, state, attempts, due_ms, result FROM sms_calls WHERE id > ?"
        " ORDER BY id LIMIT ?",
        (after, limit),
    ).fetchall()
    return {row["state"]: row["number"] for row in counts}, [dict(row) for row in rows]
