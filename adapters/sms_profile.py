"""What is particular to one SMS provider, as data: how to send, how to read its answers, its receipts and messages.

A profile is a JSON file like those in `sms_profiles/`; `sms_profile_form` names everything that is wrong with one.
Templates hold {placeholders}: {to} 84…, {to_plus} +84…, {to_local} 0…, {text}, {id} (our own id of the message),
{sender}, {number}, {unicode} 1 or 0, {coding} 2 or 0, {receipt_url}, {sandbox} 1 or 0, {sms_type} and the secrets
{api_key}, {api_secret}. Places in an answer are paths such as `data.tranId` or `messages.0.status`; in a plain text
they are regular expressions whose first group is meant.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_RANGE = re.compile(r"(-?\d+)(?:\s*-\s*(\d+)|(\+))?")


@dataclass(frozen=True)
class Sending:
    """How a message is handed over, and what the answers mean."""

    url: str
    fields: Mapping[str, Any]
    method: str = "POST"
    body: str = "json"
    auth: str = "none"
    user: str = ""
    password: str = ""
    header: str = ""
    reads: str = "json"
    ok_statuses: tuple[int, ...] = (200,)
    ok_at: str = ""
    ok_values: tuple[str, ...] = ()
    code_at: str = ""
    id_at: str = ""
    invalid_at: str = ""
    is_repeatable: bool = False
    codes: Mapping[str, str] = field(default_factory=dict)
    statuses: Mapping[str, str] = field(default_factory=dict)
    text_max_parts: int = 4
    takes_unicode: bool = True
    sms_type: str = "2"


@dataclass(frozen=True)
class Asking:
    """How the account is asked whether it works: what is called, and where the balance stands in the answer."""

    url: str
    method: str = "POST"
    body: str = "json"
    fields: Mapping[str, Any] = field(default_factory=dict)
    ok_at: str = ""
    ok_values: tuple[str, ...] = ()
    balance_at: str = ""


@dataclass(frozen=True)
class Receipts:
    """How the provider says later what became of a message. `statuses`: exact words, "1-63" or "64+"."""

    id_at: str
    status_at: str = ""
    statuses: Mapping[str, str] = field(default_factory=dict)
    phone_at: str = ""
    when: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    failed_when: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reason_at: str = ""
    part_at: str = ""
    parts_at: str = ""

    def meaning(self, status: str) -> str:
        """delivered, failed or pending; pending for a status nobody has told us of."""
        if status in self.statuses:
            return self.statuses[status]
        if re.fullmatch(r"-?\d{1,9}", status, re.ASCII):
            for words, meaning in self.statuses.items():
                found = _RANGE.fullmatch(words)
                if found and _is_within(int(status), found):
                    return meaning
        return "pending"


@dataclass(frozen=True)
class Incoming:
    """How a citizen's message arrives. `time_zone`: hours east of UTC; the last three: pieces left for us to join."""

    from_at: str
    text_at: str
    to_at: str = ""
    id_at: str = ""
    time_at: str = ""
    time_format: str = ""
    time_zone: float = 0.0
    charset_at: str = ""
    when: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reference_at: str = ""
    total_at: str = ""
    part_at: str = ""


@dataclass(frozen=True)
class Signature:
    """What proves, besides the secret address, that a callback is the provider's."""

    kind: str = "none"
    at: str = ""
    algorithm: str = "md5"
    over: tuple[str, ...] = ()
    covers: str = "mo"


@dataclass(frozen=True)
class Reply:
    """What the provider wants to hear when it has handed us a message."""

    body: str = ""
    type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Profile:
    """One provider."""

    name: str
    send: Sending
    methods: tuple[str, ...] = ("GET", "POST")
    types: tuple[str, ...] = ("json", "form")
    needs: tuple[str, ...] = ("api_key",)
    receipt: Receipts | None = None
    mo: Incoming | None = None
    signature: Signature = Signature()
    reply: Reply = Reply()
    callback_query: str = ""
    check: Asking | None = None


def _is_within(number: int, found: re.Match[str]) -> bool:
    low = int(found[1])
    if found[3]:
        return number >= low
    return low <= number <= int(found[2] or low)
