"""Lessons: what officials said of citizens' first reports, put together per message, without personal data."""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.usecases.corrections import OPEN, SPAM
from nlp.clues import find_clues
from nlp.deciding import NO_TOPIC
from nlp.normalise import normalise
from nlp.personal_data import find_personal_data, mask_for_learning
from nlp.topics import TOPICS
from nlp.training import Sample
from storage.contacts import Contact
from storage.corrections import Correction
from storage.database import Database
from storage.enums import CorrectionKind, Urgency
from storage.messages import Message
from storage.tickets import Ticket

# So many of the newest messages are learned from.
_MOST = 5_000
_AT_ONCE = 1_000
# What an official says of one message counts as much as two messages that ship. From so many with the same answer on,
# they together grow only with the root of their number: two hundred alike must not make everything look like them.
_WEIGHT, _OFTEN = 2.0, 40
# Words that are in no message that ships are learned only when so many different people used them: what one person
# wrote does not stay in a model after that person's data is erased.
_PEOPLE = 3
_HEADS = {CorrectionKind.TOPIC: "topic", CorrectionKind.URGENCY: "urgency", CorrectionKind.SEAL: "seal"}
_HEADS[CorrectionKind.SPAM] = "intent"
_LABELS: dict[CorrectionKind, Collection[str]] = {
    CorrectionKind.TOPIC: TOPICS,
    CorrectionKind.URGENCY: frozenset(one.value for one in Urgency),
    CorrectionKind.SEAL: frozenset({OPEN}),
    CorrectionKind.SPAM: frozenset({SPAM}),
}


@dataclass(frozen=True)
class Word:
    """The last word on one answer to a message: by whom, of what kind, which label, and in which correction."""

    official_id: int
    commune_id: int
    kind: CorrectionKind
    label: str
    correction_id: int
    at: datetime

    @property
    def head(self) -> str:
        """The question of the model that it answers."""
        return _HEADS[self.kind]

    @property
    def is_label(self) -> bool:
        """Whether something can be learned of it; not if it only says what a message is not."""
        return self.label in _LABELS[self.kind]

    @property
    def answer(self) -> str:
        """What it says, with its kind: "topic:rac-thai"."""
        return f"{self.kind.value}:{self.label}"


@dataclass(frozen=True)
class Lesson:
    """A message, its personal data masked, with the last words on it."""

    message_id: int
    contact_id: int
    text: str
    features: tuple[str, ...]
    words: tuple[Word, ...]

    @property
    def newest(self) -> int:
        """The number of the latest correction in it."""
        return max(word.correction_id for word in self.words)

    @property
    def is_held_out(self) -> bool:
        """Whether it is among the fifth that candidates are tried on."""
        return hashlib.sha256(f"lesson {self.message_id}".encode()).digest()[0] % 5 == 0


def gather(database: Database) -> list[Lesson]:
    """The lessons of all communes, oldest first; nothing of what is sealed now, or was erased.

    Understanding so many messages takes long, so it is done when no transaction is open any more.
    """
    with database.reading() as session:
        rows = session.execute(_newest_said()).all()
    said: dict[int, dict[CorrectionKind, Word]] = defaultdict(dict)
    about: dict[int, tuple[str, int]] = {}
    for number, text, contact_id, *correction in rows:
        word = Word(*correction)
        about[number] = (text, contact_id)
        said[number].pop(word.kind, None)
        if word.is_label:
            said[number][word.kind] = word
    lessons = [_lesson(number, *about[number], tuple(words.values())) for number, words in said.items() if words]
    return sorted(lessons, key=lambda lesson: lesson.newest)


def standing(session: Session, messages: Collection[int]) -> set[int]:
    """Those of the messages that may still be learned from."""
    numbers, found = sorted(messages), set[int]()
    for start in range(0, len(numbers), _AT_ONCE):
        some = numbers[start : start + _AT_ONCE]
        found.update(session.scalars(_allowed(Message.id).where(Message.id.in_(some)).distinct()))
    return found


def taught_by(lessons: Iterable[Lesson]) -> dict[str, list[int]]:
    """What a model learns from lessons in plain values: the messages of each answer."""
    found: dict[str, set[int]] = defaultdict(set)
    for lesson in lessons:
        for word in lesson.words:
            found[word.answer].add(lesson.message_id)
    return {answer: sorted(messages) for answer, messages in found.items()}


def _newest_said() -> sa.Select[Any]:
    """What was said of the messages with the newest corrections, in the order it was said."""
    newest = sa.func.max(Correction.id)
    chosen = _allowed(Correction.message_id).group_by(Correction.message_id).order_by(newest.desc()).limit(_MOST)
    label = sa.func.coalesce(Correction.after, "")
    word = (Correction.official_id, Correction.commune_id, Correction.kind, label, Correction.id, Correction.at)
    return (
        _allowed(Message.id, Message.text, Ticket.contact_id, *word)
        .where(Message.id.in_(chosen))
        .order_by(Correction.id)
    )


def _allowed(*columns: Any) -> sa.Select[Any]:
    """Corrections that may be learned from, with their messages and tickets."""
    reading: Any = Message.reading
    return (
        sa.select(*columns)
        .select_from(Correction)
        .join(Message, Message.id == Correction.message_id)
        .join(Ticket, Ticket.id == Correction.ticket_id)
        .join(Contact, Contact.id == Ticket.contact_id)
        .where(
            Correction.kind.in_(list(_HEADS)),
            Message.is_sealed.is_(False),
            Ticket.is_sealed.is_(False),
            sa.or_(Contact.erased_at.is_(None), Contact.erased_at < Message.occurred_at),
            reading["intent"].as_string().is_not(None),  # what was erased has no reading any more
        )
    )


def _lesson(message_id: int, text: str, contact_id: int, words: tuple[Word, ...]) -> Lesson:
    masked = mask_for_learning(text, find_personal_data(text))
    return Lesson(message_id, contact_id, masked, tuple(find_clues(normalise(masked)).names), words)


def as_samples(lessons: Sequence[Lesson], force: float = 1.0) -> list[Sample]:
    """The lessons as a model learns from them, with this force; what is said very often counts less each time."""
    answers = [_answers(lesson.words) for lesson in lessons]
    times = Counter(answer for one in answers for answer in one.items())
    return [
        Sample(lesson.features, one, force * _weight(max(times[answer] for answer in one.items())))
        for lesson, one in zip(lessons, answers, strict=True)
        if one
    ]


def _weight(times: int) -> float:
    return _WEIGHT * min(1.0, math.sqrt(_OFTEN / times))


def _answers(words: Iterable[Word]) -> dict[str, str]:
    """What the words say to each question; spam has no subject, and what is an emergency is wanted as one."""
    answers: dict[str, str] = {}
    for word in words:
        answers[word.head] = word.label
        if word.kind is CorrectionKind.SPAM:
            answers["topic"] = NO_TOPIC
        if word.label == Urgency.EMERGENCY.value:
            answers["intent"] = "emergency"
    return answers


def without_rare_words(lessons: Sequence[Lesson], known: Collection[str]) -> list[Lesson]:
    """The lessons without words that neither ship nor were used by several people."""
    people: dict[str, set[int]] = defaultdict(set)
    for lesson in lessons:
        for feature in lesson.features:
            people[feature].add(lesson.contact_id)
    usable = {feature for feature, users in people.items() if len(users) >= _PEOPLE or feature in known}
    return [
        Lesson(one.message_id, one.contact_id, one.text, tuple(f for f in one.features if f in usable), one.words)
        for one in lessons
    ]
