"""Handing a message to an SMS provider as its profile describes, and understanding what it answers."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import httpx

from adapters._sms_config import Gateway, SmsConfig
from adapters._sms_errors import refusal
from adapters.errors import MessageRefused, OutcomeUnknown
from adapters.http import Answer, Http
from adapters.messages import OutboundMessage, SendResult
from adapters.sms_profile import Asking, Profile, Sending
from adapters.sms_text import Segments, digits_of, segments, unmarked
from adapters.text import printable

LONGEST_ID = 150


def hand_over(http: Http, config: SmsConfig, message: OutboundMessage) -> SendResult:
    """Send one message through the gateway in use. Raises SendError."""
    gateway = config.gateway
    number = digits_of(message.urn)
    if number is None:
        raise MessageRefused(
            "not_a_mobile_number", "Không có số di động của người dân nên chưa gửi SMS. Vui lòng gọi điện."
        )
    if message.image is not None:
        raise MessageRefused("sms_no_image", "SMS không gửi được ảnh. Vui lòng trả lời bằng lời.")
    counted = _counted(gateway.profile, wording(config.accents, message.text))
    values = _values(config, gateway, message, number, counted)
    send = gateway.profile.send
    fields = filled(send.fields, values)
    try:
        answer = _call(http, gateway, send.method, gateway.send_url, send.body, fields, values)
        return _result(gateway.profile, answer, message, number)
    except OutcomeUnknown as error:
        shown = refusal(gateway.profile.name, "unknown").shown
        # A provider that knows our id reports by it, and recognises the message when it is asked again.
        external_id = "" if send.id_at else message.id
        may_repeat = send.is_repeatable and bool(message.id)
        raise OutcomeUnknown(error.code, shown, may_repeat=may_repeat, external_id=external_id) from None


def wording(accents: str, text: str) -> str:
    """The words as they travel: without marks, unless the channel is set to keep them."""
    return text if accents == "keep" else unmarked(text)


def account(http: Http, gateway: Gateway, asking: Asking) -> dict[str, str]:
    """What the provider says of our account: its balance, if it tells. Raises SendError."""
    profile = gateway.profile
    values = {"api_key": gateway.api_key.reveal(), "api_secret": gateway.api_secret.reveal()}
    answer = _call(http, gateway, asking.method, asking.url, asking.body, filled(asking.fields, values), values)
    data = answer.json()
    if answer.status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        raise refusal(profile.name, "account", f"http_{answer.status}")
    if not answer.is_success:
        raise refusal(profile.name, "busy", f"http_{answer.status}")
    if asking.ok_at and found_at(data, asking.ok_at) not in asking.ok_values:
        code = found_at(data, asking.ok_at)
        raise refusal(profile.name, profile.send.codes.get(code, "account"), code)
    return {"balance": found_at(data, asking.balance_at)} if asking.balance_at else {}


def filled(template: Any, values: Mapping[str, str]) -> Any:
    """A template with its placeholders replaced, however deep they stand."""
    if isinstance(template, str):
        return template.format_map(values)
    if isinstance(template, dict):
        return {name: filled(one, values) for name, one in template.items()}
    return [filled(one, values) for one in template] if isinstance(template, list) else template


def found_at(data: Any, path: str) -> str:
    """What stands at a path such as `data.tranId` of a JSON value; "" when nothing plain does."""
    for step in path.split(".") if path else []:
        if isinstance(data, list) and step.isdecimal():
            data = data[int(step)] if int(step) < len(data) else None
        else:
            data = data.get(step) if isinstance(data, dict) else None
    if isinstance(data, bool) or not isinstance(data, str | int | float):
        return ""
    return printable(str(data), 500).strip()


def _counted(profile: Profile, text: str) -> Segments:
    try:
        counted = segments(text)
    except ValueError:
        raise refusal(profile.name, "too_long") from None
    if counted.count > profile.send.text_max_parts:
        raise refusal(profile.name, "too_long")
    if counted.is_unicode and not profile.send.takes_unicode:
        raise refusal(profile.name, "unicode")
    return counted


def _values(
    config: SmsConfig, gateway: Gateway, message: OutboundMessage, number: str, counted: Segments
) -> dict[str, str]:
    where = "" if gateway is config.gateways[0] else "/backup"
    token = config.callback_token.reveal()
    return {
        "to": number,
        "to_plus": f"+{number}",
        "to_local": f"0{number[2:]}",
        "text": "".join(counted.parts),
        "id": message.id,
        "sender": gateway.sender,
        "number": config.number,
        "unicode": "1" if counted.is_unicode else "0",
        "coding": "2" if counted.is_unicode else "0",
        "receipt_url": f"{message.callback_url}/{token}{where}/receipt" if message.callback_url else "",
        "sandbox": "1" if config.is_sandbox else "0",
        "sms_type": gateway.sms_type,
        "api_key": gateway.api_key.reveal(),
        "api_secret": gateway.api_secret.reveal(),
        "callback_token": token,
    }


def _call(
    http: Http, gateway: Gateway, method: str, url: str, body: str, fields: Any, values: Mapping[str, str]
) -> Answer:
    content: dict[str, Any] = {}
    if body == "query":
        # The exchange log leaves queries out: keys, numbers and words of citizens stand in this one.
        url = f"{url}?{urlencode(fields)}" if fields else url
    else:
        content = {body: fields}
    hidden = [value for name, value in values.items() if name not in {"unicode", "coding", "sandbox", "sms_type", "id"}]
    return http.call(method, url, headers=_auth(gateway.profile.send, values), hide=hidden, **content)


def _auth(send: Sending, values: Mapping[str, str]) -> dict[str, str]:
    known = {"api_key": "", "api_secret": "", **values}
    user, password = (one.format_map(_Forgiving(known)) for one in (send.user, send.password))
    if send.auth == "basic":
        return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}
    if send.auth == "bearer":
        return {"Authorization": f"Bearer {password}"}
    return {send.header: password} if send.auth == "header" else {}


class _Forgiving(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return ""


def _result(profile: Profile, answer: Answer, message: OutboundMessage, number: str) -> SendResult:
    send = profile.send
    read = _reader(send, answer)
    code = read(send.code_at)
    is_taken = answer.status in send.ok_statuses and (not send.ok_at or read(send.ok_at) in send.ok_values)
    if is_taken and _is_listed(send, answer, number):
        raise refusal(profile.name, "number")
    if not is_taken:
        outcome = _outcome(send, answer, code)
        if outcome != "sent_before":
            raise refusal(profile.name, outcome, code)
        if not message.is_repeat:
            # Nobody has sent this yet: the name is taken by something else, and our words have not gone out.
            raise refusal(profile.name, "id_taken")
    # Where receipts speak of a message by our own name for it, that is its id.
    external_id = read(send.id_at)[:LONGEST_ID] if send.id_at else message.id
    if not external_id:
        raise refusal(profile.name, "unknown", "no_id")
    return SendResult(external_id)


def _reader(send: Sending, answer: Answer) -> Any:
    if send.reads == "json":
        data = answer.json()
        return lambda path: found_at(data, path) if path else ""
    text = printable(answer.body[:4_000].decode("utf-8", "replace"), 4_000)

    def search(pattern: str) -> str:
        found = re.search(pattern, text) if pattern else None
        return (found[1] or "").strip() if found else ""

    return search


def _outcome(send: Sending, answer: Answer, code: str) -> str:
    if code in send.codes:
        return send.codes[code]
    if str(answer.status) in send.statuses:
        return send.statuses[str(answer.status)]
    if answer.status == httpx.codes.TOO_MANY_REQUESTS:
        return "throttled"
    if answer.status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        return "account"
    if answer.status >= 500:
        return "unknown"
    if answer.status >= 400:
        return "refused"
    if answer.status >= 300:
        return "busy"  # something in between answered: nothing came to the provider
    return "refused" if code else "unknown"


def _is_listed(send: Sending, answer: Answer, number: str) -> bool:
    """Whether the provider took the request but names our one number among those it cannot send to."""
    data = answer.json() if send.invalid_at else None
    for step in send.invalid_at.split(".") if send.invalid_at else []:
        data = data.get(step) if isinstance(data, dict) else None
    return isinstance(data, list) and any(digits_of(f"tel:{one}") == number for one in data if isinstance(one, str))
