"""Channels of the rehearsal: a citizen on Zalo, Telegram and SMS, as far as conversations look different there.

Zalo and SMS go through their real adapters. For Telegram only the form counts here: buttons.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from adapters.base import Limits
from adapters.http import Http
from adapters.messages import (
    Attachment,
    AttachmentKind,
    Envelope,
    Event,
    InboundMessage,
    OutboundMessage,
    SendResult,
    WebhookRequest,
)
from adapters.secret import Secret


@dataclass(frozen=True)
class PlainConfig:
    """A channel that needs nothing but a name."""

    account: str


class PlainChannel:
    """A channel whose events are our own words as JSON."""

    type: ClassVar[str] = "plain"
    limits: ClassVar[Limits]
    secret_fields: ClassVar[tuple[str, ...]] = ()
    config_fields: ClassVar[tuple[str, ...]] = ("account",)

    def config(self, settings: dict[str, Any], secrets: dict[str, str]) -> PlainConfig:
        return PlainConfig(settings["account"])

    def admit(self, request: WebhookRequest, config: PlainConfig) -> Envelope:
        word = json.loads(request.body)
        at = datetime.fromisoformat(word["occurred_at"]).astimezone(UTC)
        return Envelope(config.account, "message", word["external_id"], word["urn"], at)

    def parse(self, body: bytes) -> tuple[Event, ...]:
        word = json.loads(body)
        sent = tuple(Attachment(**{**a, "kind": AttachmentKind(a["kind"])}) for a in word.pop("attachments"))
        at = datetime.fromisoformat(word.pop("occurred_at")).astimezone(UTC)
        return (InboundMessage(**word, occurred_at=at, attachments=sent),)

    def send(self, http: Http, config: Any, token: Secret, message: OutboundMessage) -> SendResult:
        return SendResult("sent")

    def standing_token(self, config: Any) -> Secret:
        return Secret("rehearsal")

    def may_fetch(self, url: str, config: Any) -> bool:
        return False


class TelegramForm(PlainChannel):
    """As Telegram shows it: answers are buttons."""

    type: ClassVar[str] = "telegram"
    limits: ClassVar[Limits] = Limits(
        text=4_096,
        text_units="utf16",
        image_bytes=10_000_000,
        image_types=("image/jpeg",),
        window_hours=None,
        free_window_hours=None,
        default_rate=25.0,
        buttons=8,
    )


def as_json(word: InboundMessage) -> bytes:
    """A message as a plain channel sends it."""
    return json.dumps({**asdict(word), "occurred_at": word.occurred_at.isoformat()}).encode()
