"""Tracking: where a report stands, for who knows its code and the end of the telephone number, or holds its link.

By code nobody learns who reported: the answer is shown with what is personal masked, the citizen's own photos not at
all. What is sealed, put aside or not there is the same refusal, by the same questions. Tries are counted before
anything is looked up, by address and by code, so that asking from many places at once gains nothing.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from adapters.web_form import visitor_of
from bot.access import NotFound
from bot.rules.commands import code_in
from bot.runtime import Runtime
from bot.usecases.own_tickets import REOPEN_TIME
from bot.usecases.photos import thumbnail
from bot.usecases.slips import masked
from bot.usecases.web_form import Page
from storage.agencies import Agency
from storage.communes import Commune, Place
from storage.contacts import Contact, Conversation, Urn
from storage.deliveries import Delivery
from storage.enums import (
    AttachmentState,
    DeliveryState,
    Direction,
    EventKind,
    Origin,
    TicketState,
    TransferState,
    Urgency,
)
from storage.intake import add, next_number
from storage.messages import Attachment, Message
from storage.papers import Transfer
from storage.publications import Publicity, is_open
from storage.tickets import Ticket, TicketEvent

log = structlog.get_logger()

# A village may share one address of its operator.
TRIES_AN_HOUR, WRONG_OF_A_CODE_A_DAY = 30, 20
PHOTO_TIME = timedelta(minutes=15)
MOST_OF_A_LINK, MOST_PHOTOS = 20, 6
_SCOPE = "tracking"
_REACHED = (DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.READ)
_TOLD = (EventKind.EXTENDED, EventKind.EXTENSION_ASKED, EventKind.APOLOGISED)


class TooOften(Exception):
    """From this address, or for this code, was asked too often."""


@dataclass(frozen=True)
class Answered:
    """A result as the citizen had it. `photos`: signs that open what came with it."""

    text: str
    at: datetime
    photos: tuple[str, ...] = ()


@dataclass(frozen=True)
class Handed:
    """A body outside that has it: since when, and by which day it is expected to answer."""

    body: str
    sent_at: datetime
    expected_on: str
    is_answered: bool


@dataclass(frozen=True)
class Tracked:
    """Where a report stands, in plain values: nothing here says who made it."""

    code: str
    state: TicketState
    topic: str | None
    place: str | None
    agency: str | None
    agency_phone: str | None
    opened_at: datetime
    accepted_at: datetime | None
    due_at: datetime | None
    promised_at: datetime | None
    answered_at: datetime | None
    updated_at: datetime
    extended_days: int = 0
    extension_reason: str = ""
    apology: str = ""
    is_late: bool = False
    is_paused: bool = False
    joined: bool = False
    reason: str = ""
    rating: int | None = None
    may_rate: bool = False
    may_reopen: bool = False
    handed: tuple[Handed, ...] = ()
    answers: tuple[Answered, ...] = ()
    before: tuple[str, ...] = ()
    may_publicise: bool = False
    publicity: str | None = None


def look_up(runtime: Runtime, page: Page, code: str, last_four: str, address: str) -> Tracked:
    """The report of this code, for who knows the end of its telephone number. NotFound, TooOften."""
    wanted = code_in(code) or code_in(f"PA{code.strip()}") or ""
    now = runtime.now()
    counted = _counted(page, wanted, address, now)
    with runtime.database.transaction() as session:
        tries, of_code = (next_number(session, _SCOPE, *one) for one in counted)
    if tries > TRIES_AN_HOUR or of_code > WRONG_OF_A_CODE_A_DAY:
        log.info("tracking.too_often")
        raise TooOften
    with runtime.database.reading() as session:
        ticket = _of_code(session, page, wanted, last_four)
        if ticket is None:
            log.info("tracking.wrong")
            raise NotFound
        found = _tracked(runtime, session, ticket, is_own=False)
    with runtime.database.transaction() as session:  # who knows both has guessed nothing
        add(session, _SCOPE, *counted[1], -1)
    return found


def of_link(runtime: Runtime, page: Page, link: str) -> list[Tracked]:
    """The reports that were made under this link, the latest first; nothing sealed. NotFound for no such link."""
    query = (
        sa.select(Conversation.id)
        .join(Urn, Urn.id == Conversation.urn_id)
        .where(Urn.channel_id == page.channel.id, Urn.value == f"web:{visitor_of(link)}")
    )
    with runtime.database.reading() as session:
        conversation = session.scalar(query)
        if conversation is None:
            raise NotFound
        tickets = session.scalars(
            sa.select(Ticket)
            .where(Ticket.conversation_id == conversation, Ticket.is_sealed.is_(False), Ticket.is_spam.is_(False))
            .order_by(Ticket.last_in_at.desc(), Ticket.id.desc())
            .limit(MOST_OF_A_LINK)
        )
        return [_tracked(runtime, session, ticket, is_own=True) for ticket in tickets]


def photo(runtime: Runtime, page: Page, sign: str) -> bytes:
    """A photo that a page shown lately has named, made anew. NotFound when it may not be seen any more."""
    number, _, rest = sign.partition("-")
    until, _, mark = rest.partition("-")
    if not hmac.compare_digest(mark, _mark(runtime, f"{number}-{until}")) or int(until) < runtime.now().timestamp():
        raise NotFound
    query = (
        sa.select(Attachment.blob)
        .join(Message, Message.id == Attachment.message_id)
        .join(Ticket, Ticket.id == Message.ticket_id)
        .where(
            Attachment.id == int(number),
            Attachment.state == AttachmentState.STORED,
            Ticket.commune_id == page.commune.id,
            Ticket.is_sealed.is_(False),
            Ticket.is_spam.is_(False),
            Message.is_sealed.is_(False),
        )
    )
    with runtime.database.reading() as session:
        blob = session.scalar(query)
    made = thumbnail(runtime.blobs.read(blob) or b"") if blob else None
    if made is None:
        raise NotFound
    return made


# ---- finding --------------------------------------------------------------------------------------------------------


def _counted(page: Page, code: str, address: str, now: datetime) -> tuple[tuple[str, str], tuple[str, str]]:
    # Digests that change with the day are enough to count; addresses and codes themselves are nobody's business.
    who = sha256(f"{address}|{now:%Y%m%d}|{page.channel.slug}".encode()).hexdigest()[:16]
    what = sha256(f"{code}|{now:%Y%m%d}|{page.commune.id}".encode()).hexdigest()[:16]
    return (f"try:{who}:{now:%H}", f"{now:%Y-%m-%d}"), (f"code:{what}", f"{now:%Y-%m-%d}")


def _of_code(session: Session, page: Page, code: str, last_four: str) -> Ticket | None:
    """The report, if one of the telephones it may have been made with ends so; the same questions whatever comes."""
    ticket = session.scalar(
        sa.select(Ticket).where(
            Ticket.commune_id == page.commune.id,
            Ticket.code == code,
            Ticket.is_sealed.is_(False),
            Ticket.is_spam.is_(False),
        )
    )
    contact = ticket.contact_id if ticket else 0
    phones: Iterable[str] = session.scalars(
        sa.union_all(
            sa.select(Contact.phone).where(Contact.id == contact, Contact.phone.is_not(None)),
            sa.select(Urn.value).where(Urn.contact_id == contact, Urn.value.like("tel:%")),
        )
    )
    ends = ["".join(c for c in phone if c.isdecimal())[-4:] for phone in phones] or [""]
    knows = [hmac.compare_digest(end.encode(), last_four.encode()) for end in ends]
    return ticket if any(knows) and len(last_four) == 4 else None


def _tracked(runtime: Runtime, session: Session, ticket: Ticket, *, is_own: bool) -> Tracked:
    lead = session.get(Ticket, ticket.merged_into_id) if ticket.merged_into_id is not None else None
    work = lead if lead is not None and not lead.is_sealed and not lead.is_spam else ticket
    agency = session.get(Agency, work.agency_id) if work.agency_id else None
    place = session.get(Place, ticket.place_id) if ticket.place_id else None
    told = _told(session, work)
    now = runtime.now()
    ended = max(filter(None, (ticket.closed_at, ticket.answered_at)), default=None)
    is_over = work.state in {TicketState.ANSWERED, TicketState.CLOSED}
    is_recent = ended is not None and ended > now - REOPEN_TIME
    return Tracked(
        code=ticket.code,
        state=work.state,
        topic=ticket.topic,
        place=place.name if place else None,
        agency=agency.name if agency else None,
        agency_phone=agency.phone if agency else None,
        opened_at=ticket.opened_at,
        accepted_at=work.accepted_at,
        due_at=work.due_at if work.is_open or is_over else None,
        promised_at=work.promised_at,
        answered_at=ticket.answered_at,
        updated_at=max(filter(None, (ticket.last_in_at, ticket.accepted_at, ticket.answered_at, ticket.closed_at))),
        extended_days=_granted(work),
        extension_reason=_shown(told.get(EventKind.EXTENSION_ASKED), is_own=is_own) if _granted(work) else "",
        apology=_shown(told.get(EventKind.APOLOGISED), is_own=is_own) if work.promised_at else "",
        is_late=work.is_open and work.paused_at is None and work.due_at is not None and work.due_at < now,
        is_paused=work.paused_at is not None,
        joined=work is not ticket,
        reason=_refusal(session, work, is_own=is_own),
        rating=ticket.rating,
        may_rate=is_own and is_over and ticket.rating is None and work.urgency is not Urgency.EMERGENCY,
        may_reopen=is_own and is_over and is_recent,
        handed=_handed(session, work),
        answers=_answers(runtime, session, ticket, is_own=is_own),
        before=_before(runtime, session, ticket) if is_own else (),
        may_publicise=is_own and is_over and is_open(session.get_one(Commune, ticket.commune_id)),
        publicity=session.scalar(sa.select(Publicity.answer).where(Publicity.ticket_id == ticket.id))
        if is_own
        else None,
    )


# ---- what was said --------------------------------------------------------------------------------------------------


def _told(session: Session, ticket: Ticket) -> dict[EventKind, str]:
    """The latest words about more time and lateness."""
    query = (
        sa.select(TicketEvent.kind, TicketEvent.note)
        .where(TicketEvent.ticket_id == ticket.id, TicketEvent.kind.in_(_TOLD), TicketEvent.note.is_not(None))
        .order_by(TicketEvent.id)
    )
    return {kind: note or "" for kind, note in session.execute(query)}


def _granted(ticket: Ticket) -> int:
    is_granted = ticket.extension is not None and ticket.extension.get("state") == "granted"
    return int((ticket.extension or {})["days"]) if is_granted else 0


def _shown(words: str | None, *, is_own: bool) -> str:
    return (words or "") if is_own else masked(words or "")


def _refusal(session: Session, ticket: Ticket, *, is_own: bool) -> str:
    if ticket.state is not TicketState.DECLINED:
        return ""
    query = (
        sa.select(TicketEvent.note)
        .where(TicketEvent.ticket_id == ticket.id, TicketEvent.kind == EventKind.STATE_CHANGED)
        .order_by(TicketEvent.id.desc())
    )
    return _shown(session.scalar(query.limit(1)), is_own=is_own)


def _handed(session: Session, ticket: Ticket) -> tuple[Handed, ...]:
    query = sa.select(Transfer).where(Transfer.ticket_id == ticket.id, Transfer.state != TransferState.RECALLED)
    return tuple(
        Handed(one.body, one.sent_at, f"{one.expected_on:%d/%m/%Y}", one.state is TransferState.ANSWERED)
        for one in session.scalars(query.order_by(Transfer.id))
    )


def _answers(runtime: Runtime, session: Session, ticket: Ticket, *, is_own: bool) -> tuple[Answered, ...]:
    """The results that were handed over to the citizen, the latest first."""
    reached = sa.select(Delivery.id).where(Delivery.message_id == Message.id, Delivery.state.in_(_REACHED)).exists()
    query = (
        sa.select(Message)
        .where(
            Message.ticket_id == ticket.id,
            Message.direction == Direction.OUT,
            Message.template == "result",
            Message.is_sealed.is_(False),
            reached,
        )
        .order_by(Message.id.desc())
        .limit(3)
    )
    return tuple(
        Answered(
            _shown(message.text, is_own=is_own),
            message.occurred_at,
            _photos(runtime, session, Message.id == message.id),
        )
        for message in session.scalars(query)
    )


def _before(runtime: Runtime, session: Session, ticket: Ticket) -> tuple[str, ...]:
    """The photos the citizen sent."""
    theirs = sa.and_(
        Message.ticket_id == ticket.id, Message.direction == Direction.IN, Message.origin == Origin.CITIZEN
    )
    return _photos(runtime, session, theirs)


def _photos(runtime: Runtime, session: Session, of: sa.ColumnElement[bool]) -> tuple[str, ...]:
    query: Sequence[int] = session.scalars(
        sa.select(Attachment.id)
        .join(Message, Message.id == Attachment.message_id)
        .where(
            of,
            Message.is_sealed.is_(False),
            Attachment.kind == "image",
            Attachment.state == AttachmentState.STORED,
            Attachment.blob.is_not(None),
            Attachment.mime.like("image/%"),
        )
        .order_by(Attachment.id)
        .limit(MOST_PHOTOS)
    ).all()
    until = int((runtime.now() + PHOTO_TIME).timestamp())
    return tuple(f"{number}-{until}-{_mark(runtime, f'{number}-{until}')}" for number in query)


def _mark(runtime: Runtime, words: str) -> str:
    return runtime.digest("tracking-photo", words)[:32]
