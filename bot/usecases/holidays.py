"""Holidays: computed for years nobody has entered yet, and put right from the list the government publishes.

Lunar days are those of Vietnam (UTC+7), by the library `holidays`; which days around Tết are off, and which Saturdays
are worked instead, is decided each year and imported from a file. A row that somebody has entered is not computed over.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from bot.rules.deadlines import VIETNAM
from bot.runtime import Runtime
from bot.usecases.setup import SetupError
from storage.communes import Commune, Holiday

log = structlog.get_logger()

YEARS_AHEAD = 2
COLUMNS = ("day", "name", "is_worked")
MOST_ROWS, LONGEST_NAME = 1_000, 120


@dataclass(frozen=True)
class Day:
    """A day off, or a weekend day that is worked instead."""

    day: date
    name: str
    is_worked: bool = False


def computed(year: int) -> list[Day]:
    """The days off of a year by law, in Vietnam's lunar calendar, with those that compensate for weekends."""
    import holidays  # reads half a second's worth of tables: only when a year is missing

    found = holidays.country_holidays("VN", years=year, language="vi")
    days = [Day(day, name[:LONGEST_NAME]) for day, name in found.items() if day.year == year]
    days += [Day(day, "Làm bù", is_worked=True) for day in found.weekend_workdays if day.year == year]
    return sorted(days, key=lambda d: d.day)


def fill_ahead(runtime: Runtime) -> int:
    """Write down the days off of this year and the next ones where nobody has entered any; gives how many."""
    this_year = runtime.now().astimezone(VIETNAM).year
    with runtime.database.reading() as session:
        known = _years(session)
    missing = [year for year in range(this_year, this_year + YEARS_AHEAD + 1) if year not in known]
    if not missing:
        return 0
    days = [day for year in missing for day in computed(year)]
    with runtime.database.transaction() as session:
        known = _years(session)
        session.add_all(_row(day, None) for day in days if day.day.year not in known)
    log.info("holidays.computed", years=missing)
    return len(days)


def listing(runtime: Runtime, year: int, commune: str = "") -> list[Day]:
    """The days of a year as they count for everybody, or for one commune, whose own rows win. SetupError."""
    with runtime.database.reading() as session:
        commune_id = _commune_id(session, commune)
        rows = session.scalars(
            sa.select(Holiday)
            .where(sa.or_(Holiday.commune_id.is_(None), Holiday.commune_id == commune_id))
            .order_by(Holiday.commune_id.is_not(None))
        )
        found = {row.day: Day(row.day, row.name, row.is_worked) for row in rows if row.day.year == year}
    return [found[day] for day in sorted(found)]


def read_table(lines: Iterable[str]) -> list[Day]:
    """The days of a CSV file with the columns day, name, is_worked. SetupError names every line that is wrong."""
    reader = csv.DictReader(lines)
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise SetupError(f"the first line must be {','.join(COLUMNS)}, not {','.join(reader.fieldnames or ())!r}")
    days: dict[date, Day] = {}
    problems = []
    for number, row in enumerate(reader, 2):
        try:
            day = _day(row)
        except ValueError as error:
            problems.append(f"line {number}: {error}")
            continue
        if day.day in days:
            problems.append(f"line {number}: {day.day} stands there twice")
        days[day.day] = day
    if len(days) > MOST_ROWS:
        problems.append(f"more than {MOST_ROWS} days")
    if not days and not problems:
        problems.append("no days in it")
    if problems:
        raise SetupError("; ".join(problems))
    return sorted(days.values(), key=lambda d: d.day)


def replace(runtime: Runtime, days: list[Day], commune: str = "") -> list[int]:
    """Put these days in place of all that were there for their years; gives the years. SetupError."""
    years = sorted({day.day.year for day in days})
    with runtime.database.transaction() as session:
        commune_id = _commune_id(session, commune)
        here = Holiday.commune_id.is_(None) if commune_id is None else Holiday.commune_id == commune_id
        for year in years:
            in_year = Holiday.day.between(date(year, 1, 1), date(year, 12, 31))
            session.execute(sa.delete(Holiday).where(here, in_year))
        session.add_all(_row(day, commune_id) for day in days)
    log.info("holidays.replaced", years=years, commune=commune or None)
    return years


def _day(row: dict[str, str | None]) -> Day:
    worked = (row.get("is_worked") or "").strip()
    if worked not in {"0", "1"}:
        raise ValueError(f"is_worked must be 0 or 1, not {worked!r}")
    name = " ".join((row.get("name") or "").split())
    if not 0 < len(name) <= LONGEST_NAME:
        raise ValueError(f"name must have 1 to {LONGEST_NAME} characters")
    try:
        day = date.fromisoformat((row.get("day") or "").strip())
    except ValueError:
        raise ValueError(f"day must be written 2027-02-05, not {row.get('day')!r}") from None
    return Day(day, name, worked == "1")


def _row(day: Day, commune_id: int | None) -> Holiday:
    return Holiday(day=day.day, commune_id=commune_id, name=day.name, is_worked=day.is_worked)


def _years(session: Session) -> set[int]:
    return {day.year for day in session.scalars(sa.select(Holiday.day).where(Holiday.commune_id.is_(None)))}


def _commune_id(session: Session, slug: str) -> int | None:
    if not slug:
        return None
    found = session.scalar(sa.select(Commune.id).where(Commune.slug == slug))
    if found is None:
        raise SetupError(f"no commune {slug!r} is in service; see: haichieu commune list")
    return found
