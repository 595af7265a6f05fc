"""Bulletins from above: what the province or the centre handed down, each revision as it came."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from storage.base import Base, OfCommune, one_of
from storage.bulletins import Bulletin
from storage.enums import Importance


class SourceNotice(OfCommune, Base):
    """One revision of a bulletin from above, once for each `ref` and `revision`; the highest one holds.

    `is_cancelled`: this revision takes the bulletin back, `reason` says why. `raw`: as it came. What of it was passed
    on to followers are the bulletins that name it.
    """

    __tablename__ = "source_notices"
    __table_args__ = (
        sa.UniqueConstraint("channel_id", "ref", "revision"),
        sa.Index("ix_source_notices_list", "commune_id", "id"),
    )

    channel_id: Mapped[int] = mapped_column(sa.ForeignKey("channels.id"))
    ref: Mapped[str] = mapped_column(sa.String(120))
    revision: Mapped[int]
    urgency: Mapped[Importance] = mapped_column(one_of(Importance))
    title: Mapped[str] = mapped_column(sa.String(250))
    body: Mapped[str] = mapped_column(sa.Text)
    source: Mapped[str] = mapped_column(sa.String(120))
    is_cancelled: Mapped[bool] = mapped_column(default=False)
    reason: Mapped[str] = mapped_column(sa.String(300), default="")
    made_at: Mapped[datetime | None]
    valid_until: Mapped[datetime | None]
    received_at: Mapped[datetime]
    raw: Mapped[str] = mapped_column(sa.Text)


def _is_newest() -> sa.ColumnElement[bool]:
    later = aliased(SourceNotice)
    same = sa.and_(later.channel_id == SourceNotice.channel_id, later.ref == SourceNotice.ref)
    return ~sa.select(later.id).where(same, later.revision > SourceNotice.revision).exists()


def newest_revision(session: Session, channel_id: int, ref: str) -> int:
    """The highest revision of a bulletin from above; 0 when there is none."""
    query = sa.select(sa.func.max(SourceNotice.revision)).where(
        SourceNotice.channel_id == channel_id, SourceNotice.ref == ref
    )
    return session.scalar(query) or 0


def page_of_notices(session: Session, commune_id: int, *, before: int | None, limit: int) -> list[SourceNotice]:
    """A commune's bulletins from above as they hold now, the latest first, older than `before`."""
    query = sa.select(SourceNotice).where(SourceNotice.commune_id == commune_id, _is_newest())
    if before is not None:
        query = query.where(SourceNotice.id < before)
    return list(session.scalars(query.order_by(SourceNotice.id.desc()).limit(limit)))


def revisions_of(session: Session, notice: SourceNotice) -> list[SourceNotice]:
    """All revisions of the same bulletin, the highest first."""
    query = sa.select(SourceNotice).where(SourceNotice.channel_id == notice.channel_id, SourceNotice.ref == notice.ref)
    return list(session.scalars(query.order_by(SourceNotice.revision.desc())))


def passed_on(session: Session, notices: list[SourceNotice]) -> list[Bulletin]:
    """Our bulletins that pass one of these on, the first one first."""
    query = sa.select(Bulletin).where(Bulletin.notice_id.in_([one.id for one in notices])).order_by(Bulletin.id)
    return list(session.scalars(query))
