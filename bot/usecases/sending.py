"""Sending: take due deliveries of a channel at its pace, hand them over, write down what became of them."""

from __future__ import annotations

import random
import secrets as random_secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from adapters.base import Linked, NamesPictures, TwoGateways, Uploading
from adapters.errors import (
    ChannelRefused,
    ContactUnreachable,
    MessageRefused,
    NotNow,
    OutcomeUnknown,
    PaymentRefused,
    QuotaExhausted,
    SendError,
    TemporarilyRefused,
    TokenRefreshFailed,
    TokenRejected,
    UploadExpired,
    WindowClosed,
)
from adapters.messages import Approved, OutboundImage, OutboundMessage, SendResult
from bot.rules.retry import next_try
from bot.runtime import Runtime
from bot.stores import StoreAway
from bot.usecases import fallback, gateways, sealed_files, slots, uploads, windows
from bot.usecases.broadcast import opening, withhold
from bot.usecases.deliveries import Claimed, Outcome, claim, of_kinds, record
from bot.usecases.tokens import Access, NoToken, access_for, channel_config
from bot.usecases.work import where
from storage.channels import Channel
from storage.deliveries import Delivery
from storage.enums import DeliveryKind, DeliveryState

log = structlog.get_logger()

IN_FLIGHT = 8
AHEAD_SECONDS = 0.3  # how much of the channel's pace one worker reserves at a time: a reply waits no longer
PERSONAL = [DeliveryKind.REPLY, DeliveryKind.ACK]
MANY = [DeliveryKind.ANNOUNCEMENT]
QUOTA_PAUSE = timedelta(hours=1)
QUOTA_TRIES = 26
REPEATS = 5  # of what the channel would recognise; then a person decides

CHANNELS_AT_ONCE = 8

_pool = ThreadPoolExecutor(max_workers=IN_FLIGHT * CHANNELS_AT_ONCE, thread_name_prefix="send")
_channels = ThreadPoolExecutor(max_workers=CHANNELS_AT_ONCE * 2, thread_name_prefix="channel")


def send_due(runtime: Runtime, kinds: list[DeliveryKind], *, budget_seconds: float = 5.0) -> int:
    """Send what is due on every channel for at most `budget_seconds`; gives how many were handed over.

    Channels are served side by side and in no fixed order, so that one commune's long or slow queue is not another's.
    """
    end = time.monotonic() + budget_seconds
    channels = channels_with_due(runtime, kinds)
    random.shuffle(channels)
    return sum(_channels.map(lambda channel_id: _drain(runtime, channel_id, kinds, end), channels))


def _drain(runtime: Runtime, channel_id: int, kinds: list[DeliveryKind], end: float) -> int:
    total = 0
    gateways.probe(runtime, channel_id)
    while time.monotonic() < end:
        sent = send_batch(runtime, channel_id, kinds)
        if sent == 0:
            break
        total += sent
    return total


def channels_with_due(runtime: Runtime, kinds: list[DeliveryKind]) -> list[int]:
    """Channels that may send now and owe something of these kinds."""
    now = runtime.now()
    owes = (
        sa.select(Delivery.id)
        .where(
            Delivery.channel_id == Channel.id,
            Delivery.state == DeliveryState.WAITING,
            *of_kinds(kinds),
            Delivery.next_attempt_at <= now,
        )
        .exists()
    )
    # Where a process of its own keeps a link, it sends.
    linked = [kind for kind, adapter in runtime.adapters.items() if isinstance(adapter, Linked)]
    with runtime.database.reading() as session:
        query = sa.select(Channel.id).where(*may_send(now), Channel.type.not_in(linked), owes)
        return list(session.scalars(query.order_by(Channel.id)))


