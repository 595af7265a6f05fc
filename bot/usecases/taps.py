"""Taps: a button that was pressed comes to rest at once, and answers only the question that it stands under."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import sqlalchemy as sa
import structlog

from adapters.base import AnswersTaps
from adapters.errors import SendError
from adapters.messages import InboundMessage
from bot.rules.dialogue import TEXTS
from bot.runtime import Runtime, VaultError
from bot.usecases.tokens import channel_config
from bot.usecases.turns import Turn
from bot.usecases.work import Citizen, Work
from storage.channels import Channel
from storage.deliveries import Delivery
from storage.enums import Direction
from storage.messages import InboundEvent, Message

log = structlog.get_logger()

FRESH = timedelta(minutes=2)  # afterwards the channel takes no answer, and nobody looks at the button any more
IN_A_HURRY = timedelta(minutes=1)

_pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="tap")


def answer_taps(runtime: Runtime, rows: Iterable[InboundEvent], channels: dict[int, Channel]) -> None:
    """Tell channels that want to know it that taps were heard; nobody waits for it, and nothing depends on it."""
    now = runtime.now()
    for row in rows:
        channel = channels[row.channel_id]
        adapter: object = runtime.adapters.get(channel.type)
        if not isinstance(adapter, AnswersTaps) or now - row.received_at > FRESH:
            continue
        tap = adapter.tap_in(row.body)
        if tap is not None:
            _pool.submit(_answer, runtime, adapter, channel, tap)


def is_again(work: Work, person: Citizen, word: InboundMessage) -> bool:
    """Whether the same button was pressed a moment ago: a finger that was in a hurry says nothing new."""
    query = sa.select(Message).where(
        Message.conversation_id == person.conversation.id,
        Message.direction == Direction.IN,
        Message.quoted_external_id == word.quoted_external_id,
        sa.or_(Message.text == word.text, Message.sealed.is_not(None)),
        Message.occurred_at > word.occurred_at - IN_A_HURRY,
    )
    return word.is_tap and any(said.text == word.text for said in work.session.scalars(query))


def is_of_another_question(turn: Turn, waiting_text: str) -> bool:
    """Whether the button stands under a question that waits no more; `waiting_text` has asked the one that does."""
    word, work = turn.word, turn.work
    if not word.is_tap:
        return False
    template = work.session.scalar(
        sa.select(Message.template)
        .join(Delivery, Delivery.message_id == Message.id)
        .where(Delivery.channel_id == work.channel.id, Delivery.external_id == word.quoted_external_id)
    )
    questions = set((template or "").split("+")) & set(TEXTS.values())
    return bool(questions) and waiting_text not in questions


def _answer(runtime: Runtime, adapter: AnswersTaps, channel: Channel, tap: str) -> None:
    try:
        adapter.answer_tap(runtime.http, channel_config(runtime, channel), tap)
    except (SendError, ValueError, VaultError) as error:
        log.info("tap.unanswered", channel=channel.slug, code=getattr(error, "code", type(error).__name__))
