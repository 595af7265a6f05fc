"""Looks: who had a citizen's personal data shown, when and for what; asked before, written down, read by leaders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from bot.access import Forbidden, audit, may_reveal, seen_by, sees_sealed, sees_tickets, ticket_for
from bot.rules.deadlines import VIETNAM
from bot.rules.revealing import reason_given
from bot.runtime import Runtime
from nlp.personal_data import find_personal_data, mask
from storage.audit import AuditEntry
from storage.enums import Role
from storage.messages import Attachment, Message
from storage.officials import Official
from storage.tickets import Ticket

READERS = (Role.LEADER, Role.ADMIN)
REVEALED, EXPORTED, ERASED = "contact.revealed", "contact.exported", "contact.erased"
SEARCHED = "contact.searched"
OF_SEALED = ("ticket.sealed_viewed", "file.sealed_viewed")
AT_ONCE = 50


@dataclass(frozen=True)
class Look:
    """One look at personal data. `ticket_id` only for whoever may open it; `code` of what is no ticket is empty."""

    id: int
    at: datetime
    who: str
    action: str
    why: str
    words: str
    code: str
    ticket_id: int | None
    contact_id: int | None


@dataclass(frozen=True)
class Looks:
    """A page of looks, latest first; `next`: from which number on the next page goes, None at the end."""

    rows: list[Look]
    next: int | None
    officials: list[tuple[int, str]]


def reveal(runtime: Runtime, official: Official, ticket_id: int, *, why: str, words: str, address: str) -> None:
    """Write down that the official had a citizen's masked data shown, and for what. NotAllowed without a reason."""
    with runtime.database.transaction() as session:
        ticket = ticket_for(session, official, ticket_id)
        if not may_reveal(official, ticket):
            raise Forbidden
        chosen, said = reason_given(why, words)
        more = {"words": without_personal_data(said)} if said else {}
        audit(session, official, REVEALED, f"ticket:{ticket_id}", runtime.now(), address, why=chosen.value, **more)


def searched(runtime: Runtime, official: Official, found: int, address: str) -> None:
    """Write down that the official looked for tickets by a telephone number, and how many there were; which number
    is not kept, as the audit can never lose it."""
    with runtime.database.transaction() as session:
        audit(session, official, SEARCHED, "search:phone", runtime.now(), address, found=found)


def without_personal_data(words: str) -> str:
    """An official's reason as the audit may keep it for ever: numbers masked."""
    return mask(words, find_personal_data(words))


def looks(
    runtime: Runtime, official: Official, *, who: int | None = None, on: date | None = None, before: int | None = None
) -> Looks:
    """Who looked at personal data in the commune; looks at what is sealed are there only for its readers."""
    actions = [REVEALED, EXPORTED, ERASED, SEARCHED, *(OF_SEALED if sees_sealed(official) else ())]
    query = (
        sa.select(AuditEntry, Official.name, Ticket)
        .join(Official, Official.id == AuditEntry.official_id)
        .outerjoin(Ticket, Ticket.id == _number_of("ticket:"))
        .where(AuditEntry.commune_id == official.commune_id, AuditEntry.action.in_(actions))
        .order_by(AuditEntry.id.desc())
        .limit(AT_ONCE + 1)
    )
    if sees_sealed(official):  # what shuts this reader out is not told by who looked at it
        query = query.where(sa.or_(Ticket.id.is_(None), Ticket.is_sealed.is_(False), seen_by(official)))
    else:
        theirs = aliased(Ticket)
        known = sa.select(theirs.id).where(theirs.contact_id == _number_of("contact:"), theirs.is_sealed.is_(False))
        query = query.where(
            sa.or_(Ticket.id.is_(None), Ticket.is_sealed.is_(False)),
            sa.or_(~AuditEntry.target.startswith("contact:"), known.exists()),
        )
    if who is not None:
        query = query.where(AuditEntry.official_id == who)
    if on is not None:
        begins = datetime.combine(on, time(), VIETNAM)
        query = query.where(AuditEntry.at >= begins, AuditEntry.at < begins + timedelta(days=1))
    if before is not None:
        query = query.where(AuditEntry.id < before)
    with runtime.database.reading() as session:
        found = session.execute(query).all()
        people = session.execute(
            sa.select(Official.id, Official.name).where(Official.commune_id == official.commune_id)
            .order_by(Official.name)
        ).all()  # fmt: skip
        files = _tickets_of_files(session, [entry for entry, *_ in found])
    rows = [_look(official, entry, name, ticket or files.get(entry.target or "")) for entry, name, ticket in found]
    more = rows[AT_ONCE - 1].id if len(rows) > AT_ONCE else None
    return Looks(rows[:AT_ONCE], more, [(one.id, one.name) for one in people])


def _number_of(kind: str) -> sa.ColumnElement[int]:
    """The number in a target of this kind; NULL for others."""
    number = sa.cast(sa.func.substr(AuditEntry.target, len(kind) + 1), sa.BigInteger)
    return sa.case((AuditEntry.target.startswith(kind), number))


def _look(official: Official, entry: AuditEntry, name: str, ticket: Ticket | None) -> Look:
    kind, _, number = (entry.target or "").partition(":")
    return Look(
        id=entry.id,
        at=entry.at,
        who=name,
        action=entry.action,
        why=str(entry.data.get("why", "")),
        words=str(entry.data.get("words", "")),
        code=ticket.code if ticket else "",
        ticket_id=ticket.id if ticket and sees_tickets(official) else None,
        contact_id=int(number) if kind == "contact" and number.isdecimal() else None,
    )


def _tickets_of_files(session: Session, entries: list[AuditEntry]) -> dict[str, Ticket]:
    """The tickets of the files that were looked at, by the audit's name of the file."""
    targets = [entry.target for entry in entries if entry.target and entry.target.startswith("attachment:")]
    numbers = [int(target.removeprefix("attachment:")) for target in targets]
    if not numbers:
        return {}
    rows = session.execute(
        sa.select(Attachment.id, Ticket)
        .join(Message, Message.id == Attachment.message_id)
        .join(Ticket, Ticket.id == Message.ticket_id)
        .where(Attachment.id.in_(numbers))
    )
    return {f"attachment:{number}": ticket for number, ticket in rows}