def send_batch(runtime: Runtime, channel_id: int, kinds: list[DeliveryKind]) -> int:
    """Claim a few deliveries, send them side by side, each at its slot, and record the outcomes."""
    lease = random_secrets.token_hex(8)
    with runtime.database.transaction() as session:
        now, begun = runtime.now(), time.monotonic()
        query = sa.select(Channel).where(Channel.id == channel_id, *may_send(now)).with_for_update(key_share=True)
        channel = session.scalar(query)
        if channel is None or slots.is_far(channel, now):
            return 0
        is_quiet = kinds == MANY and opening(session, channel.commune_id, now) > now
        size = max(1, min(IN_FLIGHT, int(channel.rate_per_second * AHEAD_SECONDS)))
        batch = claim(session, channel, kinds, size, lease, now, is_quiet=is_quiet)
        if kinds == MANY:
            batch = withhold(session, batch, lease, now)
        known = windows.standings(session, [claimed.urn_id for claimed in batch])
        rests = _rests(session, runtime, channel, batch, now)
    if not batch:
        return 0
    sender = Sender(runtime, channel, known)
    sender.choose_gateway()
    taken = slots.take(runtime, channel, len(batch))
    moments = [max(slot, begun + rests.get(c.urn_id, 0.0)) for slot, c in zip(taken, batch, strict=True)]
    outcomes = list(_pool.map(sender.send_at, moments, batch))
    with runtime.database.transaction() as session:
        now = runtime.now()
        record(session, outcomes, lease, now)
        sender.apply_to_channel(session, now)
        if sender.slow_after is not None:
            gateways.note(session, runtime, channel, outcomes, sender.slow_after)
    if any(o.state is DeliveryState.REFUSED and o.claimed.kind is DeliveryKind.REPLY for o in outcomes):
        fallback.reroute_due(runtime)
    for outcome in outcomes:
        log.info(
            "delivery.outcome",
            channel=channel.slug,
            delivery_id=outcome.claimed.id,
            state=outcome.state.value,
            code=outcome.code,
            tries=outcome.claimed.tries,
        )
    return len(batch)


def may_send(now: datetime) -> list[Any]:
    """What must be true of a channel on which something may go out."""
    return [
        Channel.is_active.is_(True),
        Channel.paused_at.is_(None),
        sa.or_(Channel.hold_until.is_(None), Channel.hold_until <= now),
    ]


def _rests(
    session: Session, runtime: Runtime, channel: Channel, batch: list[Claimed], now: datetime
) -> dict[int, float]:
    """How long each citizen is left alone after the last message; one message to each is in hand at a time."""
    rest = runtime.adapters[channel.type].limits.contact_seconds
    if not rest or not batch:
        return {}
    rows = session.execute(
        sa.select(Delivery.urn_id, sa.func.max(Delivery.sent_at))
        .where(Delivery.urn_id.in_([c.urn_id for c in batch]), Delivery.sent_at > now - timedelta(seconds=rest))
        .group_by(Delivery.urn_id)
    )
    return {urn_id: min(rest, (last - now).total_seconds() + rest) for urn_id, last in rows}


