"""The Viber channel: one bot of a commune, signed webhooks in, messages with a keyboard out.

From Viber's public description of its REST Bot API; nobody here has spoken to Viber itself. Since 2024 bots are sold.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, ClassVar

import httpx

from adapters.base import Limits
from adapters.bodies import as_object, from_milliseconds
from adapters.errors import (
    BadSignature,
    ChannelRefused,
    ContactUnreachable,
    MessageRefused,
    OutcomeUnknown,
    QuotaExhausted,
    SendError,
    TemporarilyRefused,
    UnreadablePayload,
)
from adapters.http import Http
from adapters.messages import (
    Attachment,
    AttachmentKind,
    Envelope,
    Event,
    Following,
    Ignored,
    InboundMessage,
    Interaction,
    OutboundMessage,
    Receipt,
    ReceiptStatus,
    SendResult,
    WebhookRequest,
)
from adapters.secret import Secret
from adapters.text import printable

SIGNATURE_HEADER = "x-viber-content-signature"
API = "https://chatapi.viber.com"
MEDIA_DOMAIN = "viber.com"
LONGEST_TEXT, LONGEST_SENDER = 10_000, 28

_ACCOUNT = re.compile(r"[0-9A-Za-z_-]{2,60}", re.ASCII)
_PERSON = re.compile(r"[0-9A-Za-z+/=_-]{4,80}", re.ASCII)
_KINDS = {"picture": AttachmentKind.IMAGE, "video": AttachmentKind.VIDEO, "file": AttachmentKind.FILE}


@dataclass(frozen=True)
class ViberConfig:
    """A bot: the name in its address, the name people see, and its token."""

    account: str
    sender: str
    token: Secret
    api_base: str = API


class Viber:
    """The adapter of Viber bots; holds no state."""

    type: ClassVar[str] = "viber"
    limits: ClassVar[Limits] = Limits(
        text=7_000,
        text_units="utf16",
        image_bytes=0,  # a picture goes by an address that all can open, and ours cannot be
        image_types=(),
        window_hours=None,
        free_window_hours=None,
        default_rate=20.0,
        buttons=8,
    )
    secret_fields: ClassVar[tuple[str, ...]] = ("token",)
    config_fields: ClassVar[tuple[str, ...]] = ("account", "sender", "api_base", "is_sandbox")

    def config(self, settings: dict[str, Any], secrets: dict[str, str]) -> ViberConfig:
        """Build the typed configuration; ValueError names every missing or malformed field."""
        account, sender, token = str(settings.get("account", "")), str(settings.get("sender", "")), secrets.get("token")
        wrong = [] if _ACCOUNT.fullmatch(account) else ["account (the bot's name in its address)"]
        if not 0 < len(sender) <= LONGEST_SENDER:
            wrong.append(f"sender (what people see, at most {LONGEST_SENDER} characters)")
        if not token or len(token) < 16 or not token.isascii():
            wrong.append("token")
        base = str(settings.get("api_base") or API).rstrip("/")
        if httpx.URL(base).scheme not in {"https", "http"}:
            wrong.append("api_base")
        if wrong:
            raise ValueError(f"viber: missing or malformed: {', '.join(wrong)}")
        return ViberConfig(account, sender, Secret(token or ""), base)

    def standing_token(self, config: ViberConfig) -> Secret:
        """The bot's token, which stands until an administrator makes another."""
        return config.token

    def admit(self, request: WebhookRequest, config: ViberConfig) -> Envelope:
        """Verify a callback and read just enough to store it. Raises DoorError."""
        given = request.headers.get(SIGNATURE_HEADER, "")
        wanted = hmac.new(config.token.reveal().encode(), request.body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(given.lower().encode(), wanted.encode()):
            raise BadSignature("forged" if given else "unsigned")
        data = as_object(request.body)
        name, token, person = printable(data.get("event"), 40), _number(data.get("message_token")), _person_of(data)
        if not name or token is None:
            raise UnreadablePayload("no_event")
        return Envelope(
            account=config.account,
            event_name=name,
            key=f"{name}:{token}",
            conversation=person or config.account,
            occurred_at=from_milliseconds(data.get("timestamp")) or datetime.now(UTC),
            is_probe=name == "webhook",  # Viber tries the address when it is set
        )

    def parse(self, body: bytes) -> tuple[Event, ...]:
        """Turn a stored callback into our words; total."""
        try:
            data = as_object(body)
        except UnreadablePayload:
            return (Ignored("unreadable", "viber"),)
        name, at, person = printable(data.get("event"), 40), from_milliseconds(data.get("timestamp")), _person_of(data)
        read = _READERS.get(name)
        if read is None:
            return (Ignored("probe" if name == "webhook" else "unknown", name, at),)
        if at is None or not person:
            return (Ignored("unreadable", name, at),)
        return read(data, person, at)

    def send(self, http: Http, config: ViberConfig, token: Secret, message: OutboundMessage) -> SendResult:
        """Hand one message to Viber. Raises SendError."""
        scheme, _, receiver = message.urn.partition(":")
        if scheme != "viber" or not _PERSON.fullmatch(receiver):
            raise MessageRefused("not_a_viber_address", "Không có địa chỉ Viber của người dân. Vui lòng gọi điện.")
        text = printable(message.text, len(message.text))
        if not text.strip() or message.image is not None:
            raise MessageRefused("words_only", "Viber chỉ nhận được chữ từ hệ thống. Vui lòng nhập chữ, bỏ ảnh.")
        content: dict[str, Any] = {
            "receiver": receiver,
            "type": "text",
            "sender": {"name": config.sender},
            "text": text,
        }
        if message.choices:
            content["keyboard"] = _keyboard(message.choices)
        headers = {"X-Viber-Auth-Token": token.reveal()}
        answer = http.call(
            "POST", f"{config.api_base}/pa/send_message", headers=headers, json=content, hide=[text, receiver]
        )
        reply = answer.json()
        status = _number(reply.get("status")) if isinstance(reply, dict) else None
        if answer.status == httpx.codes.TOO_MANY_REQUESTS:
            raise _refusal(_TOO_MANY)
        if answer.status >= 500 or status is None:
            raise OutcomeUnknown(f"viber_http_{answer.status}", _UNCLEAR)
        if status:
            raise _refusal(status)
        sent = _number(reply.get("message_token"))
        if sent is None:
            raise OutcomeUnknown("viber_no_token", _UNCLEAR)
        return SendResult(str(sent))

    def may_fetch(self, url: str, config: ViberConfig) -> bool:  # noqa: ARG002 - one signature for all
        """Whether it is a file on Viber's own hosts; nothing else is ever fetched."""
        try:
            address = httpx.URL(url)
        except (httpx.InvalidURL, ValueError, TypeError):
            return False
        host = address.raw_host.decode("ascii").lower()
        is_plain = address.scheme == "https" and address.port is None and not address.userinfo
        return is_plain and (host == MEDIA_DOMAIN or host.endswith("." + MEDIA_DOMAIN))


def _number(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 19:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**19 else None


def _part(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = data.get(name)
    return part if isinstance(part, dict) else {}


def _person_of(data: Mapping[str, Any]) -> str:
    found = data.get("user_id") or _part(data, "sender").get("id") or _part(data, "user").get("id")
    return f"viber:{found}" if isinstance(found, str) and _PERSON.fullmatch(found) else ""


def _message(data: Mapping[str, Any], person: str, at: datetime) -> tuple[Event, ...]:
    token, message = _number(data.get("message_token")), _part(data, "message")
    if token is None or not message:
        return (Ignored("unreadable", "message", at),)
    sent = _attachment(message)
    text = printable(message.get("text"), LONGEST_TEXT)
    return (InboundMessage(str(token), person, at, text, (sent,) if sent else ()),)


def _attachment(message: Mapping[str, Any]) -> Attachment | None:
    kind, media = message.get("type"), printable(message.get("media"), 2_000)
    if kind in _KINDS:
        name, size = printable(message.get("file_name"), 255), _number(message.get("file_size") or message.get("size"))
        return Attachment(_KINDS[kind], url=media or None, name=name or None, size=size)
    if kind == "location":
        place = _part(message, "location")
        latitude, longitude = _degrees(place.get("lat"), 90), _degrees(place.get("lon"), 180)
        if latitude is None or longitude is None:
            return None
        return Attachment(AttachmentKind.LOCATION, latitude=latitude, longitude=longitude)
    if kind == "contact":
        card = _part(message, "contact")
        phone = printable(card.get("phone_number"), 40)
        return Attachment(AttachmentKind.CONTACT, name=printable(card.get("name"), 200) or None, phone=phone or None)
    if kind == "sticker":
        return Attachment(AttachmentKind.STICKER)
    return Attachment(AttachmentKind.LINK, title=media) if kind == "url" and media else None


def _degrees(value: object, most: float) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and abs(value) <= most else None  # type: ignore[arg-type]


def _receipt(status: ReceiptStatus) -> Callable[[Mapping[str, Any], str, datetime], tuple[Event, ...]]:
    def read(data: Mapping[str, Any], person: str, at: datetime) -> tuple[Event, ...]:
        token = _number(data.get("message_token"))
        if token is None:
            return (Ignored("unreadable", status.value, at),)
        return (Receipt((str(token),), status, at, person, _LOST if status is ReceiptStatus.FAILED else ""),)

    return read


_READERS: Mapping[str, Callable[[Mapping[str, Any], str, datetime], tuple[Event, ...]]] = {
    "message": _message,
    "subscribed": lambda _data, person, at: (Following(person, is_following=True, occurred_at=at),),
    "unsubscribed": lambda _data, person, at: (Following(person, is_following=False, occurred_at=at),),
    "conversation_started": lambda _data, person, at: (Interaction(person, "opened", at),),
    "delivered": _receipt(ReceiptStatus.DELIVERED),
    "seen": _receipt(ReceiptStatus.READ),
    "failed": _receipt(ReceiptStatus.FAILED),
}


def _keyboard(choices: tuple[str, ...]) -> dict[str, Any]:
    buttons = [{"ActionType": "reply", "ActionBody": label, "Text": label} for label in choices]
    return {"Type": "keyboard", "Buttons": buttons}


_TOO_MANY = 12
_UNCLEAR = "Viber không trả lời rõ ràng nên không biết người dân đã nhận chưa. Có thể gọi điện hoặc bấm Gửi lại."
_LOST = "Viber báo không giao được tin. Anh/Chị gọi điện hoặc bấm Gửi lại."
_GONE = "Người dân không còn dùng hoặc đã rời kênh Viber nên chưa gửi được. Vui lòng gọi điện theo số trong hồ sơ."
_ACCOUNT_REFUSED = "Viber không chấp nhận tài khoản của kênh nên tạm dừng gửi. Vui lòng báo người quản trị."
_NO_MONEY = "Kênh Viber đã hết lượt gửi hoặc hết tiền. Hệ thống thử lại sau; vui lòng báo người quản trị nạp thêm."
_BUSY = "Viber tạm không nhận thêm tin. Hệ thống sẽ tự gửi lại, không cần thao tác."
_NOT_TAKEN = "Viber không nhận tin này. Vui lòng sửa nội dung rồi gửi lại, hoặc gọi điện."
# Viber's numbers (REST Bot API, "Error codes"): which error each one is.
_MEANINGS: Mapping[int, Callable[[str], SendError]] = {
    **dict.fromkeys((2, 7, 8, 9, 10, 15), partial(ChannelRefused, shown=_ACCOUNT_REFUSED)),
    **dict.fromkeys((5, 6, 11, 21), partial(ContactUnreachable, shown=_GONE)),
    **dict.fromkeys((23, 24), partial(QuotaExhausted, shown=_NO_MONEY)),
    _TOO_MANY: partial(TemporarilyRefused, shown=_BUSY, retry_after=10.0, whole_channel=True),
}


def _refusal(status: int) -> SendError:
    code, made = f"viber_{status}", _MEANINGS.get(status)
    return made(code) if made else MessageRefused(code, _NOT_TAKEN)
