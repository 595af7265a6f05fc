"""Search: which tickets hold all that is looked for, the newest first, and in which of their words it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import Session

from storage.messages import Message
from storage.search_index import PARTS, SearchPart, is_searched
from storage.tickets import Row, Ticket, rows_among

LAST_NUMBER = 2**50
NEWEST = 4_000  # so many of the latest tickets are looked at first: a common word is found there
MOST_WORDS_SHOWN = 3  # messages of one ticket that are looked at for the words


@dataclass(frozen=True)
class Phrase:
    """Words of the index one behind the other; `is_prefix`: the last one may go on."""

    words: tuple[str, ...]
    is_prefix: bool = False


Way = tuple[Phrase, ...]  # all of these must stand in a ticket
Group = tuple[Way, ...]  # one of these ways must be met
Between = tuple[Any, int]  # numbers of tickets: from the first on, below the second


@dataclass(frozen=True)
class Asked:
    """What is asked: every group, or one of the codes; what was taken in from `since` on and before `until`.

    `own_groups`: what may be looked for only in the tickets that `official_id` works on.
    """

    groups: tuple[Group, ...] = ()
    codes: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    own_groups: tuple[Group, ...] = ()
    official_id: int | None = None


def found(
    session: Session, seen_by: sa.ColumnElement[bool], asked: Asked, *, before: int | None, limit: int
) -> list[Row]:
    """Tickets among those that may be seen, the newest first, all with numbers below `before`.

    The latest tickets are asked first, so that words that stand everywhere are not looked up in all of history.
    """
    last, first = before, None
    if asked.since is not None or asked.until is not None:
        first, last = _numbers(session, seen_by, asked, before)
        if first is None:
            return []
    if not (asked.groups or asked.own_groups or asked.codes):
        return _rows(session, seen_by, asked, None, Ticket.id < last if last else sa.true(), limit=limit)
    begin, end = first or 0, last or LAST_NUMBER
    latest: Any = sa.literal(last) if last else sa.select(sa.func.max(Ticket.id)).scalar_subquery()
    recent = _among(session, seen_by, asked, (latest - NEWEST, end), limit=limit)
    if len(recent) >= limit:
        return recent
    # The rest in plain numbers: a bound that it must work out first lets PostgreSQL believe in a short range.
    rest = recent[-1].ticket.id if recent else end
    return recent + _among(session, seen_by, asked, (begin, rest), limit=limit - len(recent))


def _numbers(
    session: Session, seen_by: sa.ColumnElement[bool], asked: Asked, before: int | None
) -> tuple[int | None, int | None]:
    """The first number, and the one after the last, of the tickets of these days: others need not be looked at."""
    below = Ticket.id < before if before is not None else sa.true()
    number = Ticket.id + 0  # or PostgreSQL walks along all numbers until it meets the first of these days
    query = sa.select(sa.func.min(number), sa.func.max(number) + 1).where(seen_by, below, *_days(asked))
    first, last = session.execute(query).one()
    return first, last


def _among(
    session: Session, seen_by: sa.ColumnElement[bool], asked: Asked, between: Between, *, limit: int
) -> list[Row]:
    low, high = between
    return _rows(session, seen_by, asked, between, sa.and_(Ticket.id >= low, Ticket.id < high), limit=limit)


def _rows(
    session: Session,
    seen_by: sa.ColumnElement[bool],
    asked: Asked,
    between: Between | None,
    within: sa.ColumnElement[bool],
    *,
    limit: int,
) -> list[Row]:
    chosen = sa.select(Ticket.id).where(seen_by, within, *_days(asked))
    if between is not None:
        chosen = chosen.where(Ticket.id.in_(_found(session, asked, between)))
    page = chosen.order_by(Ticket.id.desc()).limit(limit).subquery()
    return rows_among(session, Ticket.id.in_(sa.select(page.c.id)))


def _days(asked: Asked) -> list[sa.ColumnElement[bool]]:
    since = [Ticket.opened_at >= asked.since] if asked.since is not None else []
    return since + ([Ticket.opened_at < asked.until] if asked.until is not None else [])


def _found(session: Session, asked: Asked, between: Between) -> Any:
    """The numbers of all tickets that one of the ways leads to, worked out before anything is put in order: otherwise
    PostgreSQL walks through all tickets from the end and looks at each for the words."""
    ways: list[sa.Select[Any]] = []
    if asked.groups:
        ways.append(_hits(session, asked.groups, between))
    if asked.own_groups:
        own = _hits(session, asked.own_groups, between).subquery()
        query = sa.select(Ticket.id).join(own, own.c.ticket_id == Ticket.id)
        ways.append(query.where(Ticket.official_id == asked.official_id))
    if asked.codes:
        ways.append(sa.select(Ticket.id).where(Ticket.code.in_(asked.codes)))
    hits = sa.union(*ways).cte("hits") if len(ways) > 1 else ways[0].cte("hits")
    return sa.select(hits.prefix_with("MATERIALIZED").c[0])


def _hits(session: Session, groups: Sequence[Group], between: Between) -> sa.Select[Any]:
    low, high = between
    if session.get_bind().dialect.name == "postgresql":
        number: Any = SearchPart.id
        query: sa.Select[Any] = sa.select(SearchPart.ticket_id.label("ticket_id"))
        query = query.where(SearchPart.words.op("@@")(sa.cast(_tsquery(groups), TSQUERY)))
    else:
        table = sa.table("search_words", sa.column("rowid"))
        number = table.c.rowid
        query = sa.select(sa.literal_column(f"rowid / {PARTS}").label("ticket_id")).select_from(table)
        query = query.where(sa.literal_column("search_words").op("MATCH")(_fts_query(groups)))
    return query.where(number >= low * PARTS, number < high * PARTS)


def _tsquery(groups: Sequence[Group]) -> str:
    def phrase(one: Phrase) -> str:
        *first, last = one.words
        return "(" + " <-> ".join([*first, f"{last}:*" if one.is_prefix else last]) + ")"

    return _joined(groups, phrase, " & ", " | ")


def _fts_query(groups: Sequence[Group]) -> str:
    def phrase(one: Phrase) -> str:
        return f'"{" ".join(one.words)}"' + (" *" if one.is_prefix else "")

    return _joined(groups, phrase, " AND ", " OR ")


def _joined(groups: Sequence[Group], phrase: Any, both: str, either: str) -> str:
    return both.join(
        "(" + either.join("(" + both.join(phrase(one) for one in way) + ")" for way in group) + ")" for group in groups
    )


# ---- the words ------------------------------------------------------------------------------------------------------


def words_found(session: Session, ticket_ids: Sequence[int], words: Sequence[str]) -> dict[int, list[str]]:
    """Of each ticket the messages that hold the most of these words, the latest first among equals."""
    if not (ticket_ids and words):
        return {}
    holds = [Message.text_folded.contains(word, autoescape=True) for word in words]
    score = sum((sa.case((one, 1), else_=0) for one in holds), sa.literal(0))
    place = sa.func.row_number().over(partition_by=Message.ticket_id, order_by=(score.desc(), Message.id.desc()))
    ranked = (
        sa.select(Message.ticket_id, Message.text, place.label("place"))
        .where(Message.ticket_id.in_(ticket_ids), sa.or_(*holds), *is_searched())
        .subquery()
    )
    query = sa.select(ranked.c.ticket_id, ranked.c.text).where(ranked.c.place <= MOST_WORDS_SHOWN)
    told: dict[int, list[str]] = {}
    for ticket_id, text in session.execute(query.order_by(ranked.c.ticket_id, ranked.c.place)):
        told.setdefault(ticket_id, []).append(text)
    return told


def is_anywhere(session: Session, seen_by: sa.ColumnElement[bool], group: Group) -> bool:
    """Whether one of these words stands in any ticket that may be seen."""
    hits = _hits(session, (group,), (0, LAST_NUMBER))
    return session.scalar(sa.select(Ticket.id).where(seen_by, Ticket.id.in_(hits)).limit(1)) is not None
