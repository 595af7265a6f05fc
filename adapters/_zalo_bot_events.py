"""What a Zalo bot is told, in our words: a private chat is a citizen, everything else is left alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from adapters.bodies import as_object, from_milliseconds
from adapters.errors import UnreadablePayload
from adapters.messages import (
    WHEN_IT_REACHED_US,
    Attachment,
    AttachmentKind,
    Event,
    Ignored,
    InboundMessage,
    Interaction,
)
from adapters.text import printable

MAX_TEXT = 10_000

_TEXT, _IMAGE, _STICKER, _VOICE, _UNSUPPORTED = EVENT_KINDS = (
    "message.text.received",
    "message.image.received",
    "message.sticker.received",
    "message.voice.received",
    "message.unsupported.received",
)
# Which kind a message is when nobody says: the documents' own example of an answer to getUpdates bears no name.
_TELLING = (
    ("photo_url", _IMAGE),
    ("photo", _IMAGE),
    ("voice_url", _VOICE),
    ("sticker", _STICKER),
    ("text", _TEXT),
)
_NAME = re.compile(r"[\w.-]{1,60}", re.ASCII)
_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)
_LONGEST_ADDRESS = 2_000


def decoded(body: bytes) -> dict[str, Any]:
    """The event in a body, taken out of the envelope it may come in; UnreadablePayload otherwise."""
    data = as_object(body)
    inner = data.get("result")
    return inner if isinstance(inner, dict) and "event_name" not in data else data


def ident(value: object) -> str:
    """An id as text, however long its number is; "" for anything else."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if _ID.fullmatch(text) else ""


def part(of: dict[str, Any], name: str) -> dict[str, Any]:
    """An object inside another, empty when it is none."""
    found = of.get(name)
    return found if isinstance(found, dict) else {}


def kind_of(event: dict[str, Any]) -> str:
    """The event's name, or that of what its message holds; "" for none, "?" for something that is no name."""
    name = event.get("event_name")
    if name:
        return name if isinstance(name, str) and _NAME.fullmatch(name) else "?"
    message = part(event, "message")
    return next((kind for field, kind in _TELLING if message.get(field)), "")


def is_private(message: dict[str, Any]) -> bool:
    """Whether a citizen speaks to the bot alone; where nothing says so, the chat must bear the citizen's own id."""
    chat = part(message, "chat")
    kind = chat.get("chat_type")
    if kind is None:
        return bool(ident(chat.get("id"))) and ident(chat.get("id")) == ident(part(message, "from").get("id"))
    return isinstance(kind, str) and kind.upper() == "PRIVATE"


def is_bots(message: dict[str, Any], account: str = "") -> bool:
    """Whether a bot said it: what we send is reported to come back as if it had been said to us."""
    sender = part(message, "from")
    return sender.get("is_bot") is True or bool(account and ident(sender.get("id")) == account)


def parse(body: bytes) -> tuple[Event, ...]:
    """What a stored event says; never raises."""
    try:
        event = decoded(body)
    except UnreadablePayload as error:
        return (Ignored("unreadable", error.code),)
    kind, message = kind_of(event), part(event, "message")
    moment = from_milliseconds(message.get("date"))
    if kind not in EVENT_KINDS:
        return (Ignored("unknown", kind, moment),)
    chat, message_id = ident(part(message, "chat").get("id")), ident(message.get("message_id"))
    if not chat:
        return (Ignored("unreadable", kind, moment),)
    if not is_private(message) or is_bots(message):
        return (Ignored("unsupported", kind, moment),)
    urn, at = f"zalo_bot:{chat}", moment or WHEN_IT_REACHED_US
    text = printable(message.get("text"), MAX_TEXT) or printable(message.get("caption"), MAX_TEXT)
    attachments = tuple(_attachments(kind, message))
    if kind == _UNSUPPORTED and message_id and not (text or attachments):
        # Zalo keeps to itself what it does not support and what people whom the law protects have written.
        attachments = (Attachment(AttachmentKind.WITHHELD),)
    if text or attachments:
        if not message_id:
            return (Ignored("unreadable", kind, moment),)
        return (InboundMessage(f"{chat}:{message_id}", urn, at, text, attachments),)
    if kind == _UNSUPPORTED:
        return (Interaction(urn, "withheld", at),)
    return (Ignored("unsupported", kind, moment),)


def _attachments(kind: str, message: dict[str, Any]) -> Iterator[Attachment]:
    # The document names the picture `photo`, payloads that were seen name it `photo_url`.
    picture = _address(message.get("photo_url")) or _address(message.get("photo"))
    if picture or kind == _IMAGE:
        yield Attachment(AttachmentKind.IMAGE, url=picture)
    voice = _address(message.get("voice_url"))
    if voice or kind == _VOICE:
        yield Attachment(AttachmentKind.AUDIO, url=voice, mime_hint="audio/aac")
    if kind == _STICKER:
        yield Attachment(AttachmentKind.STICKER, url=_address(message.get("url")))


def _address(value: object) -> str | None:
    text = value.strip() if isinstance(value, str) else ""
    is_fine = text.startswith(("https://", "http://")) and text.isprintable() and len(text) <= _LONGEST_ADDRESS
    return text if is_fine else None
