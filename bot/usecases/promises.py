"""Promises: of the answers that were due in a month, which came late, were apologised for, and if the new day held.

A promise is the deadline a citizen was told, with an extension that was granted. What is sealed or spam is not counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.papers.book import days_of
from bot.rules.deadlines import VIETNAM
from bot.runtime import Runtime
from bot.usecases.clocks import sla_of
from bot.usecases.month_book import sees_lines
from bot.usecases.telling import label
from storage.agencies import Agency
from storage.enums import EventKind, TicketState
from storage.officials import Official
from storage.tickets import Ticket, TicketEvent


class Figure(StrEnum):
    """What is counted, in the order of the columns; each is a set of reports that can be opened."""

    DUE = "due"
    IN_TIME = "in_time"
    LATE = "late"
    APOLOGISED = "apologised"
    SILENT = "silent"
    KEPT = "kept"
    BROKEN = "broken"
    WAITING = "waiting"


class By(StrEnum):
    """By what the figures are told apart."""

    UNIT = "unit"
    TOPIC = "topic"
    CLASS = "class"


@dataclass(frozen=True)
class Promise:
    """One answer that was due: whose, of what, and which figures it belongs to."""

    ticket_id: int
    code: str
    unit: str
    topic: str
    sla: str
    due: datetime
    ended: datetime | None
    new_day: date | None
    figures: frozenset[Figure]

    def named(self, by: By) -> str:
        """The name of the row it stands in."""
        return {By.UNIT: self.unit, By.TOPIC: self.topic, By.CLASS: self.sla}[by]


@dataclass(frozen=True)
class Row:
    """The figures of one unit, topic or class."""

    name: str
    figures: dict[Figure, int]


@dataclass(frozen=True)
class Sheet:
    """A month of promises. `has_lines`: whether this official may open the reports behind a figure."""

    year: int
    month: int
    as_of: datetime
    tables: dict[By, list[Row]]
    total: Row
    has_lines: bool


def sheet(runtime: Runtime, official: Official, year: int, month: int) -> Sheet:
    """The figures of a month, for all of the commune."""
    now = runtime.now()
    with runtime.database.reading() as session:
        found = _promises(session, official.commune_id, year, month, now)
    tables = {by: _rows(found, lambda one, by=by: one.named(by)) for by in By}  # type: ignore[misc]
    return Sheet(year, month, now, tables, _row("", found), sees_lines(official))


def behind(
    runtime: Runtime, official: Official, year: int, month: int, figure: Figure, by: By | None, name: str
) -> list[Promise]:  # fmt: skip
    """The reports behind one figure; none for who sees sums only."""
    if not sees_lines(official):
        return []
    with runtime.database.reading() as session:
        found = _promises(session, official.commune_id, year, month, runtime.now())
    return [one for one in found if figure in one.figures and (by is None or one.named(by) == name)]


def _promises(session: Session, commune_id: int, year: int, month: int, now: datetime) -> list[Promise]:
    begins, ends = days_of(year, month)
    rows = session.execute(
        sa.select(Ticket, Agency.name)
        .outerjoin(Agency, Agency.id == Ticket.agency_id)
        .where(
            Ticket.commune_id == commune_id,
            Ticket.is_sealed.is_(False),
            Ticket.is_spam.is_(False),
            Ticket.state.not_in([TicketState.MERGED, TicketState.WITHDRAWN]),
            Ticket.due_at >= begins,
            Ticket.due_at < ends,
        )
        .order_by(Ticket.due_at, Ticket.id)
    ).all()
    days = _new_days(session, [row[0].id for row in rows])
    found = []
    for ticket, unit in rows:
        # An apology from before this deadline was for an earlier one, of a report that was opened again since.
        new_day = next((day for at, day in days.get(ticket.id, ()) if ticket.due_at and at >= ticket.due_at), None)
        figures = _figures(ticket, new_day, now)
        if figures:
            found.append(
                Promise(
                    ticket.id, ticket.code, unit or "Chưa phân công",
                    label(ticket.topic) if ticket.topic else "Chưa rõ lĩnh vực", sla_of(ticket), ticket.due_at,
                    _ended(ticket), new_day, figures,
                )
            )  # fmt: skip
    return found


def _new_days(session: Session, ticket_ids: list[int]) -> dict[int, list[tuple[datetime, date]]]:
    """When each was apologised for, and by which day it was promised then."""
    found: dict[int, list[tuple[datetime, date]]] = {}
    for start in range(0, len(ticket_ids), 500):
        rows = session.execute(
            sa.select(TicketEvent.ticket_id, TicketEvent.at, TicketEvent.data)
            .where(TicketEvent.ticket_id.in_(ticket_ids[start : start + 500]), TicketEvent.kind == EventKind.APOLOGISED)
            .order_by(TicketEvent.id)
        )
        for ticket_id, at, data in rows:
            found.setdefault(ticket_id, []).append((at, date.fromisoformat(data["by_date"])))
    return found


def _ended(ticket: Ticket) -> datetime | None:
    """When the citizen had an answer or a refusal; None while it is open."""
    if ticket.is_open:
        return None
    return ticket.answered_at or ticket.closed_at


def _figures(ticket: Ticket, new_day: date | None, now: datetime) -> frozenset[Figure]:
    """What this promise counts as; nothing while it is not due, or stands still."""
    due, ended = ticket.due_at, _ended(ticket)
    if due is None or (ended is None and (due >= now or ticket.paused_at is not None)):
        return frozenset()
    if ended is not None and ended <= due:
        return frozenset({Figure.DUE, Figure.IN_TIME})
    figures = {Figure.DUE, Figure.LATE}
    if new_day is None:
        return frozenset(figures | {Figure.SILENT})
    until = datetime.combine(new_day, datetime.min.time(), VIETNAM) + timedelta(days=1)
    if ended is not None and ended < until:
        outcome = Figure.KEPT
    elif now < until:
        outcome = Figure.WAITING
    else:
        outcome = Figure.BROKEN
    return frozenset(figures | {Figure.APOLOGISED, outcome})


def _rows(found: Iterable[Promise], named: Callable[[Promise], str]) -> list[Row]:
    grouped: dict[str, list[Promise]] = {}
    for one in found:
        grouped.setdefault(named(one), []).append(one)
    rows = [_row(name, members) for name, members in grouped.items()]
    return sorted(rows, key=lambda row: (-row.figures[Figure.LATE], -row.figures[Figure.DUE], row.name))


def _row(name: str, members: Iterable[Promise]) -> Row:
    members = list(members)
    return Row(name, {figure: sum(figure in one.figures for one in members) for figure in Figure})
