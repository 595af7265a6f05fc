"""Broadcast: an approved announcement becomes one delivery for each follower, never at night, until all are final."""

from __future__ import annotations

import time
from datetime import datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from bot import texts
from bot.queue import BROADCAST
from bot.rules.audience import not_before, quiet_hours, text_hash
from bot.runtime import Runtime
from bot.usecases.deliveries import PRIORITY_ANNOUNCEMENT, Claimed, Outcome, pieces_for, record
from storage.announcements import (
    RUNNING,
    Announcement,
    Owing,
    cancel_waiting,
    insert_chunk,
    is_due_before,
    is_unfinished,
    next_chunk_end,
    put_off,
    running_ids,
)
from storage.audit import AuditEntry
from storage.channels import Channel
from storage.communes import Commune
from storage.contacts import Urn
from storage.deliveries import Delivery
from storage.enums import AnnouncementState, DeliveryState

log = structlog.get_logger()

CHUNK = 500

STOPPED = "Thông báo đã được dừng trước khi gửi tới người này."
OPTED_OUT = "Người dân đã ngừng nhận thông báo."


def expand_due(runtime: Runtime, *, budget_seconds: float = 5.0) -> int:
    """Bring every approved announcement forward; gives how many deliveries were written down.

    One that cannot be brought forward is logged and does not hold up the others.
    """
    end = time.monotonic() + budget_seconds
    with runtime.database.reading() as session:
        running = running_ids(session)
    owed = 0
    for announcement_id in running:
        try:
            owed += expand(runtime, announcement_id, budget_seconds=end - time.monotonic())
            keep_the_night(runtime, announcement_id)
            finish(runtime, announcement_id)
        except Exception as error:
            log.exception("announcement.not_expanded", announcement_id=announcement_id, error=type(error).__name__)
    return owed


def expand(runtime: Runtime, announcement_id: int, budget_seconds: float = 5.0) -> int:
    """Owe an approved announcement to its audience, chunk by chunk from where it stood; gives how many were owed.

    Each chunk and the cursor behind it are one transaction, so a crash at any point repeats nothing and skips nobody.
    """
    end = time.monotonic() + budget_seconds
    owed = 0
    while (chunk := _expand_chunk(runtime, announcement_id)) is not None:
        owed += chunk
        if time.monotonic() >= end:
            break
    if owed:
        runtime.nudge(BROADCAST)
    return owed


def keep_the_night(runtime: Runtime, announcement_id: int) -> int:
    """In quiet hours, what still waits is put off until the morning; gives how many parts."""
    now = runtime.now()
    with runtime.database.reading() as session:
        found = session.get(Announcement, announcement_id)
        if found is None:
            return 0
        morning = opening(session, found.commune_id, now)
        if morning <= now or not is_due_before(session, announcement_id, morning):
            return 0
    with runtime.database.transaction() as session:
        return put_off(session, announcement_id, morning)


def finish(runtime: Runtime, announcement_id: int) -> bool:
    """Everybody was written down and every delivery is final: the announcement is sent."""
    with runtime.database.reading() as session:
        if not _is_over(session, session.get(Announcement, announcement_id)):
            return False
    with runtime.database.transaction() as session:
        announcement = _locked(session, announcement_id)
        if announcement is None or not _is_over(session, announcement):
            return False
        announcement.state = AnnouncementState.SENT
        announcement.finished_at = runtime.now()
        session.add(_fact(announcement, "announcement.finished", runtime.now()))
    log.info("announcement.finished", announcement_id=announcement_id)
    return True


def opening(session: Session, commune_id: int, now: datetime) -> datetime:
    """The first moment from now on at which the commune's quiet hours allow an announcement."""
    settings = session.scalar(sa.select(Commune.settings).where(Commune.id == commune_id))
    return not_before(now, quiet_hours(dict(settings or {})))


