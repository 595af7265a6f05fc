"""Zalo's window and what is left when it has closed: its own clock of a citizen, and approved messages (ZBS)."""

from __future__ import annotations

from typing import Any

from adapters import _zalo_events as events
from adapters._zalo_api import accepted, flat, headers, posted, receipt_of, text_of
from adapters._zalo_config import ZaloConfig
from adapters.base import Clock
from adapters.errors import MessageRefused
from adapters.http import Http
from adapters.messages import OutboundMessage, SendResult
from adapters.secret import Secret

LONGEST_TRACKING_ID = 48


def clock_of(http: Http, config: ZaloConfig, token: Secret, urn: str) -> Clock:
    """When this citizen was last there, by Zalo's own count, and what is left of the quota. Raises SendError."""
    url = f"{config.api_base}/v3.0/oa/quota/message"
    body = {"user_id": urn.removeprefix("zalo:")}
    data = accepted(http.call("POST", url, headers=headers(config, token), json=body))
    left = data.get("cs_reply")
    return Clock(
        events.instant(text_of(data.get("last_interaction"), 14)), flat(left) if isinstance(left, dict) else {}
    )


def send(http: Http, config: ZaloConfig, token: Secret, message: OutboundMessage) -> SendResult:
    """Send an approved message, to the account that wrote to us or to a telephone number. Raises SendError."""
    approved = message.template
    if approved is None:
        raise ValueError("not an approved message")
    body: dict[str, Any] = {"template_id": approved.id, "template_data": dict(approved.values)}
    if approved.phone:
        return _to_phone(http, config, token, message, body | {"phone": approved.phone.lstrip("+")})
    scheme, _, user = message.urn.partition(":")
    if scheme != "zalo" or not user:
        raise MessageRefused("not_a_zalo_address", "Người này không có tài khoản Zalo ở kênh. Vui lòng gọi điện.")
    hide = tuple(approved.values.values())
    return posted(http, config, token, "/v3.0/oa/message/template", {"user_id": user, **body}, hide=hide)


def _to_phone(
    http: Http, config: ZaloConfig, token: Secret, message: OutboundMessage, body: dict[str, Any]
) -> SendResult:
    # Ours, so that their console can be searched for it; nobody says that a repeat of it is recognised.
    body["tracking_id"] = message.id[:LONGEST_TRACKING_ID]
    hide = [body["phone"], *body["template_data"].values()]
    url = f"{config.zbs_base}/message/template"
    return receipt_of(
        accepted(http.call("POST", url, headers=headers(config, token), json=body, hide=hide), service="zbs")
    )
