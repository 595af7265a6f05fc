"""Drafts: what officials are writing, kept by the server so that no reload, crash or colleague loses it."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.access import Forbidden, may_reply, ticket_for
from bot.rules.lifecycle import NotAllowed
from bot.runtime import Runtime
from bot.usecases.desk import form_mark, written_by_form
from storage.drafts import Draft, DraftKind
from storage.enums import EventKind
from storage.officials import Official
from storage.sealing import open_words
from storage.tickets import Ticket, TicketEvent

LONGEST = 6_000
LONGEST_FIELD = 1_000


def save(
    runtime: Runtime,
    official: Official,
    ticket_id: int,
    kind: DraftKind,
    *,
    text: str,
    fields: dict[str, str],
    token: str = "",
) -> datetime | None:
    """Keep what stands in a composer; None when nothing does, or when it has been sent meanwhile.

    `token`: of the form. Raises NotFound, Forbidden, NotAllowed.
    """
    text = text.replace("\r\n", "\n").replace("\0", "")
    if len(text) > LONGEST or any(len(value) > LONGEST_FIELD for value in fields.values()):
        raise NotAllowed("too_long", "Trả lời dài hơn %(most)s ký tự. Anh/Chị vui lòng rút ngắn.", most=LONGEST)
    now = runtime.now()
    with runtime.database.transaction() as session:
        ticket = ticket_for(session, official, ticket_id, locked=True)  # nobody seals it meanwhile
        if kind is DraftKind.REPLY and not may_reply(official, ticket):
            raise Forbidden
        if ticket.is_sealed:
            open_words(session)
        if not text.strip() or _was_sent(session, official, ticket_id, kind, text, token):
            forget(session, official, ticket_id, kind)
            return None
        draft = _mine(session, official, ticket, kind)
        if (draft.text, draft.fields) != (text, fields):
            draft.text, draft.fields, draft.saved_at = text, fields, now
        return draft.saved_at


def forget(session: Session, official: Official, ticket_id: int, kind: DraftKind) -> None:
    """It was sent, or nothing is left of it."""
    session.execute(
        sa.delete(Draft).where(Draft.ticket_id == ticket_id, Draft.official_id == official.id, Draft.kind == kind)
    )


def put_back(session: Session, official: Official, ticket: Ticket, written: dict[str, str], now: datetime) -> None:
    """What was sent and taken back stands in the official's composer again, before what they have begun since."""
    draft, fields = _mine(session, official, ticket, DraftKind.REPLY), dict(written)
    draft.text = "\n\n".join(filter(None, (fields.pop("text", ""), draft.text)))
    draft.fields, draft.saved_at = fields, now


def _mine(session: Session, official: Official, ticket: Ticket, kind: DraftKind) -> Draft:
    """The official's draft, a new one if need be; the ticket is locked."""
    query = sa.select(Draft).where(Draft.ticket_id == ticket.id, Draft.official_id == official.id, Draft.kind == kind)
    draft = session.scalar(query)
    if draft is None:
        draft = Draft(
            commune_id=ticket.commune_id, ticket_id=ticket.id, official_id=official.id, kind=kind, text="", fields={}
        )
        session.add(draft)
    return draft


def _was_sent(session: Session, official: Official, ticket_id: int, kind: DraftKind, text: str, token: str) -> bool:
    """Whether the form is done with: what a page saves in the background may arrive after it was sent."""
    if kind is DraftKind.REPLY:
        return bool(token) and written_by_form(session, ticket_id, form_mark(official.id, token))
    last = session.scalar(
        sa.select(TicketEvent)
        .where(
            TicketEvent.ticket_id == ticket_id,
            TicketEvent.official_id == official.id,
            TicketEvent.kind == EventKind.NOTED,
        )
        .order_by(TicketEvent.id.desc())
        .limit(1)
    )
    return last is not None and last.note == text.strip()
