"""Announcements, each on one channel: stopping one, and sending one person's again. They are made by bulletins."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from adapters.loudspeakers import village_types
from bot.runtime import Runtime
from bot.usecases import deliveries
from bot.usecases.announcing import (
    APPROVERS,
    EVERYBODY,
    READERS,
    STOPPERS,
    AnnouncementError,
    NoSuchAnnouncement,
    must,
)
from bot.usecases.broadcast import STOPPED, expand, expand_due, is_over
from bot.usecases.places import settlements
from storage.announcements import (
    RUNNING,
    Announcement,
    cancel_waiting,
    first_failed_part,
    is_unfinished,
)
from storage.audit import AuditEntry
from storage.bulletins import Bulletin, followed_by
from storage.channels import Channel
from storage.communes import Place
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


def stop(runtime: Runtime, official: Official, announcement_id: int) -> None:
    """Nothing more of it goes out, for good: what is waiting is cancelled. What was sent cannot be called back."""
    must(official, *STOPPERS)
    with runtime.database.transaction() as session:
        announcement = _found(session, official, announcement_id)
        if announcement.state not in RUNNING:
            raise AnnouncementError("Thông báo này đã kết thúc nên không còn gì để dừng.")
        announcement.state = AnnouncementState.STOPPED
        announcement.stopped_at = runtime.now()
        announcement.version += 1
        cancelled = cancel_waiting(session, announcement.id, "stopped", STOPPED)
        _audit(session, runtime, official, announcement, "stopped", cancelled=cancelled)
    log.warning("announcement.stopped", announcement_id=announcement_id, cancelled=cancelled)


def resend(runtime: Runtime, official: Official, announcement_id: int, delivery_id: int) -> None:
    """A person decides that one follower, refused or unknown, is sent the announcement again."""
    must(official, *STOPPERS)
    with runtime.database.reading() as session:
        announcement = _found(session, official, announcement_id, lock=False)
        if announcement.state not in {AnnouncementState.SENDING, AnnouncementState.SENT}:
            raise AnnouncementError("Thông báo đã dừng nên không gửi lại được.")
        if is_over(announcement, runtime.now()):
            raise AnnouncementError("Thông báo đã hết hiệu lực nên không gửi lại được.")
        _check_is_latest(session, announcement)
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


def _check_is_latest(session: Session, announcement: Announcement) -> None:
    """What was put right, taken back or ended since is told to nobody once more."""
    if announcement.bulletin_id is None:
        return
    root_id = session.get_one(Bulletin, announcement.bulletin_id).root_id
    later = [one.id for one in followed_by(session, root_id) if one.approved_at is not None]
    if later and announcement.bulletin_id != later[-1]:
        raise AnnouncementError("Thông báo đã được đính chính hoặc thu hồi nên không gửi lại được.")


def channels_for(runtime: Runtime, official: Official) -> list[Channel]:
    """The channels of the commune that an announcement can be written for."""
    is_followed = Channel.type.not_in(village_types(runtime.adapters))
    query = sa.select(Channel).where(Channel.commune_id == official.commune_id, Channel.is_active, is_followed)
    with runtime.database.reading() as session:
        return list(session.scalars(query.order_by(Channel.id)))


def villages_for(runtime: Runtime, official: Official) -> list[Place]:
    """The commune's places where people live, for whom an announcement can be written."""
    return settlements(runtime, official.commune_id)


def _found(session: Session, official: Official, announcement_id: int, *, lock: bool = True) -> Announcement:
    announcement = session.get(Announcement, announcement_id, with_for_update=FOR_CHANGE if lock else None)
    if announcement is None or announcement.commune_id != official.commune_id:
        raise NoSuchAnnouncement
    return announcement


def found_for(session: Session, official: Official, announcement_id: int, *roles: Role) -> Announcement:
    """The announcement, locked, for an official in one of these roles. AnnouncementError, NoSuchAnnouncement."""
    must(official, *roles)
    return _found(session, official, announcement_id)


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
