"""The board of an emergency: each village's answers, who needs help, and whom somebody should phone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.access import audit
from bot.rules.audience import masked, masked_name
from bot.rules.place_list import in_order
from bot.rules.revealing import reason_given
from bot.runtime import Runtime
from bot.usecases.announcing import NoSuchAnnouncement, must
from bot.usecases.bulletins import found
from bot.usecases.looks import REVEALED, without_personal_data
from storage.alerts import raise_alert
from storage.bulletins import Bulletin, legs_of, repeats_of
from storage.communes import Place
from storage.enums import AlertKind, Importance, Role
from storage.officials import Official
from storage.safety_board import FIGURES, NOWHERE, TOLD, Person, newest_in_need, people_of, tally

READERS = (Role.AUTHOR, Role.APPROVER, Role.LEADER, Role.RECEIVER)
IN_NEED_AT_ONCE = 30
PEOPLE_ON_A_PAGE = 100


@dataclass(frozen=True)
class Village:
    """One line of the board; `place_id` is 0 for those whose place is not known."""

    place_id: int
    name: str
    counts: Mapping[str, int]


@dataclass(frozen=True)
class Board:
    """An emergency as it stands now."""

    bulletin: Bulletin
    villages: list[Village]
    in_need: list[Person]
    places: Mapping[int, str]
    now: datetime
    begun_at: datetime | None
    repeated: int

    @property
    def total(self) -> dict[str, int]:
        """Over all villages."""
        return {figure: sum(one.counts[figure] for one in self.villages) for figure in FIGURES}

    @property
    def is_past_validity(self) -> bool:
        """Whether its time is over though nobody has ended it."""
        until = self.bulletin.valid_until
        return self.bulletin.ended_at is None and until is not None and until <= self.now


@dataclass(frozen=True)
class People:
    """A page, and one more if there is, of those a figure counts."""

    bulletin: Bulletin
    figure: str
    place: str | None
    rows: list[Person]
    places: Mapping[int, str]


def board(runtime: Runtime, official: Official, bulletin_id: int) -> Board:
    """How everybody is who was told of this emergency. Raises NoSuchAnnouncement where none asked."""
    must(official, *READERS)
    with runtime.database.reading() as session:
        bulletin = _asked(session, official, bulletin_id)
        places = _places(session, official.commune_id)
        counts = tally(session, official.commune_id, bulletin.id)
        known = sorted((number for number in counts if number != NOWHERE), key=lambda n: in_order(places.get(n, "")))
        lines = [Village(number, places.get(number, ""), counts[number]) for number in known]
        if NOWHERE in counts:
            lines.append(Village(NOWHERE, "", counts[NOWHERE]))
        repeats = [again for again in repeats_of(session, bulletin.id) if again.approved_at is not None]
        return Board(
            bulletin,
            lines,
            newest_in_need(session, official.commune_id, bulletin.id, IN_NEED_AT_ONCE),
            places,
            runtime.now(),
            bulletin.approved_at,
            len(repeats),
        )


def people(
    runtime: Runtime, official: Official, bulletin_id: int, figure: str, *, place_id: int | None, after: int = 0
) -> People:
    """Those whom a figure of the board counts."""
    must(official, *READERS)
    with runtime.database.reading() as session:
        bulletin = _asked(session, official, bulletin_id)
        places = _places(session, official.commune_id)
        if place_id is not None and place_id != NOWHERE and place_id not in places:
            raise NoSuchAnnouncement
        rows = people_of(
            session, official.commune_id, bulletin.id, figure if figure in FIGURES else TOLD,
            place_id=place_id, after=after, limit=PEOPLE_ON_A_PAGE + 1,
        )  # fmt: skip
        place = None if place_id is None else places.get(place_id, "")
        return People(bulletin, figure, place, rows, places)


def reveal(runtime: Runtime, official: Official, bulletin_id: int, *, why: str, words: str, address: str) -> None:
    """Write down that the official had names and numbers of these people shown, and for what."""
    must(official, *READERS)
    with runtime.database.transaction() as session:
        bulletin = _asked(session, official, bulletin_id)
        chosen, said = reason_given(why, words)
        more = {"words": without_personal_data(said)} if said else {}
        audit(session, official, REVEALED, f"bulletin:{bulletin.id}", runtime.now(), address, why=chosen.value, **more)


def shown_name(person: Person, *, is_revealed: bool) -> str:
    """A person's name as the list shows it; without one, the end of their address."""
    if person.name:
        return person.name if is_revealed else masked_name(person.name)
    return masked(person.urn)


def number_of(person: Person) -> str:
    """Where they can be phoned; "" when nobody knows."""
    return person.phone or (person.urn.removeprefix("tel:") if person.urn.startswith("tel:") else "")


def remind_open(runtime: Runtime) -> int:
    """An emergency whose time is over and which nobody has ended is called out, once; gives how many.

    No machine ends it: people who were warned wait for a word.
    """
    now = runtime.now()
    query = sa.select(Bulletin).where(
        Bulletin.importance == Importance.EMERGENCY,
        Bulletin.approved_at.is_not(None),
        Bulletin.ended_at.is_(None),
        Bulletin.corrects_id.is_(None),
        Bulletin.repeats_id.is_(None),
        Bulletin.notice_id.is_(None),  # whoever handed it down ends it
        Bulletin.reminded_at.is_(None),
        Bulletin.valid_until <= now,
    )
    with runtime.database.reading() as session:
        if session.scalar(query.with_only_columns(Bulletin.id).limit(1)) is None:
            return 0
    with runtime.database.transaction() as session:
        late = list(session.scalars(query.with_for_update()))
        for bulletin in late:
            bulletin.reminded_at = now
            raise_alert(
                session, bulletin.commune_id, AlertKind.EMERGENCY_OPEN, f"emergency-open:{bulletin.id}", now,
                title=bulletin.title, bulletin=bulletin.id, board=bulletin.asks_safety,
            )  # fmt: skip
    return len(late)


def _asked(session: Session, official: Official, bulletin_id: int) -> Bulletin:
    """The emergency as it was first told, whichever of its messages was opened."""
    bulletin = found(session, official, bulletin_id, lock=False)
    first = session.get_one(Bulletin, bulletin.root_id)
    if not first.asks_safety or not legs_of(session, [first.id])[first.id]:
        raise NoSuchAnnouncement
    return first


def _places(session: Session, commune_id: int) -> dict[int, str]:
    rows = session.execute(sa.select(Place.id, Place.name).where(Place.commune_id == commune_id))
    return {number: name for number, name in rows}  # noqa: C416 - rows are not plain tuples
