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

from bot.rules import answering
from bot.rules.commands import Verb

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
_MOST_WORDS = 25
_MOST_NAME_WORDS = 18
_FEW_WORDS = 8
_FEWEST_OF_REPORT = 5
_FEWEST_OF_RIGHT = 2
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
_SKIPPABLE = frozenset({Question.WHERE, Question.WHO, Question.REASON})
_ABOUT_RESULTS = frozenset({Question.RATING, Question.REASON})
# Where neither yes nor no is an answer, so that "DUNG" is no "đúng" without its accents.
_NEITHER_YES_NOR_NO = _ABOUT_RESULTS | _SKIPPABLE | {Question.WHICH}


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
    """A message as far as the dialogue looks: folded text, what it wants, how sure its subject is, what it brings.

    `accented`: as it was typed, in small letters. `has_cue`: words of danger or of accusation stand in it, so that
    `is_sealed` and `is_emergency` are no mere impression of a few words. `says_who`: it reads like a name.
    `right`: which of everybody's rights it is a command for.
    """

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
    accented: str = ""
    has_cue: bool = False
    says_who: bool = False
    right: Verb | None = None


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
    if question is None or not waiting.is_fresh(at):
        return None
    bare = " ".join(_WORDS.findall(heard.folded))
    if _is_right(question, heard, bare):
        return None
    value = None if heard.has_file or heard.has_cue else _chosen(waiting, bare, heard)
    if value is not None:
        return Answer(question, value)
    if _is_urgent(heard, bare) and question is not Question.WHERE:
        return None
    free = {Question.WHERE: _as_place, Question.WHO: _as_name, Question.REASON: _as_reason}.get(question)
    if free is None or (heard.is_command and not heard.has_pin):
        return None
    if not heard.has_file and question in _SKIPPABLE and answering.is_skip(bare):
        return Answer(question, "skip")
    return Answer(question, "words") if free(waiting, heard, bare) else None


def _is_right(question: Question, heard: Heard, bare: str) -> bool:
    """Whether somebody makes use of a right instead of answering, though the words hold a "đồng ý" or a "xóa"."""
    if question in _ABOUT_RESULTS and heard.right is None:
        return heard.intent in {"data_request", "unsubscribe"} and len(bare.split()) > _FEWEST_OF_RIGHT
    if heard.right is Verb.ERASE:
        return question is not Question.ERASE
    if heard.right is Verb.CONSENT_BACK and "rut" not in bare:  # "không đồng ý nữa" judges, too
        return question not in _ABOUT_RESULTS | {Question.CONSENT} or (question in _ABOUT_RESULTS and "luu" in bare)
    if heard.right is Verb.UNSUBSCRIBE and bare.startswith("dung"):
        return question in _NEITHER_YES_NOR_NO or "dừng" in heard.accented
    return heard.right is not None


def _is_urgent(heard: Heard, bare: str) -> bool:
    """Whether danger or a secret comes first; a name or a place of a few words only sounds so."""
    alarmed = heard.is_sealed or heard.is_emergency
    return alarmed and (heard.has_cue or len(bare.split()) > _FEW_WORDS)


def _chosen(waiting: Waiting, bare: str, heard: Heard) -> str | None:
    """The value of the offered answer that was named: by its number, its label, or in other words."""
    question, values = waiting.question, list(waiting.labels)
    if question is None or not bare:
        return None
    number = answering.number_of(bare, len(values))
    if number is not None:
        return values[number - 1]
    for value, labels in waiting.labels.items():
        if bare in labels or (question is Question.WHICH and any(label in bare for label in labels)):
            return value
    if question is Question.CONSENT and answering.begins_with_consent(bare) and heard.has_name:
        return "yes"
    return answering.meaning_of(question.value, bare, heard.accented or heard.folded)


def _as_place(waiting: Waiting, heard: Heard, bare: str) -> bool:
    if heard.has_pin:
        return True
    if heard.is_sealed and _is_urgent(heard, bare):
        return False
    few = len(bare.split())
    if heard.is_emergency and heard.has_cue:
        return heard.has_place  # what is more: where, and that it is worse
    if answering.is_spot(bare) or (heard.has_place and few <= _FEW_WORDS and not answering.has_trouble(bare)):
        return True
    if heard.has_file and not bare:
        return False
    if heard.intent in _OWN_WISHES or few > _MOST_WORDS:
        return False
    if heard.is_sure and heard.topic is not None and heard.topic != waiting.topic:
        return False
    return heard.has_place or not heard.is_sure


def _as_name(waiting: Waiting, heard: Heard, bare: str) -> bool:  # noqa: ARG001 - the same questions are put to all
    words = len(bare.split())
    if heard.has_file or heard.has_pin or not 0 < words <= _MOST_NAME_WORDS:
        return False
    if heard.has_name or heard.says_who:
        return True
    is_report = heard.is_sure and heard.topic in ON_SITE and heard.intent == "feedback" and words >= _FEWEST_OF_REPORT
    if answering.has_trouble(bare) or heard.has_cue or is_report:
        return False
    if words <= _FEW_WORDS and heard.intent not in {"status_lookup", "human_handoff", "question"}:
        return True
    return heard.intent not in _NO_NAME | {"question"} and not heard.is_sure


def _as_reason(waiting: Waiting, heard: Heard, bare: str) -> bool:
    if heard.intent in {"status_lookup", "human_handoff", "thanks", "spam"} or heard.is_sealed:
        return False
    if heard.has_place and heard.is_sure and heard.topic != waiting.topic:
        return False
    return bool(bare) or heard.has_file
