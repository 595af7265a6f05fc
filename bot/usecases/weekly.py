"""The week: each Monday, or the first working day after it, leaders and units are told what is late and falls due."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from bot.access import OF_TICKETS, audit, may_direct, seen_by, sees_sealed
from bot.papers import week as paper
from bot.papers.letterhead import Letterhead, Signature
from bot.papers.week import Line, Sum, Week
from bot.rules.clocks import Calendar
from bot.rules.deadlines import VIETNAM, next_opening
from bot.runtime import Runtime
from bot.usecases.clocks import calendar_of
from bot.usecases.communes import commune_book, holidays_of, working_hours
from bot.usecases.slips import issuer_of, masked, office_of, seat_of
from bot.usecases.telling import label
from storage.agencies import Agency
from storage.alerts import raise_alert
from storage.communes import Commune
from storage.enums import AlertKind, Role, TransferState
from storage.officials import Official
from storage.papers import Transfer
from storage.tickets import Ticket

log = structlog.get_logger()

READERS = OF_TICKETS
NOBODY, NO_UNIT = "Chưa giao cán bộ", "Chưa phân công"


@dataclass(frozen=True)
class Span:
    """A week in Vietnam: its Monday, its Sunday, and the moment after it."""

    monday: date

    @property
    def sunday(self) -> date:
        """Its last day."""
        return self.monday + timedelta(days=6)

    @property
    def begins(self) -> datetime:
        """Its first moment."""
        return datetime.combine(self.monday, time(), VIETNAM)

    @property
    def ends(self) -> datetime:
        """The first moment of the next one."""
        return self.begins + timedelta(days=7)


def week_of(now: datetime) -> Span:
    """The week of this moment."""
    today = now.astimezone(VIETNAM).date()
    return Span(today - timedelta(days=today.weekday()))


def call_for_week(runtime: Runtime) -> int:
    """Tell each leader and unit of the week's list, once, from the week's first working moment on; gives how many."""
    now = runtime.now()
    span = week_of(now)
    with runtime.database.reading() as session:
        communes = list(session.scalars(sa.select(Commune)))
        open_now = [
            one.id
            for one in communes
            if next_opening(span.begins, working_hours(dict(one.settings)), holidays_of(session, one.id)) <= now
        ]
    called = 0
    for commune_id in open_now:
        with runtime.database.transaction() as session:
            called += _call(session, commune_id, span, now)
    return called


def the_week(runtime: Runtime, official: Official) -> Week:
    """The list of this week as the official may see it: all of the commune, or what is theirs and their unit's."""
    now = runtime.now()
    span = week_of(now)
    with runtime.database.reading() as session:
        commune = session.get_one(Commune, official.commune_id)
        calendar = calendar_of(commune_book(session, commune.id))
        rows = session.execute(
            sa.select(Ticket, Agency.name, Official.name)
            .outerjoin(Agency, Agency.id == Ticket.agency_id)
            .outerjoin(Official, Official.id == Ticket.official_id)
            .where(seen_by(official), *_on_the_list(span))
            .order_by(Agency.name.is_(None), Agency.name, Official.name, Ticket.due_at, Ticket.id)
        ).all()
        bodies = _bodies(session, [row[0].id for row in rows])
        late = [row for row in rows if _is_late(row[0], now)]
        due = [row for row in rows if not _is_late(row[0], now)]

        def lines(of: Iterable[sa.Row[tuple[Ticket, str, str]]]) -> tuple[Line, ...]:
            return tuple(_line(row[0], row[1], row[2], bodies.get(row[0].id, ""), calendar, now) for row in of)

        late_lines, due_lines = lines(late), lines(due)
        return Week(
            letterhead=Letterhead(issuer_of(commune), seat_of(session, commune), now.astimezone(VIETNAM).date()),
            signature=Signature(*office_of(commune), ("Lưu: VT",)),
            begins=span.monday,
            ends=span.sunday,
            as_of=now,
            late=late_lines,
            due=due_lines,
            units=_sums(late_lines, due_lines, "unit"),
            officials=_sums(late_lines, due_lines, "official"),
            sealed=_sealed(session, official) if sees_sealed(official) else None,
        )


def export(runtime: Runtime, official: Official, kind: str, address: str) -> tuple[Week, bytes]:
    """The list as "pdf" or "csv"; who took it away is written down."""
    found = the_week(runtime, official)
    made = paper.draw(found) if kind == "pdf" else paper.as_csv(found).encode()
    with runtime.database.transaction() as session:
        audit(session, official, "week.exported", f"week:{found.begins.isoformat()}", runtime.now(), address or None,
              kind=kind, lines=len(found.late) + len(found.due))  # fmt: skip
    return found, made


