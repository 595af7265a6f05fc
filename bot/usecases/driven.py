"""Driven: a channel whose talk a Rasa server leads, over its REST channel; whatever it cannot answer in time we answer.

Danger and what must be sealed never leave us; a report is filed whatever the server makes of it.
"""

from __future__ import annotations

import math
import time
from threading import Lock

import httpx
import sqlalchemy as sa
import structlog

from adapters.messages import InboundMessage
from bot.rules.dialogue import Question
from bot.runtime import Runtime
from bot.usecases.told_rows import sender_of
from nlp.reading import Reading
from storage.channels import Channel
from storage.contacts import Conversation, Urn

log = structlog.get_logger()

SETTING = "rasa_url"
TIMEOUT_SECONDS = 2.5
# After a failure the citizens' next messages do not wait for the same server again.
REST_SECONDS = 30.0
ASKED_BY_THE_DESK = (Question.RATING, Question.REASON)
_MOST_WORDS, _MOST_TEXTS = 4_000, 5

_resting: dict[str, float] = {}
_lock = Lock()
_client = httpx.Client(timeout=httpx.Timeout(TIMEOUT_SECONDS), trust_env=False, follow_redirects=False)


def is_driven(channel: Channel) -> bool:
    """Whether a Rasa server leads the talk on this channel."""
    return bool(channel.settings.get(SETTING))


def answer(
    runtime: Runtime, channel: Channel, word: InboundMessage, reading: Reading | None, until: float = math.inf
) -> tuple[str, ...] | None:
    """What the server says to a message; None when it is not asked, does not answer in time, or has nothing to say.

    `until`: after this moment of the monotonic clock nobody waits for it.
    """
    url = str(channel.settings.get(SETTING) or "")
    if not url or not word.text or word.attachments or word.edits:
        return None
    if _is_ours(reading) or _rests(url) or time.monotonic() > until:
        return None
    if _answers_us(runtime, channel, word.urn):
        return None
    try:
        said = _ask(url, channel, word)
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        with _lock:
            _resting[url] = time.monotonic() + REST_SECONDS
        log.warning("rasa.away", channel=channel.slug, error=type(error).__name__)
        return None
    return said or None


def _is_ours(reading: Reading | None) -> bool:
    return reading is None or reading.sealed or reading.urgency == "khan_cap"


def _answers_us(runtime: Runtime, channel: Channel, urn: str) -> bool:
    """Whether the citizen has been asked to judge a result: the desk asks that, whoever leads the talk."""
    query = (
        sa.select(Conversation.id)
        .join(Urn, Urn.id == Conversation.urn_id)
        .where(Urn.channel_id == channel.id, Urn.value == urn, Conversation.asked.in_(ASKED_BY_THE_DESK))
    )
    with runtime.database.reading() as session:
        return session.scalar(query.limit(1)) is not None


def _rests(url: str) -> bool:
    with _lock:
        return _resting.get(url, 0.0) > time.monotonic()


def _ask(url: str, channel: Channel, word: InboundMessage) -> tuple[str, ...]:
    body = {
        "sender": sender_of(channel, word.urn),
        "message": word.text[:_MOST_WORDS],
        "metadata": {"message_id": word.external_id},
    }
    response = _client.post(f"{url.rstrip('/')}/webhooks/rest/webhook", json=body)
    response.raise_for_status()
    answers = response.json()
    return tuple(str(one["text"])[:_MOST_WORDS] for one in answers[:_MOST_TEXTS] if one.get("text"))


def forget_rests() -> None:
    """Ask every server again at once; for tests and for an operator who has mended it."""
    with _lock:
        _resting.clear()
