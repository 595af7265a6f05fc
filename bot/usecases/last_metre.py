"""The last metre: whom an approved bulletin did not reach, place by place, until somebody has told each of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.access import audit
from bot.rules.place_list import in_order, is_settlement
from bot.rules.revealing import reason_given
from bot.runtime import Runtime
from bot.usecases.announcing import AnnouncementError, NoSuchAnnouncement, must
from bot.usecases.bulletins import found
from bot.usecases.looks import REVEALED, without_personal_data
from bot.usecases.results import names_of
from storage.announcements import RUNNING, Announcement
from storage.audiences import Whom
from storage.bulletins import Bulletin, Telling, about_bulletin, legs_of, repeats_of
from storage.channels import Channel
from storage.communes import Place
from storage.enums import Role
from storage.last_metre import NOWHERE, Missed, Open, Sent, missed, missed_by_place, numbers_of
from storage.officials import Official
from storage.saved_audiences import SavedAudience

READERS = (Role.AUTHOR, Role.APPROVER, Role.LEADER)
ON_A_PAGE = 50
ON_A_SHEET = 500


@dataclass(frozen=True)
class Village:
    """Where people were not reached; id 0: it is not known where they live."""

    id: int
    name: str
    count: int
    told: int

    @property
    def left(self) -> int:
        """How many nobody has told yet."""
        return self.count - self.told


@dataclass(frozen=True)
class Person:
    """Somebody who was not reached. `phone` is whole: the page masks it; `told_by`: "" as long as nobody told them."""

    row: Missed
    phone: str
    told_by: str


@dataclass(frozen=True)
class Overview:
    """What it was, place by place; `is_running`: it still goes out, so the list still grows shorter."""

    title: str
    villages: list[Village]
    is_running: bool

    @property
    def count(self) -> int:
        """How many were not reached."""
        return sum(one.count for one in self.villages)

    @property
    def left(self) -> int:
        """How many nobody has told yet."""
        return sum(one.left for one in self.villages)


@dataclass(frozen=True)
class Sheet:
    """The people of one place; `next`: after which number the next page begins, None at the end."""

    title: str
    village: Village
    people: list[Person]
    next: int | None
    is_revealed: bool = False


Finding = Callable[[Session, Runtime, Official, int], tuple[str, Sent, bool]]


def of_bulletin(session: Session, runtime: Runtime, official: Official, number: int) -> tuple[str, Sent, bool]:  # noqa: ARG001 - one signature
    """What an approved bulletin said to whom. Raises AnnouncementError, NoSuchAnnouncement."""
    bulletin = found(session, official, number, lock=False)
    if not legs_of(session, [bulletin.id])[bulletin.id]:
        raise AnnouncementError("Thông báo này chưa được duyệt nên chưa gửi cho ai.")
    legs = _said_of(session, bulletin.repeats_id or bulletin.id)
    first = _said_of(session, bulletin.corrects_id) if bulletin.corrects_id else []
    sent = Sent(
        bulletin.commune_id,
        Whom(about_bulletin(bulletin), bulletin.importance, at=bulletin.approved_at),
        leg_ids=tuple(leg.id for leg in legs),
        first_ids=tuple(leg.id for leg in first),
        bulletin_id=bulletin.id,
    )
    return bulletin.title, _near(session, sent), any(leg.state in RUNNING for leg in legs)


def _said_of(session: Session, number: int) -> list[Announcement]:
    """The parts of a bulletin and of whatever said the same once more: whoever has one of them has it."""
    numbers = [number, *(again.id for again in repeats_of(session, number))]
    return [leg for of in legs_of(session, numbers).values() for leg in of]


def of_audience(session: Session, runtime: Runtime, official: Official, number: int) -> tuple[str, Sent, bool]:
    """Whom a saved audience could not reach now. Raises NoSuchAnnouncement."""
    saved = session.get(SavedAudience, number)
    if saved is None or saved.commune_id != official.commune_id:
        raise NoSuchAnnouncement
    query = sa.select(Channel).where(Channel.id.in_(saved.channel_ids), Channel.is_active)
    channels = tuple(_open(runtime, channel) for channel in session.scalars(query.order_by(Channel.id)))
    sent = Sent(saved.commune_id, Whom(saved.about, at=runtime.now()), channels=channels)
    return saved.name, _near(session, sent), False


def overview(runtime: Runtime, official: Official, number: int, finding: Finding = of_bulletin) -> Overview:
    """How many were not reached, place by place. Raises AnnouncementError, NoSuchAnnouncement."""
    must(official, *READERS)
    with runtime.database.reading() as session:
        title, sent, is_running = finding(session, runtime, official, number)
        return Overview(title, _villages(session, sent), is_running)


def sheet(
    runtime: Runtime, official: Official, number: int, place_id: int, *, after: int = 0, limit: int = ON_A_PAGE,
    finding: Finding = of_bulletin,
) -> Sheet:  # fmt: skip
    """The people of one place, a page of them. Raises AnnouncementError, NoSuchAnnouncement."""
    must(official, *READERS)
    with runtime.database.reading() as session:
        title, sent, _ = finding(session, runtime, official, number)
        village = next((one for one in _villages(session, sent) if one.id == place_id), None)
        if village is None:
            raise NoSuchAnnouncement
        rows = missed(session, sent, _belonging_to(session, sent, place_id), after=after, limit=limit + 1)
        people = _people(session, official, rows[:limit])
    return Sheet(title, village, people, rows[limit - 1].contact_id if len(rows) > limit else None)


def reveal(
    runtime: Runtime, official: Official, number: int, place_id: int, *, why: str, words: str, address: str,
    after: int = 0, limit: int = ON_A_PAGE, finding: Finding = of_bulletin,
) -> Sheet:  # fmt: skip
    """The same with telephone numbers; for each person it is written down who saw theirs and for what.

    NotAllowed without a reason.
    """
    chosen, said = reason_given(why, words)
    shown = sheet(runtime, official, number, place_id, after=after, limit=limit, finding=finding)
    more = {"words": without_personal_data(said)} if said else {}
    with runtime.database.transaction() as session:
        for person in shown.people:
            target = f"contact:{person.row.contact_id}"
            audit(session, official, REVEALED, target, runtime.now(), address, why=chosen.value, **more)
    return replace(shown, is_revealed=True)


def tell(runtime: Runtime, official: Official, number: int, contact_id: int) -> None:
    """Tick that the official told somebody themselves; twice is once. Raises NoSuchAnnouncement."""
    must(official, *READERS)
    with runtime.database.transaction() as session:
        bulletin = found(session, official, number)
        _, sent, _ = of_bulletin(session, runtime, official, number)
        rows = missed(session, sent, (), limit=1, only=contact_id)
        if not rows:
            raise NoSuchAnnouncement
        if rows[0].told_at is None:
            session.add(
                Telling(commune_id=bulletin.commune_id, bulletin_id=bulletin.id, contact_id=contact_id,
                        official_id=official.id, at=runtime.now())
            )  # fmt: skip
            _note(session, runtime, official, bulletin, "told", contact_id)


def untell(runtime: Runtime, official: Official, number: int, contact_id: int) -> None:
    """Take a tick back that was made by mistake. Raises NoSuchAnnouncement."""
    must(official, *READERS)
    with runtime.database.transaction() as session:
        bulletin = found(session, official, number)
        query = sa.select(Telling).where(Telling.bulletin_id == bulletin.id, Telling.contact_id == contact_id)
        telling = session.scalar(query)
        if telling is None:
            raise NoSuchAnnouncement
        session.delete(telling)
        _note(session, runtime, official, bulletin, "untold", contact_id)


def _note(session: Session, runtime: Runtime, official: Official, bulletin: Bulletin, what: str, contact: int) -> None:
    audit(session, official, f"bulletin.{what}", f"bulletin:{bulletin.id}", runtime.now(), contact=contact)


def _open(runtime: Runtime, channel: Channel) -> Open:
    hours = runtime.adapters[channel.type].limits.window_hours
    return Open(channel.id, runtime.now() - timedelta(hours=hours) if hours is not None else None)


def _people(session: Session, official: Official, rows: Sequence[Missed]) -> list[Person]:
    names = names_of(session, Official, official.commune_id)
    numbers = numbers_of(session, [row.contact_id for row in rows])
    return [
        Person(row, row.phone or numbers.get(row.contact_id, ""), names.get(row.told_by_id or 0, "")) for row in rows
    ]


def _villages(session: Session, sent: Sent) -> list[Village]:
    """By village, in the order people expect, those nobody knows the place of last."""
    places = _places(session, sent)
    home = _homes(places)
    sums: dict[int, list[int]] = {}
    for place_id, (count, told) in missed_by_place(session, sent).items():
        sum_of = sums.setdefault(home.get(place_id, NOWHERE), [0, 0])
        sum_of[0] += count
        sum_of[1] += told
    names = {place.id: place.name for place in places}
    rows = [Village(number, names.get(number, ""), *values) for number, values in sums.items()]
    return sorted(rows, key=lambda one: (one.id == NOWHERE, in_order(one.name)))


def _belonging_to(session: Session, sent: Sent, place_id: int) -> set[int]:
    """The places that are counted under this village; of nowhere: all that lie in none."""
    places = _places(session, sent)
    home = _homes(places)
    return {one for one in (NOWHERE, *(place.id for place in places)) if home.get(one, NOWHERE) == place_id}


def _near(session: Session, sent: Sent) -> Sent:
    home = _homes(_places(session, sent))
    asked = set(sent.whom.about.place_ids)
    return replace(sent, nearby_ids=tuple(sorted(one for one, village in home.items() if village in asked)))


def _places(session: Session, sent: Sent) -> list[Place]:
    return list(session.scalars(sa.select(Place).where(Place.commune_id == sent.commune_id).order_by(Place.id)))


def _homes(places: Sequence[Place]) -> dict[int, int]:
    """By place, the village it is or lies in."""
    villages = {place.name: place.id for place in places if is_settlement(place.kind)}
    homes = {place.id: place.id for place in places if is_settlement(place.kind)}
    return homes | {
        place.id: villages[place.parent] for place in places if place.id not in homes and place.parent in villages
    }
