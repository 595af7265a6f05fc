"""SMS through a provider's HTTP interface or Kannel: one transport, described by a profile for each provider."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from adapters import _sms_callbacks as callbacks
from adapters._sms_config import GATEWAYS, SmsConfig, configured
from adapters._sms_sending import account, hand_over, wording
from adapters.base import Accepts, Cost, Limits
from adapters.http import Http
from adapters.messages import (
    Envelope,
    Event,
    Ignored,
    InboundMessage,
    MessagePart,
    OutboundMessage,
    Receipt,
    ReceiptStatus,
    SendResult,
    WebhookRequest,
)
from adapters.secret import Secret
from adapters.sms_text import is_same_but_for_marks, needs_unicode, segments, urn_of
from adapters.text import printable, split

GAP = " […] "
# Four parts are what most gateways take in one message: in the narrow alphabet, and in the wide one.
MOST_PARTS, NARROW, WIDE = 4, 612, 268


class Sms:
    """One number, short code or sender name on the mobile networks."""

    type: ClassVar[str] = "sms"
    limits: ClassVar[Limits] = Limits(
        text=NARROW,
        text_units="codepoints",
        image_bytes=0,
        image_types=(),
        window_hours=None,
        free_window_hours=None,
        default_rate=5.0,
        is_sms=True,
    )
    accepts: ClassVar[Accepts] = Accepts(frozenset({"GET", "POST"}), ("json", "form"), has_path=True)
    secret_fields: ClassVar[tuple[str, ...]] = (
        "api_key", "api_secret", "callback_key", "callback_token", "previous_callback_token", "backup_api_key",
        "backup_api_secret", "backup_callback_key",
    )  # fmt: skip
    config_fields: ClassVar[tuple[str, ...]] = (
        "profile", "number", "sender", "sms_type", "keyword", "unit", "codes", "accents", "source_addresses",
        "send_url", "mo_answer", "is_sandbox", "slow_seconds", "backup_profile",
        "backup_sender", "backup_sms_type", "backup_send_url",
    )  # fmt: skip

    def config(self, settings: dict[str, Any], secrets: dict[str, str]) -> SmsConfig:
        """Build the typed configuration; ValueError names every missing or malformed field."""
        return configured(settings, secrets)

    def standing_token(self, config: SmsConfig) -> Secret:
        """The key of the gateway in use."""
        return config.gateway.api_key

    def admit(self, request: WebhookRequest, config: SmsConfig) -> Envelope:
        """Verify a callback and read what is to be stored of it. Raises DoorError."""
        return callbacks.admitted(request, config)

    def parse(self, body: bytes) -> tuple[Event, ...]:
        """Turn what was stored into our words; total: whatever is unreadable becomes `Ignored`."""
        try:
            data = json.loads(body)
            kind = data["kind"]
            readers = {"message": _message, "part": _part, "receipt": _receipt}
            if kind not in readers:
                return (Ignored("unknown", printable(kind, 80)),)
            return (readers[kind](data),)
        except (ValueError, KeyError, TypeError, RecursionError):
            is_object = isinstance(_quietly(body), dict)
            return (Ignored("unknown" if is_object else "unreadable", "sms"),)

    def send(self, http: Http, config: SmsConfig, token: Secret, message: OutboundMessage) -> SendResult:  # noqa: ARG002
        """Hand one message to the gateway in use. Raises SendError."""
        return hand_over(http, config, message)

    def may_fetch(self, url: str, config: SmsConfig) -> bool:  # noqa: ARG002
        """Nothing is ever fetched: an SMS is words."""
        return False

    def pieces(self, settings: Mapping[str, Any], text: str) -> list[str]:
        """The messages a text becomes, in the words that will be read."""
        words = wording(str(settings.get("accents") or "drop"), text)
        limit, units = (WIDE, "utf16") if needs_unicode(words) else (NARROW, "codepoints")
        pieces = split(words, limit, units)
        while any(segments(piece).count > MOST_PARTS for piece in pieces):  # letters that take two places
            limit -= 10
            pieces = split(words, limit, units)
        return pieces

    def cost(self, settings: Mapping[str, Any], text: str) -> Cost:
        """What sending it costs."""
        pieces = self.pieces(settings, text)
        counted = [segments(piece) for piece in pieces]
        words = "\n".join(pieces)
        return Cost(
            words,
            sum(one.count for one in counted),
            sum(one.units for one in counted),
            any(one.is_unicode for one in counted),
            lost_marks=words != text.strip() and is_same_but_for_marks(text, words),
        )

    def joined(self, parts: Sequence[MessagePart], config: callbacks.Addressed) -> Envelope:
        """One message of its pieces; a gap is shown where one is missing."""
        known = {part.number: part for part in sorted(parts, key=lambda part: part.number)}
        first, total = next(iter(known.values())), parts[0].total
        text = "".join(known[n].text if n in known else GAP for n in range(1, total + 1)).replace(GAP + GAP, GAP)
        key = f"joined:{first.external_id}"[:200]
        data = {
            "id": key,
            "from": first.urn,
            "to": first.destination,
            "written": text,
            "parts": len(known),
            "of": total,
        }
        data["from"] = first.urn.removeprefix("tel:")
        return callbacks.message_envelope(config, key, min(part.occurred_at for part in parts), data)

    def can_be_asked(self, config: SmsConfig) -> bool:
        """Whether the main gateway's provider offers a question about the account."""
        return config.gateways[0].profile.check is not None

    def account(self, http: Http, config: SmsConfig) -> dict[str, str] | None:
        """What the provider says of our account; None when it offers no such question. Raises SendError."""
        asking = config.gateway.profile.check
        return account(http, config.gateway, asking) if asking else None

    def callback(self, config: SmsConfig) -> str:
        """The secret part of the address, and what else the provider must write there."""
        return f"/{config.callback_token.reveal()}{config.gateways[0].profile.callback_query}"

    def gateways(self, config: SmsConfig) -> tuple[str, ...]:
        """Its gateways, the main one first."""
        return GATEWAYS[: len(config.gateways)]

    def through(self, config: SmsConfig, name: str) -> SmsConfig:
        """The same channel, sending through this gateway."""
        return config.through(name)

    def slow_after(self, config: SmsConfig) -> float:
        """How many seconds most answers may take."""
        return config.slow_seconds


