"""How four providers speak HTTP, from their public descriptions: what they are sent, answer, and call us with."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from html import unescape
from typing import Any, ClassVar, Protocol
from urllib.parse import quote, urlencode

import flask

from bot.web.sandbox.settings import SandboxSms
from bot.web.sandbox.sms.alphabet import NARROW, counted

VIETNAM = timezone(timedelta(hours=7))
# What a request may be refused for; each provider has a number for it, or a status.
KEY, NUMBER, EMPTY, KIND, REPEATED, THROTTLED = "key", "number", "empty", "kind", "repeated", "throttle"


class Refused(Exception):
    """The provider does not take a message; `what` is one of the words above."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


@dataclass(frozen=True)
class Order:
    """A message as a gateway asks for it."""

    key: str
    secret: str
    to: str
    text: str
    sender: str
    our_id: str = ""
    wants: str = ""


@dataclass(frozen=True)
class Call:
    """A request of the provider to the gateway."""

    method: str
    url: str
    json: Any = None


class Provider(Protocol):
    """One provider: its side of sending, and how it calls back."""

    name: ClassVar[str]

    def order(self, request: flask.Request) -> Order: ...
    def taken(self, number: int, order: Order) -> flask.Response: ...
    def refused(self, what: str, code: int = 0) -> flask.Response: ...
    def message(self, account: SandboxSms, phone: str, body: dict[str, Any]) -> Call: ...
    def receipt(self, account: SandboxSms, row: Any, fate: str) -> Call | None: ...
    def answered(self, words: str) -> str: ...


class Kannel:
    """Kannel's sendsms, its dlr-url and its get-url."""

    name: ClassVar[str] = "kannel"
    WORDS: ClassVar[dict[str, tuple[int, str]]] = {
        KEY: (403, "Authorization failed for sendsms"),
        NUMBER: (400, "Missing receiver number, rejected"),
        EMPTY: (400, "Empty text not allowed, rejected"),
        THROTTLED: (503, "Temporal failure, try again later."),
    }
    TYPES: ClassVar[dict[str, tuple[int, str]]] = {"accepted": (8, "ACK/"), "arrived": (1, ""), "failed": (2, "")}

    def order(self, request: flask.Request) -> Order:
        """Read sendsms?user=&pass=&from=&to=&text=&coding=&charset=&dlr-mask=&dlr-url="""
        get = request.args.get
        text = get("text", "") if get("coding", "0") == "2" else narrowed(get("text", ""))
        wants = json.dumps([int(get("dlr-mask", "0")), get("dlr-url", "")]) if get("dlr-url") else ""
        return Order(get("user", ""), get("pass", ""), get("to", "").lstrip("+"), text, get("from", ""), "", wants)

    def taken(self, number: int, order: Order) -> flask.Response:  # noqa: ARG002
        """It is in the queue; Kannel gives no id."""
        return plain("0: Accepted for delivery", 202)

    def refused(self, what: str, code: int = 0) -> flask.Response:  # noqa: ARG002
        """A status with a few words."""
        status, words = self.WORDS.get(what, (400, "Not understood, rejected"))
        return plain(words, status)

    def message(self, account: SandboxSms, phone: str, body: dict[str, Any]) -> Call:
        """The get-url with its escapes filled in; mo-recode is on, so the words are UTF-8."""
        values = {
            "p": f"+{phone}", "P": account.number, "a": body["text"], "i": "sandbox", "I": f"mo-{body['message']}",
            "t": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}", "c": "0", "C": "UTF-8",
        }  # fmt: skip
        return Call("GET", _escaped(account.callback_url, values))

    def receipt(self, account: SandboxSms, row: Any, fate: str) -> Call | None:  # noqa: ARG002
        """The dlr-url with its escapes filled in, when the mask asks for this type."""
        mask, url = json.loads(row["wants"])
        kind, words = self.TYPES[fate]
        values = {"d": str(kind), "A": words, "F": f"{row['id']:X}", "p": f"+{row['phone']}", "P": row["other"]}
        return Call("GET", _escaped(url, values)) if mask & kind else None

    def answered(self, words: str) -> str:  # noqa: ARG002
        """What a gateway answers is not sent to anybody."""
        return ""


