"""Loudspeakers and boards as a leg of an announcement: have it read out, take it back, and see how far it is.

Whoever writes announcements calls `send`, `recall` and `progress`; the first two inside their own transaction, and
nudge BROADCAST after it. What an announcement is made of is not known here.
"""

from __future__ import annotations

import secrets as random_secrets
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from adapters.loudspeakers import PLAYED, SHOWN, Loudspeaking, village_types
from adapters.text import printable
from bot.rules.audience import quiet_hours
from bot.rules.loudspeakers import (
    CLASSES,
    EMERGENCY,
    Said,
    Slot,
    Tally,
    limit_problem,
    limits_of,
    reading_seconds,
    schedule_problem,
    tally,
)
from bot.runtime import Runtime
from bot.usecases.problems import Problem
from storage.bulletins import Bulletin
from storage.channels import Channel
from storage.communes import Commune
from storage.enums import SourceState, SourceStep
from storage.loudspeakers import LoudspeakerCluster, SourceBulletin, clusters_of, logs_of

LONGEST_TITLE, LONGEST_SUMMARY, LONGEST_SCRIPT, LONGEST_REASON = 250, 500, 5_000, 300
MOST_LINES, LONGEST_LINE = 4, 120
_SILENT = (SourceState.RECALLED, SourceState.EXPIRED, SourceState.REFUSED)

SCHEDULE_PROBLEMS = {
    "missing": "Chưa có lịch phát. Anh/Chị chọn ngày và giờ phát.",
    "many": "Lịch phát quá dài: nhiều nhất 31 ngày và 10 lượt mỗi ngày.",
    "backwards": "Giờ kết thúc phải sau giờ bắt đầu.",
    "past": "Lịch phát có giờ đã qua. Anh/Chị chọn giờ khác.",
    "quiet": "Lịch phát rơi vào giờ yên tĩnh của địa phương. Chỉ bản tin khẩn cấp mới phát lúc đó.",
}
LIMIT_PROBLEMS = {
    "weekend": "Địa phương chỉ phát loa từ thứ Hai đến thứ Sáu. Vui lòng chọn ngày khác.",
    "long": "Mỗi buổi phát loa dài nhất %(phut)s phút, tính cả bản tin phát liền nhau. Vui lòng rút ngắn hoặc đổi giờ.",
    "many": "Mỗi ngày địa phương phát loa nhiều nhất %(buoi)s buổi, tính cả bản tin đã duyệt. Vui lòng bớt giờ phát.",
}


class LoudspeakerProblem(Problem):
    """What was asked of loudspeakers cannot be done."""


@dataclass(frozen=True)
class Order:
    """What is to be read out and shown, by whom it was written and approved, and until when it is true.

    `clusters`: which ones, by the source system's ids; none: all. `replaces`: the bulletin that it corrects, which is
    recalled. `corrects_id`: the first of our bulletins that this one puts right, whose hours become free. An emergency
    needs no days and slots: it is played as it comes.
    """

    title: str
    script: str
    urgency: str
    valid_until: datetime
    days: tuple[date, ...] = ()
    slots: tuple[Slot, ...] = ()
    lines: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    summary: str = ""
    topic: str = ""
    author: str = ""
    approver: str = ""
    audio_url: str = ""
    bulletin_id: int | None = None
    replaces: int | None = None
    corrects_id: int | None = None


@dataclass(frozen=True)
class Progress:
    """How far a bulletin is. `tally`: by clusters' names; `is_shown`: whether a board has said that it shows it."""

    bulletin: SourceBulletin
    tally: Tally
    is_shown: bool

    @property
    def played(self) -> int:
        """How many clusters have played it."""
        return len(self.tally.played)


def channels_for(session: Session, runtime: Runtime, commune_id: int) -> list[Channel]:
    """The commune's channels that speak to villages."""
    query = sa.select(Channel).where(
        Channel.commune_id == commune_id, Channel.is_active, Channel.type.in_(village_types(runtime.adapters))
    )
    return list(session.scalars(query.order_by(Channel.id)))


def send(session: Session, runtime: Runtime, channel_id: int, order: Order) -> int:
    """Have it handed to the source system as soon as may be; gives the bulletin's number. Raises LoudspeakerProblem.

    Only what a second person has approved: whoever calls answers for that.
    """
    channel, now = check(session, runtime, channel_id, order), runtime.now()
    before = _replaced(session, channel, order)
    row = SourceBulletin(
        commune_id=channel.commune_id,
        channel_id=channel.id,
        bulletin_id=order.bulletin_id,
        ref=before.ref if before else random_secrets.token_hex(8),
        revision=before.revision + 1 if before else 1,
        replaces_id=before.id if before else None,
        next_try_at=now,
        created_at=now,
        **_words(order),
    )
    session.add(row)
    session.flush()
    if before is not None:
        recall(session, runtime, before.id, f"Thay bằng bản {row.revision}")
    return row.id


def recall(session: Session, runtime: Runtime, bulletin_id: int, reason: str) -> None:
    """Have it played and shown no more; twice is no harm. Raises LoudspeakerProblem when there is none."""
    row = session.scalar(sa.select(SourceBulletin).where(SourceBulletin.id == bulletin_id).with_for_update())
    if row is None:
        raise LoudspeakerProblem("Không có bản tin này.")
    if row.recall_asked_at is not None:
        return
    now = runtime.now()
    row.recall_asked_at, row.recall_reason = now, printable(reason, LONGEST_REASON).strip()
    if row.step is SourceStep.HAND_OVER and (row.tries == 0 or row.state is SourceState.REFUSED):
        row.state, row.recalled_at = SourceState.RECALLED, now  # nobody was told of it
    elif row.state is not SourceState.SENDING:  # what is in hand comes back here by itself
        row.state, row.step, row.tries, row.next_try_at = SourceState.WAITING, SourceStep.CANCEL, 0, now


