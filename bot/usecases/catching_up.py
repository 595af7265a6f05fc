"""Catching up: what was said while a channel could not bring it to us is asked for, once, and joins the rest.

After an outage longer than a channel's patience its events are lost, and some channels then stop bringing any. Whoever
looks finds what is missing through the door's own keys; a late webhook of the same message changes nothing.
"""

from __future__ import annotations

import secrets as random_secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from adapters.base import CatchingUp, Chat, Heard, Item, Listed
from adapters.errors import (
    ContactUnreachable,
    MessageRefused,
    OutcomeUnknown,
    QuotaExhausted,
    SendError,
    TemporarilyRefused,
    TokenRefreshFailed,
    TokenRejected,
    WindowClosed,
)
from adapters.http import Http
from adapters.secret import Secret
from bot.queue import INBOX, MEDIA
from bot.rules.retry import next_try
from bot.runtime import Runtime, VaultError
from bot.usecases import slots
from bot.usecases.tokens import NoToken, access_for, channel_config
from storage.catching_up import CatchUp, insert_missing, known_ids, last_brought_at
from storage.channels import Channel, ChannelToken
from storage.enums import CatchUpState
from storage.ingest import NewEvent

log = structlog.get_logger()

QUIET = timedelta(minutes=10)  # nothing was brought for so long: perhaps nobody wrote, perhaps nobody could tell us
MARGIN = timedelta(hours=1)  # clocks differ, and what was brought last need not have been said last
LONGEST = timedelta(days=7)
LEASE = timedelta(seconds=60)
MOST_PAGES = 50  # of one conversation
MOST_TRIES = 20
CONSENT_PAUSE, QUOTA_PAUSE = timedelta(minutes=10), timedelta(hours=1)
NEEDS_CONSENT = "needs_consent"


def begin_where_quiet(runtime: Runtime) -> int:
    """Owe a catch-up to each channel that has brought nothing for a while; gives how many were begun.

    Asked at the start of the clock and every hour: it costs one question where nothing is missing, and it finds what
    was lost while our door was away as well as what a channel that fell silent keeps back.
    """
    begun = 0
    with runtime.database.reading() as session:
        query = sa.select(Channel).join(ChannelToken, ChannelToken.channel_id == Channel.id).where(Channel.is_active)
        channels = [c for c in session.scalars(query.order_by(Channel.id)) if can_catch_up(runtime, c)]
        since = {channel.id: _quiet_since(session, channel, runtime.now()) for channel in channels}
    for channel in channels:
        if (quiet_since := since[channel.id]) is not None:
            begin(runtime, channel, since=quiet_since - MARGIN)
            begun += 1
    return begun


def _quiet_since(session: Session, channel: Channel, now: datetime) -> datetime | None:
    """Up to when everything is known, if that is a while ago and nobody is looking; None otherwise.

    A channel that never brought anything has missed nothing: what was said before it was connected stays there.
    """
    states = sa.select(CatchUp.state, CatchUp.created_at).where(CatchUp.channel_id == channel.id)
    last = session.execute(states.order_by(CatchUp.id.desc()).limit(1)).first()
    if last is not None and last.state is CatchUpState.WAITING:
        return None
    brought = last_brought_at(session, channel.id)
    if brought is None:
        return None
    looked = last.created_at if last is not None and last.state is CatchUpState.DONE else brought
    known = max(brought, looked)
    return max(known, now - LONGEST) if now - known >= QUIET else None


def can_catch_up(runtime: Runtime, channel: Channel) -> bool:
    """Whether this channel can be asked what was said."""
    return isinstance(runtime.adapters.get(channel.type), CatchingUp)


