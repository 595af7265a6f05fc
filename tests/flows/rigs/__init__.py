"""Rigs: a channel of the commune at a pretend platform that really runs, all handled with the same few words.

A further channel is a module of its own with a `Rig`, a line in `rigs_by_name`, and its column in `tests.flows.faults`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from bot.runtime import utc_now
from tests.builders import World


@dataclass
class MovedClock:
    """The real clock, set forward by hand: pretend platforms stamp events with the real one."""

    ahead: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        return utc_now() + self.ahead

    def move(self, **delta: float) -> None:
        """Let time pass."""
        self.ahead += timedelta(**delta)


@dataclass(frozen=True)
class Accepted:
    """A message the platform took: its id there, as our deliveries know it, and what it says, as a digest."""

    external_id: str
    text_sha256: str


class Rig(Protocol):
    """One channel under test; citizens are named by whatever the platform names them."""

    channel_id: int
    tells_order: bool  # whether events say themselves which came first

    def as_sent(self, text: str) -> str:
        """The words of a delivery as they travel."""

    def citizen(self) -> str:
        """One more pretend person who has done what makes them a follower; the event waits."""

    def urn(self, who: str) -> str:
        """How the gateway names this person."""

    def says(self, who: str, text: str) -> None:
        """The person writes; the event waits."""

    def again(self, who: str) -> None:
        """The person's latest event waits once more."""

    def swap(self, who: str) -> None:
        """The last two events that wait will come in the wrong order."""

    def fault(self, name: str, times: int = 1) -> None:
        """Let the next calls suffer this."""

    def mend(self) -> None:
        """Take every fault away, as the channel's administrator would."""

    def bring(self) -> None:
        """Have everything that waits come to the gateway, until nothing waits."""

    def accepted(self, who: str = "") -> list[Accepted]:
        """What the platform took from us for this person, or for everybody, oldest first."""

    def acknowledged(self) -> int:
        """How many different events the gateway has acknowledged."""


@runtime_checkable
class SendsByItself(Protocol):
    """A rig whose messages leave over a link that a thread keeps. `trouble`, `code`: why it is down just now."""

    trouble: str
    code: str

    def rested(self) -> int:
        """Wait until the link has done all it can for now; how many tries it made since it was asked last."""


Make = Callable[[Path, World, str], AbstractContextManager[Rig]]


def rigs_by_name() -> Mapping[str, Make]:
    """Every rig: called with a folder, the world and the gateway's address, each gives one that runs."""
    from tests.flows.rigs import bots, smpp, sms, zalo

    return {
        "zalo": zalo.a_rig,
        "telegram": bots.telegram,
        "telegram_asked": bots.telegram_asked,
        "zalo_bot": bots.zalo_bot,
        "sms": sms.a_rig,
        "smpp": smpp.a_rig,
    }


def held(client: Any, *, is_held: bool) -> None:
    """Let the pretend platforms hold their events back, or bring them."""
    answer = client.post("/control/holding", json={"is_held": is_held})
    assert answer.status_code == 200, answer.text
