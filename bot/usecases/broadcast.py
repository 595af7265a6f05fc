"""Broadcast: an approved announcement becomes one delivery for each follower, never at night, until all are final."""

from __future__ import annotations

import json
import time
from datetime import datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from bot import texts
from bot.queue import BROADCAST
from bot.rules.audience import CAPS, not_before, quiet_hours, text_hash
from bot.rules.safety import LABELS
from bot.runtime import Runtime
from bot.usecases.deliveries import PRIORITIES, Claimed, Outcome, beside_picture, pieces_for, record
from storage.announcements import (
    RUNNING,
    Announcement,
    Owing,
    cancel_waiting,
    insert_chunk,
    is_due_before,
    is_outrun,
    is_unfinished,
    left_out_of_chunk,
    next_chunk_end,
    owed_since,
    put_off,
    running_ids,
)
from storage.audiences import Cap
from storage.audit import AuditEntry
from storage.channels import Channel
from storage.communes import Commune
from storage.contacts import Urn
from storage.database import FOR_CHANGE, advisory_lock
from storage.deliveries import Delivery
from storage.enums import AnnouncementState, DeliveryState, Importance

log = structlog.get_logger()

CHUNK, LARGEST_CHUNK = 2_000, 20_000  # addresses in one transaction, at first and at most
CHUNK_SECONDS = 0.5  # about so long one takes: others wait for SQLite's only writer, a stop for the locked row

STOPPED = "Thông báo đã được dừng trước khi gửi tới người này."
EXPIRED = "Thông báo đã hết hiệu lực trước khi gửi tới người này."
OPTED_OUT = "Người dân đã ngừng nhận thông báo."


def expand_due(runtime: Runtime, *, budget_seconds: float = 5.0) -> int:
    """Bring every approved announcement forward; gives how many deliveries were written down.

    One that cannot be brought forward is logged and does not hold up the others.
    """
    end = time.monotonic() + budget_seconds
    with runtime.database.reading() as session:
        running = running_ids(session, runtime.now())
    owed = 0
    for announcement_id in running:
        try:
            end_validity(runtime, announcement_id)
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
    owed, size, begun = 0, CHUNK, time.monotonic()
    while (chunk := _expand_chunk(runtime, announcement_id, size)) is not None:
        owed += chunk
        now = time.monotonic()
        if now >= end:
            break
        size, begun = _next_size(size, now - begun), now
    if owed:
        runtime.nudge(BROADCAST)
    return owed


def is_alarm_out(runtime: Runtime) -> bool:
    """Whether an emergency is on its way to anybody."""
    query = sa.select(Announcement.id).where(
        Announcement.state.in_(RUNNING), Announcement.importance == Importance.EMERGENCY
    )
    with runtime.database.reading() as session:
        return session.scalar(query.limit(1)) is not None


def keep_the_night(runtime: Runtime, announcement_id: int) -> int:
    """In quiet hours, what still waits is put off until the morning; gives how many parts."""
    now = runtime.now()
    with runtime.database.reading() as session:
        found = session.get(Announcement, announcement_id)
        if found is None or found.importance is Importance.EMERGENCY:
            return 0
        morning = opening(session, found.commune_id, now)
        if morning <= now or not is_due_before(session, announcement_id, morning):
            return 0
    with runtime.database.transaction() as session:
        return put_off(session, announcement_id, morning)


def end_validity(runtime: Runtime, announcement_id: int) -> int:
    """What has lost its validity goes to nobody any more; gives how many parts were called off."""
    now = runtime.now()
    with runtime.database.reading() as session:
        found = session.get(Announcement, announcement_id)
        if found is None or not is_over(found, now):
            return 0
    with runtime.database.transaction() as session:
        announcement = _locked(session, announcement_id)
        if announcement is None or announcement.state not in RUNNING:
            return 0
        announcement.state = AnnouncementState.SENDING
        announcement.expanded_to_urn_id = announcement.frozen_to_urn_id or 0
        cancelled = cancel_waiting(session, announcement_id, "expired", EXPIRED)
        session.add(_fact(announcement, "announcement.expired", now))
    log.info("announcement.expired", announcement_id=announcement_id, cancelled=cancelled)
    return cancelled