def begin(runtime: Runtime, channel: Channel, *, since: datetime, official_id: int | None = None) -> int:
    """Owe a catch-up from this moment on, or widen the one that is owed already; gives its number."""
    now = runtime.now()
    with runtime.database.transaction() as session:
        session.get_one(Channel, channel.id, with_for_update=True)  # one at a time begins
        waiting = sa.select(CatchUp).where(CatchUp.channel_id == channel.id, CatchUp.state == CatchUpState.WAITING)
        row = session.scalar(waiting)
        if row is None:
            row = CatchUp(
                commune_id=channel.commune_id, channel_id=channel.id, since=since, next_try_at=now, created_at=now
            )
            session.add(row)
        elif since < row.since:
            row.since, row.offset, row.again, row.looked_at, row.lease_id = since, 0, False, [], None
        row.next_try_at = now
        row.asked_by_id = official_id or row.asked_by_id
        session.flush()
        number = row.id
    log.info("channel.catching_up", channel=channel.slug, since=since.isoformat())
    runtime.nudge(MEDIA)
    return number


def run_due(runtime: Runtime, *, budget_seconds: float = 5.0) -> int:
    """Go on with the catch-ups that are due, for about this long; gives how many questions were asked."""
    end, asked = time.monotonic() + budget_seconds, 0
    with runtime.database.reading() as session:
        numbers = list(session.scalars(sa.select(CatchUp.id).where(*is_due(runtime.now())).order_by(CatchUp.id)))
    for number in numbers:
        if time.monotonic() < end:
            asked += go_on(runtime, number, end)
    return asked


def is_due(now: datetime) -> list[Any]:
    """What is true of a catch-up that somebody should go on with."""
    return [
        CatchUp.state == CatchUpState.WAITING,
        CatchUp.next_try_at <= now,
        sa.or_(CatchUp.lease_until.is_(None), CatchUp.lease_until < now),
    ]


def expire_leases(runtime: Runtime) -> None:
    """This process is the only one and has just begun: nobody else catches up."""
    with runtime.database.transaction() as session:
        session.execute(sa.update(CatchUp).values(lease_id=None, lease_until=None))


def go_on(runtime: Runtime, number: int, end: float) -> int:
    """Work on one catch-up until `end` (of the monotonic clock) if nobody else does; gives how much was asked."""
    lease = random_secrets.token_hex(16)
    with runtime.database.transaction() as session:
        row = session.scalar(sa.select(CatchUp).where(CatchUp.id == number, *is_due(runtime.now())).with_for_update())
        if row is None:
            return 0
        row.lease_id, row.lease_until = lease, runtime.now() + LEASE
        channel = session.get_one(Channel, row.channel_id)
        since, offset, looked_at = row.since, row.offset, set(row.looked_at)
    adapter: object = runtime.adapters.get(channel.type)
    if not channel.is_active or not isinstance(adapter, CatchingUp):
        return 0
    work = _CatchingUp(runtime, adapter, channel, number, lease, since, offset, looked_at)
    work.until(end)
    return work.asked


class _Lost(Exception):
    """Somebody else has taken this catch-up over, or widened it."""


