"""Zalo's OpenAPI as every call meets it: the headers it wants, and what its answers mean."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from typing import Any
from urllib.parse import urlencode

import httpx

from adapters import _zalo_events as events
from adapters._zalo_config import ZaloConfig
from adapters._zalo_errors import rate_limited, send_error
from adapters.errors import MessageRefused, OutcomeUnknown, TemporarilyRefused, TokenRejected
from adapters.http import Answer, Http
from adapters.messages import SendResult
from adapters.secret import Secret
from adapters.text import printable

UNCLEAR = "Zalo không trả lời rõ ràng nên không biết người dân đã nhận chưa. Có thể gọi điện hoặc bấm Gửi lại."
NOT_SENT = "Chưa gửi được tin tới Zalo. Hệ thống sẽ tự gửi lại, không cần thao tác."


def headers(config: ZaloConfig, token: Secret) -> dict[str, str]:
    """What opens an account's API."""
    opening = {"access_token": token.reveal()}
    if config.appsecret_proof:
        key, words = config.app_secret.reveal().encode(), token.reveal().encode()
        opening["appsecret_proof"] = hmac.new(key, words, hashlib.sha256).hexdigest()
    return opening


def looked_up(http: Http, config: ZaloConfig, token: Secret, path: str, asked: dict[str, Any]) -> object:
    """The data behind a question; what citizens say in the answer is recorded nowhere. Raises SendError."""
    query = urlencode({"data": json.dumps(asked, separators=(",", ":"))})
    url = f"{config.api_base}{path}?{query}"
    return _data(http.call("GET", url, headers=headers(config, token), told=lambda body: f"({len(body)} bytes)"))


def accepted(answer: Answer, *, service: str = "oa") -> dict[str, Any]:
    """The data of an answer that says yes, an empty one if there is none. Raises SendError."""
    data = _data(answer, service)
    return data if isinstance(data, dict) else {}


def _data(answer: Answer, service: str = "oa") -> object:
    if answer.status == httpx.codes.TOO_MANY_REQUESTS:
        raise rate_limited(answer.headers.get("retry-after"))
    if answer.status >= 500:
        raise OutcomeUnknown(f"zalo_http_{answer.status}", UNCLEAR)
    reply = answer.json()
    code = error_code(reply)
    if code:
        raise send_error(code, service=service)
    if answer.status == httpx.codes.UNAUTHORIZED:
        raise TokenRejected("zalo_http_401", send_error(401).shown)
    if answer.status >= 400:
        raise MessageRefused(f"zalo_http_{answer.status}", send_error(-201).shown)
    if answer.status >= 300:
        # Zalo never redirects: something in between answered, and nothing came to Zalo.
        raise TemporarilyRefused("zalo_redirected", NOT_SENT, tries=5)
    if code is None:
        raise OutcomeUnknown("zalo_unclear", UNCLEAR)
    return reply.get("data")


def error_code(reply: object) -> int | None:
    """The number in "error", 0 for success, None when the reply is not one of Zalo's."""
    if not isinstance(reply, dict):
        return None
    error = reply.get("error")
    if isinstance(error, int) and not isinstance(error, bool):
        return error
    if isinstance(error, str) and re.fullmatch(r"-?\d{1,9}", error, re.ASCII):
        return int(error)
    return None


def text_of(value: object, longest: int) -> str:
    """An id or a number as text, "" for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return events.ident(value, longest)


def flat(quota: dict[str, Any]) -> dict[str, str]:
    """An object's plain values as short texts."""
    return {printable(k, 40): printable(str(v), 80) for k, v in list(quota.items())[:20] if isinstance(v, str | int)}


def posted(
    http: Http, config: ZaloConfig, token: Secret, path: str, body: dict[str, Any], *, hide: tuple[str, ...] = ()
) -> SendResult:
    """Hand a message over and read the receipt; its words are recorded nowhere. Raises SendError."""
    words = body.get("message", {}).get("text", "")
    answer = http.call("POST", config.api_base + path, headers=headers(config, token), json=body, hide=[words, *hide])
    return receipt_of(accepted(answer))


def receipt_of(data: dict[str, Any]) -> SendResult:
    """What Zalo says of a message it took. OutcomeUnknown when it names none."""
    message_id = text_of(data.get("msg_id"), 160) or text_of(data.get("message_id"), 160)
    if not message_id:
        raise OutcomeUnknown("zalo_no_message_id", UNCLEAR)
    quota = data.get("quota")
    return SendResult(
        external_id=message_id,
        sent_at=events.instant(text_of(data.get("sent_time"), 20)),
        quota=flat(quota) if isinstance(quota, dict) else {},
    )
