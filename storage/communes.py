"""Communes, localities of the country, and a commune's own places."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.base import Base, OfCommune, WithId


class Locality(Base):
    """An administrative unit by its official code; names and borders change, so rows carry their dates."""

    __tablename__ = "localities"

    code: Mapped[str] = mapped_column(sa.String(8), primary_key=True)
    level: Mapped[str] = mapped_column(sa.String(16), index=True)
    type: Mapped[str] = mapped_column(sa.String(32))
    name: Mapped[str] = mapped_column(sa.String(120))
    name_folded: Mapped[str] = mapped_column(sa.String(120), index=True)
    parent_code: Mapped[str | None] = mapped_column(sa.ForeignKey("localities.code"), index=True)
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class Commune(WithId, Base):
    """A commune served here: the owner of every other row."""

    __tablename__ = "communes"

    locality_code: Mapped[str] = mapped_column(sa.ForeignKey("localities.code"), unique=True)
    slug: Mapped[str] = mapped_column(sa.String(60), unique=True)
    name: Mapped[str] = mapped_column(sa.String(120))
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    is_demo: Mapped[bool] = mapped_column(default=False)


class Place(OfCommune, Base):
    """A spot the commune's people name: a thôn, street, school, market, bridge; with the other names it goes by.

    `parent`: the name of the place it belongs to, which tells two of one name apart; "" when there is none.
    """

    __tablename__ = "places"
    __table_args__ = (sa.UniqueConstraint("commune_id", "name", "kind", "parent"),)

    name: Mapped[str] = mapped_column(sa.String(160))
    kind: Mapped[str] = mapped_column(sa.String(40))
    aliases: Mapped[list[str]] = mapped_column(default=list)
    parent: Mapped[str] = mapped_column(sa.String(160), default="")
    is_active: Mapped[bool] = mapped_column(default=True)


class Holiday(WithId, Base):
    """A day off, or a weekend day that is worked instead; `commune_id` empty: for everybody."""

    __tablename__ = "holidays"
    __table_args__ = (sa.UniqueConstraint("day", "commune_id"),)

    day: Mapped[date] = mapped_column(index=True)
    commune_id: Mapped[int | None] = mapped_column(sa.ForeignKey("communes.id"))
    name: Mapped[str] = mapped_column(sa.String(120))
    is_worked: Mapped[bool] = mapped_column(default=False)


class Counter(Base):
    """How often something happened: webhook outcomes per channel and day, and running ticket numbers."""

    __tablename__ = "counters"

    scope: Mapped[str] = mapped_column(sa.String(120), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(60), primary_key=True)
    period: Mapped[str] = mapped_column(sa.String(10), primary_key=True)
    value: Mapped[int] = mapped_column(sa.BigInteger, default=0)


def one_change_at_a_time(session: Session, commune_id: int) -> None:
    """Wait for whoever changes the commune's own lists; citizens are heard meanwhile."""
    query = sa.select(Commune.id).where(Commune.id == commune_id)
    session.execute(query.with_for_update(key_share=True))
