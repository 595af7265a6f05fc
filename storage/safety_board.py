"""The board of an emergency: how many of each village were told, reached, are safe, need help, or are silent; and who.

All of it is worked out in one statement over those it was sent to, however many they are. A figure and its list ask the
same conditions. An answer that led to something sealed is none here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.announcements import Announcement
from storage.bulletins import Bulletin
from storage.contacts import Contact, Urn
from storage.deliveries import Delivery
from storage.enums import DeliveryState, Safety, TicketState
from storage.messages import Message
from storage.safety import SafetyAnswer
from storage.subscriptions import Subscription
from storage.tickets import Ticket

TOLD, REACHED, SAFE, HELP, SILENT = "told", "reached", "safe", "help", "silent"
FIGURES = (TOLD, REACHED, SAFE, HELP, SILENT)
NOWHERE = 0  # of those whose place nobody knows
_REACHED = (DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.READ)
_NEVER_SENT = (DeliveryState.CANCELLED,)
# Who has gone further than taking a report in is at work on it.
_NOT_BEGUN = (TicketState.NEW, TicketState.RECEIVED)


@dataclass(frozen=True)
class Person:
    """One of those it was sent to, with what they answered last and the report of their danger, if there is one."""

    urn_id: int
    name: str | None
    phone: str | None
    urn: str
    place_id: int
    answer: Safety | None
    at: datetime | None
    ticket_id: int | None
    code: str | None
    is_handled: bool


def tally(session: Session, commune_id: int, bulletin_id: int) -> dict[int, dict[str, int]]:
    """By place, `NOWHERE` for those of whom it is not known: how many people each figure counts."""
    people = _people(commune_id, bulletin_id)
    counted = [_count(_is(people, figure)).label(figure) for figure in FIGURES]
    query = sa.select(people.c.place_id, *counted).group_by(people.c.place_id)
    return {row.place_id: {figure: int(getattr(row, figure)) for figure in FIGURES} for row in session.execute(query)}


def people_of(
    session: Session,
    commune_id: int,
    bulletin_id: int,
    figure: str,
    *,
    place_id: int | None = None,
    after: int = 0,
    limit: int = 50,
) -> list[Person]:
    """The people a figure counts, in a fixed order, `after` this address; of one place, or of all."""
    people = _people(commune_id, bulletin_id, _who_said(bulletin_id, figure))
    where = [_is(people, figure), people.c.urn_id > after]
    if place_id is not None:
        where.append(people.c.place_id == place_id)
    return _read(session, people, sa.select(*_columns(people)).where(*where).order_by(people.c.urn_id).limit(limit))


def newest_in_need(session: Session, commune_id: int, bulletin_id: int, limit: int) -> list[Person]:
    """Who asked for help, whoever did so last first."""
    people = _people(commune_id, bulletin_id, _who_said(bulletin_id, HELP))
    query = sa.select(*_columns(people)).where(_is(people, HELP))
    return _read(session, people, query.order_by(people.c.at.desc(), people.c.urn_id).limit(limit))


def _read(session: Session, people: Any, query: sa.Select[Any]) -> list[Person]:
    joined = query.join_from(people, Urn, Urn.id == people.c.urn_id).join(Contact, Contact.id == Urn.contact_id)
    rows = session.execute(joined.outerjoin(Ticket, Ticket.id == people.c.ticket_id))
    return [
        Person(
            row.urn_id, row.name, row.phone, row.value, row.place_id, Safety(row.answer) if row.answer else None,
            row.at, row.ticket_id, row.code, row.state is not None and row.state not in _NOT_BEGUN,
        )
        for row in rows
    ]  # fmt: skip


def _columns(people: Any) -> list[Any]:
    return [
        people.c.urn_id, people.c.place_id, people.c.answer, people.c.at, people.c.ticket_id, Contact.name,
        Contact.phone, Urn.value, Ticket.code, Ticket.state,
    ]  # fmt: skip


def _who_said(bulletin_id: int, figure: str) -> Any:
    """The addresses that a figure of answers can only count; None for other figures. Few of many, so asked first."""
    if figure not in {SAFE, HELP}:
        return None
    return sa.select(SafetyAnswer.urn_id).where(
        SafetyAnswer.bulletin_id == bulletin_id, SafetyAnswer.is_last, SafetyAnswer.answer == Safety(figure)
    )


def _people(commune_id: int, bulletin_id: int, only: Any = None) -> Any:
    """Everybody it was sent to, however often, with their place and what they said last; `only`: of these addresses."""
    told, chosen = _told(bulletin_id, only), _chosen(commune_id, only)
    known, said = _known(commune_id), _said(bulletin_id)
    place = sa.func.coalesce(chosen.c.place_id, known.c.place_id, NOWHERE)
    return (
        sa.select(told.c.urn_id, told.c.reached, place.label("place_id"), said.c.answer, said.c.at, said.c.ticket_id)
        .join(Urn, Urn.id == told.c.urn_id)
        .outerjoin(chosen, chosen.c.urn_id == told.c.urn_id)
        .outerjoin(known, known.c.contact_id == Urn.contact_id)
        .outerjoin(said, said.c.urn_id == told.c.urn_id)
        .subquery("people")
    )


def _told(bulletin_id: int, only: Any) -> Any:
    parts = (
        sa.select(Announcement.id)
        .join(Bulletin, Bulletin.id == Announcement.bulletin_id)
        .where(sa.or_(Bulletin.id == bulletin_id, Bulletin.repeats_id == bulletin_id))
    )
    reached = sa.func.max(sa.case((Delivery.state.in_(_REACHED), 1), else_=0))
    query = sa.select(Delivery.urn_id, reached.label("reached")).where(
        Delivery.announcement_id.in_(parts), Delivery.part == Delivery.parts, Delivery.state.not_in(_NEVER_SENT)
    )
    if only is not None:
        query = query.where(Delivery.urn_id.in_(only))
    return query.group_by(Delivery.urn_id).subquery("told")


def _chosen(commune_id: int, only: Any) -> Any:
    """The place whose news each of them chose; of several the first."""
    query = sa.select(Subscription.urn_id, sa.func.min(Subscription.place_id).label("place_id")).where(
        Subscription.commune_id == commune_id, Subscription.place_id != 0
    )
    if only is not None:
        query = query.where(Subscription.urn_id.in_(only))
    return query.group_by(Subscription.urn_id).subquery("chosen")


def _known(commune_id: int) -> Any:
    """The place of the last thing each of them reported, as the nearest that is known; nothing that is sealed."""
    last = (
        sa.select(sa.func.max(Ticket.id))
        .where(
            Ticket.commune_id == commune_id,
            Ticket.place_id.is_not(None),
            Ticket.is_sealed.is_(False),
            Ticket.is_restricted.is_(False),
            Ticket.accuses_leaders.is_(False),
            Ticket.is_anonymous.is_(False),
            Ticket.is_spam.is_(False),
        )
        .group_by(Ticket.contact_id)
    )
    return sa.select(Ticket.contact_id, Ticket.place_id).where(Ticket.id.in_(last)).subquery("known")


def _said(bulletin_id: int) -> Any:
    return (
        sa.select(SafetyAnswer.urn_id, SafetyAnswer.answer, SafetyAnswer.at, Ticket.id.label("ticket_id"))
        .join(Message, Message.id == SafetyAnswer.message_id)
        .outerjoin(Ticket, Ticket.id == Message.ticket_id)
        .where(
            SafetyAnswer.bulletin_id == bulletin_id,
            SafetyAnswer.is_last,
            Message.is_sealed.is_(False),
            sa.or_(Ticket.id.is_(None), Ticket.is_sealed.is_(False)),
        )
        .subquery("said")
    )


def _is(people: Any, figure: str) -> Any:
    conditions: Mapping[str, Any] = {
        TOLD: sa.true(),
        REACHED: people.c.reached == 1,
        SAFE: people.c.answer == Safety.SAFE,
        HELP: people.c.answer == Safety.HELP,
        SILENT: people.c.answer.is_(None),
    }
    return conditions[figure]


def _count(condition: Any) -> Any:
    return sa.func.coalesce(sa.func.sum(sa.case((condition, 1), else_=0)), 0)