@dataclass
class _CatchingUp:
    """One catch-up in hand; each step is durable before the next question is asked."""

    runtime: Runtime
    adapter: CatchingUp
    channel: Channel
    number: int
    lease: str
    since: datetime
    offset: int
    looked_at: set[str]
    asked: int = 0
    config: Any = field(init=False)

    def until(self, end: float) -> None:
        """Look at one conversation after the other; whatever stops us is written down."""
        try:
            self._until(end)
        except _Lost:
            return

    def _until(self, end: float) -> None:
        try:
            self.config = channel_config(self.runtime, self.channel)
            is_over = self._look(end)
        except (ValueError, VaultError):
            self._stop("config", "Cấu hình kênh chưa đúng. Vui lòng báo người vận hành máy chủ.")
        except NoToken:
            self._put_off(NEEDS_CONSENT, "Kênh cần được cấp quyền lại.", self.runtime.now() + CONSENT_PAUSE)
        except TokenRefreshFailed as error:
            self._put_off(error.code, error.shown, self.runtime.now() + timedelta(minutes=1))
        except SendError as error:
            self._after(error)
        else:
            self._step(lambda session, row: _let_go(session, row, self.runtime.now(), is_over=is_over))
            if is_over:
                log.info("channel.caught_up", channel=self.channel.slug, catch_up_id=self.number)

    def _look(self, end: float) -> bool:
        """Read the list of conversations to `since`, again while there were new ones; False: time is up.

        Who writes meanwhile moves to the front of the list, past us, so one pass must have met nobody new.
        """
        while True:
            page = self._ask(lambda http, token: self.adapter.recent_chats(http, self.config, token, self.offset))
            recent = [chat for chat in page.items if chat.last_at >= self.since]
            for chat in recent:
                if chat.urn not in self.looked_at:
                    self._read(chat)
                    if time.monotonic() >= end:
                        return False
            is_end = page.after is None or len(recent) < len(page.items)
            if self._turn_page(0 if is_end else page.after or 0, is_end=is_end):
                return True
            if time.monotonic() >= end:
                return False

    def _turn_page(self, offset: int, *, is_end: bool) -> bool:
        """Note how far the list was read; True when a whole pass met nobody new."""
        over: list[bool] = []

        def turn(_session: Session, row: CatchUp) -> None:
            over.append(is_end and not row.again)
            row.offset = offset
            row.again = row.again and not is_end

        self._step(turn)
        self.offset = offset
        return over[0]

    def _read(self, chat: Chat) -> None:
        """Keep what is missing of one conversation, page by page, back to `since`."""
        offset: int | None = 0
        try:
            for _ in range(MOST_PAGES):
                page = self._ask(partial(self._said_in, chat.urn, offset or 0))
                fresh = [heard for heard in page.items if heard.said_at >= self.since]
                self._keep(fresh)
                offset = page.after if len(fresh) == len(page.items) else None
                if offset is None:
                    break
        except (MessageRefused, WindowClosed, ContactUnreachable) as error:
            log.warning("channel.conversation_not_told", channel=self.channel.slug, code=error.code)
        self.looked_at.add(chat.urn)
        self._step(lambda _session, row: _note_looked(row, self.looked_at))

    def _said_in(self, urn: str, offset: int, http: Http, token: Secret) -> Listed[Heard]:
        return self.adapter.said_in(http, self.config, token, urn, offset)

    def _keep(self, heard: list[Heard]) -> None:
        def keep(session: Session, row: CatchUp) -> None:
            known = known_ids(session, self.channel.id, [one.external_id for one in heard])
            missing = [one for one in heard if one.external_id not in known]
            events = {one.event.key: (one, _row_of(one, self.channel, now)) for one in missing if one.event}
            new = insert_missing(session, [event for _, event in events.values()], row.id)
            _count(row, [events[key][0] for key in new], [one for one in missing if one.event is None])

        now = self.runtime.now()
        if heard:
            self._step(keep)
            self.runtime.nudge(INBOX)

    def _ask(self, question: Callable[[Http, Secret], Listed[Item]]) -> Listed[Item]:
        """Put a question at the channel's pace; a token that is refused is renewed once."""
        time.sleep(self._wait())
        self.asked += 1
        access = access_for(self.runtime, self.channel)
        try:
            return question(self.runtime.http, access.token)
        except TokenRejected:
            access = access_for(self.runtime, self.channel, rejected_generation=access.generation)
            return question(self.runtime.http, access.token)

    def _wait(self) -> float:
        with self.runtime.database.transaction() as session:
            channel = session.get_one(Channel, self.channel.id, with_for_update=True)
            now = self.runtime.now()
            held = channel.hold_until
            if held is None or held <= now:
                return slots.reserve(channel, 1, now)[0]
        raise TemporarilyRefused("held", retry_after=(held - now).total_seconds(), whole_channel=True)

    def _after(self, error: SendError) -> None:
        now = self.runtime.now()
        if isinstance(error, TemporarilyRefused) and error.whole_channel:
            until = now + timedelta(seconds=error.retry_after)
            self._hold(until)
            self._put_off(error.code, error.shown, until)
        elif isinstance(error, QuotaExhausted):
            self._put_off(error.code, error.shown, now + QUOTA_PAUSE)
        elif isinstance(error, TokenRejected):
            self._put_off(error.code, error.shown, now + CONSENT_PAUSE)
        elif isinstance(error, OutcomeUnknown | TemporarilyRefused):
            self._try_again(error, now)
        else:
            self._stop(error.code, error.shown)

    def _try_again(self, error: SendError, now: datetime) -> None:
        def later(_session: Session, row: CatchUp) -> None:
            row.tries += 1
            row.error, row.reason = error.code[:60], "Kênh không trả lời. Hệ thống sẽ tự hỏi lại."
            row.next_try_at = next_try(now, row.tries)
            row.lease_id = row.lease_until = None
            if row.tries >= MOST_TRIES:
                row.state, row.finished_at = CatchUpState.STOPPED, now
                row.reason = "Kênh không trả lời. Vui lòng thử lại sau ít phút."

        self._step(later)

    def _put_off(self, code: str, shown: str, until: datetime) -> None:
        def put_off(_session: Session, row: CatchUp) -> None:
            row.error, row.reason, row.next_try_at = code[:60], shown[:400], until
            row.lease_id = row.lease_until = None

        self._step(put_off)

    def _stop(self, code: str, shown: str) -> None:
        def stop(_session: Session, row: CatchUp) -> None:
            row.state, row.finished_at = CatchUpState.STOPPED, self.runtime.now()
            row.error, row.reason = code[:60], shown[:400]
            row.lease_id = row.lease_until = None

        self._step(stop)
        log.error("channel.not_caught_up", channel=self.channel.slug, code=code)

    def _hold(self, until: datetime) -> None:
        later = sa.or_(Channel.hold_until.is_(None), Channel.hold_until < until)
        with self.runtime.database.transaction() as session:
            session.execute(sa.update(Channel).where(Channel.id == self.channel.id, later).values(hold_until=until))

    def _step(self, change: Callable[[Session, CatchUp], None]) -> None:
        """Change the row, if it is still ours, and stay its owner for another while."""
        with self.runtime.database.transaction() as session:
            mine = sa.select(CatchUp).where(CatchUp.id == self.number, CatchUp.lease_id == self.lease)
            row = session.scalar(mine.with_for_update())
            if row is None:
                raise _Lost
            row.lease_until = self.runtime.now() + LEASE
            change(session, row)


