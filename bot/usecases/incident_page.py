"""What a ticket's page shows of an incident: what may be the same work, and who waits for its result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from bot.access import seen_by
from bot.usecases.incidents import PART_TIME
from storage.channels import Channel
from storage.contacts import Contact, Conversation
from storage.deliveries import Delivery
from storage.enums import Direction, Origin, TicketState
from storage.incidents import Joining, Likeness, comparable
from storage.messages import Message
from storage.officials import Official
from storage.tickets import Ticket
from storage.undo import was_meant

MOST_SHOWN = 100
_Mine, _Others = aliased(Likeness), aliased(Likeness)
_Member, _Lead, _Joined = aliased(Ticket), aliased(Ticket), aliased(Ticket)


@dataclass(frozen=True)
class Alike:
    """A ticket that may be the same work, with what speaks for it; places by name."""

    ticket: Ticket
    channel: str
    reasons: tuple[dict[str, Any], ...]


@dataclass
class Reporter:
    """One who waits for the result: their report, and what became of the last thing they were told.

    `told`: the latest message of an official to them; `may_part`: it can still be taken out again. `is_content`: what
    they said of the result they have now, None while they have said nothing.
    """

    ticket: Ticket
    channel: str
    is_lead: bool
    is_erased: bool
    joined_at: datetime | None = None
    by_citizen: bool = False
    may_part: bool = False
    told: Message | None = None
    deliveries: list[Delivery] = field(default_factory=list)
    channels: dict[int, Channel] = field(default_factory=dict)

    @property
    def is_content(self) -> bool | None:
        """Whether they are content with the latest result."""
        rated, answered = self.ticket.rated_at, self.ticket.answered_at
        if self.ticket.rating is None or rated is None or (answered is not None and rated < answered):
            return None
        return self.ticket.rating > 1


def alike(session: Session, official: Official, ticket: Ticket) -> list[Alike]:
    """The tickets proposed as one with this one that the official may see, the oldest first."""
    if not ticket.is_open or ticket.is_sealed or ticket.is_spam:
        return []
    mine = session.scalar(sa.select(Likeness).where(Likeness.ticket_id == ticket.id))
    lead_id = mine.lead_id if mine else ticket.id
    rows = session.execute(
        sa.select(Ticket, Channel.name, Likeness.reasons)
        .join(Conversation, Conversation.id == Ticket.conversation_id)
        .join(Channel, Channel.id == Conversation.channel_id)
        .outerjoin(Likeness, Likeness.ticket_id == Ticket.id)
        .where(
            sa.or_(Ticket.id == lead_id, Likeness.lead_id == lead_id),
            Ticket.id != ticket.id,
            comparable(),
            seen_by(official),
        )
        .order_by(Ticket.opened_at, Ticket.id)
        .limit(MOST_SHOWN)
    ).all()
    own = tuple(mine.reasons) if mine else ()
    return [Alike(one, channel, tuple(reasons or own)) for one, channel, reasons in rows]


def counts(session: Session, tickets: Sequence[Ticket]) -> tuple[dict[int, int], dict[int, int]]:
    """Of the tickets of a list: how many may be one with each, itself counted, and how many people joined each."""
    ids = [ticket.id for ticket in tickets if ticket.is_open]
    if not ids:
        return {}, {}
    lead_id = sa.func.coalesce(_Mine.lead_id, Ticket.id)
    followers = (
        sa.select(sa.func.count())
        .select_from(_Others)
        .join(_Member, _Member.id == _Others.ticket_id)
        .join(_Lead, _Lead.id == _Others.lead_id)
        .where(_Others.lead_id == lead_id, comparable(_Member), comparable(_Lead))
        .scalar_subquery()
    )
    query = (
        sa.select(Ticket.id, followers, _many_joined(Ticket))
        .outerjoin(_Mine, _Mine.ticket_id == Ticket.id)
        .where(Ticket.id.in_(ids))
    )
    rows = session.execute(query).all()
    alike_ = {number: many + 1 for number, many, _ in rows if many}
    return alike_, {number: joined for number, _, joined in rows if joined}


def _many_joined(ticket: type[Ticket]) -> sa.ScalarSelect[int]:
    return (
        sa.select(sa.func.count())
        .select_from(_Joined)
        .where(_Joined.merged_into_id == ticket.id, _Joined.state == TicketState.MERGED)
        .scalar_subquery()
    )


def standing(ticket: type[Ticket] = Ticket) -> tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]]:
    """Two columns for a question about a ticket: whether anything is proposed about it, how many joined it."""
    about = sa.or_(Likeness.ticket_id == ticket.id, Likeness.lead_id == ticket.id)
    return sa.select(Likeness.id).where(about).correlate(ticket).exists(), _many_joined(ticket)


def reporters(session: Session, ticket: Ticket, now: datetime) -> list[Reporter]:
    """Everybody who waits for the result of a ticket; empty where nobody joined it."""
    if ticket.is_sealed or ticket.merged_into_id is not None:
        return []
    rows = session.execute(
        sa.select(Ticket, Channel.name, Contact.erased_at)
        .join(Conversation, Conversation.id == Ticket.conversation_id)
        .join(Channel, Channel.id == Conversation.channel_id)
        .join(Contact, Contact.id == Ticket.contact_id)
        .where(
            sa.or_(
                Ticket.id == ticket.id,
                sa.and_(
                    Ticket.merged_into_id == ticket.id,
                    Ticket.state == TicketState.MERGED,
                    Ticket.is_sealed.is_(False),
                ),
            )
        )
        .order_by(Ticket.id != ticket.id, Ticket.opened_at, Ticket.id)
    ).all()
    if len(rows) < 2:
        return []
    found = {
        one.id: Reporter(one, channel, is_lead=one.id == ticket.id, is_erased=erased is not None)
        for one, channel, erased in rows
    }
    _add_joinings(session, found, now)
    _add_told(session, found)
    return list(found.values())


def _add_joinings(session: Session, found: dict[int, Reporter], now: datetime) -> None:
    query = sa.select(Joining).where(Joining.ticket_id.in_(list(found)), Joining.undone_at.is_(None))
    for joining in session.scalars(query.order_by(Joining.id)):
        one = found[joining.ticket_id]
        one.joined_at, one.by_citizen = joining.at, joining.official_id is None
        one.may_part = not one.is_lead and joining.at >= now - PART_TIME


def _add_told(session: Session, found: dict[int, Reporter]) -> None:
    """The latest that an official told each of them, with its deliveries."""
    latest = (
        sa.select(sa.func.max(Message.id))
        .join(Delivery, Delivery.message_id == Message.id)
        .where(
            Message.ticket_id.in_(list(found)),
            Message.direction == Direction.OUT,
            Message.origin == Origin.OFFICIAL,
            was_meant(Message.template),
        )
        .group_by(Message.ticket_id)
    )
    rows = session.execute(
        sa.select(Message, Delivery, Channel)
        .join(Delivery, Delivery.message_id == Message.id)
        .join(Channel, Channel.id == Delivery.channel_id)
        .where(Message.id.in_(latest), was_meant(Delivery.code))
        .order_by(Delivery.part, Delivery.id)
    )
    for message, delivery, channel in rows:
        one = found[message.ticket_id or 0]
        one.told = message
        one.deliveries.append(delivery)
        one.channels[delivery.channel_id] = channel
