"""Months for the source system: the sums of a month's book, handed in by themselves and when they are asked for.

The row holds what was told, so that what is sent again after a lost answer is the same, and what was told can be read
later. Figures are counted by the conditions of the book and the charts; of what is sealed there is a number only.
"""

from __future__ import annotations

import time as clock
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from adapters.errors import ChannelRefused, OutcomeUnknown, QuotaExhausted, SendError, TemporarilyRefused, TokenRejected
from adapters.exchange import STATISTICS, Exchanging, Figures, Statistics
from adapters.loudspeakers import village_types
from bot.access import audit
from bot.queue import MEDIA
from bot.rules.deadlines import VIETNAM, next_opening
from bot.rules.periods import Span, month_of
from bot.rules.retry import next_try
from bot.runtime import Runtime, VaultError
from bot.usecases.announcing import AnnouncementError
from bot.usecases.communes import holidays_of, working_hours
from bot.usecases.month_book import FIRST_YEAR, READERS
from bot.usecases.source_sending import ACCOUNT_PAUSE, WRONG_SETTINGS
from bot.usecases.source_sessions import in_session, offered
from bot.usecases.telling import label
from bot.usecases.tokens import channel_config
from storage.channels import Channel
from storage.communes import Commune
from storage.contacts import Conversation
from storage.database import insert_ignore
from storage.enums import ReportState, TicketState
from storage.exchange import SourceReport
from storage.figures import WITHOUT_TOPIC, Figure, Filters, Timing, condition, conditions
from storage.officials import Official
from storage.tickets import Ticket

log = structlog.get_logger()

LEASE = timedelta(seconds=60)
SHOWN = 36
UNCLEAR = "Không biết hệ thống thông tin nguồn đã nhận thống kê chưa. Anh/Chị xem trên hệ thống của tỉnh."
_SUMS = ("received", "in_time", "late", "running", "declined", "forwarded", "rated", "content")
_OPEN = (ReportState.WAITING, ReportState.SENDING)


class ReportError(AnnouncementError):
    """What was asked of a month's figures cannot be done."""


def file_due(runtime: Runtime) -> int:
    """Make the report of the last month ready, once, from the first working moment of this one; gives how many."""
    now, made = runtime.now(), 0
    first = now.astimezone(VIETNAM).date().replace(day=1)
    last = first - timedelta(days=1)
    with runtime.database.reading() as session:
        channels = [one for one in _channels(session, runtime) if _is_working(session, one.commune_id, first, now)]
        had = set(
            session.scalars(sa.select(SourceReport.channel_id).where(SourceReport.first_on == last.replace(day=1)))
        )
    for channel in channels:
        if channel.id not in had and offered(runtime, channel, STATISTICS) is not None:
            with runtime.database.transaction() as session:
                made += insert_ignore(session, SourceReport, [_row(session, channel, last.year, last.month, now)])
    if made:
        runtime.nudge(MEDIA)
    return made


def ask_for(runtime: Runtime, official: Official, channel_id: int, year: int, month: int) -> int:
    """Hand a month in now, in the place of what was handed in of it before; gives the report's number.

    Raises ReportError.
    """
    now = runtime.now()
    today = now.astimezone(VIETNAM).date()
    is_known = FIRST_YEAR <= year <= today.year and 1 <= month <= 12 and date(year, month, 1) <= today
    with runtime.database.transaction() as session:
        channel = session.get(Channel, channel_id, with_for_update=True)
        if not official.has(*READERS):
            raise ReportError("Tài khoản của Anh/Chị không có quyền làm việc này.")
        if channel is None or channel.commune_id != official.commune_id or not _does(runtime, channel):
            raise ReportError("Không có kênh này, hoặc hệ thống của tỉnh không nhận thống kê.")
        if not is_known:
            raise ReportError("Chưa có số liệu của tháng này. Vui lòng chọn tháng khác.")
        row = SourceReport(**_row(session, channel, year, month, now))
        row.revision, row.official_id = _latest(session, channel.id, row.first_on) + 1, official.id
        session.add(row)
        session.flush()
        audit(session, official, "statistics.asked", f"source_report:{row.id}", now, month=f"{year}-{month:02}")
        number = row.id
    runtime.nudge(MEDIA)
    return number


def channels(runtime: Runtime, official: Official) -> list[Channel]:
    """The commune's source systems that take figures."""
    with runtime.database.reading() as session:
        own = [one for one in _channels(session, runtime) if one.commune_id == official.commune_id]
    return [one for one in own if _does(runtime, one)]


