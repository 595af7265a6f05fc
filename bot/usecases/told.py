"""Told from outside: what a citizen said to another driver of the talk (Rasa), handled as if they had said it to us.

The words of the answer are given back instead of being sent, for whoever speaks with the citizen.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy.orm import Session

from adapters.messages import InboundMessage
from bot.runtime import Runtime
from bot.usecases import faq, reports
from bot.usecases.communes import commune_book
from bot.usecases.told_rows import SEPARATOR
from bot.usecases.work import Work
from storage.channels import Channel
from storage.database import advisory_lock
from storage.enums import InboundState
from storage.messages import InboundEvent, Message
from storage.sealing import open_words
from storage.tickets import Ticket

LONGEST = 4_000


class UnknownSender(Exception):
    """The sender's name does not say on which of our channels they are."""


@dataclass(frozen=True)
class Heard:
    """What we would have said, in order, and the ticket the words are filed under, if there is one."""

    words: tuple[str, ...]
    code: str | None = None


def hear(
    runtime: Runtime, sender: str, words: str, message_id: str, *, intent: str | None = None, what: str = "said"
) -> Heard:
    """Handle what `sender` said, once for each message and `what` is done with it; UnknownSender if it is not ours.

    `intent`: what it is known to want, when the other driver has found out.
    """
    slug, separator, urn = sender.partition(SEPARATOR)
    words = words[:LONGEST]
    with runtime.database.reading() as session:
        channel = session.scalar(sa.select(Channel).where(Channel.slug == slug, Channel.is_active))
        if channel is None or not separator or not urn:
            raise UnknownSender(sender)
        book = commune_book(session, channel.commune_id)
    reading = runtime.reader.read(words, book.home)
    if intent is not None and not reading.sealed and reading.urgency != "khan_cap":
        reading = replace(reading, intent=intent)
    asked = faq.match(book.faq, words, reading)
    mark = hashlib.sha256(f"{what}:{message_id}".encode()).hexdigest()[:40]
    with runtime.database.transaction() as session:
        session.autoflush = False
        open_words(session, strictly=True)
        advisory_lock(session, f"{channel.id}:{urn}")
        key = f"told:{mark}"
        done = session.scalar(
            sa.select(InboundEvent).where(InboundEvent.channel_id == channel.id, InboundEvent.key == key)
        )
        if done is not None:
            return _as_before(session, done)
        now = runtime.now()
        row = InboundEvent(
            commune_id=channel.commune_id,
            channel_id=channel.id,
            key=key,
            event_name=f"told_{what}"[:80],
            conversation_key=urn,
            body=b"{}",
            occurred_at=now,
            received_at=now,
            state=InboundState.DONE,
            next_try_at=now,
            done_at=now,
        )
        session.add(row)
        session.flush()
        spoken: list[str] = []
        work = Work(runtime, session, session.get_one(Channel, channel.id), book, row, now, set(), collected=spoken)
        word = InboundMessage(message_id[:160], urn, now, words)
        row.outcome = reports.take_message(work, word, reading, asked)[:120]
        session.flush()
        return Heard(tuple(spoken), _code_of(session, row))


def _as_before(session: Session, row: InboundEvent) -> Heard:
    """The same message once more: nothing is done again."""
    return Heard((), _code_of(session, row))


def _code_of(session: Session, row: InboundEvent) -> str | None:
    return session.scalar(
        sa.select(Ticket.code).join(Message, Message.ticket_id == Ticket.id).where(Message.inbound_event_id == row.id)
    )
