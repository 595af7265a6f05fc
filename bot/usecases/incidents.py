"""Incidents: one piece of work that many reported: joining reports to it, saying what is another matter, parting.

The oldest report leads: its agency, its official, its deadline are the incident's. Whoever joined keeps a code of their
own, and gets all that is said about it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.access import may_direct, seen_by, ticket_for
from bot.queue import INBOX, REPLIES
from bot.rules.clocks import LONGEST_PAUSE_DAYS
from bot.rules.lifecycle import NotAllowed
from bot.runtime import Runtime
from bot.usecases import clocks
from bot.usecases.answered import give_result, say_to
from bot.usecases.communes import CommuneBook
from bot.usecases.desk import Changed, Desk
from bot.usecases.waking import wake
from storage.database import advisory_lock, insert_ignore
from storage.enums import EventKind, TicketState
from storage.incidents import (
    LOUDNESS,
    Difference,
    Joining,
    Likeness,
    comparable,
    joined_to,
    standing_joining,
)
from storage.officials import Official
from storage.tickets import Ticket, TicketEvent

PART_TIME = timedelta(days=30)
MOST_AT_ONCE = 200
# A draft that waits for a leader's word must be decided first.
_MAY_JOIN = frozenset(
    {
        TicketState.NEW,
        TicketState.RECEIVED,
        TicketState.WAITING_CITIZEN,
        TicketState.ASSIGNED,
        TicketState.IN_PROGRESS,
        TicketState.REOPENED,
    }
)


def join(runtime: Runtime, official: Official, ticket_id: int, *, version: int, others: Iterable[int]) -> int:
    """Make one incident of a ticket and others; gives the number of the one that leads. Raises NotAllowed, Changed."""
    with runtime.database.transaction() as session:
        desk = _open_desk(runtime, session, official, ticket_id, version)
        chosen = _chosen(desk, others)
        together = [desk.ticket, *chosen]
        lead = leading(session, together)
        rest = sorted((one for one in together if one is not lead), key=lambda one: (one.opened_at, one.id))
        stuck = next((one.code for one in rest if one.state not in _MAY_JOIN), None)
        if stuck is not None:
            raise NotAllowed(
                "not_joinable", "Phản ánh %(ma)s đang chờ duyệt kết quả hoặc đã chuyển đi nên chưa ghép được.", ma=stuck
            )
        for one in rest:
            join_one(desk, one, lead)
    runtime.nudge(REPLIES)
    runtime.nudge(INBOX)
    return lead.id


def leading(session: Session, together: Iterable[Ticket]) -> Ticket:
    """Which of these leads when they become one: the largest incident, or else the oldest report."""
    return min(together, key=lambda one: (-_size(session, one), one.opened_at, one.id))


def join_one(desk: Desk, ticket: Ticket, lead: Ticket) -> None:
    """An official joins one ticket to the lead; its writer is told, and gets the result where there is one."""
    session, now = desk.session, desk.now
    before = ticket.state
    attach(session, ticket, lead, desk.book, now, official_id=desk.official.id)
    data = {"from": before.value, "to": TicketState.MERGED.value, "into": lead.code}
    _event(session, ticket, EventKind.STATE_CHANGED, data, now, desk.official.id)
    _event(session, lead, EventKind.MERGED, {"from": ticket.code, "by": "official"}, now, desk.official.id)
    session.flush()
    agency = desk.book.agency_names.get(lead.agency_id or 0, desk.book.name)
    say_to(desk, ticket, "merged", {"ma0": lead.code, "donvi": agency})
    give_result(desk, lead, ticket)


def attach(
    session: Session, ticket: Ticket, lead: Ticket, book: CommuneBook, now: datetime, *, official_id: int | None = None
) -> None:
    """Join a ticket to the lead, remembering how both stood; the earlier deadline and the louder alarm hold."""
    session.add(
        Joining(
            commune_id=ticket.commune_id,
            ticket_id=ticket.id,
            into_id=lead.id,
            before=_stood(ticket, lead),
            lead_due_at=lead.due_at,
            at=now,
            official_id=official_id,
        )
    )
    source, ticket.state = ticket.state, TicketState.MERGED
    ticket.is_open, ticket.closed_at, ticket.is_touched, ticket.merged_into_id = False, now, True, lead.id
    ticket.version += 1
    clocks.moved(ticket, source, TicketState.MERGED, book, now)
    # Who had joined it waits for the same result now.
    session.execute(
        sa.update(Ticket)
        .where(Ticket.merged_into_id == ticket.id, Ticket.state == TicketState.MERGED)
        .values(merged_into_id=lead.id, version=Ticket.version + 1)
    )
    session.execute(sa.delete(Likeness).where(Likeness.ticket_id == ticket.id))
    session.execute(sa.update(Likeness).where(Likeness.lead_id == ticket.id).values(lead_id=lead.id))
    session.execute(sa.delete(Likeness).where(Likeness.ticket_id == lead.id, Likeness.lead_id == lead.id))
    ticket.snoozed_until = None
    wake(session, lead, now, "incident")
    lead.version += 1
    lead.is_touched = True
    lead.last_in_at = max(lead.last_in_at, ticket.last_in_at)
    if lead.is_open and not lead.is_sealed:
        lead.urgency = max(lead.urgency, ticket.urgency, key=LOUDNESS.__getitem__)
        keep_earliest(lead, [ticket], book)
    session.flush()


def keep_earliest(lead: Ticket, joined: Iterable[Ticket], book: CommuneBook) -> None:
    """The incident's deadline is the earliest of all."""
    lead.due_at = min(filter(None, (lead.due_at, *(one.due_at for one in joined))), default=lead.due_at)
    clocks.plan(lead, clocks.calendar_of(book))


