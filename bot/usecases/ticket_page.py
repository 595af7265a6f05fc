"""The page of a ticket: what was said, what became of it, and what may be done, in few questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from bot.access import NotFound, audit, may_direct, seen_by
from bot.rules.deadlines import WorkingHours
from bot.rules.window import Window, window
from bot.runtime import Runtime
from bot.usecases.communes import holidays_of, working_hours
from nlp.reading import Reading
from storage.agencies import Agency
from storage.channels import Channel
from storage.communes import Commune, Place
from storage.contacts import Contact, Conversation, Urn
from storage.deliveries import Delivery
from storage.enums import Direction
from storage.messages import Attachment, Message
from storage.officials import Official
from storage.tickets import Ticket, TicketEvent

MOST_MESSAGES = 300


@dataclass
class Said:
    """A message with its author, its attachments and what became of its deliveries."""

    message: Message
    author: str | None
    attachments: list[Attachment] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)

    @property
    def reading(self) -> Reading | None:
        """What was understood of it."""
        return Reading.from_json(self.message.reading) if self.message.reading else None


@dataclass(frozen=True)
class Choice:
    """Something to choose from: an agency, an official with the agency they belong to, or a place."""

    kind: str
    id: int
    name: str
    agency_id: int | None = None


@dataclass(frozen=True)
class TicketPage:
    """Everything the page of one ticket shows."""

    ticket: Ticket
    channel: Channel
    contact: Contact
    conversation: Conversation
    agency: str | None
    assignee: str | None
    merged_into: str | None
    held_by: str | None
    earlier: int
    talk: list[Said]
    is_cut: bool
    events: list[tuple[TicketEvent, str | None]]
    choices: list[Choice]
    window: Window
    hours: WorkingHours
    holidays: Mapping[date, bool]

    @property
    def last_event_by_official(self) -> int:
        """The number of the latest thing a colleague did."""
        return max((e.id for e, _ in self.events if e.official_id is not None), default=0)

    @property
    def place(self) -> str | None:
        """The ticket's place in the commune's list."""
        here = (one.name for one in self.choices if one.kind == "place" and one.id == self.ticket.place_id)
        return next(here, None)

    @property
    def probability(self) -> float | None:
        """How sure the reader was of the topic the ticket has."""
        guesses = [
            guess.probability
            for said in self.talk
            if (reading := said.reading)
            for guess in reading.topics
            if guess.slug == self.ticket.topic
        ]
        return max(guesses, default=None)


def open_page(
    runtime: Runtime, official: Official, commune: Commune, ticket_id: int, *, address: str = ""
) -> TicketPage:
    """The page for this official; opening a sealed ticket is written down. NotFound if it is not for them."""
    now = runtime.now()
    with runtime.database.reading() as session:
        row = session.execute(_head(official, ticket_id)).first()
        if row is None:
            raise NotFound
        ticket, channel, contact, conversation, urn, agency, assignee, merged_into, held_by, earlier = row
        talk, is_cut = _talk(session, official, ticket)
        page = TicketPage(
            ticket=ticket,
            channel=channel,
            contact=contact,
            conversation=conversation,
            agency=agency,
            assignee=assignee,
            merged_into=merged_into,
            held_by=held_by,
            earlier=earlier,
            talk=talk,
            is_cut=is_cut,
            events=_events(session, ticket.id),
            choices=_choices(session, ticket),
            window=_window(runtime, channel, urn),
            hours=working_hours(dict(commune.settings)),
            holidays=holidays_of(session, commune.id),
        )
    if ticket.is_sealed:
        with runtime.database.transaction() as session:
            audit(session, official, "ticket.sealed_viewed", f"ticket:{ticket.id}", now, address or None)
    return page


def _head(official: Official, ticket_id: int) -> sa.Select[Any]:
    parent, other, assignee, holder = aliased(Ticket), aliased(Ticket), aliased(Official), aliased(Official)
    earlier = (
        sa.select(sa.func.count())
        .where(other.contact_id == Ticket.contact_id, other.commune_id == Ticket.commune_id, other.id < Ticket.id)
        .correlate(Ticket)
        .scalar_subquery()
    )
    return (
        sa.select(
            Ticket, Channel, Contact, Conversation, Urn, Agency.name, assignee.name, parent.code, holder.name, earlier
        )
        .join(Conversation, Conversation.id == Ticket.conversation_id)
        .join(Channel, Channel.id == Conversation.channel_id)
        .join(Contact, Contact.id == Ticket.contact_id)
        .join(Urn, Urn.id == Conversation.urn_id)
        .outerjoin(Agency, Agency.id == Ticket.agency_id)
        .outerjoin(assignee, assignee.id == Ticket.official_id)
        .outerjoin(parent, parent.id == Ticket.merged_into_id)
        .outerjoin(holder, holder.id == Conversation.held_by_id)
        .where(Ticket.id == ticket_id, seen_by(official))
    )


def _talk(session: Session, official: Official, ticket: Ticket) -> tuple[list[Said], bool]:
    belongs: sa.ColumnElement[bool] = Message.ticket_id == ticket.id
    if not ticket.is_sealed:  # what others said who joined this report
        joined = sa.select(Ticket.id).where(Ticket.merged_into_id == ticket.id, Ticket.is_sealed.is_(False))
        theirs = sa.and_(Message.ticket_id.in_(joined), Message.direction == Direction.IN)
        belongs = sa.or_(belongs, theirs)
    if may_direct(official):  # what the citizen and the machine said in between belongs to nobody else
        loose = sa.and_(
            Message.conversation_id == ticket.conversation_id,
            Message.ticket_id.is_(None),
            Message.is_sealed.is_(False),
            Message.occurred_at >= ticket.opened_at,
        )
        belongs = sa.or_(belongs, loose)
    latest = (
        sa.select(Message.id)
        .where(belongs, Message.commune_id == ticket.commune_id)
        .order_by(Message.occurred_at.desc(), Message.id.desc())
        .limit(MOST_MESSAGES + 1)
        .subquery()
    )
    rows = session.execute(
        sa.select(Message, Official.name, Attachment, Delivery)
        .where(Message.id.in_(sa.select(latest.c.id)))
        .outerjoin(Official, Official.id == Message.author_id)
        .outerjoin(Attachment, Attachment.message_id == Message.id)
        .outerjoin(Delivery, Delivery.message_id == Message.id)
        .order_by(Message.occurred_at, Message.id, Attachment.position, Attachment.id, Delivery.part, Delivery.id)
    )
    found: dict[int, Said] = {}
    for message, author, attachment, delivery in rows:
        said = found.setdefault(message.id, Said(message, author))
        if attachment is not None and attachment not in said.attachments:
            said.attachments.append(attachment)
        if delivery is not None and delivery not in said.deliveries:
            said.deliveries.append(delivery)
    talk = list(found.values())
    return talk[-MOST_MESSAGES:], len(talk) > MOST_MESSAGES


def _events(session: Session, ticket_id: int) -> list[tuple[TicketEvent, str | None]]:
    rows = session.execute(
        sa.select(TicketEvent, Official.name)
        .outerjoin(Official, Official.id == TicketEvent.official_id)
        .where(TicketEvent.ticket_id == ticket_id)
        .order_by(TicketEvent.at, TicketEvent.id)
    )
    return [(event, name) for event, name in rows]


def _choices(session: Session, ticket: Ticket) -> list[Choice]:
    nothing = sa.cast(sa.null(), sa.BigInteger)
    agencies = sa.select(sa.literal("agency").label("kind"), Agency.id, Agency.name, nothing.label("agency_id")).where(
        Agency.commune_id == ticket.commune_id, Agency.is_active.is_(True)
    )
    officials = sa.select(sa.literal("official"), Official.id, Official.name, Official.agency_id).where(
        Official.commune_id == ticket.commune_id, Official.is_active.is_(True)
    )
    places = sa.select(sa.literal("place"), Place.id, _full_name(), nothing).where(
        Place.commune_id == ticket.commune_id, sa.or_(Place.is_active.is_(True), Place.id == ticket.place_id)
    )
    rows: Sequence[Any] = session.execute(sa.union_all(agencies, officials, places).order_by("kind", "name")).all()
    return [Choice(*row) for row in rows]


def _full_name() -> sa.ColumnElement[str]:
    """A place as people tell it from others of its name: with what it belongs to, and its kind where need be."""
    alike = sa.func.count().over(partition_by=(Place.name, Place.parent))
    return (
        Place.name
        + sa.case((Place.parent != "", " – " + Place.parent), else_="")
        + sa.case((sa.and_(alike > 1, Place.kind != ""), " (" + Place.kind + ")"), else_="")
    )


def _window(runtime: Runtime, channel: Channel, urn: Urn) -> Window:
    limits = runtime.adapters[channel.type].limits
    return window(
        urn.last_interaction_at, runtime.now(), hours=limits.window_hours, free_hours=limits.free_window_hours
    )


def changes_since(
    runtime: Runtime, official: Official, ticket_id: int, event_id: int
) -> list[tuple[TicketEvent, str | None]]:
    """What happened to the ticket after an official opened it."""
    with runtime.database.reading() as session:
        if session.scalar(sa.select(Ticket.id).where(Ticket.id == ticket_id, seen_by(official))) is None:
            raise NotFound
        return [(event, name) for event, name in _events(session, ticket_id) if event.id > event_id]
