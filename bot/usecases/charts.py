"""Charts of a time: how much came, was answered and became late, day by day, by topic, place, unit and channel.

Every number is the count of a `Filters` value, and is told together with it, so that it opens exactly its reports. The
rates are over the reports that came within the time, as in the month's book; what is sealed or spam is in none.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from statistics import median
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.rules.clocks import Calendar
from bot.rules.periods import Span, parts
from bot.runtime import Runtime
from bot.usecases.clocks import calendar_of
from bot.usecases.communes import commune_book
from bot.usecases.month_book import sees_lines
from storage.agencies import Agency
from storage.base import Instant
from storage.channels import Channel
from storage.communes import Place
from storage.contacts import Conversation
from storage.figures import (
    NOTHING,
    WITHOUT_TOPIC,
    Dated,
    Figure,
    Filters,
    Timing,
    carried,
    condition,
    conditions,
    count,
    ended_at,
    timing,
)
from storage.officials import Official
from storage.tickets import Ticket

RANKED_FROM = 20  # answers that were due: with fewer a rank would be chance (domain §14)
DRAWN_AT_MOST = 12


class By(StrEnum):
    """By what the reports of the time are told apart."""

    TOPIC = "topic"
    PLACE = "place"
    AGENCY = "agency"
    CHANNEL = "channel"


@dataclass(frozen=True)
class Number:
    """A count, and what it is the count of."""

    many: int
    of: Filters


@dataclass(frozen=True)
class Part:
    """A day or a week: what came, what was answered or refused, and what went over its deadline on it."""

    span: Span
    received: Number
    answered: Number
    late: Number


@dataclass(frozen=True)
class Line:
    """The reports of one topic, place, unit or channel; `key` names it, `name` where it has one of its own.

    `rank`: among units with enough answers due, by the share in time.
    """

    key: str | int
    name: str
    received: Number
    timings: dict[Timing, Number]
    rank: int | None = None

    @property
    def share_in_time(self) -> float | None:
        """Answered in time ÷ (answered + late and open); None while nothing was due."""
        judged = self.judged
        return self.timings[Timing.IN_TIME].many / judged if judged else None

    @property
    def judged(self) -> int:
        """How many answers were given or are late."""
        return self.timings[Timing.IN_TIME].many + self.timings[Timing.LATE].many


@dataclass(frozen=True)
class Charts:
    """All charts of a time. `minutes_to_answer`: the median, in working minutes, and of a working day how many are.

    `has_lines`: whether this official may open the reports behind a number.
    """

    span: Span
    as_of: datetime
    is_weekly: bool
    parts: list[Part]
    carried: Number
    taken: Number
    total: Line
    figures: dict[Figure, Number]
    minutes_to_answer: int | None
    minutes_a_day: int
    lines: dict[By, list[Line]]
    has_lines: bool


def charts(runtime: Runtime, official: Official, span: Span) -> Charts:
    """The charts of a span of time for the official's commune."""
    now = runtime.now()
    with runtime.database.reading() as session:
        calendar = calendar_of(commune_book(session, official.commune_id))
        came = _came(session, official.commune_id, span, now)
        moved = _moved(session, official.commune_id, span, now)
        before = count(session, *_counted(official.commune_id), carried(span.begins))
    whole = Filters(since=span.begins, until=span.ends)
    days = parts(span)
    return Charts(
        span=span,
        as_of=now,
        is_weekly=any((day.ends - day.begins).days > 1 for day in days),
        parts=_parts(days, came, moved),
        carried=Number(before, Filters(since=span.begins, dated=Dated.CARRIED)),
        taken=Number(before + len(came), replace(whole, dated=Dated.TAKEN)),
        total=_line("", "", came, whole),
        figures={one: Number(sum(getattr(row, one.value) for row in came), replace(whole, figure=one))
                 for one in _FLAGS},
        minutes_to_answer=_median(calendar, came),
        minutes_a_day=calendar.hours.minutes_a_day,
        lines={by: _lines(by, came, whole) for by in By},
        has_lines=sees_lines(official),
    )  # fmt: skip


# ---- questions ------------------------------------------------------------------------------------------------------

_FLAGS = (
    Figure.ANSWERED, Figure.HAD_RESULT, Figure.LATE_OPEN, Figure.DECLINED, Figure.REOPENED, Figure.RATED,
    Figure.CONTENT,
)  # fmt: skip
_Row = Any  # a row of `_came`: its columns have the names of By and Figure


def _counted(commune_id: int) -> tuple[sa.ColumnElement[bool], ...]:
    return Ticket.commune_id == commune_id, Ticket.is_sealed.is_(False), Ticket.is_spam.is_(False)


