"""The page of a ticket: what was said, what became of it, and what may be done, in few questions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from adapters.messages import Echo
from bot.access import NotFound, audit, may_direct, seen_by
from bot.rules.deadlines import WorkingHours
from bot.rules.fallback import OtherWay
from bot.rules.routing import SURE
from bot.rules.window import Way, Window, window
from bot.runtime import Runtime
from bot.usecases.accusing import proposed_names, units_that_leave_nobody
from bot.usecases.communes import commune_book, holidays_of, working_hours
from bot.usecases.fallback import ways_of
from bot.usecases.handing_over import form_words
from bot.usecases.incident_page import Alike, Reporter, alike, reporters, standing
from bot.usecases.parting import Linked, linked_with
from bot.usecases.presence import Company, company
from bot.usecases.spots import Spot, spots_of
from bot.usecases.windows import Standing, Ways, ask, ways_for
from nlp.reading import Reading
from storage.agencies import Agency
from storage.answers import AnswerTemplate
from storage.channels import Channel
from storage.communes import Commune, Place
from storage.contacts import Contact, Conversation, Urn
from storage.deliveries import Delivery
from storage.drafts import Draft
from storage.enums import Direction, Origin
from storage.incidents import Joining, standing_joining
from storage.messages import Attachment, InboundEvent, Message
from storage.officials import Official
from storage.presence import is_company, last_sign
from storage.retention import Hold
from storage.sealing import Look, open_words
from storage.tickets import Ticket, TicketEvent
from storage.undo import Undoable, latest_undoable, was_meant

MOST_MESSAGES = 300  # that ever stand on one page
AT_ONCE = 100  # of a long talk, the newest first


@dataclass
class Said:
    """A message with its author, its attachments and what became of its deliveries, on the channels named.

    `echo`: of one that was written elsewhere in our account's name, what the channel told of it.
    """

    message: Message
    author: str | None
    attachments: list[Attachment] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    channels: dict[int, Channel] = field(default_factory=dict)
    echo: Echo | None = None

    @property
    def reading(self) -> Reading | None:
        """What was understood of it."""
        return Reading.from_json(self.message.reading) if self.message.reading else None


@dataclass(frozen=True)
class Choice:
    """Something to choose from: an agency, an official with the agency they belong to, a place, or a template of an
    answer, for this subject or any."""

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
    is_cut: bool  # there are older ones
    events: list[tuple[TicketEvent, str | None]]
    choices: list[Choice]
    spots: list[Spot]
    window: Window
    ways: Ways
    form_words: str
    hours: WorkingHours
    holidays: Mapping[date, bool]
    other_ways: list[OtherWay] = field(default_factory=list)
    linked: list[Linked] = field(default_factory=list)
    alike: list[Alike] = field(default_factory=list)
    reporters: list[Reporter] = field(default_factory=list)
    joining: Joining | None = None
    hold: tuple[Hold, str] | None = None
    leaves_nobody: set[int] = field(default_factory=set)
    proposed: list[str] = field(default_factory=list)
    undoable: Undoable | None = None
    drafts: list[tuple[Draft, str]] = field(default_factory=list)
    was_here: datetime | None = None
    others: list[Company] = field(default_factory=list)

    @property
    def is_lost(self) -> bool:
        """Whether words were sealed with a key that this machine does not have."""
        return Look.LOST in {self.ticket.look, *(said.message.look for said in self.talk)}

    @property
    def answer_templates(self) -> list[tuple[int, str]]:
        """The templates of answers for this ticket, those of its subject first."""
        return [(one.id, one.name) for kind in ("answer", "answer_any") for one in self.choices if one.kind == kind]

    @property
    def place_names(self) -> dict[int, str]:
        """The commune's places by number."""
        return {one.id: one.name for one in self.choices if one.kind == "place"}

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

    @property
    def is_sure(self) -> bool:
        """Whether the reader was sure enough of the topic to route by it."""
        return (self.probability or 0.0) >= SURE


@dataclass(frozen=True)
class Part:
    """Which part of the talk is shown: the newest; what was said before the message `older`; or all from `since` on."""

    older: int | None = None
    since: int | None = None
    most: int = AT_ONCE


NEWEST = Part()
LONG_PART = Part(most=MOST_MESSAGES)


