"""The routing table as people change it: looked at on the latest reports before it is kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from bot.access import audit
from bot.rules.deadlines import VIETNAM
from bot.rules.routing import Rule, Table
from bot.runtime import Runtime
from bot.usecases.communes import routing_table
from bot.usecases.describing import route_of
from bot.usecases.problems import Problem
from nlp.reading import Reading
from nlp.topics import TOPICS
from storage.agencies import Agency, RoutingRule
from storage.communes import Commune, Locality, Place, one_change_at_a_time
from storage.enums import Direction, Role
from storage.messages import Message
from storage.officials import Official
from storage.tickets import Ticket

log = structlog.get_logger()

KEEPERS = (Role.ADMIN, Role.LEADER)
LOOKED_AT = 200
FURTHEST = timedelta(days=366)


class RoutingProblem(Problem):
    """A rule that cannot be kept as it is written."""


@dataclass(frozen=True)
class Line:
    """A rule with the names people know."""

    id: int
    rule: Rule
    agency: str
    place: str | None


@dataclass(frozen=True)
class Book:
    """All that the page shows: rules now and to come, what to choose from, and who gets what without rules."""

    lines: list[Line]
    agencies: list[tuple[int, str]]
    places: list[tuple[int, str]]
    usual: dict[str, str]


@dataclass(frozen=True)
class Wish:
    """A change: this topic (at this place) goes to this agency from a day on; `agency_id` None: the rule ends."""

    topic: str
    place_id: int | None
    agency_id: int | None
    valid_from: date


@dataclass(frozen=True)
class Difference:
    """A report of the latest that would have gone elsewhere. Sealed ones are none of this page's business."""

    ticket_id: int
    code: str
    topic: str | None
    place: str | None
    before: str
    after: str


@dataclass(frozen=True)
class Trial:
    """What a change does to the latest reports; `seal`: proof that exactly this was looked at."""

    wish: Wish
    differences: list[Difference]
    looked_at: int
    seal: str


def overview(runtime: Runtime, official: Official) -> Book:
    """The commune's table as it stands, with what is entered for days to come."""
    _must(official)
    today = runtime.now().astimezone(VIETNAM).date()
    with runtime.database.reading() as session:
        agencies = _agencies(session, official.commune_id)
        places = _places(session, official.commune_id)
        names = {a.id: a.name for a in agencies}
        rows = session.scalars(
            sa.select(RoutingRule).where(
                RoutingRule.commune_id == official.commune_id,
                sa.or_(RoutingRule.valid_to.is_(None), RoutingRule.valid_to >= today),
            )
        )
        place_names = dict(places)
        lines = [
            Line(r.id, _rule(r), names.get(r.agency_id, "?"), place_names.get(r.place_id) if r.place_id else None)
            for r in rows
        ]
        by_slug = {a.slug: a.name for a in agencies}
        table = _table(session, official.commune_id, agencies)
    usual = {
        slug: by_slug.get(table.province.get(slug) or topic.agency or "", by_slug.get("van-phong", ""))
        for slug, topic in TOPICS.items()
    }
    order = list(TOPICS)
    lines.sort(key=lambda one: (order.index(one.rule.topic), one.place or "", one.rule.valid_from))
    return Book(lines, [(a.id, a.name) for a in agencies], places, usual)


def try_out(runtime: Runtime, official: Official, wish: Wish) -> Trial:
    """What the wish would have done to the latest reports, had it been in force. RoutingProblem."""
    _must(official)
    with runtime.database.reading() as session:
        agencies = _agencies(session, official.commune_id)
        _check(session, runtime, official, wish, agencies)
        names = {a.id: a.name for a in agencies} | {None: "—"}
        before = _table(session, official.commune_id, agencies)
        after = _with(before, wish)
        found = _latest(session, official.commune_id)
        places = dict(_places(session, official.commune_id))
    differences = []
    for ticket, probability in found:
        # As if they came on the day on which the rule begins.
        old, new = (route_of(ticket, probability, one, on=wish.valid_from) for one in (before, after))
        if old.agency_id != new.agency_id:
            place = places.get(ticket.place_id) if ticket.place_id else None
            differences.append(
                Difference(
                    ticket.id, ticket.code, ticket.topic, place, names.get(old.agency_id, "?"),
                    names.get(new.agency_id, "?"),
                )
            )  # fmt: skip
    return Trial(wish, differences, len(found), _seal(before, wish))


