"""Related: what could be proposed about a ticket — joining another, parting in two, passing on — and doing it."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from bot.rules.dialogue import Question, lacks_place
from bot.rules.identity import Identity, identity_in, introduces
from bot.rules.place_list import is_settlement
from bot.usecases.filing import open_apart
from bot.usecases.incidents import attach
from bot.usecases.turns import Turn
from bot.usecases.work import Work
from nlp.reading import Part, PlaceGuess, Reading, TopicGuess
from storage.communes import Locality, Place
from storage.enums import Direction, EventKind, TicketState, Urgency
from storage.messages import Message
from storage.tickets import Ticket, TicketEvent

SAME_MATTER = timedelta(days=7)
NEAR_METRES = 80.0
_METRES_A_DEGREE = 111_320.0
_MOST_LOOKED_AT = 200


def opening_intent(work: Work, ticket: Ticket) -> str:
    """What the first message of a ticket wanted."""
    first = _first_message(work, ticket)
    return str((first.reading or {}).get("intent", "")) if first is not None else ""


def offers(turn: Turn, ticket: Ticket) -> frozenset[Question]:
    """What could be asked about the ticket, were it not for how much was asked already."""
    session, found = turn.work.session, set()
    if ticket.is_sealed or not ticket.is_open:
        return frozenset()
    said = sa.select(Message.template).where(
        Message.ticket_id == ticket.id, Message.direction == Direction.OUT, Message.template.is_not(None)
    )
    done = {key for template in session.scalars(said) for key in (template or "").split("+")}
    is_incomplete = lacks_place(ticket.topic, has_place=ticket.has_place)
    if is_incomplete and "ask_where" not in done and not is_swindle(turn.message.text_folded):
        found.add(Question.WHERE)
    if "split_offer" not in done and second_matter(turn, ticket) is not None:
        found.add(Question.SPLIT)
    if "out_of_area" not in done and other_commune(turn, ticket) is not None:
        found.add(Question.FORWARD)
    if "duplicate_offer" not in done and duplicate_of(turn.work, ticket) is not None:
        found.add(Question.MERGE)
    return frozenset(found)


def particulars(turn: Turn, ticket: Ticket, question: Question) -> tuple[dict[str, Any] | None, dict[str, str]]:
    """What a question must remember, and the variables of its text."""
    if question is Question.MERGE:
        other = duplicate_of(turn.work, ticket)
        if other is not None:
            return {"into": other.id}, {
                "ma0": other.code,
                "linhvuc": turn.label(other.topic),
                "diadiem": spot(turn.work, other) or turn.work.book.name,
            }
    if question is Question.SPLIT:
        part = second_matter(turn, ticket)
        if part is not None:
            data = {"slug": part.slug, "start": part.start, "end": part.end, "message": turn.message.id}
            return data, {"viec1": turn.label(ticket.topic), "viec2": turn.label(part.slug)}
    if question is Question.FORWARD:
        unit = other_commune(turn, ticket)
        if unit is not None:
            return {"code": unit.key, "name": _full(turn.work, unit)}, {"xa2": _full(turn.work, unit)}
    return None, {}


# ---- the same matter ------------------------------------------------------------------------------------------------


def duplicate_of(work: Work, ticket: Ticket) -> Ticket | None:
    """The oldest open ticket of the same subject at the same spot (domain §9), if one is older than this."""
    if ticket.topic is None or ticket.is_restricted or ticket.urgency is Urgency.EMERGENCY:
        return None
    if ticket.place_id is None and ticket.latitude is None:
        return None
    query = (
        sa.select(Ticket)
        .where(
            Ticket.commune_id == ticket.commune_id,
            Ticket.topic == ticket.topic,
            Ticket.is_open,
            Ticket.id != ticket.id,
            Ticket.opened_at <= ticket.opened_at,
            Ticket.opened_at > ticket.opened_at - SAME_MATTER,
            Ticket.is_sealed.is_(False),
            Ticket.is_restricted.is_(False),
            Ticket.is_spam.is_(False),
            Ticket.merged_into_id.is_(None),
            _may_be_same_spot(work, ticket),
        )
        .order_by(Ticket.id)
        .limit(_MOST_LOOKED_AT)
    )
    return next((other for other in work.session.scalars(query) if _is_same_spot(ticket, other)), None)


def _may_be_same_spot(work: Work, ticket: Ticket) -> sa.ColumnElement[bool]:
    """The same place of the list, or a pin within a square around this one's."""
    place = work.session.get(Place, ticket.place_id) if ticket.place_id is not None else None
    same: sa.ColumnElement[bool] = Ticket.place_id == place.id if place is not None else sa.false()
    if place is not None and is_settlement(place.kind):
        # A whole village is no spot: the same subject there twice in a week is often two matters.
        same = sa.and_(same, Ticket.contact_id == ticket.contact_id)
    if ticket.latitude is None or ticket.longitude is None:
        return same
    north = NEAR_METRES / _METRES_A_DEGREE
    east = north / max(0.1, math.cos(math.radians(ticket.latitude)))
    near = sa.and_(
        Ticket.latitude.between(ticket.latitude - north, ticket.latitude + north),
        Ticket.longitude.between(ticket.longitude - east, ticket.longitude + east),
    )
    return sa.or_(near, sa.and_(same, Ticket.latitude.is_(None)))


