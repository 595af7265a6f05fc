"""Figures: what is counted of tickets, each as a condition, so that a number and the list behind it are one question.

What is sealed is in no figure (domain §8.2). Spam is left out by whoever counts, as the list has a view of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.base import Instant
from storage.contacts import Conversation
from storage.enums import TicketState, Urgency
from storage.tickets import Ticket

NOTHING = 0  # as the number of a place or an agency: where there is none
WITHOUT_TOPIC = "-"
COUNTED_AT_MOST = 10_000
_CONTENT = 2  # of ratings from 1 to 3


class Timing(StrEnum):
    """How a report stands to its deadline."""

    IN_TIME = "in_time"
    LATE = "late"
    RUNNING = "running"
    WITHOUT = "without"


_WITH_CARRIED = ("carried", "taken")
_TIMINGS = frozenset(one.value for one in Timing)


class Figure(StrEnum):
    """A part of the reports of a time. `LATE_OPEN`: nobody has answered and the deadline is over. `ANSWERED`: it stands
    answered or refused; `HAD_RESULT`: a result was given, whether or not it was opened again since."""

    IN_TIME = "in_time"
    LATE = "late"
    RUNNING = "running"
    WITHOUT = "without"
    LATE_OPEN = "late_open"
    OPEN = "open"
    LOUD = "loud"
    ANSWERED = "answered"
    HAD_RESULT = "had_result"
    DECLINED = "declined"
    REOPENED = "reopened"
    RATED = "rated"
    CONTENT = "content"


class Dated(StrEnum):
    """By which of a report's moments a span picks. `CARRIED`: open when it began; `TAKEN`: these and what came."""

    OPENED = "received"
    ENDED = "answered"
    DUE = "due"
    CARRIED = "carried"
    TAKEN = "taken"


@dataclass(frozen=True)
class Filters:
    """Which tickets of a view are shown: the empty value filters nothing.

    `since` and `until` bound the moment that `dated` names, the last one excluded.
    """

    topic: str = ""
    place: int | None = None
    agency: int | None = None
    channel: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    dated: Dated = Dated.OPENED
    figure: Figure | None = None
    ids: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything is left out."""
        return self != NO_FILTERS


NO_FILTERS = Filters()


def conditions(filters: Filters, now: datetime) -> Sequence[sa.ColumnElement[bool]]:
    """What tickets must be to pass."""
    if not filters:
        return ()
    chosen: list[sa.ColumnElement[bool]] = [Ticket.is_sealed.is_(False)]
    if filters.topic:
        chosen.append(Ticket.topic.is_(None) if filters.topic == WITHOUT_TOPIC else Ticket.topic == filters.topic)
    for column, number in ((Ticket.place_id, filters.place), (Ticket.agency_id, filters.agency)):
        if number is not None:
            chosen.append(column.is_(None) if number == NOTHING else column == number)
    if filters.channel is not None:
        talks = sa.select(Conversation.id).where(Conversation.channel_id == filters.channel)
        chosen.append(Ticket.conversation_id.in_(talks))
    if filters.ids:
        chosen.append(Ticket.id.in_(filters.ids))
    if filters.figure:
        chosen.append(condition(filters.figure, now))
    return [*chosen, *_within(filters)]


def _within(filters: Filters) -> list[sa.ColumnElement[bool]]:
    if filters.dated in _WITH_CARRIED:
        before = [carried(filters.since)] if filters.since else []
        if filters.dated is Dated.CARRIED:
            return before
        return [sa.or_(*before, sa.and_(sa.true(), *_within(replace(filters, dated=Dated.OPENED))))]
    moment = {Dated.OPENED: Ticket.opened_at, Dated.ENDED: ended_at(), Dated.DUE: Ticket.due_at}[filters.dated]
    bounds: list[sa.ColumnElement[bool]] = []
    if filters.since:
        bounds.append(moment >= filters.since)
    if filters.until:
        bounds.append(moment < filters.until)
    return bounds


def condition(figure: Figure, now: datetime) -> sa.ColumnElement[bool]:
    """Whether a ticket is part of a figure."""
    if figure.value in _TIMINGS:
        return timing(now) == figure.value
    if figure is Figure.LATE_OPEN:
        return sa.and_(Ticket.is_open.is_(True), Ticket.paused_at.is_(None), Ticket.due_at < now)
    simple: dict[Figure, sa.ColumnElement[bool]] = {
        Figure.OPEN: Ticket.is_open.is_(True),
        Figure.LOUD: sa.and_(Ticket.is_open.is_(True), Ticket.urgency.in_((Urgency.EMERGENCY, Urgency.URGENT))),
        Figure.ANSWERED: ended_at().is_not(None),
        Figure.HAD_RESULT: sa.or_(
            Ticket.answered_at.is_not(None), Ticket.rating.is_not(None), Ticket.reopened_count > 0
        ),
        Figure.DECLINED: Ticket.state == TicketState.DECLINED,
        Figure.REOPENED: Ticket.reopened_count > 0,
        Figure.RATED: Ticket.rating.is_not(None),
        Figure.CONTENT: Ticket.rating >= _CONTENT,
    }
    return simple[figure]


def ended_at() -> sa.ColumnElement[datetime]:
    """When the citizen had the answer, or the refusal; none while somebody works on it, and where none is due."""
    return sa.case(
        (Ticket.is_open.is_(True), sa.null()),
        (Ticket.state == TicketState.DECLINED, Ticket.closed_at),
        else_=Ticket.answered_at,
    )


def timing(now: datetime) -> sa.ColumnElement[str]:
    """How a ticket stands to its deadline, as a word of `Timing`."""
    ended = ended_at()
    is_over = sa.func.coalesce(ended, sa.bindparam(None, now, Instant())) > Ticket.due_at
    runs = sa.or_(ended.is_not(None), Ticket.paused_at.is_(None))
    return sa.case(
        (sa.and_(ended.is_(None), Ticket.is_open.is_(False)), Timing.WITHOUT.value),
        (sa.and_(is_over, runs), Timing.LATE.value),  # a missing deadline is never over
        (ended.is_not(None), Timing.IN_TIME.value),
        else_=Timing.RUNNING.value,
    )


def carried(begins: datetime) -> sa.ColumnElement[bool]:
    """Whether it came before a moment and was open then."""
    ended = sa.func.coalesce(Ticket.answered_at, Ticket.closed_at)
    return sa.and_(Ticket.opened_at < begins, sa.or_(Ticket.is_open, ended >= begins))


def count(session: Session, *chosen: sa.ColumnElement[bool]) -> int:
    """How many tickets there are, up to a limit."""
    some = sa.select(sa.literal(1)).select_from(Ticket).where(*chosen).limit(COUNTED_AT_MOST).subquery()
    return session.scalar(sa.select(sa.func.count()).select_from(some)) or 0