class Esms:
    """eSMS's SendMultipleMessage_V4, its CallbackUrl and its short codes."""

    name: ClassVar[str] = "esms"
    CODES: ClassVar[dict[str, tuple[int, str]]] = {
        KEY: (101, "Authorize Failed"),
        NUMBER: (108, "Phone number invalid"),
        EMPTY: (99, "Content is empty"),
        KIND: (118, "SmsType invalid"),
        REPEATED: (124, "RequestId is duplicated"),
    }

    def order(self, request: flask.Request) -> Order:
        """Read its JSON. A pretend provider sends whatever `Sandbox` says: nothing leaves this machine anyway."""
        asked = _json_of(request)
        if str(asked.get("SmsType")) not in {"1", "2", "8"}:
            raise Refused(KIND)
        text = str(asked.get("Content", ""))
        text = text if str(asked.get("IsUnicode", "0")) == "1" else narrowed(text)
        return Order(
            str(asked.get("ApiKey", "")), str(asked.get("SecretKey", "")), str(asked.get("Phone", "")), text,
            str(asked.get("Brandname", "")), str(asked.get("RequestId", "")), str(asked.get("CallbackUrl", "")),
        )  # fmt: skip

    def taken(self, number: int, order: Order) -> flask.Response:  # noqa: ARG002
        """Code 100: accepted, not delivered."""
        return as_json({"CodeResult": "100", "CountRegenerate": 0, "SMSID": f"sandbox-{number}"})

    def refused(self, what: str, code: int = 0) -> flask.Response:
        """HTTP 200 and a code; too many requests are a 429 of the server in front."""
        if what == THROTTLED:
            return plain("Too Many Requests", 429)
        known, words = self.CODES.get(what, (code or 99, "Error"))
        return as_json({"CodeResult": str(known), "CountRegenerate": 0, "ErrorMessage": words})

    def message(self, account: SandboxSms, phone: str, body: dict[str, Any]) -> Call:
        """A signed GET, the signature as the short code's description has it."""
        text, smsid = body["text"], f"sandbox-{body['message']}"
        at = f"{datetime.now(VIETNAM):%Y-%m-%d %H:%M:%S}"
        signed = f"{CPID}{smsid}{text}{at}{account.callback_key}".encode()
        sign = base64.b64encode(hashlib.md5(signed, usedforsecurity=False).digest()).decode()
        values = {
            "sender": phone, "content": text, "serviceNumber": account.number, "keyword": text.split(maxsplit=1)[0],
            "sign": sign, "cpid": CPID, "smsid": smsid, "receiverTime": at,
        }  # fmt: skip
        return Call("GET", f"{account.callback_url}?{urlencode(values)}")

    def receipt(self, account: SandboxSms, row: Any, fate: str) -> Call | None:  # noqa: ARG002
        """A GET to the message's own CallbackUrl; 5 with nobody reached is a failure."""
        values = {
            "SMSID": f"sandbox-{row['id']}", "SendStatus": "2" if fate == "accepted" else "5",
            "SendSuccess": str(int(fate == "arrived")), "SendFailed": str(int(fate == "failed")),
            "TotalPrice": "0", "RequestId": row["our_id"], "TypeId": "2", "telcoid": "1", "phonenumber": row["phone"],
        }  # fmt: skip
        return Call("GET", f"{row['wants']}?{urlencode(values)}")

    def answered(self, words: str) -> str:
        """What stands in Message of the answer is sent to the citizen."""
        found = re.search(r"<Message>(.*?)</Message>", words, re.DOTALL)
        return unescape(found[1]).strip() if found else ""


class SpeedSms:
    """SpeedSMS's sms/send and its webhook."""

    name: ClassVar[str] = "speedsms"
    CODES: ClassVar[dict[str, tuple[str, str]]] = {
        NUMBER: ("105", "phone number invalid"),
        EMPTY: ("101", "invalid or missing parameters"),
        KIND: ("009", "sms type is not allowed"),
    }

    def order(self, request: flask.Request) -> Order:
        """Read its JSON; the token is the user of Basic, the password an x."""
        asked, login = _json_of(request), request.authorization
        if str(asked.get("sms_type")) not in {"2", "3", "4", "5"}:
            raise Refused(KIND)
        numbers = asked.get("to")
        to = str(numbers[0]) if isinstance(numbers, list) and len(numbers) == 1 else ""
        key = str(login.username or "") if login is not None and login.password == "x" else ""  # noqa: S105
        return Order(key, "", to, str(asked.get("content", "")), str(asked.get("sender", "")), "", "webhook")

    def taken(self, number: int, order: Order) -> flask.Response:
        """A success with the number of the transaction."""
        pieces = len(counted(order.text).pieces)
        data = {"tranId": number, "totalSMS": pieces, "totalPrice": 250 * pieces, "invalidPhone": []}
        return as_json({"status": "success", "code": "00", "data": data})

    def refused(self, what: str, code: int = 0) -> flask.Response:
        """An error with a code of three digits; keys and haste are HTTP's own."""
        if what in {KEY, THROTTLED}:
            status, words = (401, "Unauthorized") if what == KEY else (429, "Too many requests")
            return as_json({"status": "error", "message": words}, status)
        known, words = self.CODES.get(what, (f"{code or 500:03d}", "error"))
        return as_json({"status": "error", "code": known, "message": words})

    def message(self, account: SandboxSms, phone: str, body: dict[str, Any]) -> Call:
        """The webhook, with a type of its own."""
        return Call("POST", account.callback_url, {"type": "sms", "phone": phone, "content": body["text"]})

    def receipt(self, account: SandboxSms, row: Any, fate: str) -> Call | None:
        """A report to the same address: 0 delivered, 1 to 63 for now, 64 and above for good."""
        status = {"accepted": 1, "arrived": 0, "failed": 70}[fate]
        report = {"type": "report", "tranId": row["id"], "phone": row["phone"], "status": status}
        return Call("POST", account.receipt_url or account.callback_url, report)

    def answered(self, words: str) -> str:  # noqa: ARG002
        """What a gateway answers is not sent to anybody."""
        return ""


