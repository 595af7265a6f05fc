"""Polling: channels that cannot reach us are asked for their events, by one process at a time."""

from __future__ import annotations

import secrets as random_secrets
import threading
import time
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
import structlog

from adapters.base import Fetching
from adapters.errors import AskedElsewhere, DoorError, ForeignPayload, SendError
from adapters.http import Http
from adapters.messages import WebhookRequest
from bot.queue import INBOX
from bot.rules.deadlines import VIETNAM
from bot.runtime import Runtime, VaultError
from bot.usecases.tokens import channel_config
from storage.channels import Channel, ChannelPoll
from storage.ingest import Ingest, NewEvent

log = structlog.get_logger()

WAIT_SECONDS = 25
LEASE = timedelta(seconds=60)  # longer than one question with its answer
LOOK_EVERY_SECONDS = 3.0
PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0)
CONFLICT = "asked_elsewhere"


def is_asked(runtime: Runtime, channel: Channel, config: Any) -> bool:
    """Whether we ask this channel for its events; otherwise it brings them, as it can when our address is https."""
    adapter: object = runtime.adapters.get(channel.type)
    if not isinstance(adapter, Fetching):
        return False
    return (adapter.wished(config) or ("webhook" if runtime.settings.is_https else "polling")) == "polling"


def expire_leases(runtime: Runtime) -> None:
    """This process is the only one and has just begun: nobody else asks."""
    with runtime.database.transaction() as session:
        session.execute(sa.update(ChannelPoll).values(lease_id=None, lease_until=None))


def take_lease(runtime: Runtime, channel: Channel, lease: str) -> bool:
    """Become, or stay, the only process that asks this channel."""
    now = runtime.now()
    with runtime.database.transaction() as session:
        row = session.scalar(sa.select(ChannelPoll).where(ChannelPoll.channel_id == channel.id).with_for_update())
        if row is None:
            row = ChannelPoll(commune_id=channel.commune_id, channel_id=channel.id)
            session.add(row)
        elif row.lease_id not in {None, lease} and row.lease_until is not None and row.lease_until > now:
            return False
        row.lease_id, row.lease_until = lease, now + LEASE
    return True


def release(runtime: Runtime, channel_id: int, lease: str) -> None:
    """Let another process ask at once."""
    mine = sa.and_(ChannelPoll.channel_id == channel_id, ChannelPoll.lease_id == lease)
    with runtime.database.transaction() as session:
        session.execute(sa.update(ChannelPoll).where(mine).values(lease_id=None, lease_until=None))


@dataclass
class Poll:
    """One channel being asked.

    `after` is the last event that is durable here and may be given up there; what is `held` is not durable yet.
    """

    runtime: Runtime
    http: Http
    channel_id: int
    lease: str
    wait_seconds: int = WAIT_SECONDS
    after: int | None = None
    is_begun: bool = False
    failures: int = 0
    held: tuple[WebhookRequest, ...] = ()

    def __post_init__(self) -> None:
        """Writing needs a connection of its own."""
        self._ingest = Ingest(self.runtime.database)

    def close(self) -> None:
        """Give the connection back and let another process ask at once."""
        self._ingest.close()
        release(self.runtime, self.channel_id, self.lease)

    def once(self) -> float | None:
        """Ask once and keep what comes; how long to rest before the next question, None when this is over."""
        with self.runtime.database.reading() as session:
            channel = session.get(Channel, self.channel_id)
        if channel is None or not channel.is_active:
            return None
        try:
            config = channel_config(self.runtime, channel)
        except (ValueError, VaultError):
            return None  # the manager looks again, and `channel check` says what is wrong
        adapter = self.runtime.adapters[channel.type]
        if not isinstance(adapter, Fetching) or not is_asked(self.runtime, channel, config):
            return None
        if not take_lease(self.runtime, channel, self.lease):
            return None
        return self._ask(adapter, channel, config)

    def _ask(self, adapter: Fetching, channel: Channel, config: Any) -> float:
        if self.held:  # the database was away: what a channel gives up when it is asked is nowhere else
            self._store(channel, config)
        try:
            if not self.is_begun:
                adapter.bring(self.http, config, "")  # as long as they are brought somewhere, nobody may ask
                self.is_begun = True
            begun = time.monotonic()
            fetched = adapter.fetch(self.http, config, self.after, self.wait_seconds)
        except SendError as error:
            return self._failed(channel, CONFLICT if isinstance(error, AskedElsewhere) else error.code, error)
        self.held = fetched.requests
        new = self._store(channel, config)
        is_stuck = bool(fetched.requests) and (fetched.after == self.after if fetched.after is not None else not new)
        # Nothing left: all is given up. Numbers may begin anew after a quiet week, so the next question names none.
        self.after, self.failures = fetched.after if fetched.requests else None, 0
        self._note(channel, polled_at=self.runtime.now(), failed_at=None, error=None)
        if not fetched.requests and self.wait_seconds and time.monotonic() - begun < PAUSES[0] / 2:
            return PAUSES[0]  # a server that does not wait is not asked without a pause
        return PAUSES[2] if is_stuck else 0.0

    def _failed(self, channel: Channel, code: str, error: SendError) -> float:
        pause = max(PAUSES[min(self.failures, len(PAUSES) - 1)], min(getattr(error, "retry_after", 0.0), 60.0))
        self.failures += 1
        if self.failures in {1, 10}:
            log.warning("channel.not_asked", channel=channel.slug, code=code, failures=self.failures)
        self._note(channel, failed_at=self.runtime.now(), error=code[:120])
        return PAUSES[-1] if code == CONFLICT else pause

    def _store(self, channel: Channel, config: Any) -> int:
        """Make what is held durable through the same keys as at the door; raises when the database is away."""
        counts: Counter[str] = Counter()
        if not self.held:
            return 0
        events = [event for request in self.held if (event := self._admitted(channel, config, request, counts))]
        new = sum(self._ingest.write(events, {}).values())
        self.held = ()
        counts["accepted"] += new
        counts["duplicate"] += len(events) - new
        day = self.runtime.now().astimezone(VIETNAM).strftime("%Y-%m-%d")
        self._ingest.write([], {(f"channel:{channel.id}", name, day): n for name, n in counts.items() if n})
        if new:
            self.runtime.nudge(INBOX)
        return new

    def _admitted(
        self, channel: Channel, config: Any, request: WebhookRequest, counts: Counter[str]
    ) -> NewEvent | None:
        try:
            envelope = self.runtime.adapters[channel.type].admit(request, config)
        except ForeignPayload:
            counts["foreign"] += 1
            return None
        except DoorError:
            counts["unreadable"] += 1
            return None
        return NewEvent(
            commune_id=channel.commune_id,
            channel_id=channel.id,
            key=envelope.key,
            event_name=envelope.event_name[:80],
            conversation_key=envelope.conversation[:200],
            body=request.body,
            occurred_at=envelope.occurred_at,
            received_at=self.runtime.now(),
        )

    def _note(self, channel: Channel, **values: Any) -> None:
        mine = sa.and_(ChannelPoll.channel_id == channel.id, ChannelPoll.lease_id == self.lease)
        with self.runtime.database.transaction() as session:
            session.execute(sa.update(ChannelPoll).where(mine).values(**values))


