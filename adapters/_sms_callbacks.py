"""What SMS providers call us with: citizens' messages and receipts, in whatever form each one has."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from html import escape
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes

from adapters._sms_config import GATEWAYS, SmsConfig
from adapters.errors import BadSignature, UnreadablePayload
from adapters.messages import Envelope, WebhookRequest
from adapters.secret import Secret
from adapters.sms_profile import Incoming, Profile, Receipts, Signature
from adapters.sms_text import unmarked, urn_of
from adapters.text import printable

LONGEST_TEXT = 10_000
MOST_FIELDS = 60
_FIRST_WORD = re.compile(r"\W*(\w+)[\s:;,.\-–]*")
_CHARSETS = {"utf-16be": "utf-16-be", "ucs-2": "utf-16-be", "ucs2": "utf-16-be", "iso-8859-1": "latin-1",
             "latin-1": "latin-1", "us-ascii": "ascii", "utf-8": "utf-8", "": "utf-8"}  # fmt: skip


class Addressed(Protocol):
    """What must be known of a channel to see whom a message is for."""

    @property
    def account(self) -> str: ...
    @property
    def keyword(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def codes(self) -> tuple[str, ...]: ...

    def account_of(self, unit: str) -> str: ...


class Called:
    """The fields of one callback; values of a query or form are bytes until somebody says in which alphabet."""

    def __init__(self, request: WebhookRequest) -> None:
        self._pairs: dict[str, bytes] = {}
        self._json: Any = None
        if request.method == "GET":
            self._pairs = _pairs(request.query)
        elif "json" in request.headers.get("content-type", "json"):
            try:
                self._json = json.loads(request.body)
            except (ValueError, RecursionError):
                raise UnreadablePayload("not_json") from None
            if not isinstance(self._json, dict):
                raise UnreadablePayload("not_an_object")
        else:
            self._pairs = _pairs(request.body)

    def get(self, path: str, charset: str = "utf-8") -> str:
        """The text of a field, "" when it is not there."""
        if not path:
            return ""
        if self._json is not None:
            return printable(_scalar(self._json, path), LONGEST_TEXT)
        return printable(self._pairs.get(path, b"").decode(charset, "replace"), LONGEST_TEXT)

    def meets(self, conditions: Mapping[str, tuple[str, ...]]) -> bool:
        """Whether each named field has one of its values."""
        return all(self.get(path) in values for path, values in conditions.items())


def admitted(request: WebhookRequest, config: SmsConfig) -> Envelope:
    """Verify a callback and read what is to be stored of it. Raises DoorError."""
    words, secret_name = _address(request, config)
    _check_source(request, config)
    gateway = config.gateways[1 if "backup" in words and len(config.gateways) > 1 else 0]
    profile = gateway.profile
    if request.method not in profile.methods:
        raise UnreadablePayload("wrong_method")
    called = Called(request)
    is_receipt = profile.receipt is not None and (
        "receipt" in words or bool(profile.receipt.when and called.meets(profile.receipt.when))
    )
    if not is_receipt or profile.signature.covers == "everything":
        _check_signature(request, called, profile.signature, gateway.callback_key)
    if is_receipt and profile.receipt is not None:
        return _receipt(called, profile.receipt, config, secret_name)
    if profile.mo is None or not called.meets(profile.mo.when):
        raise UnreadablePayload("neither_message_nor_receipt")
    return _message(called, profile, profile.mo, config, secret_name)


def message_envelope(config: Addressed, key: str, at: datetime, data: dict[str, Any]) -> Envelope:
    """A citizen's message: for whom it is by its first words, and those words taken off what is read."""
    unit, text = addressed(str(data["written"]), config)
    stored = {**data, "kind": "message", "text": text, "at": at.isoformat()}
    return Envelope(
        account=config.account_of(unit) if unit else config.account,
        event_name="message",
        key=key,
        conversation=urn_of(str(data["from"])) or "sms:other",
        occurred_at=at,
        body=json.dumps(stored, ensure_ascii=False).encode(),
        is_ours_otherwise=True,
    )


def addressed(text: str, config: Addressed) -> tuple[str, str]:
    """The word of the commune that a text names, if it names one, and the text without keyword and that word.

    Only a word of the table is one: "PA den duong hong" is about lamps.
    """
    rest = unicodedata.normalize("NFC", text)
    if config.keyword:
        word, after = _first_word(rest)
        if word == config.keyword:
            rest = after
    word, after = _first_word(rest)
    unit = word if word in config.codes or (word and word == config.unit) else ""
    if unit:
        rest = after
    return unit, rest if rest.strip() else text


