"""What pretend bot platforms remember: people, what was said, and updates that nobody has taken yet."""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
import time
from typing import Any

import flask

from bot.web.sandbox.bots.platform import ChatId, Platform
from bot.web.sandbox.ledger import Book

# A chat's id is a number on one platform and text on another: the column keeps either as it is.
SCHEMA = """
CREATE TABLE IF NOT EXISTS bot_people (
    number INTEGER PRIMARY KEY AUTOINCREMENT, chat_id UNIQUE, bot_id TEXT NOT NULL, name TEXT NOT NULL,
    phone TEXT NOT NULL DEFAULT '', blocks INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS bot_messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, bot_id TEXT NOT NULL, chat_id NOT NULL, from_bot INTEGER NOT NULL,
    msg_id NOT NULL DEFAULT '', kind TEXT NOT NULL, text TEXT NOT NULL, body TEXT NOT NULL DEFAULT '',
    text_sha256 TEXT NOT NULL, content_sha256 TEXT NOT NULL, at_ms INTEGER NOT NULL, at_monotonic_ns INTEGER NOT NULL,
    answered INTEGER NOT NULL DEFAULT 1, pressed TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS bot_messages_of ON bot_messages (chat_id, id);
CREATE TABLE IF NOT EXISTS bot_updates (
    update_id INTEGER PRIMARY KEY AUTOINCREMENT, bot_id TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL,
    place REAL NOT NULL DEFAULT 0, is_done INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS bot_files (
    file_id TEXT PRIMARY KEY, bot_id TEXT NOT NULL, path TEXT NOT NULL UNIQUE, data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS bots (
    bot_id TEXT PRIMARY KEY, webhook_url TEXT NOT NULL DEFAULT '', secret TEXT NOT NULL DEFAULT '',
    kinds TEXT NOT NULL DEFAULT '[]', changed_ms INTEGER NOT NULL DEFAULT 0, failed_at INTEGER NOT NULL DEFAULT 0,
    failure TEXT NOT NULL DEFAULT '', is_revoked INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS bot_taps (tap_id TEXT PRIMARY KEY, is_answered INTEGER NOT NULL DEFAULT 0);
"""
BOOK = Book("bot_messages", account="bot_id", person="chat_id", is_ours="from_bot")


def now_ms() -> int:
    """This instant in epoch milliseconds."""
    return time.time_ns() // 1_000_000


def person(db: sqlite3.Connection, chat_id: object) -> sqlite3.Row | None:
    """A pretend citizen by chat, whose id may have come as text."""
    text = str(chat_id)
    ids = (text, int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else text)
    row: sqlite3.Row | None = db.execute("SELECT * FROM bot_people WHERE chat_id IN (?, ?)", ids).fetchone()
    return row


def add_person(db: sqlite3.Connection, platform: Platform, bot_id: str, name: str) -> ChatId:
    """One more pretend citizen; gives the chat id."""
    cursor = db.execute("INSERT INTO bot_people (bot_id, name) VALUES (?, ?)", (bot_id, name))
    number = int(cursor.lastrowid or 0)
    chat_id = platform.shape.chat_id(number)
    values = (chat_id, f"8490{number % 10_000_000:07d}", number)
    db.execute("UPDATE bot_people SET chat_id = ?, phone = ? WHERE number = ?", values)
    return chat_id


def people_of(db: sqlite3.Connection, bot_id: str) -> list[sqlite3.Row]:
    """Everybody this bot knows."""
    return db.execute("SELECT * FROM bot_people WHERE bot_id = ? ORDER BY number", (bot_id,)).fetchall()


def bot_row(db: sqlite3.Connection, bot_id: str) -> sqlite3.Row:
    """Where this bot's updates go."""
    db.execute("INSERT OR IGNORE INTO bots (bot_id) VALUES (?)", (bot_id,))
    row: sqlite3.Row = db.execute("SELECT * FROM bots WHERE bot_id = ?", (bot_id,)).fetchone()
    return row


def is_revoked(db: sqlite3.Connection, bot_id: str) -> bool:
    """Whether the bot's token was taken back."""
    row = db.execute("SELECT is_revoked FROM bots WHERE bot_id = ?", (bot_id,)).fetchone()
    return bool(row and row["is_revoked"])


def say(
    db: sqlite3.Connection, platform: Platform, who: sqlite3.Row, kind: str, *, from_bot: bool, **content: Any
) -> dict[str, Any]:
    """Write a message down; gives it as the platform would."""
    moment = now_ms()
    text = str(content.get("text") or content.get("caption") or "")
    hashed = (text, json.dumps([kind, content], ensure_ascii=False, sort_keys=True))
    digests = (hashlib.sha256(words.encode("utf-8", "replace")).hexdigest() for words in hashed)
    answered = not (from_bot and flask.has_request_context() and flask.g.get("answer_is_withheld"))
    cursor = db.execute(
        "INSERT INTO bot_messages (bot_id, chat_id, from_bot, kind, text, text_sha256, content_sha256, at_ms,"
        " at_monotonic_ns, answered) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (who["bot_id"], who["chat_id"], from_bot, kind, text, *digests, moment, time.monotonic_ns(), answered),
    )
    number = int(cursor.lastrowid or 0)
    message = {**platform.shape.message(who, from_bot, number, moment), **content}
    db.execute("UPDATE bot_messages SET msg_id = ? WHERE id = ?", (message["message_id"], number))
    keep(db, message)
    return message