def listing(runtime: Runtime, official: Official) -> list[SourceReport]:
    """What was handed in of which month, the latest first."""
    query = sa.select(SourceReport).where(SourceReport.commune_id == official.commune_id)
    with runtime.database.reading() as session:
        return list(session.scalars(query.order_by(SourceReport.id.desc()).limit(SHOWN)))


def _does(runtime: Runtime, channel: Channel) -> bool:
    return channel.is_active and offered(runtime, channel, STATISTICS) is not None


def _channels(session: Session, runtime: Runtime) -> list[Channel]:
    query = sa.select(Channel).where(Channel.is_active, Channel.type.in_(village_types(runtime.adapters)))
    return list(session.scalars(query.order_by(Channel.id)))


def _is_working(session: Session, commune_id: int, first: date, now: datetime) -> bool:
    """Whether the first working moment of the month has come."""
    settings = dict(session.get_one(Commune, commune_id).settings)
    begins = month_of(first.year, first.month).begins
    return next_opening(begins, working_hours(settings), holidays_of(session, commune_id)) <= now


def _latest(session: Session, channel_id: int, first_on: date) -> int:
    query = sa.select(sa.func.max(SourceReport.revision)).where(
        SourceReport.channel_id == channel_id, SourceReport.first_on == first_on
    )
    return session.scalar(query) or 0


# ---- counting -------------------------------------------------------------------------------------------------------


def _row(session: Session, channel: Channel, year: int, month: int, now: datetime) -> dict[str, Any]:
    span = month_of(year, month)
    return {
        "commune_id": channel.commune_id,
        "channel_id": channel.id,
        "first_on": span.begins.astimezone(VIETNAM).date(),
        "last_on": span.ends.astimezone(VIETNAM).date() - timedelta(days=1),
        "revision": 1,
        "as_of": now,
        "figures": counted(session, channel.commune_id, span, now),
        "state": ReportState.WAITING,
        "answer": "",
        "tries": 0,
        "next_try_at": now,
        "created_at": now,
    }


def counted(session: Session, commune_id: int, span: Span, now: datetime) -> dict[str, Any]:
    """The sums of a time, in all, by topic and by type of channel, in one pass over its reports."""
    is_one = {
        "in_time": condition(Figure(Timing.IN_TIME.value), now),
        "late": condition(Figure(Timing.LATE.value), now),
        "running": condition(Figure(Timing.RUNNING.value), now),
        "declined": condition(Figure.DECLINED, now),
        "forwarded": Ticket.state == TicketState.FORWARDED,
        "rated": condition(Figure.RATED, now),
        "content": condition(Figure.CONTENT, now),
    }
    sums = [sa.func.sum(sa.case((one, 1), else_=0)).label(name) for name, one in is_one.items()]
    query = (
        sa.select(Ticket.topic, Channel.type, sa.func.count().label("received"), *sums)
        .join(Conversation, Conversation.id == Ticket.conversation_id)
        .join(Channel, Channel.id == Conversation.channel_id)
        .where(
            Ticket.commune_id == commune_id,
            Ticket.is_spam.is_(False),
            *conditions(Filters(since=span.begins, until=span.ends), now),
        )
        .group_by(Ticket.topic, Channel.type)
    )
    rows = list(session.execute(query))
    return {
        "total": _added(rows),
        "topics": {key: _added(part) for key, part in _grouped((row[0] or WITHOUT_TOPIC, row) for row in rows)},
        "channels": {key: _added(part) for key, part in _grouped((row[1], row) for row in rows)},
        "sealed": _sealed(session, commune_id, span),
    }


def _sealed(session: Session, commune_id: int, span: Span) -> int:
    query = (
        sa.select(sa.func.count())
        .select_from(Ticket)
        .where(
            Ticket.commune_id == commune_id,
            Ticket.is_sealed.is_(True),
            Ticket.opened_at >= span.begins,
            Ticket.opened_at < span.ends,
        )
    )
    return session.scalar(query) or 0


def _grouped(pairs: Iterable[tuple[str, Any]]) -> list[tuple[str, list[Any]]]:
    groups: dict[str, list[Any]] = {}
    for key, row in pairs:
        groups.setdefault(key, []).append(row)
    return sorted(groups.items())


def _added(rows: Iterable[Any]) -> dict[str, int]:
    told = list(rows)
    return {name: sum(int(getattr(row, name)) for row in told) for name in _SUMS}


