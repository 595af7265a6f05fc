"""Taps: a button that was pressed comes to rest at once, before anybody has read what it says."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import structlog

from adapters.base import AnswersTaps
from adapters.errors import SendError
from bot.runtime import Runtime, VaultError
from bot.usecases.tokens import channel_config
from storage.channels import Channel
from storage.messages import InboundEvent

log = structlog.get_logger()

FRESH = timedelta(minutes=2)  # afterwards the channel takes no answer, and nobody looks at the button any more

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


def _answer(runtime: Runtime, adapter: AnswersTaps, channel: Channel, tap: str) -> None:
    try:
        adapter.answer_tap(runtime.http, channel_config(runtime, channel), tap)
    except (SendError, ValueError, VaultError) as error:
        log.info("tap.unanswered", channel=channel.slug, code=getattr(error, "code", type(error).__name__))
