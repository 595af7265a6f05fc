"""Telegram's updates in our words: a private chat is a citizen, everything else is left alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from adapters.bodies import as_object
from adapters.errors import UnreadablePayload
from adapters.messages import (
    WHEN_IT_REACHED_US,
    Attachment,
    AttachmentKind,
    Event,
    Following,
    Ignored,
    InboundMessage,
    ProfileShared,
)
from adapters.text import printable

if TYPE_CHECKING:
    from telegram import CallbackQuery, ChatMemberUpdated, Message, Update

FILE = "telegram-file:"
EVENT_KINDS = ("message", "edited_message", "callback_query", "my_chat_member")
MAX_TEXT = 10_000
LOOKED_UP = "#"  # callback data that does not hold the label itself but its place among the buttons
EARLIEST, LATEST = 1_420_070_400, 4_102_444_800  # 2015 to 2100

# What people say in kinds of messages that hold nothing we could keep or show; their insides are not even looked at.
_LONGEST_FILE_ID = 300
_WITHHELD = ("poll", "dice", "game", "story", "paid_media", "checklist", "live_photo")
_START = re.compile(r"/start(?:@\w+)?(?:\s.*)?", re.DOTALL | re.ASCII)
_FILE_ID = re.compile(r"[A-Za-z0-9_-]{5,300}", re.ASCII)
_GONE = {"kicked", "left"}
_LARGEST_ID = 1 << 53


def number(value: object) -> int | None:
    """An id as Telegram gives them, or None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LARGEST_ID else None


def picture_in(message: dict[str, Any]) -> str:
    """Under which id a message's picture can be sent again, in its largest size; "" for none."""
    sizes = message.get("photo")
    known = sizes[-1].get("file_id") if isinstance(sizes, list) and sizes and isinstance(sizes[-1], dict) else None
    is_id = isinstance(known, str) and known.isascii() and known.isprintable() and len(known) <= _LONGEST_FILE_ID
    return str(known) if is_id else ""


def instant(value: object) -> datetime | None:
    """Epoch seconds as an instant, or None when they make no sense."""
    seconds = number(value)
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None and EARLIEST <= seconds < LATEST else None


def kind_of(data: dict[str, Any]) -> str:
    """The name of what the update carries; "" for none, "?" for something that is no name."""
    names = [name for name in data if name != "update_id"]
    known = [name for name in names if name in EVENT_KINDS]
    first = (known or names or [""])[0]
    return first if first.isascii() and first.replace("_", "").isalnum() and len(first) <= 80 else "?" if first else ""


def chat_of(data: dict[str, Any]) -> dict[str, Any]:
    """The chat an update is about, or an empty one."""
    inner = data.get(kind_of(data))
    if isinstance(inner, dict) and isinstance(inner.get("message"), dict):
        inner = inner["message"]
    chat = inner.get("chat") if isinstance(inner, dict) else None
    return chat if isinstance(chat, dict) else {}


def moment_of(data: dict[str, Any]) -> datetime | None:
    """When it happened, by its own word; a tap names no moment."""
    inner = data.get(kind_of(data))
    return instant(inner.get("edit_date") or inner.get("date")) if isinstance(inner, dict) else None


def _dated(moment: object) -> datetime:
    known = isinstance(moment, datetime) and EARLIEST <= moment.timestamp() < LATEST
    return moment if known and isinstance(moment, datetime) else WHEN_IT_REACHED_US


def _in_order(message: Message) -> datetime:
    """When it was said; Telegram tells seconds, and numbers rise within a chat: they order what was said in one."""
    at = _dated(message.date)
    return at if at == WHEN_IT_REACHED_US else at + timedelta(microseconds=message.message_id % 1_000_000)


