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

NEWEST = 4_000  # so many of the latest tickets are looked at first: a common word is found there
MOST_WORDS_SHOWN = 3  # messages of one ticket that are looked at for the words


@dataclass(frozen=True)
class Phrase:
    """Words of the index one behind the other; `is_prefix`: the last one may go on."""

    words: tuple[str, ...]
    is_prefix: bool = False


Way = tuple[Phrase, ...]  # all of these must stand in a ticket
Group = tuple[Way, ...]  # one of these ways must be met


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
    if not (asked.groups or asked.own_groups or asked.codes):
        return _rows(session, seen_by, asked, (), before=before, limit=limit)
    newest = sa.select(sa.func.max(Ticket.id)).scalar_subquery() if before is None else sa.literal(before)
    recent = _rows(session, seen_by, asked, (newest - NEWEST, None), before=before, limit=limit)
    if len(recent) >= limit:
        return recent
    older = _rows(session, seen_by, asked, (None, newest - NEWEST), before=before, limit=limit - len(recent))
    return recent + older


def _rows(
    session: Session,
    seen_by: sa.ColumnElement[bool],
    asked: Asked,
    between: tuple[Any, ...],
    *,
    before: int | None,
    limit: int,
) -> list[Row]:
    chosen = sa.select(Ticket.id).where(seen_by, *_days(asked))
    if between:
        chosen = chosen.where(_is_hit(session, asked, between))
    if before is not None:
        chosen = chosen.where(Ticket.id < before)
    page = chosen.order_by(Ticket.id.desc()).limit(limit).subquery()
    return rows_among(session, Ticket.id.in_(sa.select(page.c.id)))


def _days(asked: Asked) -> list[sa.ColumnElement[bool]]:
    since = [Ticket.opened_at >= asked.since] if asked.since is not None else []
    return since + ([Ticket.opened_at < asked.until] if asked.until is not None else [])


def _is_hit(session: Session, asked: Asked, between: tuple[Any, ...]) -> sa.ColumnElement[bool]:
    ways: list[sa.ColumnElement[bool]] = []
    if asked.groups:
        ways.append(Ticket.id.in_(_hits(session, asked.groups, between, "hits")))
    if asked.own_groups:
        own = Ticket.id.in_(_hits(session, asked.own_groups, between, "own_hits"))
        ways.append(sa.and_(own, Ticket.official_id == asked.official_id))
    if asked.codes:
        low, high = between
        within = [Ticket.id > low] if low is not None else [Ticket.id <= high]
        ways.append(sa.and_(Ticket.code.in_(asked.codes), *within))
    return sa.or_(*ways)


def _hits(session: Session, groups: Sequence[Group], between: tuple[Any, ...], name: str) -> Any:
    """The tickets of these words, worked out before anything is put in order: otherwise PostgreSQL walks through all
    tickets from the end and looks at each for the words."""
    low, high = between
    if session.get_bind().dialect.name == "postgresql":
        number: Any = SearchPart.id
        query: sa.Select[Any] = sa.select(SearchPart.ticket_id.label("ticket_id")).where(
            SearchPart.words.op("@@")(sa.cast(_tsquery(groups), TSQUERY))
        )
    else:
        table = sa.table("search_words", sa.column("rowid"))
        number = table.c.rowid
        query = (
            sa.select(sa.literal_column(f"rowid / {PARTS}").label("ticket_id"))
            .select_from(table)
            .where(sa.literal_column("search_words").op("MATCH")(_fts_query(groups)))
        )
    if low is not None:
        query = query.where(number >= (low + 1) * PARTS)
    if high is not None:
        query = query.where(number < (high + 1) * PARTS)
    cte = query.cte(name).prefix_with("MATERIALIZED")
    return sa.select(cte.c.ticket_id)


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
    hits = _hits(session, (group,), (None, None), "hits")
    return session.scalar(sa.select(Ticket.id).where(seen_by, Ticket.id.in_(hits)).limit(1)) is not None
