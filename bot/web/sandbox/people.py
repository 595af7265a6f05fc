"""The pretend citizens: who they are, and everything they can do to an Official Account."""

from __future__ import annotations

import hashlib
import random
import secrets
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from bot.web.sandbox import media, webhooks, wire
from bot.web.sandbox.settings import SandboxAccount
from bot.web.sandbox.store import now_ms
from bot.web.sandbox.webhooks import Event

REHEARSAL = "(tập dượt)"
FIRST_NAMES = (
    "Cô Hoa", "Bác Tư", "Chị Lan", "Anh Dũng", "Ông Sáu", "Bà Năm", "Chú Ba", "Dì Út", "Cô Mai", "Bác Hai",
    "Chị Đào", "Anh Phúc", "Ông Bảy", "Bà Tám", "Chú Lộc", "Dì Cúc", "Cô Thơm", "Bác Mười", "Chị Nhàn", "Anh Khôi",
)  # fmt: skip

EVENT_NAMES = {
    "text": "send_text",
    "image": "send_image",
    "gif": "send_gif",
    "link": "send_link",
    "business_card": "send_business_card",
    "voice": "send_audio",
    "video": "send_video",
    "sticker": "send_sticker",
    "location": "send_location",
    "file": "send_file",
}
ANONYMOUS_KINDS = {"text", "image", "file", "sticker"}
RELATIONS = {
    "follow": "follow",
    "unfollow": "unfollow",
    "chatnow": "user_click_chatnow",
    "withdraw": "user_withdraw",
}


@dataclass(frozen=True)
class Citizen:
    """A pretend person as one OA knows them; the same neighbour has another id at another OA."""

    user_id: str
    oa_id: str
    user_id_by_app: str
    name: str
    conversation_id: str
    follows: int
    chatted: int
    blocked_code: int
    last_interaction_ms: int
    last_message_id: int
    created_ms: int
    phone: str = ""

    @property
    def is_anonymous(self) -> bool:
        """Whether this visitor is not signed in to Zalo."""
        return bool(self.conversation_id)


@dataclass(frozen=True)
class Utterance:
    """Something a citizen says."""

    kind: str
    text: str = ""
    attachments: list[dict[str, Any]] = field(default_factory=list)
    quote_msg_id: str = ""


@dataclass(frozen=True)
class Deed:
    """What an act of a citizen left behind: the webhook's id (0 when switched off) and the message's msg_id."""

    event_id: int
    msg_id: str = ""


def create(
    db: sqlite3.Connection,
    account: SandboxAccount,
    names: Iterable[str],
    *,
    follow: bool = True,
    announce: bool = True,
    anonymous: bool = False,
) -> list[str]:
    """New citizens, who follow the account (and are announced by a webhook) unless told otherwise; their user_ids."""
    now = now_ms()
    follows = follow and not anonymous
    people = []
    for name in names:
        user_id = ("anon" if anonymous else "") + str(secrets.randbelow(9 * 10**18) + 10**18)
        by_app = "" if anonymous else str(secrets.randbelow(9 * 10**18) + 10**18)
        conversation = f"conv{secrets.token_hex(8)}" if anonymous else ""
        people.append((user_id, account.oa_id, by_app, name, conversation, follows, now if follows else 0, now))
    db.executemany(
        "INSERT INTO citizens (user_id, oa_id, user_id_by_app, name, conversation_id, follows, last_interaction_ms,"
        " created_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        people,
    )
    if follows and announce:
        webhooks.queue(db, account, (_relation(account, "follow", p[0], p[2], now) for p in people))
    return [person[0] for person in people]


