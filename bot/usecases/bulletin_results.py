"""Results of bulletins: how far each one is on all its channels together, and on each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.rules.bulletins import Plan
from bot.rules.place_list import in_order
from bot.runtime import Runtime
from bot.usecases import bulletin_aloud, prices
from bot.usecases.announcement_answers import Answers, answers_to
from bot.usecases.announcing import APPROVERS, READERS, must
from bot.usecases.broadcast import opening
from bot.usecases.bulletin_previews import Preview, preview_of
from bot.usecases.bulletins import found, is_tried, needs_review, plan_of
from bot.usecases.results import BY_ITSELF, GROUPS, PAGE, grouped, names_of
from storage.announcements import RUNNING, Announcement, counts_by_state
from storage.bulletins import Bulletin, followed_by, legs_of, page_of_bulletins, repeats_of
from storage.channels import Channel
from storage.communes import Place
from storage.enums import AnnouncementState, BulletinState, Importance
from storage.groups import Group
from storage.officials import Official

PAUSED, SCHEDULED, SENDING, SENT = "paused", "scheduled", "sending", "sent"
POLL_SECONDS = 1  # how often a page that is open asks: with the way of an outcome into its row it is true within two


@dataclass(frozen=True)
class Leg:
    """A bulletin's part on one channel. `spent`: what the channel charged, in đồng; None: nobody said the price."""

    announcement: Announcement
    channel: Channel
    counts: dict[str, int]
    spent: int | None = 0

    @property
    def total(self) -> int:
        """How many it is or was for."""
        return sum(self.counts.values())

    @property
    def never_owed(self) -> int:
        """For how many it was approved who were not written down when it ended: too late, or gone meanwhile."""
        if self.announcement.state in RUNNING:
            return 0
        return max(0, (self.announcement.audience_count or 0) - self.announcement.left_out - self.total)


@dataclass(frozen=True)
class Line:
    """A bulletin in the list."""

    bulletin: Bulletin
    author: str
    channels: list[str]
    standing: str
    counts: dict[str, int]


@dataclass(frozen=True)
class Look:
    """A bulletin with all that its page shows; `preview` is how it would arrive now, None once it is approved."""

    bulletin: Bulletin
    standing: str
    author: str
    approver: str | None
    reviewer: str | None
    legs: list[Leg]
    preview: Preview | None
    is_tried: bool
    needs_review: bool
    villages: list[str]
    groups: dict[int, str]
    first: Bulletin | None
    followed_by: list[Bulletin]
    waits_until: datetime | None
    heard: list[bulletin_aloud.Heard]
    ended_at: datetime | None = None
    repeated: Bulletin | None = None
    repeats: Sequence[Bulletin] = ()
    answers: Answers | None = None

    @property
    def counts(self) -> dict[str, int]:
        """Over all channels, how many stand where."""
        return _added([leg.counts for leg in self.legs])

    @property
    def total(self) -> int:
        """How many it is or was for."""
        return sum(leg.total for leg in self.legs)

    @property
    def done(self) -> int:
        """For how many of them the outcome is final."""
        return self.total - self.counts["waiting"]

    @property
    def left_out(self) -> int:
        """How many did not get it because they had enough of its class."""
        return sum(leg.announcement.left_out for leg in self.legs)

    @property
    def spent(self) -> int:
        """What it cost in đồng on the channels whose price is known."""
        return sum(leg.spent or 0 for leg in self.legs)

    @property
    def is_running(self) -> bool:
        """Whether numbers may still change by themselves."""
        return any(leg.announcement.state in RUNNING for leg in self.legs)


def listing(runtime: Runtime, official: Official, *, before: int | None = None) -> list[Line]:
    """A page, and one more if there is, of the commune's bulletins, newest first."""
    must(official, *READERS)
    now = runtime.now()
    with runtime.database.reading() as session:
        page = page_of_bulletins(session, official.commune_id, before=before, limit=PAGE + 1)
        legs = legs_of(session, [one.id for one in page])
        counts = _counts(session, [leg for of in legs.values() for leg in of])
        channels = names_of(session, Channel, official.commune_id)
        authors = names_of(session, Official, official.commune_id)
    return [
        Line(
            one,
            authors.get(one.author_id or 0, BY_ITSELF),
            [channels[number] for number in one.channel_ids if number in channels],
            standing_of(one, legs[one.id], now),
            _added([counts[leg.id] for leg in legs[one.id]]),
        )
        for one in page
    ]