def _message(data: dict[str, Any]) -> Event:
    at = _at(data)
    urn = urn_of(str(data["from"]))
    if urn is None:
        # Operators, banks and machines write from short codes and names: answering one could go on for ever.
        return Ignored("unsupported", "not_a_mobile_number", at)
    return InboundMessage(printable(data["id"], 160), urn, at, printable(data["text"], callbacks.LONGEST_TEXT))


def _part(data: dict[str, Any]) -> Event:
    at = _at(data)
    urn = urn_of(str(data["from"]))
    if urn is None:
        return Ignored("unsupported", "not_a_mobile_number", at)
    return MessagePart(
        external_id=printable(data["id"], 160),
        urn=urn,
        occurred_at=at,
        destination=printable(data["to"], 40),
        reference=printable(data["reference"], 20),
        total=int(data["total"]),
        number=int(data["number"]),
        text=printable(data["written"], callbacks.LONGEST_TEXT),
    )


def _receipt(data: dict[str, Any]) -> Event:
    at = _at(data)
    if data["meaning"] == "pending":
        return Ignored("unsupported", f"receipt_{printable(data['status'], 40)}", at)
    is_delivered = data["meaning"] == "delivered"
    code = printable(data["reason"] or data["status"], 80)
    reason = (
        "" if is_delivered else f"Nhà mạng báo không giao được tin tới máy người dân (mã {code}). Vui lòng gọi điện."
    )
    return Receipt(
        (printable(data["id"], 160),),
        ReceiptStatus.DELIVERED if is_delivered else ReceiptStatus.FAILED,
        at,
        data["urn"],
        reason="" if is_delivered else reason,
        part=int(data["part"]),
        parts=int(data["parts"]),
    )


def _at(data: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(data["at"]).astimezone(UTC)


def _quietly(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