def is_over(announcement: Announcement, now: datetime) -> bool:
    """Whether what it says holds no more."""
    return announcement.valid_until is not None and announcement.valid_until <= now


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
    """Of claimed deliveries, those that may still go out: a stop, the end of validity or an opt-out cancels the rest.

    They cancel what waits; this catches what was being written down or was on its way at that very moment.
    """
    rows = session.execute(
        sa.select(Delivery.id, Announcement, Urn)
        .join(Announcement, Announcement.id == Delivery.announcement_id)
        .join(Urn, Urn.id == Delivery.urn_id)
        .where(Delivery.id.in_([claimed.id for claimed in batch]))
    )
    found = {delivery_id: _obstacle(announcement, urn, now) for delivery_id, announcement, urn in rows}
    reasons = {delivery_id: obstacle for delivery_id, obstacle in found.items() if obstacle is not None}
    cancelled = [
        Outcome(claimed, DeliveryState.CANCELLED, code=reasons[claimed.id][0], reason=reasons[claimed.id][1])
        for claimed in batch
        if claimed.id in reasons
    ]
    record(session, cancelled, lease, now)
    return [claimed for claimed in batch if claimed.id not in reasons]


def _obstacle(announcement: Announcement, urn: Urn, now: datetime) -> tuple[str, str] | None:
    """Why it must not go out to this address, as code and sentence."""
    if announcement.state is AnnouncementState.STOPPED:
        return "stopped", STOPPED
    if is_over(announcement, now):
        return "expired", EXPIRED
    is_muted = urn.opted_out_at is not None and announcement.importance is not Importance.EMERGENCY
    return ("opted_out", OPTED_OUT) if is_muted or not urn.is_following else None


def fingerprint(announcement: Announcement) -> str:
    """What an approver of it as it stands would approve."""
    return text_hash(
        announcement.title,
        announcement.body,
        announcement.channel_id,
        announcement.topic,
        announcement.place_ids,
        _as_a_part(announcement),
    )


def _as_a_part(announcement: Announcement) -> list[str]:
    if announcement.bulletin_id is None:
        return []
    moments = (announcement.send_at, announcement.valid_until)
    return [
        announcement.importance.value,
        *(at.isoformat() if at else "" for at in moments),
        str(announcement.follows_id or ""),
        *([announcement.image_blob] if announcement.image_blob else []),
        *(["safety"] if announcement.asks_safety else []),
        *([f"again:{announcement.repeats_id}:{announcement.silent_of or ''}"] if announcement.repeats_id else []),
        *([json.dumps(announcement.narrowing, sort_keys=True)] if announcement.narrowing else []),
    ]


def words_for(
    runtime: Runtime, channel: Channel, commune_name: str, title: str, body: str, *, has_picture: bool = False
) -> list[str]:
    """The announcement as followers of this channel read it, in as many parts as the channel needs.

    `has_picture`: one goes with the first part.
    """
    pieces = pieces_for(runtime, channel, said(commune_name, title, body))
    return beside_picture(runtime, channel, pieces) if has_picture else pieces


def carries_pictures(runtime: Runtime, channel: Channel) -> bool:
    """Whether a picture of an announcement goes out on this channel; the commune's page shows the words alone."""
    limits = runtime.adapters[channel.type].limits
    return limits.image_bytes > 0 and limits.rings


def said(commune_name: str, title: str, body: str) -> str:
    """The announcement in one piece, with the lines that stand below each."""
    return texts.say("announcement", tieude=title, noidung=body, xa=commune_name).words