def keep(runtime: Runtime, official: Official, wish: Wish, seal: str) -> None:
    """Put the wish into the table; only what was looked at, on the table as it still stands. RoutingProblem."""
    _must(official)
    with runtime.database.transaction() as session:
        one_change_at_a_time(session, official.commune_id)
        agencies = _agencies(session, official.commune_id)
        _check(session, runtime, official, wish, agencies)
        if seal != _seal(_table(session, official.commune_id, agencies), wish):
            raise RoutingProblem("Bảng phân công vừa thay đổi hoặc chưa xem thử. Anh/Chị vui lòng xem thử lại rồi lưu.")
        same = (
            RoutingRule.commune_id == official.commune_id,
            RoutingRule.topic == wish.topic,
            RoutingRule.place_id.is_(None) if wish.place_id is None else RoutingRule.place_id == wish.place_id,
        )
        session.execute(sa.delete(RoutingRule).where(*same, RoutingRule.valid_from >= wish.valid_from))
        day_before = wish.valid_from - timedelta(days=1)
        session.execute(
            sa.update(RoutingRule)
            .where(*same, sa.or_(RoutingRule.valid_to.is_(None), RoutingRule.valid_to >= wish.valid_from))
            .values(valid_to=day_before)
        )
        if wish.agency_id is not None:
            session.add(
                RoutingRule(
                    commune_id=official.commune_id,
                    topic=wish.topic,
                    place_id=wish.place_id,
                    agency_id=wish.agency_id,
                    valid_from=wish.valid_from,
                )
            )
        audit(
            session, official, "routing.changed", f"topic:{wish.topic}", runtime.now(), place=wish.place_id,
            agency=wish.agency_id, valid_from=wish.valid_from.isoformat(),
        )  # fmt: skip
    log.info("routing.changed", commune_id=official.commune_id, topic=wish.topic)


def _with(table: Table, wish: Wish) -> Table:
    """The table once the wish is kept."""
    kept = []
    for rule in table.rules:
        if (rule.topic, rule.place_id) != (wish.topic, wish.place_id):
            kept.append(rule)
        elif rule.valid_from < wish.valid_from:
            kept.append(replace(rule, valid_to=min(rule.valid_to or date.max, wish.valid_from - timedelta(days=1))))
    if wish.agency_id is not None:
        kept.append(Rule(wish.topic, wish.place_id, wish.agency_id, wish.valid_from))
    return replace(table, rules=tuple(kept))


def _latest(session: Session, commune_id: int) -> list[tuple[Ticket, float]]:
    """The latest reports that anybody at the desk sees, with how sure their topic is."""
    query = (
        sa.select(Ticket)
        .where(Ticket.commune_id == commune_id, Ticket.is_sealed.is_(False), Ticket.is_spam.is_(False))
        .order_by(Ticket.id.desc())
        .limit(LOOKED_AT)
    )
    tickets = list(session.scalars(query))
    sure: dict[int, float] = {}
    rows = session.execute(
        sa.select(Message.ticket_id, Message.reading).where(
            Message.ticket_id.in_([t.id for t in tickets]),
            Message.direction == Direction.IN,
            Message.reading.is_not(None),
        )
    )
    topics = {t.id: t.topic for t in tickets}
    for ticket_id, reading in rows:
        for guess in Reading.from_json(reading).topics[:1]:
            if guess.slug == topics[ticket_id]:
                sure[ticket_id] = max(sure.get(ticket_id, 0.0), guess.probability)
    return [(t, 1.0 if t.topic_is_confirmed else sure.get(t.id, 0.0)) for t in tickets]


def _check(session: Session, runtime: Runtime, official: Official, wish: Wish, agencies: Sequence[Agency]) -> None:
    today = runtime.now().astimezone(VIETNAM).date()
    if wish.topic not in TOPICS:
        raise RoutingProblem("Không có lĩnh vực này. Anh/Chị vui lòng chọn trong danh sách.")
    if wish.agency_id is not None and wish.agency_id not in {a.id for a in agencies}:
        raise RoutingProblem("Không có đơn vị này trong danh sách của địa phương.")
    if wish.place_id is not None and wish.place_id not in dict(_places(session, official.commune_id)):
        raise RoutingProblem("Không có địa điểm này trong danh sách của địa phương.")
    if not today <= wish.valid_from <= today + FURTHEST:
        raise RoutingProblem("Ngày bắt đầu phải từ hôm nay và trong vòng một năm tới.")


def _table(session: Session, commune_id: int, agencies: Sequence[Agency]) -> Table:
    province = session.scalar(
        sa.select(Locality.parent_code)
        .join(Commune, Commune.locality_code == Locality.code)
        .where(Commune.id == commune_id)
    )
    return routing_table(session, commune_id, agencies, province or "")


def _agencies(session: Session, commune_id: int) -> list[Agency]:
    query = sa.select(Agency).where(Agency.commune_id == commune_id, Agency.is_active.is_(True))
    return list(session.scalars(query.order_by(Agency.name)))


def _places(session: Session, commune_id: int) -> list[tuple[int, str]]:
    query = sa.select(Place.id, Place.name).where(Place.commune_id == commune_id, Place.is_active.is_(True))
    return [(number, name) for number, name in session.execute(query.order_by(Place.name))]


def _rule(row: RoutingRule) -> Rule:
    return Rule(row.topic, row.place_id, row.agency_id, row.valid_from, row.valid_to)


def _seal(table: Table, wish: Wish) -> str:
    rules = sorted(map(repr, table.rules))
    return hashlib.sha256(json.dumps([rules, repr(wish)]).encode()).hexdigest()[:32]


def _must(official: Official) -> None:
    if not official.is_active or not official.has(*KEEPERS):
        raise RoutingProblem("Tài khoản của Anh/Chị không có quyền làm việc này.")
