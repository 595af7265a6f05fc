"""Earlier answers: up to three of the commune's own that fit a report, offered as drafts, never sent by themselves."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.access import Forbidden, may_reply, seen_by, ticket_for
from bot.rules.blanks import added_to
from bot.rules.earlier_answers import MOST, NEVER, Report, Theirs, blanked, closest
from bot.rules.lifecycle import NotAllowed
from bot.rules.publishing import ENDED
from bot.runtime import Runtime
from bot.usecases.comparing import telling_words
from bot.usecases.reply_concerns import numbers_of_commune
from nlp.normalise import fold
from storage.communes import Place
from storage.contacts import Contact, Urn
from storage.enums import EventKind
from storage.messages import Message
from storage.officials import Official
from storage.tickets import Ticket, TicketEvent

LOOKED_AT = 200  # of the latest reports about the same subject that were answered
MOST_READ = 12  # of the most alike: some may not be repeated, or say the same
_NO_LETTER = re.compile(r"[^a-z]+")


@dataclass(frozen=True)
class Earlier:
    """An answer that was given before, without what was about its citizen, and where it comes from."""

    ticket_id: int
    code: str
    answered_at: datetime
    rating: int | None
    words: str


def may_suggest(ticket: Ticket) -> bool:
    """Whether earlier answers are looked for at all: not for what is secret or accuses, nor without a subject."""
    return not ticket.is_sealed and ticket.topic is not None and ticket.topic not in NEVER


def offered(runtime: Runtime, official: Official, ticket_id: int) -> list[Earlier]:
    """Earlier answers that fit this report, the most alike first; none where none is near enough. NotFound, Forbidden.

    Only of reports that this official may see, that are over, were not opened again and whose citizen did not object;
    never of what is sealed, was sealed, is restricted, or whose words are gone.
    """
    with runtime.database.reading() as session:
        return _offered(session, official, _ticket(session, official, ticket_id))


def use(runtime: Runtime, official: Official, ticket_id: int, earlier_id: int | None, typed: str) -> str:
    """What stands in the field with that answer behind what was typed. NotFound, Forbidden, NotAllowed."""
    with runtime.database.reading() as session:
        found = _offered(session, official, _ticket(session, official, ticket_id))
    words = next((one.words for one in found if one.ticket_id == earlier_id), None)
    if words is None:
        raise NotAllowed("no_earlier", "Câu trả lời này không còn phù hợp để dùng lại. Anh/Chị vui lòng tải lại trang.")
    return added_to(typed, words)


def _ticket(session: Session, official: Official, ticket_id: int) -> Ticket:
    ticket = ticket_for(session, official, ticket_id)
    if not may_reply(official, ticket):
        raise Forbidden
    return ticket


def _offered(session: Session, official: Official, ticket: Ticket) -> list[Earlier]:
    if not may_suggest(ticket):
        return []
    looked_at = session.execute(_ended(official, ticket).order_by(Ticket.answered_at.desc()).limit(LOOKED_AT)).all()
    earlier = [_report(*row) for row in reversed(looked_at)]
    own = _report(ticket.id, ticket.summary, ticket.place_id, ticket.rating)
    near = closest(own, earlier, most=MOST_READ)
    if not near:
        return []
    rows = {row[0].id: row for row in session.execute(_with_words(official, ticket, near))}
    places = _place_names(session, ticket.commune_id)
    ours = frozenset(re.sub(r"[\s.]", "", one) for one in numbers_of_commune(session, ticket.commune_id))
    found: list[Earlier] = []
    told: set[str] = set()
    for number in (one for one in near if one in rows):
        other, result, contact, urn = rows[number]
        words = blanked(
            str((result.filled or {}).get("ketqua") or ""),
            theirs=_theirs(other, contact, urn),
            places=places,
            ours=ours,
        )
        if words and fold(words) not in told:  # what is always answered alike is offered once
            told.add(fold(words))
            found.append(Earlier(other.id, other.code, other.answered_at, other.rating, words))
        if len(found) == MOST:
            break
    return found


def _ended(official: Official, ticket: Ticket) -> sa.Select[tuple[int, str, int | None, int | None]]:
    """What likeness asks of the reports of the subject that ended well; few columns, as many are looked at."""
    return sa.select(Ticket.id, Ticket.summary, Ticket.place_id, Ticket.rating).where(
        seen_by(official),
        Ticket.topic == ticket.topic,
        Ticket.answered_at.is_not(None),
        Ticket.id != ticket.id,
        Ticket.state.in_(ENDED),
        Ticket.is_sealed.is_(False),
        Ticket.is_restricted.is_(False),
        Ticket.is_spam.is_(False),
        Ticket.is_anonymous.is_(False),
        Ticket.reopened_count == 0,
        sa.or_(Ticket.rating.is_(None), Ticket.rating > 1),
        Ticket.words_gone_at.is_(None),
    )


def _with_words(
    official: Official, ticket: Ticket, numbers: list[int]
) -> sa.Select[tuple[Ticket, Message, Contact, Urn]]:
    """Those of these that may be repeated, each with its last result and its citizen."""
    was_sealed = (
        sa.select(TicketEvent.id)
        .where(TicketEvent.ticket_id == Ticket.id, TicketEvent.kind.in_([EventKind.SEALED, EventKind.UNSEALED]))
        .exists()
    )
    last = (
        sa.select(sa.func.max(Message.id))
        .where(Message.ticket_id == Ticket.id, Message.template == "result")
        .correlate(Ticket)
        .scalar_subquery()
    )
    urn = sa.select(sa.func.min(Urn.id)).where(Urn.contact_id == Contact.id).correlate(Contact).scalar_subquery()
    return (
        _ended(official, ticket)
        .with_only_columns(Ticket, Message, Contact, Urn)
        .join(Message, Message.id == last)
        .join(Contact, Contact.id == Ticket.contact_id)
        .join(Urn, Urn.id == urn)
        .where(
            Ticket.id.in_(numbers),
            Message.is_sealed.is_(False),
            Message.words_gone_at.is_(None),
            Contact.erased_at.is_(None),
            ~was_sealed,
        )
    )


def _report(number: int, summary: str, place_id: int | None, rating: int | None) -> Report:
    line = _NO_LETTER.sub(" ", fold(summary)).split()
    return Report(number, telling_words([line]), place_id, rating)


def _place_names(session: Session, commune_id: int) -> list[str]:
    rows = session.execute(sa.select(Place.name, Place.aliases).where(Place.commune_id == commune_id))
    return [name for row in rows for name in (row.name, *row.aliases)]


def _theirs(ticket: Ticket, contact: Contact, urn: Urn) -> Theirs:
    numbers = (contact.phone, urn.value.rpartition(":")[2], ticket.code)
    spots = (contact.address, ticket.place_text)
    return Theirs(contact.name or "", tuple(filter(None, numbers)), tuple(filter(None, spots)))
