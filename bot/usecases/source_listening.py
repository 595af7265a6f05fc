"""Listening to source systems: what they hand down, what clusters played, how they are, and calling people when one
stays out.

Bulletins from above and feedback are asked for first and often, as an emergency may be among them.
"""

from __future__ import annotations

import time as clock
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from adapters.errors import SendError
from adapters.exchange import NOTICES
from adapters.http import Http
from adapters.loudspeakers import Cluster, Loudspeaking, PlayLogs, village_types
from adapters.loudspeakers import PlayLog as Told
from adapters.secret import Secret
from bot.rules.loudspeakers import CALL_AFTER, condition, is_out
from bot.runtime import Runtime, VaultError
from bot.usecases import source_feedback, source_notices
from bot.usecases.source_sessions import in_session, linked, loudspeaking, offered
from bot.usecases.tokens import channel_config
from storage.alerts import raise_alert
from storage.channels import Channel
from storage.database import insert_ignore
from storage.enums import AlertKind, SourceState
from storage.loudspeakers import LoudspeakerCluster, PlayLog, SourceBulletin, SourceLink, clusters_of

log = structlog.get_logger()

LEASE = timedelta(seconds=90)
SOON, SELDOM = timedelta(seconds=20), timedelta(minutes=5)
MOST_PAGES = 20
LINK_LOST_AFTER = timedelta(minutes=30)
MOST_NAMED = 5
Listen = Callable[[Runtime, Channel, SourceLink], None]
_AWAITED = (SourceState.WAITING, SourceState.SENDING, SourceState.SENT, SourceState.UNKNOWN)


def has_due(session: Session, runtime: Runtime, now: datetime) -> bool:
    """Whether a source system should be asked now."""
    return session.scalar(_due(runtime, now).limit(1)) is not None


def ask_due(runtime: Runtime, *, budget_seconds: float = 5.0) -> int:
    """Ask the source systems whose turn it is; gives how many were asked."""
    end, did = clock.monotonic() + budget_seconds, 0
    with runtime.database.reading() as session:
        channels = list(session.scalars(_due(runtime, runtime.now())))
    for channel in channels:
        if clock.monotonic() >= end:
            break
        did += _ask(runtime, channel)
    return did


def _due(runtime: Runtime, now: datetime) -> sa.Select[tuple[Channel]]:
    is_free = sa.or_(SourceLink.lease_until.is_(None), SourceLink.lease_until < now)
    is_turn = sa.or_(SourceLink.id.is_(None), sa.and_(SourceLink.next_ask_at <= now, is_free))
    return (
        sa.select(Channel)
        .outerjoin(SourceLink, SourceLink.channel_id == Channel.id)
        .where(Channel.is_active, Channel.type.in_(village_types(runtime.adapters)), is_turn)
        .order_by(Channel.id)
    )


def _ask(runtime: Runtime, channel: Channel) -> int:
    with runtime.database.transaction(durable=False) as session:
        linked(session, runtime, channel)
        now = runtime.now()  # after it: a link that was just made is due
        is_free = sa.or_(SourceLink.lease_until.is_(None), SourceLink.lease_until < now)
        mine = sa.select(SourceLink).where(SourceLink.channel_id == channel.id, SourceLink.next_ask_at <= now, is_free)
        link = session.scalar(mine.with_for_update())
        if link is None:
            return 0
        link.lease_until = now + LEASE
    error = ""
    try:
        for listen in (source_notices.listen, source_feedback.listen, _listen):
            error = _try(runtime, channel, listen, link) or error  # one that does not work holds up no other
    finally:
        _rest(runtime, channel, error)
    return 1


def _try(runtime: Runtime, channel: Channel, listen: Listen, link: SourceLink) -> str:
    try:
        listen(runtime, channel, link)
    except (SendError, ValueError, VaultError) as problem:
        code = str(getattr(problem, "code", "config"))
        log.warning("loudspeakers.not_asked", channel=channel.slug, code=code)
        return code
    return ""


def _listen(runtime: Runtime, channel: Channel, link: SourceLink) -> None:
    if link.heard_at is not None and runtime.now() - link.heard_at < _pause_before_hearing(runtime, channel):
        return
    after = link.log_after
    adapter, config, http = loudspeaking(runtime, channel), channel_config(runtime, channel), runtime.http
    for _ in range(MOST_PAGES):
        page = in_session(runtime, channel, partial(_page, adapter, http, config, after))
        _keep_logs(runtime, channel, page)
        after = page.after
        if page.is_all:
            break
    clusters = in_session(runtime, channel, lambda token: adapter.clusters(http, config, token))
    with runtime.database.transaction() as session:
        now = runtime.now()
        _keep_clusters(session, channel, clusters, now)
        call_for_outages(session, channel, now)
        session.execute(sa.update(SourceLink).where(SourceLink.channel_id == channel.id).values(heard_at=now))


def _pause_before_hearing(runtime: Runtime, channel: Channel) -> timedelta:
    with runtime.database.reading() as session:
        return SOON / 2 if _is_awaited(session, channel.id, runtime.now()) else SELDOM - SOON / 2