def open_page(
    runtime: Runtime,
    official: Official,
    commune: Commune,
    ticket_id: int,
    *,
    address: str = "",
    part: Part = NEWEST,
) -> TicketPage:
    """The page for this official; opening a sealed ticket is written down. NotFound if it is not for them."""
    now = runtime.now()
    with runtime.database.reading() as session:
        row = session.execute(_head(official, ticket_id, now)).first()
        if row is None:
            raise NotFound
        ticket, channel, contact, conversation, urn, agency, assignee, merged_into, held_by, earlier, met, *more = row
        hold, kept_by, is_alike, joined, undoable, has_drafts, was_here, has_company = more
        if ticket.is_sealed:
            open_words(session)
        talk, is_cut = _talk(session, official, ticket, part)
        _name_writers(session, runtime, channel, talk)
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
            spots=spots_of(session, ticket, (a for said in talk if _is_theirs(said.message) for a in said.attachments)),
            window=_window(runtime, channel, urn),
            ways=(ways := ways_for(runtime, channel, urn, contact)),
            form_words=_form_words(session, ways, ticket),
            hours=working_hours(dict(commune.settings)),
            holidays=holidays_of(session, commune.id),
            other_ways=ways_of(session, runtime, contact.id) if met > 1 else [],
            linked=linked_with(session, contact.id) if met > 1 else [],
            alike=alike(session, official, ticket) if is_alike else [],
            reporters=reporters(session, ticket, now) if joined else [],
            joining=standing_joining(session, ticket.id) if ticket.merged_into_id is not None else None,
            hold=(hold, kept_by) if hold else None,
            undoable=session.get(Undoable, undoable) if undoable is not None else None,
            drafts=_drafts(session, ticket.id) if has_drafts else [],
            was_here=was_here,
            others=company(session, official, ticket.id, now) if has_company else [],
            leaves_nobody=units_that_leave_nobody(session, ticket) if ticket.is_sealed else set(),
            proposed=proposed_names(session, ticket),
        )
    if ticket.is_sealed:
        with runtime.database.transaction() as session:
            audit(session, official, "ticket.sealed_viewed", f"ticket:{ticket.id}", now, address or None)
    return page


def _is_theirs(message: Message) -> bool:
    """Whether the citizen said it, and in a report: what belongs to none cannot be taken from there."""
    return message.direction is Direction.IN and message.ticket_id is not None


_Parent, _Other = aliased(Ticket), aliased(Ticket)
_Assignee, _Holder, _Keeper = aliased(Official), aliased(Official), aliased(Official)
_MetAt = aliased(Urn)


def _head(official: Official, ticket_id: int, now: datetime) -> sa.Select[Any]:
    earlier = (
        sa.select(sa.func.count())
        .where(_Other.contact_id == Ticket.contact_id, _Other.commune_id == Ticket.commune_id, _Other.id < Ticket.id)
        .correlate(Ticket)
        .scalar_subquery()
    )
    met = sa.select(sa.func.count()).where(_MetAt.contact_id == Ticket.contact_id).correlate(Ticket).scalar_subquery()
    return (
        sa.select(
            Ticket,
            Channel,
            Contact,
            Conversation,
            Urn,
            Agency.name,
            _Assignee.name,
            _Parent.code,
            _Holder.name,
            earlier,
            met,
            Hold,
            _Keeper.name,
            *standing(),
            latest_undoable(Ticket.id, official.id, now),
            sa.select(Draft.id).where(Draft.ticket_id == Ticket.id).correlate(Ticket).exists(),
            last_sign(Ticket.id, official.id),
            is_company(Ticket.id, official.id, now),
        )
        .join(Conversation, Conversation.id == Ticket.conversation_id)
        .join(Channel, Channel.id == Conversation.channel_id)
        .join(Contact, Contact.id == Ticket.contact_id)
        .join(Urn, Urn.id == Conversation.urn_id)
        .outerjoin(Agency, Agency.id == Ticket.agency_id)
        .outerjoin(_Assignee, _Assignee.id == Ticket.official_id)
        .outerjoin(_Parent, _Parent.id == Ticket.merged_into_id)
        .outerjoin(_Holder, _Holder.id == Conversation.held_by_id)
        .outerjoin(Hold, sa.and_(Hold.ticket_id == Ticket.id, Hold.released_at.is_(None)))
        .outerjoin(_Keeper, _Keeper.id == Hold.by_id)
        .where(Ticket.id == ticket_id, seen_by(official))
    )


def _talk(session: Session, official: Official, ticket: Ticket, part: Part) -> tuple[list[Said], bool]:
    most = MOST_MESSAGES if part.since else part.most
    of_part = _of_part(session, part)
    # Each by itself, so that each goes by its index: joined by "or" PostgreSQL reads through all messages there are.
    kinds = [
        sa.select(Message.id, Message.occurred_at)
        .where(belongs, Message.commune_id == ticket.commune_id, was_meant(Message.template), *of_part)
        .order_by(Message.occurred_at.desc(), Message.id.desc())
        .limit(most + 1)
        .subquery()
        for belongs in _belonging(official, ticket)
    ]
    every = sa.union_all(*(sa.select(one.c.id, one.c.occurred_at) for one in kinds)).subquery()
    latest = sa.select(every.c.id).order_by(every.c.occurred_at.desc(), every.c.id.desc()).limit(most + 1).subquery()
    rows = session.execute(
        sa.select(Message, Official.name, Attachment, Delivery, Channel)
        .where(Message.id.in_(sa.select(latest.c.id)))
        .outerjoin(Official, Official.id == Message.author_id)
        .outerjoin(Attachment, Attachment.message_id == Message.id)
        .outerjoin(Delivery, sa.and_(Delivery.message_id == Message.id, was_meant(Delivery.code)))
        .outerjoin(Channel, Channel.id == Delivery.channel_id)
        .order_by(Message.occurred_at, Message.id, Attachment.position, Attachment.id, Delivery.part, Delivery.id)
    )
    found: dict[int, Said] = {}
    for message, author, attachment, delivery, channel in rows:
        said = found.setdefault(message.id, Said(message, author))
        if attachment is not None and attachment not in said.attachments:
            said.attachments.append(attachment)
        if delivery is not None and delivery not in said.deliveries:
            said.deliveries.append(delivery)
            said.channels[delivery.channel_id] = channel
    talk = list(found.values())
    return talk[-most:], len(talk) > most


