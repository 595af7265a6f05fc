"""A citizen's own tickets: finding the one they speak of."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import sqlalchemy as sa

from bot.usecases.work import Citizen, Work
from storage.communes import Counter
from storage.contacts import Contact
from storage.enums import TicketState
from storage.intake import next_number
from storage.tickets import Ticket

REOPEN_TIME = timedelta(days=30)
WRONG_GUESSES_A_DAY = 5


def own(work: Work, person: Citizen) -> sa.Select[tuple[Ticket]]:
    """The question for all tickets of this citizen here, the latest first; what is sealed, only where it was said."""
    return (
        sa.select(Ticket)
        .where(
            Ticket.contact_id == person.contact.id,
            Ticket.commune_id == work.channel.commune_id,
            sa.or_(Ticket.is_sealed.is_(False), Ticket.conversation_id == person.conversation.id),
        )
        .order_by(Ticket.last_in_at.desc(), Ticket.id.desc())
    )


def of_code(work: Work, person: Citizen, code: str) -> Ticket | None:
    """Their ticket of this code; None when they have none such."""
    return work.session.scalar(own(work, person).where(Ticket.code == code))


def open_ones(work: Work, person: Citizen) -> list[Ticket]:
    """Their tickets that somebody still works on."""
    return list(work.session.scalars(own(work, person).where(Ticket.is_open, Ticket.is_spam.is_(False)).limit(20)))


def ended_ones(work: Work, person: Citizen) -> list[Ticket]:
    """Their tickets with a result that may still be judged or reopened."""
    since = work.now - REOPEN_TIME
    over = Ticket.state.in_([TicketState.ANSWERED, TicketState.CLOSED])
    query = own(work, person).where(
        Ticket.is_spam.is_(False),
        sa.or_(
            sa.and_(over, sa.func.coalesce(Ticket.closed_at, Ticket.answered_at) > since),
            sa.and_(Ticket.state == TicketState.MERGED, Ticket.answered_at > since),  # they got the other's result
        ),
    )
    return list(work.session.scalars(query.order_by(Ticket.answered_at.desc()).limit(20)))


def meant(
    work: Work, person: Citizen, code: str | None, among: Callable[[Work, Citizen], list[Ticket]]
) -> list[Ticket]:
    """Which of `among` they may mean: the one of the code, or all."""
    found = among(work, person)
    return [ticket for ticket in found if ticket.code == code] if code else found


def by_phone(work: Work, code: str, last_four: str) -> Ticket | None:
    """Somebody's ticket of this code, for who knows the end of their telephone number; nothing sealed."""
    query = (
        sa.select(Ticket)
        .join(Contact, Contact.id == Ticket.contact_id)
        .where(
            Ticket.commune_id == work.channel.commune_id,
            Ticket.code == code,
            Ticket.is_sealed.is_(False),
            Contact.phone.like(f"%{last_four}"),
        )
    )
    return work.session.scalar(query.limit(1))


def has_guessed_too_often(work: Work, person: Citizen) -> bool:
    """Whether so many codes were wrong today that nobody else's is looked for any more."""
    query = sa.select(Counter.value).where(
        Counter.scope == f"urn:{person.urn.id}", Counter.name == "wrong_code", Counter.period == f"{work.now:%Y%m%d}"
    )
    return (work.session.scalar(query) or 0) >= WRONG_GUESSES_A_DAY


def guessed_too_often(work: Work, person: Citizen) -> bool:
    """Count a wrong guess of a code; True when there were too many today."""
    wrong = next_number(work.session, f"urn:{person.urn.id}", "wrong_code", f"{work.now:%Y%m%d}")
    return wrong > WRONG_GUESSES_A_DAY
