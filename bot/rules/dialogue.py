"""Dialogue: what a citizen is asked about a report, and whether what they say next is the answer.

A ticket is opened at the first word; questions only make it easier to find, so whoever never answers has reported too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

# Who answers later than this has something else in mind.
ANSWER_TIME = timedelta(hours=24)
# What officials go and look at, so that somebody must know where.
ON_SITE = frozenset(
    {
        "giao-thong-duong-sa", "chieu-sang", "thoat-nuoc-ngap", "cay-xanh", "trat-tu-do-thi", "trat-tu-xay-dung",
        "an-toan-giao-thong", "dien", "nuoc-sach", "vien-thong", "rac-thai", "o-nhiem", "tieng-on", "vat-nuoi",
        "an-ninh-trat-tu", "pccc", "thien-tai", "nong-nghiep", "an-toan-thuc-pham",
    }
)  # fmt: skip
_REPORTS = frozenset({"feedback", "emergency"})
# What may be said instead of an answer, and must be heard as what it is.
_OWN_WISHES = frozenset(
    {
        "status_lookup", "human_handoff", "data_request", "unsubscribe", "subscribe", "withdraw", "rating", "spam",
        "abuse", "denunciation", "complaint", "emergency", "question", "proposal", "announcement_request", "thanks",
        "praise", "greeting", "test", "out_of_scope",
    }
)  # fmt: skip
_SKIPS = re.compile(
    r"(?:bo qua|gui luon|khong can|khoi(?: can| di)?|thoi khoi|khong biet|hong biet|khong ro|chiu|thoi)"
    r"(?: (?:a|nhe|nha|nghen|di|em|ad|ban|oi|roi|luon|cung duoc))*"
)
_MOST_WORDS = 25


class Question(StrEnum):
    """What the bot may have asked."""

    WHERE = "where"


class Answered(StrEnum):
    """What a message is to a question that was asked."""

    PLACE = "place"
    SKIPPED = "skipped"
    NOT = "not"


@dataclass(frozen=True)
class Heard:
    """A message as far as the dialogue looks: folded text, what it wants, how sure its subject is, what it brings."""

    folded: str
    intent: str
    topic: str | None = None
    is_sure: bool = False
    has_place: bool = False
    has_pin: bool = False
    is_sealed: bool = False


@dataclass(frozen=True)
class Told:
    """A ticket as far as the dialogue looks; `intent` is of the message that opened it."""

    topic: str | None
    intent: str
    has_place: bool
    is_sealed: bool
    is_urgent: bool


def lacks_place(topic: str | None, *, has_place: bool) -> bool:
    """Whether a ticket is incomplete: officials must go there, and nobody has said where."""
    return topic in ON_SITE and not has_place


def question_about(ticket: Told) -> Question | None:
    """What to ask about a ticket that was just opened: where, when somebody must go there; of a secret nothing."""
    if ticket.is_sealed or ticket.has_place or ticket.intent not in _REPORTS:
        return None
    return Question.WHERE if ticket.is_urgent or lacks_place(ticket.topic, has_place=ticket.has_place) else None


def answer_to(
    question: Question | None, asked_at: datetime | None, topic: str | None, heard: Heard, at: datetime
) -> Answered:
    """What a message is to the question that waits; `topic` is of the ticket asked about."""
    if question is None or asked_at is None or not asked_at <= at <= asked_at + ANSWER_TIME or heard.is_sealed:
        return Answered.NOT
    if heard.has_pin:
        return Answered.PLACE
    if _SKIPS.fullmatch(" ".join(re.findall(r"[a-z0-9]+", heard.folded))):
        return Answered.SKIPPED
    if heard.intent in _OWN_WISHES or len(heard.folded.split()) > _MOST_WORDS:
        return Answered.NOT
    if heard.is_sure and heard.topic is not None and heard.topic != topic:
        return Answered.NOT
    return Answered.PLACE if heard.has_place or not heard.is_sure else Answered.NOT
