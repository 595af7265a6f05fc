"""Corrections: every word an official says on a reading is kept, an agreement too, to learn from and to count."""

from __future__ import annotations

import sqlalchemy as sa

from bot.usecases.desk import Desk
from nlp.reading import Reading
from storage.corrections import Correction
from storage.enums import CorrectionKind, Direction
from storage.messages import Message

OPEN, SEALED = "open", "sealed"
SPAM, NO_SPAM = "spam", "-"
IN_WORDS = "words"


def record(desk: Desk, kind: CorrectionKind, before: str | None, after: str | None) -> None:
    """Keep what the official at this desk says of one answer, with the change it belongs to."""
    first = _first_report(desk)
    reading = Reading.from_json(first.reading) if first and first.reading else None
    desk.session.add(
        Correction(
            commune_id=desk.ticket.commune_id,
            ticket_id=desk.ticket.id,
            message_id=first.id if first else None,
            kind=kind,
            before=before,
            after=after,
            reader_version=reading.version if reading else "",
            probability=_probability(reading, kind, before),
            official_id=desk.official.id,
            at=desk.now,
        )
    )


def place_code(place_id: int | None, words: str | None) -> str | None:
    """A place as corrections keep it: a number of the commune's list, never what somebody wrote."""
    if place_id is not None:
        return str(place_id)
    return IN_WORDS if words else None


def _first_report(desk: Desk) -> Message | None:
    """The first thing the citizen wrote in this ticket."""
    query = (
        sa.select(Message)
        .where(Message.ticket_id == desk.ticket.id, Message.direction == Direction.IN)
        .where(sa.or_(Message.text != "", Message.sealed.is_not(None)))
        .order_by(Message.occurred_at, Message.id)
        .limit(1)
    )
    return desk.session.scalar(query)


def _probability(reading: Reading | None, kind: CorrectionKind, before: str | None) -> float | None:
    if reading is None:
        return None
    if kind is CorrectionKind.TOPIC:
        return next((guess.probability for guess in reading.topics if guess.slug == before), None)
    if kind is CorrectionKind.PLACE:
        return next((place.probability for place in reading.places if place.key and place.key == before), None)
    return None
