"""The web form: a page of the commune's own, where a citizen writes without an account and reads the answers by a link.

Events are written by our own pages and signed like anybody else's, so that a province's portal may send the same.
Nothing leaves us when an answer is "sent": it stands on the citizen's page from that moment.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, ClassVar

from adapters.base import Limits
from adapters.bodies import as_object, from_milliseconds
from adapters.errors import BadSignature, ForeignPayload, MessageRefused, UnreadablePayload
from adapters.http import Http
from adapters.messages import (
    Attachment,
    AttachmentKind,
    Envelope,
    Event,
    Ignored,
    InboundMessage,
    OutboundMessage,
    ProfileShared,
    SendResult,
    WebhookRequest,
)
from adapters.secret import Secret
from adapters.text import printable

SIGNATURE_HEADER = "x-haichieu-signature"
BLOB = "blob:"
ENTERED_HOW = ("desk", "phone")
LONGEST_TEXT, MOST_FILES = 4_000, 6

_VISITOR = re.compile(r"[0-9a-f]{32}", re.ASCII)
_IDENT = re.compile(r"[0-9A-Za-z_-]{8,80}", re.ASCII)
_BLOB_NAME = re.compile(r"[0-9A-Za-z]{8,80}(?:\.[0-9a-f]{32})?", re.ASCII)
_KINDS = {"image": AttachmentKind.IMAGE, "audio": AttachmentKind.AUDIO, "file": AttachmentKind.FILE}


@dataclass(frozen=True)
class WebFormConfig:
    """Whose page it is: `account` is the channel's own name in its addresses."""

    account: str
    signing_key: Secret


class WebForm:
    """The adapter of the commune's own page; holds no state."""

    type: ClassVar[str] = "web_form"
    limits: ClassVar[Limits] = Limits(
        text=20_000,
        text_units="codepoints",
        image_bytes=5_000_000,
        image_types=("image/jpeg", "image/png"),
        window_hours=None,
        free_window_hours=None,
        default_rate=100.0,
        buttons=8,
        rings=False,
    )
    secret_fields: ClassVar[tuple[str, ...]] = ("signing_key",)
    config_fields: ClassVar[tuple[str, ...]] = ("account",)

    def config(self, settings: dict[str, Any], secrets: dict[str, str]) -> WebFormConfig:
        """Build the typed configuration; ValueError names every missing or malformed field."""
        account, key = str(settings.get("account", "")), secrets.get("signing_key", "")
        wrong = [] if re.fullmatch(r"[a-z0-9-]{3,60}", account, re.ASCII) else ["account (the channel's slug)"]
        if len(key) < 16:
            wrong.append("signing_key (at least 16 characters)")
        if wrong:
            raise ValueError(f"web_form: missing or malformed: {', '.join(wrong)}")
        return WebFormConfig(account, Secret(key))

    def standing_token(self, config: WebFormConfig) -> Secret:
        """Nothing is sent anywhere: the key stands for itself."""
        return config.signing_key

    def admit(self, request: WebhookRequest, config: WebFormConfig) -> Envelope:
        """Verify what a page of ours, or a portal that has the key, wrote. Raises DoorError."""
        given = request.headers.get(SIGNATURE_HEADER, "")
        if not hmac.compare_digest(given.encode(), signature(request.body, config.signing_key).encode()):
            raise BadSignature("forged" if given else "unsigned")
        data = as_object(request.body)
        visitor, ident = data.get("visitor"), data.get("id")
        if not _is(visitor, _VISITOR) or not _is(ident, _IDENT):
            raise UnreadablePayload("no_sender")
        if data.get("account") != config.account:
            raise ForeignPayload("other_account")
        name = str(data.get("event"))[:80]
        at = from_milliseconds(data.get("at")) or datetime.now(UTC)
        return Envelope(config.account, name, f"{name}:{ident}"[:200], f"web:{visitor}", at)

    def parse(self, body: bytes) -> tuple[Event, ...]:
        """Turn a stored body into our words; total."""
        try:
            data = as_object(body)
        except UnreadablePayload:
            return (Ignored("unreadable", "web_form"),)
        at, name = from_milliseconds(data.get("at")), printable(str(data.get("event", "")), 80)
        if name != "message":
            return (Ignored("unknown", name, at),)
        visitor, ident = data.get("visitor"), data.get("id")
        if at is None or not _is(visitor, _VISITOR) or not _is(ident, _IDENT):
            return (Ignored("unreadable", name, at),)
        urn = f"web:{visitor}"
        text = printable(str(data.get("text") or ""), LONGEST_TEXT).strip()
        by, how = data.get("by"), data.get("how")
        is_entered = isinstance(by, int) and not isinstance(by, bool) and how in ENTERED_HOW
        said = InboundMessage(str(ident), urn, at, text, _attachments(data))
        if is_entered:
            said = replace(said, entered_by=by, entered_how=how)
        profile = _profile(data, urn, at)
        return (profile, said) if profile else (said,)

    def send(self, http: Http, config: WebFormConfig, token: Secret, message: OutboundMessage) -> SendResult:  # noqa: ARG002 - one signature for all
        """Let a message stand on the citizen's page: it does as soon as it is written down. Raises SendError."""
        scheme, _, visitor = message.urn.partition(":")
        if scheme != "web" or not _VISITOR.fullmatch(visitor):
            raise MessageRefused("not_a_web_address", "Không có trang theo dõi của người dân. Vui lòng gọi điện.")
        if not message.text.strip() and message.image is None:
            raise MessageRefused("empty", "Tin không có nội dung nên chưa gửi. Vui lòng nhập nội dung rồi gửi lại.")
        return SendResult(f"page-{secrets.token_hex(12)}", datetime.now(UTC))

    def may_fetch(self, url: str, config: WebFormConfig) -> bool:  # noqa: ARG002 - one signature for all
        """Nothing is fetched: files come with the form."""
        return False

    def kept_file(self, url: str) -> str | None:
        """How the page names a file that it has stored already; None for any other address."""
        name = url.removeprefix(BLOB)
        return name if url.startswith(BLOB) and _BLOB_NAME.fullmatch(name) else None