def withhold(session: Session, batch: list[Claimed], lease: str, now: datetime) -> list[Claimed]:
    """Of claimed deliveries, those that may still go out; a stop or an opt-out that came meanwhile cancels the rest.

    Both cancel what waits; this catches what was being written down or was on its way at that very moment.
    """
    rows = session.execute(
        sa.select(Delivery.id, Announcement.state, Urn.is_following, Urn.opted_out_at)
        .join(Announcement, Announcement.id == Delivery.announcement_id)
        .join(Urn, Urn.id == Delivery.urn_id)
        .where(Delivery.id.in_([claimed.id for claimed in batch]))
    )
    reasons = {
        delivery_id: ("stopped", STOPPED) if state is AnnouncementState.STOPPED else ("opted_out", OPTED_OUT)
        for delivery_id, state, is_following, opted_out_at in rows
        if state is AnnouncementState.STOPPED or not is_following or opted_out_at is not None
    }
    cancelled = [
        Outcome(claimed, DeliveryState.CANCELLED, code=reasons[claimed.id][0], reason=reasons[claimed.id][1])
        for claimed in batch
        if claimed.id in reasons
    ]
    record(session, cancelled, lease, now)
    return [claimed for claimed in batch if claimed.id not in reasons]


def fingerprint(announcement: Announcement) -> str:
    """What an approver of it as it stands would approve."""
    return text_hash(
        announcement.title, announcement.body, announcement.channel_id, announcement.topic, announcement.place_ids
    )


def words_for(runtime: Runtime, channel: Channel, commune_name: str, title: str, body: str) -> list[str]:
    """The announcement as followers of this channel read it, in as many parts as the channel needs."""
    whole = texts.say("announcement", tieude=title, noidung=body, xa=commune_name)
    return pieces_for(runtime, channel, whole.words)


def _expand_chunk(runtime: Runtime, announcement_id: int) -> int | None:
    """One chunk in one transaction; None when there is nothing to do any more."""
    now = runtime.now()
    with runtime.database.transaction() as session:
        announcement = _locked(session, announcement_id)
        if announcement is None or announcement.state not in RUNNING:
            return None
        if fingerprint(announcement) != announcement.approved_hash:
            _refuse_changed_text(session, announcement, now)
            return None
        announcement.state = AnnouncementState.SENDING
        end = next_chunk_end(session, announcement, CHUNK) if _has_more(announcement) else None
        if end is None:
            announcement.expanded_to_urn_id = announcement.frozen_to_urn_id or 0
            return None
        channel = session.get_one(Channel, announcement.channel_id)
        commune = session.get_one(Commune, announcement.commune_id)
        owing = Owing(
            words_for(runtime, channel, commune.name, announcement.title, announcement.body),
            PRIORITY_ANNOUNCEMENT,
            now,
            opening(session, commune.id, now),
        )
        owed = insert_chunk(session, announcement, owing, to_urn_id=end)
        announcement.expanded_to_urn_id = end
    log.info("announcement.expanded", announcement_id=announcement_id, owed=owed, to_urn_id=end)
    return owed


def _locked(session: Session, announcement_id: int) -> Announcement | None:
    return session.get(Announcement, announcement_id, with_for_update=True)


def _has_more(announcement: Announcement) -> bool:
    return announcement.expanded_to_urn_id < (announcement.frozen_to_urn_id or 0)


def _is_over(session: Session, announcement: Announcement | None) -> bool:
    return (
        announcement is not None
        and announcement.state is AnnouncementState.SENDING
        and not _has_more(announcement)
        and not is_unfinished(session, announcement.id)
    )


def _refuse_changed_text(session: Session, announcement: Announcement, now: datetime) -> None:
    """The row is not what was approved: somebody changed it past the use cases, so nothing more of it goes out."""
    announcement.state = AnnouncementState.STOPPED
    announcement.stopped_at = now
    cancel_waiting(session, announcement.id, "stopped", STOPPED)
    session.add(_fact(announcement, "announcement.changed_after_approval", now))
    log.error("announcement.changed_after_approval", announcement_id=announcement.id)


def _fact(announcement: Announcement, action: str, now: datetime) -> AuditEntry:
    target = f"announcement:{announcement.id}"
    return AuditEntry(commune_id=announcement.commune_id, at=now, action=action, target=target, data={})
