"""What pretend citizens can do on Telegram, and the updates it makes."""

from __future__ import annotations

import secrets
import sqlite3
from dataclasses import dataclass
from typing import Any

from bot.web.sandbox.telegram import memory


class CannotBeDone(Exception):
    """The act makes no sense; `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Deed:
    """Something a citizen does: words, files, a button, an edit."""

    kind: str
    text: str = ""
    files: tuple[tuple[str, bytes], ...] = ()
    message_id: int = 0
    latitude: float = 0.0
    longitude: float = 0.0


def do(db: sqlite3.Connection, chat_id: int, deed: Deed) -> list[int]:
    """Let a citizen do something; gives the numbers of the updates it made. CannotBeDone."""
    found = memory.person(db, chat_id)
    if found is None:
        raise CannotBeDone("nobody")
    acts = {
        "text": _says, "photo": _shows, "voice": _speaks, "location": _points, "contact": _gives_number,
        "tap": _taps, "edit": _edits, "block": _blocks, "unblock": _unblocks,
    }  # fmt: skip
    act = acts.get(deed.kind)
    if act is None:
        raise CannotBeDone("kind")
    if found["blocks"] and deed.kind not in {"block", "unblock"}:
        _unblocks(db, found, Deed("unblock"))  # Telegram asks first, and then writing goes on
    return act(db, found, deed)


def keep_file(db: sqlite3.Connection, bot_id: str, name: str, data: bytes) -> dict[str, Any]:
    """Take a file in; gives how messages name it."""
    file_id = f"AgAC{secrets.token_urlsafe(24)}"
    path = f"files/{secrets.token_hex(6)}-{name if name.isascii() and name.replace('.', '').isalnum() else 'file'}"
    db.execute("INSERT INTO tg_files (file_id, bot_id, path, data) VALUES (?, ?, ?, ?)", (file_id, bot_id, path, data))
    return {"file_id": file_id, "file_unique_id": file_id[:12], "file_size": len(data)}


def _says(db: sqlite3.Connection, who: sqlite3.Row, deed: Deed) -> list[int]:
    if not deed.text.strip():
        raise CannotBeDone("empty")
    more = {}
    asked = memory.message_of(db, who["chat_id"], deed.message_id) if deed.message_id else None
    if asked:
        more["reply_to_message"] = asked
    return _tell(db, who, text=deed.text[:4096], **more)


def _shows(db: sqlite3.Connection, who: sqlite3.Row, deed: Deed) -> list[int]:
    if not deed.files:
        raise CannotBeDone("empty")
    album = {"media_group_id": str(secrets.randbelow(10**16))} if len(deed.files) > 1 else {}
    made = []
    for number, (name, data) in enumerate(deed.files[:10]):
        file = keep_file(db, who["bot_id"], name, data)
        caption = {"caption": deed.text[:1024]} if deed.text and number == 0 else {}
        made += _tell(db, who, photo=[{**file, "width": 1280, "height": 960}], **caption, **album)
    return made


def _speaks(db: sqlite3.Connection, who: sqlite3.Row, deed: Deed) -> list[int]:
    if not deed.files:
        raise CannotBeDone("empty")
    file = keep_file(db, who["bot_id"], *deed.files[0])
    return _tell(db, who, voice={**file, "duration": 5, "mime_type": "audio/ogg"})


def _points(db: sqlite3.Connection, who: sqlite3.Row, deed: Deed) -> list[int]:
    return _tell(db, who, location={"latitude": deed.latitude, "longitude": deed.longitude})


def _gives_number(db: sqlite3.Connection, who: sqlite3.Row, _deed: Deed) -> list[int]:
    return _tell(db, who, contact={"phone_number": who["phone"], "first_name": who["name"], "user_id": who["chat_id"]})


def _taps(db: sqlite3.Connection, who: sqlite3.Row, deed: Deed) -> list[int]:
    asked = memory.message_of(db, who["chat_id"], deed.message_id)
    rows = (asked or {}).get("reply_markup", {}).get("inline_keyboard", [])
    data = next((b["callback_data"] for row in rows for b in row if b["text"] == deed.text), None)
    if asked is None or data is None:
        raise CannotBeDone("button")
    tap_id = str(secrets.randbelow(10**18))
    db.execute("INSERT INTO tg_taps (tap_id) VALUES (?)", (tap_id,))
    pressed = (deed.text, deed.message_id)
    db.execute("UPDATE tg_messages SET pressed = ? WHERE message_id = ?", pressed)
    tap = {"id": tap_id, "from": memory.as_user(db, who["chat_id"]), "chat_instance": "1", "data": data}
    return [memory.update(db, who["bot_id"], "callback_query", {**tap, "message": asked})]


def _edits(db: sqlite3.Connection, who: sqlite3.Row, deed: Deed) -> list[int]:
    said = memory.message_of(db, who["chat_id"], deed.message_id)
    if said is None or said["from"]["is_bot"] or not deed.text.strip():
        raise CannotBeDone("edit")
    said["caption" if "caption" in said else "text"] = deed.text[:4096]
    said["edit_date"] = memory.now_ms() // 1000
    memory.keep(db, said)
    return [memory.update(db, who["bot_id"], "edited_message", said)]


def _blocks(db: sqlite3.Connection, who: sqlite3.Row, _deed: Deed) -> list[int]:
    return _membership(db, who, "kicked")


def _unblocks(db: sqlite3.Connection, who: sqlite3.Row, _deed: Deed) -> list[int]:
    return _membership(db, who, "member")


def _membership(db: sqlite3.Connection, who: sqlite3.Row, status: str) -> list[int]:
    db.execute("UPDATE tg_people SET blocks = ? WHERE chat_id = ?", (status == "kicked", who["chat_id"]))
    user, bot = memory.as_user(db, who["chat_id"]), memory.as_bot(who["bot_id"])
    was = "member" if status == "kicked" else "kicked"
    ends = {"kicked": {"until_date": 0}, "member": {}}
    change = {
        "chat": {"id": who["chat_id"], "type": "private", "first_name": who["name"]},
        "from": user,
        "date": memory.now_ms() // 1000,
        "old_chat_member": {"user": bot, "status": was, **ends[was]},
        "new_chat_member": {"user": bot, "status": status, **ends[status]},
    }
    return [memory.update(db, who["bot_id"], "my_chat_member", change)]


def _tell(db: sqlite3.Connection, who: sqlite3.Row, **content: Any) -> list[int]:
    message = memory.say(db, who["bot_id"], who["chat_id"], from_bot=False, **content)
    return [memory.update(db, who["bot_id"], "message", message)]
