"""Announcements: one official writes, a second one reads and approves, and anyone of them can stop it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from adapters.loudspeakers import village_types
from adapters.text import length, printable
from bot.queue import BROADCAST
from bot.rules.audience import A_WEEK, CHECKLIST, TEXT_AT_MOST, TITLE_AT_MOST
from bot.runtime import Runtime
from bot.usecases import deliveries
from bot.usecases.announcing import (
    APPROVERS,
    EVERYBODY,
    LONGEST_NOTE,
    READERS,
    STOPPERS,
    AnnouncementError,
    NoSuchAnnouncement,
    audience_now,
    channel_for,
    check_about,
    cleaned,
    must,
    normalised,
    too_long_title,
)
from bot.usecases.broadcast import STOPPED, expand, expand_due, fingerprint, is_over, words_for
from bot.usecases.places import settlements
from storage.announcements import (
    RUNNING,
    Announcement,
    approved_since,
    cancel_waiting,
    first_failed_part,
    is_unfinished,
    whom_of,
)
from storage.audiences import About, Audience, Whom
from storage.audit import AuditEntry
from storage.channels import Channel
from storage.communes import Commune, Place
from storage.contacts import Urn
from storage.database import FOR_CHANGE
from storage.enums import AnnouncementState, Role
from storage.officials import Official

__all__ = [
    "APPROVERS",
    "EVERYBODY",
    "READERS",
    "AnnouncementError",
    "NoSuchAnnouncement",
    "expand",
    "expand_due",
]

log = structlog.get_logger()


@dataclass(frozen=True)
class Preview:
    """How an announcement will arrive, to how many, and what still keeps it from being submitted."""

    parts: list[str]
    length: int
    audience: Audience
    sent_this_week: int
    problems: list[AnnouncementError] = field(default_factory=list)


def draft(
    runtime: Runtime, official: Official, *, channel_id: int, title: str, body: str, about: About = EVERYBODY
) -> int:
    """Keep a first version of an announcement; gives its id."""
    must(official, Role.AUTHOR)
    title, body = cleaned(title, body)
    with runtime.database.transaction() as session:
        channel = channel_for(session, official, channel_id)
        check_about(session, official, about)
        announcement = Announcement(
            commune_id=official.commune_id,
            channel_id=channel.id,
            title=title,
            body=body,
            topic=about.topic,
            place_ids=sorted(about.place_ids),
            state=AnnouncementState.DRAFT,
            author_id=official.id,
            created_at=runtime.now(),
        )
        session.add(announcement)
        session.flush()
        _audit(session, runtime, official, announcement, "drafted")
        return announcement.id


def edit(
    runtime: Runtime,
    official: Official,
    announcement_id: int,
    *,
    version: int,
    channel_id: int,
    title: str,
    body: str,
    about: About = EVERYBODY,
) -> None:
    """The author changes a draft, or one that was returned."""
    title, body = cleaned(title, body)
    with runtime.database.transaction() as session:
        announcement = _own_draft(session, official, announcement_id, version)
        announcement.channel_id = channel_for(session, official, channel_id).id
        check_about(session, official, about)
        announcement.title, announcement.body = title, body
        announcement.topic, announcement.place_ids = about.topic, sorted(about.place_ids)
        announcement.version += 1
        _audit(session, runtime, official, announcement, "edited", hash=fingerprint(announcement))


def submit(
    runtime: Runtime, official: Official, announcement_id: int, *, version: int, confirmed: Collection[str]
) -> None:
    """The author hands it to a second person, having checked that it may be published at all."""
    with runtime.database.transaction() as session:
        announcement = _own_draft(session, official, announcement_id, version)
        if not set(CHECKLIST) <= set(confirmed):
            raise AnnouncementError(
                "Chưa đánh dấu đủ các mục cần kiểm tra. Vui lòng kiểm tra từng mục rồi trình duyệt."
            )
        channel = channel_for(session, official, announcement.channel_id)
        _complete(session, runtime, channel, announcement)
        announcement.state = AnnouncementState.SUBMITTED
        announcement.submitted_at = runtime.now()
        announcement.returned_note = None
        announcement.version += 1
        _audit(
            session,
            runtime,
            official,
            announcement,
            "submitted",
            hash=fingerprint(announcement),
            confirmed=list(CHECKLIST),
        )


def approve(runtime: Runtime, official: Official, announcement_id: int, *, seen_hash: str, pays: bool = False) -> None:
    """A second person approves exactly what they read; the audience is frozen and sending begins.

    `pays`: they agree that the channel charges for those whom it lets us write to for money only.
    """
    must(official, *APPROVERS)
    with runtime.database.transaction() as session:
        announcement = _submitted(session, official, announcement_id)
        if announcement.author_id == official.id:
            raise AnnouncementError("Người soạn không được tự duyệt. Cần một người khác có quyền duyệt tin.")
        if seen_hash != fingerprint(announcement):
            raise AnnouncementError("Nội dung đã thay đổi sau khi Anh/Chị mở trang. Vui lòng đọc lại rồi duyệt.")
        channel = channel_for(session, official, announcement.channel_id)
        audience = _complete(session, runtime, channel, announcement)
        announcement.state = AnnouncementState.APPROVED
        announcement.approver_id = official.id
        announcement.approved_at = runtime.now()
        announcement.approved_hash = seen_hash
        announcement.pays = pays
        announcement.audience_count = audience.count
        announcement.frozen_to_urn_id = audience.last_urn_id
        announcement.version += 1
        _audit(session, runtime, official, announcement, "approved", hash=seen_hash, audience=audience.count, pays=pays)
    log.info("announcement.approved", announcement_id=announcement_id, audience=audience.count)
    runtime.nudge(BROADCAST)


def return_to_author(runtime: Runtime, official: Official, announcement_id: int, *, note: str) -> None:
    """Back to a draft: the second person says what to change, or the author takes it back."""
    note = printable(note, LONGEST_NOTE).strip()
    with runtime.database.transaction() as session:
        announcement = _submitted(session, official, announcement_id)
        if announcement.author_id != official.id:
            must(official, *APPROVERS)
            if not note:
                raise AnnouncementError("Chưa ghi lý do trả lại. Vui lòng ghi rõ cần sửa gì để người soạn biết.")
        announcement.state = AnnouncementState.DRAFT
        announcement.submitted_at = None
        announcement.returned_note = note or None
        announcement.version += 1
        _audit(session, runtime, official, announcement, "returned")


def stop(runtime: Runtime, official: Official, announcement_id: int) -> None:
    """Nothing more of it goes out, for good: what is waiting is cancelled. What was sent cannot be called back."""
    must(official, *STOPPERS)
    with runtime.database.transaction() as session:
        announcement = _found(session, official, announcement_id)
        is_written = announcement.state not in RUNNING
        if announcement.state in {AnnouncementState.SENT, AnnouncementState.STOPPED}:
            raise AnnouncementError("Thông báo này đã kết thúc nên không còn gì để dừng.")
        if is_written and announcement.author_id != official.id:
            raise AnnouncementError("Chỉ người soạn mới bỏ được bản chưa duyệt. Người duyệt có thể trả lại để sửa.")
        announcement.state = AnnouncementState.STOPPED
        announcement.stopped_at = runtime.now()
        announcement.version += 1
        cancelled = cancel_waiting(session, announcement.id, "stopped", STOPPED)
        _audit(session, runtime, official, announcement, "stopped", cancelled=cancelled)
    log.warning("announcement.stopped", announcement_id=announcement_id, cancelled=cancelled)


def resume(runtime: Runtime, official: Official, announcement_id: int) -> None:
    """Stopping is final, because nobody could say any more who approved what for whom; always refused."""
    with runtime.database.reading() as session:
        _found(session, official, announcement_id, lock=False)
    raise AnnouncementError(
        "Thông báo đã dừng thì không gửi tiếp được. Vui lòng soạn thông báo mới và trình duyệt lại."
    )


def resend(runtime: Runtime, official: Official, announcement_id: int, delivery_id: int) -> None:
    """A person decides that one follower, refused or unknown, is sent the announcement again."""
    must(official, *STOPPERS)
    with runtime.database.reading() as session:
        announcement = _found(session, official, announcement_id, lock=False)
        if announcement.state not in {AnnouncementState.SENDING, AnnouncementState.SENT}:
            raise AnnouncementError("Thông báo đã dừng nên không gửi lại được.")
        if is_over(announcement, runtime.now()):
            raise AnnouncementError("Thông báo đã hết hiệu lực nên không gửi lại được.")
        delivery = first_failed_part(session, announcement.id, delivery_id)
        if delivery is None:
            raise AnnouncementError("Chỉ gửi lại được lượt bị từ chối hoặc không rõ kết quả.")
        urn = session.get_one(Urn, delivery.urn_id)
        if urn.opted_out_at is not None or not urn.is_following:
            raise AnnouncementError("Người dân đã ngừng nhận thông báo nên không gửi lại.")
    deliveries.resend(runtime, official.id, delivery)
    with runtime.database.transaction() as session:
        announcement = _found(session, official, announcement_id)
        if announcement.state is AnnouncementState.SENT and is_unfinished(session, announcement.id):
            announcement.state = AnnouncementState.SENDING
            announcement.finished_at = None
        _audit(session, runtime, official, announcement, "resent", delivery_id=delivery_id)


def preview(
    runtime: Runtime, official: Official, *, channel_id: int, title: str, body: str, about: About = EVERYBODY
) -> Preview:
    """What followers would read, how long it is, who would get it, and what is still wrong; changes nothing."""
    title, body = normalised(title), normalised(body)
    with runtime.database.reading() as session:
        channel = channel_for(session, official, channel_id)
        commune = session.get_one(Commune, channel.commune_id)
        check_about(session, official, about)
        audience = audience_now(session, runtime, channel, Whom(about))
        week = approved_since(session, channel.id, runtime.now() - A_WEEK)
    problems = _problems(runtime, channel, commune, title, body, audience)
    parts = _with_gaps(runtime, channel, commune, title, body)
    return Preview(parts, _length(runtime, channel, parts), audience, week, problems)


def channels_for(runtime: Runtime, official: Official) -> list[Channel]:
    """The channels of the commune that an announcement can be written for."""
    is_followed = Channel.type.not_in(village_types(runtime.adapters))
    query = sa.select(Channel).where(Channel.commune_id == official.commune_id, Channel.is_active, is_followed)
    with runtime.database.reading() as session:
        return list(session.scalars(query.order_by(Channel.id)))


def villages_for(runtime: Runtime, official: Official) -> list[Place]:
    """The commune's places where people live, for whom an announcement can be written."""
    return settlements(runtime, official.commune_id)


