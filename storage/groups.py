"""Groups of a commune's people (pig farmers, parents), and who belongs to them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.base import Base, OfCommune
from storage.contacts import Urn


class Group(OfCommune, Base):
    """A group of the commune's list; `number`: how it is called by SMS. One that has ended keeps its number."""

    __tablename__ = "groups"
    __table_args__ = (sa.UniqueConstraint("commune_id", "number"),)

    number: Mapped[int]
    name: Mapped[str] = mapped_column(sa.String(60))
    name_folded: Mapped[str] = mapped_column(sa.String(60))
    created_at: Mapped[datetime]
    made_by_id: Mapped[int] = mapped_column(sa.ForeignKey("officials.id"))
    ended_at: Mapped[datetime | None]


class Membership(OfCommune, Base):
    """That somebody on a channel belongs to a group.

    `joined_by_id`: the official who put them in, for `reason`; None: their own word. Who left stays here, so that
    nobody puts back whom their own word took out (`left_by_id` None).
    """

    __tablename__ = "memberships"
    __table_args__ = (sa.UniqueConstraint("group_id", "urn_id"),)

    group_id: Mapped[int] = mapped_column(sa.ForeignKey("groups.id"))
    urn_id: Mapped[int] = mapped_column(sa.ForeignKey("urns.id"), index=True)
    since: Mapped[datetime]
    joined_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("officials.id"))
    reason: Mapped[str] = mapped_column(sa.String(200), default="")
    left_at: Mapped[datetime | None]
    left_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("officials.id"))


def groups_of(session: Session, commune_id: int) -> list[Group]:
    """The commune's groups that have not ended, by number."""
    query = sa.select(Group).where(Group.commune_id == commune_id, Group.ended_at.is_(None))
    return list(session.scalars(query.order_by(Group.number)))


def joined(session: Session, urn_ids: Collection[int]) -> list[tuple[Membership, Group]]:
    """To which groups these addresses belong, by the groups' numbers."""
    query = (
        sa.select(Membership, Group)
        .join(Group, Group.id == Membership.group_id)
        .where(Membership.urn_id.in_(urn_ids), Membership.left_at.is_(None), Group.ended_at.is_(None))
        .order_by(Group.number, Membership.id)
    )
    return [(membership, group) for membership, group in session.execute(query)]


def sizes(session: Session, commune_id: int) -> dict[int, int]:
    """How many people belong to each group, somebody on two channels counted once."""
    query = (
        sa.select(Membership.group_id, sa.func.count(sa.distinct(Urn.contact_id)))
        .join(Urn, Urn.id == Membership.urn_id)
        .where(Membership.commune_id == commune_id, Membership.left_at.is_(None))
        .group_by(Membership.group_id)
    )
    return dict(session.execute(query).tuples().all())
