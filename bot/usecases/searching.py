"""Searching: what an official finds in all of history, by words, a code, a place, days or the end of a number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.access import OF_WHOLE_COMMUNE, seen_by
from bot.rules.deadlines import VIETNAM
from bot.rules.search_query import Days, Query, read_query
from bot.runtime import Runtime
from nlp.search_text import PHONE, Term, national, place_word, stands_accented, words_of
from storage.communes import Place
from storage.enums import Role
from storage.officials import Official
from storage.search import Asked, Group, Phrase, found, is_anywhere, words_found
from storage.search_index import SearchBacklog, index_backlog
from storage.tickets import Row

ON_A_PAGE = 50
MOST_TRIED = 6
AT_A_SWEEP = 400  # tickets of an earlier release that are indexed at once


class Phones(StrEnum):
    """Whose telephone numbers an official may search by: everybody's, of those they handle, nobody's."""

    ALL = "all"
    OWN = "own"
    NONE = "none"


@dataclass(frozen=True)
class Hit:
    """A ticket that was found; `said`: the message that holds the words, if one does. `is_exact`: with the accents
    they were typed with."""

    row: Row
    said: str = ""
    is_exact: bool = False


@dataclass(frozen=True)
class Findings:
    """A page of what was found, and how the words were understood.

    `places`: the names of the commune's places that were recognised. `phones`: whether a number may be searched by,
    None when none was given. `nowhere`: of an empty result, the words that stand in no ticket at all.
    """

    query: Query
    hits: list[Hit]
    next: int | None
    places: list[str] = field(default_factory=list)
    phones: Phones | None = None
    nowhere: list[str] = field(default_factory=list)

    @property
    def by_ticket(self) -> dict[int, Hit]:
        """The same by the number of the ticket."""
        return {hit.row.ticket.id: hit for hit in self.hits}


def search(
    session: Session,
    runtime: Runtime,
    official: Official,
    text: str,
    *,
    before: int | None = None,
    only: Sequence[sa.ColumnElement[bool]] = (),
) -> Findings:
    """The newest tickets that hold all of it, among those the official may see, with numbers below `before`.

    `only`: filters of the list, about the ticket itself.

    Within a page those come first in which the accents are as they were typed.
    """
    query = read_query(text, runtime.now().astimezone(VIETNAM).date())
    if query.is_empty:
        return Findings(query, [], None)
    phones = phones_for(official) if query.numbers else None
    names = _place_names(session, official.commune_id) if query.terms else {}
    groups, places = _groups(query, names)
    asked = _asked(query, groups, official, phones)
    visible = sa.and_(seen_by(official), *only)
    rows = found(session, visible, asked, before=before, limit=ON_A_PAGE + 1)
    page = rows[:ON_A_PAGE]
    hits = _hits(session, page, query)
    nowhere = [] if rows or before else _nowhere(session, visible, query, groups)
    following = page[-1].ticket.id if len(rows) > ON_A_PAGE else None
    return Findings(query, hits, following, places, phones, nowhere)


def phones_for(official: Official) -> Phones:
    """Whose numbers this official may have revealed, and so may search by (`access.may_reveal`)."""
    if official.has(*OF_WHOLE_COMMUNE):
        return Phones.ALL
    return Phones.OWN if official.has(Role.HANDLER) else Phones.NONE


def index_earlier(runtime: Runtime) -> None:
    """Let a few more tickets of an earlier release be found."""
    with runtime.database.reading() as session:
        if session.scalar(sa.select(SearchBacklog.id).limit(1)) is None:
            return
    with runtime.database.transaction() as session:
        index_backlog(session, AT_A_SWEEP)


# ---- what is asked --------------------------------------------------------------------------------------------------


def _asked(query: Query, groups: tuple[Group, ...], official: Official, phones: Phones | None) -> Asked:
    plain = tuple(_number_group(number) for number in query.numbers)
    dialled = tuple(_number_group(number, by_phone=True) for number in query.numbers)
    since, until = _between(query.days)
    return Asked(
        groups=groups + (dialled if phones is Phones.ALL else plain),
        codes=query.codes,
        since=since,
        until=until,
        own_groups=groups + dialled if phones is Phones.OWN else (),
        official_id=official.id,
    )


def _number_group(number: str, *, by_phone: bool = False) -> Group:
    as_word = (Phrase((number,), is_prefix=True),)
    return (as_word, (Phrase((PHONE + national(number)[::-1],), is_prefix=True),)) if by_phone else (as_word,)


def _between(days: Days | None) -> tuple[datetime | None, datetime | None]:
    if days is None:
        return None, None
    begins = datetime.combine(days.first, time(), VIETNAM)
    return begins, datetime.combine(days.last, time(), VIETNAM) + timedelta(days=1) if days.last else None


def _groups(query: Query, names: dict[tuple[str, ...], list[Place]]) -> tuple[tuple[Group, ...], list[str]]:
    """What must stand in a ticket: each phrase, each word; the name of a place or that the ticket is about it."""
    groups: list[Group] = []
    places: list[str] = []
    if query.code:
        groups.append(((Phrase(tuple(words_of(query.code))),),))
    at, longest = 0, max(map(len, names), default=0)
    while at < len(query.terms):
        run = _place_at(query.terms[at : at + longest], names)
        if run:
            terms = query.terms[at : at + len(run)]
            of_place = tuple((Phrase((place_word(place.id),)),) for place in names[run])
            groups.append((tuple(_phrase(term) for term in terms), *of_place))
            places += [place.name for place in names[run]]
            at += len(run)
        else:
            groups.append(((_phrase(query.terms[at]),),))
            at += 1
    return tuple(groups), list(dict.fromkeys(places))


def _place_at(terms: Sequence[Term], names: dict[tuple[str, ...], list[Place]]) -> tuple[str, ...]:
    words = tuple(term.words[0] if len(term.words) == 1 else "" for term in terms)
    return next((words[:many] for many in range(len(words), 0, -1) if words[:many] in names), ())


def _phrase(term: Term) -> Phrase:
    return Phrase(term.words, term.is_prefix)


def _place_names(session: Session, commune_id: int) -> dict[tuple[str, ...], list[Place]]:
    """The commune's places by all they are called; those that are no more were places once, too."""
    found_: dict[tuple[str, ...], list[Place]] = {}
    for place in session.scalars(sa.select(Place).where(Place.commune_id == commune_id).order_by(Place.id)):
        named = {tuple(words_of(name)) for name in (place.name, f"{place.kind} {place.name}", *place.aliases)}
        for words in named - {()}:
            found_.setdefault(words, []).append(place)
    return found_


