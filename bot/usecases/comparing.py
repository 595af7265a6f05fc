"""Comparing: reports that may be one piece of work are proposed as one, by a worker, when they come or change."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session, aliased

from bot.rules.incidents import SURGE_TIME, USUAL_TIME, WINDOW, Belonging, Report, belonging, surge_from
from bot.rules.place_list import is_settlement
from bot.runtime import Runtime
from nlp.normalise import fold, normalise
from storage.alerts import raise_alert
from storage.communes import Place
from storage.database import Database, advisory_lock
from storage.enums import AlertKind, Direction, Urgency
from storage.incidents import Likeness, candidates, comparable, differing, leads_of
from storage.messages import Message
from storage.tickets import Ticket

log = structlog.get_logger()

AT_ONCE = 50
_REMEMBERED = 2_000
_FEWEST_LETTERS = 2
# What stands in any report: who speaks, to whom, politeness, time, and the small words that join others.
_SAYS_NOTHING = frozenset(
    {
        "a", "ad", "ai", "anh", "ap", "ba", "bac", "bao", "ben", "bi", "bo", "bon", "bua", "cai", "cam", "can",
        "canh", "chang", "chau", "chi", "chiec", "chieu", "chinh", "cho", "chu", "chua", "chung", "co", "coi",
        "con", "cuc", "cung", "da", "dan", "dang", "dao", "dau", "day", "de", "dem", "den", "di", "do", "doan",
        "dum", "duoc", "duoi", "duong", "em", "gan", "gi", "giai", "gio", "gium", "giup", "gui", "hai", "hay",
        "het", "ho", "hoac", "hom", "it", "khi", "khong", "khu", "khuc", "kia", "kiem", "kinh", "ky", "la",
        "lai", "lam", "lanh", "lap", "len", "long", "luc", "luon", "ly", "ma", "mai", "may", "minh", "moi",
        "mong", "mot", "nam", "nao", "nay", "nen", "neu", "ngay", "nghi", "ngoai", "nguoi", "nha", "nhe",
        "nhieu", "nho", "nhung", "no", "nua", "o", "oi", "on", "ong", "phan", "pho", "qua", "quyet", "ra",
        "rat", "ri", "roi", "rua", "sang", "sao", "sau", "se", "so", "som", "ta", "tai", "thang", "the", "thi",
        "thoi", "thon", "to", "toi", "tra", "tren", "trong", "trua", "truoc", "tu", "tuan", "tuc", "tui",
        "ubnd", "uy", "va", "van", "vao", "vay", "vi", "voi", "vui", "xa", "xem", "xin", "xom", "xu", "xuong",
    }
)  # fmt: skip


@dataclass(frozen=True)
class _Places:
    """The commune's places: which are settlements, and in which settlement a spot lies."""

    settlements: frozenset[int]
    within: dict[int, int]
    words: dict[int, frozenset[str]]
    names: dict[str, int]


# A ticket as it was when it was looked at; a database that was restored may give its numbers anew.
_Mark = tuple[int, int, datetime, str]


class _Reports:
    """What was worked out of tickets, kept while they do not change; nothing of it is stored."""

    def __init__(self) -> None:
        self._known: OrderedDict[_Mark, Report] = OrderedDict()

    def of(self, session: Session, tickets: Sequence[Ticket], places: _Places) -> dict[int, Report]:
        """The reports of these tickets, by their numbers."""
        marks = {t.id: (t.id, t.version, t.opened_at, t.summary) for t in tickets}
        missing = [t for t in tickets if marks[t.id] not in self._known]
        for report, _ in _read(session, missing, places):
            self._known[marks[report.id]] = report
        found = {number: self._known[mark] for number, mark in marks.items()}
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return found


def compare_due(runtime: Runtime) -> int:
    """Compare what waits to be compared, and withdraw what is no longer true; gives how many were looked at."""
    with runtime.database.reading() as session:
        if not is_waiting(session):
            return 0
        communes = set(session.scalars(sa.select(Ticket.commune_id).where(Ticket.compare_at.is_not(None)).distinct()))
        communes |= set(session.scalars(_stale().with_only_columns(Likeness.commune_id).distinct()))
    return sum(_compare(runtime, commune_id) for commune_id in sorted(communes))


