"""Zalo's webhook events, read without trusting any type: from a decoded body to our words."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from adapters.errors import UnreadablePayload
from adapters.messages import (
    AccountNotice,
    Attachment,
    AttachmentKind,
    Echo,
    Event,
    Following,
    Ignored,
    InboundMessage,
    Interaction,
    ProfileShared,
    Reaction,
    Receipt,
    ReceiptStatus,
    Withdrawal,
)
from adapters.text import printable

PROBE_MSG_ID = "This is message id"
MAX_TEXT = 10_000
MAX_ATTACHMENTS = 50
MAX_RECEIPTS = 1_000

_RECEIPTS = {"user_received_message": ReceiptStatus.DELIVERED, "user_seen_message": ReceiptStatus.READ}
_REACTIONS = {"user_reacted_message", "oa_reacted_message"}
_KINDS = {
    "image": AttachmentKind.IMAGE,
    "photo": AttachmentKind.IMAGE,
    "gif": AttachmentKind.GIF,
    "audio": AttachmentKind.AUDIO,
    "voice": AttachmentKind.AUDIO,
    "video": AttachmentKind.VIDEO,
    "sticker": AttachmentKind.STICKER,
    "file": AttachmentKind.FILE,
    "link": AttachmentKind.LINK,
    "links": AttachmentKind.LINK,
    "list": AttachmentKind.LINK,
    "template": AttachmentKind.LINK,
    "location": AttachmentKind.LOCATION,
    "business_card": AttachmentKind.CONTACT,
}
_CITIZEN_SAYS = ["text", "image", "gif", "link", "audio", "video", "sticker", "location", "file", "business_card"]
_GUEST_SAYS = ["text", "image", "file", "sticker"]
_WE_SAY = ["text", "image", "gif", "list", "file", "sticker", "template", "link", "audio", "video", "location"]
_GROUP_EVENT = re.compile(r"(?:user|oa)_send_group_\w+", re.ASCII)
_UNSUPPORTED = {
    "oa_reacted_message",
    "update_user_info",
    "widget_failed_to_sync_user_external_id",
    *("shop_has_order", "user_asking_product"),
    *("add_user_to_tag", "remove_user_from_tag", "remove_tag"),
    *("create_group", "update_group_info", "delete_group", "disperse_group"),
    *("user_join_group", "user_request_join_group", "user_out_group"),
    *("accept_request_join_group", "reject_request_join_group", "add_group_admin", "remove_group_admin"),
    *("oa_send_consent", "user_reply_consent", "user_call_oa", "oa_call_user"),
    *("user_feedback", "user_click_response_button"),
    *("event_journey_acknowledged", "event_journey_time_out"),
}
_MIME = {
    "pdf": "application/pdf",
    "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "zip": "application/zip",
    "txt": "text/plain",
    "csv": "text/csv",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "amr": "audio/amr",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST_MS, _LATEST_MS = 1_420_070_400_000, 4_102_444_800_000  # 2015 to 2100

# Numbers stay the digits that were sent: ids exceed 2**53 and the signature covers the literal timestamp.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)


def decoded(body: bytes) -> dict[str, Any]:
    """The body as an object whose numbers are strings; UnreadablePayload otherwise."""
    try:
        data = _DECODER.decode(body.decode())
    except (ValueError, RecursionError):
        raise UnreadablePayload("not_json") from None
    if not isinstance(data, dict):
        raise UnreadablePayload("not_an_object")
    return data


def ident(value: object, longest: int = 128) -> str:
    """An id that may be stored, or "" for anything else."""
    return value if isinstance(value, str) and 0 < len(value) <= longest and value.isprintable() else ""


def name_of(data: Mapping[str, Any]) -> str:
    """The event's name made safe to store; "" when there is none, "?" when it is not a name."""
    name = data.get("event_name")
    if name is None or name == "":
        return ""
    if ident(name, 80):
        return str(name)
    return "".join(c if c.isprintable() else "?" for c in name[:80]) if isinstance(name, str) else "?"


