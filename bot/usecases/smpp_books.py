"""The books of an SMPP link: what is claimed for it and what became of it, kept by a thread beside the link.

A commit that takes long under load must not set the pace of what goes out meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
import structlog

from bot.queue import BROADCAST
from bot.runtime import Runtime
from bot.usecases.broadcast import opening, withhold
from bot.usecases.deliveries import Claimed, Outcome, claim, record
from bot.usecases.sending import MANY, PERSONAL, Sender, may_send
from storage.channels import Channel

log = structlog.get_logger()

LOOK_SECONDS = 0.5  # how soon it is looked again when nothing more was owed
WRITE_SECONDS = 0.1  # outcomes of so long are written down together


@dataclass
class Books:
    """What is owed on one channel, for the one process that holds its lease. `rate`: as it stands in the row."""

    runtime: Runtime
    channel: Channel
    lease: str
    account_refused: str
    clock: Callable[[], float] = time.monotonic
    rate: float = 1.0
    _outcomes: list[Outcome] = field(default_factory=list)
    _errand: Future[list[Claimed]] | None = None
    _asked: int = 0
    _is_dry: bool = False
    _look_at: float = float("-inf")
    _written: float = float("-inf")
    _clerk: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="smpp-books"))

    def note(self, outcome: Outcome) -> None:
        """This became of a claimed delivery; it is written down soon."""
        self._outcomes.append(outcome)

    @property
    def is_away(self) -> bool:
        """Whether the thread is at the books just now."""
        return self._errand is not None

    def visit(self, most: int, *, is_quiet: bool) -> None:
        """Have outcomes written down and up to `most` deliveries claimed; `taken` gives them when it is done.

        `is_quiet`: no more outcomes are about to come, so those there are need not wait for others.
        """
        now = self.clock()
        most = most if now >= self._look_at else 0
        is_due = bool(self._outcomes) and (is_quiet or now - self._written >= WRITE_SECONDS)
        if self._errand is not None or not (most or is_due):
            return
        outcomes, self._outcomes = self._outcomes, []
        self._asked, self._written = most, now
        self._errand = self._clerk.submit(self._keep, outcomes, most)

    def taken(self) -> list[Claimed]:
        """What was claimed since, most urgent first; nothing while that is being done."""
        if self._errand is None or not self._errand.done():
            return []
        return self._come_back()

    def settle(self) -> list[Claimed]:
        """Wait for what is being done, and give what was claimed: it has not gone out."""
        return self._come_back()

    def write(self) -> None:
        """Write every outcome down now."""
        outcomes, self._outcomes = self._outcomes, []
        self._keep(outcomes, 0)

    def close(self) -> None:
        """End the thread."""
        self._clerk.shutdown()

    def _come_back(self) -> list[Claimed]:
        errand, self._errand = self._errand, None
        claimed = errand.result() if errand is not None else []
        if len(claimed) < self._asked:
            self._look_at = self.clock() + LOOK_SECONDS
        return claimed

    def _keep(self, outcomes: list[Outcome], most: int) -> list[Claimed]:
        if outcomes:
            self._record(outcomes)
        claimed = self._claim(most) if most else []
        self._is_dry = len(claimed) < most if most else self._is_dry
        if self._is_dry and any(outcome.claimed.kind in MANY for outcome in outcomes):
            self.runtime.nudge(BROADCAST)  # perhaps that was the last one of an announcement
        return claimed

    def _claim(self, most: int) -> list[Claimed]:
        """What is owed to one citizen first, and of announcements as many as there is still room for."""
        with self.runtime.database.transaction() as session:
            now = self.runtime.now()
            query = sa.select(Channel).where(Channel.id == self.channel.id, *may_send(now))
            channel = session.scalar(query.with_for_update(key_share=True))
            if channel is None:
                return []
            self.rate = channel.rate_per_second
            claimed = claim(session, channel, PERSONAL, most, self.lease, now)
            if len(claimed) < most:
                is_quiet = opening(session, channel.commune_id, now) > now
                many = claim(session, channel, MANY, most - len(claimed), self.lease, now, is_quiet=is_quiet)
                claimed += withhold(session, many, self.lease, now)
            return claimed

    def _record(self, outcomes: list[Outcome]) -> None:
        sender = Sender(self.runtime, self.channel, {})
        with self.runtime.database.transaction() as session:
            record(session, outcomes, self.lease, self.runtime.now())
            if any((outcome.code or "").startswith("smpp_account") for outcome in outcomes):
                sender.pause_reason = self.account_refused
            sender.apply_to_channel(session, self.runtime.now())
        for outcome in outcomes:
            log.info("delivery.outcome", channel=self.channel.slug, **_told(outcome))


def _told(outcome: Outcome) -> dict[str, Any]:
    return {
        "delivery_id": outcome.claimed.id,
        "state": outcome.state.value,
        "code": outcome.code,
        "tries": outcome.claimed.tries,
    }
