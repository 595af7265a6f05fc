"""The sweep: every few seconds look for work nobody has touched, so that a lost nudge or a crash loses nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from adapters.errors import TokenRefreshFailed
from bot.queue import BROADCAST, INBOX, MEDIA, REPLIES
from bot.runtime import Runtime
from bot.usecases import deliveries, holding, intake, polling
from bot.usecases.sending import MANY, PERSONAL
from bot.usecases.tokens import REFRESH_BEFORE, NoToken, access_for
from storage.announcements import Announcement
from storage.channels import Channel, ChannelToken
from storage.deliveries import Delivery
from storage.enums import AnnouncementState, AttachmentState, DeliveryKind, DeliveryState, InboundState, TokenState
from storage.messages import Attachment, InboundEvent
from storage.officials import SignInAttempt, SignInSession

log = structlog.get_logger()

EVERY_SECONDS = 5.0
SESSIONS_KEPT = timedelta(days=30)


def sweep(runtime: Runtime) -> list[str]:
    """Free what dead processes held, refresh tokens ahead of time, and nudge for waiting rows; gives the nudges."""
    deliveries.expire_leases(runtime)
    refresh_tokens_ahead(runtime)
    holding.hand_back_due(runtime)
    due = waiting_jobs(runtime)
    for job in due:
        runtime.nudge(job)
    return due


def take_over(runtime: Runtime) -> None:
    """This is the only process and has just begun: whatever was in hand belongs to a dead predecessor."""
    freed = intake.expire_leases(runtime)
    polling.expire_leases(runtime)
    unknown = deliveries.expire_leases(runtime, everything=True)
    with runtime.database.transaction() as session:
        session.execute(
            sa.update(Attachment).where(Attachment.state == AttachmentState.WAITING).values(lease_until=None)
        )
    if freed or unknown:
        log.warning("sweep.took_over", events=freed, unknown_deliveries=unknown)


def waiting_jobs(runtime: Runtime) -> list[str]:
    """The jobs for which a due row is waiting."""
    now = runtime.now()
    questions: dict[str, Callable[[Session, datetime], bool]] = {
        REPLIES: lambda s, at: _owes(s, PERSONAL, at),
        INBOX: _has_events,
        MEDIA: _has_media,
        BROADCAST: lambda s, at: _owes(s, MANY, at) or _has_announcements(s),
    }
    with runtime.database.reading() as session:
        return [job for job, is_waiting in questions.items() if is_waiting(session, now)]


def refresh_tokens_ahead(runtime: Runtime) -> None:
    """Spend refresh tokens hours before access tokens end, so that no send has to wait for it."""
    soon = runtime.now() + REFRESH_BEFORE
    with runtime.database.reading() as session:
        channels = list(
            session.scalars(
                sa.select(Channel)
                .join(ChannelToken, ChannelToken.channel_id == Channel.id)
                .where(Channel.is_active, ChannelToken.state == TokenState.OK, ChannelToken.expires_at < soon)
            )
        )
    for channel in channels:
        try:
            access_for(runtime, channel)
        except (NoToken, TokenRefreshFailed) as error:
            log.error("token.not_refreshed_ahead", channel=channel.slug, code=getattr(error, "code", "needs_consent"))


def forget_old_sessions(runtime: Runtime) -> None:
    """Sign-in sessions and attempts of last month serve nobody."""
    before = runtime.now() - SESSIONS_KEPT
    with runtime.database.transaction() as session:
        session.execute(sa.delete(SignInSession).where(SignInSession.created_at < before))
        session.execute(sa.delete(SignInAttempt).where(SignInAttempt.at < before))


def _owes(session: Session, kinds: list[DeliveryKind], now: datetime) -> bool:
    query = sa.select(Delivery.id).where(
        Delivery.state == DeliveryState.WAITING, Delivery.kind.in_(kinds), Delivery.next_attempt_at <= now
    )
    return session.scalar(query.limit(1)) is not None


def _has_events(session: Session, now: datetime) -> bool:
    query = sa.select(InboundEvent.id).where(
        InboundEvent.state == InboundState.WAITING,
        InboundEvent.next_try_at <= now,
        sa.or_(InboundEvent.lease_until.is_(None), InboundEvent.lease_until < now),
    )
    return session.scalar(query.limit(1)) is not None


def _has_media(session: Session, now: datetime) -> bool:
    query = sa.select(Attachment.id).where(Attachment.state == AttachmentState.WAITING, Attachment.next_try_at <= now)
    return session.scalar(query.limit(1)) is not None


def _has_announcements(session: Session) -> bool:
    running = [AnnouncementState.APPROVED, AnnouncementState.SENDING]
    return session.scalar(sa.select(Announcement.id).where(Announcement.state.in_(running)).limit(1)) is not None