def may_see_all(official: Official) -> bool:
    """Whether the list holds the whole commune."""
    return may_direct(official)


# ---- calling --------------------------------------------------------------------------------------------------------


def _call(session: Session, commune_id: int, span: Span, now: datetime) -> int:
    late: Counter[int | None] = Counter()
    due: Counter[int | None] = Counter()
    query = sa.select(Ticket).where(Ticket.commune_id == commune_id, Ticket.is_sealed.is_(False), *_on_the_list(span))
    for ticket in session.scalars(query):
        (late if _is_late(ticket, now) else due)[ticket.agency_id] += 1
    if not late and not due:
        return 0
    base = f"week:{commune_id}:{span.monday.isoformat()}"
    audiences = {
        f"official:{one.id}": (late.total(), due.total())
        for one in session.scalars(
            sa.select(Official).where(Official.commune_id == commune_id, Official.is_active.is_(True))
        )
        if one.has(Role.LEADER)
    }
    audiences |= {f"agency:{unit}": (late[unit], due[unit]) for unit in {*late, *due} if unit is not None}
    called = 0
    for audience, (many_late, many_due) in audiences.items():
        called += raise_alert(
            session, commune_id, AlertKind.WEEK, f"{base}:{audience}", now, audience=audience, late=many_late,
            due_this_week=many_due,
        )  # fmt: skip
    if called:
        log.info("week.called", commune_id=commune_id, called=called)
    return called


# ---- what stands on the list ----------------------------------------------------------------------------------------


def _on_the_list(span: Span) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        Ticket.is_open.is_(True),
        Ticket.is_spam.is_(False),
        Ticket.is_sealed.is_(False),
        Ticket.due_at.is_not(None),
        Ticket.due_at < span.ends,
    )


def _is_late(ticket: Ticket, now: datetime) -> bool:
    return ticket.paused_at is None and ticket.due_at is not None and ticket.due_at < now


def _bodies(session: Session, ticket_ids: list[int]) -> dict[int, str]:
    """The bodies outside that have a ticket now."""
    found: dict[int, str] = {}
    for start in range(0, len(ticket_ids), 500):
        query = sa.select(Transfer.ticket_id, Transfer.body).where(
            Transfer.ticket_id.in_(ticket_ids[start : start + 500]),
            Transfer.state.in_([TransferState.SENT, TransferState.ACKNOWLEDGED]),
        )
        found |= {ticket_id: body for ticket_id, body in session.execute(query.order_by(Transfer.id))}  # noqa: C416
    return found


def _line(
    ticket: Ticket, unit: str | None, person: str | None, body: str, calendar: Calendar, now: datetime
) -> Line:  # fmt: skip
    due = ticket.due_at or now
    return Line(
        ticket_id=ticket.id,
        code=ticket.code,
        topic=label(ticket.topic) if ticket.topic else "Chưa rõ",
        summary="(hạn chế người xem)" if ticket.is_restricted else masked(ticket.summary),
        unit=unit or NO_UNIT,
        official=person or NOBODY,
        due=due,
        late_days=_days(calendar.between(due, now), calendar) if _is_late(ticket, now) else "",
        why=_why(ticket, body),
    )


def _days(minutes: int, calendar: Calendar) -> str:
    """Working days to a tenth: "1,5"."""
    return f"{max(minutes, 0) / calendar.hours.minutes_a_day:.1f}".replace(".", ",")


def _why(ticket: Ticket, body: str) -> str:
    reasons = []
    if ticket.paused_at is not None:
        reasons.append("chờ người dân bổ sung, đang dừng tính hạn")
    if body:
        reasons.append(f"chờ {body} trả lời")
    if ticket.extension and ticket.extension.get("state") == "granted":
        reasons.append(f"đã gia hạn {ticket.extension['days']} ngày")
    if ticket.promised_at is not None:
        reasons.append(f"đã xin lỗi, hứa trả lời {ticket.promised_at.astimezone(VIETNAM):%d/%m}")
    return "; ".join(reasons)


def _sums(late: Iterable[Line], due: Iterable[Line], by: str) -> tuple[Sum, ...]:
    def named(line: Line) -> str:
        return line.unit if by == "unit" else f"{line.official} ({line.unit})"

    many_late, many_due = Counter(map(named, late)), Counter(map(named, due))
    names = sorted({*many_late, *many_due}, key=lambda name: (-many_late[name], -many_due[name], name))
    return tuple(Sum(name, many_late[name], many_due[name]) for name in names)


def _sealed(session: Session, official: Official) -> int:
    query = sa.select(sa.func.count()).select_from(Ticket).where(
        seen_by(official), Ticket.is_sealed.is_(True), Ticket.is_open.is_(True)
    )  # fmt: skip
    return session.scalar(query) or 0
