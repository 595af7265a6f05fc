"""The month's book: every unsealed report of a month, on time or late in working time; of sealed ones a number only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.access import OF_WHOLE_COMMUNE, audit
from bot.papers import book as paper
from bot.papers.book import Book, Line, Sum, days_of
from bot.papers.letterhead import Letterhead, Signature
from bot.rules.clocks import Calendar
from bot.rules.deadlines import VIETNAM
from bot.runtime import Runtime
from bot.usecases.clocks import calendar_of
from bot.usecases.communes import commune_book
from bot.usecases.slips import issuer_of, masked, office_of, seat_of
from bot.usecases.telling import label
from storage.agencies import Agency
from storage.channels import Channel
from storage.communes import Commune, Place
from storage.contacts import Conversation
from storage.enums import EventKind, Role, TicketState
from storage.figures import Timing, carried, timing
from storage.officials import Official
from storage.tickets import Ticket, TicketEvent

READERS = (Role.RECEIVER, Role.LEADER, Role.ADMIN)
FIRST_YEAR = 2025  # of the communes as they are now
HANDED_TOO_OFTEN = 2
_RATINGS = {1: "không hài lòng", 2: "chấp nhận", 3: "hài lòng"}
_RESULTS: Mapping[TicketState, str] = {
    TicketState.NEW: "Chờ tiếp nhận",
    TicketState.WAITING_CITIZEN: "Chờ bổ sung",
    TicketState.WAITING_APPROVAL: "Chờ duyệt",
    TicketState.FORWARDED: "Đã chuyển, chờ trả lời",
    TicketState.ANSWERED: "Đã trả lời",
    TicketState.CLOSED: "Đã kết thúc",
    TicketState.REOPENED: "Mở lại",
    TicketState.DECLINED: "Không tiếp nhận",
    TicketState.MERGED: "Đã ghép",
    TicketState.WITHDRAWN: "Người dân rút",
}
_UNKNOWN = "Chưa phân công"


@dataclass(frozen=True)
class _Found:
    ticket: Ticket
    channel: str
    agency: str
    place: str | None
    timing: Timing


def sees_lines(official: Official) -> bool:
    """Whether the official reads what was reported; who only administers sees sums."""
    return official.has(*OF_WHOLE_COMMUNE)


def month_book(runtime: Runtime, official: Official, year: int, month: int) -> Book:
    """The book of a month. Who administers sees sums only: what citizens reported is not theirs to read."""
    begins, ends = days_of(year, month)
    now = runtime.now()
    with runtime.database.reading() as session:
        commune = session.get_one(Commune, official.commune_id)
        calendar = calendar_of(commune_book(session, commune.id))
        found = _found(session, commune.id, begins, ends, now)
        timings = [one.timing for one in found]
        has_lines = sees_lines(official)
        lines = [_line(number, one, calendar, now) for number, one in enumerate(found, start=1)]
        topics = [label(one.ticket.topic) if one.ticket.topic else "Chưa rõ lĩnh vực" for one in found]
        return Book(
            letterhead=Letterhead(issuer_of(commune), seat_of(session, commune), now.astimezone(VIETNAM).date()),
            signature=Signature(office_of(commune)[0], office_of(commune)[1], ("Lưu: VT",)),
            year=year,
            month=month,
            as_of=now,
            lines=tuple(lines) if has_lines else (),
            total=_sum("Tổng cộng", timings),
            topics=_sums(topics, timings),
            agencies=_sums([one.agency or _UNKNOWN for one in found], timings),
            handed=tuple(_handed(session, [one.ticket for one in found])) if has_lines else (),
            sealed=_count(session, commune.id, Ticket.is_sealed.is_(True), *_within(begins, ends)),
            carried=_count(
                session,
                commune.id,
                Ticket.is_sealed.is_(False),
                Ticket.is_spam.is_(False),
                carried(begins),
            ),
        )


def export(runtime: Runtime, official: Official, year: int, month: int, kind: str, address: str) -> bytes:
    """The book as "pdf", "xlsx" or "csv"; who took it away is written down."""
    found = month_book(runtime, official, year, month)
    makers: dict[str, Callable[[Book], bytes]] = {
        "pdf": paper.draw,
        "xlsx": paper.as_workbook,
        "csv": lambda book: paper.as_csv(book).encode(),
    }
    made = makers[kind](found)
    with runtime.database.transaction() as session:
        audit(session, official, "book.exported", f"book:{year}-{month:02}", runtime.now(), address or None,
              kind=kind, lines=len(found.lines))  # fmt: skip
    return made


def _found(session: Session, commune_id: int, begins: datetime, ends: datetime, now: datetime) -> list[_Found]:
    rows = session.execute(
        sa.select(Ticket, Channel.name, Agency.name, Place.name, timing(now))
        .join(Conversation, Conversation.id == Ticket.conversation_id)
        .join(Channel, Channel.id == Conversation.channel_id)
        .outerjoin(Agency, Agency.id == Ticket.agency_id)
        .outerjoin(Place, Place.id == Ticket.place_id)
        .where(
            Ticket.commune_id == commune_id,
            Ticket.is_sealed.is_(False),
            Ticket.is_spam.is_(False),
            *_within(begins, ends),
        )
        .order_by(Ticket.opened_at, Ticket.id)
    )
    return [_Found(ticket, channel, agency or "", place, Timing(is_)) for ticket, channel, agency, place, is_ in rows]


def _within(begins: datetime, ends: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return Ticket.opened_at >= begins, Ticket.opened_at < ends


def _count(session: Session, commune_id: int, *conditions: sa.ColumnElement[bool]) -> int:
    query = sa.select(sa.func.count()).select_from(Ticket).where(Ticket.commune_id == commune_id, *conditions)
    return session.scalar(query) or 0


def _end_of(ticket: Ticket) -> datetime | None:
    """When the citizen had the answer, or the refusal; None while somebody works on it, and where none is due."""
    if ticket.is_open:
        return None
    return ticket.closed_at if ticket.state is TicketState.DECLINED else ticket.answered_at


def _line(number: int, found: _Found, calendar: Calendar, now: datetime) -> Line:
    ticket = found.ticket
    where = ticket.place_text or found.place or ""
    return Line(
        number=number,
        code=ticket.code,
        opened=ticket.opened_at,
        channel=found.channel,
        topic=label(ticket.topic) if ticket.topic else "Chưa rõ",
        summary="(hạn chế người xem)" if ticket.is_restricted else masked(ticket.summary),
        place=masked(where),
        agency=found.agency or _UNKNOWN,
        due=ticket.due_at,
        ended=_end_of(ticket),
        timing=_timing_words(ticket, found.timing, calendar, now),
        result=_RESULTS.get(ticket.state, "Đang xử lý"),
        rating=_RATINGS.get(ticket.rating or 0, ""),
    )


def _timing_words(ticket: Ticket, is_: Timing, calendar: Calendar, now: datetime) -> str:
    if is_ is Timing.LATE and ticket.due_at is not None:
        minutes = calendar.between(ticket.due_at, _end_of(ticket) or now)
        return f"Quá hạn {_working_time(minutes, calendar.hours.minutes_a_day)}"
    return {Timing.IN_TIME: "Đúng hạn", Timing.RUNNING: "Trong hạn", Timing.WITHOUT: ""}.get(is_, "")


def _working_time(minutes: int, a_day: int) -> str:
    days, rest = divmod(minutes, a_day)
    hours, left = divmod(rest, 60)
    parts = [f"{days} ngày"] if days else []
    parts += [f"{hours} giờ"] if hours else []
    return " ".join(parts) or f"{left} phút"


def _sums(names: Iterable[str], timings: Iterable[Timing]) -> tuple[Sum, ...]:
    grouped: dict[str, list[Timing]] = {}
    for name, one in zip(names, timings, strict=True):
        grouped.setdefault(name, []).append(one)
    return tuple(_sum(name, grouped[name]) for name in sorted(grouped, key=lambda name: (-len(grouped[name]), name)))


def _sum(name: str, timings: Iterable[Timing]) -> Sum:
    counted = Counter(timings)
    return Sum(
        name, counted.total(), counted[Timing.IN_TIME], counted[Timing.LATE], counted[Timing.RUNNING],
        counted[Timing.WITHOUT],
    )  # fmt: skip


def _handed(session: Session, tickets: list[Ticket]) -> Iterable[tuple[str, str]]:
    """Reports that were given on too often, and through which hands they went."""
    codes = {ticket.id: ticket.code for ticket in tickets}
    hands: dict[int, list[str]] = {}
    kinds = (EventKind.ASSIGNED, EventKind.STATE_CHANGED, EventKind.TRANSFER_SENT)
    ids = list(codes)
    for start in range(0, len(ids), 500):
        rows = session.execute(
            sa.select(TicketEvent.ticket_id, TicketEvent.data)
            .where(TicketEvent.ticket_id.in_(ids[start : start + 500]), TicketEvent.kind.in_(kinds))
            .order_by(TicketEvent.id)
        )
        for ticket_id, data in rows:
            name = str(data.get("agency") or data.get("body") or "")
            had = hands.setdefault(ticket_id, [])
            if name and (not had or had[-1] != name):
                had.append(name)
    for ticket_id, names in hands.items():
        if len(names) > HANDED_TOO_OFTEN:
            yield codes[ticket_id], " → ".join(names)
