"""Edits: a citizen puts right what they said; the report follows, and there is never a second one for it."""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa

from adapters.messages import InboundMessage
from bot.rules.threading import OPENING
from bot.usecases.acknowledging import emergency
from bot.usecases.filing import Filed, file_message
from bot.usecases.keeping import keep
from bot.usecases.turns import Turn
from bot.usecases.work import Citizen, NotYet, Work
from nlp.normalise import fold
from nlp.reading import Reading
from storage.enums import Direction, EventKind, Urgency
from storage.messages import Message
from storage.tickets import Ticket, TicketEvent

EDIT = "edit"
LOOKS = 3  # how often to look for a message whose edit has overtaken it
LONGEST_NOTE = 1_000


def take_edit(work: Work, person: Citizen, word: InboundMessage, reading: Reading | None) -> str | None:
    """Put the new wording into the report of the former one; None when it is to be taken as a message of its own.

    As long as nobody has looked, the report simply says what the citizen means now, and its history what they said
    first. Once an official has seen it, the new wording stands beside the old one.
    """
    original = work.session.scalar(
        sa.select(Message).where(
            Message.channel_id == work.channel.id,
            Message.external_id == word.edits,
            Message.conversation_id == person.conversation.id,
            Message.direction == Direction.IN,
        )
    )
    if original is None:
        if work.row.tries < LOOKS and not work.is_stale:
            raise NotYet
        return None
    if original.text == word.text:
        return "edit:same"
    ticket = work.session.get(Ticket, original.ticket_id) if original.ticket_id is not None else None
    accuses_now = reading is not None and reading.sealed and not original.is_sealed
    if ticket is None or accuses_now:  # what must be sealed does not go where others have read already
        return None
    if ticket.is_touched:
        _stand_beside(work, person, word, reading, ticket)
        return "edit:added"
    _amend(work, person, word, reading, original)
    return "edit:amended"


def _amend(work: Work, person: Citizen, word: InboundMessage, reading: Reading | None, original: Message) -> None:
    former = Reading.from_json(original.reading) if original.reading else None
    if reading is not None and former is not None and former.intent in OPENING and reading.intent not in OPENING:
        reading = replace(reading, intent=former.intent)  # what was a report stays one
    said_before, was_urgent = original.text, former is not None and former.urgency == Urgency.EMERGENCY.value
    original.text, original.text_folded = word.text, fold(word.text)
    original.reading = reading.to_json() if reading else None
    original.is_sealed = original.is_sealed or bool(reading and reading.sealed)
    original.answers = original.answers or EDIT
    original.answers_ticket_id = original.answers_ticket_id or original.ticket_id
    work.session.flush()
    turn = Turn(work, person, word, original, reading, None)
    filed = file_message(work, person, original, is_changed=True)
    _remember(work, filed, original, said_before)
    if turn.is_emergency and not was_urgent and filed.ticket is not None:
        emergency(turn, filed.ticket)


def _remember(work: Work, filed: Filed, original: Message, said_before: str) -> None:
    """The history keeps the former wording; a sealed one is nobody's to read there."""
    if filed.ticket is None or original.is_sealed:
        return
    work.session.flush()
    event = work.session.scalar(
        sa.select(TicketEvent)
        .where(TicketEvent.ticket_id == filed.ticket.id, TicketEvent.kind == EventKind.MESSAGE_ADDED)
        .order_by(TicketEvent.id.desc())
        .limit(1)
    )
    if event is not None:
        event.note = f"Người dân đã sửa tin. Trước khi sửa: {said_before}"[:LONGEST_NOTE]


def _stand_beside(work: Work, person: Citizen, word: InboundMessage, reading: Reading | None, ticket: Ticket) -> None:
    message = keep(work, person, replace(word, quoted_external_id=word.edits), reading)
    turn = Turn(work, person, word, message, reading, None)
    turn.take_as(intent="add_info")
    message.ticket_id, message.answers, message.answers_ticket_id = ticket.id, EDIT, ticket.id
    work.session.flush()
    filed = file_message(work, person, message)
    if turn.is_emergency and filed.ticket is not None:
        emergency(turn, filed.ticket)
