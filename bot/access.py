"""Access: what an official may see and do; the only way from a number in a URL to a ticket (domain §3, §8.2)."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.audit import AuditEntry
from storage.deliveries import Delivery
from storage.enums import Role
from storage.messages import Attachment, Message
from storage.officials import Official
from storage.tickets import THE_LEADERS, Ticket

OF_TICKETS = (Role.RECEIVER, Role.HANDLER, Role.LEADER, Role.SEALED_READER)
OF_WHOLE_COMMUNE = (Role.RECEIVER, Role.LEADER)
OF_SEALED = (Role.SEALED_READER,)  # those whom the commune has named, leader or not


class NotFound(Exception):
    """There is no such thing for this official: absent, another commune's and forbidden look the same."""


class Forbidden(Exception):
    """The official sees the thing but may not do this with it."""


def sees_tickets(official: Official) -> bool:
    """Whether the official works with tickets at all."""
    return official.has(*OF_TICKETS)


def sees_sealed(official: Official) -> bool:
    """Whether sealed tickets exist for the official."""
    return official.has(*OF_SEALED)


def seen_by(official: Official) -> sa.ColumnElement[bool]:
    """The condition that limits a question about tickets to those the official may see."""
    kinds: list[sa.ColumnElement[bool]] = []
    if official.has(*OF_WHOLE_COMMUNE):
        kinds.append(Ticket.is_sealed.is_(False))
    elif official.has(Role.HANDLER):
        own = Ticket.official_id == official.id
        if official.agency_id is not None:
            own = sa.or_(own, Ticket.agency_id == official.agency_id)
        kinds.append(sa.and_(Ticket.is_sealed.is_(False), Ticket.is_restricted.is_(False), own))
    if sees_sealed(official):
        kinds.append(sa.and_(Ticket.is_sealed.is_(True), _accuses_others_than(official)))
    visible = sa.or_(*kinds) if kinds else sa.false()
    return sa.and_(Ticket.commune_id == official.commune_id, visible)


def _accuses_others_than(official: Official) -> sa.ColumnElement[bool]:
    """Whoever belongs to a unit that is accused, or seems to be, does not see it, named or not; what accuses the
    commune's leadership is seen by nobody there."""
    others: sa.ColumnElement[bool] = Ticket.accuses_leaders.is_(False)
    if official.has(Role.LEADER):
        others = sa.and_(others, Ticket.proposed_agencies.not_like(f"%,{THE_LEADERS},%"))
    if official.agency_id is None:
        return others
    is_decided = sa.or_(Ticket.accused_agency_id.is_(None), Ticket.accused_agency_id != official.agency_id)
    return sa.and_(others, is_decided, Ticket.proposed_agencies.not_like(f"%,{official.agency_id},%"))


def reads_sealed(official: Official, ticket: Ticket) -> bool:
    """Whether a sealed ticket is this official's to read: named, and not of a unit that is accused or seems to be."""
    is_meant = official.agency_id in ticket.shut_out or (official.has(Role.LEADER) and THE_LEADERS in ticket.shut_out)
    return sees_sealed(official) and not ticket.accuses_leaders and not is_meant


def ticket_for(session: Session, official: Official, ticket_id: int, *, locked: bool = False) -> Ticket:
    """The ticket with this number, `locked` until the transaction ends; NotFound if the official may not see it."""
    query = sa.select(Ticket).where(Ticket.id == ticket_id, seen_by(official))
    if locked:
        query = query.with_for_update(of=Ticket)
    ticket = session.scalar(query)
    if ticket is None:
        raise NotFound
    return ticket


def attachment_for(session: Session, official: Official, attachment_id: int) -> tuple[Attachment, Ticket]:
    """A file of a citizen or a colleague, with the ticket that lets the official see it."""
    row = session.execute(
        sa.select(Attachment, Ticket)
        .join(Message, Message.id == Attachment.message_id)
        .join(Ticket, Ticket.id == Message.ticket_id)
        .where(Attachment.id == attachment_id, Attachment.commune_id == official.commune_id, seen_by(official))
    ).first()
    if row is None:
        raise NotFound
    return row[0], row[1]


def delivery_for(session: Session, official: Official, delivery_id: int) -> tuple[Delivery, Ticket]:
    """A delivery of a ticket's message, with the ticket that lets the official see it."""
    row = session.execute(
        sa.select(Delivery, Ticket)
        .join(Message, Message.id == Delivery.message_id)
        .join(Ticket, Ticket.id == Message.ticket_id)
        .where(Delivery.id == delivery_id, Delivery.commune_id == official.commune_id, seen_by(official))
    ).first()
    if row is None:
        raise NotFound
    return row[0], row[1]


def roles_on(official: Official, ticket: Ticket) -> frozenset[Role]:
    """The roles that count on this ticket: the sealed queue has its own people, and they have nothing else."""
    held = frozenset(role for role in Role if official.has(role))
    if not ticket.is_sealed:
        return held - {Role.SEALED_READER}
    return held & {Role.SEALED_READER, Role.LEADER} if reads_sealed(official, ticket) else frozenset()


def sees_names(official: Official, ticket: Ticket) -> bool:
    """Whether the citizen's name is shown: handlers do not need it, and the accused must not learn it."""
    if ticket.is_sealed:
        return reads_sealed(official, ticket)
    return official.has(*OF_WHOLE_COMMUNE)


def may_reveal(official: Official, ticket: Ticket) -> bool:
    """Whether the official may have masked numbers shown; each time is written down."""
    return sees_names(official, ticket) or (official.has(Role.HANDLER) and ticket.official_id == official.id)


def may_direct(official: Official) -> bool:
    """Whether the official classifies and dispatches: topic, place, agency."""
    return official.has(*OF_WHOLE_COMMUNE)


def may_reply(official: Official, ticket: Ticket) -> bool:
    """Whether the official may speak to the citizen about this ticket; nobody answers spam."""
    if ticket.is_spam:
        return False
    return reads_sealed(official, ticket) if ticket.is_sealed else official.has(*OF_WHOLE_COMMUNE, Role.HANDLER)


def may_unseal(official: Official, ticket: Ticket) -> bool:
    """Whether the official may open a sealed ticket to the receivers."""
    return ticket.is_sealed and reads_sealed(official, ticket)


def audit(
    session: Session,
    official: Official,
    action: str,
    target: str,
    at: datetime,
    address: str | None = None,
    **data: object,
) -> None:
    """Write down who did or saw what."""
    session.add(
        AuditEntry(
            commune_id=official.commune_id,
            official_id=official.id,
            at=at,
            action=action,
            target=target,
            address=address,
            data=data,
        )
    )
