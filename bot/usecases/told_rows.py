"""Rows of messages that another driver of the talk told us of, and how it names our citizens."""

from __future__ import annotations

import sqlalchemy as sa

from bot.usecases.work import Work
from storage.channels import Channel
from storage.messages import InboundEvent, Message

SEPARATOR = "|"


def sender_of(channel: Channel, urn: str) -> str:
    """The name by which another driver knows a citizen: channel and address."""
    return f"{channel.slug}{SEPARATOR}{urn}"


def adopt(work: Work, external_id: str) -> Message | None:
    """The row of a message that another driver has told us of before the channel's own event was handled."""
    query = (
        sa.select(Message)
        .join(InboundEvent, InboundEvent.id == Message.inbound_event_id)
        .where(
            Message.channel_id == work.channel.id,
            Message.external_id == external_id[:160],
            InboundEvent.key.like("told:%"),
        )
        .order_by(Message.ticket_id.is_(None), Message.id)
    )
    return work.session.scalar(query.limit(1))
