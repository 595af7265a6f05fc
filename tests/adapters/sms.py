"""SMS channels of tests: one of each provider, and what providers called them with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from adapters._sms_config import SmsConfig
from adapters.messages import WebhookRequest
from adapters.sms import Sms

PAYLOADS = Path(__file__).parent / "payloads" / "sms"
TOKEN = "example-callback-token"
SECRETS = {
    "api_key": "example-api-key",
    "api_secret": "example-api-secret",
    "callback_key": "example-callback-key",
    "callback_token": TOKEN,
    "previous_callback_token": "example-previous-token",
}
# A provider that leaves the pieces of long messages to us, as an operator would describe it.
VONAGE: dict[str, Any] = {
    "name": "vonage",
    "methods": ["GET", "POST"],
    "needs": ["api_key", "api_secret"],
    "send": {
        "url": "https://rest.nexmo.com/sms/json",
        "body": "form",
        "fields": {
            "api_key": "{api_key}", "api_secret": "{api_secret}", "to": "{to}", "from": "{sender}", "text": "{text}",
            "type": "unicode",
        },
        "ok_at": "messages.0.status",
        "ok_values": ["0"],
        "code_at": "messages.0.status",
        "id_at": "messages.0.message-id",
        "codes": {"1": "throttled", "4": "account", "9": "balance"},
    },
    "mo": {
        "from_at": "msisdn", "to_at": "to", "text_at": "text", "id_at": "messageId", "time_at": "message-timestamp",
        "time_format": "%Y-%m-%d %H:%M:%S", "reference_at": "concat-ref", "total_at": "concat-total",
        "part_at": "concat-part",
    },
}  # fmt: skip
SETTINGS: dict[str, dict[str, Any]] = {
    "esms": {"profile": "esms", "number": "8088", "sender": "UBND-ANBINH", "keyword": "PA", "codes": "ANBINH, DUCHUE"},
    "speedsms": {"profile": "speedsms", "number": "0888000111", "sender": "UBND-ANBINH"},
    "kannel": {"profile": "kannel", "number": "8088"},
    "vonage": {"profile": VONAGE, "number": "8088", "keyword": "PA"},
}

sms = Sms()


def config(provider: str = "kannel", /, **changes: Any) -> SmsConfig:
    """A channel at this provider."""
    return sms.config({**SETTINGS[provider], **changes}, SECRETS)


def recorded(name: str, **changes: Any) -> tuple[SmsConfig, WebhookRequest]:
    """A recorded call, and the channel it is for."""
    data = json.loads((PAYLOADS / f"{name}.json").read_text())
    return config(data["profile"]), request(data, **changes)


def request(data: dict[str, Any], **changes: Any) -> WebhookRequest:
    """A recorded call as the door sees it."""
    data = {**data, **changes}
    return WebhookRequest(
        data["method"],
        data.get("headers", {}),
        data.get("body", "").encode(),
        path=data["path"],
        query=data.get("query", "").encode(),
        remote=data.get("remote", "203.0.113.7"),
    )
