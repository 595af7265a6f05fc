"""The sweep: every few seconds look for work nobody has touched, so that a lost nudge or a crash loses nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from adapters.errors import TokenRefreshFailed
from bot.queue import BROADCAST, INBOX, MEDIA, REPLIES
from bot.rules.retention import Kind
from bot.runtime import Runtime
from bot.usecases import (
    agency_list,
    articles,
    bulk_page,
    catching_up,
    chain,
    clocks,
    comparing,
    deliveries,
    device_tickets,
    editions,
    fallback,
    holding,
    intake,
    neighbours,
    polling,
    retention,
    safety_board,
    sealed_files,
    searching,
    source_feedback,
    source_listening,
    source_reports,
    source_sending,
    taking_out,
    transfer_progress,
    undoing,
)
from bot.usecases.sending import MANY, PERSONAL
from bot.usecases.tokens import REFRESH_BEFORE, NoToken, access_for
from storage.announcements import Announcement, is_running
from storage.blobs import let_go_of
from storage.catching_up import CatchUp
from storage.channels import Channel, ChannelToken
from storage.deliveries import Delivery
from storage.enums import (
    AttachmentState,
    DeliveryKind,
    DeliveryState,
    InboundState,
    Playing,
    TokenState,
)
from storage.messages import Attachment, InboundEvent
from storage.officials import Official, SignInAttempt, SignInSession
from storage.retention import RetentionRule

log = structlog.get_logger()

EVERY_SECONDS = 5.0
SESSIONS_KEPT = timedelta(days=30)


def sweep(runtime: Runtime) -> list[str]:
    """Free what dead processes held, refresh tokens ahead of time, and nudge for waiting rows; gives the nudges."""
    deliveries.expire_leases(runtime)
    refresh_tokens_ahead(runtime)
    holding.hand_back_due(runtime)
    fallback.reroute_due(runtime)
    clocks.speak_up(runtime)
    agency_list.close_due(runtime)
    transfer_progress.remind_due(runtime)
    safety_board.remind_open(runtime)
    neighbours.carry(runtime)
    device_tickets.carry(runtime)
    chain.extend(runtime)
    undoing.forget_over(runtime)
    bulk_page.forget_over(runtime)
    searching.index_earlier(runtime)
    taking_out.take_out_due(runtime)
    editions.propose_due(runtime)
    runtime.database.forget_traces()
    due = waiting_jobs(runtime)
    for job in due:
        runtime.nudge(job)
    retention.keep_rules(runtime)  # last: nobody waits for it
    return due


def take_over(runtime: Runtime) -> None:
    """This is the only process and has just begun: whatever was in hand belongs to a dead predecessor."""
    freed = intake.expire_leases(runtime)
    polling.expire_leases(runtime)
    catching_up.expire_leases(runtime)
    source_sending.expire_leases(runtime)
    unknown = deliveries.expire_leases(runtime, everything=True)
    with runtime.database.transaction() as session:
        session.execute(sa.update(Attachment).where(Attachment.lease_until.is_not(None)).values(lease_until=None))
    if freed or unknown:
        log.warning("sweep.took_over", events=freed, unknown_deliveries=unknown)


def waiting_jobs(runtime: Runtime) -> list[str]:
    """The jobs for which a due row is waiting."""
    now = runtime.now()
    questions: dict[str, Callable[[Session, datetime], bool]] = {
        REPLIES: lambda s, at: _owes(s, PERSONAL, at),
        INBOX: lambda s, at: _has_events(s, at) or comparing.is_waiting(s),
        MEDIA: lambda s, at: (
            _has_media(s, at)
            or source_listening.has_due(s, runtime, at)
            or source_feedback.has_due(s, at)
            or source_reports.has_due(s, at)
        ),
        BROADCAST: lambda s, at: (
            _owes(s, MANY, at) or _has_announcements(s, at) or articles.has_due(s, at) or source_sending.has_due(s, at)
        ),
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
    """Sign-in sessions and attempts of last month serve nobody; a commune with a rule of its own goes by that."""
    before = runtime.now() - SESSIONS_KEPT
    ruled = sa.select(RetentionRule.commune_id).where(RetentionRule.kind == Kind.SIGN_INS)
    ids = sa.select(Official.id).where(Official.commune_id.in_(ruled))
    names = sa.select(Official.username).where(Official.commune_id.in_(ruled))
    with runtime.database.transaction() as session:
        session.execute(
            sa.delete(SignInSession).where(SignInSession.created_at < before, SignInSession.official_id.not_in(ids))
        )
        session.execute(sa.delete(SignInAttempt).where(SignInAttempt.at < before, SignInAttempt.account.not_in(names)))


def _owes(session: Session, kinds: list[DeliveryKind], now: datetime) -> bool:
    is_due = sa.select(Delivery.id).where(
        Delivery.channel_id == Channel.id,  # the index begins with it
        Delivery.state == DeliveryState.WAITING,
        *deliveries.of_kinds(kinds),
        Delivery.next_attempt_at <= now,
    )
    return session.scalar(sa.select(Channel.id).where(is_due.exists()).limit(1)) is not None


def _has_events(session: Session, now: datetime) -> bool:
    query = sa.select(InboundEvent.id).where(
        InboundEvent.state == InboundState.WAITING,
        InboundEvent.next_try_at <= now,
        sa.or_(InboundEvent.lease_until.is_(None), InboundEvent.lease_until < now),
    )
    return session.scalar(query.limit(1)) is not None


def _has_media(session: Session, now: datetime) -> bool:
    is_waiting = (Attachment.state == AttachmentState.WAITING, Attachment.playing == Playing.WAITING)
    queries = [sa.select(Attachment.id).where(one, Attachment.next_try_at <= now) for one in is_waiting]
    queries.append(sa.select(CatchUp.id).where(*catching_up.is_due(now)))
    if sealed_files.has_unsettled(session):
        return True
    return any(session.scalar(query.limit(1)) is not None for query in queries) or bool(let_go_of(session, now, 1))


def _has_announcements(session: Session, now: datetime) -> bool:
    return session.scalar(sa.select(Announcement.id).where(*is_running(now)).limit(1)) is not None