def parse(body: bytes) -> tuple[Event, ...]:
    """What a stored update says; never raises."""
    try:
        data = as_object(body)
    except UnreadablePayload as error:
        return (Ignored("unreadable", error.code),)
    kind, at = kind_of(data), moment_of(data)
    if kind not in EVENT_KINDS:
        return (Ignored("unknown", kind, at),)
    if chat_of(data).get("type") != "private":
        return (Ignored("unsupported", kind, at),)
    if isinstance(data.get("callback_query"), dict):
        data["callback_query"].setdefault("chat_instance", "")  # other servers leave out what we do not look at
    is_withheld = _without_what_we_cannot_read(data)
    for understood in (data, _plain_words(data)):
        try:
            from telegram import Update  # a third of a second, which no command needs

            found = _events(Update.de_json(understood, None), is_withheld=is_withheld)
            return found or (Ignored("unsupported", kind, at),)
        except Exception:  # noqa: BLE001, S112 - the library trusts shapes and fails in many ways when they are wrong
            continue
    return (Ignored("unreadable", kind, at),)


def _without_what_we_cannot_read(data: dict[str, Any]) -> bool:
    message = data.get("message")
    found = [message.pop(kind, None) for kind in _WITHHELD] if isinstance(message, dict) else []
    return any(one is not None for one in found)


def _plain_words(data: dict[str, Any]) -> dict[str, Any]:
    """The same with nothing but what was said: whatever else is new or broken there, the words must not be lost."""
    message = data.get("message")
    if not isinstance(message, dict) or not (message.get("text") or message.get("caption")):
        return {}
    kept = {
        name: message[name] for name in ("message_id", "date", "chat", "from", "text", "caption") if name in message
    }
    return {"update_id": data.get("update_id"), "message": kept}


def _events(update: Update, *, is_withheld: bool) -> tuple[Event, ...]:
    if update.message:
        return _message(update.message, is_withheld=is_withheld)
    if update.edited_message:
        return _edited(update.edited_message)
    if update.callback_query:
        return _tap(update.callback_query)
    return _member(update.my_chat_member) if update.my_chat_member else ()


def _message(message: Message, *, is_withheld: bool) -> tuple[Event, ...]:
    urn, external_id, at = _urn(message.chat.id), _external_id(message), _dated(message.date)
    text = printable(message.text or message.caption or "", MAX_TEXT)
    if _START.fullmatch(text):
        return (Following(urn, True, at, is_start=True),)
    if message.contact and message.from_user and message.contact.user_id == message.from_user.id:
        return (ProfileShared(urn, at, _full_name(message), _phone(message.contact.phone_number)),)
    attachments = tuple(_attachments(message))
    if is_withheld and not (text or attachments):
        attachments = (Attachment(AttachmentKind.WITHHELD),)
    if not (text or attachments):
        return (Ignored("unsupported", "message", at),)
    quoted = message.reply_to_message
    quoted_id = _external_id(quoted) if quoted and quoted.chat.id == message.chat.id else None
    return (InboundMessage(external_id, urn, _in_order(message), text, attachments, quoted_id),)


def _edited(message: Message) -> tuple[Event, ...]:
    at = _dated(message.edit_date or message.date)
    if message.location:
        return (Ignored("unsupported", "live_location", at),)  # where they were when they told us stands
    text = printable(message.text or message.caption or "", MAX_TEXT)
    if not text:
        return (Ignored("unsupported", "edited_message", at),)
    original = _external_id(message)
    edit = f"{original}:{int(at.timestamp())}"
    return (InboundMessage(edit, _urn(message.chat.id), at, text, edits=original),)


def _tap(tap: CallbackQuery) -> tuple[Event, ...]:
    asked = tap.message
    label = _label(tap)
    if asked is None or not label:
        return ()
    external_id = f"{number(asked.chat.id)}:tap:{printable(tap.id, 80)}"
    urn, quoted = _urn(asked.chat.id), _external_id(asked)
    return (InboundMessage(external_id, urn, WHEN_IT_REACHED_US, label, quoted_external_id=quoted, is_tap=True),)