def differ(runtime: Runtime, official: Official, ticket_id: int, *, version: int, others: Iterable[int]) -> None:
    """Remember that these tickets are another matter than this one: they are not proposed as one again."""
    with runtime.database.transaction() as session:
        desk = _open_desk(runtime, session, official, ticket_id, version)
        chosen = _chosen(desk, others)
        lead_id = session.scalar(sa.select(Likeness.lead_id).where(Likeness.ticket_id == ticket_id)) or ticket_id
        for one in chosen:
            # Who says "not this one" of one of a group says it of the group.
            theirs = {desk.ticket.id} if lead_id == one.id else _group(session, lead_id) - {one.id}
            _say_apart(session, one.commune_id, one.id, theirs, desk.now, official.id)
        apart = [desk.ticket.id] if lead_id in {one.id for one in chosen} else [one.id for one in chosen]
        session.execute(sa.delete(Likeness).where(Likeness.ticket_id.in_(apart)))
        session.execute(sa.update(Ticket).where(Ticket.id.in_(apart)).values(compare_at=desk.now))
        desk.event(EventKind.DIFFERED, {"codes": [one.code for one in chosen][:20]})
    runtime.nudge(INBOX)


def part(runtime: Runtime, official: Official, ticket_id: int, *, version: int) -> int:
    """Take a joined ticket out again, within thirty days, to where it stood; gives the number of the one that led."""
    with runtime.database.transaction() as session:
        desk = _open_desk(runtime, session, official, ticket_id, version)
        ticket, joining = desk.ticket, standing_joining(session, ticket_id)
        if joining is None or ticket.state is not TicketState.MERGED:
            raise NotAllowed("not_joined", "Phản ánh này không ghép vào phản ánh nào.")
        if joining.at < desk.now - PART_TIME:
            raise NotAllowed("too_late", "Đã ghép quá 30 ngày nên không tách ra được nữa.")
        lead = session.get_one(Ticket, ticket.merged_into_id, with_for_update=True)
        detach(session, ticket, lead, joining, desk.book, desk.now, official_id=official.id)
        _say_apart(session, ticket.commune_id, ticket.id, _group(session, lead.id), desk.now, official.id)
        if not ticket.is_sealed:
            say_to(desk, ticket, "parted", {})
    runtime.nudge(REPLIES)
    runtime.nudge(INBOX)
    return lead.id


def let_go(session: Session, lead: Ticket, book: CommuneBook, now: datetime, official_id: int | None = None) -> int:
    """The lead can answer nobody any more (sealed, put aside, erased): who joined it stands alone again."""
    joined = list(
        session.scalars(
            sa.select(Ticket).where(Ticket.merged_into_id == lead.id, Ticket.state == TicketState.MERGED).order_by(
                Ticket.id
            )
        )
    )  # fmt: skip
    for ticket in joined:
        joining = standing_joining(session, ticket.id)
        if joining is not None:
            detach(session, ticket, lead, joining, book, now, official_id=official_id)
    return len(joined)


def detach(
    session: Session,
    ticket: Ticket,
    lead: Ticket,
    joining: Joining,
    book: CommuneBook,
    now: datetime,
    *,
    official_id: int | None = None,
) -> None:
    """Put a joined ticket back to where it stood, with its clocks; who had joined it comes along."""
    joining.undone_at, joining.undone_by_id = now, official_id
    stood = TicketState(joining.before["state"])
    had_result, ticket.answered_at = ticket.answered_at is not None, None
    ticket.state = TicketState.RECEIVED if had_result else stood
    ticket.is_open, ticket.closed_at, ticket.merged_into_id = True, None, None
    ticket.acted_at = _moment(joining.before.get("acted_at"))
    ticket.accepted_at = _moment(joining.before.get("accepted_at")) or (now if had_result else None)
    ticket.version += 1
    ticket.compare_at = now
    calendar = clocks.calendar_of(book)
    if had_result:  # what it was told was about something else: it is owed an answer anew
        ticket.rating = ticket.rated_at = None
        clocks.begin_again(ticket, book, now)
    elif stood is TicketState.WAITING_CITIZEN:
        ticket.paused_at, ticket.paused_until = now, calendar.plus_days(now, LONGEST_PAUSE_DAYS)
    clocks.plan(ticket, calendar)
    followers = sa.select(Joining.ticket_id).where(Joining.into_id == ticket.id, Joining.undone_at.is_(None))
    session.execute(
        sa.update(Ticket)
        .where(Ticket.id.in_(followers), Ticket.merged_into_id == lead.id)
        .values(merged_into_id=ticket.id, version=Ticket.version + 1)
    )
    session.flush()
    _take_back(session, lead, ticket, book)
    lead.version += 1
    _event(session, ticket, EventKind.PARTED, {"from": lead.code, "to": ticket.state.value}, now, official_id)
    _event(session, lead, EventKind.PARTED, {"ticket": ticket.code}, now, official_id)
    session.flush()


