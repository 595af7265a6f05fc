"""What the pretend Telegram remembers: its people, what was said, and updates that nobody has given up yet."""

from __future__ import annotations

import json
import sqlite3
import time
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS tg_people (
    chat_id INTEGER PRIMARY KEY, bot_id TEXT NOT NULL, name TEXT NOT NULL, phone TEXT NOT NULL DEFAULT '',
    blocks INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS tg_messages (
    message_id INTEGER PRIMARY KEY AUTOINCREMENT, bot_id TEXT NOT NULL, chat_id INTEGER NOT NULL,
    from_bot INTEGER NOT NULL, body TEXT NOT NULL, at_ms INTEGER NOT NULL, pressed TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS tg_messages_of ON tg_messages (chat_id, message_id);
CREATE TABLE IF NOT EXISTS tg_updates (
    update_id INTEGER PRIMARY KEY AUTOINCREMENT, bot_id TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL,
    place REAL NOT NULL DEFAULT 0, is_done INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS tg_files (
    file_id TEXT PRIMARY KEY, bot_id TEXT NOT NULL, path TEXT NOT NULL UNIQUE, data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS tg_bots (
    bot_id TEXT PRIMARY KEY, webhook_url TEXT NOT NULL DEFAULT '', secret TEXT NOT NULL DEFAULT '',
    kinds TEXT NOT NULL DEFAULT '[]', failed_at INTEGER NOT NULL DEFAULT 0, failure TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS tg_taps (tap_id TEXT PRIMARY KEY, is_answered INTEGER NOT NULL DEFAULT 0);
"""


def now_ms() -> int:
    """This instant in epoch milliseconds."""
    return time.time_ns() // 1_000_000


def person(db: sqlite3.Connection, chat_id: int) -> sqlite3.Row | None:
    """A pretend citizen by chat."""
    row: sqlite3.Row | None = db.execute("SELECT * FROM tg_people WHERE chat_id = ?", (chat_id,)).fetchone()
    return row


def add_person(db: sqlite3.Connection, bot_id: str, name: str) -> int:
    """One more pretend citizen; gives the chat id."""
    last = db.execute("SELECT coalesce(max(chat_id), 5000000000) FROM tg_people").fetchone()[0]
    phone = f"8490{(last + 1) % 10_000_000:07d}"
    values = (last + 1, bot_id, name, phone)
    db.execute("INSERT INTO tg_people (chat_id, bot_id, name, phone) VALUES (?, ?, ?, ?)", values)
    return int(last) + 1


def bot_row(db: sqlite3.Connection, bot_id: str) -> sqlite3.Row:
    """Where this bot's updates go."""
    db.execute("INSERT OR IGNORE INTO tg_bots (bot_id) VALUES (?)", (bot_id,))
    row: sqlite3.Row = db.execute("SELECT * FROM tg_bots WHERE bot_id = ?", (bot_id,)).fetchone()
    return row


def say(db: sqlite3.Connection, bot_id: str, chat_id: int, *, from_bot: bool, **content: Any) -> dict[str, Any]:
    """Write a message down; gives it as the Bot API would."""
    moment = now_ms()
    cursor = db.execute(
        "INSERT INTO tg_messages (bot_id, chat_id, from_bot, body, at_ms) VALUES (?, ?, ?, '', ?)",
        (bot_id, chat_id, from_bot, moment),
    )
    sender = as_bot(bot_id) if from_bot else as_user(db, chat_id)
    chat = {"id": chat_id, "type": "private", **{k: v for k, v in as_user(db, chat_id).items() if "name" in k}}
    message = {"message_id": cursor.lastrowid, "from": sender, "chat": chat, "date": moment // 1000, **content}
    keep(db, message)
    return message


def keep(db: sqlite3.Connection, message: dict[str, Any]) -> None:
    """Write a message down as it stands now."""
    body = json.dumps(message, ensure_ascii=False)
    db.execute("UPDATE tg_messages SET body = ? WHERE message_id = ?", (body, message["message_id"]))


def message_of(db: sqlite3.Connection, chat_id: int, message_id: int) -> dict[str, Any] | None:
    """A message of a chat, or None."""
    row = db.execute(
        "SELECT body FROM tg_messages WHERE chat_id = ? AND message_id = ?", (chat_id, message_id)
    ).fetchone()
    return dict(json.loads(row["body"])) if row else None


def talk(db: sqlite3.Connection, chat_id: int, after: int = 0, limit: int = 200) -> list[dict[str, Any]]:
    """What was said in a chat, oldest first."""
    rows = db.execute(
        "SELECT * FROM (SELECT * FROM tg_messages WHERE chat_id = ? AND message_id > ?"
        " ORDER BY message_id DESC LIMIT ?) ORDER BY message_id",
        (chat_id, after, limit),
    ).fetchall()
    return [
        {"from_bot": bool(row["from_bot"]), "at_ms": row["at_ms"], "pressed": row["pressed"], **json.loads(row["body"])}
        for row in rows
    ]


def update(db: sqlite3.Connection, bot_id: str, kind: str, content: dict[str, Any]) -> int:
    """Have something told to the bot, if it wants to hear of such things; gives the update's number."""
    kinds = json.loads(bot_row(db, bot_id)["kinds"])
    if kinds and kind not in kinds:
        return 0
    cursor = db.execute(
        "INSERT INTO tg_updates (bot_id, kind, body) VALUES (?, ?, ?)",
        (bot_id, kind, json.dumps(content, ensure_ascii=False)),
    )
    number = int(cursor.lastrowid or 0)
    db.execute("UPDATE tg_updates SET place = update_id WHERE update_id = ?", (number,))
    return number


def waiting(db: sqlite3.Connection, bot_id: str, limit: int, *, repeats: bool = False) -> list[dict[str, Any]]:
    """Updates that were not given up; `repeats`: also the last few that were."""
    done = "" if repeats else " AND is_done = 0"
    rows = db.execute(
        f"SELECT * FROM tg_updates WHERE bot_id = ?{done} ORDER BY is_done DESC, place LIMIT ?",  # noqa: S608 - our words
        (bot_id, limit),
    ).fetchall()
    return [{"update_id": row["update_id"], row["kind"]: json.loads(row["body"])} for row in rows]


def give_up(db: sqlite3.Connection, bot_id: str, before: int) -> None:
    """Updates below this number were heard."""
    db.execute("UPDATE tg_updates SET is_done = 1 WHERE bot_id = ? AND update_id < ?", (bot_id, before))


def swap_last_two(db: sqlite3.Connection, bot_id: str) -> None:
    """Tell the last two waiting updates in the wrong order."""
    rows = db.execute(
        "SELECT update_id, place FROM tg_updates WHERE bot_id = ? AND is_done = 0 ORDER BY place DESC LIMIT 2",
        (bot_id,),
    ).fetchall()
    if len(rows) == 2:
        for mine, other in ((rows[0], rows[1]), (rows[1], rows[0])):
            db.execute("UPDATE tg_updates SET place = ? WHERE update_id = ?", (other["place"], mine["update_id"]))


def as_user(db: sqlite3.Connection, chat_id: int) -> dict[str, Any]:
    """A citizen as updates name them."""
    found = person(db, chat_id)
    return {"id": chat_id, "is_bot": False, "first_name": found["name"] if found else "?", "language_code": "vi"}


def as_bot(bot_id: str) -> dict[str, Any]:
    """The bot as messages name it."""
    return {"id": int(bot_id), "is_bot": True, "first_name": "Bot", "username": f"bot_{bot_id}"}