def statistics_of(row: SourceReport) -> Statistics:
    """A report as it is told; the same every time."""
    found = row.figures
    before = f"HC.TK.{row.commune_id}.{row.first_on:%Y%m}.r{row.revision - 1}" if row.revision > 1 else ""
    topics = ((slug, "Chưa rõ" if slug == WITHOUT_TOPIC else label(slug), one) for slug, one in found["topics"].items())
    return Statistics(
        key=row.key,
        first=row.first_on,
        last=row.last_on,
        as_of=row.as_of,
        total=Figures(**found["total"]),
        topics=tuple((slug, words, Figures(**one)) for slug, words, one in topics),
        channels=tuple((kind, kind, Figures(**one)) for kind, one in found["channels"].items()),
        sealed=found["sealed"],
        replaces=before,
    )


# ---- handing in -----------------------------------------------------------------------------------------------------


def has_due(session: Session, now: datetime) -> bool:
    """Whether a month waits to be handed in."""
    return session.scalar(_due(now).limit(1)) is not None


def hand_in_due(runtime: Runtime, *, budget_seconds: float = 3.0) -> int:
    """Hand in the months that wait; gives how many tries there were."""
    end, did = clock.monotonic() + budget_seconds, 0
    while clock.monotonic() < end:
        claimed = _claim(runtime)
        if claimed is None:
            break
        _hand_in(runtime, *claimed)
        did += 1
    return did


def _due(now: datetime) -> sa.Select[tuple[SourceReport]]:
    is_free = sa.or_(SourceReport.lease_until.is_(None), SourceReport.lease_until < now)
    return (
        sa.select(SourceReport)
        .join(Channel, Channel.id == SourceReport.channel_id)
        .where(Channel.is_active, Channel.paused_at.is_(None), SourceReport.state.in_(_OPEN), is_free)
        .where(SourceReport.next_try_at <= now)
        .order_by(SourceReport.id)
    )


def _claim(runtime: Runtime) -> tuple[SourceReport, Channel] | None:
    with runtime.database.transaction() as session:
        now = runtime.now()
        row = session.scalar(_due(now).limit(1).with_for_update(of=SourceReport, skip_locked=True))
        if row is None:
            return None
        row.state, row.lease_until, row.tries = ReportState.SENDING, now + LEASE, row.tries + 1
        return row, session.get_one(Channel, row.channel_id)


def _hand_in(runtime: Runtime, row: SourceReport, channel: Channel) -> None:
    try:
        adapter, config = offered(runtime, channel, STATISTICS), channel_config(runtime, channel)
        answer = _told(runtime, channel, adapter, config, row)
    except OutcomeUnknown as error:
        if error.may_repeat:
            _again(runtime, row, error)
        else:
            _write(runtime, row, state=ReportState.UNKNOWN, code=error.code[:60], reason=UNCLEAR)
    except TemporarilyRefused as error:
        _again(runtime, row, error, error.retry_after)
    except (ChannelRefused, QuotaExhausted, TokenRejected) as error:
        _again(runtime, row, error, ACCOUNT_PAUSE.total_seconds())
    except (SendError, ValueError, VaultError) as error:
        reason = error.shown if isinstance(error, SendError) else WRONG_SETTINGS
        _write(runtime, row, state=ReportState.REFUSED, code=str(getattr(error, "code", "config"))[:60], reason=reason)
    else:
        values = {"code": None, "reason": None, "answer": answer, "sent_at": runtime.now()}
        _write(runtime, row, state=ReportState.SENT, **values)
    log.info("statistics.handed_in", channel=channel.slug, report_id=row.id)


def _told(runtime: Runtime, channel: Channel, adapter: Exchanging | None, config: Any, row: SourceReport) -> str:
    if adapter is None:
        raise ValueError("takes no figures any more")
    told = statistics_of(row)
    return in_session(runtime, channel, lambda token: adapter.hand_in(runtime.http, config, token, told))


def _again(runtime: Runtime, row: SourceReport, error: SendError, at_least: float = 0.0) -> None:
    at = next_try(runtime.now(), row.tries, at_least=at_least)
    _write(runtime, row, state=ReportState.WAITING, code=error.code[:60], reason=error.shown[:400], next_try_at=at)


def _write(runtime: Runtime, row: SourceReport, **values: Any) -> None:
    with runtime.database.transaction() as session:
        mine = session.get_one(SourceReport, row.id, with_for_update=True)
        mine.lease_until = None
        for name, value in values.items():
            setattr(mine, name, value)