def _page(adapter: Loudspeaking, http: Http, config: Any, after: str, token: Secret) -> PlayLogs:
    return adapter.play_logs(http, config, token, after)


def _keep_logs(runtime: Runtime, channel: Channel, page: PlayLogs) -> None:
    """Write a page of the log down with where it ends; what is told twice or late changes nothing."""
    with runtime.database.transaction() as session:
        known = _bulletins(session, channel.id, page.logs)
        rows = [_log_row(channel, one, known) for one in page.logs]
        insert_ignore(session, PlayLog, rows)
        session.execute(
            sa.update(SourceLink).where(SourceLink.channel_id == channel.id).values(log_after=page.after[:120])
        )
    if page.unread:
        log.warning("loudspeakers.log_unread", channel=channel.slug, lines=page.unread)


def _bulletins(session: Session, channel_id: int, logs: Iterable[Told]) -> dict[str, int]:
    refs = {parts[1] for one in logs if len(parts := one.bulletin.split(".")) == 3}
    query = sa.select(SourceBulletin).where(SourceBulletin.channel_id == channel_id, SourceBulletin.ref.in_(refs))
    return {row.key: row.id for row in session.scalars(query)}


def _log_row(channel: Channel, one: Told, known: dict[str, int]) -> dict[str, Any]:
    return {
        "commune_id": channel.commune_id,
        "channel_id": channel.id,
        "bulletin_id": known.get(one.bulletin),
        "bulletin_key": one.bulletin,
        "cluster": one.cluster,
        "kind": one.kind,
        "is_success": one.is_success,
        "reason": one.reason,
        "at": one.at,
    }


def _keep_clusters(session: Session, channel: Channel, clusters: Iterable[Cluster], now: datetime) -> None:
    known = {row.external_id: row for row in clusters_of(session, channel.id)}
    for one in clusters:
        heard_at, row = one.heard_at or now, known.get(one.id)
        if row is None:
            row = LoudspeakerCluster(commune_id=channel.commune_id, channel_id=channel.id, external_id=one.id)
            session.add(row)
        elif heard_at < row.heard_at:
            continue  # an earlier heartbeat that comes late
        row.name, row.area, row.volume, row.version = one.name, one.area, one.volume, one.version
        row.state, row.is_connected, row.playing, row.heard_at = one.state, one.is_connected, one.playing, heard_at
    session.flush()


def call_for_outages(session: Session, channel: Channel, now: datetime) -> None:
    """Note which clusters are out and since when; whoever stays out is told to the desk, together, once."""
    late = []
    for row in clusters_of(session, channel.id):
        how = condition(row.state, row.heard_at, now, is_connected=row.is_connected)
        if not is_out(how):
            row.out_since = row.told_at = None
            continue
        row.out_since = row.out_since or now
        if row.told_at is None and now - row.out_since >= CALL_AFTER:
            row.told_at = now
            late.append(row)
    if not late:
        return
    names = ", ".join(row.name for row in late[:MOST_NAMED]) + ("…" if len(late) > MOST_NAMED else "")
    raise_alert(
        session, channel.commune_id, AlertKind.LOUDSPEAKERS, f"loudspeakers:out:{late[0].id}:{now:%Y%m%dT%H%M%S%f}",
        now, audience="desk", what="out", many=len(late), names=names,
        since=min(row.out_since for row in late if row.out_since).isoformat(),
    )  # fmt: skip
    log.warning("loudspeakers.out", channel=channel.slug, clusters=len(late))


def _rest(runtime: Runtime, channel: Channel, error: str) -> None:
    """Until when nobody need ask, and whether the system has been away for so long that people must know."""
    now = runtime.now()
    with runtime.database.transaction(durable=False) as session:
        link = linked(session, runtime, channel)
        link.lease_until, link.error = None, error[:60] or None
        if not error:
            link.asked_at, link.failed_at = now, None
            is_soon = _hands_down(runtime, channel) or _is_awaited(session, channel.id, now)
            link.next_ask_at = now + (SOON if is_soon else SELDOM)
            return
        link.failed_at = link.failed_at or now
        # The longer it is away, the seldomer: who signs in wrongly every few seconds is locked out.
        link.next_ask_at = now + min(max(SOON, now - link.failed_at), SELDOM)
        if now - link.failed_at >= LINK_LOST_AFTER:
            raise_alert(
                session, channel.commune_id, AlertKind.LOUDSPEAKERS,
                f"loudspeakers:link:{channel.id}:{int(link.failed_at.timestamp())}", now,
                audience="desk", what="link", channel=channel.name, since=link.failed_at.isoformat(),
            )  # fmt: skip


def _hands_down(runtime: Runtime, channel: Channel) -> bool:
    """Whether an emergency may come from there."""
    return offered(runtime, channel, NOTICES) is not None


def _is_awaited(session: Session, channel_id: int, now: datetime) -> bool:
    """Whether something is on its way, or may be played these days."""
    query = sa.select(SourceBulletin.id).where(
        SourceBulletin.channel_id == channel_id,
        SourceBulletin.state.in_(_AWAITED),
        SourceBulletin.valid_until > now - timedelta(hours=1),
    )
    return session.scalar(query.limit(1)) is not None
