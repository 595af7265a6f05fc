"""The words for what speaks to a whole village: bulletins for loudspeakers and boards, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Protocol, runtime_checkable

from adapters.http import Http
from adapters.secret import Secret

ORDINARY, PRIORITY, EMERGENCY = "thong_thuong", "uu_tien", "khan_cap"
CLASSES = (ORDINARY, PRIORITY, EMERGENCY)
IDLE, PLAYING, BROKEN = "idle", "playing", "broken"
PLAYED, SHOWN = "played", "shown"


@dataclass(frozen=True)
class Session:
    """That an account is open to us: the token to show, and for how long it is said to work; None: nobody said."""

    token: Secret
    seconds: int | None = None


@dataclass(frozen=True)
class Slot:
    """From when to when on a day, by the clocks of the village."""

    begin: time
    end: time


@dataclass(frozen=True)
class Schedule:
    """On which days, and at which times on each of them."""

    days: tuple[date, ...]
    slots: tuple[Slot, ...]


@dataclass(frozen=True)
class Bulletin:
    """What loudspeakers read out and boards show. `key`: by which the other side knows this revision again.

    `clusters`: which ones shall play it, none named: all of the commune. `script`: the words to be read out;
    `audio_url`: where a recording of them is. `lines`: what boards show. `replaces`: the key of the revision before.
    An emergency is played as it comes, whatever the schedule says.
    """

    key: str
    urgency: str
    title: str
    script: str
    made_at: datetime
    valid_until: datetime
    seconds: int = 0
    summary: str = ""
    author: str = ""
    approver: str = ""
    topic: str = ""
    audio_url: str = ""
    clusters: tuple[str, ...] = ()
    schedule: Schedule | None = None
    lines: tuple[str, ...] = ()
    replaces: str = ""

    @property
    def is_emergency(self) -> bool:
        """Whether it is played at once."""
        return self.urgency == EMERGENCY


@dataclass(frozen=True)
class PlayLog:
    """What one cluster or board says of one bulletin. `kind`: PLAYED or SHOWN; `reason`: the other side's own words."""

    bulletin: str
    cluster: str
    at: datetime
    kind: str
    is_success: bool
    reason: str = ""


@dataclass(frozen=True)
class PlayLogs:
    """Some of the log; asking again with `after` gives what follows, `is_all`: there was nothing more just now."""

    logs: tuple[PlayLog, ...]
    after: str
    is_all: bool = True
    unread: int = 0


@dataclass(frozen=True)
class Cluster:
    """A cluster of loudspeakers as its last heartbeat tells it. `state`: IDLE, PLAYING or BROKEN."""

    id: str
    name: str
    heard_at: datetime | None
    is_connected: bool
    state: str
    area: str = ""
    volume: int | None = None
    playing: str = ""
    version: str = ""


@runtime_checkable
class Loudspeaking(Protocol):
    """An adapter whose channel speaks to villages, not to citizens: a source information system.

    Each question raises SendError: TokenRejected when the account must be opened again, OutcomeUnknown with
    `may_repeat` where the same key cannot be played twice.
    """

    def knows_keys(self, config: Any) -> bool:
        """Whether the system recognises a key, so that handing over again after a lost answer changes nothing."""

    def log_in(self, http: Http, config: Any) -> Session:
        """Open the account. Raises SendError; ChannelRefused when name or password are not accepted."""

    def hand_over(self, http: Http, config: Any, token: Secret, bulletin: Bulletin) -> None:
        """Give a bulletin to it; an emergency is played at once."""

    def schedule(self, http: Http, config: Any, token: Secret, bulletin: Bulletin) -> None:
        """Say when a bulletin that was handed over is to be played."""

    def show(self, http: Http, config: Any, token: Secret, bulletin: Bulletin) -> None:
        """Have the boards show it."""

    def cancel(self, http: Http, config: Any, token: Secret, bulletin: Bulletin, reason: str) -> None:
        """Have it played and shown no more; of what is not known there is nothing to cancel, which is no error."""

    def play_logs(self, http: Http, config: Any, token: Secret, after: str) -> PlayLogs:
        """What was played and shown since."""

    def clusters(self, http: Http, config: Any, token: Secret) -> tuple[Cluster, ...]:
        """The clusters of the commune, each as it last told of itself."""


def village_types(adapters: Mapping[str, object]) -> list[str]:
    """The types of channels that speak to villages: nobody follows them and nobody writes to them."""
    return [name for name, adapter in adapters.items() if isinstance(adapter, Loudspeaking)]
