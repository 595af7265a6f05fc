"""What pretend citizens can do on Telegram, and the updates it makes."""

from __future__ import annotations

import secrets
import sqlite3
from typing import Any

from bot.web.sandbox.bots import memory
from bot.web.sandbox.bots.platform import Deed, Platform, Shape
from bot.web.sandbox.impossible import ImpossibleAct

FIRST_CHAT = 5_000_000_000


def file_of(row: sqlite3.Row) -> dict[str, Any]:
    """A file as messages name it."""
    return {"file_id": row["file_id"], "file_unique_id": row["file_id"][:12], "file_size": len(row["data"])}


def _says(db: sqlite3.Connection, who: sqlite3.Row, deed: Deed) -> list[int]:
    if not deed.text.strip():
        raise ImpossibleAct("bad_empty")
    more = {}
    asked = memory.message_of(db, who["chat_id"], deed.message_id) if deed.message_id else None
    if asked:
        more["reply_to_message"] = asked
    return _tell(db, who, "text", text=deed.text[:4096], **more)


def _shows(db: sqlite3.Connection, who: sqlite3.Row, deed: Deed) -> list[int]:
    if not deed.files:
        raise ImpossibleAct("bad_empty")
    album = {"media_group_id": str(secrets.randbelow(10**16))} if len(deed.files) > 1 else {}
    made = []
    for number, (name, data) in enumerate(deed.files[:10]):
        file = file_of(memory.keep_file(db, who["bot_id"], name, data))
        caption = {"caption": deed.text[:1024]} if deed.text and number == 0 else {}
        made += _tell(db, who, "photo", photo=[{**file, "width": 1280, "height": 960}], **caption, **album)
    return made


def _speaks(db: sqlite3.Connection, who: sqlite3.Row, deed: Deed) -> list[int]:
    if not deed.files:
        raise ImpossibleAct("bad_empty")
    file = file_of(memory.keep_file(db, who["bot_id"], *deed.files[0]))
    return _tell(db, who, "voice", voice={**file, "duration": 5, "mime_type": "audio/ogg"})


def _points(db: sqlite3.Connection, who: sqlite3.Row, deed: Deed) -> list[int]:
    return _tell(db, who, "location", location={"latitude": deed.latitude, "longitude": deed.longitude})


def _gives_number(db: sqlite3.Connection, who: sqlite3.Row, _deed: Deed) -> list[int]:
    card = {"phone_number": who["phone"], "first_name": who["name"], "user_id": who["chat_id"]}
    return _tell(db, who, "contact", contact=card)


def _asks(db: sqlite3.Connection, who: sqlite3.Row, deed: Deed) -> list[int]:
    """A poll: one of the many things a bot is told of and can do nothing with."""
    choices = [{"text": text, "voter_count": 0} for text in ("Có", "Không")]
    poll = {"id": str(secrets.randbelow(10**18)), "question": deed.text or "?", "options": choices, "type": "regular"}
    flags = {"total_voter_count": 0, "is_closed": False, "is_anonymous": True, "allows_multiple_answers": False}
    return _tell(db, who, "poll", poll=poll | flags)


def _taps(db: sqlite3.Connection, who: sqlite3.Row, deed: Deed) -> list[int]:
    asked = memory.message_of(db, who["chat_id"], deed.message_id)
    rows = (asked or {}).get("reply_markup", {}).get("inline_keyboard", [])
    data = next((b["callback_data"] for row in rows for b in row if b["text"] == deed.text), None)
    if asked is None or data is None:
        raise ImpossibleAct("bad_button")
    tap_id = str(secrets.randbelow(10**18))
    db.execute("INSERT INTO bot_taps (tap_id) VALUES (?)", (tap_id,))
    pressed = (deed.text, deed.message_id)
    db.execute("UPDATE bot_messages SET pressed = ? WHERE msg_id = ?", pressed)
    tap = {"id": tap_id, "from": as_user(who), "chat_instance": "1", "data": data}
    return [memory.update(db, who["bot_id"], "callback_query", {**tap, "message": asked})]


def _edits(db: sqlite3.Connection, who: sqlite3.Row, deed: Deed) -> list[int]:
    said = memory.message_of(db, who["chat_id"], deed.message_id)
    if said is None or said["from"]["is_bot"] or not deed.text.strip():
        raise ImpossibleAct("bad_edit")
    said["caption" if "caption" in said else "text"] = deed.text[:4096]
    said["edit_date"] = memory.now_ms() // 1000
    memory.keep(db, said)
    return [memory.update(db, who["bot_id"], "edited_message", said)]


def _blocks(db: sqlite3.Connection, who: sqlite3.Row, _deed: Deed) -> list[int]:
    return _membership(db, who, "kicked")


def _unblocks(db: sqlite3.Connection, who: sqlite3.Row, _deed: Deed) -> list[int]:
    return _membership(db, who, "member")


def _membership(db: sqlite3.Connection, who: sqlite3.Row, status: str) -> list[int]:
    db.execute("UPDATE bot_people SET blocks = ? WHERE chat_id = ?", (status == "kicked", who["chat_id"]))
    user, bot = as_user(who), as_bot(who["bot_id"])
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


def _tell(db: sqlite3.Connection, who: sqlite3.Row, kind: str, **content: Any) -> list[int]:
    if who["blocks"]:
        _unblocks(db, who, Deed("unblock"))  # Telegram asks first, and then writing goes on
    message = memory.say(db, TELEGRAM, who, kind, from_bot=False, **content)
    return [memory.update(db, who["bot_id"], "message", message)]


def as_user(who: sqlite3.Row) -> dict[str, Any]:
    """A citizen as updates name them."""
    return {"id": who["chat_id"], "is_bot": False, "first_name": who["name"], "language_code": "vi"}


def as_bot(bot_id: str) -> dict[str, Any]:
    """The bot as messages name it."""
    return {"id": int(bot_id), "is_bot": True, "first_name": "Bot", "username": f"bot_{bot_id}"}


def _message(who: sqlite3.Row, from_bot: bool, number: int, at_ms: int) -> dict[str, Any]:
    chat = {"id": who["chat_id"], "type": "private", "first_name": who["name"]}
    sender = as_bot(who["bot_id"]) if from_bot else as_user(who)
    return {"message_id": number, "from": sender, "chat": chat, "date": at_ms // 1000}


TELEGRAM = Platform(
    name="telegram",
    title="Telegram",
    secret_header="X-Telegram-Bot-Api-Secret-Token",  # noqa: S106 - the header's name
    shape=Shape(
        chat_id=lambda number: FIRST_CHAT + number,
        message=_message,
        update=lambda number, kind, content: {"update_id": number, kind: content},
        brought=lambda update: update,
    ),
    acts={
        "text": _says, "photo": _shows, "voice": _speaks, "location": _points, "contact": _gives_number,
        "tap": _taps, "edit": _edits, "poll": _asks, "block": _blocks, "unblock": _unblocks,
    },
    on_phone=frozenset({"text", "photo", "location", "contact", "tap", "edit", "poll", "block", "unblock"}),
    done={
        "contact": "Đã chia sẻ số điện thoại của mình.",
        "edit": "Đã sửa tin. Tải lại trang để thấy tin đã sửa.",
        "block": "Đã chặn bot. Kênh không gửi được tin cho tới khi bỏ chặn.",
        "unblock": "Đã bỏ chặn.",
    },
)  # fmt: skip