def look_at(runtime: Runtime, official: Official, bulletin_id: int, *, with_answers: bool = True) -> Look:
    """One bulletin: who wrote and approved it, how it arrives or how far it is. Raises NoSuchAnnouncement.

    `with_answers`: what people wrote back, too, which a page that asks each second does not show anew.
    """
    must(official, *READERS)
    now = runtime.now()
    with runtime.database.reading() as session:
        bulletin = found(session, official, bulletin_id, lock=False)
        legs = legs_of(session, [bulletin.id])[bulletin.id]
        counts = _counts(session, legs)
        names = names_of(session, Official, official.commune_id)
        plan = plan_of(bulletin)
        morning = opening(session, bulletin.commune_id, now)
        is_quiet = morning > now and bulletin.importance is not Importance.EMERGENCY
        return Look(
            bulletin=bulletin,
            standing=standing_of(bulletin, legs, now),
            author=names.get(bulletin.author_id or 0, BY_ITSELF),
            approver=names.get(bulletin.approver_id or 0),
            reviewer=names.get(bulletin.reviewed_by_id or 0),
            legs=[_leg(session, runtime, leg, counts[leg.id], plan) for leg in legs],
            preview=None if legs else preview_of(session, runtime, bulletin.commune_id, plan),
            is_tried=is_tried(session, bulletin),
            needs_review=needs_review(bulletin),
            villages=_villages(session, bulletin),
            groups=names_of(session, Group, official.commune_id),
            first=session.get(Bulletin, bulletin.corrects_id) if bulletin.corrects_id else None,
            followed_by=followed_by(session, bulletin.id),
            waits_until=morning if is_quiet else None,
            heard=bulletin_aloud.heard(session, runtime, bulletin),
            ended_at=session.get_one(Bulletin, bulletin.root_id).ended_at,
            repeated=session.get(Bulletin, bulletin.repeats_id) if bulletin.repeats_id else None,
            repeats=repeats_of(session, bulletin.id),
            answers=answers_to(session, official, legs) if legs and with_answers else None,
        )


def waiting_for(runtime: Runtime, official: Official) -> int:
    """How many bulletins wait for this official: to be approved, or as an emergency to be looked at afterwards."""
    if not official.has(*APPROVERS):
        return 0
    is_others = sa.or_(Bulletin.author_id.is_(None), Bulletin.author_id != official.id)
    to_review = sa.and_(
        Bulletin.importance == Importance.EMERGENCY,
        Bulletin.approved_at.is_not(None),
        Bulletin.reviewed_at.is_(None),
        sa.or_(Bulletin.approver_id.is_(None), Bulletin.approver_id != official.id),
    )
    query = sa.select(sa.func.count()).where(
        Bulletin.commune_id == official.commune_id,
        is_others,
        sa.or_(Bulletin.state == BulletinState.SUBMITTED, to_review),
    )
    with runtime.database.reading() as session:
        return int(session.scalar(query) or 0)


def standing_of(bulletin: Bulletin, legs: Sequence[Announcement], now: datetime) -> str:
    """Where a bulletin stands, by what its announcements say."""
    if bulletin.state is not BulletinState.APPROVED:
        return bulletin.state.value
    running = [leg for leg in legs if leg.state in RUNNING]
    if not running:
        return SENT
    if bulletin.paused_at is not None:
        return PAUSED
    if bulletin.send_at is not None and bulletin.send_at > now:
        return SCHEDULED
    return SENDING if any(leg.state is not AnnouncementState.APPROVED for leg in legs) else bulletin.state.value


def _leg(session: Session, runtime: Runtime, leg: Announcement, counts: dict[str, int], plan: Plan) -> Leg:
    channel = session.get_one(Channel, leg.channel_id)
    # Counted once it is over: a page that is open asks each second.
    is_over = leg.state not in RUNNING
    return Leg(leg, channel, counts, prices.spent(session, runtime, leg, plan.prices) if is_over else 0)


def _counts(session: Session, legs: list[Announcement]) -> dict[int, dict[str, int]]:
    states = counts_by_state(session, [leg.id for leg in legs]) if legs else {}
    return {leg.id: grouped(leg, states[leg.id]) for leg in legs}


def _added(counts: list[dict[str, int]]) -> dict[str, int]:
    return {group: sum(one[group] for one in counts) for group in GROUPS}


def _villages(session: Session, bulletin: Bulletin) -> list[str]:
    query = sa.select(Place.name).where(Place.id.in_(bulletin.place_ids))
    return sorted(session.scalars(query), key=in_order)
