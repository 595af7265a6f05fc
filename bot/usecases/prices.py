"""Prices: what a commune pays its channels for one message, and what a bulletin really cost."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from adapters.base import Paid
from bot.access import audit
from bot.rules.prices import amount
from bot.runtime import Runtime
from bot.usecases.announcing import READERS, AnnouncementError, NoSuchAnnouncement, must
from storage.announcements import Announcement
from storage.bulletins import Bulletin
from storage.channels import Channel
from storage.deliveries import Delivery
from storage.enums import BulletinState, DeliveryState, Role
from storage.officials import Official
from storage.prices import Price, prices_of

HIGHEST = 100_000
# What the channel took: it is paid for whether or not it arrived, and what nobody knows of may have to be.
_TAKEN = (DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.READ, DeliveryState.UNKNOWN)


@dataclass(frozen=True)
class Priced:
    """A channel that charges. `by_part`: for each part of a short message; else for one outside its free time."""

    channel: Channel
    by_part: bool
    dong: int | None


def listing(runtime: Runtime, official: Official) -> list[Priced]:
    """The commune's channels that charge, with what is known of their prices."""
    must(official, *READERS)
    with runtime.database.reading() as session:
        query = sa.select(Channel).where(Channel.commune_id == official.commune_id, Channel.is_active)
        channels = [one for one in session.scalars(query.order_by(Channel.id)) if charges(runtime, one)]
        known = prices_of(session, [channel.id for channel in channels])
    return [Priced(one, _by_part(runtime, one), known.get(str(one.id))) for one in channels]


def known(runtime: Runtime, official: Official, channel_ids: Collection[int]) -> dict[str, int]:
    """What is known of the prices of these channels, as a plan has them."""
    with runtime.database.reading() as session:
        own = sa.select(Channel.id).where(Channel.id.in_(channel_ids), Channel.commune_id == official.commune_id)
        return prices_of(session, list(session.scalars(own)))


def charges(runtime: Runtime, channel: Channel) -> bool:
    """Whether something on this channel may cost money."""
    adapter = runtime.adapters.get(channel.type)
    if adapter is None:
        return False
    return _by_part(runtime, channel) or adapter.limits.free_window_hours != adapter.limits.window_hours


def set_price(runtime: Runtime, official: Official, channel_id: int, dong: int | None) -> None:
    """Say what one costs, or that nobody knows; what waits for approval has to be read again with it.

    Raises AnnouncementError, NoSuchAnnouncement.
    """
    must(official, Role.ADMIN, Role.LEADER)
    if dong is not None and not 0 <= dong <= HIGHEST:
        raise AnnouncementError("Đơn giá phải từ 0 đến %(most)s đồng. Vui lòng nhập lại.", most=HIGHEST)
    with runtime.database.transaction() as session:
        channel = session.get(Channel, channel_id)
        if channel is None or channel.commune_id != official.commune_id or not charges(runtime, channel):
            raise NoSuchAnnouncement
        price = session.scalar(sa.select(Price).where(Price.channel_id == channel_id).with_for_update())
        if dong is None and price is not None:
            session.delete(price)
        elif dong is not None:
            price = price or Price(commune_id=official.commune_id, channel_id=channel_id)
            price.dong, price.official_id, price.set_at = dong, official.id, runtime.now()
            session.add(price)
        session.flush()
        _price_anew(session, official.commune_id, channel_id)
        audit(session, official, "price.set", f"channel:{channel_id}", runtime.now(), dong=dong)


def spent(session: Session, runtime: Runtime, leg: Announcement, prices: Mapping[str, int]) -> int | None:
    """What the channel charged for one part of a bulletin, in đồng, at the prices approved; None: nobody said them."""
    return amount(_charged(session, runtime, leg), prices.get(str(leg.channel_id)))


def _charged(session: Session, runtime: Runtime, leg: Announcement) -> int:
    channel = session.get_one(Channel, leg.channel_id)
    if not charges(runtime, channel):
        return 0
    adapter: object = runtime.adapters.get(channel.type)
    taken = (
        sa.select(Delivery.part, sa.func.min(Delivery.text), sa.func.count())
        .where(Delivery.announcement_id == leg.id, Delivery.state.in_(_TAKEN))
        .group_by(Delivery.part)
    )
    if isinstance(adapter, Paid):
        parts = session.execute(taken).all()
        return sum(adapter.cost(channel.settings, text).parts * count for _, text, count in parts)
    paid = sa.select(sa.func.count()).where(Delivery.announcement_id == leg.id, Delivery.was_paid.is_(True))
    return session.scalar(paid) or 0


def _price_anew(session: Session, commune_id: int, channel_id: int) -> None:
    """What is not yet approved carries the prices of now, so that nobody approves what they did not read."""
    query = sa.select(Bulletin).where(
        Bulletin.commune_id == commune_id, Bulletin.state.in_([BulletinState.DRAFT, BulletinState.SUBMITTED])
    )
    for bulletin in session.scalars(query.with_for_update(key_share=True)):
        if channel_id in bulletin.channel_ids:
            bulletin.prices = prices_of(session, bulletin.channel_ids)


def _by_part(runtime: Runtime, channel: Channel) -> bool:
    return isinstance(runtime.adapters.get(channel.type), Paid)