def _take_back(session: Session, lead: Ticket, ticket: Ticket, book: CommuneBook) -> None:
    """Where deadline or alarm were the parted one's, they are again the earliest and loudest of those who stay."""
    first = session.scalar(sa.select(Joining).where(Joining.into_id == lead.id).order_by(Joining.id).limit(1))
    if first is None or not lead.is_open:
        return
    stay = joined_to(session, lead.id)
    if lead.due_at is not None and lead.due_at == ticket.due_at and first.lead_due_at is not None:
        lead.due_at = first.lead_due_at
        keep_earliest(lead, stay, book)
    if lead.urgency is ticket.urgency and lead.urgency_set_at is None:
        own = type(lead.urgency)(first.before["lead_urgency"])
        lead.urgency = max(own, *(one.urgency for one in stay), key=LOUDNESS.__getitem__) if stay else own


def _stood(ticket: Ticket, lead: Ticket) -> dict[str, Any]:
    return {
        "state": ticket.state.value,
        "acted_at": ticket.acted_at.isoformat() if ticket.acted_at else None,
        "accepted_at": ticket.accepted_at.isoformat() if ticket.accepted_at else None,
        "lead_urgency": lead.urgency.value,
    }


def _moment(words: str | None) -> datetime | None:
    return datetime.fromisoformat(words) if words else None


def _open_desk(runtime: Runtime, session: Session, official: Official, ticket_id: int, version: int) -> Desk:
    """Like `at_desk`; others who join or compare in this commune wait, as several tickets change at once."""
    advisory_lock(session, f"incidents:{official.commune_id}")
    ticket = ticket_for(session, official, ticket_id, locked=True)
    if ticket.version != version:
        raise Changed(ticket_id)
    if not may_direct(official):
        raise NotAllowed("not_yours", "Tài khoản của Anh/Chị không được phép thực hiện bước này.")
    desk = Desk(runtime, session, official, ticket, runtime.now())
    ticket.version += 1
    ticket.is_touched = True
    return desk


def _chosen(desk: Desk, others: Iterable[int]) -> list[Ticket]:
    wanted = sorted(set(others) - {desk.ticket.id})[:MOST_AT_ONCE]
    if not wanted:
        raise NotAllowed("none_chosen", "Anh/Chị chưa chọn phản ánh nào.")
    query = sa.select(Ticket).where(Ticket.id.in_(wanted), seen_by(desk.official), comparable()).order_by(Ticket.id)
    found = list(desk.session.scalars(query.with_for_update(of=Ticket).execution_options(populate_existing=True)))
    if len(found) < len(wanted):
        raise NotAllowed(
            "changed",
            "Có phản ánh đã chọn vừa kết thúc hoặc đã được ghép. Anh/Chị tải lại trang rồi chọn lại.",
        )
    if desk.ticket.is_sealed or desk.ticket.is_spam or not desk.ticket.is_open:
        raise NotAllowed("ended", "Phản ánh này đã kết thúc, đang niêm phong hoặc là tin rác nên không ghép được.")
    return found


def _size(session: Session, ticket: Ticket) -> int:
    query = sa.select(sa.func.count()).where(Ticket.merged_into_id == ticket.id, Ticket.state == TicketState.MERGED)
    return session.scalar(query) or 0


def _group(session: Session, lead_id: int) -> set[int]:
    """All that are, or are proposed to be, one with the lead."""
    alike = session.scalars(sa.select(Likeness.ticket_id).where(Likeness.lead_id == lead_id).limit(MOST_AT_ONCE))
    joined = session.scalars(sa.select(Ticket.id).where(Ticket.merged_into_id == lead_id).limit(MOST_AT_ONCE))
    return {lead_id, *alike, *joined}


def _say_apart(
    session: Session, commune_id: int, one: int, others: set[int], now: datetime, official_id: int | None
) -> None:
    rows = [
        {"commune_id": commune_id, "first_id": min(one, other), "second_id": max(one, other),
         "official_id": official_id, "at": now}
        for other in sorted(others - {one})
    ]  # fmt: skip
    insert_ignore(session, Difference, rows)


def _event(
    session: Session, ticket: Ticket, kind: EventKind, data: dict[str, Any], now: datetime, official_id: int | None
) -> None:
    session.add(
        TicketEvent(
            commune_id=ticket.commune_id, ticket_id=ticket.id, kind=kind, at=now, official_id=official_id, data=data
        )
    )
