"""Editions as they are read: by officials, with what can be done about each; by anybody, on the commune's page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.access import NotFound
from bot.rules.editions import LEAST, Turn, due_at, title_of, turns_of, week_of
from bot.rules.read_aloud import Seconds, reading_time, script_of
from bot.runtime import Runtime
from bot.usecases import edition_words
from bot.usecases.announcing import READERS, must
from bot.usecases.bulletin_results import standing_of
from bot.usecases.edition_words import Composed, Entry
from bot.usecases.editions import found, is_newest
from bot.usecases.results import names_of
from bot.usecases.web_form import Page
from storage.bulletins import Bulletin, legs_of
from storage.communes import Commune
from storage.editions import Edition
from storage.enums import BulletinState
from storage.officials import Official
from storage.publications import is_open

PAGE = 20
OF_FEED = 20
PROPOSED = "proposed"


@dataclass(frozen=True)
class Line:
    """An edition in the officials' list; `standing`: of its bulletin, or "proposed"."""

    edition: Edition
    title: str
    count: int
    standing: str


@dataclass(frozen=True)
class Shelf:
    """The officials' list. `next_at`: when the next proposal is made; None: never, by the commune's settings."""

    lines: list[Line]
    next_before: date | None
    is_open: bool
    next_at: datetime | None


@dataclass(frozen=True)
class Look:
    """An edition with all that its page shows: what can be told of it, and how that reads on each medium."""

    edition: Edition
    title: str
    entries: list[Entry]
    composed: Composed
    turns: list[Turn]
    time_aloud: Seconds
    standing: str
    bulletin: Bulletin | None
    editor: str | None
    is_newest: bool
    is_open: bool

    @property
    def kept(self) -> list[Entry]:
        """What is told."""
        return [entry for entry in self.entries if not entry.item.is_dropped]

    @property
    def is_enough(self) -> bool:
        """Whether a bulletin can be made of it."""
        return len(self.kept) >= LEAST


@dataclass(frozen=True)
class Told:
    """An edition on the commune's page."""

    week: date
    title: str
    told_at: datetime
    entries: list[Entry]


# ---- officials ------------------------------------------------------------------------------------------------------


def listing(runtime: Runtime, official: Official, *, before: date | None = None) -> Shelf:
    """A page of the commune's editions, the latest first."""
    must(official, *READERS)
    now = runtime.now()
    query = sa.select(Edition).where(Edition.commune_id == official.commune_id)
    if before is not None:
        query = query.where(Edition.week < before)
    with runtime.database.reading() as session:
        commune = session.get_one(Commune, official.commune_id)
        editions = list(session.scalars(query.order_by(Edition.week.desc()).limit(PAGE + 1)))
        shown = editions[:PAGE]
        entries = edition_words.entries_of(session, shown)
        standings = _standings(session, shown, now)
    return Shelf(
        [Line(one, title_of(one.week), len(entries[one.id]), standings[one.id]) for one in shown],
        shown[-1].week if len(editions) > PAGE else None,
        is_open(commune),
        due_at(commune.settings, week_of(now)),
    )


def look_at(runtime: Runtime, official: Official, edition_id: int) -> Look:
    """One edition. NoSuchAnnouncement."""
    must(official, *READERS)
    with runtime.database.reading() as session:
        edition = found(session, official, edition_id)
        commune = session.get_one(Commune, edition.commune_id)
        composed = edition_words.compose(session, runtime, edition)
        script = script_of(composed.title, composed.texts.get("radio", ""), commune.name)
        names = names_of(session, Official, official.commune_id)
        return Look(
            edition=edition,
            title=composed.title,
            entries=edition_words.entries_of(session, [edition], dropped=True)[edition.id],
            composed=composed,
            turns=turns_of(script.text),
            time_aloud=reading_time(script),
            standing=_standings(session, [edition], runtime.now())[edition.id],
            bulletin=session.get(Bulletin, edition.bulletin_id) if edition.bulletin_id else None,
            editor=names.get(edition.edited_by_id or 0),
            is_newest=is_newest(session, edition),
            is_open=is_open(commune),
        )


def newest_line(runtime: Runtime, official: Official) -> Line | None:
    """The latest edition as other pages name it; none before the first one."""
    lines = listing(runtime, official).lines
    return lines[0] if lines else None


def _standings(session: Session, editions: Sequence[Edition], now: datetime) -> dict[int, str]:
    numbers = [one.bulletin_id for one in editions if one.bulletin_id is not None]
    legs = legs_of(session, numbers)
    made = {one.id: one for one in session.scalars(sa.select(Bulletin).where(Bulletin.id.in_(numbers)))}
    return {
        one.id: standing_of(made[one.bulletin_id], legs[one.bulletin_id], now) if one.bulletin_id else PROPOSED
        for one in editions
    }


# ---- anybody --------------------------------------------------------------------------------------------------------


def told(runtime: Runtime, page: Page, *, before: date | None = None, limit: int = PAGE) -> list[Told]:
    """What was told in the weeks before, one more than a page if there is; only what may still be told."""
    query = _told(runtime, page)
    if before is not None:
        query = query.where(Edition.week < before)
    with runtime.database.reading() as session:
        rows = session.execute(query.order_by(Edition.week.desc()).limit(limit + 1)).all()
        entries = edition_words.entries_of(session, [edition for edition, _ in rows])
    return [_as_told(edition, bulletin, entries[edition.id]) for edition, bulletin in rows]


def told_in(runtime: Runtime, page: Page, week: date) -> Told:
    """What was told in one week. NotFound."""
    with runtime.database.reading() as session:
        row = session.execute(_told(runtime, page).where(Edition.week == week)).first()
        if row is None:
            raise NotFound
        return _as_told(row[0], row[1], edition_words.entries_of(session, [row[0]])[row[0].id])


def _told(runtime: Runtime, page: Page) -> sa.Select[tuple[Edition, Bulletin]]:
    """Editions whose bulletin a second person has approved, from the hour on at which it goes out."""
    return (
        sa.select(Edition, Bulletin)
        .join(Bulletin, Bulletin.id == Edition.bulletin_id)
        .where(
            Edition.commune_id == page.commune.id,
            Bulletin.state == BulletinState.APPROVED,
            Bulletin.ended_at.is_(None),  # else it was taken back
            sa.or_(Bulletin.send_at.is_(None), Bulletin.send_at <= runtime.now()),
        )
    )


def _as_told(edition: Edition, bulletin: Bulletin, entries: list[Entry]) -> Told:
    return Told(
        edition.week, title_of(edition.week), bulletin.send_at or bulletin.approved_at or edition.proposed_at, entries
    )
