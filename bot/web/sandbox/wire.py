"""The wire format of pretend Zalo: pure functions from facts to the bytes of a webhook and its signature."""

from __future__ import annotations

import hashlib
import json
from typing import Any

PROBE_USER = "9000000000000000001"
PROBE_USER_BY_APP = "9000000000000000002"
PROBE_OA = "9000000000000000003"


def mac(app_id: str, raw: bytes, timestamp: str, oa_secret: str) -> str:
    """The signature of a webhook: a plain SHA-256 of the four parts in this order, not an HMAC."""
    return hashlib.sha256(app_id.encode() + raw + timestamp.encode() + oa_secret.encode()).hexdigest()


def headers(app_id: str, raw: bytes, timestamp: str, oa_secret: str, attempts: int) -> dict[str, str]:
    """The headers of one delivery; only a redelivery says which one it is."""
    values = {
        "Content-Type": "application/json",
        "User-Agent": "ZaloWebhook",
        "X-ZEvent-Server": "OA OpenAPI",
        "X-ZEvent-Signature": f"mac={mac(app_id, raw, timestamp, oa_secret)}",
    }
    if attempts:
        values["num_retry"] = str(attempts)
    return values


def compact(value: object) -> str:
    """JSON as the platform writes it: no spaces, Vietnamese letters as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def read(text: str) -> dict[str, Any]:
    """An object that was written with `compact`."""
    value = json.loads(text)
    return value if isinstance(value, dict) else {}


def chat_event(
    name: str, app_id: str, sender: str, recipient: str, by_app: str, message: dict[str, Any], at_ms: int
) -> str:
    """An event about a message; `by_app` is empty for visitors who are not signed in."""
    body: dict[str, Any] = {"app_id": app_id, "sender": {"id": sender}}
    if by_app:
        body["user_id_by_app"] = by_app
    body |= {"recipient": {"id": recipient}, "event_name": name, "message": message, "timestamp": str(at_ms)}
    return compact(body)


def form_event(app_id: str, oa_id: str, user_id: str, by_app: str, info: dict[str, Any], at_ms: int) -> str:
    """The event of a citizen who filled in a request_user_info form."""
    return compact(
        {
            "app_id": app_id,
            "sender": {"id": user_id},
            "user_id_by_app": by_app,
            "recipient": {"id": oa_id},
            "event_name": "user_submit_info",
            "info": info,
            "timestamp": str(at_ms),
        }
    )


def relation_event(name: str, app_id: str, oa_id: str, user_id: str, by_app: str, at_ms: int) -> str:
    """follow and unfollow name a follower; the chat button and withdrawal name a user_id."""
    body: dict[str, Any] = {"app_id": app_id, "oa_id": oa_id}
    if name in {"follow", "unfollow"}:
        body["follower"] = {"id": user_id}
    else:
        body["user_id"] = user_id
    body |= {"user_id_by_app": by_app, "event_name": name, "timestamp": str(at_ms)}
    if name == "follow":
        body["source"] = "oa_profile"
    return compact(body)


_PROBE_ATTACHMENTS: dict[str, list[dict[str, Any]]] = {
    "user_send_text": [],
    "user_send_image": [{"payload": {"thumbnail": "url_to_thumbnail", "url": "link"}, "type": "image"}],
    "user_send_file": [
        {
            "payload": {
                "size": "file_size",
                "name": "file_name",
                "checksum": "checksum",
                "type": "file_type",
                "url": "link_to_download_file",
            },
            "type": "file",
        }
    ],
}
PROBE_EVENTS = tuple(_PROBE_ATTACHMENTS)


def probe_event(name: str, app_id: str, at_ms: int) -> str:
    """The sample the developer console posts when somebody presses "Kiểm tra"; nobody in it exists."""
    message: dict[str, Any] = {"msg_id": "This is message id", "text": "This is testing message"}
    if _PROBE_ATTACHMENTS[name]:
        message["attachments"] = _PROBE_ATTACHMENTS[name]
    return compact(
        {
            "app_id": app_id,
            "user_id_by_app": PROBE_USER_BY_APP,
            "event_name": name,
            "timestamp": str(at_ms),
            "sender": {"id": PROBE_USER},
            "recipient": {"id": PROBE_OA},
            "message": message,
        }
    )