def keep(db: sqlite3.Connection, message: dict[str, Any]) -> None:
    """Write a message down as it stands now."""
    body = json.dumps(message, ensure_ascii=False)
    db.execute("UPDATE bot_messages SET body = ? WHERE msg_id = ?", (body, message["message_id"]))


def message_of(db: sqlite3.Connection, chat_id: ChatId, message_id: ChatId) -> dict[str, Any] | None:
    """A message of a chat, or None."""
    row = db.execute("SELECT body FROM bot_messages WHERE chat_id = ? AND msg_id = ?", (chat_id, message_id)).fetchone()
    return dict(json.loads(row["body"])) if row else None


def talk(db: sqlite3.Connection, chat_id: ChatId, after: int = 0, limit: int = 200) -> list[dict[str, Any]]:
    """What was said in a chat, oldest first."""
    rows = db.execute(
        "SELECT * FROM (SELECT * FROM bot_messages WHERE chat_id = ? AND id > ? ORDER BY id DESC LIMIT ?) ORDER BY id",
        (chat_id, after, limit),
    ).fetchall()
    return [{name: row[name] for name in _TOLD} | {"from_bot": bool(row["from_bot"])} | _body(row) for row in rows]


_TOLD = ("id", "kind", "at_ms", "pressed")


def _body(row: sqlite3.Row) -> dict[str, Any]:
    return dict(json.loads(row["body"]))


def update(db: sqlite3.Connection, bot_id: str, kind: str, content: dict[str, Any]) -> int:
    """Have something told to the bot, if it wants to hear of such things; gives the update's number."""
    kinds = json.loads(bot_row(db, bot_id)["kinds"])
    if kinds and kind not in kinds:
        return 0
    cursor = db.execute(
        "INSERT INTO bot_updates (bot_id, kind, body) VALUES (?, ?, ?)",
        (bot_id, kind, json.dumps(content, ensure_ascii=False)),
    )
    number = int(cursor.lastrowid or 0)
    db.execute("UPDATE bot_updates SET place = update_id WHERE update_id = ?", (number,))
    return number


def waiting(db: sqlite3.Connection, bot_id: str, limit: int, *, repeats: bool = False) -> list[sqlite3.Row]:
    """Updates that were not given up; `repeats`: also the last few that were."""
    done = "" if repeats else " AND is_done = 0"
    return db.execute(
        f"SELECT * FROM bot_updates WHERE bot_id = ?{done} ORDER BY is_done DESC, place LIMIT ?",  # noqa: S608 - our words
        (bot_id, limit),
    ).fetchall()


def as_update(platform: Platform, row: sqlite3.Row) -> dict[str, Any]:
    """A waiting update as the platform tells it."""
    return platform.shape.update(row["update_id"], row["kind"], _body(row))


def give_up(db: sqlite3.Connection, bot_id: str, before: int) -> None:
    """Updates below this number were heard."""
    db.execute("UPDATE bot_updates SET is_done = 1 WHERE bot_id = ? AND update_id < ?", (bot_id, before))


def hand_over(db: sqlite3.Connection, update_id: int) -> None:
    """This update was heard."""
    db.execute("UPDATE bot_updates SET is_done = 1 WHERE update_id = ?", (update_id,))


def tell_again(db: sqlite3.Connection, bot_id: str) -> None:
    """The bot's latest update waits once more."""
    latest = "SELECT max(update_id) FROM bot_updates WHERE bot_id = ?"
    db.execute(f"UPDATE bot_updates SET is_done = 0 WHERE update_id = ({latest})", (bot_id,))  # noqa: S608 - our words


def swap_last_two(db: sqlite3.Connection, bot_id: str) -> None:
    """Tell the last two waiting updates in the wrong order."""
    rows = db.execute(
        "SELECT update_id, place FROM bot_updates WHERE bot_id = ? AND is_done = 0 ORDER BY place DESC LIMIT 2",
        (bot_id,),
    ).fetchall()
    if len(rows) == 2:
        for mine, other in ((rows[0], rows[1]), (rows[1], rows[0])):
            db.execute("UPDATE bot_updates SET place = ? WHERE update_id = ?", (other["place"], mine["update_id"]))


def own_file(db: sqlite3.Connection, bot_id: str, file_id: str) -> sqlite3.Row | None:
    """A file that this bot has handed over or been given."""
    query = "SELECT * FROM bot_files WHERE file_id = ? AND bot_id = ?"
    row: sqlite3.Row | None = db.execute(query, (file_id, bot_id)).fetchone()
    return row


def keep_file(db: sqlite3.Connection, bot_id: str, name: str, data: bytes) -> sqlite3.Row:
    """Take a file in; gives its row."""
    file_id = f"AgAC{secrets.token_urlsafe(24)}"
    path = f"files/{secrets.token_hex(6)}-{name if name.isascii() and name.replace('.', '').isalnum() else 'file'}"
    db.execute("INSERT INTO bot_files (file_id, bot_id, path, data) VALUES (?, ?, ?, ?)", (file_id, bot_id, path, data))
    row: sqlite3.Row = db.execute("SELECT * FROM bot_files WHERE file_id = ?", (file_id,)).fetchone()
    return row
