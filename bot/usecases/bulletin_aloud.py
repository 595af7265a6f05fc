"""Aloud: what the loudspeakers read of a bulletin, its place in the approval, its recall, and how far it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from bot.queue import BROADCAST
from bot.rules.bulletins import Plan
from bot.rules.loudspeakers import reading_seconds
from bot.runtime import Runtime
from bot.usecases import loudspeakers
from bot.usecases.announcing import STOPPERS, AnnouncementError, NoSuchAnnouncement, must
from bot.usecases.loudspeakers import LoudspeakerProblem, Order, Progress
from storage.audit import AuditEntry
from storage.bulletins import Bulletin, followed_by
from storage.channels import Channel
from storage.database import FOR_CHANGE
from storage.enums import BulletinKind, Importance
from storage.loudspeakers import SourceBulletin, heard_of
from storage.officials import Official

UNREAD_HOURS = "Giờ phát chưa đọc được. Vui lòng viết như 6h45, 17h00."
AT_ONCE = "Loa đọc tin khẩn cấp ngay khi duyệt. Vui lòng bỏ hẹn giờ gửi, hoặc bỏ chọn loa."
TAKEN_BACK = "Thu hồi trên trang bản tin"


@dataclass(frozen=True)
class Heard:
    """How far a bulletin is on one loudspeaker channel."""

    channel: str
    progress: Progress
    may_recall: bool

    @property
    def days(self) -> list[date]:
        """On which days it is read; none for an emergency, which is read as it comes."""
        return [date.fromisoformat(day) for day in self.progress.bulletin.days]

    @property
    def hours(self) -> list[str]:
        """When it begins to be read on each of them."""
        return [begin for begin, _ in self.progress.bulletin.slots]


def problems(
    session: Session, runtime: Runtime, plan: Plan, script: str, lines: Sequence[str]
) -> list[AnnouncementError]:
    """Why the loudspeakers could not read it out as planned; nothing when they could, or are not asked to."""
    found: dict[str, AnnouncementError] = {}
    for channel_id in plan.aloud.channel_ids:
        try:
            loudspeakers.check(session, runtime, channel_id, _order(plan, script, lines))
        except ValueError:
            found[UNREAD_HOURS] = AnnouncementError(UNREAD_HOURS)
        except LoudspeakerProblem as problem:
            found[problem.sentence] = AnnouncementError(problem.sentence, **problem.values)
    return list(found.values())


def own(session: Session, runtime: Runtime, official: Official, wanted: Iterable[int]) -> tuple[int, ...]:
    """Those of the loudspeaker channels named that are the commune's own and in use."""
    known = {channel.id for channel in loudspeakers.channels_for(session, runtime, official.commune_id)}
    return tuple(sorted(known.intersection(wanted)))


def channels(runtime: Runtime, official: Official) -> list[Channel]:
    """The commune's loudspeakers."""
    with runtime.database.reading() as session:
        return loudspeakers.channels_for(session, runtime, official.commune_id)


def order(
    session: Session, runtime: Runtime, bulletin: Bulletin, plan: Plan, script: str, lines: Sequence[str]
) -> None:
    """Within the approval: have it read out, in the place of what it puts right, which is read no more.

    A recall, and a correction that is not read out itself, silence what they are about all the same.
    """
    author, approver = (
        session.get_one(Official, one).name if one else "" for one in (bulletin.author_id, bulletin.approver_id)
    )
    before = _newest(session, bulletin)
    for channel_id in plan.aloud.channel_ids:
        replaced = before.pop(channel_id, None)
        made = _order(plan, script, lines, bulletin.id, author, approver, replaced.id if replaced else None)
        loudspeakers.send(session, runtime, channel_id, made)
    for row in before.values():
        loudspeakers.recall(session, runtime, row.id, f"{bulletin.kind.value} {bulletin.id}")


def silence(session: Session, runtime: Runtime, bulletin: Bulletin, reason: str) -> int:
    """Have the loudspeakers read it no more; gives how many of them were told."""
    rows = [row for row in heard_of(session, [bulletin.id]) if _may_recall(runtime, row)]
    for row in rows:
        loudspeakers.recall(session, runtime, row.id, reason)
    return len(rows)


def recall(runtime: Runtime, official: Official, bulletin_id: int) -> None:
    """Silence the loudspeakers, while what was sent to telephones stays. Raises AnnouncementError."""
    must(official, *STOPPERS)
    with runtime.database.transaction() as session:
        bulletin = session.get(Bulletin, bulletin_id, with_for_update=FOR_CHANGE)
        if bulletin is None or bulletin.commune_id != official.commune_id:
            raise NoSuchAnnouncement
        if not silence(session, runtime, bulletin, TAKEN_BACK):
            raise AnnouncementError("Loa không còn phát bản tin này. Vui lòng tải lại trang.")
        session.add(
            AuditEntry(
                commune_id=bulletin.commune_id, official_id=official.id, at=runtime.now(), action="bulletin.silenced",
                target=f"bulletin:{bulletin.id}", data={},
            )
        )  # fmt: skip
    runtime.nudge(BROADCAST)


def heard(session: Session, runtime: Runtime, bulletin: Bulletin) -> list[Heard]:
    """How far it is on each loudspeaker channel."""
    return [
        Heard(
            session.get_one(Channel, row.channel_id).name,
            loudspeakers.progress(session, row.id),
            _may_recall(runtime, row),
        )
        for row in heard_of(session, [bulletin.id])
    ]


def _may_recall(runtime: Runtime, row: SourceBulletin) -> bool:
    return row.recall_asked_at is None and row.valid_until > runtime.now()


def _newest(session: Session, bulletin: Bulletin) -> dict[int, SourceBulletin]:
    """By channel: the latest that is or was read out of what this one puts right or takes back."""
    if bulletin.kind is BulletinKind.FIRST or bulletin.corrects_id is None:
        return {}
    earlier = [bulletin.corrects_id, *(one.id for one in followed_by(session, bulletin.corrects_id))]
    return {row.channel_id: row for row in heard_of(session, [one for one in earlier if one != bulletin.id])}


def _order(
    plan: Plan,
    script: str,
    lines: Sequence[str],
    bulletin_id: int | None = None,
    author: str = "",
    approver: str = "",
    replaces: int | None = None,
) -> Order:
    if plan.valid_until is None:
        raise LoudspeakerProblem("Chưa có thời hạn hiệu lực. Vui lòng chọn ngày giờ hết hiệu lực.")
    is_emergency = plan.importance is Importance.EMERGENCY
    if is_emergency and plan.send_at is not None:  # it has no schedule: it would be heard before anybody is written to
        raise LoudspeakerProblem(AT_ONCE)
    return Order(
        title=plan.words.headline,
        script=script,
        urgency=plan.importance.value,
        valid_until=plan.valid_until,
        days=() if is_emergency else plan.aloud.days,
        slots=() if is_emergency else plan.aloud.slots(reading_seconds(script)),
        lines=tuple(lines),
        topic=plan.topic,
        author=author,
        approver=approver,
        bulletin_id=bulletin_id,
        replaces=replaces,
        corrects_id=plan.corrects_id,
    )
