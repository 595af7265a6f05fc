"""Units of a commune and bodies outside, as the administrator keeps them: names, heads, telephones, and their end.

A unit that closes names the one that goes on with its work: open reports, routing rules and its people follow on the
first day without it. What a rule says about a topic of the closed unit by custom becomes a rule for the other one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from bot.access import NotFound, audit
from bot.rules.deadlines import VIETNAM
from bot.rules.routing import TRIAGE
from bot.runtime import Runtime
from bot.usecases.administering import AdminProblem, commune_for_change, must_administer
from bot.usecases.communes import routing_table
from bot.usecases.handing import move_to, open_work_at
from nlp.normalise import fold
from nlp.topics import TOPICS
from storage.agencies import FIRST_DAY, Agency, RoutingRule
from storage.audit import AuditEntry
from storage.communes import Commune, Locality
from storage.enums import Role
from storage.officials import Official
from storage.tickets import Ticket

log = structlog.get_logger()

# Routing falls back on them, and what is sealed or given back goes there.
NEEDED = frozenset({TRIAGE, "lanh-dao", "tiep-cong-dan"})
LONGEST_NAME, LONGEST_PHONE, LONGEST_CODE = 160, 32, 40
FURTHEST = timedelta(days=366)


@dataclass(frozen=True)
class Unit:
    """A unit with how many work there, how many open reports it has, and who comes after it."""

    agency: Agency
    people: int
    work: int
    successor: str = ""


@dataclass(frozen=True)
class Units:
    """All units: the commune's own, bodies outside, and those that are no more."""

    own: list[Unit]
    outside: list[Unit]
    closed: list[Unit]


@dataclass(frozen=True)
class About:
    """What a form says of a unit."""

    name: str
    head: str = ""
    phone: str = ""
    code: str = ""
    is_external: bool = False


@dataclass(frozen=True)
class Closing:
    """What follows from a unit's end: its open reports, its people, its topics. `readers`: who stays behind."""

    agency: Agency
    heir: Agency
    on: date
    work: list[Ticket]
    people: list[str]
    readers: list[str]
    topics: list[str]


def overview(runtime: Runtime, by: Official) -> Units:
    """The commune's units with their work. Sealed reports are not counted."""
    must_administer(by)
    with runtime.database.reading() as session:
        rows = session.scalars(sa.select(Agency).where(Agency.commune_id == by.commune_id).order_by(Agency.name)).all()
        people = _counts(session, sa.select(Official.agency_id, sa.func.count()).where(
            Official.commune_id == by.commune_id, Official.is_active).group_by(Official.agency_id))  # fmt: skip
        work = _counts(session, sa.select(Ticket.agency_id, sa.func.count()).where(
            Ticket.commune_id == by.commune_id, Ticket.is_open, Ticket.is_sealed.is_(False)
        ).group_by(Ticket.agency_id))  # fmt: skip
    names = {row.id: row.name for row in rows}
    units = [Unit(a, people.get(a.id, 0), work.get(a.id, 0), names.get(a.successor_id or 0, "")) for a in rows]
    active = [one for one in units if one.agency.is_active]
    return Units(
        [one for one in active if not one.agency.is_external],
        [one for one in active if one.agency.is_external],
        [one for one in units if not one.agency.is_active],
    )


def find(runtime: Runtime, by: Official, agency_id: int) -> Agency:
    """One of the commune's units. NotFound."""
    must_administer(by)
    with runtime.database.reading() as session:
        return _found(session, by, agency_id)


def add(runtime: Runtime, by: Official, about: About) -> int:
    """Add a unit, or a body outside; gives its number. AdminProblem."""
    must_administer(by)
    with runtime.database.transaction() as session:
        commune_for_change(session, by)
        agency = Agency(commune_id=by.commune_id, slug="", is_external=about.is_external)
        _take(session, agency, about)
        agency.slug = _slug(session, by.commune_id, agency.name)
        session.add(agency)
        session.flush()
        audit(session, by, "agency.added", f"agency:{agency.id}", runtime.now(), name=agency.name)
        return agency.id


def change(runtime: Runtime, by: Official, agency_id: int, about: About) -> None:
    """Put a unit's name, head or telephone right; its reports keep it. AdminProblem."""
    must_administer(by)
    with runtime.database.transaction() as session:
        commune_for_change(session, by)
        agency = _found(session, by, agency_id)
        before = agency.name
        _take(session, agency, about)
        audit(session, by, "agency.changed", f"agency:{agency.id}", runtime.now(), before=before, name=agency.name)


