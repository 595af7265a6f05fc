"""Telling source systems: each bulletin one step at a time, its intent durable before the system hears of it.

The system knows our keys again, so what got lost on the way is told again under the same one; where it does not know
them, a lost answer is for people. An emergency goes before everything and does not wait long for another try.
"""

from __future__ import annotations

import secrets as random_secrets
import time as clock
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from adapters.errors import (
    ChannelRefused,
    OutcomeUnknown,
    QuotaExhausted,
    SendError,
    TemporarilyRefused,
    TokenRejected,
)
from adapters.loudspeakers import Bulletin, Schedule, Slot
from adapters.secret import Secret
from bot.rules.loudspeakers import EMERGENCY, step_after
from bot.rules.retry import next_try
from bot.runtime import Runtime, VaultError
from bot.usecases.source_sessions import in_session, loudspeaking
from bot.usecases.tokens import channel_config
from storage.alerts import raise_alert
from storage.channels import Channel
from storage.enums import AlertKind, SourceState, SourceStep
from storage.loudspeakers import SourceBulletin

log = structlog.get_logger()

LEASE = timedelta(seconds=60)
ACCOUNT_PAUSE = timedelta(minutes=10)
URGENT_PAUSE = timedelta(seconds=10)
KEPT_ATTEMPTS = 20
UNCLEAR = (
    "Không biết hệ thống thông tin nguồn đã nhận bản tin chưa. Anh/Chị xem trên hệ thống của tỉnh, "
    "hoặc gọi người phụ trách đài truyền thanh."
)
WRONG_SETTINGS = "Cấu hình kênh loa chưa đúng nên chưa gửi. Vui lòng báo người vận hành máy chủ."


def has_due(session: Session, now: datetime) -> bool:
    """Whether a source system should be told something now."""
    return session.scalar(sa.select(SourceBulletin.id).join(*_CHANNEL).where(*_is_due(now)).limit(1)) is not None


def run_due(runtime: Runtime, *, budget_seconds: float = 5.0) -> int:
    """Take bulletins that are due through their steps, emergencies first; gives how many steps were taken."""
    end, did = clock.monotonic() + budget_seconds, 0
    is_ordinary = sa.case((SourceBulletin.urgency == EMERGENCY, 0), else_=1)
    while clock.monotonic() < end:
        with runtime.database.reading() as session:
            query = sa.select(SourceBulletin.id).join(*_CHANNEL).where(*_is_due(runtime.now()))
            number = session.scalar(query.order_by(is_ordinary, SourceBulletin.next_try_at, SourceBulletin.id).limit(1))
        if number is None or not _bring_forward(runtime, number):
            break
        did += 1
    return did


_CHANNEL = (Channel, Channel.id == SourceBulletin.channel_id)


def expire_leases(runtime: Runtime) -> None:
    """This is the only process and has just begun: what was in hand belongs to a dead predecessor."""
    held = sa.update(SourceBulletin).where(SourceBulletin.lease_until.is_not(None))
    with runtime.database.transaction() as session:
        session.execute(held.values(lease_until=runtime.now()))


def _is_due(now: datetime) -> list[Any]:
    is_free = sa.or_(SourceBulletin.lease_until.is_(None), SourceBulletin.lease_until < now)
    is_open = SourceBulletin.state.in_([SourceState.WAITING, SourceState.SENDING])
    return [Channel.is_active, Channel.paused_at.is_(None), is_open, SourceBulletin.next_try_at <= now, is_free]


def _bring_forward(runtime: Runtime, number: int) -> int:
    now, lease = runtime.now(), random_secrets.token_hex(16)
    with runtime.database.transaction() as session:
        query = sa.select(SourceBulletin).join(*_CHANNEL).where(SourceBulletin.id == number, *_is_due(now))
        row = session.scalar(query.with_for_update(of=SourceBulletin))
        if row is None:
            return 0
        channel = session.get_one(Channel, row.channel_id)
        if row.state is SourceState.SENDING and not _may_repeat(runtime, channel):  # whoever began has died
            _settle(session, row, now, SourceState.UNKNOWN, "sender_died", UNCLEAR)
            return 1
        if row.recall_asked_at is not None:
            row.step = SourceStep.CANCEL
        elif row.valid_until <= now:
            _settle(session, row, now, SourceState.EXPIRED, "expired", "Hết thời hạn hiệu lực trước khi gửi được.")
            return 1
        row.state, row.lease_id, row.lease_until = SourceState.SENDING, lease, now + LEASE
        row.tries += 1
        before = session.get(SourceBulletin, row.replaces_id) if row.replaces_id else None
        bulletin = as_told(row, before)
    _Step(runtime, channel, row, lease, bulletin).take()
    return 1


def as_told(row: SourceBulletin, before: SourceBulletin | None = None) -> Bulletin:
    """The bulletin as the source system is told it; the same every time."""
    days = tuple(date.fromisoformat(day) for day in row.days)
    slots = tuple(Slot(time.fromisoformat(begin), time.fromisoformat(end)) for begin, end in row.slots)
    return Bulletin(
        key=row.key,
        urgency=row.urgency,
        title=row.title,
        script=row.script,
        made_at=row.created_at,
        valid_until=row.valid_until,
        seconds=row.seconds,
        summary=row.summary,
        author=row.author,
        approver=row.approver,
        topic=row.topic,
        audio_url=row.audio_url,
        clusters=tuple(row.clusters),
        schedule=Schedule(days, slots) if days else None,
        lines=tuple(row.lines),
        replaces=before.key if before else "",
    )


