"""What a commune's rows say about itself: hours, holidays, home of the reader, routing table, topics."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.rules.deadlines import VIETNAM, Shifts, WorkingHours
from bot.rules.routing import Rule, Table
from bot.texts import Own
from bot.usecases.faq import Answer, FaqBook, faq_book, words_of
from nlp.reading import Home, KnownPlace
from storage.agencies import Agency, ProvinceRule, RoutingRule
from storage.communes import Commune, Holiday, Locality, Place
from storage.wording import own_texts

# Where what accuses a commune's leaders goes (domain §8.2, 5): settings, with what is said without them.
INSPECTORATE, POLICE = "province_inspectorate", "province_police"
USUAL_INSPECTORATE, USUAL_POLICE = "Thanh tra tỉnh", "Công an tỉnh"


@dataclass(frozen=True)
class CommuneBook:
    """Everything intake asks about a commune, read once per batch."""

    id: int
    name: str
    home: Home
    hours: WorkingHours
    holidays: dict[date, bool]
    table: Table
    agencies: dict[str, int]
    agency_names: dict[int, str]
    duty_phone: str
    reception: str
    inspectorate: str
    police: str
    faq: FaqBook
    own_texts: dict[tuple[str, str], Own]


def commune_book(session: Session, commune_id: int) -> CommuneBook:
    """Read what intake needs to know of a commune."""
    commune = session.get_one(Commune, commune_id)
    locality = session.get_one(Locality, commune.locality_code)
    settings = dict(commune.settings)
    agencies = list(session.scalars(sa.select(Agency).where(Agency.commune_id == commune_id, Agency.is_active)))
    return CommuneBook(
        id=commune_id,
        name=commune.name,
        home=_home(session, commune, locality),
        hours=working_hours(settings),
        holidays=holidays_of(session, commune_id),
        table=routing_table(session, commune_id, agencies, locality.parent_code or ""),
        agencies={a.slug: a.id for a in agencies},
        agency_names={a.id: a.name for a in agencies},
        duty_phone=str(settings.get("duty_phone") or "113"),
        reception=str(settings.get("reception") or f"trụ sở {commune.name}"),
        inspectorate=str(settings.get(INSPECTORATE) or USUAL_INSPECTORATE),
        police=str(settings.get(POLICE) or USUAL_POLICE),
        faq=faq_book(session, commune_id),
        own_texts={(t.key, t.language): Own(t.words, t.sms) for t in own_texts(session, commune_id)},
    )


def routing_table(session: Session, commune_id: int, agencies: Iterable[Agency], province_code: str) -> Table:
    """Who handles what here: rules of today and of days to come."""
    rules = session.scalars(sa.select(RoutingRule).where(RoutingRule.commune_id == commune_id))
    today = datetime.now(VIETNAM).date()
    theirs = session.scalars(
        sa.select(ProvinceRule)
        .where(
            ProvinceRule.province_code == province_code,
            ProvinceRule.valid_from <= today,
            sa.or_(ProvinceRule.valid_to.is_(None), ProvinceRule.valid_to >= today),
        )
        .order_by(ProvinceRule.valid_from)
    )
    return Table(
        tuple(Rule(r.topic, r.place_id, r.agency_id, r.valid_from, r.valid_to) for r in rules),
        {a.slug: a.id for a in agencies},
        {r.topic: r.agency_slug for r in theirs},
    )


def answer_in_words(book: CommuneBook, answer: Answer) -> str:
    """The answer to a frequent question as citizens of this commune read it."""
    return words_of(
        answer,
        commune=book.name,
        reception=book.reception,
        hours=hours_in_words(book.hours),
        duty_phone=book.duty_phone,
    )


def working_hours(settings: dict[str, Any]) -> WorkingHours:
    """The commune's hours from its settings, or the usual ones."""
    shifts = settings.get("shifts")
    if not shifts:
        return WorkingHours()
    return WorkingHours(
        shifts=tuple((time.fromisoformat(a), time.fromisoformat(b)) for a, b in shifts),
        weekdays=frozenset(settings.get("weekdays", (0, 1, 2, 3, 4))),
        special=tuple(
            (int(weekday), tuple((time.fromisoformat(a), time.fromisoformat(b)) for a, b in own))
            for weekday, own in sorted(settings.get("special_shifts", {}).items())
        ),
    )


def hours_in_words(hours: WorkingHours) -> str:
    """The office hours as one says them."""
    usual = _shifts_in_words(hours.shifts)
    special = [f"{_WEEKDAYS[day]} {_shifts_in_words(own)}" for day, own in hours.special if day in hours.weekdays]
    return "; ".join([usual, *special])


_WEEKDAYS = ("thứ Hai", "thứ Ba", "thứ Tư", "thứ Năm", "thứ Sáu", "thứ Bảy", "Chủ nhật")


def _shifts_in_words(shifts: Shifts) -> str:
    return ", ".join(f"{a.strftime('%H:%M')}–{b.strftime('%H:%M')}" for a, b in shifts)


def holidays_of(session: Session, commune_id: int) -> dict[date, bool]:
    """Days off and swapped working days, everybody's and the commune's own; the commune's own win."""
    rows = session.execute(
        sa.select(Holiday.day, Holiday.is_worked)
        .where(sa.or_(Holiday.commune_id.is_(None), Holiday.commune_id == commune_id))
        .order_by(Holiday.commune_id.is_not(None))
    )
    return {day: is_worked for day, is_worked in rows}  # noqa: C416 - rows are not plain tuples


def _home(session: Session, commune: Commune, locality: Locality) -> Home:
    places = session.scalars(sa.select(Place).where(Place.commune_id == commune.id, Place.is_active).order_by(Place.id))
    return Home(
        commune_code=locality.code,
        commune_name=locality.name,
        province_code=locality.parent_code or "",
        places=tuple(KnownPlace(str(p.id), p.name, p.kind, tuple(p.aliases), p.parent) for p in places),
    )
