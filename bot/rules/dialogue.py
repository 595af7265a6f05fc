"""Dialogue: what a citizen's message is to what the bot has asked, and what is asked next.

A ticket is opened at the first word; questions only make it easier to find, so whoever never answers has reported too.
Everything here is decided from plain values: the state of the conversation, what was heard, the clock.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

# Who answers later than this has something else in mind.
ANSWER_TIME = timedelta(hours=24)
RATING_TIME = timedelta(days=7)
MOST_QUESTIONS = 3
# What officials go and look at, so that somebody must know where.
ON_SITE = frozenset(
    {
        "giao-thong-duong-sa", "chieu-sang", "thoat-nuoc-ngap", "cay-xanh", "trat-tu-do-thi", "trat-tu-xay-dung",
        "an-toan-giao-thong", "dien", "nuoc-sach", "vien-thong", "rac-thai", "o-nhiem", "tieng-on", "vat-nuoi",
        "an-ninh-trat-tu", "pccc", "thien-tai", "nong-nghiep", "an-toan-thuc-pham",
    }
)  # fmt: skip
# Where a neighbour or an official could take revenge: the name is hidden from them without being asked (domain §9).
HIDDEN_BY_ITSELF = frozenset({"tieng-on", "an-ninh-trat-tu", "o-nhiem", "thai-do-can-bo"})
_REPORTS = frozenset({"feedback", "emergency"})
# Whose writers we would like to be able to call by name.
_FROM_SOMEBODY = frozenset({"feedback", "proposal", "question", "complaint", "announcement_request"})
# What may be said instead of an answer, and must be heard as what it is.
_OWN_WISHES = frozenset(
    {
        "status_lookup", "human_handoff", "data_request", "unsubscribe", "subscribe", "withdraw", "rating", "spam",
        "abuse", "denunciation", "complaint", "emergency", "question", "proposal", "announcement_request", "thanks",
        "praise", "greeting", "test", "out_of_scope",
    }
)  # fmt: skip
# A name is easily taken for one of the others.
_NO_NAME = frozenset(
    {"status_lookup", "human_handoff", "data_request", "withdraw", "emergency", "denunciation", "complaint"}
)
_SKIPS = re.compile(
    r"(?:bo qua|gui luon|gui di|khong can|khoi(?: can| di)?|thoi khoi|khong biet|hong biet|khong ro|chiu|thoi|skip|"
    r"khong muon(?: noi| cho biet)?|khong co|khong tra loi)"
    r"(?: (?:a|nhe|nha|nghen|di|em|ad|ban|oi|roi|luon|cung duoc))*"
)
_YES = re.compile(
    r"(?:co|dong y|ok|oke|okay|okie|duoc|vang|da|u|uh|um|uhm|yes|y|dung|dung roi|phai|chac|chac chan|nhat tri|"
    r"toi dong y|da co|da dong y|da vang|i agree|agree)(?: (?:a|nhe|nha|nghen|em|ad|ban|luon|di|roi|chu|thoi))*"
)
_NO = re.compile(
    r"(?:khong|ko|k|hong|thoi|khoi|no|n|chua|khong dong y|khong can|thoi khoi|khong phai|de do|da khong)"
    r"(?: (?:a|nhe|nha|nghen|em|ad|ban|can|dau|dong y))*"
)
_NUMBER = re.compile(r"(?:so |chon |phuong an |dap an |muc )?(\d)[.)]?(?: (?:a|nhe|nha|em))*")
_MOST_WORDS = 25
_MOST_NAME_WORDS = 18
_WORDS = re.compile(r"[a-z0-9]+")


class Question(StrEnum):
    """What the bot may have asked."""

    WHERE = "where"
    SPLIT = "split"
    MERGE = "merge"
    FORWARD = "forward"
    CONSENT = "consent"
    WHO = "who"
    WHICH = "which"
    WITHDRAW = "withdraw"
    RATING = "rating"
    REASON = "reason"
    ERASE = "erase"


# Which text asks it, and so which answers it offers.
TEXTS: Mapping[Question, str] = {
    Question.WHERE: "ask_where",
    Question.SPLIT: "split_offer",
    Question.MERGE: "duplicate_offer",
    Question.FORWARD: "out_of_area",
    Question.CONSENT: "ask_consent",
    Question.WHO: "ask_identity",
    Question.WHICH: "ask_which",
    Question.WITHDRAW: "withdraw_sure",
    Question.RATING: "rating",
    Question.REASON: "rating_low",
    Question.ERASE: "erase_sure",
}
# What "yes" and "no" mean where a question offers something else.
_YES_MEANS = {
    Question.SPLIT: "split", Question.MERGE: "merge", Question.FORWARD: "forward", Question.CONSENT: "yes",
    Question.WITHDRAW: "yes", Question.ERASE: "yes",
}  # fmt: skip
_NO_MEANS = {
    Question.SPLIT: "together", Question.MERGE: "keep", Question.FORWARD: "no", Question.CONSENT: "no",
    Question.WITHDRAW: "no", Question.ERASE: "no",
}  # fmt: skip
_SKIPPABLE = frozenset({Question.WHERE, Question.WHO, Question.REASON})
_MORE_WORDS = re.compile(r"xem them|them|chi tiet|quyen rieng tu|tell me more|more")
_LOW = re.compile(
    r"(?:khong|chua|ko|hong) (?:he )?(?:hai long|dong y|duoc|tot|on)|te|qua te|chua xong|chua dat|that vong"
)
_GOOD = re.compile(r"(?:rat |qua )?(?:hai long|tot|tuyet(?: voi)?|tot lam|rat tot|ung|xuat sac)")
_FAIR = re.compile(r"(?:tam|tam duoc|chap nhan(?: duoc)?|binh thuong|cung duoc|duoc|on|tam on)")


@dataclass(frozen=True)
class Waiting:
    """The question that waits, if one does; `labels`: what its answers are called, folded, by value, in order."""

    question: Question | None = None
    asked_at: datetime | None = None
    topic: str | None = None
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def is_fresh(self, at: datetime) -> bool:
        """Whether an answer may still be meant for it."""
        if self.question is None or self.asked_at is None:
            return False
        time = RATING_TIME if self.question is Question.RATING else ANSWER_TIME
        return self.asked_at <= at <= self.asked_at + time


@dataclass(frozen=True)
class Heard:
    """A message as far as the dialogue looks: folded text, what it wants, how sure its subject is, what it brings."""

    folded: str
    intent: str
    topic: str | None = None
    is_sure: bool = False
    has_place: bool = False
    has_pin: bool = False
    has_file: bool = False
    has_name: bool = False
    is_sealed: bool = False
    is_emergency: bool = False
    is_command: bool = False


@dataclass(frozen=True)
class Answer:
    """What a message says to a question: one of the values it offers, "skip", or "words" to be taken as they are."""

    question: Question
    value: str


@dataclass(frozen=True)
class Told:
    """A ticket as far as the dialogue looks; `intent` is of the message that opened it.

    `asked`: how many questions were asked about it. `offers`: what could be proposed about it at all.
    """

    topic: str | None
    intent: str
    has_place: bool
    is_sealed: bool
    is_urgent: bool
    asked: int = 0
    offers: frozenset[Question] = frozenset()


@dataclass(frozen=True)
class Known:
    """What we know of the citizen: whether they were asked, and what they said."""

    consent: str | None = None
    consent_was_asked: bool = False
    has_name: bool = False
    identity_was_asked: bool = False


def lacks_place(topic: str | None, *, has_place: bool) -> bool:
    """Whether a ticket is incomplete: officials must go there, and nobody has said where."""
    return topic in ON_SITE and not has_place


def next_question(ticket: Told, known: Known) -> Question | None:
    """What to ask now about a ticket: only what is missing, the most useful first, at most three in all."""
    if ticket.is_sealed or ticket.asked >= MOST_QUESTIONS:
        return None
    if ticket.is_urgent:  # one thing only: where to go
        return None if ticket.has_place or ticket.asked else Question.WHERE
    for question in (Question.FORWARD, Question.SPLIT, Question.MERGE):
        if question in ticket.offers:
            return question
    if Question.WHERE in ticket.offers and ticket.intent in _REPORTS:
        return Question.WHERE
    if ticket.intent not in _FROM_SOMEBODY:
        return None
    if known.consent is None and not known.consent_was_asked:
        return Question.CONSENT
    if known.consent == "given" and not (known.has_name or known.identity_was_asked):
        return Question.WHO
    return None


def answer_to(waiting: Waiting, heard: Heard, at: datetime) -> Answer | None:
    """What a message says to the question that waits; None when it is about something else."""
    question = waiting.question
    if question is None or not waiting.is_fresh(at) or heard.is_sealed:
        return None
    bare = " ".join(_WORDS.findall(heard.folded))
    value = None if heard.has_file else _chosen(waiting, bare)
    if value is not None:
        return Answer(question, value)
    if heard.is_emergency and question is not Question.WHERE:
        return None
    free = {Question.WHERE: _as_place, Question.WHO: _as_name, Question.REASON: _as_reason}.get(question)
    if free is None or (heard.is_command and not heard.has_pin):
        return None
    if not heard.has_file and question in _SKIPPABLE and _SKIPS.fullmatch(bare):
        return Answer(question, "skip")
    return Answer(question, "words") if free(waiting, heard) else None


def _chosen(waiting: Waiting, bare: str) -> str | None:
    """The value of the offered answer that was named: by its number, its label, or a plain yes or no."""
    question, values = waiting.question, list(waiting.labels)
    if question is None:
        return None
    number = _NUMBER.fullmatch(bare)
    if number and 1 <= int(number[1]) <= len(values):
        return values[int(number[1]) - 1]
    for value, labels in waiting.labels.items():
        if bare and bare in labels:
            return value
    if question is Question.RATING:
        return _rated(bare)
    if question is Question.CONSENT and _MORE_WORDS.fullmatch(bare) and "more" in waiting.labels:
        return "more"
    if question in _NO_MEANS and _NO.fullmatch(bare):
        return _NO_MEANS[question]
    if question in _YES_MEANS and _YES.fullmatch(bare):
        return _YES_MEANS[question]
    return None


def _rated(bare: str) -> str | None:
    for value, words in (("low", _LOW), ("fair", _FAIR), ("good", _GOOD)):
        if words.fullmatch(bare):
            return value
    return None


def _as_place(waiting: Waiting, heard: Heard) -> bool:
    if heard.has_pin:
        return True
    if heard.intent in _OWN_WISHES and not (heard.has_place and heard.intent == "emergency"):
        return False
    if len(heard.folded.split()) > _MOST_WORDS:
        return False
    if heard.is_sure and heard.topic is not None and heard.topic != waiting.topic:
        return False
    return heard.has_place or not heard.is_sure


def _as_name(waiting: Waiting, heard: Heard) -> bool:  # noqa: ARG001 - the same questions are put to all three
    words = len(heard.folded.split())
    if heard.has_file or heard.has_pin or not 0 < words <= _MOST_NAME_WORDS:
        return False
    if heard.has_name and heard.intent not in _NO_NAME:
        return True
    return heard.intent not in _NO_NAME | {"question"} and not heard.is_sure


def _as_reason(waiting: Waiting, heard: Heard) -> bool:
    if heard.intent in {"status_lookup", "human_handoff", "data_request", "thanks", "spam", "denunciation"}:
        return False
    return not (heard.is_sure and heard.topic is not None and heard.topic != waiting.topic)
