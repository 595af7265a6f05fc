"""Audiences: which addresses of a channel want to hear of something, and which may be written to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from storage.contacts import Contact, Conversation, Urn
from storage.deliveries import Delivery
from storage.enums import DeliveryKind, DeliveryState, Importance
from storage.groups import Membership
from storage.subscriptions import Subscription

# Who may have read it: what is on its way now arrives before anything that follows it.
GOT = (
    DeliveryState.SENDING,
    DeliveryState.SENT,
    DeliveryState.DELIVERED,
    DeliveryState.READ,
    DeliveryState.UNKNOWN,
)
_NOT_HAD = (DeliveryState.CANCELLED, DeliveryState.REFUSED)


USUAL_LANGUAGE = "vi"


@dataclass(frozen=True)
class Narrowing:
    """What else must be true of whoever is told; each one that is empty asks nothing.

    `topics`: who wants to hear of one of these is told, too. `group_ids`: who belongs to one of them. `languages`: to
    whom the bot speaks in one of them. `seen_within`, `unseen_for`: who was, or was not, there in so many days.
    """

    topics: tuple[str, ...] = ()
    group_ids: tuple[int, ...] = ()
    languages: tuple[str, ...] = ()
    seen_within: int = 0
    unseen_for: int = 0

    def data(self) -> dict[str, Any]:
        """As it is kept: only what is asked, in one order."""
        values = {
            "topics": sorted(self.topics),
            "group_ids": sorted(self.group_ids),
            "languages": sorted(self.languages),
            "seen_within": self.seen_within,
            "unseen_for": self.unseen_for,
        }
        return {name: value for name, value in values.items() if value}

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Narrowing:
        """As it was kept."""
        lists = {name: tuple(data.get(name, ())) for name in ("topics", "group_ids", "languages")}
        return cls(**lists, seen_within=data.get("seen_within", 0), unseen_for=data.get("unseen_for", 0))


@dataclass(frozen=True)
class About:
    """What an announcement is about: a topic ("" any), places of the commune (none: all of it); and for whom only."""

    topic: str = ""
    place_ids: tuple[int, ...] = ()
    narrowing: Narrowing = Narrowing()

    @property
    def topics(self) -> tuple[str, ...]:
        """Those who want to hear of one of these are told; none: everybody."""
        return tuple(sorted({self.topic, *self.narrowing.topics} - {""}))


@dataclass(frozen=True)
class Cap:
    """How many announcements of one class somebody gets at most since a moment."""

    most: int
    since: datetime


@dataclass(frozen=True)
class Whom:
    """Whom an announcement is for.

    `follows_id`: those who got that announcement, whatever else they want. `cap`: not for those who had enough of its
    class; `id`: of the announcement itself, which does not count there. `silent_of`: not for those who have answered
    that bulletin's question whether they are safe. `at`: from when days are counted back.
    """

    about: About = About()
    importance: Importance = Importance.ROUTINE
    follows_id: int | None = None
    cap: Cap | None = None
    id: int = 0
    silent_of: int | None = None
    at: datetime | None = None


def conditions(whom: Whom) -> list[Any]:
    """The conditions under which an address is sent this."""
    wanted = _got(whom.follows_id) if whom.follows_id is not None else wanting(whom)
    enough = [] if whom.cap is None else [sa.not_(has_enough(whom, whom.cap))]
    silent = [] if whom.silent_of is None else [sa.not_(has_answered(whom.silent_of))]
    return [*willing(whom.importance), *wanted, *enough, *silent]


def willing(importance: Importance = Importance.ROUTINE) -> list[Any]:
    """The conditions under which an address may be sent announcements; a stop word stops all but emergencies."""
    # Looked up by number for each address: a join would read all contacts for every chunk.
    erased_at = sa.select(Contact.erased_at).where(Contact.id == Urn.contact_id).scalar_subquery()
    may = [Urn.is_following.is_(True), Urn.unreachable_at.is_(None), erased_at.is_(None)]
    return may if importance is Importance.EMERGENCY else [*may, Urn.opted_out_at.is_(None)]


def wanting(whom: Whom) -> list[Any]:
    """The conditions under which somebody wants to hear of this: whoever chose nothing wants everything.

    What is about nothing in particular is for all, whatever they chose; they were told so when they chose. Of an
    emergency, and of what is said to a group they belong to, only the place counts.
    """
    about = whom.about
    asks_topic = whom.importance is not Importance.EMERGENCY and not about.narrowing.group_ids
    narrowed = narrowed_to(about.narrowing, whom.at)
    if not about.place_ids and not (asks_topic and about.topics):
        return narrowed
    chosen = sa.select(Subscription.id).where(Subscription.urn_id == Urn.id)
    matching = chosen
    if asks_topic:
        matching = matching.where(Subscription.topic.in_({"", *about.topics}))
    if about.place_ids:
        matching = matching.where(Subscription.place_id.in_({0, *about.place_ids}))
    return [sa.or_(~chosen.exists(), matching.exists()), *narrowed]


def narrowed_to(narrowing: Narrowing, at: datetime | None) -> list[Any]:
    """The conditions of those it is only for; whoever never said a word counts as speaking the usual language."""
    asked: list[Any] = []
    if narrowing.group_ids:
        belongs = sa.select(Membership.id).where(
            Membership.urn_id == Urn.id, Membership.group_id.in_(narrowing.group_ids), Membership.left_at.is_(None)
        )
        asked.append(belongs.exists())
    if narrowing.languages:
        asked.append(_speaking(narrowing.languages))
    if narrowing.seen_within or narrowing.unseen_for:
        asked += _seen(narrowing, at)
    return asked


def _speaking(languages: tuple[str, ...]) -> Any:
    talk = sa.select(Conversation.language).where(Conversation.urn_id == Urn.id)
    if USUAL_LANGUAGE not in languages:
        return talk.where(Conversation.language.in_(languages)).exists()
    # Looked up by number: "nobody speaks another one" made PostgreSQL go through all talks for each address.
    return sa.func.coalesce(talk.scalar_subquery(), USUAL_LANGUAGE).in_(languages)


def _seen(narrowing: Narrowing, at: datetime | None) -> list[Any]:
    if at is None:
        raise ValueError("days are counted back from a moment")
    asked: list[Any] = []
    if narrowing.seen_within:
        asked.append(Urn.last_interaction_at > at - timedelta(days=narrowing.seen_within))
    if narrowing.unseen_for:
        before = at - timedelta(days=narrowing.unseen_for)
        asked.append(sa.or_(Urn.last_interaction_at.is_(None), Urn.last_interaction_at <= before))
    return asked


def has_enough(whom: Whom, cap: Cap) -> Any:
    """The condition under which an address has had as many announcements of this class as it gets."""
    from storage.announcements import Announcement  # the tables know each other

    had, of = aliased(Delivery), aliased(Announcement)
    counted = (
        sa.select(sa.func.count())
        .select_from(had)
        .join(of, of.id == had.announcement_id)
        .where(
            had.urn_id == Urn.id,
            had.kind == DeliveryKind.ANNOUNCEMENT,
            had.part == 1,
            had.created_at > cap.since,
            had.state.not_in(_NOT_HAD),
            of.importance == whom.importance,
            of.id != whom.id,
        )
    )
    return counted.scalar_subquery() >= cap.most


def has_answered(bulletin_id: int) -> Any:
    """The condition under which somebody has said whether they are safe."""
    from storage.safety import SafetyAnswer

    return sa.exists().where(SafetyAnswer.bulletin_id == bulletin_id, SafetyAnswer.urn_id == Urn.id)


def _got(announcement_id: int) -> list[Any]:
    """Who got it, or one that said the same once more."""
    from storage.announcements import Announcement

    first = aliased(Delivery)
    of = sa.or_(Announcement.id == announcement_id, Announcement.repeats_id == announcement_id)
    # Its own deliveries hold no announcement's number twice for one address, so this asks one unique index.
    query = sa.select(first.id).where(
        first.urn_id == Urn.id, first.announcement_id.in_(sa.select(Announcement.id).where(of)), first.state.in_(GOT)
    )
    return [query.exists()]


@dataclass(frozen=True)
class Audience:
    """How many would get an announcement now, how many of them the channel lets us write to, and the last of them.

    `free`: how many it lets us write to without charging. `left_out`: how many more have had enough of its class.
    """

    count: int
    reachable: int
    last_urn_id: int
    free: int = 0
    left_out: int = 0

    @property
    def paid(self) -> int:
        """For how many the channel charges."""
        return self.reachable - self.free


def audience_of(
    session: Session,
    channel_id: int,
    whom: Whom,
    interacted_after: datetime | None,
    free_after: datetime | None = None,
) -> Audience:
    """Count those of a channel who want to hear of this; for whoever was last there before `interacted_after`, the
    channel's window has closed, and before `free_after` it charges.
    """
    query = sa.select(
        sa.func.count(), _sum_since(interacted_after), _sum_since(free_after or interacted_after),
        sa.func.coalesce(sa.func.max(Urn.id), 0),
    ).where(Urn.channel_id == channel_id, *conditions(whom))  # fmt: skip
    count, within, free, last = session.execute(query).one()
    left_out, last_left_out = _left_out(session, channel_id, whom)
    return Audience(int(count), int(within), max(int(last), last_left_out), int(free), left_out)


def _left_out(session: Session, channel_id: int, whom: Whom) -> tuple[int, int]:
    """How many have had enough just now, and the last of them: until it is sent that may change."""
    if whom.cap is None:
        return 0, 0
    query = sa.select(sa.func.count(), sa.func.coalesce(sa.func.max(Urn.id), 0)).where(
        Urn.channel_id == channel_id, *conditions(replace(whom, cap=None)), has_enough(whom, whom.cap)
    )
    count, last = session.execute(query).one()
    return int(count), int(last)


def _sum_since(moment: datetime | None) -> Any:
    one = sa.case((Urn.last_interaction_at > moment, 1), else_=0) if moment else sa.literal(1)
    return sa.func.coalesce(sa.func.sum(one), 0)
