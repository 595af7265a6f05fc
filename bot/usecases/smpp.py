"""The process that keeps an SMPP link: claims what is owed, stores what comes in, and never two for one account."""

from __future__ import annotations

import random
import secrets as random_secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog

from adapters.errors import (
    ChannelRefused,
    ContactUnreachable,
    MessageRefused,
    OutcomeUnknown,
    SendError,
    TemporarilyRefused,
)
from adapters.messages import Envelope
from adapters.smpp import SmppConfig, message_heard, receipt_heard
from adapters.sms_text import digits_of
from bot.queue import INBOX
from bot.runtime import Runtime
from bot.usecases.broadcast import opening, withhold
from bot.usecases.deliveries import Claimed, Outcome, claim, record
from bot.usecases.sending import MANY, PERSONAL, Sender, may_send
from bot.usecases.setup import SetupError
from bot.usecases.tokens import channel_config
from storage.channels import Channel
from storage.enums import DeliveryState
from storage.ingest import Ingest, NewEvent

log = structlog.get_logger()

LEASE = timedelta(seconds=30)
RENEW_SECONDS, LOOK_SECONDS, LONGEST_PAUSE = 10.0, 0.5, 30.0
NEEDS_EXTRA = "SMPP needs its extra: pip install 'haichieu[smpp]'"

_SHOWN = {
    "busy": "Nhà mạng tạm thời không nhận tin. Hệ thống sẽ tự gửi lại, không cần thao tác.",
    "number": "Số điện thoại này không nhận được SMS. Vui lòng kiểm tra số hoặc gọi điện.",
    "account": "Nhà mạng từ chối tên gửi hoặc tài khoản SMS. Vui lòng báo người vận hành máy chủ.",
    "refused": "Nhà mạng không nhận tin này. Vui lòng viết lại hoặc gọi điện cho người dân.",
}
# command_status of SMPP 3.4; what is not listed, vendors' own codes included, is about the message.
_OUTCOMES: dict[int, type[SendError]] = {
    0x08: TemporarilyRefused, 0x45: TemporarilyRefused, 0x64: TemporarilyRefused, 0x0B: ContactUnreachable,
    0x50: ContactUnreachable, 0x51: ContactUnreachable, 0x0A: ChannelRefused, 0x48: ChannelRefused,
    0x49: ChannelRefused, 0x04: ChannelRefused,
}  # fmt: skip


def keep_link(runtime: Runtime, slug: str, until: Callable[[], bool]) -> None:
    """Hold the link of this channel until told otherwise; reconnects by itself. SetupError: there is no such link."""
    try:
        from adapters._smpp_link import LinkDown
    except ImportError:
        raise SetupError(NEEDS_EXTRA) from None
    operator = _Operator(runtime, slug)
    failures = 0
    while not until():
        if not operator.holds_lease():
            _pause(until, 5.0)
            continue
        try:
            operator.serve(until)
        except LinkDown as down:
            failures = 0 if operator.was_up else failures + 1
            operator.note_down(down.code)
            _pause(until, min(2.0**failures, LONGEST_PAUSE) * random.uniform(0.5, 1.0))
    operator.end()


