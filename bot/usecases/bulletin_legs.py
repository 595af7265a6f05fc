"""Legs: within the approval of a bulletin, the announcements of which it is made, one a channel and day."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from bot.rules.bulletins import Plan, Words, medium_of
from bot.usecases.broadcast import fingerprint
from bot.usecases.bulletin_previews import ChannelPart, Preview
from storage.announcements import Announcement
from storage.bulletins import Bulletin
from storage.enums import AnnouncementState


def make_legs(session: Session, bulletin: Bulletin, plan: Plan, seen: Preview, *, pays: bool) -> None:
    """One announcement for each channel, and for each day on which it goes out once more."""
    moments: list[datetime | None] = [None] if plan.send_at is None else [*plan.repeats.moments(plan.send_at)]
    for part in seen.channels:
        first = part.repeated
        for send_at in moments:
            leg = _leg(bulletin, plan.words, part, send_at, pays=pays)
            leg.repeats_id = first.id if first else None
            leg.approved_hash = fingerprint(leg)
            session.add(leg)
            session.flush()
            first = first or leg


def _leg(bulletin: Bulletin, words: Words, part: ChannelPart, send_at: datetime | None, *, pays: bool) -> Announcement:
    return Announcement(
        commune_id=bulletin.commune_id,
        bulletin_id=bulletin.id,
        channel_id=part.channel.id,
        title=words.headline,
        body=words.on(medium_of(part.channel.type)),
        topic=bulletin.topic,
        place_ids=bulletin.place_ids,
        narrowing=bulletin.narrowing,
        importance=bulletin.importance,
        send_at=send_at,
        valid_until=bulletin.valid_until,
        follows_id=part.first.id if part.first else None,
        state=AnnouncementState.APPROVED,
        author_id=bulletin.author_id,
        approver_id=bulletin.approver_id,
        created_at=bulletin.created_at,
        submitted_at=bulletin.submitted_at,
        approved_at=bulletin.approved_at,
        audience_count=part.audience.count + part.audience.left_out,
        frozen_to_urn_id=part.last_urn_id,
        pays=pays,
        image_blob=bulletin.picture if part.has_picture else None,
        asks_safety=words.asks_safety,
        silent_of=bulletin.repeats_id if bulletin.is_for_silent else None,
    )