def _first_word(text: str) -> tuple[str, str]:
    found = _FIRST_WORD.match(text)
    return (unmarked(found[1]).upper(), text[found.end() :]) if found else ("", text)


def _address(request: WebhookRequest, config: SmsConfig) -> tuple[list[str], str]:
    token, *words = request.path.split("/")
    if not token:
        raise BadSignature("unsigned")
    for name, secret in (("current", config.callback_token), ("previous", config.previous_callback_token)):
        if secret and hmac.compare_digest(secret.reveal().encode(), token.encode()):
            if not set(words) <= {GATEWAYS[1], "receipt", "mo"}:
                raise BadSignature("forged")
            return words, name
    raise BadSignature("forged")


def _check_source(request: WebhookRequest, config: SmsConfig) -> None:
    if not config.source_addresses:
        return
    try:
        address = ipaddress.ip_address(request.remote)
    except ValueError:
        raise BadSignature("foreign_address") from None
    if not any(address in network for network in config.source_addresses):
        raise BadSignature("foreign_address")


def _check_signature(request: WebhookRequest, called: Called, signature: Signature, key: Secret) -> None:
    if signature.kind == "none":
        return
    if not key:
        raise BadSignature("unsigned")
    if signature.kind == "digest":
        signed = "".join(called.get(path) for path in signature.over) + key.reveal()
        digest = hashlib.new(signature.algorithm, signed.encode(), usedforsecurity=False).digest()
        # A plus that nobody escaped reads as a space in a query.
        given, wanted = called.get(signature.at).replace(" ", "+"), base64.b64encode(digest).decode()
    elif signature.kind == "header":
        given, wanted = request.headers.get(signature.at.lower(), ""), key.reveal()
    elif signature.kind == "field":
        given, wanted = called.get(signature.at), key.reveal()
    else:
        given, wanted = _basic_password(request.headers.get("authorization", "")), key.reveal()
    if not given:
        raise BadSignature("unsigned")
    if not hmac.compare_digest(given.encode(), wanted.encode()):
        raise BadSignature("forged")


def _basic_password(header: str) -> str:
    kind, _, value = header.partition(" ")
    try:
        decoded = base64.b64decode(value.strip(), validate=True).decode() if kind.lower() == "basic" else ""
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return decoded.partition(":")[2]


def _message(called: Called, profile: Profile, mo: Incoming, config: SmsConfig, secret_name: str) -> Envelope:
    charset = _CHARSETS.get(called.get(mo.charset_at).lower(), "utf-8")
    sender, text, given_id = called.get(mo.from_at), called.get(mo.text_at, charset), called.get(mo.id_at)[:150]
    if not sender or (mo.id_at and not given_id):
        raise UnreadablePayload("no_sender_or_id")
    now = datetime.now(UTC)
    at = _moment(called.get(mo.time_at), mo) or now
    key = f"message:{given_id}" if given_id else _key_without_id(sender, text, at if mo.time_at else None, now)
    data: dict[str, Any] = {
        "provider": profile.name, "id": given_id or key, "from": sender[:40],
        "to": (called.get(mo.to_at) or config.number)[:40], "written": text,
    }  # fmt: skip
    part = _part(called, mo)
    envelope = piece(config, key, at, data, part) if part else message_envelope(config, key, at, data)
    values = {"id": given_id, "from": sender, "to": data["to"], "answer": config.mo_answer}
    reply = profile.reply.body.format_map({name: escape(value) for name, value in values.items()})
    return _with(envelope, secret_name, reply=reply.encode(), reply_type=profile.reply.type if reply else "")


def piece(config: Addressed, key: str, at: datetime, data: dict[str, Any], part: dict[str, Any]) -> Envelope:
    """A piece of a citizen's long message; whose it is shows when it is whole."""
    stored = {**data, "kind": "part", "at": at.isoformat(), **part}
    name = f"part {data['to']} {part['reference']} {part['total']}"
    return Envelope(
        account=config.account,
        event_name=name[:80],
        key=f"{key[:180]}:{part['number']}",
        conversation=urn_of(data["from"]) or "sms:other",
        occurred_at=at,
        body=json.dumps(stored, ensure_ascii=False).encode(),
    )