# ---- what was found -------------------------------------------------------------------------------------------------


def _hits(session: Session, page: list[Row], query: Query) -> list[Hit]:
    words = list(dict.fromkeys(word for term in query.marks for word in term.words))
    open_ones = [row.ticket.id for row in page if not row.ticket.is_sealed]
    told = words_found(session, open_ones, words)
    hits = [_hit(row, told.get(row.ticket.id, []), query.terms) for row in page]
    return sorted(hits, key=lambda hit: not hit.is_exact)  # sorting keeps the newest first among equals


def _hit(row: Row, said: list[str], terms: Iterable[Term]) -> Hit:
    wanted = list(terms)
    exact = next((text for text in said if stands_accented(text, wanted)), None)
    if exact is None and not row.ticket.is_sealed and stands_accented(row.ticket.place_text or "", wanted):
        return Hit(row, said[0] if said else "", is_exact=True)
    return Hit(row, exact or (said[0] if said else ""), is_exact=exact is not None)


def _nowhere(session: Session, visible: sa.ColumnElement[bool], query: Query, groups: Sequence[Group]) -> list[str]:
    """The words that alone make the result empty."""
    if len(groups) > MOST_TRIED:
        return []
    missing = [group for group in groups if not is_anywhere(session, visible, group)]
    words = {phrase.words for group in missing for phrase in group[0]}
    return [" ".join(term.accented or term.words) for term in query.terms if term.words in words]
