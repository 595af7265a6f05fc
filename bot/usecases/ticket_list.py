"""The list of tickets: what an official has to look at, in the order it is due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from bot.access import seen_by, sees_sealed
from bot.rules.deadlines import WorkingHours, add_minutes
from bot.rules.routing import TRIAGE
from bot.runtime import Runtime
from bot.usecases import incident_page
from bot.usecases.accusing import count_for_the_province
from bot.usecases.communes import holidays_of, working_hours
from bot.usecases.searching import Findings
from bot.usecases.searching import search as search_all
from storage.communes import Commune
from storage.figures import NO_FILTERS, Filters, conditions
from storage.officials import Official
from storage.tickets import Cursor, Looker, Row, View, counts, rows, total

ON_A_PAGE = 50


@dataclass(frozen=True)
class Listing:
    """One page of the list, how many each view holds, and the commune's working time to tell deadlines by.

    `alike`: of how many tickets each may be one; `joined`: how many others wait for its result. `for_the_province`: how
    many sealed reports stand that nobody here opens, for whom may know it. `many`: how many tickets pass the filters.
    `findings`: of a search, what was understood and where it stands; it counts no views.
    """

    rows: list[Row]
    counts: dict[View, int]
    next: Cursor | None
    hours: WorkingHours
    holidays: Mapping[date, bool]
    alike: Mapping[int, int]
    joined: Mapping[int, int]
    for_the_province: int
    many: int | None = None
    findings: Findings | None = None


def listing(
    runtime: Runtime,
    official: Official,
    commune: Commune,
    view: View,
    *,
    search: str = "",
    filters: Filters = NO_FILTERS,
    after: Cursor | None = None,
    holidays: Mapping[date, bool] | None = None,
) -> Listing:
    """The tickets of a view that this official may see, emergencies and early deadlines first; or what a search finds
    in all of history, the newest first.

    `holidays`: the commune's, from whoever knows them already.
    """
    now = runtime.now()
    hours = working_hours(dict(commune.settings))
    with runtime.database.reading() as session:
        if holidays is None:
            holidays = holidays_of(session, commune.id)
        only = conditions(filters, now)
        if search.strip():
            findings = search_all(session, runtime, official, search, before=after.id if after else None, only=only)
            return _of_search(findings, hours, holidays)
        looker = looker_of(official, now, hours, holidays)
        found = rows(session, looker, view, only=only, after=after, limit=ON_A_PAGE + 1)
        many = total(session, looker, view, only) if filters else None
        held = counts(session, looker)
        page = found[:ON_A_PAGE]
        for_the_province = count_for_the_province(session, official) if after is None else 0
        alike, joined = incident_page.counts(session, [row.ticket for row in page])
    following = page[-1].cursor if len(found) > ON_A_PAGE else None
    return Listing(page, held, following, hours, holidays, alike, joined, for_the_province, many)


def looker_of(official: Official, now: datetime, hours: WorkingHours, holidays: Mapping[date, bool]) -> Looker:
    """For whom a list is made, and until when a deadline is near: a working day."""
    return Looker(
        seen_by=seen_by(official),
        official_id=official.id,
        agency_id=official.agency_id,
        soon=add_minutes(now, hours.minutes_a_day, hours, holidays),
        sees_sealed=sees_sealed(official),
        triage=TRIAGE,
        now=now,
    )


def _of_search(findings: Findings, hours: WorkingHours, holidays: Mapping[date, bool]) -> Listing:
    following = Cursor(1, None, findings.next) if findings.next is not None else None
    found = [hit.row for hit in findings.hits]
    return Listing(found, {}, following, hours, holidays, {}, {}, 0, findings=findings)