def _pause(until: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and not until():
        time.sleep(min(0.2, seconds))


@dataclass
class _Operator:
    """At work on one channel's link."""

    runtime: Runtime
    slug: str
    lease: str = field(default_factory=lambda: random_secrets.token_hex(8))
    was_up: bool = False
    _claimed: dict[int, Claimed] = field(default_factory=dict)
    _outcomes: list[Outcome] = field(default_factory=list)
    _renewed: float = float("-inf")
    _looked: float = float("-inf")
    _ingest: Ingest | None = None

    def __post_init__(self) -> None:
        with self.runtime.database.reading() as session:
            channel = session.scalar(sa.select(Channel).where(Channel.slug == self.slug))
        if channel is None or channel.type != "smpp":
            raise SetupError(f"no SMPP channel {self.slug!r}; see: haichieu channel list")
        self.channel = channel
        self.config: SmppConfig = channel_config(self.runtime, channel)

    # ---- one process for one account --------------------------------------------------------------------------------

    def holds_lease(self) -> bool:
        """Take or renew the lease; False while another process has it."""
        if time.monotonic() - self._renewed < RENEW_SECONDS:
            return True
        now = self.runtime.now()
        with self.runtime.database.transaction() as session:
            row = session.get_one(Channel, self.channel.id, with_for_update=True)
            known = dict(row.gateway or {})
            until = datetime.fromisoformat(known["lease_until"]) if known.get("lease_until") else None
            if known.get("lease") not in {None, self.lease} and until is not None and until > now:
                return False
            row.gateway = {**known, "lease": self.lease, "lease_until": (now + LEASE).isoformat()}
        self._renewed = time.monotonic()
        return True

    def note_down(self, code: str) -> None:
        """Write down that there is no link, and why; what was on its way has been told already."""
        self._write_outcomes()
        self._note(is_up=False, code=code)
        log.warning("smpp.down", channel=self.slug, code=code)

    def end(self) -> None:
        """Give the lease back."""
        self._write_outcomes()
        with self.runtime.database.transaction() as session:
            row = session.get_one(Channel, self.channel.id, with_for_update=True)
            if (row.gateway or {}).get("lease") == self.lease:
                row.gateway = {"is_up": False, "code": "stopped", "since": self.runtime.now().isoformat()}
        if self._ingest is not None:
            self._ingest.close()

    def _note(self, *, is_up: bool, code: str = "") -> None:
        with self.runtime.database.transaction() as session:
            row = session.get_one(Channel, self.channel.id, with_for_update=True)
            since = self.runtime.now().isoformat()
            row.gateway = {**(row.gateway or {}), "is_up": is_up, "code": code, "since": since}

    # ---- the session ------------------------------------------------------------------------------------------------

    def serve(self, until: Callable[[], bool]) -> None:
        """One session from its opening to its end. Raises LinkDown."""
        from adapters._smpp_link import Link

        self.was_up = False
        link = Link(self.config, self)
        link.connect()
        self.was_up = True
        self._note(is_up=True)
        log.info("smpp.up", channel=self.slug)
        while not until() and self.holds_lease():
            self._hand_over(link)
            link.turn()
            self._write_outcomes()
        link.close()
        self._write_outcomes()

    def _hand_over(self, link: Any) -> None:
        room = link.room
        if not room or time.monotonic() - self._looked < LOOK_SECONDS:
            return
        claimed = self._claim(PERSONAL, room) or self._claim(MANY, room)
        if len(claimed) < room:
            self._looked = time.monotonic()
        for one in claimed:
            self._claimed[one.id] = one
            number = digits_of(one.urn)
            try:
                if number is None:
                    raise MessageRefused("not_a_mobile_number", _SHOWN["number"])
                if one.image_blob:
                    raise MessageRefused("sms_no_image", "SMS không gửi được ảnh. Vui lòng trả lời bằng lời.")
                link.submit(one.id, number, one.text)
            except SendError as error:
                self._settle(one.id, error)

    def _claim(self, kinds: list[Any], room: int) -> list[Claimed]:
        with self.runtime.database.transaction() as session:
            now = self.runtime.now()
            query = sa.select(Channel).where(Channel.id == self.channel.id, *may_send(now)).with_for_update()
            channel = session.scalar(query)
            if channel is None or (kinds == MANY and opening(session, channel.commune_id, now) > now):
                return []
            most = max(1, min(room, int(channel.rate_per_second * LOOK_SECONDS)))
            batch = claim(session, channel, kinds, most, self.lease, now)
            return withhold(session, batch, self.lease, now) if kinds == MANY else batch

    def _write_outcomes(self) -> None:
        if not self._outcomes:
            return
        outcomes, self._outcomes = self._outcomes, []
        sender = Sender(self.runtime, self.channel, set())
        with self.runtime.database.transaction() as session:
            record(session, outcomes, self.lease, self.runtime.now())
            for outcome in outcomes:
                if outcome.code and outcome.code.startswith("smpp_account"):
                    sender.pause_reason = _SHOWN["account"]
            sender.apply_to_channel(session, self.runtime.now())
        for outcome in outcomes:
            log.info(
                "delivery.outcome",
                channel=self.slug,
                delivery_id=outcome.claimed.id,
                state=outcome.state.value,
                code=outcome.code,
                tries=outcome.claimed.tries,
            )

    def _settle(self, key: int, error: SendError) -> None:
        claimed = self._claimed.pop(key, None)
        if claimed is not None:
            self._outcomes.append(Sender(self.runtime, self.channel, set()).after(error, claimed))

    # ---- what the link tells ----------------------------------------------------------------------------------------

    def accepted(self, key: int, external_id: str) -> None:
        """The SMSC has it."""
        claimed = self._claimed.pop(key, None)
        if claimed is not None:
            self._outcomes.append(Outcome(claimed, DeliveryState.SENT, external_id=external_id[:150] or claimed.name))

    def rejected(self, key: int, status: int) -> None:
        """The SMSC does not take it."""
        kind = _OUTCOMES.get(status, MessageRefused)
        words = {TemporarilyRefused: "busy", ContactUnreachable: "number", ChannelRefused: "account"}
        word = words.get(kind, "refused")
        code = f"smpp_account_{status:#x}" if kind is ChannelRefused else f"smpp_{status:#x}"
        self._settle(key, kind(code, _SHOWN[word]))

    def unknown(self, key: int) -> None:
        """It went out and was never answered."""
        self._settle(key, OutcomeUnknown("smpp_no_answer"))

    def returned(self, key: int) -> None:
        """It never went out."""
        self._settle(key, TemporarilyRefused("smpp_link_down", _SHOWN["busy"], tries=10_000))

    def message(self, source: str, destination: str, text: str, part: tuple[int, int, int] | None) -> None:
        """A citizen's message, or a piece of one: durable when this returns."""
        self._keep(message_heard(self.config, source, destination, text, part, self.runtime.now()))

    def receipt(self, source: str, external_id: str, state: str, error: str) -> None:
        """The network speaks of a message of ours: durable when this returns."""
        envelope = receipt_heard(self.config, source, external_id, state, error)
        if envelope is not None:
            self._keep(envelope)

    def _keep(self, envelope: Envelope) -> None:
        channel = self._owner(envelope.account)
        now = self.runtime.now()
        event = NewEvent(
            channel.commune_id,
            channel.id,
            envelope.key,
            envelope.event_name[:80],
            envelope.conversation[:200],
            envelope.body or b"",
            now,
            now,
        )
        if self._ingest is None:
            self._ingest = Ingest(self.runtime.database)
        self._ingest.write([event], {})
        self.runtime.nudge(INBOX)

    def _owner(self, account: str) -> Channel:
        if account == self.channel.account:
            return self.channel
        with self.runtime.database.reading() as session:
            query = sa.select(Channel).where(Channel.type == "smpp", Channel.account == account, Channel.is_active)
            return session.scalar(query) or self.channel
