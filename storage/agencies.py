"""Agencies and who handles what."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, OfCommune, WithId


class Agency(OfCommune, Base):
    """A body that handles tickets; external ones are contact cards without accounts.

    `closes_on`: the first day on which it is no more, and its work is that of `successor_id`.
    """

    __tablename__ = "agencies"
    __table_args__ = (sa.UniqueConstraint("commune_id", "slug"),)

    slug: Mapped[str] = mapped_column(sa.String(60))
    name: Mapped[str] = mapped_column(sa.String(160))
    phone: Mapped[str | None] = mapped_column(sa.String(32))
    contact_name: Mapped[str | None] = mapped_column(sa.String(120))
    official_code: Mapped[str | None] = mapped_column(sa.String(40))
    is_external: Mapped[bool] = mapped_column(default=False)
    is_active: Mapped[bool] = mapped_column(default=True)
    closes_on: Mapped[date | None]
    successor_id: Mapped[int | None] = mapped_column(sa.BigInteger)


FIRST_DAY = date(2025, 7, 1)  # of the communes as they are now


class RoutingRule(OfCommune, Base):
    """Topic (and, more exactly, topic at a place) → agency, from one day to another; the more exact rule wins.

    `valid_to` is the last day; None: until another one begins.
    """

    __tablename__ = "routing_rules"
    __table_args__ = (sa.UniqueConstraint("commune_id", "topic", "place_id", "valid_from"),)

    topic: Mapped[str] = mapped_column(sa.String(40))
    place_id: Mapped[int | None] = mapped_column(sa.ForeignKey("places.id"))
    agency_id: Mapped[int] = mapped_column(sa.ForeignKey("agencies.id"))
    valid_from: Mapped[date] = mapped_column(default=FIRST_DAY, server_default=FIRST_DAY.isoformat())
    valid_to: Mapped[date | None]


class ProvinceRule(WithId, Base):
    """What a province has decided for all its communes: topic → the agency of this name in each of them."""

    __tablename__ = "province_rules"
    __table_args__ = (sa.UniqueConstraint("province_code", "topic", "valid_from"),)

    province_code: Mapped[str] = mapped_column(sa.String(8))
    topic: Mapped[str] = mapped_column(sa.String(40))
    agency_slug: Mapped[str] = mapped_column(sa.String(60))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
