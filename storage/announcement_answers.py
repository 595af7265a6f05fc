"""Answers to announcements: which one a message answers, how many answered, and what they asked at first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.announcements import Announcement
from storage.audiences import GOT
from storage.deliveries import Delivery
from storage.enums import Direction
from storage.messages import Message
from storage.tickets import Ticket

_COMPLAINT, _ABOUT_NOTICES = "complaint", "thong-tin-co-so"  # too early, too loud: domain §13


@dataclass(frozen=True)
class Counts:
    """How many people and messages answered, how many reports came of it, and how many complain."""

    people: int
    messages: int
    reports: int
    complaints: int


def quoted(session: Session, channel_id: int, urn_id: int, external_id: str) -> Announcement | None:
    """The announcement whose message somebody quotes: one that was sent to them."""
    query = (
        sa.select(Announcement)
        .join(Delivery, Delivery.announcement_id == Announcement.id)
        .where(
            Delivery.channel_id == channel_id, Delivery.external_id == external_id, Delivery.urn_id == urn_id
        )
    )  # fmt: skip
    return session.scalars(query).first()


def latest(session: Session, urn_id: int, since: datetime, at: datetime) -> tuple[Announcement, datetime] | None:
    """The last announcement that somebody got in this time, and when."""
    got_at = sa.func.coalesce(Delivery.sent_at, Delivery.created_at)
    query = (
        sa.select(Announcement, got_at)
        .join(Delivery, Delivery.announcement_id == Announcement.id)
        .where(
            Delivery.urn_id == urn_id,
            Delivery.part == Delivery.parts,
            Delivery.state.in_(GOT),
            Delivery.created_at > since,
            Delivery.created_at <= at,
        )
        .order_by(Delivery.id.desc())
    )
    row = session.execute(query.limit(1)).first()
    return (row[0], row[1]) if row is not None and row[1] <= at else None


def counts(session: Session, announcement_ids: Sequence[int]) -> Counts:
    """How many answered these; nothing that is sealed is counted."""
    intent = Message.reading["intent"].as_string()
    is_complaint = sa.or_(intent == _COMPLAINT, Ticket.topic == _ABOUT_NOTICES)
    query = (
        sa.select(
            sa.func.count(sa.distinct(Message.conversation_id)),
            sa.func.count(Message.id),
            sa.func.count(sa.distinct(Message.ticket_id)),
            sa.func.count(sa.distinct(sa.case((is_complaint, Message.conversation_id)))),
        )
        .select_from(Message)
        .outerjoin(Ticket, Ticket.id == Message.ticket_id)
        .where(*_answering(announcement_ids))
    )
    return Counts(*(int(number) for number in session.execute(query).one()))


def ticket_ids(session: Session, announcement_ids: Sequence[int], limit: int) -> list[int]:
    """The reports that came of these, the oldest first."""
    query = (
        sa.select(Message.ticket_id)
        .join(Ticket, Ticket.id == Message.ticket_id)
        .where(*_answering(announcement_ids))
        .distinct()
        .order_by(Message.ticket_id)
    )
    return [number for number in session.scalars(query.limit(limit)) if number is not None]


def said_until(session: Session, announcement_ids: Sequence[int], until: datetime, limit: int) -> list[Message]:
    """What was answered up to a moment, in the order it was said."""
    query = (
        sa.select(Message)
        .outerjoin(Ticket, Ticket.id == Message.ticket_id)
        .where(*_answering(announcement_ids), Message.occurred_at <= until, Message.text_folded != "", _IN_THE_OPEN)
        .order_by(Message.occurred_at, Message.id)
    )
    return list(session.scalars(query.limit(limit)))


_IN_THE_OPEN = sa.or_(Ticket.id.is_(None), sa.and_(Ticket.is_restricted.is_(False), Ticket.accuses_leaders.is_(False)))


def _answering(announcement_ids: Sequence[int]) -> list[Any]:
    return [
        Message.announcement_id.in_(announcement_ids),
        Message.direction == Direction.IN,
        Message.is_sealed.is_(False),
        Message.words_gone_at.is_(None),
        sa.or_(Ticket.id.is_(None), Ticket.is_sealed.is_(False)),
    ]