def _complete(session: Session, runtime: Runtime, channel: Channel, announcement: Announcement) -> Audience:
    commune = session.get_one(Commune, channel.commune_id)
    audience = audience_now(session, runtime, channel, whom_of(announcement))
    problems = _problems(runtime, channel, commune, announcement.title, announcement.body, audience)
    if problems:
        raise problems[0]
    return audience


def _problems(
    runtime: Runtime, channel: Channel, commune: Commune, title: str, body: str, audience: Audience
) -> list[AnnouncementError]:
    needed = (
        (title, "Chưa có tiêu đề. Vui lòng nhập tiêu đề."),
        (body, "Chưa có nội dung. Vui lòng nhập nội dung."),
        (commune.name, "Địa phương chưa có tên trong hệ thống. Vui lòng báo người quản trị."),
    )
    problems = [AnnouncementError(sentence) for value, sentence in needed if not value.strip()]
    if len(title) > TITLE_AT_MOST:
        problems.append(too_long_title())
    size = _length(runtime, channel, _with_gaps(runtime, channel, commune, title, body))
    if size > TEXT_AT_MOST:
        problems.append(
            AnnouncementError(
                "Tin dài %(size)s ký tự, tối đa %(most)s kể cả tên địa phương và lời nhắn cuối. Vui lòng rút ngắn.",
                size=size,
                most=TEXT_AT_MOST,
            )
        )
    if not audience.count:
        problems.append(
            AnnouncementError(
                "Trên kênh này chưa có ai nhận thông báo loại này nên chưa gửi được. Vui lòng chọn rộng hơn."
            )
        )
    return problems