def _is_same_spot(one: Ticket, other: Ticket) -> bool:
    if None not in (one.latitude, one.longitude, other.latitude, other.longitude):
        return metres_between(one, other) <= NEAR_METRES
    return one.place_id is not None and one.place_id == other.place_id


def metres_between(one: Ticket, other: Ticket) -> float:
    """How far two pins are apart, in metres; right for short distances."""
    north = ((one.latitude or 0) - (other.latitude or 0)) * _METRES_A_DEGREE
    east = (
        ((one.longitude or 0) - (other.longitude or 0)) * _METRES_A_DEGREE * math.cos(math.radians(one.latitude or 0))
    )
    return math.hypot(north, east)


def merge(work: Work, ticket: Ticket, into_id: int) -> Ticket | None:
    """Join the ticket to another at its writer's wish; None when the other one is not to be joined any more."""
    into = work.session.get(Ticket, into_id)
    is_there = into is not None and (into.is_open or into.state is TicketState.ANSWERED)
    if ticket.state is TicketState.MERGED:
        return None
    if into is None or not is_there or into.is_sealed or into.merged_into_id is not None or into.is_spam:
        return None
    attach(work.session, ticket, into, work.book, work.now)
    note(work, ticket, EventKind.MERGED, {"into": into.code, "by": "citizen"})
    note(work, into, EventKind.MERGED, {"from": ticket.code, "by": "citizen"})
    return into


def result_of(work: Work, ticket: Ticket) -> Message | None:
    """The result that a ticket's writer was told, if there is one."""
    if ticket.state is not TicketState.ANSWERED:
        return None
    query = sa.select(Message).where(Message.ticket_id == ticket.id, Message.template == "result")
    return work.session.scalar(query.order_by(Message.id.desc()).limit(1))


# ---- two matters ----------------------------------------------------------------------------------------------------


def second_matter(turn: Turn, ticket: Ticket) -> Part | None:
    """The other of two problems in the message, when the ticket stands for one of them."""
    parts = turn.reading.parts if turn.reading else ()
    if len(parts) < 2 or turn.message.ticket_id != ticket.id or ticket.urgency is Urgency.EMERGENCY:
        return None
    others = [part for part in parts if part.slug != ticket.topic]
    return others[0] if others and len(others) < len(parts) else None


