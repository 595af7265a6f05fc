"""SMS over a link of our own to an operator (SMPP 3.4): same words as `sms`, but a process holds the connection."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from adapters import _sms_callbacks as callbacks
from adapters._sms_config import ACCENTS, Form, is_sender
from adapters.base import Limits
from adapters.errors import BadSignature, MessageRefused, TemporarilyRefused
from adapters.http import Http
from adapters.messages import Envelope, OutboundMessage, SendResult, WebhookRequest
from adapters.secret import Secret
from adapters.sms import Sms
from adapters.sms_text import digits_of, urn_of

# What a bind has room for; a library would cut the rest off without a word, and the operator would not know us.
ROOM = {"system_id": 15, "password": 8, "system_type": 12}
# How long the same words from the same number are taken for a repetition: an SMSC gives messages no id.
REPEATS = timedelta(minutes=10)
RECEIPT_IDS = ("same", "hex_then_decimal", "decimal_then_hex")
# Final words of a receipt; ACCEPTD and ENROUTE are on the way.
_STATES = {
    "DELIVRD": "delivered", "EXPIRED": "failed", "UNDELIV": "failed", "REJECTD": "failed", "DELETED": "failed",
    "UNKNOWN": "failed",
}  # fmt: skip


@dataclass(frozen=True)
class SmppConfig:
    """One account at an operator's SMSC. `receipt_ids`: how ids in answers and in receipts differ."""

    host: str
    port: int
    system_id: str
    password: Secret
    system_type: str = ""
    number: str = ""
    sender: str = ""
    keyword: str = ""
    unit: str = ""
    codes: tuple[str, ...] = ()
    accents: str = "drop"
    receipt_ids: str = "same"
    window: int = 10
    is_sandbox: bool = False

    @property
    def account(self) -> str:
        """The account this channel is: its number, and its word on it when others share the number."""
        return self.account_of(self.unit)

    @property
    def app_id(self) -> str:
        """What channels that share the link have in common."""
        return f"{self.host}:{self.port}:{self.system_id}"

    def account_of(self, unit: str) -> str:
        """The account of whoever has this word on our number."""
        number = self.number or self.sender
        return f"{number}/{unit}" if unit else number

    def known_id(self, answered: str) -> str:
        """The id by which a receipt will speak of a message that was answered with this one."""
        try:
            if self.receipt_ids == "hex_then_decimal":
                return str(int(answered, 16))
            if self.receipt_ids == "decimal_then_hex":
                return f"{int(answered):X}"
        except ValueError:
            return answered
        return answered


class Smpp(Sms):
    """One account on an SMSC; messages go out and come in over the link that `haichieu smpp` keeps."""

    type: ClassVar[str] = "smpp"
    keeps_link: ClassVar[bool] = True
    limits: ClassVar[Limits] = Sms.limits
    secret_fields: ClassVar[tuple[str, ...]] = ("password",)
    config_fields: ClassVar[tuple[str, ...]] = (
        "host", "port", "system_id", "system_type", "number", "sender", "keyword", "unit", "codes", "accents",
        "receipt_ids", "window", "is_sandbox",
    )  # fmt: skip

    def config(self, settings: dict[str, Any], secrets: dict[str, str]) -> Any:
        """Build the typed configuration; ValueError names every missing or malformed field."""
        return configured(settings, secrets)

    def standing_token(self, config: Any) -> Secret:
        """The password of the account."""
        password: Secret = config.password
        return password

    def admit(self, request: WebhookRequest, config: Any) -> Envelope:  # noqa: ARG002
        """Nobody calls: what comes in comes over the link. Raises BadSignature."""
        raise BadSignature("unsigned")

    def send(self, http: Http, config: Any, token: Secret, message: OutboundMessage) -> SendResult:  # noqa: ARG002
        """Nothing goes out this way; the link's own process sends. Raises SendError."""
        if digits_of(message.urn) is None:
            raise MessageRefused("not_a_mobile_number", "Không có số di động của người dân. Vui lòng gọi điện.")
        raise TemporarilyRefused("smpp_link_only", "Tin SMS này chờ đường nối tới nhà mạng.", retry_after=60.0)

    def gateways(self, config: Any) -> tuple[str, ...]:  # noqa: ARG002
        """There is one link."""
        return ("main",)

    def through(self, config: Any, name: str) -> Any:  # noqa: ARG002
        """The link itself."""
        return config

    def can_be_asked(self, config: Any) -> bool:  # noqa: ARG002
        """An SMSC tells nothing of balances."""
        return False

    def account(self, http: Http, config: Any) -> dict[str, str] | None:  # noqa: ARG002
        """Nothing to ask over HTTP."""
        return None

    def callback(self, config: Any) -> str:  # noqa: ARG002
        """There is no address to give to anybody."""
        return ""


