"""Lessons: what officials said of citizens' first reports, put together per message, without personal data."""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

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
from storage.enums import CorrectionKind, Urgency
from storage.messages import Message
from storage.tickets import Ticket

# What an official says of one message counts as much as two messages that ship. From so many with the same answer on,
# they together grow only with the root of their number: two hundred alike must not make everything look like them.
_WEIGHT, _OFTEN = 2.0, 40
_MOST = 5_000
# Words that are in no message that ships are learned only when so many different people used them: what one person
# wrote does not stay in a model after that person's data is erased.
_PEOPLE = 3
_HEADS = {CorrectionKind.TOPIC: "topic", CorrectionKind.URGENCY: "urgency", CorrectionKind.SEAL: "seal"}
_HEADS[CorrectionKind.SPAM] = "intent"


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


def gather(session: Session) -> list[Lesson]:
    """The lessons of all communes, oldest first; nothing of what is sealed now, or was erased."""
    query = (
        sa.select(Correction, Message, Ticket.contact_id)
        .join(Message, Message.id == Correction.message_id)
        .join(Ticket, Ticket.id == Correction.ticket_id)
        .join(Contact, Contact.id == Ticket.contact_id)
        .where(
            Correction.kind.in_(list(_HEADS)),
            Message.is_sealed.is_(False),
            Ticket.is_sealed.is_(False),
            sa.or_(Contact.erased_at.is_(None), Contact.erased_at < Message.occurred_at),
        )
        .order_by(Correction.id)
    )
    said: dict[int, dict[CorrectionKind, Word]] = defaultdict(dict)
    about: dict[int, tuple[str, int]] = {}
    for correction, message, contact_id in session.execute(query):
        about[message.id] = (message.text, contact_id)
        said[message.id].pop(correction.kind, None)
        word = _word(correction)
        if word is not None:
            said[message.id][correction.kind] = word
    lessons = [_lesson(number, *about[number], tuple(words.values())) for number, words in said.items() if words]
    return sorted(lessons, key=lambda lesson: lesson.newest)[-_MOST:]


def _word(correction: Correction) -> Word | None:
    """What can be learned of a correction; None of one that only says what a message is not."""
    label = correction.after or ""
    is_label = {
        CorrectionKind.TOPIC: label in TOPICS,
        CorrectionKind.URGENCY: label in {one.value for one in Urgency},
        CorrectionKind.SEAL: label == OPEN,
        CorrectionKind.SPAM: label == SPAM,
    }
    if not is_label[correction.kind]:
        return None
    return Word(correction.official_id, correction.commune_id, correction.kind, label, correction.id, correction.at)


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
