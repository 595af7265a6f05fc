"""Frequent questions: the commune's list (what ships, as it has changed it), and the answer to one question."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot import texts
from nlp.faq import FaqEntry, FaqFinder, FaqMatch, shipped_faq
from nlp.reading import Reading
from storage.faq import FaqRow

_MOST_REMEMBERED = 256
# Only what a person would answer with a paper on the wall.
_ASKS = "question"
_KINDS = re.compile(r"\b(công an|ủy ban nhân dân|UBND|trạm y tế|cán bộ|trụ sở) xã\b", re.IGNORECASE)


@dataclass(frozen=True)
class Answer:
    """An entry as citizens and officials read it; `is_own`: written or changed by the commune."""

    key: str
    topic: str
    question: str
    variants: tuple[str, ...]
    answer: str
    source: str
    as_of: str
    is_active: bool = True
    is_own: bool = False
    version: int = 0


class FaqBook(NamedTuple):
    """A commune's list, ready to be searched."""

    answers: Mapping[str, Answer]
    finder: FaqFinder


_books: OrderedDict[tuple[Answer, ...], FaqBook] = OrderedDict()


def faq_book(session: Session, commune_id: int) -> FaqBook:
    """The list of a commune; those who have the same of their own, mostly nothing, share one."""
    own = _own(session, commune_id)
    book = _books.get(own)
    if book is None:
        book = _books[own] = _made(own)
    _books.move_to_end(own)
    while len(_books) > _MOST_REMEMBERED:
        _books.popitem(last=False)
    return book


def _made(own: tuple[Answer, ...]) -> FaqBook:
    answers = {**_shipped(), **{answer.key: answer for answer in own}}
    return FaqBook(
        {key: answer for key, answer in answers.items() if answer.is_active},
        FaqFinder(
            [FaqEntry(a.key, a.topic, (a.question, *a.variants)) for a in own if a.is_active],
            [answer.key for answer in own if not answer.is_active],
        ),
    )


def _shipped() -> dict[str, Answer]:
    return {entry.key: Answer(*entry) for entry in shipped_faq()}


def all_answers(session: Session, commune_id: int) -> dict[str, Answer]:
    """Every entry of a commune by key, hidden ones too: those that ship in their order, then its own."""
    return {**_shipped(), **{answer.key: answer for answer in _own(session, commune_id)}}


def _own(session: Session, commune_id: int) -> tuple[Answer, ...]:
    rows = session.scalars(sa.select(FaqRow).where(FaqRow.commune_id == commune_id).order_by(FaqRow.id))
    return tuple(
        Answer(
            row.key,
            row.topic,
            row.question,
            tuple(filter(None, map(str.strip, row.variants.splitlines()))),
            row.answer,
            row.source,
            row.as_of,
            row.is_active,
            is_own=True,
            version=row.version,
        )
        for row in rows
    )


def match(book: FaqBook, text: str, reading: Reading | None) -> FaqMatch | None:
    """The entry a message asks for, when it is a question that paper could answer and nothing else."""
    if reading is None or reading.intent != _ASKS or reading.sealed or reading.urgency != "thuong" or reading.parts:
        return None
    return book.finder.find(text, {guess.slug: guess.probability for guess in reading.topics})


def words_of(answer: Answer, *, commune: str, reception: str, hours: str, duty_phone: str) -> str:
    """An answer as citizens of this commune read it; `commune`: "UBND phường …", which has no "công an xã"."""
    kind = next((word for word in ("phường", "đặc khu") if word in commune.lower()), "xã")
    return texts.filled(
        _KINDS.sub(lambda found: f"{found[1]} {kind}", answer.answer),
        xa=commune.removeprefix("UBND "),
        noitiep=reception,
        gio=hours,
        sdttruc=duty_phone,
    )
