"""Editions of "Hỏi – đáp cùng bà con": what a week proposes of the public list, and the bulletin made of it."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.base import Base, OfCommune
from storage.publications import Publication


class Edition(OfCommune, Base):
    """A commune's week, known by its Monday, proposed once. `bulletin_id`: what was made of it, if anything was."""

    __tablename__ = "editions"
    __table_args__ = (sa.UniqueConstraint("commune_id", "week"), sa.Index("ix_editions_proposed", "proposed_at"))

    week: Mapped[date]
    proposed_at: Mapped[datetime]
    bulletin_id: Mapped[int | None] = mapped_column(sa.ForeignKey("bulletins.id"), index=True)
    edited_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("officials.id"))
    edited_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)


class EditionItem(OfCommune, Base):
    """A published result as an edition tells it: first the words of the list, then the author's.

    Whether it may be told is asked anew each time (`storage/publications.shown`). `taken_out_at`: it once might not be,
    so it does not come back by itself.
    """

    __tablename__ = "edition_items"
    __table_args__ = (sa.UniqueConstraint("edition_id", "publication_id"),)

    edition_id: Mapped[int] = mapped_column(sa.ForeignKey("editions.id"))
    publication_id: Mapped[int] = mapped_column(sa.ForeignKey("publications.id"), index=True)
    position: Mapped[int]
    question: Mapped[str] = mapped_column(sa.String(300))
    answer: Mapped[str] = mapped_column(sa.Text)
    is_dropped: Mapped[bool] = mapped_column(default=False)
    taken_out_at: Mapped[datetime | None]


def newest_edition(session: Session, commune_id: int) -> Edition | None:
    """The commune's latest edition."""
    query = sa.select(Edition).where(Edition.commune_id == commune_id).order_by(Edition.week.desc())
    return session.scalar(query.limit(1))


def edition_of(session: Session, bulletin_id: int | None) -> Edition | None:
    """The edition that a bulletin was made of; none for one that is being written down."""
    if bulletin_id is None:
        return None
    return session.scalar(sa.select(Edition).where(Edition.bulletin_id == bulletin_id))


def forget_items(session: Session, ticket_ids: list[int]) -> None:
    """The writers' data are erased: what editions hold of these reports goes with its words."""
    theirs = sa.select(Publication.id).where(Publication.ticket_id.in_(ticket_ids))
    session.execute(sa.update(EditionItem).where(EditionItem.publication_id.in_(theirs)).values(question="", answer=""))
