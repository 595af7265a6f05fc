"""What a commune's rows say about itself: hours, holidays, home of the reader, routing table, topics."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.rules.deadlines import WorkingHours
from bot.rules.routing import Rule
from bot.texts import Own
from bot.usecases.faq import Answer, FaqBook, faq_book, words_of
from nlp.reading import Home, KnownPlace
from storage.agencies import Agency, RoutingRule
from storage.communes import Commune, Holiday, Locality, Place
from storage.wording import own_texts


@dataclass(frozen=True)
class CommuneBook:
    """Everything intake asks about a commune, read once per batch."""

    id: int
    name: str
    home: Home
    hours: WorkingHours
    holidays: dict[date, bool]
    rules: list[Rule]
    agencies: dict[str, int]
    agency_names: dict[int, str]
    duty_phone: str
    reception: str
    faq: FaqBook
    own_texts: dict[tuple[str, str], Own]


def commune_book(session: Session, commune_id: int) -> CommuneBook:
    """Read what intake needs to know of a commune."""
    commune = session.get_one(Commune, commune_id)
    locality = session.get_one(Locality, commune.locality_code)
    settings = dict(commune.settings)
    agencies = list(session.scalars(sa.select(Agency).where(Agency.commune_id == commune_id, Agency.is_active)))
    rules = session.scalars(sa.select(RoutingRule).where(RoutingRule.commune_id == commune_id))
    return CommuneBook(
        id=commune_id,
        name=commune.name,
        home=_home(session, commune, locality),
        hours=working_hours(settings),
        holidays=holidays_of(session, commune_id),
        rules=[Rule(r.topic, r.place_id, r.agency_id) for r in rules],
        agencies={a.slug: a.id for a in agencies},
        agency_names={a.id: a.name for a in agencies},
        duty_phone=str(settings.get("duty_phone") or "113"),
        reception=str(settings.get("reception") or f"trụ sở {commune.name}"),
        faq=faq_book(session, commune_id),
        own_texts={(t.key, t.language): Own(t.words, t.sms) for t in own_texts(session, commune_id)},
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
    )


def hours_in_words(hours: WorkingHours) -> str:
    """The office hours as one says them."""
    return ", ".join(f"{a.strftime('%H:%M')}–{b.strftime('%H:%M')}" for a, b in hours.shifts)


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
