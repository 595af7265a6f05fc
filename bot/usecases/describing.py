"""Describing: what a ticket is about, where and how urgent, from all that was said of it; people's decisions stay."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

import sqlalchemy as sa

from adapters.messages import AttachmentKind
from bot.rules.deadlines import VIETNAM
from bot.rules.dialogue import HIDDEN_BY_ITSELF, Question
from bot.rules.routing import Route, Table, route
from bot.rules.threading import SURE
from bot.usecases.accusing import propose
from bot.usecases.clocks import set_deadlines
from bot.usecases.incidents import let_go
from bot.usecases.work import Work
from nlp.reading import Reading
from nlp.topics import TOPICS
from storage.boundaries import boundaries
from storage.enums import Direction, Urgency
from storage.messages import Attachment, Message
from storage.tickets import Ticket

_OF_OFFICIALS = frozenset({"to-cao-tham-nhung", "thai-do-can-bo"})
_LOUDNESS = {Urgency.NORMAL: 0, Urgency.URGENT: 1, Urgency.EMERGENCY: 2}


@dataclass
class Known:
    """A message of the conversation with all that filing looks at."""

    message: Message
    order: str
    reading: Reading | None
    attachments: list[Attachment] = field(default_factory=list)


def describe(work: Work, ticket: Ticket, members: list[Known], *, is_new: bool = False) -> None:
    """Say what the ticket is about from all its messages; what an official has decided stays."""
    ticket.last_in_at = max(m.message.occurred_at for m in members)
    ticket.compare_at = work.now
    ticket.version += 1
    said = [Urgency(m.reading.urgency) for m in members if m.reading and _may_raise(ticket, m.message)]
    loudest = max(said, key=_LOUDNESS.__getitem__, default=Urgency.NORMAL)
    is_sealed = any(m.message.is_sealed for m in members)
    if ticket.is_touched:
        # Once a person has looked, a machine may raise an alarm or seal, never take it back.
        if is_sealed and not ticket.is_sealed:
            let_go(work.session, ticket, work.book, work.now)
        ticket.is_sealed = ticket.is_sealed or is_sealed
        ticket.urgency = max(loudest, ticket.urgency, key=_LOUDNESS.__getitem__)
        if not ticket.has_place:
            _locate(ticket, members)
        _propose(work, ticket, members, is_whole=_is_whole(work, ticket, members))
        return
    # Of a talk that goes on for months the beginning is out of sight: what it decided stays.
    is_whole = is_new or _is_whole(work, ticket, members)
    ticket.is_sealed, ticket.urgency = is_sealed or (ticket.is_sealed and not is_whole), loudest
    if is_whole:
        ticket.opened_at = _begins(members)
        ticket.summary = _summary(members)
    _locate(ticket, members)
    topic, probability = _topic(members)
    ticket.topic = topic
    known_topic = TOPICS.get(topic or "khac")
    ticket.is_restricted = bool(known_topic and known_topic.restricted)
    if is_new:  # afterwards its writer decides
        ticket.is_anonymous = topic in HIDDEN_BY_ITSELF
    _route(work, ticket, probability)
    _propose(work, ticket, members, is_whole=is_whole)
    is_data_request = any(m.reading and m.reading.intent == "data_request" for m in members)
    set_deadlines(ticket, work.book, is_data_request=is_data_request)


def _is_whole(work: Work, ticket: Ticket, members: list[Known]) -> bool:
    """Whether all that belongs to it is in sight: nothing of it was said before these messages."""
    if _begins(members) <= ticket.opened_at:
        return True
    earlier = sa.select(Message.id).where(
        Message.ticket_id == ticket.id, Message.direction == Direction.IN, Message.occurred_at < _begins(members)
    )
    return work.session.scalar(earlier.limit(1)) is None


def _begins(members: list[Known]) -> datetime:
    return min(m.message.occurred_at for m in members)


def _propose(work: Work, ticket: Ticket, members: list[Known], *, is_whole: bool) -> None:
    """Shut out whom it seems to accuse; of what a reader has decided only what is said afterwards counts."""
    if not ticket.is_sealed:
        ticket.proposed_agencies, ticket.accuses_leaders = "", False
        return
    decided = ticket.accusation_decided_at
    said = [m.message for m in members if decided is None or m.message.created_at > decided]
    readings = [m.reading for m in members if m.reading]
    propose(
        work.session,
        ticket,
        work.book,
        [message.text for message in said],
        work.now,
        is_denunciation=any(one.intent == "denunciation" or one.topic in _OF_OFFICIALS for one in readings),
        is_whole=is_whole,
    )


def _may_raise(ticket: Ticket, message: Message) -> bool:
    """What an official saw when deciding how urgent it is does not raise it again."""
    return ticket.urgency_set_at is None or message.created_at > ticket.urgency_set_at


def _summary(members: list[Known]) -> str:
    texts = [m.message.text.strip() for m in members if m.message.text.strip()]
    return " ".join((texts[0] if texts else "").split())[:300]


def _locate(ticket: Ticket, members: list[Known]) -> None:
    ticket.place_id = ticket.place_text = ticket.locality_code = None
    for member in _surest_first(members):
        for place in member.reading.places if member.reading else ():
            if ticket.place_text is None or (ticket.place_id is None and place.level == "place"):
                ticket.place_text = place.words[:300]
                ticket.place_id = int(place.key) if place.level == "place" else None
                ticket.locality_code = place.key if place.level == "commune" and place.key else ticket.locality_code
        for attachment in member.attachments:
            if attachment.kind == AttachmentKind.LOCATION.value and attachment.latitude is not None:
                ticket.latitude, ticket.longitude = attachment.latitude, attachment.longitude
    if ticket.place_id is None and ticket.locality_code is None:
        # The whole answer to "where?" says more than the one landmark in it.
        told = (m.message.text.strip() for m in reversed(members) if m.message.answers == Question.WHERE)
        ticket.place_text = next(filter(None, told), "")[:300] or ticket.place_text
    if ticket.latitude is not None and ticket.longitude is not None:
        # A pin is surer than words.
        ticket.locality_code = boundaries().commune_at(ticket.latitude, ticket.longitude) or ticket.locality_code


def _surest_first(members: list[Known]) -> list[Known]:
    """What was said when asked where, the latest first, before what was said on the way."""
    asked = [m for m in members if m.message.answers == Question.WHERE]
    return [*reversed(asked), *(m for m in members if m.message.answers != Question.WHERE)]


def _topic(members: list[Known]) -> tuple[str | None, float]:
    guesses = [m.reading.topics[0] for m in members if m.reading and m.reading.topics]
    sure = next((g for g in guesses if g.probability >= SURE), None)
    best = sure or max(guesses, key=lambda g: g.probability, default=None)
    return (best.slug, best.probability) if best else (None, 0.0)


def _route(work: Work, ticket: Ticket, probability: float) -> None:
    if ticket.is_sealed:
        ticket.agency_id = work.book.agencies.get("lanh-dao")
        return
    ticket.agency_id = route_of(ticket, probability, work.book.table).agency_id


def route_of(ticket: Ticket, probability: float, table: Table, *, on: date | None = None) -> Route:
    """Who gets this ticket by a table of rules, if its topic is as sure as this; by the day it came, or another."""
    topic = TOPICS.get(ticket.topic or "")
    day = on or ticket.opened_at.astimezone(VIETNAM).date()
    return route(ticket.topic, probability, ticket.place_id, table, topic.agency if topic else None, on=day)