def signature(body: bytes, key: Secret) -> str:
    """What the header `x-haichieu-signature` must say: HMAC-SHA256 of the body, hexadecimal."""
    return hmac.new(key.reveal().encode(), body, hashlib.sha256).hexdigest()


def visitor_of(link: str) -> str:
    """Who holds this secret link, without giving it away: what stands in addresses and rows."""
    return hashlib.sha256(link.encode()).hexdigest()[:32]


def _is(value: object, pattern: re.Pattern[str]) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _attachments(data: Mapping[str, Any]) -> tuple[Attachment, ...]:
    files = data.get("files")
    found = [_file(one) for one in (files if isinstance(files, list) else [])[:MOST_FILES] if isinstance(one, dict)]
    pin = data.get("pin")
    if isinstance(pin, list) and len(pin) == 2 and all(_is_degree(part) for part in pin):
        latitude, longitude = float(pin[0]), float(pin[1])
        if abs(latitude) <= 90 and abs(longitude) <= 180:
            found.append(Attachment(AttachmentKind.LOCATION, latitude=latitude, longitude=longitude))
    return tuple(one for one in found if one is not None)


def _is_degree(part: object) -> bool:
    return isinstance(part, int | float) and not isinstance(part, bool)


def _file(one: Mapping[str, Any]) -> Attachment | None:
    blob, kind = one.get("blob"), _KINDS.get(str(one.get("kind")))
    if kind is None or not _is(blob, _BLOB_NAME):
        return None
    return Attachment(kind, url=f"{BLOB}{blob}", name=printable(str(one.get("name") or ""), 200) or None)


def _profile(data: Mapping[str, Any], urn: str, at: datetime) -> ProfileShared | None:
    name, phone, address = (printable(str(data.get(key) or ""), 200).strip() for key in ("name", "phone", "address"))
    if not (name or phone or address):
        return None
    return ProfileShared(urn, at, name or None, phone or None, address or None, data.get("consent") is True)