def is_waiting(session: Session) -> bool:
    """Whether a ticket waits to be compared, or a proposal is no longer one."""
    due = sa.select(Ticket.id).where(Ticket.compare_at.is_not(None))
    return session.scalar(due.limit(1)) is not None or session.scalar(_stale().limit(1)) is not None


_One, _Lead = aliased(Ticket), aliased(Ticket)


def _stale() -> sa.Select[tuple[int]]:
    """Proposals of or to a ticket that is not to be joined any more: ended, sealed, put aside, joined."""
    return (
        sa.select(Likeness.ticket_id)
        .join(_One, _One.id == Likeness.ticket_id)
        .join(_Lead, _Lead.id == Likeness.lead_id)
        .where(sa.or_(~comparable(_One), ~comparable(_Lead)), _One.compare_at.is_(None))
    )


def _compare(runtime: Runtime, commune_id: int) -> int:
    with runtime.database.transaction() as session:
        # Two workers comparing two like reports at once would each find the other one not yet in a group.
        advisory_lock(session, f"incidents:{commune_id}")
        now = runtime.now()
        # All at once: what still followed a lead that is gone would lead others back to it.
        stale = list(session.scalars(_stale().where(Likeness.commune_id == commune_id)))
        session.execute(sa.delete(Likeness).where(Likeness.ticket_id.in_(stale)))
        session.execute(sa.update(Ticket).where(Ticket.id.in_(stale)).values(compare_at=now))
        query = (
            sa.select(Ticket)
            .where(Ticket.commune_id == commune_id, Ticket.compare_at.is_not(None))
            .order_by(Ticket.opened_at, Ticket.id)
            .limit(AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        tickets = list(session.scalars(query))
        places, reports = _places(session, commune_id), _known.setdefault(runtime.database, _Reports())
        for ticket in tickets:
            _propose(session, reports, ticket, places, now)
            ticket.compare_at = None
            session.flush()
    return len(tickets)


_known: WeakKeyDictionary[Database, _Reports] = WeakKeyDictionary()


def _propose(session: Session, reports: _Reports, ticket: Ticket, places: _Places, now: datetime) -> None:
    """Find the group that the ticket belongs to, and write the proposal down, or take the former one back."""
    former = session.scalar(sa.select(Likeness).where(Likeness.ticket_id == ticket.id))
    found = _belonging(session, reports, ticket, places) if _is_comparable(ticket) else None
    if found is None:
        if former is not None:
            session.delete(former)
        return
    heads = list(session.scalars(sa.select(Ticket).where(Ticket.id.in_([found.lead_id, *found.others]))))
    incidents = _with_joined(session, [one.id for one in heads])
    # Whom others joined already leads; else the oldest does.
    lead = min([*heads, ticket], key=lambda one: (one.id not in incidents, one.opened_at, one.id))
    spoken = replace(found, reasons=_as_written(session, found, [ticket.id, *(one.id for one in heads)]))
    for follower in {one.id for one in heads} | {ticket.id}:
        if follower != lead.id:
            _follow(session, ticket.commune_id, follower, lead.id, spoken, now)
    session.execute(sa.delete(Likeness).where(Likeness.ticket_id == lead.id))
    _call_for_many(session, lead, now)


def _as_written(session: Session, found: Belonging, ticket_ids: list[int]) -> tuple[dict[str, Any], ...]:
    """The reasons, with common words as one of the writers spelled them, accents and all."""
    written: dict[str, str] = {}
    query = sa.select(Message.text).where(Message.ticket_id.in_(ticket_ids), Message.direction == Direction.IN)
    for text in session.scalars(query.order_by(Message.id).limit(AT_ONCE)):
        for pair in pairwise(re.findall(r"\w+", text.lower())):
            words = " ".join(pair)
            if not words.isascii():
                written.setdefault(fold(words), words)
    return tuple(
        {**reason, "words": [written.get(word, word) for word in reason["words"]]} if "words" in reason else reason
        for reason in found.reasons
    )


def _follow(session: Session, commune_id: int, ticket_id: int, lead_id: int, found: Belonging, now: datetime) -> None:
    """Propose that a ticket, and whatever was proposed to follow it, is one with the lead."""
    row = session.scalar(sa.select(Likeness).where(Likeness.ticket_id == ticket_id))
    if row is None:
        row = Likeness(commune_id=commune_id, ticket_id=ticket_id)
        session.add(row)
    row.lead_id, row.score, row.reasons, row.at = lead_id, found.score, list(found.reasons), now
    session.flush()
    session.execute(sa.update(Likeness).where(Likeness.lead_id == ticket_id).values(lead_id=lead_id))


def _is_comparable(ticket: Ticket) -> bool:
    return ticket.is_open and not (ticket.is_sealed or ticket.is_restricted or ticket.is_spam)


def _with_joined(session: Session, ticket_ids: list[int]) -> set[int]:
    query = sa.select(Ticket.merged_into_id).where(Ticket.merged_into_id.in_([*ticket_ids])).distinct()
    return {one for one in session.scalars(query) if one is not None}


def _belonging(session: Session, known: _Reports, ticket: Ticket, places: _Places) -> Belonging | None:
    report = known.of(session, [ticket], places)[ticket.id]
    topics = {slug for slug in (ticket.topic, *report.topics) if slug}
    rows = candidates(session, ticket, WINDOW, topics)
    others = [row[0] for row in rows]
    leads = leads_of(session, [other.id for other in others])
    refused = differing(session, ticket.id)
    reports = known.of(session, others, places)
    groups: dict[int, list[Report]] = {}
    excluded = set()
    for other, into_id in rows:
        lead_id = into_id or other.id
        lead_id = leads.get(lead_id, lead_id)
        if refused & {other.id, lead_id}:
            excluded.add(lead_id)
        if lead_id != ticket.id:
            groups.setdefault(lead_id, []).append(reports[other.id])
    return belonging(report, {lead: group for lead, group in groups.items() if lead not in excluded})


# ---- what a ticket says ---------------------------------------------------------------------------------------------


def _places(session: Session, commune_id: int) -> _Places:
    rows = session.execute(
        sa.select(Place.id, Place.name, Place.kind, Place.parent, Place.aliases).where(Place.commune_id == commune_id)
    ).all()
    settlements = {row.id for row in rows if is_settlement(row.kind)}
    by_name = {row.name: row.id for row in rows if row.id in settlements}
    within = {row.id: by_name[row.parent] for row in rows if row.parent in by_name}
    words = {
        row.id: frozenset(word for name in (row.name, *row.aliases) for word in fold(name).split()) for row in rows
    }
    return _Places(frozenset(settlements), within, words, _names(rows))


def _names(rows: Sequence[Any]) -> dict[str, int]:
    """What places are called, folded, with and without their kind; one syllable, or a name of several, says nothing."""
    names: dict[str, set[int]] = {}
    for row in rows:
        for name in (row.name, *row.aliases):
            words, kind = fold(name).split(), fold(row.kind).split()
            for form in (words, words[len(kind) :] if words[: len(kind)] == kind else words):
                if len(form) > 1:
                    names.setdefault(" ".join(form), set()).add(row.id)
    return {name: min(places) for name, places in names.items() if len(places) == 1}


def _read(session: Session, tickets: Sequence[Ticket], places: _Places) -> Iterable[tuple[Report, int]]:
    said: dict[int, list[tuple[str, dict[str, Any] | None]]] = {ticket.id: [] for ticket in tickets}
    query = sa.select(Message.ticket_id, Message.text, Message.reading).where(
        Message.ticket_id.in_(list(said)), Message.direction == Direction.IN
    )
    for ticket_id, text, reading in session.execute(query.order_by(Message.id)) if said else ():
        said[ticket_id].append((text, reading))
    for ticket in tickets:
        yield _report(ticket, said[ticket.id], places), ticket.version


def _report(ticket: Ticket, said: list[tuple[str, dict[str, Any] | None]], places: _Places) -> Report:
    named: set[int] = set()
    topics: dict[str, float] = {}
    for _, reading in said:
        for guess in (reading or {}).get("topics", ()):
            topics[guess["slug"]] = max(topics.get(guess["slug"], 0.0), guess["probability"])
        for place in (reading or {}).get("places", ()):
            if place["level"] == "place" and place["key"].isdecimal():
                named.add(int(place["key"]))
    lines = [normalise(text).words for text, _ in said]
    told = [f" {' '.join(line)} " for line in lines]
    named |= {place for name, place in places.names.items() if any(f" {name} " in line for line in told)}
    if ticket.place_id is not None:  # where no message says so, an official does, and knows better
        named = named if ticket.place_id in named else {ticket.place_id}
    if ticket.topic_is_confirmed and ticket.topic is not None:
        topics = {ticket.topic: 1.0}
    areas = {place for place in named if place in places.settlements}
    spots = named - areas
    point = None if ticket.latitude is None or ticket.longitude is None else (ticket.latitude, ticket.longitude)
    return Report(
        id=ticket.id,
        at=ticket.opened_at,
        topic=ticket.topic,
        topics=topics,
        spots=frozenset(spots),
        areas=frozenset(areas) | frozenset(places.within[spot] for spot in spots if spot in places.within),
        point=point,
        words=telling_words(lines, frozenset().union(*(places.words.get(p, ()) for p in named))),
        landmarks=_landmarks(said),
        is_emergency=ticket.urgency is Urgency.EMERGENCY,
    )


def _landmarks(said: list[tuple[str, dict[str, Any] | None]]) -> frozenset[str]:
    """Pairs of words that the reader took for a spot, though it is in no list: "tram bom"."""
    found: set[str] = set()
    for _, reading in said:
        for place in (reading or {}).get("places", ()):
            if place["level"] == "words":
                words = [word for word in fold(place["name"]).split() if word not in _SAYS_NOTHING]
                found.update(f"{one} {two}" for one, two in pairwise(words))
    return frozenset(found)


def telling_words(lines: Iterable[Sequence[str]], names: frozenset[str] = frozenset()) -> frozenset[str]:
    """Folded words that say something, and pairs of neighbours; numbers and the names of its places left out."""
    found: set[str] = set()
    for line in lines:
        before = ""
        for word in line:
            speaks = len(word) >= _FEWEST_LETTERS and word.isalpha() and word not in _SAYS_NOTHING
            if not speaks or word in names:
                before = ""
                continue
            found.add(word)
            if before:
                found.add(f"{before} {word}")
            before = word
    return frozenset(found)


# ---- too many -------------------------------------------------------------------------------------------------------


def _call_for_many(session: Session, lead: Ticket, now: datetime) -> None:
    """Call the desk and the leaders, once an incident, when more like reports come than chance would bring."""
    group = sa.or_(
        Ticket.id == lead.id,
        Ticket.merged_into_id == lead.id,
        Ticket.id.in_(sa.select(Likeness.ticket_id).where(Likeness.lead_id == lead.id)),
    )
    recent = session.execute(
        sa.select(sa.func.count(), sa.func.min(Ticket.opened_at)).where(group, Ticket.opened_at > now - SURGE_TIME)
    ).one()
    usual = [Ticket.commune_id == lead.commune_id, Ticket.topic == lead.topic]
    if lead.place_id is not None:
        usual.append(Ticket.place_id == lead.place_id)
    begun = recent[1] or now
    before = session.scalar(
        sa.select(sa.func.count()).where(*usual, Ticket.opened_at.between(begun - USUAL_TIME, begun), ~group)
    )
    if recent[0] >= surge_from(before or 0) and raise_alert(
        session,
        lead.commune_id,
        AlertKind.SURGE,
        f"surge:{lead.id}",
        now,
        ticket_id=lead.id,
        audience="desk",
        many=recent[0],
        since=begun.isoformat(),
    ):
        log.info("incident.surge", ticket_id=lead.id, many=recent[0])