def heirs(runtime: Runtime, by: Official, agency_id: int) -> list[tuple[int, str]]:
    """The units that could go on with the work of this one."""
    must_administer(by)
    with runtime.database.reading() as session:
        query = sa.select(Agency.id, Agency.name).where(
            Agency.commune_id == by.commune_id, Agency.is_active, Agency.closes_on.is_(None), Agency.id != agency_id,
            Agency.is_external.is_(_found(session, by, agency_id).is_external),
        )  # fmt: skip
        return list(session.execute(query.order_by(Agency.name)).tuples())


def preview(runtime: Runtime, by: Official, agency_id: int, heir_id: int, on: date) -> Closing:
    """What would follow; nothing is changed. AdminProblem."""
    must_administer(by)
    with runtime.database.reading() as session:
        return _closing(session, runtime, by, agency_id, heir_id, on)


def close(runtime: Runtime, by: Official, agency_id: int, heir_id: int, on: date, *, seen: int) -> bool:
    """Let a unit end on this day; whether that was at once. `seen`: the open reports that were shown. AdminProblem."""
    must_administer(by)
    now = runtime.now()
    with runtime.database.transaction() as session:
        commune_for_change(session, by)
        closing = _closing(session, runtime, by, agency_id, heir_id, on)
        if len(closing.work) != seen:
            raise AdminProblem("Số việc đang mở vừa thay đổi nên chưa làm gì. Anh/Chị xem lại rồi bấm lần nữa.")
        agency = closing.agency
        agency.closes_on, agency.successor_id = on, heir_id
        audit(session, by, "agency.closing", f"agency:{agency.id}", now, on=on.isoformat(), to=heir_id)
        is_today = on <= _today(runtime)
        if is_today:
            _carry_out(session, runtime, agency, by)
        return is_today


def keep_open(runtime: Runtime, by: Official, agency_id: int) -> None:
    """Call an end off that has not come yet. AdminProblem."""
    must_administer(by)
    with runtime.database.transaction() as session:
        commune_for_change(session, by)
        agency = _found(session, by, agency_id)
        if agency.closes_on is None or not agency.is_active:
            raise AdminProblem("Đơn vị này không có ngày kết thúc nào để bỏ. Anh/Chị vui lòng tải lại trang.")
        agency.closes_on = agency.successor_id = None
        audit(session, by, "agency.kept_open", f"agency:{agency.id}", runtime.now())


def close_due(runtime: Runtime) -> int:
    """Carry out the ends whose day has come; gives how many."""
    due = (Agency.is_active, Agency.closes_on.is_not(None), Agency.closes_on <= _today(runtime))
    with runtime.database.reading() as session:
        if session.scalar(sa.select(Agency.id).where(*due).limit(1)) is None:
            return 0
    with runtime.database.transaction() as session:
        found = session.scalars(sa.select(Agency).where(*due).with_for_update()).all()
        for agency in found:
            _carry_out(session, runtime, agency, None)
    return len(found)


def _closing(session: Session, runtime: Runtime, by: Official, agency_id: int, heir_id: int, on: date) -> Closing:
    agency, heir = _found(session, by, agency_id), _found(session, by, heir_id)
    if not agency.is_active:
        raise AdminProblem("Đơn vị này đã kết thúc rồi.")
    if agency.slug in NEEDED:
        raise AdminProblem(
            "Hệ thống luôn cần %(ten)s: phản ánh chưa rõ đơn vị về đây. Anh/Chị đổi tên thay vì cho kết thúc.",
            ten=agency.name,
        )
    if heir.id == agency.id or not heir.is_active or heir.closes_on or heir.is_external is not agency.is_external:
        raise AdminProblem("Cần chọn một đơn vị khác đang hoạt động để nhận việc.")
    if session.scalar(sa.select(Agency.id).where(Agency.successor_id == agency.id, Agency.is_active).limit(1)):
        raise AdminProblem("Một đơn vị khác sắp bàn giao việc cho đơn vị này. Anh/Chị bỏ ngày kết thúc đó trước.")
    if not _today(runtime) <= on <= _today(runtime) + FURTHEST:
        raise AdminProblem("Ngày kết thúc phải từ hôm nay và trong vòng một năm tới.")
    people = _people(session, agency)
    province = _of_province(session, by.commune_id)
    topics = [slug for slug, topic in TOPICS.items() if province.get(slug, topic.agency) == agency.slug]
    return Closing(
        agency, heir, on, open_work_at(session, agency),
        [one.name for one in people if not one.has(Role.SEALED_READER)],
        [one.name for one in people if one.has(Role.SEALED_READER)], topics,
    )  # fmt: skip