def part(data: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    """An object inside an object, or an empty one."""
    value = data.get(field)
    return value if isinstance(value, dict) else {}


def msg_id_of(message: Mapping[str, Any]) -> str:
    """The message's id; some senders of events call it message_id."""
    return ident(message.get("msg_id")) or ident(message.get("message_id"))


def is_probe(name: str, message: Mapping[str, Any]) -> bool:
    """Whether this is the console testing the address: no event name, or an id that is a description of an id."""
    return not name or message.get("msg_id") == PROBE_MSG_ID


def is_reaction(name: str) -> bool:
    """Whether several such events may speak of one message, so that the id alone does not tell them apart."""
    return name in _REACTIONS


def key_of(name: str, data: Mapping[str, Any], message: Mapping[str, Any], body: bytes) -> str:
    """What recognises an event that comes again: its name and the message it speaks of, or the whole body."""
    msg_id = msg_id_of(message)
    if msg_id and name == data.get("event_name"):
        key = f"{name}:{msg_id}"
        if is_reaction(name):
            key = f"{key}:{data.get('timestamp')}"
        if len(key) <= 200 and key.isprintable():
            return key
    return "sha256:" + hashlib.sha256(body).hexdigest()


def instant(value: object) -> datetime | None:
    """Epoch milliseconds as an instant, or None when they make no sense."""
    if not isinstance(value, str) or len(value) > 14 or not (value.isascii() and value.isdecimal()):
        return None
    milliseconds = int(value)
    if not _EARLIEST_MS <= milliseconds < _LATEST_MS:
        return None
    return _EPOCH + timedelta(milliseconds=milliseconds)


def parties(name: str, data: Mapping[str, Any], message: Mapping[str, Any]) -> tuple[str, str]:
    """Our account's id and the citizen's URN, each "" when the event names none; there is no uniform field."""
    account = ident(data.get("oa_id"), 80) or ident(data.get("oaId"), 80)
    if _GROUP_EVENT.fullmatch(name):
        return account, ""
    sender, recipient = ident(part(data, "sender").get("id"), 80), ident(part(data, "recipient").get("id"), 80)
    ours, theirs = (sender, recipient) if name.startswith("oa_") or name in _RECEIPTS else (recipient, sender)
    account = account or ours
    if name.startswith(("anonymous_send_", "oa_send_anonymous_")):
        if not theirs or "/" in theirs:
            return account, ""
        return account, f"zalo-guest:{theirs}/{ident(message.get('conversation_id'), 60)}"
    if name in _RECEIPTS and _is_by_phone(message):
        return account, ""
    theirs = theirs or ident(data.get("user_id")) or ident(part(data, "follower").get("id"))
    theirs = theirs or ident(part(data, "data").get("user_id"))
    return account, f"zalo:{theirs}" if theirs else ""


def parse(body: bytes) -> tuple[Event, ...]:
    """What a stored body says; never raises."""
    try:
        data = decoded(body)
    except UnreadablePayload as error:
        return (Ignored("unreadable", error.code),)
    name, message = name_of(data), part(data, "message")
    at = instant(data.get("timestamp"))
    if is_probe(name, message):
        return (Ignored("probe", name, at),)
    handler = _HANDLERS.get(name)
    if handler is None:
        is_known = name in _UNSUPPORTED or _GROUP_EVENT.fullmatch(name)
        return (Ignored("unsupported" if is_known else "unknown", name, at),)
    event = handler(_Said(name, data, message, parties(name, data, message)[1], at or datetime.now(UTC)))
    return (event or Ignored("unreadable", name, at),)


@dataclass(frozen=True)
class _Said:
    name: str
    data: Mapping[str, Any]
    message: Mapping[str, Any]
    urn: str
    at: datetime

    @property
    def text(self) -> str:
        return printable(self.message.get("text"), MAX_TEXT)


def _message(said: _Said) -> Event | None:
    msg_id = msg_id_of(said.message)
    text, attachments = said.text, tuple(_attachments(said))
    if said.name == "user_send_business_card":
        text, attachments = "", _business_card(said)
    if not (msg_id and said.urn and (text or attachments)):
        return None
    return InboundMessage(msg_id, said.urn, said.at, text, attachments, ident(said.message.get("quote_msg_id")) or None)


def _echo(said: _Said) -> Event | None:
    msg_id = msg_id_of(said.message)
    if not (msg_id and said.urn):
        return None
    admin = part(said.data, "sender").get("admin_id")
    return Echo(msg_id, said.urn, said.at, said.text, tuple(_attachments(said)), bool(admin), ident(admin))


def _receipt(said: _Said) -> Event | None:
    many = said.message.get("msg_ids")
    ids = [ident(value) for value in many[:MAX_RECEIPTS]] if isinstance(many, list) else [msg_id_of(said.message)]
    external_ids = tuple(dict.fromkeys(filter(None, ids)))
    if not external_ids:
        return None
    return Receipt(external_ids, _RECEIPTS[said.name], said.at, said.urn or None)


def _reaction(said: _Said) -> Event | None:
    msg_id = msg_id_of(said.message)
    icon = printable(said.message.get("react_icon"), 40)
    return Reaction(said.urn, msg_id, icon, said.at) if msg_id and said.urn else None


def _following(said: _Said) -> Event | None:
    return Following(said.urn, said.name == "follow", said.at) if said.urn else None


def _interaction(said: _Said) -> Event | None:
    return Interaction(said.urn, said.name, said.at) if said.urn else None


def _withdrawal(said: _Said) -> Event | None:
    return Withdrawal(said.urn, said.at) if said.urn else None


def _profile(said: _Said) -> Event | None:
    info = part(said.data, "info")
    if not said.urn or not info:
        return None
    full = part(info, "full_address")
    places = [info.get("address"), full.get("user_address"), info.get("ward"), full.get("user_ward")]
    places += [info.get("district"), info.get("city"), full.get("user_city")]
    address = ", ".join(dict.fromkeys(filter(None, (printable(place, 120).strip() for place in places))))
    name = printable(info.get("name"), 120).strip()
    return ProfileShared(said.urn, said.at, name or None, phone_number(info.get("phone")), address or None)


def _notice(said: _Said) -> Event | None:
    envelope = {"app_id", "oa_id", "oaId", "event_name", "timestamp"}
    detail: dict[str, str] = {}
    for field, value in list(said.data.items())[:30]:
        if field in envelope:
            continue
        for inner, leaf in list(value.items())[:10] if isinstance(value, dict) else [("", value)]:
            if isinstance(leaf, str) and leaf:
                detail[printable(f"{field}.{inner}".rstrip("."), 80)] = printable(leaf, 200)
    return AccountNotice(said.name, said.at, is_alarm=said.name == "permission_revoked", detail=detail)


def _attachments(said: _Said) -> Iterator[Attachment]:
    usual = _KINDS.get(said.name.rpartition("_")[2], AttachmentKind.LINK)
    for entry in _entries(said.message):
        yield _attachment(_KINDS.get(printable(entry.get("type"), 20), usual), part(entry, "payload"))


def _entries(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    entries = message.get("attachments")
    return [e for e in entries[:MAX_ATTACHMENTS] if isinstance(e, dict)] if isinstance(entries, list) else []


def _attachment(kind: AttachmentKind, payload: Mapping[str, Any]) -> Attachment:
    url, thumbnail = web_url(payload.get("url")), web_url(payload.get("thumbnail"))
    title = printable(payload.get("title"), 300) or printable(payload.get("description"), 300) or None
    if kind is AttachmentKind.LOCATION:
        latitude, longitude = _coordinates(part(payload, "coordinates"))
        return Attachment(kind, latitude=latitude, longitude=longitude, title=title)
    if kind is AttachmentKind.FILE:
        return Attachment(
            kind,
            url,
            thumbnail,
            name=printable(payload.get("name"), 255) or None,
            mime_hint=_MIME.get(printable(payload.get("type"), 10).lower()),
            size=_size(payload.get("size")),
            md5=_md5(payload.get("checksum")),
        )
    if "zinstant_id" in payload:
        return Attachment(kind, web_url(payload.get("link_url")), title=printable(payload.get("text"), 300) or None)
    return Attachment(kind, url, thumbnail, title=title)


def _business_card(said: _Said) -> tuple[Attachment, ...]:
    title = said.text[:300] or None
    cards = []
    for payload in [part(entry, "payload") for entry in _entries(said.message)] or [{}]:
        try:
            card = decoded(printable(payload.get("description"), 2_000).encode())
        except UnreadablePayload:
            card = {}
        url, thumbnail = web_url(payload.get("url")), web_url(payload.get("thumbnail"))
        phone = phone_number(card.get("phone"))
        if title or phone or url:
            cards.append(Attachment(AttachmentKind.CONTACT, url, thumbnail, title=title, phone=phone))
    return tuple(cards)


def web_url(value: object) -> str | None:
    """An http(s) address, or None; the console's probes carry words where addresses belong."""
    if not isinstance(value, str) or len(value) > 2_000 or not value.isprintable() or " " in value:
        return None
    try:
        address = urlsplit(value)
        return value if address.scheme in {"http", "https"} and address.hostname else None
    except ValueError:
        return None


def phone_number(value: object) -> str | None:
    """A phone number as +84…, or None; Zalo writes 84…, people write 0…, and 0 alone means "not told"."""
    digits = re.sub(r"[\s.\-()+]", "", value) if isinstance(value, str) and len(value) <= 40 else ""
    if not (digits.isascii() and digits.isdecimal() and 9 <= len(digits) <= 15):
        return None
    if digits.startswith("0"):
        return f"+84{digits[1:]}"
    # A national number whose 0 was lost on the way through a JSON number.
    return f"+84{digits}" if len(digits) == 9 else f"+{digits}"


def _is_by_phone(message: Mapping[str, Any]) -> bool:
    # A template sent to a phone number: the recipient is that number or its hash, not a user id.
    return "delivery_time" in message or "tracking_id" in message


def _coordinates(pin: Mapping[str, Any]) -> tuple[float, float] | tuple[None, None]:
    try:
        latitude, longitude = float(str(pin.get("latitude"))), float(str(pin.get("longitude")))
    except ValueError:
        return None, None
    if -90 <= latitude <= 90 and -180 <= longitude <= 180:
        return latitude, longitude
    return None, None


def _size(value: object) -> int | None:
    return int(value) if isinstance(value, str) and len(value) <= 15 and value.isascii() and value.isdecimal() else None


def _md5(value: object) -> str | None:
    return value.lower() if isinstance(value, str) and re.fullmatch(r"[0-9a-fA-F]{32}", value) else None


_HANDLERS: dict[str, Callable[[_Said], Event | None]] = {
    **{f"user_send_{kind}": _message for kind in _CITIZEN_SAYS},
    **{f"anonymous_send_{kind}": _message for kind in _GUEST_SAYS},
    **{f"oa_send_{kind}": _echo for kind in _WE_SAY},
    **{f"oa_send_anonymous_{kind}": _echo for kind in _GUEST_SAYS},
    **dict.fromkeys(_RECEIPTS, _receipt),
    **dict.fromkeys(("follow", "unfollow"), _following),
    **dict.fromkeys(("user_click_chatnow", "widget_interaction_accepted"), _interaction),
    **dict.fromkeys(("permission_revoked", "extension_purchased", "change_oa_daily_quota"), _notice),
    **dict.fromkeys(("change_template_status", "change_template_quality", "change_template_quota"), _notice),
    "change_oa_template_tags": _notice,
    "user_reacted_message": _reaction,
    "user_submit_info": _profile,
    "user_withdraw": _withdrawal,
}