def _with_gaps(runtime: Runtime, channel: Channel, commune: Commune, title: str, body: str) -> list[str]:
    """The parts of an unfinished announcement: a mark shows where words will stand."""
    return words_for(runtime, channel, commune.name or "…", title or "…", body or "…")


def _length(runtime: Runtime, channel: Channel, parts: list[str]) -> int:
    return sum(length(part, runtime.adapters[channel.type].limits.text_units) for part in parts)


def _found(session: Session, official: Official, announcement_id: int, *, lock: bool = True) -> Announcement:
    announcement = session.get(Announcement, announcement_id, with_for_update=FOR_CHANGE if lock else None)
    if announcement is None or announcement.commune_id != official.commune_id:
        raise NoSuchAnnouncement
    return announcement


def found_for(session: Session, official: Official, announcement_id: int, *roles: Role) -> Announcement:
    """The announcement, locked, for an official in one of these roles. AnnouncementError, NoSuchAnnouncement."""
    must(official, *roles)
    return _found(session, official, announcement_id)


def _own_draft(session: Session, official: Official, announcement_id: int, version: int) -> Announcement:
    must(official, Role.AUTHOR)
    announcement = _found(session, official, announcement_id)
    if announcement.author_id != official.id:
        raise AnnouncementError("Chỉ người soạn mới sửa và trình duyệt được thông báo này.")
    if announcement.state is not AnnouncementState.DRAFT:
        raise AnnouncementError("Thông báo đã trình duyệt nên không sửa được nữa. Có thể rút lại để sửa.")
    if announcement.version != version:
        raise AnnouncementError("Bản này đã được sửa ở một cửa sổ khác. Vui lòng tải lại trang rồi sửa tiếp.")
    return announcement


def _submitted(session: Session, official: Official, announcement_id: int) -> Announcement:
    announcement = _found(session, official, announcement_id)
    if announcement.state is not AnnouncementState.SUBMITTED:
        raise AnnouncementError("Thông báo này không còn chờ duyệt. Vui lòng tải lại trang.")
    return announcement


def _audit(
    session: Session, runtime: Runtime, official: Official, announcement: Announcement, action: str, **data: Any
) -> None:
    session.add(
        AuditEntry(
            commune_id=announcement.commune_id,
            official_id=official.id,
            at=runtime.now(),
            action=f"announcement.{action}",
            target=f"announcement:{announcement.id}",
            data=data,
        )
    )
