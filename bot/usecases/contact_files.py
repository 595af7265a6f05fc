"""A contact's file: what is held on one person across their channels, for officials who may see whom they talk to.

Of what is sealed whoever does not read it sees nothing, not even that it is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.access import OF_WHOLE_COMMUNE, NotFound, seen_by, sees_sealed
from bot.rules.deadlines import DATA_REQUEST_DAYS, VIETNAM
from bot.runtime import Runtime
from bot.usecases.clocks import calendar_of
from bot.usecases.communes import commune_book
from bot.usecases.erased import MARKS
from bot.usecases.parting import where
from storage.audit import AuditEntry
from storage.channels import Channel
from storage.contacts import Contact, Conversation, Urn
from storage.deliveries import Delivery
from storage.enums import AttachmentState, DeliveryState, Direction
from storage.messages import Attachment, Message
from storage.officials import Official
from storage.papers import Paper
from storage.retention import is_held
from storage.sealing import open_words
from storage.subscriptions import Subscription
from storage.tickets import Ticket
from storage.undo import was_meant


@dataclass(frozen=True)
class Held:
    """How much is held on a person, as far as the official may know."""

    said: int
    told: int
    files: int
    papers: int
    wishes: int
    open: int


@dataclass(frozen=True)
class Erasure:
    """An erasure that was carried out: when, by whom, asked for on which day, and what went.

    `told`: what became of the message that told the citizen; None: there was no way to tell them.
    """

    at: datetime
    who: str
    data: Mapping[str, Any]
    told: DeliveryState | None

    @property
    def asked_on(self) -> date:
        """The day on which the citizen asked for it."""
        return date.fromisoformat(self.data["asked_on"])


@dataclass(frozen=True)
class ContactFile:
    """What the page of a contact shows."""

    contact: Contact
    places: list[str]
    tickets: list[Ticket]
    stays: list[Ticket]
    held: Held
    erasures: list[Erasure]


def contact_for(session: Session, official: Official, contact_id: int, *, locked: bool = False) -> Contact:
    """The contact, if the official sees a ticket of theirs and whose it is; NotFound otherwise."""
    if not official.has(*OF_WHOLE_COMMUNE):
        raise NotFound
    theirs = sa.select(Ticket.id).where(Ticket.contact_id == Contact.id, seen_by(official))
    query = sa.select(Contact).where(
        Contact.id == contact_id, Contact.commune_id == official.commune_id, theirs.exists()
    )
    contact = session.scalar(query.with_for_update(of=Contact) if locked else query)
    if contact is None:
        raise NotFound
    return contact


def open_file(runtime: Runtime, official: Official, contact_id: int) -> ContactFile:
    """The page of a contact. NotFound."""
    with runtime.database.reading() as session:
        contact = contact_for(session, official, contact_id)
        tickets = tickets_of(session, official, contact_id)
        held_ids = set(session.scalars(sa.select(Ticket.id).where(Ticket.contact_id == contact_id, is_held())))
        return ContactFile(
            contact=contact,
            places=[where(channel, urn) for urn, channel in urns_of(session, contact_id)],
            tickets=tickets,
            stays=[ticket for ticket in tickets if ticket.id in held_ids],
            held=_held(session, official, contact_id),
            erasures=_erasures(session, contact_id),
        )


def due_on(runtime: Runtime, official: Official, asked_on: date) -> datetime:
    """Until when a wish about one's own data must be answered: two working days after it was asked."""
    at = datetime.combine(asked_on, datetime.min.time(), VIETNAM)
    with runtime.database.reading() as session:
        calendar = calendar_of(commune_book(session, official.commune_id))
    return calendar.plus_days(at.replace(hour=23, minute=59), DATA_REQUEST_DAYS)


def tickets_of(session: Session, official: Official, contact_id: int) -> list[Ticket]:
    """The contact's tickets that the official may see."""
    query = sa.select(Ticket).where(Ticket.contact_id == contact_id, seen_by(official))
    return list(session.scalars(query.order_by(Ticket.id)))


def urns_of(session: Session, contact_id: int) -> list[tuple[Urn, Channel]]:
    """Where a contact can be met, with the channels."""
    rows = session.execute(
        sa.select(Urn, Channel)
        .join(Channel, Channel.id == Urn.channel_id)
        .where(Urn.contact_id == contact_id)
        .order_by(Urn.id)
    )
    return [(urn, channel) for urn, channel in rows]


def said_by(official: Official, contact_id: int) -> sa.Select[tuple[Message, Conversation]]:
    """What was said with a contact, without what is sealed for this official."""
    query = (
        sa.select(Message, Conversation)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .outerjoin(Ticket, Ticket.id == Message.ticket_id)
        .where(
            Conversation.contact_id == contact_id,
            Message.commune_id == official.commune_id,
            was_meant(Message.template),
        )
    )
    is_plain = sa.and_(Message.is_sealed.is_(False), sa.func.coalesce(Ticket.is_sealed, sa.false()).is_(False))
    if not sees_sealed(official):
        return query.where(is_plain)
    return query.where(sa.or_(is_plain, Ticket.id.is_(None), seen_by(official)))


def _held(session: Session, official: Official, contact_id: int) -> Held:
    whole = said_by(official, contact_id).where(
        Message.text.not_in(MARKS), Message.id.not_in(_emptied(session, official, contact_id))
    )
    said = whole.with_only_columns(Message.id, Message.direction).subquery()
    of_direction = dict(
        session.execute(sa.select(said.c.direction, sa.func.count()).group_by(said.c.direction)).tuples().all()
    )
    files = sa.select(sa.func.count()).where(
        Attachment.message_id.in_(sa.select(said.c.id)), Attachment.state == AttachmentState.STORED
    )
    mine = [ticket.id for ticket in tickets_of(session, official, contact_id)]
    urns = sa.select(Urn.id).where(Urn.contact_id == contact_id)
    is_open = sa.select(sa.func.count()).where(Ticket.id.in_(mine), Ticket.is_open.is_(True))
    return Held(
        said=of_direction.get(Direction.IN, 0),
        told=of_direction.get(Direction.OUT, 0),
        files=session.scalar(files) or 0,
        papers=session.scalar(sa.select(sa.func.count()).where(Paper.ticket_id.in_(mine))) or 0,
        wishes=session.scalar(sa.select(sa.func.count()).where(Subscription.urn_id.in_(urns))) or 0,
        open=session.scalar(is_open) or 0,
    )


def _emptied(session: Session, official: Official, contact_id: int) -> list[int]:
    """What is sealed and holds no words any more: the mark that stands for them is locked like words."""
    open_words(session)
    sealed = said_by(official, contact_id).where(Message.sealed.is_not(None))
    return [message.id for message, _ in session.execute(sealed) if message.text in MARKS]


def _erasures(session: Session, contact_id: int) -> list[Erasure]:
    rows = session.execute(
        sa.select(AuditEntry, Official.name)
        .join(Official, Official.id == AuditEntry.official_id)
        .where(AuditEntry.target == f"contact:{contact_id}", AuditEntry.action == "contact.erased")
        .order_by(AuditEntry.id.desc())
    )
    return [Erasure(entry.at, name, entry.data, _told(session, entry.data)) for entry, name in rows]


def _told(session: Session, data: Mapping[str, Any]) -> DeliveryState | None:
    told = data.get("told")
    return session.scalar(sa.select(Delivery.state).where(Delivery.key == told["key"])) if told else None
