"""Accusing: which unit a sealed report accuses. Its words propose it, a reader decides; its people do not see it.

What surely accuses the commune's leadership nobody of the commune opens (domain §8.2, 5): the citizen is told of the
province's doors, and the words go by the rule of retention for them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.access import Forbidden, audit, reads_sealed, sees_sealed
from bot.rules.accusation import LEADERSHIP, accused
from bot.rules.lifecycle import NotAllowed
from bot.runtime import Runtime
from bot.usecases.communes import CommuneBook
from bot.usecases.desk import at_desk
from bot.usecases.officials import readers_of
from nlp.normalise import fold
from storage.agencies import Agency
from storage.audit import AuditEntry
from storage.enums import EventKind, Role, Urgency
from storage.officials import Official
from storage.tickets import THE_LEADERS, Ticket

# Who may have a sealed report that its own leaders must not see, the first that is not accused itself.
_TRUSTED = (LEADERSHIP, "tiep-cong-dan")
PROPOSED = "ticket.accusation_proposed"


def accuse(runtime: Runtime, official: Official, ticket_id: int, *, version: int, agency_id: int | None) -> int:
    """Mark the unit that is accused, or none; gives how many named readers are left to read the report.

    Who belongs to that unit does not see it any more, the marking official included; it is not routed there.
    """
    with at_desk(runtime, official, ticket_id, version) as desk:
        ticket = desk.ticket
        if not (ticket.is_sealed and reads_sealed(official, ticket)):
            raise Forbidden
        agency = desk.session.get(Agency, agency_id) if agency_id is not None else None
        if agency_id is not None and (agency is None or agency.commune_id != ticket.commune_id):
            raise NotAllowed(
                "no_such_agency", "Không có đơn vị này ở địa phương. Anh/Chị vui lòng chọn trong danh sách."
            )
        ticket.proposed_agencies = _still_proposed(ticket, agency)
        ticket.accused_agency_id = agency_id
        ticket.accusation_decided_at = desk.now
        _take_away(desk.session, ticket, desk.book)
        desk.event(EventKind.ACCUSED, {"agency": agency.name if agency else None})
        audit(desk.session, official, "ticket.accused", f"ticket:{ticket_id}", desk.now, agency_id=agency_id)
        return len(readers_left(desk.session, ticket))


def _still_proposed(ticket: Ticket, decided: Agency | None) -> str:
    """Who stays shut out besides the unit that a reader names: "nobody" is said of all, a name of one only."""
    if decided is None:
        return ""
    left = ticket.shut_out - {decided.id, ticket.accused_agency_id}
    if decided.slug == LEADERSHIP:
        left |= {THE_LEADERS}  # whoever leads, of whatever unit
    return _listed(left)


def _listed(units: Iterable[int | None]) -> str:
    numbers = sorted(unit for unit in units if unit is not None)
    return f",{','.join(map(str, numbers))},"[:400] if numbers else ""


def readers_left(session: Session, ticket: Ticket) -> list[Official]:
    """The named readers of a commune who are not of the unit that a report accuses."""
    return [one for one in readers_of(session, ticket.commune_id) if reads_sealed(one, ticket)]


def units_that_leave_nobody(session: Session, ticket: Ticket) -> set[int]:
    """Units to which every named reader belongs: marked as accused, nobody of the commune could read the report."""
    readers = readers_of(session, ticket.commune_id)
    units = {one.agency_id for one in readers}
    return {unit for unit in units if unit is not None} if len(units) == 1 else set()


def propose(
    session: Session,
    ticket: Ticket,
    book: CommuneBook,
    texts: Iterable[str],
    now: datetime,
    *,
    is_denunciation: bool = True,
    is_whole: bool = True,
) -> None:
    """Shut out whom the words of a sealed report seem to accuse, until a reader has decided.

    `texts`: what was said since a reader decided last, or all of it; unless it is all (`is_whole`), nobody who is shut
    out is let in again. Only what the reader took for a denunciation may be one that nobody of the commune opens: where
    an official seals, who has read it, the leadership is one unit among others. Danger is called out to somebody: where
    no reader would be left to hear of it, nobody is shut out.
    """
    names = {slug: (fold(book.agency_names[number]),) for slug, number in book.agencies.items() if slug != LEADERSHIP}
    found = [accused(fold(text), names) for text in texts]
    named = {slug for one in found for slug in one.units}
    units = {book.agencies[slug] for slug in named if slug in book.agencies}
    units |= {THE_LEADERS} if LEADERSHIP in named else set()
    was = (ticket.proposed_agencies, ticket.accuses_leaders)
    if not is_whole or ticket.accusation_decided_at is not None:
        units |= ticket.shut_out - {ticket.accused_agency_id}
    is_in_danger = ticket.urgency is Urgency.EMERGENCY
    is_sure = is_denunciation and not is_in_danger and any(one.leaders for one in found)
    ticket.accuses_leaders = is_sure or (ticket.accuses_leaders and (ticket.is_touched or not is_whole))
    ticket.proposed_agencies = _listed(units)
    if is_in_danger and not ticket.accuses_leaders and not readers_left(session, ticket):
        ticket.proposed_agencies = ""
    _take_away(session, ticket, book)
    if was != (ticket.proposed_agencies, ticket.accuses_leaders):
        session.flush()
        session.add(
            AuditEntry(
                commune_id=ticket.commune_id, at=now, action=PROPOSED, target=f"ticket:{ticket.id}",
                data={"agencies": sorted(units), "leaders": ticket.accuses_leaders},
            )
        )  # fmt: skip


def proposed_names(session: Session, ticket: Ticket) -> list[str]:
    """The units that its words seem to accuse, about which no reader has decided."""
    if not ticket.proposed_agencies:
        return []
    numbers = ticket.shut_out - {ticket.accused_agency_id}
    return list(session.scalars(sa.select(Agency.name).where(Agency.id.in_(numbers)).order_by(Agency.id)))


def count_for_the_province(session: Session, official: Official) -> int:
    """How many live reports accuse the leadership; for named readers who are not of it, and not which or when."""
    leadership = sa.select(Agency.id).where(Agency.commune_id == official.commune_id, Agency.slug == LEADERSHIP)
    if not sees_sealed(official) or official.has(Role.LEADER) or official.agency_id == session.scalar(leadership):
        return 0
    query = sa.select(sa.func.count()).select_from(Ticket).where(
        Ticket.commune_id == official.commune_id, Ticket.accuses_leaders.is_(True), Ticket.words_gone_at.is_(None)
    )  # fmt: skip
    return session.scalar(query) or 0


def _take_away(session: Session, ticket: Ticket, book: CommuneBook) -> None:
    """What a unit that is shut out has is given to somebody else."""
    shut = ticket.shut_out
    if ticket.accuses_leaders:
        ticket.agency_id = ticket.official_id = None
        return
    if ticket.agency_id in shut:
        trusted = (book.agencies.get(slug) for slug in _TRUSTED)
        ticket.agency_id = next((number for number in trusted if number is not None and number not in shut), None)
    handler = session.get(Official, ticket.official_id) if ticket.official_id is not None else None
    if handler is not None and handler.agency_id in shut:
        ticket.official_id = None


def must_not_be_accused(ticket: Ticket, agency: Agency) -> None:
    """Nothing is given to the unit that it accuses, or seems to."""
    if ticket.is_sealed and agency.id in ticket.shut_out:
        raise NotAllowed("accused", "Đơn vị này đang bị tố cáo trong phản ánh nên không giao cho đơn vị được.")