class Vonage:
    """Vonage's sms/json; it leaves the pieces of a long message to whoever receives them."""

    name: ClassVar[str] = "vonage"
    CODES: ClassVar[dict[str, tuple[int, str]]] = {
        THROTTLED: (1, "Throttled"),
        EMPTY: (2, "Missing Message Body"),
        NUMBER: (3, "Invalid to param"),
        KEY: (4, "Bad Credentials"),
    }

    def order(self, request: flask.Request) -> Order:
        """Read its form or JSON."""
        asked = request.form.to_dict() or _json_of(request)
        text = str(asked.get("text", ""))
        return Order(
            str(asked.get("api_key", "")), str(asked.get("api_secret", "")), str(asked.get("to", "")),
            text if asked.get("type") == "unicode" else narrowed(text), str(asked.get("from", "")),
        )  # fmt: skip

    def taken(self, number: int, order: Order) -> flask.Response:
        """Status 0."""
        return self._answer({"to": order.to, "message-id": f"{number:016X}", "status": "0"})

    def refused(self, what: str, code: int = 0) -> flask.Response:
        """HTTP 200 and a status other than 0."""
        known, words = self.CODES.get(what, (code or 5, "Internal Error"))
        return self._answer({"status": str(known), "error-text": words})

    def message(self, account: SandboxSms, phone: str, body: dict[str, Any]) -> Call:
        """A GET; pieces say which they are."""
        values = {
            "msisdn": phone, "to": account.number, "messageId": f"MO{body['message']}", "text": body["text"],
            "type": "text" if body["alphabet"] == NARROW else "unicode",
            "message-timestamp": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}",
        }  # fmt: skip
        if body["total"] > 1:
            piece = {"concat-ref": body["reference"], "concat-total": body["total"], "concat-part": body["piece"]}
            values |= {"concat": "true", **piece}
        return Call("GET", f"{account.callback_url}?{urlencode(values)}")

    def receipt(self, account: SandboxSms, row: Any, fate: str) -> Call | None:
        """A GET to the address of the account, if it has one."""
        values = {
            "msisdn": row["phone"], "to": row["other"], "messageId": f"{row['id']:016X}", "status": STATUSES[fate],
            "err-code": "0" if fate != "failed" else "1", "scts": f"{datetime.now(UTC):%y%m%d%H%M}",
        }  # fmt: skip
        return Call("GET", f"{account.receipt_url}?{urlencode(values)}") if account.receipt_url else None

    def answered(self, words: str) -> str:  # noqa: ARG002
        """What a gateway answers is not sent to anybody."""
        return ""

    def _answer(self, message: dict[str, Any]) -> flask.Response:
        return as_json({"message-count": "1", "messages": [message]})


CPID = "sandbox"
STATUSES = {"accepted": "accepted", "arrived": "delivered", "failed": "failed"}
PROVIDERS: dict[str, Provider] = {one.name: one for one in (Kannel(), Esms(), SpeedSms(), Vonage())}


def narrowed(text: str) -> str:
    """What becomes of words that are sent in the narrow alphabet although it lacks some of their letters."""
    return "".join(c if counted(c).alphabet == NARROW else "?" for c in text)


def plain(words: str, status: int = 200) -> flask.Response:
    """An answer in plain words."""
    return flask.Response(words, status, content_type="text/html")


def as_json(body: object, status: int = 200) -> flask.Response:
    """An answer in JSON."""
    return flask.Response(json.dumps(body), status, content_type="application/json; charset=utf-8")


def _json_of(request: flask.Request) -> dict[str, Any]:
    value = request.get_json(force=True, silent=True)
    return value if isinstance(value, dict) else {}


def _escaped(template: str, values: dict[str, str]) -> str:
    """An address of Kannel's configuration with its escapes filled in; what is none of them stays as it is."""
    known = {"%": "%", **{name: quote(value, safe="") for name, value in values.items()}}
    return re.sub("%(.)", lambda found: known.get(found[1], found[0]), template)
