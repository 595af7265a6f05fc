"""Concerns: what may be wrong with an answer before it leaves, judged with what we know of its report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.access import ticket_for
from bot.rules.reply_checks import Concern, Draft, concerns
from bot.runtime import Runtime
from bot.usecases.communes import commune_book
from bot.usecases.replies import LONGEST_REPLY, Written
from nlp.personal_data import find_personal_data
from storage.agencies import Agency
from storage.contacts import Contact, Conversation, Urn
from storage.enums import Direction
from storage.heads import VillageHead
from storage.messages import Message
from storage.officials import Official
from storage.sealing import open_words
from storage.tickets import Ticket

MOST_MESSAGES = 100


def concerns_of(runtime: Runtime, official: Official, ticket_id: int, written: Written) -> list[Concern]:
    """What the citizen would hold against this answer; NotFound if the ticket is not for this official.

    Numbers that the citizen or the commune has given may stand in it; whose else they are nobody can know here.
    """
    text = written.text[:LONGEST_REPLY]
    if not text.strip():
        return []
    with runtime.database.reading() as session:
        ticket = ticket_for(session, official, ticket_id)
        if ticket.is_sealed:
            open_words(session)
        return concerns(Draft(text, is_result=written.is_result, known=frozenset(_known(session, ticket))))


def numbers_of_commune(session: Session, commune_id: int) -> Iterator[str]:
    """The numbers that a commune tells anybody: of its duty, its units, its people and its offices."""
    book = commune_book(session, commune_id)
    yield book.duty_phone
    agencies = session.scalars(sa.select(Agency.phone).where(Agency.commune_id == commune_id))
    yield from _numbers_in(agencies)
    for whose in (Official, VillageHead):
        yield from _numbers_in(session.scalars(sa.select(whose.phone).where(whose.commune_id == commune_id)))
    yield from _numbers_in((book.reception, book.inspectorate, book.police))


def _known(session: Session, ticket: Ticket) -> Iterator[str]:
    yield from numbers_of_commune(session, ticket.commune_id)
    query = sa.select(Contact.phone, Urn.value).join(Urn, Urn.contact_id == Contact.id)
    conversation = sa.select(Conversation.contact_id).where(Conversation.id == ticket.conversation_id)
    for phone, value in session.execute(query.where(Contact.id.in_(conversation))):
        yield phone or ""
        yield value.removeprefix("tel:")
    said = sa.select(Message).where(Message.ticket_id == ticket.id, Message.direction == Direction.IN)
    yield from _numbers_in(one.text for one in session.scalars(said.order_by(Message.id.desc()).limit(MOST_MESSAGES)))


def _numbers_in(texts: Iterable[str | None]) -> Iterator[str]:
    for text in texts:
        yield from ((text or "")[span.start : span.end] for span in find_personal_data(text or ""))
