"""The last metre: of those something is for, the people no channel reaches, where they live, and who told them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.audiences import GOT, Whom, narrowed_to, wanting
from storage.bulletins import Telling
from storage.contacts import Contact, Urn
from storage.deliveries import Delivery
from storage.enums import DeliveryState, Importance
from storage.groups import Membership
from storage.subscriptions import Subscription
from storage.tickets import Ticket, TicketEvent

# Why nothing reached them: the nearest to having been reached counts where somebody has several channels.
UNKNOWN, REFUSED, STOPPED, WINDOW, UNREACHABLE, NOT_SENT, NO_CHANNEL = range(1, 8)
_HAVE_IT = (DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.READ)
_ON_ITS_WAY = (DeliveryState.WAITING, DeliveryState.SENDING)
NOWHERE = 0


@dataclass(frozen=True)
class Open:
    """A channel over which a saved audience is written to; `since`: who was there later may be."""

    channel_id: int
    since: datetime | None


@dataclass(frozen=True)
class Sent:
    """What was or would be said: to whom, as which announcements, or over which channels if it were said now.

    `first_ids`: the announcements whose people it is for, of what puts something right. `nearby_ids`: places that lie
    where it is for. `bulletin_id`: of which it is written down who was told.
    """

    commune_id: int
    whom: Whom
    leg_ids: tuple[int, ...] = ()
    channels: tuple[Open, ...] = ()
    first_ids: tuple[int, ...] = ()
    nearby_ids: tuple[int, ...] = ()
    bulletin_id: int = 0


@dataclass(frozen=True)
class Missed:
    """Somebody no channel reached: why, where they live as far as we know (0: not known), and who told them."""

    contact_id: int
    why: int
    place_id: int
    name: str | None
    phone: str | None
    told_by_id: int | None
    told_at: datetime | None


def missed_by_place(session: Session, sent: Sent) -> dict[int, tuple[int, int]]:
    """By place, how many people were not reached, and how many of them were told by somebody."""
    missed = _with_place(sent).subquery()
    query = (
        sa.select(missed.c.place_id, sa.func.count(), sa.func.count(Telling.id))
        .select_from(missed)
        .outerjoin(Telling, _telling(missed, sent))
        .group_by(missed.c.place_id)
    )
    return {place: (count, told) for place, count, told in session.execute(query)}


def missed(
    session: Session,
    sent: Sent,
    place_ids: Collection[int],
    *,
    after: int = 0,
    limit: int = 50,
    only: int | None = None,
) -> list[Missed]:
    """The people not reached at these places, by number, `after` this one. `only`: nobody but this one, anywhere."""
    found = _with_place(sent, only=only).subquery()
    query = (
        sa.select(
            found.c.contact_id, found.c.why, found.c.place_id, Contact.name, Contact.phone,
            Telling.official_id, Telling.at,
        )
        .select_from(found)
        .join(Contact, Contact.id == found.c.contact_id)
        .outerjoin(Telling, _telling(found, sent))
        .where(found.c.contact_id > after)
        .order_by(found.c.contact_id)
        .limit(limit)
    )  # fmt: skip
    if only is None:
        query = query.where(found.c.place_id.in_(place_ids))
    return [Missed(*row) for row in session.execute(query)]


def numbers_of(session: Session, contact_ids: Sequence[int]) -> dict[int, str]:
    """By contact, a telephone number that is an address of theirs."""
    query = sa.select(Urn.contact_id, Urn.value).where(Urn.contact_id.in_(contact_ids), Urn.value.like("tel:%"))
    return {number: value.removeprefix("tel:") for number, value in session.execute(query.order_by(Urn.id.desc()))}


def _telling(found: sa.Subquery, sent: Sent) -> Any:
    return sa.and_(Telling.contact_id == found.c.contact_id, Telling.bulletin_id == sent.bulletin_id)


def _with_place(sent: Sent, only: int | None = None) -> sa.Select[Any]:
    """Those who were missed with the place they named, or last reported from."""
    missed = _missed(sent, only).subquery()
    named = (
        sa.select(sa.func.min(Subscription.place_id))
        .join(Urn, Urn.id == Subscription.urn_id)
        .where(Urn.contact_id == missed.c.contact_id, Subscription.place_id > NOWHERE)
        .scalar_subquery()
    )
    reported = (
        sa.select(Ticket.place_id)
        .where(Ticket.contact_id == missed.c.contact_id, Ticket.place_id.is_not(None), *_in_the_open())
        .order_by(Ticket.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    place = sa.func.coalesce(named, reported, NOWHERE).label("place_id")
    return sa.select(missed.c.contact_id, missed.c.why, place)


def _missed(sent: Sent, only: int | None) -> sa.Select[Any]:
    """One row a person, set-wise over the commune's addresses: whoever has it on one of them is not here."""
    is_muted = Urn.opted_out_at.is_not(None)
    has_it, waits, why = _of_deliveries() if sent.leg_ids else _of_channels(sent)
    query = sa.select(Urn.contact_id, sa.func.min(why).label("why")).join(Contact, Contact.id == Urn.contact_id)
    meant: list[Any] = [_meant(sent)]
    if sent.leg_ids:
        its_own = sa.and_(
            Delivery.urn_id == Urn.id, Delivery.announcement_id.in_(sent.leg_ids), Delivery.part == Delivery.parts
        )
        query = query.outerjoin(Delivery, its_own)
        meant.append(Delivery.id.is_not(None))
    kept_away = [has_it, waits] if sent.whom.importance is Importance.EMERGENCY else [has_it, waits, is_muted]
    query = query.where(Urn.commune_id == sent.commune_id, Contact.erased_at.is_(None), sa.or_(*meant))
    if only is not None:
        query = query.where(Urn.contact_id == only)
    return query.group_by(Urn.contact_id).having(sa.func.max(sa.case((sa.or_(*kept_away), 1), else_=0)) == 0)


