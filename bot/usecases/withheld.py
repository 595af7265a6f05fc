"""Withheld: a citizen sent something that cannot be read here, and is told so, and how else to say it."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from bot.usecases.telling import tell
from bot.usecases.work import Citizen, Work
from storage.messages import Message

TEXT = "withheld"
ONCE_IN = timedelta(hours=1)


def answer(work: Work, person: Citizen, message: Message) -> str:
    """Say so, once an hour in a conversation; the message stands in it, and under no report."""
    message.answers = TEXT
    if not work.is_stale and not _was_told(work, person):
        tell(work, person, f"{TEXT}:{message.id}", TEXT)
    return f"message:{TEXT}"


def _was_told(work: Work, person: Citizen) -> bool:
    told = sa.select(Message.id).where(
        Message.conversation_id == person.conversation.id,
        Message.template == TEXT,
        Message.occurred_at > work.now - ONCE_IN,
    )
    return work.session.scalar(told.limit(1)) is not None