def _next_size(size: int, seconds: float) -> int:
    """How many addresses the next chunk has, when one of this size took so long."""
    if seconds < CHUNK_SECONDS:
        return min(size * 2, LARGEST_CHUNK)
    return max(size // 2, CHUNK) if seconds > CHUNK_SECONDS * 3 else size


def _expand_chunk(runtime: Runtime, announcement_id: int, size: int) -> int | None:
    """One chunk in one transaction; None when there is nothing to do any more, or another worker is about it."""
    now = runtime.now()
    with runtime.database.transaction() as session:
        announcement = session.get(Announcement, announcement_id, with_for_update={**FOR_CHANGE, "skip_locked": True})
        if announcement is None or announcement.state not in RUNNING or _must_wait(announcement, now):
            return None
        if fingerprint(announcement) != announcement.approved_hash:
            _refuse_changed_text(session, announcement, now)
            return None
        announcement.state = AnnouncementState.SENDING
        if not announcement.expanded_to_urn_id and is_outrun(session, announcement, now):
            announcement.expanded_to_urn_id = announcement.frozen_to_urn_id or 0
            session.add(_fact(announcement, "announcement.outrun", now))
            return None
        end = next_chunk_end(session, announcement, size) if _has_more(announcement) else None
        if end is None:
            announcement.expanded_to_urn_id = announcement.frozen_to_urn_id or 0
            return None
        channel = session.get_one(Channel, announcement.channel_id)
        commune = session.get_one(Commune, announcement.commune_id)
        is_emergency = announcement.importance is Importance.EMERGENCY
        owing = Owing(
            words_for(
                runtime,
                channel,
                commune.name,
                announcement.title,
                announcement.body,
                has_picture=announcement.image_blob is not None,
            ),
            PRIORITIES[announcement.importance],
            now,
            now if is_emergency else opening(session, commune.id, now),
            cap_of(session, announcement, now),
            choices=_choices(runtime, channel, announcement),
        )
        if owing.cap is not None:
            announcement.left_out += left_out_of_chunk(session, announcement, owing.cap, to_urn_id=end)
        owed = insert_chunk(session, announcement, owing, to_urn_id=end)
        announcement.expanded_to_urn_id = end
    log.info("announcement.expanded", announcement_id=announcement_id, owed=owed, to_urn_id=end)
    return owed


def _choices(runtime: Runtime, channel: Channel, announcement: Announcement) -> tuple[str, ...]:
    """The answers that stand on buttons, where the channel has them."""
    return LABELS[: runtime.adapters[channel.type].limits.buttons] if announcement.asks_safety else ()


def cap_of(session: Session, announcement: Announcement, now: datetime) -> Cap | None:
    """How many of its class a follower gets; None where nobody can have had so many, or none may be missed."""
    if announcement.bulletin_id is None or announcement.follows_id is not None:
        return None
    cap = cap_on(session, announcement.channel_id, announcement.importance, now)
    if cap is not None:  # another one of this class may be written down now: each must see what the other has owed
        advisory_lock(session, f"cap:{announcement.channel_id}:{announcement.importance.value}")
    return cap


def cap_on(session: Session, channel_id: int, importance: Importance, now: datetime) -> Cap | None:
    """How many of this class a follower of this channel gets; None where nobody can have had so many."""
    rule = CAPS.get(importance)
    if rule is None or owed_since(session, channel_id, importance, now - rule.within) < rule.most:
        return None
    return Cap(rule.most, now - rule.within)


def _must_wait(announcement: Announcement, now: datetime) -> bool:
    """Whether nothing of it is owed now: put on hold, not begun, or over."""
    is_early = announcement.send_at is not None and announcement.send_at > now
    return is_early or announcement.paused_at is not None or is_over(announcement, now)


def _locked(session: Session, announcement_id: int) -> Announcement | None:
    return session.get(Announcement, announcement_id, with_for_update=FOR_CHANGE)


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