def _of_deliveries() -> tuple[Any, Any, Any]:
    ended = sa.func.coalesce(Delivery.code, "")
    why = sa.case(
        (sa.or_(Delivery.state == DeliveryState.UNKNOWN, ended == "earlier_part_unknown"), UNKNOWN),
        (sa.or_(Delivery.state == DeliveryState.REFUSED, ended == "earlier_part_refused"), REFUSED),
        (Delivery.state == DeliveryState.CANCELLED, STOPPED),
        (sa.and_(Urn.is_following, Urn.unreachable_at.is_not(None)), UNREACHABLE),
        (Urn.is_following, NOT_SENT),
        else_=NO_CHANNEL,
    )
    return Delivery.state.in_(_HAVE_IT), Delivery.state.in_(_ON_ITS_WAY), why


def _of_channels(sent: Sent) -> tuple[Any, Any, Any]:
    """As long as nothing was sent: who could be written to now on one of the channels."""
    windows = [
        sa.and_(Urn.channel_id == one.channel_id, *([Urn.last_interaction_at > one.since] if one.since else []))
        for one in sent.channels
    ]
    on_these = Urn.channel_id.in_([one.channel_id for one in sent.channels])
    can_be = sa.and_(Urn.is_following, Urn.unreachable_at.is_(None), sa.or_(sa.false(), *windows))
    why = sa.case(
        (sa.and_(Urn.is_following, Urn.unreachable_at.is_not(None)), UNREACHABLE),
        (sa.and_(Urn.is_following, on_these), WINDOW),
        (Urn.is_following, NOT_SENT),
        else_=NO_CHANNEL,
    )
    return can_be, sa.false(), why


def _meant(sent: Sent) -> Any:
    """For whom it is: followers who want it, and people the commune knows there who follow nothing."""
    whom = sent.whom
    if sent.first_ids:
        first = sa.orm.aliased(Delivery)
        got = sa.select(first.id).where(
            first.urn_id == Urn.id, first.announcement_id.in_(sent.first_ids), first.state.in_(GOT)
        )
        return got.exists()
    follows = sa.and_(Urn.is_following, *wanting(whom))
    knows = sa.and_(Urn.is_following.is_(False), _known(sent), *narrowed_to(whom.about.narrowing, whom.at))
    return sa.or_(follows, knows)


def _known(sent: Sent) -> Any:
    """Whom the commune knows in the open: what is sealed, kept apart or anonymous tells nobody's neighbour."""
    reported = sa.select(Ticket.id).where(Ticket.contact_id == Urn.contact_id, *_in_the_open())
    named = sa.select(Subscription.id).where(Subscription.urn_id == Urn.id)
    belongs = sa.select(Membership.id).where(Membership.urn_id == Urn.id, Membership.left_at.is_(None))
    if sent.whom.about.place_ids:
        here = {*sent.whom.about.place_ids, *sent.nearby_ids}
        reported = reported.where(Ticket.place_id.in_(here))
        named = named.where(Subscription.place_id.in_(here))
    ways = [reported.exists(), named.exists()]
    if sent.whom.about.narrowing.group_ids and not sent.whom.about.place_ids:
        ways.append(belongs.exists())
    return sa.or_(*ways)


def _in_the_open() -> list[Any]:
    device = sa.select(TicketEvent.id).where(
        TicketEvent.ticket_id == Ticket.id, TicketEvent.data["device"].as_boolean().is_(True)
    )
    return [
        ~device.exists(),  # a loudspeaker that reported itself is nobody's neighbour
        Ticket.is_sealed.is_(False),
        Ticket.accuses_leaders.is_(False),
        Ticket.is_restricted.is_(False),
        Ticket.is_anonymous.is_(False),
        Ticket.is_spam.is_(False),
    ]