def _part(called: Called, mo: Incoming) -> dict[str, Any] | None:
    total, number = called.get(mo.total_at), called.get(mo.part_at)
    if not (total.isdecimal() and number.isdecimal() and len(total) < 4 and len(number) < 4):
        return None
    if int(total) < 2 or not 1 <= int(number) <= int(total) <= 255:
        return None
    return {"reference": called.get(mo.reference_at)[:20], "total": int(total), "number": int(number)}


def _receipt(called: Called, form: Receipts, config: SmsConfig, secret_name: str) -> Envelope:
    external_id, status = called.get(form.id_at)[:150], called.get(form.status_at)[:40]
    if not external_id or not status:
        raise UnreadablePayload("no_id_or_status")
    meaning = form.meaning(status)
    if form.failed_when and meaning == "delivered" and called.meets(form.failed_when):
        meaning = "failed"
    part, parts = called.get(form.part_at), called.get(form.parts_at)
    is_part = part.isdecimal() and parts.isdecimal() and len(part) < 4 and len(parts) < 4
    envelope = receipt_envelope(
        config,
        external_id,
        status,
        meaning,
        urn_of(called.get(form.phone_at)),
        reason=called.get(form.reason_at)[:80],
        part=(int(part), int(parts)) if is_part else (0, 0),
    )
    return _with(envelope, secret_name)


def receipt_envelope(
    config: Addressed, external_id: str, status: str, meaning: str, urn: str | None, *, reason: str = "",
    part: tuple[int, int] = (0, 0),
) -> Envelope:  # fmt: skip
    """What became of a message of ours; the same word twice is one fact."""
    at = datetime.now(UTC)
    stored = {
        "kind": "receipt", "id": external_id, "status": status, "meaning": meaning, "urn": urn, "at": at.isoformat(),
        "reason": reason, "part": part[0], "parts": part[1],
    }  # fmt: skip
    digest = hashlib.sha256(f"{external_id}\n{status}\n{meaning}\n{part[0]}".encode()).hexdigest()
    return Envelope(
        account=config.account,
        event_name="receipt",
        key=f"receipt:{digest}",
        conversation=urn or f"receipt:{external_id}",
        occurred_at=at,
        body=json.dumps(stored, ensure_ascii=False).encode(),
    )


def _with(envelope: Envelope, secret_name: str, *, reply: bytes = b"", reply_type: str = "") -> Envelope:
    return replace(envelope, matched_secret=secret_name, reply=reply, reply_type=reply_type)


def _key_without_id(sender: str, text: str, at: datetime | None, now: datetime) -> str:
    # A provider that gives messages no id repeats them within minutes; the same words an hour later are new ones.
    moment = at.isoformat() if at else now.strftime("%Y-%m-%dT%H:") + str(now.minute // 10)
    return "sha256:" + hashlib.sha256(f"{sender}\n{moment}\n{text}".encode()).hexdigest()


def _moment(text: str, mo: Incoming) -> datetime | None:
    zone = timezone(timedelta(hours=mo.time_zone))
    try:
        if mo.time_format in {"unix", "unix_ms"}:
            return datetime.fromtimestamp(int(text) / (1_000 if mo.time_format == "unix_ms" else 1), UTC)
        is_iso = mo.time_format == "iso"
        found = datetime.fromisoformat(text) if is_iso else datetime.strptime(text, mo.time_format).replace(tzinfo=zone)
    except (ValueError, OverflowError, OSError):
        return None
    found = found.replace(tzinfo=zone) if found.tzinfo is None else found
    return found.astimezone(UTC) if 2000 < found.year < 2200 else None


def _pairs(raw: bytes) -> dict[str, bytes]:
    """Fields of a query or form; raw bytes, since a telephone network's alphabet is not always UTF-8."""
    pairs: dict[str, bytes] = {}
    for piece in raw.split(b"&", MOST_FIELDS)[:MOST_FIELDS]:
        name, _, value = piece.partition(b"=")
        key = unquote_to_bytes(name.replace(b"+", b" ")).decode("utf-8", "replace")
        pairs.setdefault(key, unquote_to_bytes(value.replace(b"+", b" ")))
    return pairs


def _scalar(data: Any, path: str) -> str:
    for step in path.split("."):
        if isinstance(data, list) and step.isdecimal():
            data = data[int(step)] if int(step) < len(data) else None
        else:
            data = data.get(step) if isinstance(data, dict) else None
    if isinstance(data, bool) or not isinstance(data, str | int | float):
        return ""
    return str(data)