def part_off(turn: Turn, data: dict[str, Any]) -> Ticket | None:
    """Open a ticket of its own for the second matter of a message."""
    told = turn.work.session.get(Message, int(data["message"]))
    if told is None or told.is_sealed or told.reading is None:
        return None
    words = told.text[int(data["start"]) : int(data["end"])].strip(" ,.;:\n")
    if not words:
        return None
    only = (TopicGuess(str(data["slug"]), 0.99),)
    reading = replace(Reading.from_json(told.reading), topics=only, parts=(), evidence=(), personal_data=())
    ticket = open_apart(turn.work, turn.person, told, words, reading)
    note(turn.work, ticket, EventKind.SPLIT, {"by": "citizen"})
    return ticket


_SWINDLE = re.compile(
    r"\b(?:lua dao|lua tien|otp|mao danh|gia danh|tu xung|chuyen (?:khoan|phi|tien|coc)|chiem doat|link la|"
    r"app la|ung dung la|"
    r"trung thuong|nap the|ma xac nhan|cai app|cai ung dung)\b"
)


def is_swindle(folded: str) -> bool:
    """Whether somebody is being cheated by telephone or chat: there is nowhere to go, but something to warn of."""
    return _SWINDLE.search(folded) is not None


# ---- elsewhere ------------------------------------------------------------------------------------------------------


def other_commune(turn: Turn, ticket: Ticket) -> PlaceGuess | None:
    """The commune the message is about, when it surely is another one."""
    reading = turn.reading
    if turn.message.ticket_id != ticket.id or ticket.urgency is Urgency.EMERGENCY:
        return None
    if turn.word.has_pin:  # surer than words
        code, home = ticket.locality_code, turn.work.book.home.commune_code
        return PlaceGuess("commune", code, "", 1.0, is_here=False) if code and code != home else None
    if reading is None:
        return None
    if any(place.level == "place" or (place.is_here and place.level == "commune") for place in reading.places):
        return None
    far = [p for p in reading.places if p.level == "commune" and p.is_here is False and p.key and not p.question]
    return far[0] if len(far) == 1 else None


def _full(work: Work, unit: PlaceGuess) -> str:
    locality = work.session.get(Locality, unit.key)
    return f"{locality.type} {locality.name}" if locality else unit.words


# ---- who ------------------------------------------------------------------------------------------------------------


def introduction(work: Work, ticket: Ticket) -> Identity | None:
    """Who the writer of a ticket said they are, if they did."""
    query = (
        sa.select(Message)
        .where(Message.ticket_id == ticket.id, Message.direction == Direction.IN)
        .order_by(Message.occurred_at, Message.id)
        .limit(_MOST_LOOKED_AT)
    )
    for message in work.session.scalars(query):
        if not introduces(message.text_folded) or message.reading is None:
            continue
        reading = Reading.from_json(message.reading)
        if any(span.kind == "name" for span in reading.personal_data):
            return identity_in(message.text, reading.personal_data, reading.places)
    return None


# ---- words ----------------------------------------------------------------------------------------------------------


def spot(work: Work, ticket: Ticket) -> str:
    """Where a ticket is, in words of the commune's own list only: what a citizen wrote is theirs."""
    place = work.session.get(Place, ticket.place_id) if ticket.place_id is not None else None
    return place.name if place is not None else ""


def note(
    work: Work, ticket: Ticket, kind: EventKind, data: dict[str, Any], words: str | None = None, by: int | None = None
) -> None:
    """Add a fact to the ticket's history that came about as a citizen spoke; `by`: the official who wrote it down."""
    work.session.add(
        TicketEvent(
            commune_id=ticket.commune_id,
            ticket_id=ticket.id,
            kind=kind,
            at=work.now,
            official_id=by,
            data=data,
            note=words,
        )
    )


def _first_message(work: Work, ticket: Ticket) -> Message | None:
    return work.session.scalar(
        sa.select(Message)
        .where(Message.ticket_id == ticket.id, Message.direction == Direction.IN)
        .order_by(Message.occurred_at, Message.id)
        .limit(1)
    )
