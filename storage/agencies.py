"""Agencies and who handles what."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, OfCommune


class Agency(OfCommune, Base):
    """A body that handles tickets; external ones are contact cards without accounts."""

    __tablename__ = "agencies"
    __table_args__ = (sa.UniqueConstraint("commune_id", "slug"),)

    slug: Mapped[str] = mapped_column(sa.String(60))
    name: Mapped[str] = mapped_column(sa.String(160))
    phone: Mapped[str | None] = mapped_column(sa.String(32))
    contact_name: Mapped[str | None] = mapped_column(sa.String(120))
    official_code: Mapped[str | None] = mapped_column(sa.String(40))
    is_external: Mapped[bool] = mapped_column(default=False)
    is_active: Mapped[bool] = mapped_column(default=True)


class RoutingRule(OfCommune, Base):
    """Topic (and, more exactly, topic at a place) → agency; the more exact rule wins."""

    __tablename__ = "routing_rules"
    __table_args__ = (sa.UniqueConstraint("commune_id", "topic", "place_id"),)

    topic: Mapped[str] = mapped_column(sa.String(40))
    place_id: Mapped[int | None] = mapped_column(sa.ForeignKey("places.id"))
    agency_id: Mapped[int] = mapped_column(sa.ForeignKey("agencies.id"))