def progress(session: Session, bulletin_id: int) -> Progress:
    """How far it is, and which clusters played it. Raises LoudspeakerProblem when there is none."""
    row = session.get(SourceBulletin, bulletin_id)
    if row is None:
        raise LoudspeakerProblem("Không có bản tin này.")
    known = {one.external_id: one for one in clusters_of(session, row.channel_id)}
    logs = logs_of(session, row.id)
    said = [Said(_name(known, log.cluster), log.is_success, log.reason) for log in logs if log.kind == PLAYED]
    wanted = {_name(known, one) for one in (row.clusters or known)}
    return Progress(row, tally(wanted, said), any(log.kind == SHOWN and log.is_success for log in logs))


def _name(known: dict[str, LoudspeakerCluster], external_id: str) -> str:
    found = known.get(external_id)
    return found.name if found else external_id


def check(session: Session, runtime: Runtime, channel_id: int, order: Order) -> Channel:
    """The channel, if `send` would take the order for it. Raises LoudspeakerProblem."""
    channel = session.get(Channel, channel_id)
    if channel is None or not isinstance(runtime.adapters.get(channel.type), Loudspeaking):
        raise LoudspeakerProblem("Kênh này không phải loa truyền thanh.")
    _check(session, channel, order, runtime.now())
    return channel


def _check(session: Session, channel: Channel, order: Order, now: datetime) -> None:
    if order.urgency not in CLASSES:
        raise LoudspeakerProblem("Chưa chọn loại bản tin.")
    if not order.title.strip() or not (order.script.strip() or order.audio_url):
        raise LoudspeakerProblem("Chưa có tiêu đề hoặc lời đọc.")
    if len(order.script) > LONGEST_SCRIPT:
        raise LoudspeakerProblem("Lời đọc quá dài. Anh/Chị rút gọn lại.")
    if order.valid_until <= now:
        raise LoudspeakerProblem("Thời hạn hiệu lực đã qua. Anh/Chị chọn thời hạn khác.")
    if order.urgency == EMERGENCY:
        return
    settings = dict(session.get_one(Commune, channel.commune_id).settings)
    if problem := schedule_problem(order.days, order.slots, now, quiet_hours(settings)):
        raise LoudspeakerProblem(SCHEDULE_PROBLEMS[problem])
    limits = limits_of(settings)
    if problem := limit_problem(order.days, order.slots, _taken(session, channel, order, now), limits):
        raise LoudspeakerProblem(LIMIT_PROBLEMS[problem], phut=limits.minutes, buoi=limits.sessions)


def _taken(session: Session, channel: Channel, order: Order, now: datetime) -> dict[date, list[Slot]]:
    """When the channel speaks already, but for what this order puts right."""
    query = sa.select(SourceBulletin).where(
        SourceBulletin.channel_id == channel.id,
        SourceBulletin.recall_asked_at.is_(None),
        SourceBulletin.state.not_in(_SILENT),
        SourceBulletin.urgency != EMERGENCY,
        SourceBulletin.valid_until > now,
    )
    if order.corrects_id is not None:
        chain = sa.select(Bulletin.id).where(
            sa.or_(Bulletin.id == order.corrects_id, Bulletin.corrects_id == order.corrects_id)
        )
        query = query.where(sa.or_(SourceBulletin.bulletin_id.is_(None), SourceBulletin.bulletin_id.not_in(chain)))
    if order.replaces is not None:
        query = query.where(SourceBulletin.id != order.replaces)
    taken: dict[date, list[Slot]] = {}
    for row in session.scalars(query):
        slots = [(time.fromisoformat(begin), time.fromisoformat(end)) for begin, end in row.slots]
        for day in row.days:
            taken.setdefault(date.fromisoformat(day), []).extend(slots)
    return taken


def _replaced(session: Session, channel: Channel, order: Order) -> SourceBulletin | None:
    if order.replaces is None:
        return None
    row = session.get(SourceBulletin, order.replaces)
    newest = sa.select(sa.func.max(SourceBulletin.revision)).where(SourceBulletin.channel_id == channel.id)
    if row is None or row.channel_id != channel.id:
        raise LoudspeakerProblem("Không có bản tin để thay thế.")
    if session.scalar(newest.where(SourceBulletin.ref == row.ref)) != row.revision:
        raise LoudspeakerProblem("Bản tin này đã được thay thế. Vui lòng tải lại trang.")
    return row


def _words(order: Order) -> dict[str, Any]:
    lines = [line for one in order.lines[:MOST_LINES] if (line := printable(one, LONGEST_LINE).strip())]
    script = order.script.strip()
    is_emergency = order.urgency == EMERGENCY
    return {
        "urgency": order.urgency,
        "title": printable(order.title, LONGEST_TITLE).strip(),
        "script": script,
        "summary": printable(order.summary, LONGEST_SUMMARY).strip(),
        "lines": lines,
        "topic": order.topic[:60],
        "author": printable(order.author, 120).strip(),
        "approver": printable(order.approver, 120).strip(),
        "audio_url": order.audio_url[:500],
        "seconds": reading_seconds(script),
        "clusters": list(order.clusters),
        "days": [] if is_emergency else [day.isoformat() for day in order.days],
        "slots": [] if is_emergency else [[f"{one:%H:%M}" for one in slot] for slot in order.slots],
        "valid_until": order.valid_until,
    }
