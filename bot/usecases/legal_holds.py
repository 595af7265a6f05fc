"""Holds: a ticket must stay as it is, whatever rules of retention or wishes for erasure say, until it is released."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.access import OF_SEALED, OF_WHOLE_COMMUNE, Forbidden, audit, ticket_for
from bot.queue import MEDIA
from bot.rules.lifecycle import SHORTEST_REASON, NotAllowed
from bot.runtime import Runtime
from bot.usecases.communes import commune_book
from bot.usecases.erased import GONE
from bot.usecases.expiring import Batch, empty_ticket
from bot.usecases.looks import without_personal_data
from storage.contacts import Contact, Conversation
from storage.enums import EventKind, Role, TicketState
from storage.officials import Official
from storage.retention import Hold
from storage.tickets import Ticket, TicketEvent

LONGEST = 300


def may_hold(official: Official, ticket: Ticket) -> bool:
    """Whether the official may say that a ticket must stay."""
    return official.has(*(OF_SEALED if ticket.is_sealed else OF_WHOLE_COMMUNE))


def may_release(official: Official) -> bool:
    """Whether the official may let it go again: what was held may be about the desk itself."""
    return official.has(Role.LEADER)


def standing_hold(session: Session, ticket_id: int) -> Hold | None:
    """Why a ticket must stay, while it must."""
    return session.scalar(sa.select(Hold).where(Hold.ticket_id == ticket_id, Hold.released_at.is_(None)))


def hold(runtime: Runtime, official: Official, ticket_id: int, *, reason: str) -> bool:
    """Say that a ticket must stay, and why; False when it must already. NotAllowed without a reason."""
    words = " ".join(reason.split())
    if not SHORTEST_REASON <= len(words) <= LONGEST:
        raise NotAllowed(
            "needs_reason", "Cần nêu lý do từ %(least)s đến %(most)s ký tự.", least=SHORTEST_REASON, most=LONGEST
        )
    with runtime.database.transaction() as session:
        ticket = ticket_for(session, official, ticket_id, locked=True)
        if not may_hold(official, ticket):
            raise Forbidden
        if standing_hold(session, ticket_id) is not None:
            return False
        session.add(
            Hold(
                commune_id=ticket.commune_id, ticket_id=ticket.id, reason=without_personal_data(words),
                at=runtime.now(), by_id=official.id,
            )
        )  # fmt: skip
        audit(session, official, "ticket.held", f"ticket:{ticket_id}", runtime.now())
    return True


def release(runtime: Runtime, official: Official, ticket_id: int) -> bool:
    """Let rules and wishes hold for a ticket again; False when nothing held it. Forbidden.

    What its citizen has had erased meanwhile goes now.
    """
    with runtime.database.transaction() as session:
        ticket = ticket_for(session, official, ticket_id, locked=True)
        if not may_release(official):
            raise Forbidden
        found = standing_hold(session, ticket_id)
        if found is None:
            return False
        found.released_at, found.released_by_id = runtime.now(), official.id
        audit(session, official, "ticket.released", f"ticket:{ticket_id}", runtime.now())
        erased_at = session.get_one(Contact, ticket.contact_id).erased_at
        if erased_at is not None and ticket.opened_at <= erased_at:
            _erase(runtime, session, ticket)
    runtime.nudge(MEDIA)
    return True


def _erase(runtime: Runtime, session: Session, ticket: Ticket) -> None:
    batch = Batch(runtime, session, commune_book(session, ticket.commune_id), runtime.now())
    empty_ticket(batch, ticket, session.get_one(Conversation, ticket.conversation_id).channel_id, GONE)
    if ticket.is_open or ticket.is_spam:  # spam could be restored
        ticket.state, ticket.is_open, ticket.closed_at = TicketState.WITHDRAWN, False, batch.now
    session.add(
        TicketEvent(
            commune_id=ticket.commune_id, ticket_id=ticket.id, kind=EventKind.WITHDRAWN, at=batch.now, data={}
        )
    )  # fmt: skip
