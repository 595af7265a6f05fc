"""Safety answers: who said after an emergency that they are safe or need help, and how each village stands."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.announcements import Announcement
from storage.audiences import GOT
from storage.base import Base, OfCommune, one_of
from storage.bulletins import Bulletin
from storage.deliveries import Delivery
from storage.enums import Safety
from storage.messages import Message
from storage.tickets import Ticket

_MOST_EMERGENCIES = 20


class SafetyAnswer(OfCommune, Base):
    """What one message answered to an emergency; `is_last`: what its sender said last, the others are history.

    `bulletin_id`: the emergency as it was first told. The words, and the ticket of who needs help, are the message's.
    """

    __tablename__ = "safety_answers"
    __table_args__ = (
        sa.UniqueConstraint("message_id"),
        sa.Index("ix_safety_answers_urn", "bulletin_id", "urn_id"),
        sa.Index("ix_safety_answers_last", "bulletin_id", "urn_id", unique=True,
                 sqlite_where=sa.text("is_last = 1"), postgresql_where=sa.text("is_last")),
    )  # fmt: skip

    bulletin_id: Mapped[int] = mapped_column(sa.ForeignKey("bulletins.id"))
    urn_id: Mapped[int] = mapped_column(sa.ForeignKey("urns.id"), index=True)
    message_id: Mapped[int] = mapped_column(sa.ForeignKey("messages.id"))
    answer: Mapped[Safety] = mapped_column(one_of(Safety))
    at: Mapped[datetime]
    is_last: Mapped[bool]


def asked_of(session: Session, urn_id: int, at: datetime, quoted: str | None) -> Bulletin | None:
    """The emergency whose question somebody answers at this moment: the one that is quoted, or the latest sent to them
    that was open then, or else the latest; as it was first told.
    """
    query = (
        sa.select(Bulletin)
        .join(Announcement, Announcement.bulletin_id == Bulletin.id)
        .join(Delivery, Delivery.announcement_id == Announcement.id)
        .where(Delivery.urn_id == urn_id, Delivery.state.in_(GOT), Announcement.asks_safety)
        .order_by(Delivery.id.desc())
        .limit(_MOST_EMERGENCIES)
    )
    if quoted:
        named = session.scalars(query.where(Delivery.external_id == quoted)).first()
        if named is not None:
            return session.get_one(Bulletin, named.root_id)
    roots = [session.get_one(Bulletin, one.root_id) for one in session.scalars(query.where(Delivery.created_at <= at))]
    still_open = (one for one in roots if one.ended_at is None or one.ended_at > at)
    return next(still_open, roots[0] if roots else None)


def record_answer(session: Session, bulletin: Bulletin, urn_id: int, message: Message, answer: Safety) -> None:
    """Keep what was answered; of several, what was said last counts, in whatever order they came."""
    last = session.scalars(
        sa.select(SafetyAnswer).where(
            SafetyAnswer.bulletin_id == bulletin.id, SafetyAnswer.urn_id == urn_id, SafetyAnswer.is_last
        )
    ).first()
    is_last = last is None or (last.at, last.message_id) < (message.occurred_at, message.id)
    if last is not None and is_last:
        last.is_last = False
        session.flush()  # before the new one: there is one last answer only
    session.add(
        SafetyAnswer(
            commune_id=bulletin.commune_id,
            bulletin_id=bulletin.id,
            urn_id=urn_id,
            message_id=message.id,
            answer=answer,
            at=message.occurred_at,
            is_last=is_last,
        )
    )
    session.flush()


def help_ticket(session: Session, bulletin_id: int, urn_id: int) -> Ticket | None:
    """The open report in which somebody asked for help in this emergency; nothing that is sealed."""
    query = (
        sa.select(Ticket)
        .join(Message, Message.ticket_id == Ticket.id)
        .join(SafetyAnswer, SafetyAnswer.message_id == Message.id)
        .where(
            SafetyAnswer.bulletin_id == bulletin_id,
            SafetyAnswer.urn_id == urn_id,
            SafetyAnswer.answer == Safety.HELP,
            Ticket.is_open,
            Ticket.is_sealed.is_(False),
        )
        .order_by(SafetyAnswer.at.desc())
    )
    return session.scalars(query).first()