def invented_names(count: int, already: int) -> list[str]:
    """Names nobody could take for a real neighbour's; numbered when the list has been used up."""
    rounds = ((n % len(FIRST_NAMES), n // len(FIRST_NAMES)) for n in range(already, already + count))
    return [f"{FIRST_NAMES[i]} {f'{turn + 1} ' if turn else ''}{REHEARSAL}" for i, turn in rounds]


def find(db: sqlite3.Connection, user_id: str) -> Citizen | None:
    """The citizen with this user_id or anonymous id."""
    row = db.execute("SELECT * FROM citizens WHERE user_id = ?", (user_id,)).fetchone()
    return Citizen(**dict(row)) if row else None


def say(db: sqlite3.Connection, account: SandboxAccount, citizen: Citizen, utterance: Utterance) -> Deed:
    """Keep what the citizen says in the chat and tell the gateway of it."""
    message: dict[str, Any] = {}
    if utterance.text or not utterance.attachments:
        message["text"] = utterance.text
    if utterance.quote_msg_id:
        message["quote_msg_id"] = utterance.quote_msg_id
    if utterance.attachments:
        message["attachments"] = utterance.attachments
    at_ms = now_ms()
    content = {"attachments": utterance.attachments, "quote": utterance.quote_msg_id}
    msg_id = keep_message(db, citizen, utterance.kind, utterance.text, content, at_ms, from_oa=False)
    db.execute(
        "UPDATE citizens SET last_interaction_ms = ?, chatted = 1 WHERE user_id = ?",
        (at_ms, citizen.user_id),
    )
    message["msg_id"] = msg_id
    event = _chat_event(account, citizen, EVENT_NAMES[utterance.kind], message, at_ms)
    return Deed(webhooks.queue(db, account, [event]), msg_id)


def keep_message(
    db: sqlite3.Connection,
    citizen: Citizen,
    kind: str,
    text: str,
    content: dict[str, Any],
    at_ms: int,
    *,
    from_oa: bool,
    answered: bool = True,
) -> str:
    """One row of the conversation; for messages of the OA it is also the row of the ledger."""
    msg_id = secrets.token_hex(10)
    body = wire.compact({"kind": kind, "text": text, **content})
    text_sha, content_sha = (hashlib.sha256(words.encode("utf-8", "replace")).hexdigest() for words in (text, body))
    values = (citizen.oa_id, citizen.user_id, from_oa, msg_id, kind, text, wire.compact(content), text_sha, content_sha)
    cursor = db.execute(
        "INSERT INTO messages (oa_id, user_id, from_oa, msg_id, kind, text, content, text_sha256, content_sha256,"
        " at_ms, at_monotonic_ns, answered) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*values, at_ms, time.monotonic_ns(), answered),
    )
    db.execute("UPDATE citizens SET last_message_id = ? WHERE user_id = ?", (cursor.lastrowid, citizen.user_id))
    return msg_id


def relate(db: sqlite3.Connection, account: SandboxAccount, citizen: Citizen, action: str) -> Deed:
    """Follow, unfollow, press the chat button or withdraw; the first and third open the window, the others close it."""
    now = now_ms()
    opens = action in {"follow", "chatnow"}
    follows = {"follow": 1, "unfollow": 0, "withdraw": 0}.get(action, citizen.follows)
    db.execute(
        "UPDATE citizens SET follows = ?, last_interaction_ms = ? WHERE user_id = ?",
        (follows, now if opens else 0, citizen.user_id),
    )
    event = _relation(account, RELATIONS[action], citizen.user_id, citizen.user_id_by_app, now)
    return Deed(webhooks.queue(db, account, [event]))


def submit_info(db: sqlite3.Connection, account: SandboxAccount, citizen: Citizen, info: dict[str, Any]) -> Deed:
    """Fill in the form a request_user_info message showed."""
    now = now_ms()
    db.execute(
        "UPDATE citizens SET last_interaction_ms = ?, phone = ? WHERE user_id = ?",
        (now, str(info.get("phone", "")) or citizen.phone, citizen.user_id),
    )
    body = wire.form_event(account.app_id, account.oa_id, citizen.user_id, citizen.user_id_by_app, info, now)
    return Deed(webhooks.queue(db, account, [Event("user_submit_info", citizen.user_id, body, now)]))


def react(db: sqlite3.Connection, account: SandboxAccount, citizen: Citizen, msg_id: str, icon: str) -> Deed:
    """Answer a message with an icon."""
    now = now_ms()
    event = _chat_event(account, citizen, "reacted_message", {"msg_id": msg_id, "react_icon": icon}, now)
    return Deed(webhooks.queue(db, account, [event]), msg_id)


def see(db: sqlite3.Connection, account: SandboxAccount, citizen: Citizen) -> int:
    """Mark everything the OA said as seen, and let the OA know if something was new; how many were new."""
    rows = db.execute(
        "SELECT msg_id FROM messages WHERE user_id = ? AND from_oa = 1 AND seen_ms = 0 ORDER BY id", (citizen.user_id,)
    ).fetchall()
    if not rows:
        return 0
    now = now_ms()
    db.execute(
        "UPDATE messages SET seen_ms = ? WHERE user_id = ? AND from_oa = 1 AND seen_ms = 0", (now, citizen.user_id)
    )
    if not citizen.is_anonymous:
        message = {"msg_ids": [row["msg_id"] for row in rows]}
        webhooks.queue(db, account, [oa_event(account, citizen, "user_seen_message", message, now)])
    return len(rows)


def oa_event(account: SandboxAccount, citizen: Citizen, name: str, message: dict[str, Any], at_ms: int) -> Event:
    """An event in which the OA is the sender: echoes and receipts."""
    body = wire.chat_event(name, account.app_id, account.oa_id, citizen.user_id, citizen.user_id_by_app, message, at_ms)
    return Event(name, citizen.user_id, body, at_ms)


def _chat_event(account: SandboxAccount, citizen: Citizen, name: str, message: dict[str, Any], at_ms: int) -> Event:
    if citizen.is_anonymous:
        message = {**message, "conversation_id": citizen.conversation_id}
    full_name = f"{'anonymous' if citizen.is_anonymous else 'user'}_{name}"
    body = wire.chat_event(
        full_name, account.app_id, citizen.user_id, account.oa_id, citizen.user_id_by_app, message, at_ms
    )
    return Event(full_name, citizen.user_id, body, at_ms)


def _relation(account: SandboxAccount, event_name: str, user_id: str, by_app: str, now: int) -> Event:
    body = wire.relation_event(event_name, account.app_id, account.oa_id, user_id, by_app, now)
    return Event(event_name, user_id, body, now)


def picture_of(file: media.Media) -> dict[str, Any]:
    """A photo as an attachment."""
    url = media.address(file.name)
    return {"type": "gif" if file.extension == "gif" else "image", "payload": {"thumbnail": url, "url": url}}


def file_of(file: media.Media) -> dict[str, Any]:
    """A document as an attachment; its size is a string."""
    payload = {"size": str(file.size), "name": file.title, "checksum": file.md5, "type": file.extension}
    return {"type": "file", "payload": {**payload, "url": media.address(file.name)}}


def voice_of(file: media.Media) -> dict[str, Any]:
    """A recording as an attachment."""
    return {"type": "audio", "payload": {"url": media.address(file.name)}}


def sticker_of(sticker_id: str) -> dict[str, Any]:
    """A sticker as an attachment."""
    return {"type": "sticker", "payload": {"id": sticker_id, "url": media.sticker_address(sticker_id)}}


def location_of(latitude: str, longitude: str) -> dict[str, Any]:
    """A pin on the map as an attachment; the numbers are strings."""
    return {"type": "location", "payload": {"coordinates": {"latitude": latitude, "longitude": longitude}}}


def any_sticker() -> str:
    """A sticker for those who do not care which."""
    return random.choice(list(media.STICKERS))