@dataclass
class Sender:
    """Sends the deliveries of one batch; remembers what the whole channel must do afterwards."""

    runtime: Runtime
    channel: Channel
    standings: dict[int, windows.Standing]
    pause_reason: str | None = None
    hold_seconds: float = 0.0
    quota: dict[str, str] | None = None
    gateway: str = gateways.MAIN
    slow_after: float | None = None
    is_probe_due: bool = False
    paid: set[int] = field(default_factory=set)

    def choose_gateway(self) -> None:
        """On a channel with two gateways: which one this batch goes through."""
        adapter: object = self.runtime.adapters[self.channel.type]
        if not isinstance(adapter, TwoGateways):
            return
        config = channel_config(self.runtime, self.channel)
        if gateways.has_backup(self.runtime, self.channel, config):
            self.slow_after = adapter.slow_after(config)
            self.gateway, self.is_probe_due = gateways.choose(self.runtime, self.channel, config)

    def send_at(self, moment: float, claimed: Claimed) -> Outcome:
        """Make ready, wait for the slot, send, and turn whatever happens into an outcome; never raises."""
        gateway = self._gateway_for(claimed)
        with self.runtime.http.recording() as exchanges:
            outcome = self._try(claimed, gateway, moment)
        outcome.gateway = gateway
        outcome.exchange = [exchange.to_json() for exchange in exchanges]
        return outcome

    def apply_to_channel(self, session: Session, now: datetime) -> None:
        """Pause or hold the channel when an answer was about the whole account."""
        values: dict[str, Any] = {}
        if self.pause_reason:
            values |= {"paused_at": now, "paused_reason": self.pause_reason}
            log.error("channel.paused", channel=self.channel.slug)
        if self.hold_seconds:
            values["hold_until"] = now + timedelta(seconds=self.hold_seconds)
        if self.quota:
            values["quota"] = self.quota
        if values:
            session.execute(sa.update(Channel).where(Channel.id == self.channel.id).values(**values))

    def _gateway_for(self, claimed: Claimed) -> str:
        if claimed.via:  # it may have this message already: no other may get it
            return claimed.via
        if self.is_probe_due:
            self.is_probe_due = False
            return gateways.MAIN
        return self.gateway

    def _refused_by_window(self, claimed: Claimed) -> Outcome | None:
        """What the channel would refuse, or charge for without anybody's consent, is not handed over."""
        standing = self.standings.get(claimed.urn_id)
        if standing is None or claimed.template is not None:
            return None
        is_one_of_many = claimed.kind is DeliveryKind.ANNOUNCEMENT
        verdict = windows.judge(self.runtime, self.channel, standing, pays=claimed.pays, may_ask=not is_one_of_many)
        if verdict.is_paid:
            self.paid.add(claimed.id)
        if verdict.code is None:
            return None
        return Outcome(claimed, DeliveryState.REFUSED, code=verdict.code, reason=windows.REASONS[verdict.code])

    def _try(self, claimed: Claimed, gateway: str, moment: float) -> Outcome:
        try:
            if refused := self._refused_by_window(claimed):
                return refused
            result = self._send(claimed, gateway, moment)
        except SendError as error:
            if isinstance(error, ChannelRefused) and self.slow_after is not None and gateway == gateways.MAIN:
                # The other gateway takes over after a few of these; only when it refuses, too, the channel stops.
                outcome = self._again(claimed, error.code, next_try(self.runtime.now(), claimed.tries))
            else:
                outcome = self.after(error, claimed)
            is_of_account = isinstance(error, ChannelRefused | TemporarilyRefused)
            outcome.is_gateway_failure = is_of_account and not getattr(error, "whole_channel", False)
            if outcome.via and not claimed.via:
                outcome.via = gateway
            return outcome
        except NoToken:
            self.pause_reason = (
                "Kênh cần được cấp quyền lại (token hết hiệu lực). Người quản trị mở trang Kênh để cấp quyền."
            )
            return self._again(claimed, "needs_consent", self.runtime.now())
        except (TokenRefreshFailed, StoreAway) as error:
            # Nothing has left us: StoreAway is our own picture, which cannot be read now.
            code = error.code if isinstance(error, TokenRefreshFailed) else "store_away"
            return self._again(claimed, code, next_try(self.runtime.now(), claimed.tries))
        except Exception as error:  # noqa: BLE001 - the message may be out: whatever broke, the truth is "unknown"
            log.error("delivery.crashed", delivery_id=claimed.id, error=type(error).__name__, where=where(error))
            return Outcome(claimed, DeliveryState.UNKNOWN, code="internal_error", reason=_UNKNOWN)
        self.quota = dict(result.quota) or self.quota
        was_paid = claimed.id in self.paid
        return Outcome(claimed, DeliveryState.SENT, external_id=result.external_id, was_paid=was_paid)

    def _send(self, claimed: Claimed, gateway: str, moment: float) -> SendResult:
        message = self._message(claimed)
        access = access_for(self.runtime, self.channel)
        try:
            return self._call(access, claimed, message, gateway, moment)
        except TokenRejected:
            access = access_for(self.runtime, self.channel, rejected_generation=access.generation)
            return self._call(access, claimed, message, gateway, moment)

    def _call(
        self, access: Access, claimed: Claimed, message: OutboundMessage, gateway: str, moment: float
    ) -> SendResult:
        adapter = self.runtime.adapters[self.channel.type]
        config = channel_config(self.runtime, self.channel)
        if isinstance(adapter, TwoGateways):
            config = adapter.through(config, gateway)
        if claimed.image_blob is not None and isinstance(adapter, NamesPictures):
            slots.wait_for(self.runtime, self.channel, moment)
            hand_over = partial(adapter.send, self.runtime.http, config, access.token)
            return uploads.sent(self.runtime, self.channel, adapter, claimed.image_blob, message, hand_over)
        if claimed.image_blob is None or not isinstance(adapter, Uploading):
            slots.wait_for(self.runtime, self.channel, moment)
            return adapter.send(self.runtime.http, config, access.token, message)
        put = partial(uploads.uploaded, self.runtime, self.channel, adapter, config, access.token, claimed.image_blob)
        known = put(message)
        slots.wait_for(self.runtime, self.channel, moment)
        try:
            return adapter.send(self.runtime.http, config, access.token, known)
        except UploadExpired as error:  # the picture is handed over anew, once
            return adapter.send(self.runtime.http, config, access.token, put(known, forgotten=error))

    def _message(self, claimed: Claimed) -> OutboundMessage:
        image = None
        if claimed.image_blob:
            data = sealed_files.read(self.runtime, claimed.image_blob)
            if data is None:
                raise MessageRefused("image_lost", "Không tìm thấy ảnh kèm theo. Vui lòng gửi lại trả lời với ảnh mới.")
            image = OutboundImage(data=data, name="anh.jpg", mime="image/jpeg")
        return OutboundMessage(
            claimed.urn,
            claimed.text,
            image,
            claimed.quoted_external_id,
            claimed.choices,
            id=claimed.name,
            is_repeat=claimed.tries > 1,
            callback_url=f"{self.runtime.settings.base_url}/webhooks/{self.channel.slug}",
            template=Approved(**claimed.template) if claimed.template else None,
            asks=claimed.asks,
        )

    def after(self, error: SendError, claimed: Claimed) -> Outcome:
        """What becomes of a delivery that met this error."""
        now = self.runtime.now()
        decide: dict[type[SendError], Callable[[Any], Outcome]] = {
            OutcomeUnknown: lambda e: self._unknown(claimed, e, now),
            TokenRejected: lambda e: self._again(claimed, e.code, next_try(now, claimed.tries)),
            TemporarilyRefused: lambda e: self._later(claimed, e, now),
            NotNow: lambda e: self._again(claimed, e.code, e.not_before),
            QuotaExhausted: lambda e: self._quota(claimed, e, now),
            WindowClosed: lambda e: self._refused(claimed, e, unreachable=True),
            ContactUnreachable: lambda e: self._refused(claimed, e, unreachable=True),
            ChannelRefused: lambda e: self._pause(claimed, e, now),
        }
        for kind, outcome in decide.items():
            if isinstance(error, kind):
                return outcome(error)
        return self._refused(claimed, error)

    def _unknown(self, claimed: Claimed, error: OutcomeUnknown, now: datetime) -> Outcome:
        if error.may_repeat and claimed.tries < REPEATS:
            outcome = self._again(claimed, error.code, next_try(now, claimed.tries))
        else:
            outcome = Outcome(claimed, DeliveryState.UNKNOWN, code=error.code, reason=_UNKNOWN)
        outcome.via = self.gateway if error.may_repeat else None
        outcome.external_id = error.external_id or None
        return outcome

    def _later(self, claimed: Claimed, error: TemporarilyRefused, now: datetime) -> Outcome:
        if error.whole_channel:
            self.hold_seconds = max(self.hold_seconds, error.retry_after)
        elif claimed.tries >= error.tries:
            if claimed.via:  # surely not sent this time, but perhaps the time before
                return Outcome(claimed, DeliveryState.UNKNOWN, code=error.code, reason=_UNKNOWN, via=claimed.via)
            return self._refused(claimed, error)
        return self._again(claimed, error.code, next_try(now, claimed.tries, at_least=error.retry_after))

    def _quota(self, claimed: Claimed, error: QuotaExhausted, now: datetime) -> Outcome:
        if error.for_contact or claimed.tries >= QUOTA_TRIES:
            return self._refused(claimed, error)
        log.error("channel.quota_exhausted", channel=self.channel.slug, code=error.code)
        return self._again(claimed, error.code, now + QUOTA_PAUSE)

    def _pause(self, claimed: Claimed, error: ChannelRefused, now: datetime) -> Outcome:
        if isinstance(error, PaymentRefused) and (claimed.template or claimed.id in self.paid):
            return self._refused(claimed, error)  # what is free still goes
        prefix = "Kênh tạm dừng gửi. " if isinstance(error, PaymentRefused) else ""
        self.pause_reason = prefix + error.shown
        return self._again(claimed, error.code, now)

    def _again(self, claimed: Claimed, code: str, at: datetime) -> Outcome:
        return Outcome(claimed, DeliveryState.WAITING, code=code, next_attempt_at=at, via=claimed.via)

    def _refused(self, claimed: Claimed, error: SendError, *, unreachable: bool = False) -> Outcome:
        return Outcome(claimed, DeliveryState.REFUSED, code=error.code, reason=error.shown, unreachable=unreachable)


_UNKNOWN = "Kênh không trả lời rõ ràng nên không biết người dân đã nhận chưa. Có thể gọi điện hoặc bấm Gửi lại."
