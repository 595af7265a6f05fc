"""What pretend citizens can do with a Zalo bot, and the events it makes."""

from __future__ import annotations

import hashlib
import sqlite3
from typing import Any

from bot.web.sandbox.bots import memory
from bot.web.sandbox.bots.platform import Deed, Platform, Shape
from bot.web.sandbox.impossible import ImpossibleAct


def _says(db: sqlite3.Connection, who: sqlite3.Row, deed: Deed) -> list[int]:
    if not deed.text.strip():
        raise ImpossibleAct("bad_empty")
    return _tell(db, who, "text", "CHAT_MESSAGE", text=deed.text[:2_000])


def _shows(db: sqlite3.Connection, who: sqlite3.Row, deed: Deed) -> list[int]:
    if not deed.files:
        raise ImpossibleAct("bad_empty")
    made = []
    for number, file in enumerate(deed.files[:10]):  # each picture is an event of its own
        caption = {"caption": deed.text[:2_000]} if deed.text and number == 0 else {}
        made += _tell(db, who, "image", "CHAT_PHOTO", photo_url=_address(db, who, deed, file), **caption)
    return made


def _speaks(db: sqlite3.Connection, who: sqlite3.Row, deed: Deed) -> list[int]:
    if not deed.files:
        raise ImpossibleAct("bad_empty")
    return _tell(db, who, "voice", "CHAT_VOICE", voice_url=_address(db, who, deed, deed.files[0]))


def _sticks(db: sqlite3.Connection, who: sqlite3.Row, deed: Deed) -> list[int]:
    url = f"{deed.base_url}/media/sticker-46981.png"
    return _tell(db, who, "sticker", "CHAT_STICKER", sticker="46981", url=url)


def _sends_something_else(db: sqlite3.Connection, who: sqlite3.Row, _deed: Deed) -> list[int]:
    """A location, a contact, a file, a forwarded message: of all these the platform says only that they came."""
    return _tell(db, who, "unsupported", "CHAT_UNSUPPORTED")


def _address(db: sqlite3.Connection, who: sqlite3.Row, deed: Deed, file: tuple[str, bytes]) -> str:
    kept = memory.keep_file(db, who["bot_id"], *file)
    return f"{deed.base_url}{ZALO_BOT.address}/files/{kept['file_id']}"


def _tell(db: sqlite3.Connection, who: sqlite3.Row, kind: str, message_type: str, **content: Any) -> list[int]:
    message = memory.say(db, ZALO_BOT, who, kind, from_bot=False, **content, message_type=message_type)
    return [memory.update(db, who["bot_id"], f"message.{kind}.received", message)]


def _message(who: sqlite3.Row, from_bot: bool, number: int, at_ms: int) -> dict[str, Any]:
    sender = {"id": who["bot_id"], "display_name": "Bot", "is_bot": True}
    if not from_bot:
        sender = {"id": who["chat_id"], "display_name": who["name"], "is_bot": False}
    chat = {"id": who["chat_id"], "chat_type": "PRIVATE"}
    return {"message_id": _ident(f"message {number}"), "date": at_ms, "chat": chat, "from": sender}


def _ident(of: str) -> str:
    """Ids are text that means nothing and never fits a number."""
    return hashlib.sha256(f"zalo_bot {of}".encode()).hexdigest()[:20]


ZALO_BOT = Platform(
    name="zalo_bot",
    title="Zalo Bot",
    secret_header="X-Bot-Api-Secret-Token",  # noqa: S106 - the header's name
    shape=Shape(
        chat_id=lambda number: _ident(f"chat {number}"),
        message=_message,
        update=lambda _number, kind, content: {"event_name": kind, "message": content},
        brought=lambda update: {"ok": True, "result": update},
    ),
    acts={"text": _says, "photo": _shows, "voice": _speaks, "sticker": _sticks, "unsupported": _sends_something_else},
    on_phone=frozenset({"text", "photo", "sticker", "unsupported"}),
    done={"unsupported": "Đã gửi. Nền tảng chỉ báo cho kênh là có tin, không cho biết tin gì."},
)