def configured(settings: Mapping[str, Any], secrets: Mapping[str, str]) -> SmppConfig:
    """Build the configuration; ValueError names every missing or malformed field."""
    form = Form(settings, secrets)
    host, sender, number = form.text("host"), form.text("sender"), form.text("number")
    if not host:
        form.problems.append("host is missing")
    elif not (host.replace(".", "").replace("-", "").replace(":", "").isalnum() and host.isascii()):
        form.problems.append("host is not a name or an address")
    for field, value in (("sender", sender), ("number", number)):
        if value and not is_sender(value):
            form.problems.append(f"{field} must be a number, or a name of at most 11 letters, digits, dots, hyphens")
    if not (sender or number):
        form.problems.append("number and sender are missing: give the number citizens write to, or the sender name")
    if not form.text("system_id"):
        form.problems.append("system_id is missing")
    password = form.secret("password", needed=True)
    told = {"system_id": form.text("system_id"), "password": password.reveal(), "system_type": form.text("system_type")}
    for field, most in ROOM.items():
        if len(told[field]) > most:
            form.problems.append(f"{field} has more than {most} characters: SMPP has no room for them")
    config = SmppConfig(
        host=host,
        port=form.whole("port", 2775, 1, 65_535),
        system_id=form.text("system_id"),
        password=password,
        system_type=form.text("system_type"),
        number=number,
        sender=sender or number,
        keyword=form.keyword("keyword"),
        unit=form.keyword("unit"),
        codes=form.codes("codes"),
        accents=form.one_of("accents", ACCENTS),
        receipt_ids=form.one_of("receipt_ids", RECEIPT_IDS),
        window=form.whole("window", 10, 1, 200),
        is_sandbox=form.flag("is_sandbox"),
    )
    if form.problems:
        raise ValueError("smpp: " + "; ".join(form.problems))
    return config


def message_heard(
    config: SmppConfig, source: str, destination: str, text: str, part: tuple[int, int, int] | None, at: datetime
) -> Envelope:
    """What an SMSC delivered, as an event to store; pieces of one message share a reference."""
    bare = source.removeprefix("+")
    # An SMSC gives messages no id and repeats what it thinks was lost. A piece has its reference for that; of whole
    # messages the same words ten minutes later are new ones.
    moment = f"{at:%Y-%m-%d}" if part else f"{at:%Y-%m-%dT%H:}{at.minute // 10}"
    digest = hashlib.sha256(f"{bare}\n{destination}\n{part}\n{moment}\n{text}".encode()).hexdigest()
    key = f"sha256:{digest}"
    data: dict[str, Any] = {"provider": "smpp", "id": key, "from": bare[:40], "to": destination[:40], "written": text}
    if part is None or part[1] < 2 or not 1 <= part[2] <= part[1]:
        return callbacks.message_envelope(config, key, at, data)
    reference, total, number = part
    return callbacks.piece(config, key, at, data, {"reference": str(reference), "total": total, "number": number})


def receipt_heard(config: SmppConfig, source: str, external_id: str, state: str, error: str) -> Envelope | None:
    """What an SMSC reported, as an event to store; None when it names no message."""
    if not external_id:
        return None
    meaning = _STATES.get(state, "pending")
    return callbacks.receipt_envelope(
        config, external_id[:150], state[:40], meaning, urn_of(source), reason=f"{state} {error}".strip()[:80]
    )