def _label(tap: CallbackQuery) -> str:
    """What stood on the button. Whoever forges it has only written these words."""
    data = printable(tap.data or "", 64)
    if not data.startswith(LOOKED_UP):
        return data
    markup = getattr(tap.message, "reply_markup", None)
    buttons = [button for row in markup.inline_keyboard for button in row] if markup else []
    return next((printable(button.text, 200) for button in buttons if button.callback_data == data), "")


def _member(change: ChatMemberUpdated) -> tuple[Event, ...]:
    return (Following(_urn(change.chat.id), change.new_chat_member.status not in _GONE, _dated(change.date)),)


def _attachments(message: Message) -> Iterator[Attachment]:
    kinds = AttachmentKind
    if message.photo:
        largest = max(message.photo, key=lambda size: size.width * size.height)
        yield _file(kinds.IMAGE, largest, mime="image/jpeg")
    if message.voice:
        yield _file(kinds.AUDIO, message.voice)
    if message.audio:
        yield _file(kinds.AUDIO, message.audio)
    if message.video or message.video_note:
        yield _file(kinds.VIDEO, message.video or message.video_note)
    if message.animation:  # repeated as a document, for older programs
        yield _file(kinds.VIDEO, message.animation)
    elif message.document:
        yield _file(_kind_of_document(message.document), message.document)
    if message.sticker:
        yield Attachment(kinds.STICKER, title=printable(message.sticker.emoji or "", 20) or None)
    if message.venue:
        yield _pin(message.venue.location, f"{message.venue.title}, {message.venue.address}")
    elif message.location:
        yield _pin(message.location)
    if message.contact:
        card = message.contact
        name = " ".join(filter(None, (card.first_name, card.last_name)))
        phone = _phone(card.phone_number)
        yield Attachment(kinds.CONTACT, title=printable(name, 300) or None, phone=phone)


def _kind_of_document(document: Any) -> AttachmentKind:
    # People who want a photo to stay sharp send it as a file.
    is_image = str(document.mime_type or "").startswith("image/")
    return AttachmentKind.IMAGE if is_image else AttachmentKind.FILE


def _file(kind: AttachmentKind, file: Any, *, mime: str | None = None) -> Attachment:
    file_id = file.file_id
    if not isinstance(file_id, str) or not _FILE_ID.fullmatch(file_id):
        raise ValueError("no file id")
    size = number(file.file_size)
    return Attachment(
        kind,
        url=FILE + file_id,
        name=printable(getattr(file, "file_name", None), 255) or None,
        mime_hint=mime or printable(getattr(file, "mime_type", None), 100) or None,
        size=size if size is not None and size >= 0 else None,
    )


def _pin(location: Any, title: str = "") -> Attachment:
    latitude, longitude = float(location.latitude), float(location.longitude)
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise ValueError("no place on earth")
    return Attachment(
        AttachmentKind.LOCATION, latitude=latitude, longitude=longitude, title=printable(title, 300) or None
    )


def _urn(chat_id: object) -> str:
    found = number(chat_id)
    if found is None or found <= 0:
        raise ValueError("no private chat")
    return f"telegram:{found}"


def _external_id(message: Any) -> str:
    chat, message_id = number(message.chat.id), number(message.message_id)
    if chat is None or message_id is None:
        raise ValueError("no message id")
    return f"{chat}:{message_id}"


def _full_name(message: Message) -> str | None:
    card = message.contact
    names = (card.first_name, card.last_name) if card else ()
    return printable(" ".join(filter(None, names)), 120).strip() or None


def _phone(value: object) -> str | None:
    """A number as +84…; Telegram leaves the plus out, and people's cards hold anything."""
    digits = re.sub(r"[\s.\-()+]", "", value) if isinstance(value, str) and len(value) <= 40 else ""
    if not (digits.isascii() and digits.isdecimal() and 9 <= len(digits) <= 15):
        return None
    return f"+84{digits[1:]}" if digits.startswith("0") else f"+{digits}"