@dataclass
class _Step:
    """A bulletin in hand, outside any transaction."""

    runtime: Runtime
    channel: Channel
    row: SourceBulletin
    lease: str
    bulletin: Bulletin

    def take(self) -> None:
        """Tell the system the next thing, and write down what it said."""
        try:
            in_session(self.runtime, self.channel, self._tell)
        except OutcomeUnknown as error:
            if error.may_repeat:
                self._again(error.code, error.shown)
            else:
                self._end(SourceState.UNKNOWN, error.code, UNCLEAR)
        except (ChannelRefused, QuotaExhausted, TokenRejected) as error:
            self._hold(error)
        except TemporarilyRefused as error:
            self._again(error.code, error.shown, error.retry_after)
        except (SendError, ValueError, VaultError) as error:
            shown = error.shown if isinstance(error, SendError) else WRONG_SETTINGS
            self._end(SourceState.REFUSED, getattr(error, "code", "config"), shown)
        except Exception as error:  # noqa: BLE001 - it may be there: whatever broke, the truth is "unknown"
            log.error("loudspeakers.crashed", bulletin_id=self.row.id, error=type(error).__name__)
            self._end(SourceState.UNKNOWN, "internal_error", UNCLEAR)
        else:
            self._done()

    def _tell(self, token: Secret) -> None:
        adapter, http = loudspeaking(self.runtime, self.channel), self.runtime.http
        config = channel_config(self.runtime, self.channel)
        if self.row.step is SourceStep.CANCEL:
            adapter.cancel(http, config, token, self.bulletin, self.row.recall_reason or "")
            return
        tellers = {
            SourceStep.HAND_OVER: adapter.hand_over,
            SourceStep.SCHEDULE: adapter.schedule,
            SourceStep.SHOW: adapter.show,
        }
        tellers[self.row.step](http, config, token, self.bulletin)

    def _done(self) -> None:
        now, step = self.runtime.now(), self.row.step
        following = step_after(step, self.row.urgency, has_lines=bool(self.row.lines))
        values: dict[str, Any] = {"code": None, "reason": None, "tries": 0, "next_try_at": now}
        if step is SourceStep.CANCEL:
            values |= {"state": SourceState.RECALLED, "recalled_at": now}
        elif following is not None:
            values |= {"state": SourceState.WAITING, "step": following}
        else:
            values |= {"state": SourceState.SENT, "sent_at": now}
        self._write("ok", **values)
        log.info("loudspeakers.told", bulletin_id=self.row.id, step=step.value)

    def _again(self, code: str, shown: str, at_least: float = 0.0) -> None:
        """Surely not there, or safe to tell again: as before, later."""
        now = self.runtime.now()
        at = next_try(now, self.row.tries, at_least=at_least)
        if self.row.urgency == EMERGENCY:
            at = min(at, now + URGENT_PAUSE)
        self._write(code, state=SourceState.WAITING, code=code[:60], reason=shown[:400], next_try_at=at)

    def _hold(self, error: SendError) -> None:
        """The account does not work: people are called, and it is tried again until it is true no more."""
        now = self.runtime.now()
        at = now + ACCOUNT_PAUSE
        if self.row.urgency == EMERGENCY:  # soon at first; not so often that the account is locked for it
            at = min(at, next_try(now, self.row.tries))
        self._write(
            error.code, state=SourceState.WAITING, code=error.code[:60], reason=error.shown[:400], next_try_at=at
        )
        with self.runtime.database.transaction() as session:
            _call(session, self.row, self.runtime.now(), "account")
        log.error("loudspeakers.account_refused", channel=self.channel.slug, code=error.code)

    def _end(self, state: SourceState, code: str, reason: str) -> None:
        self._write(code, state=state, code=code[:60], reason=reason[:400])
        log.error("loudspeakers.ended", bulletin_id=self.row.id, state=state.value, code=code)

    def _write(self, outcome: str, **values: Any) -> None:
        with self.runtime.database.transaction() as session:
            mine = sa.select(SourceBulletin).where(
                SourceBulletin.id == self.row.id, SourceBulletin.lease_id == self.lease
            )
            row = session.scalar(mine.with_for_update())
            if row is None:
                return
            now = self.runtime.now()
            row.attempts = noted(row, now, outcome)
            row.lease_id = row.lease_until = None
            for name, value in values.items():
                setattr(row, name, value)
            is_over = row.state in {SourceState.REFUSED, SourceState.UNKNOWN}
            if row.recall_asked_at is not None and row.step is not SourceStep.CANCEL:
                row.state, row.step, row.tries, row.next_try_at = SourceState.WAITING, SourceStep.CANCEL, 0, now
            elif is_over:
                what = "not_recalled" if row.step is SourceStep.CANCEL else row.state.value
                _call(session, row, now, what)


def noted(row: SourceBulletin, now: datetime, outcome: str) -> list[Any]:
    """The attempts with one more, the latest only."""
    return [*row.attempts, {"step": row.step.value, "at": now.isoformat(), "outcome": outcome[:60]}][-KEPT_ATTEMPTS:]


def _settle(session: Session, row: SourceBulletin, now: datetime, state: SourceState, code: str, reason: str) -> None:
    row.attempts = noted(row, now, code)
    row.state, row.code, row.reason = state, code, reason
    row.lease_id = row.lease_until = None
    _call(session, row, now, state.value)


def _call(session: Session, row: SourceBulletin, now: datetime, what: str) -> None:
    """Say to the desk, once, that loudspeakers do not say what they should."""
    key = f"loudspeakers:{what}:{row.id}"
    kind = AlertKind.LOUDSPEAKERS
    raise_alert(session, row.commune_id, kind, key, now, audience="desk", what=what, title=row.title)


def _may_repeat(runtime: Runtime, channel: Channel) -> bool:
    try:
        return loudspeaking(runtime, channel).knows_keys(channel_config(runtime, channel))
    except (ValueError, VaultError):
        return False