def _carry_out(session: Session, runtime: Runtime, agency: Agency, by: Official | None) -> None:
    heir = session.get_one(Agency, agency.successor_id)
    now = runtime.now()
    moved = move_to(session, agency, heir, now)
    for person in _people(session, agency):
        if not person.has(Role.SEALED_READER):  # whom its end must not let read what accuses it
            person.agency_id = heir.id
    _reroute(session, agency, heir)
    agency.is_active = False
    session.add(
        AuditEntry(
            commune_id=agency.commune_id, official_id=by.id if by else None, at=now, action="agency.closed",
            target=f"agency:{agency.id}", data={"to": heir.id, "handed_over": moved},
        )
    )  # fmt: skip
    log.info("agency.closed", agency_id=agency.id, to=heir.id, moved=moved)


def _reroute(session: Session, agency: Agency, heir: Agency) -> None:
    """Rules that name the unit name the other one; topics that came to it by custom get a rule."""
    on = agency.closes_on or FIRST_DAY
    rules = session.scalars(sa.select(RoutingRule).where(RoutingRule.commune_id == agency.commune_id)).all()
    for rule in rules:
        if rule.agency_id != agency.id or (rule.valid_to is not None and rule.valid_to < on):
            continue
        if rule.valid_from >= on:
            rule.agency_id = heir.id
            continue
        session.add(
            RoutingRule(
                commune_id=agency.commune_id, topic=rule.topic, place_id=rule.place_id, agency_id=heir.id,
                valid_from=on, valid_to=rule.valid_to,
            )
        )  # fmt: skip
        rule.valid_to = on - timedelta(days=1)
    ruled = {r.topic for r in rules if r.place_id is None and r.valid_from <= on and (r.valid_to or on) >= on}
    province = _of_province(session, agency.commune_id)
    usual = [slug for slug, topic in TOPICS.items() if province.get(slug, topic.agency) == agency.slug]
    session.add_all(
        RoutingRule(commune_id=agency.commune_id, topic=slug, agency_id=heir.id, valid_from=on)
        for slug in usual
        if slug not in ruled
    )


def _of_province(session: Session, commune_id: int) -> dict[str, str]:
    commune = session.get_one(Commune, commune_id)
    locality = session.get_one(Locality, commune.locality_code)
    return dict(routing_table(session, commune_id, (), locality.parent_code or "").province)


def _take(session: Session, agency: Agency, about: About) -> None:
    name, head = " ".join(about.name.split()), " ".join(about.head.split())
    if not 2 <= len(name) <= LONGEST_NAME:
        raise AdminProblem("Cần ghi tên đơn vị, từ 2 đến %(n)s ký tự.", n=LONGEST_NAME)
    if len(head) > 120:
        raise AdminProblem("Tên người phụ trách dài hơn 120 ký tự.")
    if len(about.phone) > LONGEST_PHONE or not all(c.isdigit() or c in "+ .-()" for c in about.phone):
        raise AdminProblem("Số điện thoại chỉ gồm chữ số, dấu cách, dấu chấm và dấu +.")
    if len(about.code) > LONGEST_CODE:
        raise AdminProblem("Mã định danh dài hơn %(n)s ký tự.", n=LONGEST_CODE)
    query = sa.select(Agency).where(Agency.commune_id == agency.commune_id, Agency.is_active)
    if any(fold(one.name) == fold(name) for one in session.scalars(query) if one.id != agency.id):
        raise AdminProblem("Đã có đơn vị mang tên này. Anh/Chị vui lòng ghi tên khác.")
    agency.name, agency.contact_name = name, head or None
    agency.phone, agency.official_code = about.phone.strip() or None, about.code.strip() or None


def _slug(session: Session, commune_id: int, name: str) -> str:
    base = re.sub(r"[^a-z0-9]+", "-", fold(name)).strip("-")[:50] or "don-vi"
    taken = set(session.scalars(sa.select(Agency.slug).where(Agency.commune_id == commune_id)))
    return next(slug for slug in (base, *(f"{base}-{n}" for n in range(2, 1000))) if slug not in taken)


def _people(session: Session, agency: Agency) -> list[Official]:
    query = sa.select(Official).where(Official.agency_id == agency.id, Official.is_active)
    return list(session.scalars(query.order_by(Official.name)))


def _counts(session: Session, query: sa.Select[tuple[int | None, int]]) -> dict[int | None, int]:
    return dict(session.execute(query).tuples().all())


def _found(session: Session, by: Official, agency_id: int) -> Agency:
    found = session.scalar(sa.select(Agency).where(Agency.id == agency_id, Agency.commune_id == by.commune_id))
    if found is None:
        raise NotFound
    return found


def _today(runtime: Runtime) -> date:
    return runtime.now().astimezone(VIETNAM).date()
