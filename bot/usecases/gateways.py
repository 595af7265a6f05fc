"""Gateways: when a channel that has two sends through the other one, and how it finds its way back."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from adapters.base import Asked, TwoGateways
from adapters.errors import SendError
from bot.runtime import Runtime
from bot.usecases.deliveries import Outcome
from bot.usecases.tokens import channel_config
from storage.channels import Channel
from storage.database import FOR_CHANGE
from storage.enums import DeliveryState

log = structlog.get_logger()

MAIN, BACKUP = "main", "backup"
FAILURES = 3  # in a row, of any kind that surely sent nothing
SAMPLE, FEWEST = 20, 10  # answers whose time is looked at
PROBE_EVERY = timedelta(minutes=10)


@dataclass
class Gate:
    """Which gateway a channel sends through, why, and how it did lately; `reason` is refused or slow."""

    in_use: str = MAIN
    since: datetime | None = None
    reason: str = ""
    code: str = ""
    failures: int = 0
    probe_at: datetime | None = None
    times: list[int] = field(default_factory=list)

    @staticmethod
    def of(channel: Channel) -> Gate:
        """As it stands in the channel's row."""
        known: dict[str, Any] = dict(channel.gateway or {})
        for name in ("since", "probe_at"):
            known[name] = datetime.fromisoformat(known[name]) if known.get(name) else None
        return Gate(**{name: value for name, value in known.items() if name in Gate.__dataclass_fields__})

    def to_json(self) -> dict[str, Any]:
        """As it stands in the row."""
        return {
            "in_use": self.in_use,
            "since": self.since.isoformat() if self.since else None,
            "reason": self.reason,
            "code": self.code[:60],
            "failures": self.failures,
            "probe_at": self.probe_at.isoformat() if self.probe_at else None,
            "times": self.times[-SAMPLE:],
        }

    def switch(self, to: str, now: datetime, reason: str = "", code: str = "") -> None:
        """Send through the other one from now on."""
        self.in_use, self.since, self.reason, self.code = to, now, reason, code
        self.failures, self.times = 0, []
        self.probe_at = now + PROBE_EVERY if to == BACKUP else None


def has_backup(runtime: Runtime, channel: Channel, config: Any) -> bool:
    """Whether there is a second gateway to turn to."""
    adapter: object = runtime.adapters[channel.type]
    return isinstance(adapter, TwoGateways) and len(adapter.gateways(config)) > 1


def choose(runtime: Runtime, channel: Channel, config: Any) -> tuple[str, bool]:
    """The gateway for the next batch, and whether its first message tries the main one again."""
    gate = Gate.of(channel)
    is_due = gate.in_use == BACKUP and gate.probe_at is not None and runtime.now() >= gate.probe_at
    return gate.in_use, is_due and not _can_be_asked(runtime, channel, config)


def probe(runtime: Runtime, channel_id: int) -> None:
    """Ask the main gateway about our account, when it is time and it can be asked, and return to it if it answers.

    So no citizen's message is the trial; where nothing can be asked, the first message of a batch is.
    """
    with runtime.database.reading() as session:
        query = sa.select(Channel).where(Channel.id == channel_id, Channel.gateway.is_not(None))
        channel = session.scalar(query)
    gate = Gate.of(channel) if channel else None
    if channel is None or gate is None or gate.in_use == MAIN or not gate.probe_at or runtime.now() < gate.probe_at:
        return
    config = channel_config(runtime, channel)
    if not _can_be_asked(runtime, channel, config):
        return
    is_back = _answers(runtime, channel, config)
    with runtime.database.transaction() as session:
        row = session.get_one(Channel, channel_id, with_for_update=FOR_CHANGE)
        gate, now = Gate.of(row), runtime.now()
        if is_back and gate.in_use == BACKUP:
            _switched(row, gate, MAIN, now)
        else:
            gate.probe_at = now + PROBE_EVERY
        row.gateway = gate.to_json()


def _can_be_asked(runtime: Runtime, channel: Channel, config: Any) -> bool:
    adapter: object = runtime.adapters[channel.type]
    return isinstance(adapter, Asked) and isinstance(adapter, TwoGateways) and adapter.can_be_asked(config)


def _answers(runtime: Runtime, channel: Channel, config: Any) -> bool:
    adapter: Any = runtime.adapters[channel.type]
    begun = time.monotonic()
    try:
        adapter.account(runtime.http, adapter.through(config, MAIN))
    except SendError as error:
        log.info("channel.probe_failed", channel=channel.slug, code=error.code)
        return False
    return bool(time.monotonic() - begun < adapter.slow_after(config))


def note(session: Session, runtime: Runtime, channel: Channel, outcomes: Sequence[Outcome], slow_after: float) -> None:
    """Remember how the gateway in use did, and turn to the other one when it keeps failing or is too slow."""
    row = session.get_one(Channel, channel.id, with_for_update=FOR_CHANGE, populate_existing=True)
    gate, now = Gate.of(row), runtime.now()
    for outcome in outcomes:
        if outcome.gateway != gate.in_use:
            if outcome.gateway == MAIN:
                _probed(row, gate, outcome, now)
            continue
        gate.times = [*gate.times, *(exchange["elapsed_ms"] for exchange in outcome.exchange)][-SAMPLE:]
        if outcome.state is DeliveryState.SENT:
            gate.failures = 0
        elif outcome.is_gateway_failure:
            gate.failures += 1
            if gate.failures >= FAILURES and gate.in_use == MAIN:
                _switched(row, gate, BACKUP, now, "refused", outcome.code or "")
    if gate.in_use == MAIN and len(gate.times) >= FEWEST and _p95(gate.times) > slow_after * 1_000:
        _switched(row, gate, BACKUP, now, "slow", f"p95_{_p95(gate.times)}ms")
    row.gateway = gate.to_json()


def _probed(row: Channel, gate: Gate, outcome: Outcome, now: datetime) -> None:
    if outcome.state is DeliveryState.SENT:
        _switched(row, gate, MAIN, now)
    else:
        gate.probe_at = now + PROBE_EVERY


def _switched(row: Channel, gate: Gate, to: str, now: datetime, reason: str = "", code: str = "") -> None:
    gate.switch(to, now, reason, code)
    log.warning("channel.gateway_switched", channel=row.slug, gateway=to, reason=reason, code=code)


def _p95(times: list[int]) -> int:
    return sorted(times)[max(0, -(-len(times) * 95 // 100) - 1)]
