"""Feedback of a source system's app: asked for, taken in as every channel's events are, and told how it stands.

Each feedback is a talk of its own: what is said to it goes back through the system like any reply. Besides that the
system is told once that it was accepted, refused or answered.
"""

from __future__ import annotations

import time as clock
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from adapters.errors import SendError
from adapters.exchange import (
    ACCEPTED,
    ANSWERED,
    FEEDBACK,
    FEEDBACK_SCHEME,
    REFUSED,
    STATES,
    Exchanging,
    Feedbacks,
)
from adapters.messages import Envelope
from adapters.secret import Secret
from bot.queue import INBOX
from bot.rules.retry import next_try
from bot.runtime import Runtime, VaultError
from bot.usecases.source_sessions import in_session, offered
from bot.usecases.tokens import channel_config
from storage.channels import Channel
from storage.contacts import Conversation, Urn
from storage.database import insert_ignore
from storage.enums import TicketState
from storage.exchange import SourceFeedback
from storage.ingest import Ingest, NewEvent
from storage.loudspeakers import SourceLink
from storage.tickets import Ticket
from storage.undo import is_not_final

log = structlog.get_logger()

MOST_PAGES = 20
LEASE = timedelta(seconds=90)
_FINAL = (REFUSED, ANSWERED)


def listen(runtime: Runtime, channel: Channel, link: SourceLink) -> None:
    """Take in what citizens wrote since. Raises SendError."""
    adapter = offered(runtime, channel, FEEDBACK)
    if adapter is None:
        return
    after = link.feedback_after
    for _ in range(MOST_PAGES):
        page = in_session(runtime, channel, partial(_page, runtime, adapter, channel, after))
        _keep(runtime, channel, page)
        after = page.after
        if page.unread:
            log.warning("feedback.unread", channel=channel.slug, many=page.unread)
        if page.is_all:
            break


def _page(runtime: Runtime, adapter: Exchanging, channel: Channel, after: str, token: Secret) -> Feedbacks:
    return adapter.feedback(runtime.http, channel_config(runtime, channel), token, after)


def _keep(runtime: Runtime, channel: Channel, page: Feedbacks) -> None:
    """Make them durable under their own keys; what is told twice changes nothing. Only then the place moves."""
    now = runtime.now()
    ingest = Ingest(runtime.database)
    try:
        new = sum(ingest.write([_event(channel, one, now) for one in page.events], {}).values()) if page.events else 0
    finally:
        ingest.close()
    with runtime.database.transaction() as session:
        insert_ignore(session, SourceFeedback, [_row(channel, one, now) for one in page.events])
        session.execute(
            sa.update(SourceLink).where(SourceLink.channel_id == channel.id).values(feedback_after=page.after[:120])
        )
    if new:
        runtime.nudge(INBOX)


def _event(channel: Channel, one: Envelope, now: datetime) -> NewEvent:
    return NewEvent(
        commune_id=channel.commune_id,
        channel_id=channel.id,
        key=one.key,
        event_name=one.event_name,
        conversation_key=one.conversation[:200],
        body=one.body or b"",
        occurred_at=min(one.occurred_at, now),
        received_at=now,
    )


def _row(channel: Channel, one: Envelope, now: datetime) -> dict[str, Any]:
    ref = one.conversation.partition(":")[2]
    values = {"commune_id": channel.commune_id, "channel_id": channel.id, "ref": ref, "told": "", "tries": 0}
    return {**values, "next_try_at": now, "created_at": now}


# ---- how it stands --------------------------------------------------------------------------------------------------


def has_due(session: Session, now: datetime) -> bool:
    """Whether a source system does not know yet how a feedback stands."""
    return session.execute(_due(now).limit(1)).first() is not None


def tell_due(runtime: Runtime, *, budget_seconds: float = 2.0) -> int:
    """Tell source systems how feedback stands, each state once; gives how many were told."""
    end, told = clock.monotonic() + budget_seconds, 0
    while clock.monotonic() < end:
        found = _claim(runtime)
        if found is None:
            break
        told += _tell(runtime, *found)
    return told


def _wanted() -> sa.ColumnElement[str]:
    """Of a sealed one nothing is told but that it was taken."""
    over = [TicketState.ANSWERED, TicketState.CLOSED]
    return sa.case(
        (Ticket.is_sealed.is_(True), ACCEPTED),
        (Ticket.state == TicketState.DECLINED, REFUSED),
        (Ticket.state.in_(over), ANSWERED),
        else_=ACCEPTED,
    )


def _due(now: datetime) -> sa.Select[tuple[SourceFeedback, Ticket, str]]:
    address = sa.literal(f"{FEEDBACK_SCHEME}:") + SourceFeedback.ref
    first = (
        sa.select(sa.func.min(Ticket.id))
        .join(Conversation, Conversation.id == Ticket.conversation_id)
        .join(Urn, Urn.id == Conversation.urn_id)
        .where(Urn.channel_id == SourceFeedback.channel_id, Urn.value == address)
        .scalar_subquery()
    )
    return (
        sa.select(SourceFeedback, Ticket, _wanted())
        .join(Channel, Channel.id == SourceFeedback.channel_id)
        .join(Ticket, Ticket.id == first)
        .where(
            Channel.is_active,
            Channel.paused_at.is_(None),
            SourceFeedback.told.not_in(_FINAL),
            SourceFeedback.next_try_at <= now,
            SourceFeedback.told != _wanted(),
            ~is_not_final(Ticket.id, now),
        )
        .order_by(SourceFeedback.next_try_at, SourceFeedback.id)
    )


def _claim(runtime: Runtime) -> tuple[SourceFeedback, Channel, str, str] | None:
    with runtime.database.transaction() as session:
        now = runtime.now()
        found = session.execute(_due(now).limit(1).with_for_update(of=SourceFeedback, skip_locked=True)).first()
        if found is None:
            return None
        row, ticket, wanted = found
        row.next_try_at, row.tries = now + LEASE, row.tries + 1
        return row, session.get_one(Channel, row.channel_id), wanted, "" if ticket.is_sealed else ticket.code


def _tell(runtime: Runtime, row: SourceFeedback, channel: Channel, state: str, code: str) -> int:
    """The key is the feedback and its state, so telling again what was heard already is no harm."""
    adapter, error = offered(runtime, channel, STATES), ""
    try:
        if adapter is not None:
            config = channel_config(runtime, channel)
            in_session(
                runtime, channel, lambda token: adapter.tell_state(runtime.http, config, token, row.ref, state, code)
            )
    except (SendError, ValueError, VaultError) as problem:
        error = str(getattr(problem, "code", "config"))
    with runtime.database.transaction() as session:
        mine, now = session.get_one(SourceFeedback, row.id, with_for_update=True), runtime.now()
        mine.code = error[:60] or None
        if error:
            mine.next_try_at = next_try(now, mine.tries)
        else:
            mine.told, mine.told_at, mine.tries, mine.next_try_at = state, now, 0, now
    log.info("feedback.told", channel=channel.slug, feedback_id=row.id, state=state, code=error)
    return 0 if error else 1
