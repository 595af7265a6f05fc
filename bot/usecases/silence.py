"""Silence: a channel that brought words every day and brings none any more calls for somebody to look.

Channels switch webhooks off without a word, after an outage or a changed address; nobody misses what never comes.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from adapters.loudspeakers import village_types
from adapters.web_form import WebForm
from bot.rules.deadlines import minutes_between
from bot.runtime import Runtime
from bot.usecases.communes import holidays_of, working_hours
from storage.alerts import raise_alert
from storage.channels import Channel
from storage.communes import Commune
from storage.enums import AlertKind
from storage.messages import InboundEvent

log = structlog.get_logger()

SETTING = "silence_hours"  # of the commune: working hours without an event before somebody is called; 0: never
USUAL_HOURS = 8
# A channel that is seldom used is often quiet.
A_WEEK, BUSY_A_WEEK = timedelta(days=7), 20


def call_for_silent(runtime: Runtime) -> int:
    """Raise an alert for each channel that has fallen silent, once for each silence; gives how many were raised."""
    now, raised = runtime.now(), 0
    with runtime.database.reading() as session:
        quiet_ones = [WebForm.type, *village_types(runtime.adapters)]
        is_heard = (Channel.is_active, Channel.is_sandbox.is_(False), Channel.type.not_in(quiet_ones))
        query = sa.select(Channel.id).where(*is_heard)
        silent = [found for channel_id in session.scalars(query) if (found := _silent_since(session, channel_id, now))]
    for channel, last in silent:
        with runtime.database.transaction() as session:
            is_new = raise_alert(
                session,
                channel.commune_id,
                AlertKind.CHANNEL_SILENT,
                f"silent:{channel.id}:{int(last.timestamp())}",
                now,
                channel=channel.name,
                since=last.isoformat(),
            )
        if is_new:
            raised += 1
            log.warning("channel.silent", channel=channel.slug, since=last.isoformat())
    return raised


def _silent_since(session: Session, channel_id: int, now: datetime) -> tuple[Channel, datetime] | None:
    """The channel and its last event, when it has been quiet for longer than its commune bears."""
    channel = session.get_one(Channel, channel_id)
    newest = (
        sa.select(InboundEvent.received_at)
        .where(InboundEvent.channel_id == channel_id, InboundEvent.catch_up_id.is_(None))
        .order_by(InboundEvent.id.desc())
        .limit(BUSY_A_WEEK)
    )
    events = list(session.scalars(newest))
    if len(events) < BUSY_A_WEEK or events[0] - events[-1] > A_WEEK:
        return None
    settings = dict(session.get_one(Commune, channel.commune_id).settings)
    most = settings.get(SETTING, USUAL_HOURS)
    if not isinstance(most, int) or most <= 0:
        return None
    quiet = minutes_between(events[0], now, working_hours(settings), holidays_of(session, channel.commune_id))
    return (channel, events[0]) if quiet >= most * 60 else None
