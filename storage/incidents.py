"""Incidents: reports that may be one piece of work, what officials said of that, and who was joined to whom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from storage.base import Base, OfCommune
from storage.enums import TicketState, Urgency
from storage.tickets import Ticket

MOST_COMPARED = 300


class Likeness(OfCommune, Base):
    """A proposal: this ticket may be the same piece of work as the one that leads it; gone when it is no longer true.

    `reasons`: what speaks for it, as values for a sentence ({"kind": "near", "metres": 60}).
    """

    __tablename__ = "likenesses"
    __table_args__ = (sa.UniqueConstraint("ticket_id"),)

    ticket_id: Mapped[int] = mapped_column(sa.ForeignKey("tickets.id"))
    lead_id: Mapped[int] = mapped_column(sa.ForeignKey("tickets.id"), index=True)
    score: Mapped[float]
    reasons: Mapped[list[Any]] = mapped_column(default=list)
    at: Mapped[datetime]


class Difference(OfCommune, Base):
    """An official said that two tickets are not the same matter: they are never proposed as one again."""

    __tablename__ = "differences"
    __table_args__ = (sa.UniqueConstraint("first_id", "second_id"),)

    first_id: Mapped[int] = mapped_column(sa.ForeignKey("tickets.id"))
    second_id: Mapped[int] = mapped_column(sa.ForeignKey("tickets.id"), index=True)
    official_id: Mapped[int | None] = mapped_column(sa.ForeignKey("officials.id"))
    at: Mapped[datetime]


class Joining(OfCommune, Base):
    """A ticket was joined to another. `before`: how it stood, to go back to; `lead_due_at`: the other's deadline.

    `official_id` is empty where its writer wished it; `undone_at`: when it went back.
    """

    __tablename__ = "joinings"
    __table_args__ = (sa.Index("ix_joinings_into", "into_id", "id"),)

    ticket_id: Mapped[int] = mapped_column(sa.ForeignKey("tickets.id"), index=True)
    into_id: Mapped[int] = mapped_column(sa.ForeignKey("tickets.id"))
    before: Mapped[dict[str, Any]] = mapped_column(default=dict)
    lead_due_at: Mapped[datetime | None]
    at: Mapped[datetime]
    official_id: Mapped[int | None] = mapped_column(sa.ForeignKey("officials.id"))
    undone_at: Mapped[datetime | None]
    undone_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("officials.id"))


def comparable(ticket: type[Ticket] = Ticket) -> sa.ColumnElement[bool]:
    """Which tickets may be one with others at all: open, nothing sealed, nothing confidential, no spam."""
    return sa.and_(
        ticket.is_open.is_(True),
        ticket.is_sealed.is_(False),
        ticket.is_restricted.is_(False),
        ticket.is_spam.is_(False),
    )


_Lead = aliased(Ticket)


def candidates(session: Session, ticket: Ticket, window: timedelta, topics: Iterable[str]) -> Sequence[sa.Row[Any]]:
    """The latest tickets that `ticket` may be one with, each with the ticket it is joined to already.

    Of the same subject, or of the same place, or with a pin; not further apart in time than the window.
    """
    joined = sa.and_(Ticket.state == TicketState.MERGED, Ticket.is_sealed.is_(False), comparable(_Lead))
    alike: list[sa.ColumnElement[bool]] = [Ticket.topic.in_(sorted(topics))]
    if ticket.place_id is not None:
        alike.append(Ticket.place_id == ticket.place_id)
    if ticket.latitude is not None:
        alike.append(Ticket.latitude.between(ticket.latitude - 0.004, ticket.latitude + 0.004))
    query = (
        sa.select(Ticket, Ticket.merged_into_id)
        .outerjoin(_Lead, _Lead.id == Ticket.merged_into_id)
        .where(
            Ticket.commune_id == ticket.commune_id,
            Ticket.opened_at.between(ticket.opened_at - window, ticket.opened_at + window),
            Ticket.id != ticket.id,
            sa.or_(comparable(), joined),
            sa.or_(*alike),
        )
        .order_by(Ticket.opened_at.desc(), Ticket.id.desc())
        .limit(MOST_COMPARED)
    )
    return session.execute(query).all()


def differing(session: Session, ticket_id: int) -> set[int]:
    """The tickets that officials said are another matter than this one."""
    query = sa.select(Difference.first_id, Difference.second_id).where(
        sa.or_(Difference.first_id == ticket_id, Difference.second_id == ticket_id)
    )
    return {other for pair in session.execute(query) for other in pair} - {ticket_id}


def leads_of(session: Session, ticket_ids: Iterable[int]) -> dict[int, int]:
    """Of those tickets that are proposed to be one with another: which one leads."""
    query = sa.select(Likeness.ticket_id, Likeness.lead_id).where(Likeness.ticket_id.in_(list(ticket_ids)))
    return {ticket_id: lead_id for ticket_id, lead_id in session.execute(query)}  # noqa: C416 - rows are not plain tuples


def joined_to(session: Session, lead_id: int, *, locked: bool = False) -> list[Ticket]:
    """The tickets whose writers wait for the result of this one, in the order they were opened."""
    query = (
        sa.select(Ticket)
        .where(
            Ticket.merged_into_id == lead_id,
            Ticket.state == TicketState.MERGED,
            Ticket.is_touched,
            Ticket.is_sealed.is_(False),
        )
        .order_by(Ticket.id)
    )
    return list(session.scalars(query.with_for_update() if locked else query))


def standing_joining(session: Session, ticket_id: int) -> Joining | None:
    """How a ticket came to be joined, while it is."""
    query = sa.select(Joining).where(Joining.ticket_id == ticket_id, Joining.undone_at.is_(None))
    return session.scalar(query.order_by(Joining.id.desc()).limit(1))


LOUDNESS = {Urgency.NORMAL: 0, Urgency.URGENT: 1, Urgency.EMERGENCY: 2}
