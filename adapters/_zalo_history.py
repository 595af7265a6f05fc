"""Zalo's conversation API: what was said while nobody could bring it to us, as the events it would have been."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit

from adapters import _zalo_events as events
from adapters._zalo_api import looked_up, text_of
from adapters._zalo_config import ZaloConfig
from adapters.base import Chat, Heard, Listed
from adapters.errors import UnreadablePayload
from adapters.http import Http
from adapters.messages import Envelope
from adapters.secret import Secret
from adapters.text import printable

PAGE = 10  # more is refused with -210
FROM_CITIZEN = 1

_KINDS = {
    "text": "text",
    "photo": "image",
    "image": "image",
    "voice": "audio",
    "gif": "gif",
    "sticker": "sticker",
    "video": "video",
    "file": "file",
    "location": "location",
    "link": "link",
    "links": "link",
}
_NUMBER = re.compile(r"-?\d{1,3}\.\d{1,12}", re.ASCII)


def recent_chats(http: Http, config: ZaloConfig, token: Secret, offset: int) -> Listed[Chat]:
    """Who was in touch lately, the latest first. Raises SendError."""
    entries = _entries(looked_up(http, config, token, "/v2.0/oa/listrecentchat", {"offset": offset, "count": PAGE}))
    chats = []
    for entry in entries:
        user, at = _citizen(entry), events.instant(text_of(entry.get("time"), 14))
        if user and at:
            chats.append(Chat(f"zalo:{user}", at))
    return Listed(tuple(chats), offset + len(entries) if entries else None)


def said_in(http: Http, config: ZaloConfig, token: Secret, urn: str, offset: int) -> Listed[Heard]:
    """What was said with a citizen, the latest first. Raises SendError."""
    asked = {"user_id": urn.removeprefix("zalo:"), "offset": offset, "count": PAGE}
    entries = _entries(looked_up(http, config, token, "/v2.0/oa/conversation", asked))
    found = [heard for entry in entries if (heard := _heard(entry, config))]
    return Listed(tuple(found), offset + len(entries) if entries else None)


def _entries(data: object) -> list[Mapping[str, Any]]:
    # Documented as a bare list.
    return [entry for entry in data[:PAGE] if isinstance(entry, dict)] if isinstance(data, list) else []


def _is_of_citizen(entry: Mapping[str, Any]) -> bool:
    return text_of(entry.get("src"), 2) == str(FROM_CITIZEN)


def _citizen(entry: Mapping[str, Any]) -> str:
    return text_of(entry.get("from_id" if _is_of_citizen(entry) else "to_id"), 80)


def _heard(entry: Mapping[str, Any], config: ZaloConfig) -> Heard | None:
    message_id, user = text_of(entry.get("message_id"), 128), _citizen(entry)
    at = events.instant(text_of(entry.get("time"), 14))
    if not (message_id and user and at):
        return None
    return Heard(message_id, at, _is_of_citizen(entry), _event(entry, config, message_id, user, at))


def _event(entry: Mapping[str, Any], config: ZaloConfig, message_id: str, user: str, at: datetime) -> Envelope | None:
    """The webhook that told this, or would have; None when neither words nor a known kind of thing are shown."""
    is_citizens = _is_of_citizen(entry)
    kind = _KINDS.get(printable(entry.get("type"), 20))
    message: dict[str, Any] = {"msg_id": message_id}
    if text := printable(entry.get("message"), events.MAX_TEXT):
        message["text"] = text
    if quoted := text_of(entry.get("quote_id"), 128):
        message["quote_msg_id"] = quoted
    if kind is None:
        if not text:
            return None
        kind = "text"
    attachments = _attachments(kind, entry)
    if attachments:
        message["attachments"] = attachments
    name = f"user_send_{_said_as(kind, attachments)}" if is_citizens else f"oa_send_{_sent_as(kind, attachments)}"
    sender, recipient = (user, config.oa_id) if is_citizens else (config.oa_id, user)
    data = {
        "app_id": config.app_id,
        "event_name": name,
        "timestamp": text_of(entry.get("time"), 14),
        "sender": {"id": sender},
        "recipient": {"id": recipient},
        "message": message,
        "source": "conversation",
    }
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    key = events.key_of(name, data, message, body)
    return Envelope(config.oa_id, name, key, f"zalo:{user}", at, body=body)


def _said_as(kind: str, attachments: list[dict[str, Any]]) -> str:
    if kind != "link" or not attachments:
        return kind
    try:  # a business card is a link whose description is an object with a phone number
        card = events.decoded(str(attachments[0]["payload"].get("description", "")).encode())
    except UnreadablePayload:
        return kind
    return "business_card" if card.get("phone") else kind


def _sent_as(kind: str, attachments: list[dict[str, Any]]) -> str:
    return "list" if kind == "link" and len(attachments) > 1 else kind


def _attachments(kind: str, entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    if kind == "text":
        return []
    if kind == "location":
        return [{"type": kind, "payload": {"coordinates": _pin(entry.get("location"))}}]
    if kind == "link":
        links = entry.get("links")
        given: list[Mapping[str, Any]] = [x for x in links if isinstance(x, dict)] if isinstance(links, list) else []
        return [{"type": kind, "payload": _payload(link)} for link in given or [entry]]
    payload = _payload(entry)
    if kind == "file":
        name = printable(entry.get("description"), 255) or PurePath(urlsplit(payload["url"]).path).name
        payload |= {"name": name, "type": PurePath(name).suffix.lstrip(".").lower()}
    return [{"type": kind, "payload": payload}]


def _payload(said: Mapping[str, Any]) -> dict[str, Any]:
    values = {
        "url": events.web_url(said.get("url")) or events.web_url(said.get("href")) or "",
        "thumbnail": events.web_url(said.get("thumb")) or events.web_url(said.get("thumbnail")) or "",
        "title": printable(said.get("title"), 300),
        "description": printable(said.get("description"), 2_000),
    }
    return {name: value for name, value in values.items() if value or name == "url"}


def _pin(location: object) -> dict[str, str]:
    """Where a pin stands: an object as text, in practice, or the two numbers alone, latitude first."""
    text = printable(location, 300) if isinstance(location, str) else json.dumps(location)
    try:
        given = events.decoded(text.encode())
    except UnreadablePayload:
        numbers = _NUMBER.findall(text)
        given = dict(zip(("latitude", "longitude"), numbers, strict=False))
    return {name: str(given.get(name, "")) for name in ("latitude", "longitude")}
