"""Bulk, before anything is done: what would happen with each of many reports, and why not with some."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.access import may_direct, roles_on, seen_by
from bot.rules.bulk import MOST, Given, Standing, check
from bot.rules.lifecycle import NotAllowed
from bot.rules.snoozing import Choice, Until, choices, latest_moment, moment_of
from bot.runtime import Runtime
from bot.usecases import incidents
from bot.usecases.clocks import calendar_of, running
from bot.usecases.communes import CommuneBook, commune_book
from storage.agencies import Agency
from storage.enums import BulkDeed
from storage.incidents import joined_to
from storage.officials import Official
from storage.tickets import Ticket


@dataclass(frozen=True)
class Wish:
    """What an official wants done with the reports chosen, and what goes with it, as the form says it."""

    deed: BulkDeed
    chosen: tuple[int, ...]
    agency_id: int | None = None
    topic: str | None = None
    until: str = ""
    day: date | None = None

    @property
    def is_whole(self) -> bool:
        """Whether all is there that the deed needs."""
        needed = {BulkDeed.ASSIGN: self.agency_id, BulkDeed.TOPIC: self.topic, BulkDeed.SNOOZE: self.until}
        return bool(needed.get(self.deed, True))


@dataclass(frozen=True)
class Foreseen:
    """One report in the preview; `refusal`: why it will be left out. `is_lead`: the others will be joined to it."""

    ticket: Ticket
    agency: str | None
    refusal: NotAllowed | None
    is_lead: bool = False


@dataclass(frozen=True)
class Preview:
    """What would happen. `unseen`: how many of the reports chosen are not for this official. `until`: for snoozing."""

    items: list[Foreseen]
    unseen: int
    agency: str | None = None
    until: datetime | None = None

    @property
    def lead(self) -> Ticket | None:
        """The report that the others will be joined to."""
        return next((one.ticket for one in self.items if one.is_lead), None)

    @property
    def many(self) -> int:
        """With how many something will be done."""
        return sum(one.refusal is None for one in self.items)


def preview(runtime: Runtime, official: Official, wish: Wish) -> Preview:
    """Say of each report what would happen, and why not. NotAllowed when nothing or too much is chosen."""
    if not wish.chosen:
        raise NotAllowed("none_chosen", "Anh/Chị chưa chọn phản ánh nào.")
    if len(wish.chosen) > MOST:
        raise NotAllowed("too_many", "Mỗi lần tối đa %(most)s phản ánh. Anh/Chị vui lòng bớt lại.", most=MOST)
    with runtime.database.reading() as session:
        return _foresee(session, official, wish, runtime.now())


def _foresee(session: Session, official: Official, wish: Wish, now: datetime) -> Preview:
    book = commune_book(session, official.commune_id)
    until = _moment(wish, book, now)
    agency = _agency(session, official, wish.agency_id)
    query = sa.select(Ticket, Agency.name).outerjoin(Agency, Agency.id == Ticket.agency_id)
    rows = session.execute(query.where(Ticket.id.in_(wish.chosen), seen_by(official))).all()
    found = {ticket.id: (ticket, name) for ticket, name in rows}
    given = Given(agency_id=wish.agency_id, topic=wish.topic, until=until)
    items = []
    for number in dict.fromkeys(wish.chosen):
        if number in found:
            ticket, name = found[number]
            refusal = _refusal(session, official, ticket, wish, given, book, now) if wish.is_whole else None
            items.append(Foreseen(ticket, name, refusal))
    if wish.deed is BulkDeed.JOIN:
        items = _with_lead(session, items)
    return Preview(items, len(set(wish.chosen)) - len(items), agency.name if agency else None, until)


def _refusal(
    session: Session, official: Official, ticket: Ticket, wish: Wish, given: Given, book: CommuneBook, now: datetime
) -> NotAllowed | None:
    try:
        check(wish.deed, standing(session, official, ticket, book, now), given, now)
    except NotAllowed as refusal:
        return refusal
    return None


def standing(session: Session, official: Official, ticket: Ticket, book: CommuneBook, now: datetime) -> Standing:
    """What the rule needs to know of a report."""
    return Standing(
        state=ticket.state,
        urgency=ticket.urgency,
        roles=roles_on(official, ticket),
        may_direct=may_direct(official),
        topic=ticket.topic,
        topic_is_confirmed=ticket.topic_is_confirmed,
        agency_id=ticket.agency_id,
        shut_out=ticket.shut_out,
        latest=latest_moment(running(ticket), calendar_of(book), now),
        is_sealed=ticket.is_sealed,
        is_restricted=ticket.is_restricted,
        is_spam=ticket.is_spam,
        leads=bool(joined_to(session, ticket.id)) if not ticket.is_sealed else False,
    )


def _with_lead(session: Session, items: list[Foreseen]) -> list[Foreseen]:
    """The largest incident leads, or the oldest report; alone it leads nothing."""
    able = [one.ticket for one in items if one.refusal is None]
    if len(able) < 2:
        lonely = NotAllowed("alone", "Cần ít nhất hai phản ánh ghép được với nhau.")
        return [replace(one, refusal=one.refusal or lonely) for one in items]
    lead = incidents.leading(session, able)
    return [replace(one, is_lead=one.ticket.id == lead.id) for one in items]


def _moment(wish: Wish, book: CommuneBook, now: datetime) -> datetime | None:
    until = Until(wish.until) if wish.until in {one.value for one in Until} else None
    return moment_of(until, wish.day, now, calendar_of(book)) if until else None


def _agency(session: Session, official: Official, number: int | None) -> Agency | None:
    if number is None:
        return None
    query = sa.select(Agency).where(
        Agency.id == number, Agency.commune_id == official.commune_id, Agency.is_active.is_(True)
    )
    agency = session.scalar(query)
    if agency is None:
        raise NotAllowed("no_such_agency", "Không có đơn vị này trong danh sách của địa phương.")
    return agency


def agencies(runtime: Runtime, official: Official) -> list[tuple[int, str]]:
    """The agencies that reports may be given to."""
    query = sa.select(Agency.id, Agency.name).where(
        Agency.commune_id == official.commune_id, Agency.is_active.is_(True)
    )
    with runtime.database.reading() as session:
        return [(number, name) for number, name in session.execute(query.order_by(Agency.name))]


def moments(runtime: Runtime, official: Official) -> list[Choice]:
    """The moments that reports may be put aside until; each report's own deadline is asked in the preview."""
    with runtime.database.reading() as session:
        return choices(runtime.now(), calendar_of(commune_book(session, official.commune_id)), None)
