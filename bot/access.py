"""Access: what an official may see and do; the only way from an id to a ticket."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.agencies import Agency
from storage.announcements import Announcement
from storage.audit import AuditEntry
from storage.channels import Channel
from storage.deliveries import Delivery
from storage.enums import Role
from storage.messages import Attachment, Message
from storage.officials import Official
from storage.tickets import Ticket

T = TypeVar("T")

SEALED_READERS = (Role.LEADER, Role.SEALED_READER)
TICKET_READERS = (Role.RECEIVER, Role.HANDLER, Role.LEADER, Role.SEALED_READER)


class NotFound(Exception):
    """There is no such thing, or it is not for this official: both look the same from outside."""


@dataclass(frozen=True)
class Viewer:
    """An official as far as access is concerned."""

    official_id: int
    commune_id: int
    agency_id: int | None
    roles: frozenset[Role]

    @staticmethod
    def of(official: Official) -> Viewer:
        """The viewer that an official is."""
        known = {role.value: role for role in Role}
        roles = frozenset(known[name] for name in official.roles if name in known)
        return Viewer(official.id, official.commune_id, official.agency_id, roles)

    def has(self, *roles: Role) -> bool:
        """Whether the viewer holds any of these roles."""
        return bool(self.roles & set(roles))


def visible_tickets(viewer: Viewer) -> sa.ColumnElement[bool]:
    """The condition that limits tickets to those this official may see (domain §3, §8.2)."""
    mine = Ticket.commune_id == viewer.commune_id
    if not viewer.has(*TICKET_READERS):
        return sa.false()
    may = []
    if viewer.has(Role.LEADER):
        return mine
    if viewer.has(Role.RECEIVER):
        # Conduct of officials is for the desk, but never for the unit that is complained about: it holds the ticket.
        may.append(sa.and_(Ticket.is_sealed.is_(False)))
    elif viewer.has(Role.HANDLER):
        assigned = sa.or_(Ticket.official_id == viewer.official_id, Ticket.agency_id == viewer.agency_id)
        may.append(sa.and_(Ticket.is_sealed.is_(False), Ticket.is_restricted.is_(False), assigned))
    if viewer.has(Role.SEALED_READER):
        may.append(Ticket.is_sealed.is_(True))
    return sa.and_(mine, sa.or_(*may))


def ticket_for(session: Session, viewer: Viewer, ticket_id: int, now: datetime, *, lock: bool = False) -> Ticket:
    """The ticket, if this official may see it; opening a sealed one is written down. NotFound otherwise."""
    query = sa.select(Ticket).where(Ticket.id == ticket_id, visible_tickets(viewer))
    ticket = session.scalar(query.with_for_update() if lock else query)
    if ticket is None:
        raise NotFound(f"ticket:{ticket_id}")
    if ticket.is_sealed:
        session.add(
            AuditEntry(
                commune_id=viewer.commune_id,
                official_id=viewer.official_id,
                at=now,
                action="ticket.sealed_opened",
                target=f"ticket:{ticket.id}",
                data={},
            )
        )
    return ticket


def attachment_for(session: Session, viewer: Viewer, attachment_id: int, now: datetime) -> Attachment:
    """The attachment of a ticket that this official may see. NotFound otherwise."""
    row = session.scalar(
        sa.select(Attachment).where(Attachment.id == attachment_id, Attachment.commune_id == viewer.commune_id)
    )
    if row is None:
        raise NotFound(f"attachment:{attachment_id}")
    message = session.get_one(Message, row.message_id)
    if message.ticket_id is None:
        if message.is_sealed or not viewer.has(Role.RECEIVER, Role.LEADER):
            raise NotFound(f"attachment:{attachment_id}")
        return row
    ticket_for(session, viewer, message.ticket_id, now)
    return row


def delivery_for(session: Session, viewer: Viewer, delivery_id: int, now: datetime) -> Delivery:
    """The delivery of a ticket's message that this official may see. NotFound otherwise."""
    row = session.scalar(
        sa.select(Delivery).where(Delivery.id == delivery_id, Delivery.commune_id == viewer.commune_id)
    )
    message = session.get(Message, row.message_id) if row is not None and row.message_id else None
    if row is None or message is None or message.ticket_id is None:
        raise NotFound(f"delivery:{delivery_id}")
    ticket_for(session, viewer, message.ticket_id, now)
    return row


def agency_for(session: Session, viewer: Viewer, agency_id: int) -> Agency:
    """An active agency of the official's commune. NotFound otherwise."""
    query = sa.select(Agency).where(
        Agency.id == agency_id, Agency.commune_id == viewer.commune_id, Agency.is_active.is_(True)
    )
    return _found(session.scalar(query), f"agency:{agency_id}")


def colleague_for(session: Session, viewer: Viewer, official_id: int) -> Official:
    """An active official of the same commune. NotFound otherwise."""
    query = sa.select(Official).where(
        Official.id == official_id, Official.commune_id == viewer.commune_id, Official.is_active.is_(True)
    )
    return _found(session.scalar(query), f"official:{official_id}")


def announcement_for(session: Session, viewer: Viewer, announcement_id: int) -> Announcement:
    """An announcement of the official's commune. NotFound otherwise."""
    query = sa.select(Announcement).where(
        Announcement.id == announcement_id, Announcement.commune_id == viewer.commune_id
    )
    return _found(session.scalar(query), f"announcement:{announcement_id}")


def channel_for(session: Session, viewer: Viewer, channel_id: int) -> Channel:
    """A channel of the official's commune. NotFound otherwise."""
    query = sa.select(Channel).where(Channel.id == channel_id, Channel.commune_id == viewer.commune_id)
    return _found(session.scalar(query), f"channel:{channel_id}")


def _found(row: T | None, what: str) -> T:
    if row is None:
        raise NotFound(what)
    return row
