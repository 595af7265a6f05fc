"""Hours and holidays as a commune keeps them: what a change moves is shown first, and deadlines follow it.

A deadline keeps the working minutes that are left until it. What is over stays over, what was promised to a citizen by
its date stays that date, and what is in danger runs day and night anyway.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from bot.access import audit
from bot.rules.clocks import Calendar
from bot.rules.deadlines import VIETNAM, WorkingHours
from bot.rules.office_hours import DayOff, to_settings
from bot.runtime import Runtime
from bot.usecases.administering import AdminProblem, commune_for_change, must_administer
from bot.usecases.clocks import plan
from bot.usecases.communes import holidays_of, working_hours
from storage.communes import Commune, Holiday
from storage.enums import EventKind, Urgency
from storage.officials import Official
from storage.tickets import Ticket, TicketEvent

log = structlog.get_logger()

SHOWN = 30


@dataclass(frozen=True)
class Wish:
    """A change of the calendar: other hours, days to put down for the commune alone, days to take out of its list.

    `years`: the commune's own days of these years go first, as a whole list takes their place.
    """

    hours: WorkingHours | None = None
    days: tuple[DayOff, ...] = ()
    removed: tuple[date, ...] = ()
    years: tuple[int, ...] = ()


@dataclass(frozen=True)
class Move:
    """A deadline that changes with the calendar."""

    ticket: Ticket
    before: datetime
    after: datetime


@dataclass(frozen=True)
class Look:
    """What a wish would do. `seal`: proof that exactly this was looked at, on the calendar as it still stands."""

    wish: Wish
    moves: list[Move]
    clashes: list[str]
    seal: str


@dataclass(frozen=True)
class Line:
    """A day in the list of a year; `is_own`: the commune's own row."""

    day: date
    name: str
    is_worked: bool
    is_own: bool


@dataclass
class Page:
    """What the page shows: the week, the days of a year, which years there are."""

    hours: WorkingHours
    year: int
    lines: list[Line] = field(default_factory=list)


def overview(runtime: Runtime, official: Official, year: int | None) -> Page:
    """The commune's week and the days of a year, its own beside everybody's."""
    must_administer(official)
    this_year = runtime.now().astimezone(VIETNAM).year
    chosen = year if year is not None and this_year - 1 <= year <= this_year + 3 else this_year
    with runtime.database.reading() as session:
        commune = session.get_one(Commune, official.commune_id)
        rows = session.scalars(
            sa.select(Holiday)
            .where(
                sa.or_(Holiday.commune_id.is_(None), Holiday.commune_id == commune.id),
                Holiday.day.between(date(chosen, 1, 1), date(chosen, 12, 31)),
            )
            .order_by(Holiday.commune_id.is_not(None))
        )
        found = {r.day: Line(r.day, r.name, r.is_worked, r.commune_id is not None) for r in rows}
    return Page(working_hours(commune.settings), chosen, [found[day] for day in sorted(found)])


def look(runtime: Runtime, official: Official, wish: Wish) -> Look:
    """What would move; nothing does. AdminProblem."""
    must_administer(official)
    with runtime.database.reading() as session:
        commune = session.get_one(Commune, official.commune_id)
        before = _calendar(session, commune)
        after = _with(session, commune, before, wish, runtime.now())
        moves = list(_moves(session, commune.id, before, after, runtime.now()))
        return Look(wish, moves, _clashes(before, wish), _seal(before, wish))


def keep(runtime: Runtime, official: Official, wish: Wish, seal: str) -> int:
    """Change the calendar as it was looked at; gives how many deadlines moved. AdminProblem."""
    must_administer(official)
    now = runtime.now()
    with runtime.database.transaction() as session:
        commune = commune_for_change(session, official)
        before = _calendar(session, commune)
        if _seal(before, wish) != seal:
            raise AdminProblem("Lịch vừa được người khác sửa nên chưa lưu gì. Anh/Chị xem trước lại rồi lưu.")
        after = _with(session, commune, before, wish, runtime.now())
        moves = list(_moves(session, commune.id, before, after, now, locked=True))
        if wish.hours is not None:
            commune.settings = {**commune.settings, **to_settings(wish.hours)}
        _write_days(session, commune.id, wish)
        session.flush()
        for ticket in _to_shift(session, commune.id):
            _shift(session, ticket, before, after, now, official.id)
        audit(
            session, official, "calendar.changed", f"commune:{commune.id}", now, moved=len(moves),
            days=[one.day.isoformat() for one in wish.days], removed=[one.isoformat() for one in wish.removed],
            hours=to_settings(wish.hours) if wish.hours else None,
        )  # fmt: skip
    log.info("calendar.changed", commune_id=official.commune_id, moved=len(moves))
    return len(moves)