def _belonging(official: Official, ticket: Ticket) -> Iterator[sa.ColumnElement[bool]]:
    """What is shown of a talk: what was said about the ticket, by those who joined it, and by nobody in particular."""
    yield Message.ticket_id == ticket.id
    if not ticket.is_sealed:  # what others said who joined this report
        joined = sa.select(Ticket.id).where(Ticket.merged_into_id == ticket.id, Ticket.is_sealed.is_(False))
        yield sa.and_(Message.ticket_id.in_(joined), Message.direction == Direction.IN)
    if may_direct(official):  # what the citizen and the machine said in between belongs to nobody else
        yield sa.and_(
            Message.conversation_id == ticket.conversation_id,
            Message.ticket_id.is_(None),
            Message.is_sealed.is_(False),
            Message.occurred_at >= ticket.opened_at,
        )


def _of_part(session: Session, part: Part) -> list[sa.ColumnElement[bool]]:
    number = part.older or part.since
    if number is None:
        return []
    at = session.scalar(sa.select(Message.occurred_at).where(Message.id == number))
    if at is None:
        return []
    if part.older:
        return [sa.or_(Message.occurred_at < at, sa.and_(Message.occurred_at == at, Message.id < number))]
    return [sa.or_(Message.occurred_at > at, sa.and_(Message.occurred_at == at, Message.id >= number))]


def _name_writers(session: Session, runtime: Runtime, channel: Channel, talk: list[Said]) -> None:
    """Who wrote what was not written here, as far as the channel says."""
    elsewhere = {s.message.inbound_event_id: s for s in talk if s.message.origin is Origin.CHANNEL_APP}
    if not elsewhere:
        return
    for event in session.scalars(sa.select(InboundEvent).where(InboundEvent.id.in_(elsewhere))):
        words = runtime.adapters[channel.type].parse(event.body)
        elsewhere[event.id].echo = next((word for word in words if isinstance(word, Echo)), None)


def _events(session: Session, ticket_id: int) -> list[tuple[TicketEvent, str | None]]:
    rows = session.execute(
        sa.select(TicketEvent, Official.name)
        .outerjoin(Official, Official.id == TicketEvent.official_id)
        .where(TicketEvent.ticket_id == ticket_id)
        .order_by(TicketEvent.at, TicketEvent.id)
    )
    return [(event, name) for event, name in rows]


def _drafts(session: Session, ticket_id: int) -> list[tuple[Draft, str]]:
    """What is being written about it and by whom, the latest first."""
    query = sa.select(Draft, Official.name).join(Official, Official.id == Draft.official_id)
    rows = session.execute(query.where(Draft.ticket_id == ticket_id).order_by(Draft.saved_at.desc(), Draft.id))
    return [(draft, name) for draft, name in rows]


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
    kind = sa.case((AnswerTemplate.topic.is_(None), "answer_any"), else_="answer")
    answers = sa.select(kind, AnswerTemplate.id, AnswerTemplate.name, nothing).where(
        AnswerTemplate.commune_id == ticket.commune_id,
        AnswerTemplate.is_archived.is_(False),
        sa.or_(AnswerTemplate.topic.is_(None), AnswerTemplate.topic == ticket.topic),
    )
    rows: Sequence[Any] = session.execute(
        sa.union_all(agencies, officials, places, answers).order_by("kind", "name")
    ).all()
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


def _form_words(session: Session, ways: Ways, ticket: Ticket) -> str:
    """How the approved message would read, if that is what is left."""
    if ways.form is None or ways.plan.way is not Way.TEMPLATE:
        return ""
    return ways.form.text.format_map(form_words(commune_book(session, ticket.commune_id), ticket))


def ask_window(runtime: Runtime, official: Official, ticket_id: int) -> bool:
    """An official has the channel asked when the citizen was last there; False when it does not say. NotFound."""
    with runtime.database.reading() as session:
        row = session.execute(_head(official, ticket_id, runtime.now())).first()
        if row is None:
            raise NotFound
        channel, urn = row[1], row[4]
    return ask(runtime, channel, Standing(urn.id, urn.value, urn.last_interaction_at)) is not None


def changes_since(
    runtime: Runtime, official: Official, ticket_id: int, event_id: int
) -> list[tuple[TicketEvent, str | None]]:
    """What happened to the ticket after an official opened it."""
    with runtime.database.reading() as session:
        if session.scalar(sa.select(Ticket.id).where(Ticket.id == ticket_id, seen_by(official))) is None:
            raise NotFound
        open_words(session)
        return [(event, name) for event, name in _events(session, ticket_id) if event.id > event_id]