class Pollers:
    """A thread for each channel that this process asks, and one that looks which those are."""

    def __init__(self, runtime: Runtime, *, wait_seconds: int = WAIT_SECONDS) -> None:
        self._runtime = runtime
        self._wait_seconds = wait_seconds
        self._http: Http | None = None
        self._lease = random_secrets.token_hex(8)
        self._stopping = threading.Event()
        self._threads: dict[int, threading.Thread] = {}
        self._manager = threading.Thread(target=self._manage, name="polling", daemon=True)

    def start(self) -> None:
        """Begin to ask."""
        self._manager.start()

    def stop(self, timeout: float = 3.0) -> None:
        """End; a question that is out is dropped, and what it would have brought is brought next time."""
        self._stopping.set()
        if self._http is not None:
            self._http.close()
        for thread in (self._manager, *list(self._threads.values())):
            if thread.is_alive():
                thread.join(timeout)

    def _manage(self) -> None:
        while not self._stopping.is_set():
            try:
                self._begin_new()
            except Exception as error:  # noqa: BLE001 - the database may be away; it is asked again
                log.warning("polling.not_looked", error=type(error).__name__)
            self._stopping.wait(LOOK_EVERY_SECONDS)

    def _begin_new(self) -> None:
        kinds = [name for name, adapter in self._runtime.adapters.items() if isinstance(adapter, Fetching)]
        with self._runtime.database.reading() as session:
            channels = list(session.scalars(sa.select(Channel).where(Channel.type.in_(kinds), Channel.is_active)))
        for channel in channels:
            running = self._threads.get(channel.id)
            if (running and running.is_alive()) or not self._may_begin(channel):
                continue
            self._begin(channel)

    def _begin(self, channel: Channel) -> None:
        # A client of its own: its answers come after half a minute of silence, which is not a lost answer here.
        self._http = self._http or Http(read_seconds=self._wait_seconds + 15, call_seconds=self._wait_seconds + 20)
        arguments = (self._http, channel.id)
        thread = threading.Thread(target=self._run, args=arguments, name=f"poll-{channel.slug}", daemon=True)
        self._threads[channel.id] = thread
        thread.start()

    def _may_begin(self, channel: Channel) -> bool:
        try:
            config = channel_config(self._runtime, channel)
        except (ValueError, VaultError):
            return False
        return is_asked(self._runtime, channel, config) and take_lease(self._runtime, channel, self._lease)

    def _run(self, http: Http, channel_id: int) -> None:
        poll = Poll(self._runtime, http, channel_id, self._lease, self._wait_seconds)
        while not self._stopping.is_set():
            try:
                pause = poll.once()
            except Exception as error:
                if self._stopping.is_set():
                    break
                log.exception("polling.failed", channel_id=channel_id, error=type(error).__name__)
                pause = PAUSES[2]
            if pause is None:
                break
            self._stopping.wait(pause)
        try:
            poll.close()
        except Exception as error:  # noqa: BLE001 - it runs out by itself
            log.warning("polling.not_released", channel_id=channel_id, error=type(error).__name__)
