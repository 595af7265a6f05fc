"""What an OA asks to send: reads the `message` of a request as strictly as the platform does."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from typing import Any

from bot.web.sandbox import media, people
from bot.web.sandbox.answers import ApiError

TEXT_LIMIT = 2_000
BUTTON_LIMIT = 5
LIST_LIMIT = 5
BUTTON_TYPES = {"oa.open.url", "oa.query.show", "oa.query.hide", "oa.open.phone", "oa.open.sms"}


@dataclass(frozen=True)
class Content:
    """A message that may be sent: its kind, its words and its attachments in the shape of an echo."""

    kind: str
    text: str = ""
    attachments: list[dict[str, Any]] = field(default_factory=list)
    buttons: list[dict[str, Any]] = field(default_factory=list)
    quote_msg_id: str = ""


def read(db: sqlite3.Connection, oa_id: str, user_id: str, message: object) -> Content:
    """The content of a request, or the ApiError the platform would answer."""
    if not isinstance(message, dict):
        raise ApiError(-201, "Parameter message is invalid")
    text = _text(message)
    quote = _quote(db, user_id, message)
    attachment = message.get("attachment")
    if attachment is None:
        if not text.strip():
            raise ApiError(-201, "Parameter text is invalid")
        return Content("text", text, quote_msg_id=quote)
    payload = attachment.get("payload") if isinstance(attachment, dict) else None
    if not isinstance(attachment, dict) or not isinstance(payload, dict):
        raise ApiError(-201, "Parameter attachment is invalid")
    if attachment.get("type") == "file":
        upload = _upload(db, oa_id, payload.get("token"), {"file"}, "token")
        return Content("file", text, [people.file_of(upload)], quote_msg_id=quote)
    # {"type": "image"} looks right and is refused by the real platform too.
    if attachment.get("type") != "template":
        raise ApiError(-201, "Parameter attachment.type is invalid")
    return _template(db, oa_id, text, payload, quote)


def _text(message: dict[str, Any]) -> str:
    text = message.get("text", "")
    if not isinstance(text, str):
        raise ApiError(-201, "Parameter text is invalid")
    # The platform does not publish its unit; UTF-16 is the stricter reading, so senders who pass here pass there.
    if len(text.encode("utf-16-le", "surrogatepass")) // 2 > TEXT_LIMIT:
        raise ApiError(-210, "Parameter text exceeds the allowed limit")
    return text


def _quote(db: sqlite3.Connection, user_id: str, message: dict[str, Any]) -> str:
    quote = message.get("quote_message_id") or ""
    if not quote:
        return ""
    known = db.execute("SELECT 1 FROM messages WHERE msg_id = ? AND user_id = ?", (str(quote), user_id)).fetchone()
    if known is None:
        raise ApiError(-201, "Parameter quote_message_id is invalid")
    return str(quote)


def _template(db: sqlite3.Connection, oa_id: str, text: str, payload: dict[str, Any], quote: str) -> Content:
    template = payload.get("template_type")
    buttons = _buttons(payload.get("buttons", []))
    if template is None and buttons and text:
        return Content("text", text, buttons=buttons, quote_msg_id=quote)
    elements = payload.get("elements")
    if not isinstance(elements, list) or not elements or not all(isinstance(e, dict) for e in elements):
        raise ApiError(-201, "Parameter elements is invalid")
    if template == "media":
        if len(elements) != 1:
            raise ApiError(-201, "Parameter elements is invalid")
        return _media(db, oa_id, text, elements[0], quote)
    if template == "list":
        return _list(text, elements, buttons)
    if template == "request_user_info":
        return _request_user_info(elements)
    raise ApiError(-233, "This message type is not supported")


def _media(db: sqlite3.Connection, oa_id: str, text: str, element: dict[str, Any], quote: str) -> Content:
    kind = element.get("media_type")
    if kind == "sticker":
        sticker = str(element.get("attachment_id", ""))
        if not sticker.isascii() or not sticker.isalnum():
            raise ApiError(-201, "Parameter attachment_id is invalid")
        return Content("sticker", text, [people.sticker_of(sticker)], quote_msg_id=quote)
    if kind not in {"image", "gif"}:
        raise ApiError(-201, "Parameter media_type is invalid")
    url = element.get("url")
    if isinstance(url, str) and url.startswith(("http://", "https://")):
        return Content(kind, text, [{"type": kind, "payload": {"thumbnail": url, "url": url}}], quote_msg_id=quote)
    upload = _upload(db, oa_id, element.get("attachment_id"), {kind}, "attachment_id")
    return Content(kind, text, [people.picture_of(upload)], quote_msg_id=quote)


def _upload(db: sqlite3.Connection, oa_id: str, handle: object, kinds: set[str], parameter: str) -> media.Media:
    upload = media.by_handle(db, oa_id, handle) if isinstance(handle, str) and handle else None
    if upload is None or upload.kind not in kinds:
        raise ApiError(-201, f"Parameter {parameter} is invalid")
    if upload.has_expired:
        raise ApiError(-100, f"{parameter} has expired")
    return upload


def _list(text: str, elements: list[dict[str, Any]], buttons: list[dict[str, Any]]) -> Content:
    if len(elements) > LIST_LIMIT:
        raise ApiError(-210, "Parameter elements exceeds the allowed limit")
    links = []
    for element in elements:
        if not element.get("title"):
            raise ApiError(-201, "Parameter title is invalid")
        payload = {
            "title": str(element["title"]),
            "description": str(element.get("subtitle", "")),
            "thumbnail": str(element.get("image_url", "")),
            "url": str((element.get("default_action") or {}).get("url", "")),
        }
        links.append({"type": "link", "payload": payload})
    return Content("list", text, links, buttons)


def _request_user_info(elements: list[dict[str, Any]]) -> Content:
    title, subtitle = str(elements[0].get("title", "")), str(elements[0].get("subtitle", ""))
    if len(elements) != 1 or not title:
        raise ApiError(-201, "Parameter elements is invalid")
    if len(title) > 100 or len(subtitle) > 500:
        raise ApiError(-210, "Parameter title or subtitle exceeds the allowed limit")
    payload = {"text": title, "description": subtitle, "link_url": ""}
    return Content("request_user_info", "", [{"type": "template", "payload": payload}])


def _buttons(buttons: object) -> list[dict[str, Any]]:
    if not isinstance(buttons, list) or not all(isinstance(button, dict) for button in buttons):
        raise ApiError(-201, "Parameter buttons is invalid")
    if len(buttons) > BUTTON_LIMIT:
        raise ApiError(-210, "Parameter buttons exceeds the allowed limit")
    for button in buttons:
        title = button.get("title")
        if not isinstance(title, str) or not title or len(title) > 100 or button.get("type") not in BUTTON_TYPES:
            raise ApiError(-201, "Parameter buttons is invalid")
    return buttons