def _calendar(session: Session, commune: Commune) -> Calendar:
    return Calendar(working_hours(commune.settings), holidays_of(session, commune.id))


def _with(session: Session, commune: Commune, before: Calendar, wish: Wish, now: datetime) -> Calendar:
    """The calendar once the wish is kept."""
    rows = sa.select(Holiday.day, Holiday.is_worked)
    shared = dict(session.execute(rows.where(Holiday.commune_id.is_(None))).tuples().all())
    own = dict(session.execute(rows.where(Holiday.commune_id == commune.id)).tuples().all())
    own = {day: worked for day, worked in own.items() if day.year not in wish.years and day not in wish.removed}
    own |= {one.day: one.is_worked for one in wish.days}
    after = Calendar(wish.hours or before.hours, {**shared, **own})
    try:
        after.plus_days(now, 1)
    except ValueError:
        raise AdminProblem("Với lịch này không còn giờ làm việc nào trong một năm. Anh/Chị xem lại.") from None
    return after


def _moves(
    session: Session, commune_id: int, before: Calendar, after: Calendar, now: datetime, *, locked: bool = False
) -> Iterator[Move]:
    for ticket in _to_shift(session, commune_id, locked=locked):
        if ticket.due_at is not None:
            new = _moved(ticket.due_at, before, after, now)
            if new != ticket.due_at:
                yield Move(ticket, ticket.due_at, new)


def _to_shift(session: Session, commune_id: int, *, locked: bool = False) -> Sequence[Ticket]:
    """The reports whose clocks run; what is sealed has none."""
    query = (
        sa.select(Ticket)
        .where(Ticket.commune_id == commune_id, Ticket.is_open, Ticket.is_sealed.is_(False))
        .order_by(Ticket.due_at, Ticket.id)
    )
    return session.scalars(query.with_for_update(of=Ticket) if locked else query).all()


def _shift(session: Session, ticket: Ticket, before: Calendar, after: Calendar, now: datetime, by: int) -> None:
    due = ticket.due_at
    if ticket.due_at is not None:
        ticket.due_at = _moved(ticket.due_at, before, after, now)
    if ticket.urgency is not Urgency.EMERGENCY:
        if ticket.accept_due_at is not None and ticket.accepted_at is None:
            ticket.accept_due_at = _moved(ticket.accept_due_at, before, after, now)
        if ticket.action_due_at is not None and ticket.acted_at is None:
            ticket.action_due_at = _moved(ticket.action_due_at, before, after, now)
    plan(ticket, after)
    if due is None or ticket.due_at == due:
        return
    ticket.version += 1
    session.add(
        TicketEvent(
            commune_id=ticket.commune_id, ticket_id=ticket.id, kind=EventKind.CALENDAR_MOVED, at=now, official_id=by,
            data={},
        )
    )  # fmt: skip


def _moved(due: datetime, before: Calendar, after: Calendar, now: datetime) -> datetime:
    """As many working minutes from now as there were; a moment that is over, or does not change, stays."""
    if due <= now:
        return due
    left = before.between(now, due)
    there, here = after.plus(now, left), before.plus(now, left)
    return due if there == here else there


def _write_days(session: Session, commune_id: int, wish: Wish) -> None:
    own = Holiday.commune_id == commune_id
    for year in wish.years:
        session.execute(sa.delete(Holiday).where(own, Holiday.day.between(date(year, 1, 1), date(year, 12, 31))))
    gone = [*wish.removed, *(one.day for one in wish.days)]
    session.execute(sa.delete(Holiday).where(own, Holiday.day.in_(gone)))
    session.add_all(
        Holiday(day=one.day, commune_id=commune_id, name=one.name, is_worked=one.is_worked) for one in wish.days
    )


def _clashes(before: Calendar, wish: Wish) -> list[str]:
    """Days of the wish that change nothing: worked on a day that is worked anyway, off on a day that is off."""
    hours = wish.hours or before.hours
    return [
        f"{one.day:%d/%m/%Y}"
        for one in wish.days
        if one.is_worked is (one.day.weekday() in hours.weekdays) and one.day not in before.holidays
    ]


def _seal(before: Calendar, wish: Wish) -> str:
    told: Any = (to_settings(before.hours), sorted(before.holidays.items()), repr(wish))
    return hashlib.sha256(repr(told).encode()).hexdigest()[:32]