def _came(session: Session, commune_id: int, span: Span, now: datetime) -> list[_Row]:
    """What came within the time, each with all that is counted of it."""
    within = conditions(Filters(since=span.begins, until=span.ends), now)
    flags = [sa.case((condition(one, now), 1), else_=0).label(one.value) for one in _FLAGS]
    query = (
        sa.select(
            Ticket.topic.label(By.TOPIC), Ticket.place_id.label(By.PLACE), Ticket.agency_id.label(By.AGENCY),
            Conversation.channel_id.label(By.CHANNEL), Place.name.label("place_name"),
            Agency.name.label("agency_name"), Channel.name.label("channel_name"),
            Ticket.opened_at, sa.type_coerce(ended_at(), Instant()).label("ended_at"), timing(now).label("timing"),
            *flags,
        )
        .join(Conversation, Conversation.id == Ticket.conversation_id)
        .join(Channel, Channel.id == Conversation.channel_id)
        .outerjoin(Place, Place.id == Ticket.place_id)
        .outerjoin(Agency, Agency.id == Ticket.agency_id)
        .where(*_counted(commune_id), *within)
    )  # fmt: skip
    return list(session.execute(query))


def _moved(session: Session, commune_id: int, span: Span, now: datetime) -> dict[Dated, list[datetime]]:
    """When within the time answers were given, and when deadlines passed unanswered, whenever the reports came."""
    late = Filters(since=span.begins, until=span.ends, dated=Dated.DUE, figure=Figure.LATE)
    ended = Filters(since=span.begins, until=span.ends, dated=Dated.ENDED)
    moments = {Dated.ENDED: (sa.type_coerce(ended_at(), Instant()), ended), Dated.DUE: (Ticket.due_at, late)}
    return {
        dated: list(session.scalars(sa.select(moment).where(*_counted(commune_id), *conditions(chosen, now))))
        for dated, (moment, chosen) in moments.items()
    }  # fmt: skip


# ---- counting -------------------------------------------------------------------------------------------------------


def _parts(days: list[Span], came: Iterable[_Row], moved: dict[Dated, list[datetime]]) -> list[Part]:
    received = _by_day(days, (row.opened_at for row in came))
    answered, late = _by_day(days, moved[Dated.ENDED]), _by_day(days, moved[Dated.DUE])

    def number(many: int, day: Span, dated: Dated, figure: Figure | None = None) -> Number:
        return Number(many, Filters(since=day.begins, until=day.ends, dated=dated, figure=figure))

    return [
        Part(
            day,
            number(received[n], day, Dated.OPENED),
            number(answered[n], day, Dated.ENDED),
            number(late[n], day, Dated.DUE, Figure.LATE),
        )
        for n, day in enumerate(days)
    ]


def _by_day(days: list[Span], moments: Iterable[datetime]) -> Counter[int]:
    """How many moments fall into each day; days follow one another."""
    begins = [day.begins for day in days]
    return Counter(bisect_right(begins, at) - 1 for at in moments)


def _median(calendar: Calendar, came: Iterable[_Row]) -> int | None:
    taken = [calendar.between(row.opened_at, row.ended_at) for row in came if row.ended_at is not None]
    return round(median(taken)) if taken else None


def _lines(by: By, came: list[_Row], whole: Filters) -> list[Line]:
    grouped: dict[str | int | None, list[_Row]] = {}
    for row in came:
        grouped.setdefault(getattr(row, by.value), []).append(row)
    lines = [_line(*_who(by, members[0]), members, _narrowed(by, key, whole)) for key, members in grouped.items()]
    lines.sort(key=lambda line: (-line.received.many, line.name, str(line.key)))
    return _ranked(lines) if by is By.AGENCY else lines


def _who(by: By, row: _Row) -> tuple[str | int, str]:
    if by is By.TOPIC:
        return row.topic or WITHOUT_TOPIC, ""
    key = getattr(row, by.value)
    return (NOTHING, "") if key is None else (key, getattr(row, f"{by.value}_name"))


def _narrowed(by: By, key: str | int | None, whole: Filters) -> Filters:
    nothing: str | int = WITHOUT_TOPIC if by is By.TOPIC else NOTHING
    return replace(whole, **{by.value: nothing if key is None else key})  # type: ignore[arg-type]


def _line(key: str | int, name: str, members: list[_Row], of: Filters) -> Line:
    counted = Counter(row.timing for row in members)
    timings = {one: Number(counted[one.value], replace(of, figure=Figure(one.value))) for one in Timing}
    return Line(key, name, Number(len(members), of), timings)


def _ranked(lines: list[Line]) -> list[Line]:
    """Units with enough answers due get a rank by their share in time, equal shares the same; the others get none."""
    shares = {line.key: line.share_in_time or 0.0 for line in lines if line.judged >= RANKED_FROM and line.key}
    better: Callable[[float], int] = lambda share: sum(other > share for other in shares.values())  # noqa: E731
    return [replace(line, rank=1 + better(shares[line.key])) if line.key in shares else line for line in lines]
