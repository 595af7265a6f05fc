"""The process that keeps an SMPP link: claims what is owed, stores what comes in, and never two for one account."""

from __future__ import annotations

import random
import secrets as random_secrets
import time
from collections.abc import Callable
from concurrent.futures import Future
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
from adapters.smpp import REPEATS, SmppConfig, message_heard, receipt_heard
from adapters.sms_text import digits_of
from bot.runtime import Runtime
from bot.usecases.deliveries import Claimed, Outcome
from bot.usecases.sending import AHEAD_SECONDS, Sender
from bot.usecases.setup import SetupError
from bot.usecases.smpp_arrivals import Arrivals
from bot.usecases.smpp_books import Books
from bot.usecases.tokens import channel_config
from storage.channels import Channel
from storage.database import FOR_CHANGE
from storage.enums import DeliveryState

log = structlog.get_logger()

LEASE = timedelta(seconds=30)
RENEW = timedelta(seconds=10)
LONGEST_PAUSE, POLL_SECONDS = 30.0, 0.05
TURN, SHORT_TURN = 0.05, 0.01  # seconds that the link listens before it is looked what there is to send
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


def keep_link(
    runtime: Runtime, slug: str, until: Callable[[], bool], *, clock: Callable[[], float] = time.monotonic
) -> None:
    """Hold the link of this channel until told otherwise; reconnects by itself. SetupError: there is no such link.

    `clock`: seconds, by which it keeps its pace and its patience with the SMSC.
    """
    try:
        from adapters._smpp_link import LinkDown
    except ImportError:
        raise SetupError(NEEDS_EXTRA) from None
    operator = _Operator(runtime, slug, clock)
    failures = 0
    while not until():
        if not operator.holds_lease():
            operator.pause(until, 5.0)
            continue
        try:
            operator.serve(until)
        except LinkDown as down:
            failures = 0 if operator.was_up else failures + 1
            operator.note_down(down.code)
            operator.pause(until, min(2.0**failures, LONGEST_PAUSE) * random.uniform(0.5, 1.0))
    operator.end()


@dataclass
class _Operator:
    """At work on one channel's link."""

    runtime: Runtime
    slug: str
    clock: Callable[[], float] = time.monotonic
    lease: str = field(default_factory=lambda: random_secrets.token_hex(8))
    was_up: bool = False
    _claimed: dict[int, Claimed] = field(default_factory=dict)
    _renewed: datetime | None = None

    def __post_init__(self) -> None:
        with self.runtime.database.reading() as session:
            channel = session.scalar(sa.select(Channel).where(Channel.slug == self.slug))
        if channel is None or channel.type != "smpp":
            raise SetupError(f"no SMPP channel {self.slug!r}; see: haichieu channel list")
        self.channel = channel
        self.config: SmppConfig = channel_config(self.runtime, channel)
        self._books = Books(self.runtime, channel, self.lease, _SHOWN["account"], self.clock)
        self._arrivals = Arrivals(self.runtime, channel)

    # ---- one process for one account --------------------------------------------------------------------------------

    def holds_lease(self) -> bool:
        """Take or renew the lease; False while another process has it."""
        now = self.runtime.now()  # the clock that all who want the lease go by, also after a machine has slept
        if self._renewed is not None and timedelta(0) <= now - self._renewed < RENEW:
            return True
        with self.runtime.database.transaction() as session:
            row = session.get_one(Channel, self.channel.id, with_for_update=FOR_CHANGE)
            known = dict(row.gateway or {})
            until = datetime.fromisoformat(known["lease_until"]) if known.get("lease_until") else None
            if known.get("lease") not in {None, self.lease} and until is not None and until > now:
                self._renewed = None
                return False
            row.gateway = {**known, "lease": self.lease, "lease_until": (now + LEASE).isoformat()}
        self._renewed = now
        return True

    def pause(self, until: Callable[[], bool], seconds: float) -> None:
        """Wait before the next try; what we hold stays ours meanwhile."""
        end = self.clock() + seconds
        while self.clock() < end and not until():
            time.sleep(POLL_SECONDS)
            if self._renewed is not None:
                self.holds_lease()

    def note_down(self, code: str) -> None:
        """Write down that there is no link, and why; what was on its way has been told already."""
        self._close_books()
        self._note(is_up=False, code=code)
        log.warning("smpp.down", channel=self.slug, code=code)

    def end(self) -> None:
        """Give the lease back."""
        self._close_books()
        self._books.close()
        with self.runtime.database.transaction() as session:
            row = session.get_one(Channel, self.channel.id, with_for_update=FOR_CHANGE)
            if (row.gateway or {}).get("lease") == self.lease:
                row.gateway = {"is_up": False, "code": "stopped", "since": self.runtime.now().isoformat()}
        self._arrivals.close()

    def _note(self, *, is_up: bool, code: str = "") -> None:
        with self.runtime.database.transaction() as session:
            row = session.get_one(Channel, self.channel.id, with_for_update=FOR_CHANGE)
            since = self.runtime.now().isoformat()
            row.gateway = {**(row.gateway or {}), "is_up": is_up, "code": code, "since": since}

    # ---- the session ------------------------------------------------------------------------------------------------

    def serve(self, until: Callable[[], bool]) -> None:
        """One session from its opening to its end. Raises LinkDown."""
        from adapters._smpp_link import Link

        self.was_up = False
        link = Link(self.config, self, clock=self.clock)
        link.connect()
        self.was_up = True
        self._note(is_up=True)
        log.info("smpp.up", channel=self.slug)
        while not until() and self.holds_lease():
            self._hand_over(link)
            link.turn(SHORT_TURN if self._books.is_away else TURN)
        link.close()
        self._close_books()

    def _hand_over(self, link: Any) -> None:
        """Give the link what was claimed for it, and ask for more when few are left: a reply waits behind few."""
        for one in self._books.taken():
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
        link.pace = self._books.rate
        ahead = max(1, int(self._books.rate * AHEAD_SECONDS))
        most = ahead - link.waiting if link.waiting <= ahead // 2 else 0
        self._books.visit(most, is_quiet=not link.is_busy)

    def _close_books(self) -> None:
        """What was claimed and never handed over goes back, and all outcomes are written down."""
        for one in self._books.settle():
            self._claimed[one.id] = one
            self.returned(one.id)
        self._books.write()

    def _settle(self, key: int, error: SendError) -> None:
        claimed = self._claimed.pop(key, None)
        if claimed is not None:
            self._books.note(Sender(self.runtime, self.channel, {}).after(error, claimed))

    # ---- what the link tells ----------------------------------------------------------------------------------------

    def accepted(self, key: int, external_id: str) -> None:
        """The SMSC has it."""
        claimed = self._claimed.pop(key, None)
        if claimed is not None:
            self._books.note(Outcome(claimed, DeliveryState.SENT, external_id=external_id[:150] or claimed.name))

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
        """A citizen's message, or a piece of one."""
        now = self.runtime.now()
        heard = [message_heard(self.config, source, destination, text, part, at) for at in (now, now - REPEATS)]
        self._arrivals.hear(heard[0], earlier=heard[1].key)

    def receipt(self, source: str, external_id: str, state: str, error: str) -> None:
        """The network speaks of a message of ours."""
        envelope = receipt_heard(self.config, source, external_id, state, error)
        if envelope is not None:
            self._arrivals.hear(envelope)

    def keep(self) -> Future[None]:
        """Done when all that was told is durable."""
        return self._arrivals.keep()