def _row_of(heard: Heard, channel: Channel, now: datetime) -> NewEvent:
    event = heard.event
    if event is None or event.body is None:
        raise ValueError("only what a channel shows can be stored")
    return NewEvent(
        commune_id=channel.commune_id,
        channel_id=channel.id,
        key=event.key,
        event_name=event.event_name[:80],
        conversation_key=event.conversation[:200],
        body=event.body,
        occurred_at=event.occurred_at,
        received_at=now,
    )


def _count(row: CatchUp, new: list[Heard], unshown: list[Heard]) -> None:
    said = [one for one in new if one.by_citizen]
    row.said += len(said)
    row.echoes += len(new) - len(said)
    moments = [one.said_at for one in new]
    row.first_at = min([*moments, *filter(None, [row.first_at])], default=None)
    row.last_at = max([*moments, *filter(None, [row.last_at])], default=None)
    row.unshown = sorted({*row.unshown, *(one.external_id for one in unshown if one.by_citizen)})[:200]


def _note_looked(row: CatchUp, looked_at: set[str]) -> None:
    row.looked_at, row.again, row.tries = sorted(looked_at), True, 0
    row.error = row.reason = None


def _let_go(session: Session, row: CatchUp, now: datetime, *, is_over: bool) -> None:
    row.lease_id = row.lease_until = None
    row.error = row.reason = None
    if not is_over:
        return
    row.state, row.finished_at, row.looked_at = CatchUpState.DONE, now, []
    # One row an hour that says "nothing was missing": the last one says it as well.
    session.execute(
        sa.delete(CatchUp).where(
            CatchUp.channel_id == row.channel_id,
            CatchUp.id < row.id,
            CatchUp.state == CatchUpState.DONE,
            CatchUp.said + CatchUp.echoes == 0,
            CatchUp.asked_by_id.is_(None),
        )
    )
