"""The list of tickets: what an official has to look at, in the order it is due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from bot.access import seen_by, sees_sealed
from bot.rules.deadlines import WorkingHours, add_minutes
from bot.runtime import Runtime
from bot.usecases.communes import holidays_of, working_hours
from nlp.normalise import fold
from storage.communes import Commune
from storage.officials import Official
from storage.tickets import Cursor, Looker, Row, View, counts, rows

ON_A_PAGE = 50
LONGEST_SEARCH = 200


@dataclass(frozen=True)
class Listing:
    """One page of the list, how many each view holds, and the commune's working time to tell deadlines by."""

    rows: list[Row]
    counts: dict[View, int]
    next: Cursor | None
    hours: WorkingHours
    holidays: Mapping[date, bool]


def listing(
    runtime: Runtime, official: Official, commune: Commune, view: View, *, search: str = "", after: Cursor | None = None
) -> Listing:
    """The tickets of a view that this official may see, emergencies and early deadlines first."""
    now = runtime.now()
    hours = working_hours(dict(commune.settings))
    search = " ".join(search.split())[:LONGEST_SEARCH]
    with runtime.database.reading() as session:
        holidays = holidays_of(session, commune.id)
        looker = Looker(
            seen_by=seen_by(official),
            official_id=official.id,
            agency_id=official.agency_id,
            soon=add_minutes(now, hours.minutes_a_day, hours, holidays),
            sees_sealed=sees_sealed(official),
        )
        found = rows(session, looker, view, words=fold(search), code=search.upper(), after=after, limit=ON_A_PAGE + 1)
        held = counts(session, looker)
    page = found[:ON_A_PAGE]
    return Listing(page, held, page[-1].cursor if len(found) > ON_A_PAGE else None, hours, holidays)
