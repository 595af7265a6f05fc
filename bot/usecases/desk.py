"""The desk: one official at work on one ticket inside a transaction; every change is an event and a new version."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.access import ticket_for
from bot.runtime import Runtime
from bot.texts import Text, Voice
from bot.usecases import clocks
from bot.usecases.communes import CommuneBook, commune_book
from bot.usecases.deliveries import PRIORITY_REPLY, owe
from bot.usecases.telling import Stage, usual, voice_of
from bot.usecases.work import Citizen
from nlp.normalise import fold
from storage.agencies import Agency
from storage.channels import Channel
from storage.contacts import Contact, Conversation, Urn
from storage.deliveries import Delivery
from storage.enums import AttachmentState, DeliveryKind, Direction, EventKind, Origin, TicketState
from storage.messages import Attachment, Message
from storage.officials import Official
from storage.sealing import open_words
from storage.tickets import Ticket, TicketEvent


class Changed(Exception):
    """Somebody changed the ticket since the official looked at it: nothing was done."""

    def __init__(self, ticket_id: int) -> None:
        super().__init__(f"ticket {ticket_id} has a newer version")
        self.ticket_id = ticket_id


@dataclass
class Desk:
    """One official at work on one ticket, inside a transaction."""

    runtime: Runtime
    session: Session
    official: Official
    ticket: Ticket
    now: datetime

    @cached_property
    def book(self) -> CommuneBook:
        """What the commune says about itself."""
        return commune_book(self.session, self.ticket.commune_id)

    @cached_property
    def agency(self) -> Agency | None:
        """The agency that has the ticket now."""
        return self.session.get(Agency, self.ticket.agency_id) if self.ticket.agency_id else None

    @cached_property
    def person(self) -> Citizen:
        """The citizen whose ticket it is, on the channel they used."""
        conversation = self.session.get_one(Conversation, self.ticket.conversation_id)
        urn = self.session.get_one(Urn, conversation.urn_id)
        return Citizen(self.session.get_one(Contact, conversation.contact_id), urn, conversation)

    @cached_property
    def stage(self) -> Stage:
        """From where the bot speaks to that citizen."""
        channel = self.session.get_one(Channel, self.person.conversation.channel_id)
        return Stage(self.runtime, self.session, channel, self.book, self.now)

    @property
    def voice(self) -> Voice:
        """How the citizen of this ticket is spoken to."""
        return voice_of(self.stage, self.person)

    def say(self, key: str, **variables: str) -> Text:
        """A text as this citizen reads it; EmptyVariable when one of its variables is empty."""
        return self.voice.say(key, **(usual(self.book, self.ticket) | variables))

    def event(self, kind: EventKind, data: dict[str, Any] | None = None, words: str | None = None) -> None:
        """Add a fact to the ticket's history."""
        self.session.add(
            TicketEvent(
                commune_id=self.ticket.commune_id,
                ticket_id=self.ticket.id,
                kind=kind,
                at=self.now,
                official_id=self.official.id,
                note=words,
                data=data or {},
            )
        )

    def move(self, target: TicketState, data: dict[str, Any] | None = None, words: str | None = None) -> None:
        """Put the ticket into a state and write it down; whether the step is allowed has been asked before."""
        ticket = self.ticket
        source, ticket.state = ticket.state, target
        ticket.snoozed_until = None
        ticket.is_open = target.is_open
        if target is TicketState.ANSWERED:
            ticket.answered_at = self.now
        ticket.closed_at = None if target.is_open or target is TicketState.ANSWERED else self.now
        if target is TicketState.REOPENED:
            clocks.begin_again(ticket, self.book, self.now)
        else:
            clocks.moved(ticket, source, target, self.book, self.now)
        self.event(EventKind.STATE_CHANGED, {"from": source.value, "to": target.value, **(data or {})}, words)

    def write(
        self,
        words: str,
        *,
        template: str | None = None,
        token: str | None = None,
        filled: dict[str, str] | None = None,
    ) -> Message:
        """Put the official's words into the conversation; they leave only when they are owed."""
        ticket = self.ticket
        conversation = self.session.get_one(Conversation, ticket.conversation_id)
        message = Message(
            commune_id=ticket.commune_id,
            channel_id=conversation.channel_id,
            conversation_id=conversation.id,
            ticket_id=ticket.id,
            direction=Direction.OUT,
            origin=Origin.OFFICIAL,
            author_id=self.official.id,
            external_id=token,
            text=words,
            text_folded=fold(words),
            template=template,
            filled=dict(filled) if filled else None,
            is_sealed=ticket.is_sealed,
            occurred_at=self.now,
            created_at=self.now,
        )
        self.session.add(message)
        self.session.flush()
        conversation.last_message_at = self.now
        return message

    def show_picture(self, message: Message, blob: str, size: int) -> None:
        """Keep with a message the picture that goes out with it."""
        self.session.add(
            Attachment(
                commune_id=message.commune_id,
                message_id=message.id,
                kind="image",
                state=AttachmentState.STORED,
                mime="image/jpeg",
                size=size,
                blob=blob,
            )
        )

    def owe(
        self,
        message: Message,
        *,
        image_blob: str | None = None,
        pays: bool = False,
        template: dict[str, Any] | None = None,
    ) -> list[Delivery]:
        """Promise the message to the citizen; the caller nudges after the commit.

        `pays`: the official agreed to a price. `template`: it goes out as this approved message.
        """
        conversation = self.session.get_one(Conversation, message.conversation_id)
        return owe(
            self.session,
            self.runtime,
            channel=self.session.get_one(Channel, conversation.channel_id),
            urn=self.session.get_one(Urn, conversation.urn_id),
            text=message.text,
            kind=DeliveryKind.REPLY,
            key=f"reply:{message.id}",
            priority=PRIORITY_REPLY,
            message=message,
            image_blob=image_blob,
            pays=pays,
            template=template,
        )


@contextmanager
def at_desk(runtime: Runtime, official: Official, ticket_id: int, version: int | None) -> Iterator[Desk]:
    """Lock the ticket and check that the official saw its present version; raises NotFound and Changed.

    Whatever happens inside counts as one change by a person. `version` None: whoever comes looks by themselves at what
    has changed.
    """
    with runtime.database.transaction() as session:
        ticket = ticket_for(session, official, ticket_id, locked=True)
        if version is not None and ticket.version != version:
            raise Changed(ticket_id)
        if ticket.is_sealed:
            open_words(session)
        ticket.version += 1
        ticket.is_touched = True
        yield Desk(runtime, session, official, ticket, runtime.now())


def form_mark(official_id: int, token: str) -> str:
    """By which a message is known as that of one official's form."""
    return f"form:{hashlib.sha256(f'{official_id}:{token}'.encode()).hexdigest()[:40]}"


def written_by_form(session: Session, ticket_id: int, token: str) -> bool:
    """Whether this very form has been sent before."""
    query = sa.select(Message.id).where(Message.ticket_id == ticket_id, Message.external_id == token)
    return session.scalar(query.limit(1)) is not None
