"""Articles: an approved announcement in the form that a channel sends to all followers at once."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, OfCommune, one_of
from storage.enums import ArticleState


class Article(OfCommune, Base):
    """One per announcement; `approved_hash` is of the text that was approved, and only that text goes.

    `handle`: by which the channel is asked whether it is ready; `article_id`: by which it is then known there.
    `external_id`: of the broadcast that the channel took on. Who got it, no channel tells.
    """

    __tablename__ = "articles"

    channel_id: Mapped[int] = mapped_column(sa.ForeignKey("channels.id"), index=True)
    announcement_id: Mapped[int] = mapped_column(sa.ForeignKey("announcements.id"), unique=True)
    asked_by_id: Mapped[int] = mapped_column(sa.ForeignKey("officials.id"))
    state: Mapped[ArticleState] = mapped_column(one_of(ArticleState), default=ArticleState.WAITING)
    approved_hash: Mapped[str] = mapped_column(sa.String(64))
    handle: Mapped[str | None] = mapped_column(sa.String(400))
    article_id: Mapped[str | None] = mapped_column(sa.String(120))
    external_id: Mapped[str | None] = mapped_column(sa.String(160))
    code: Mapped[str | None] = mapped_column(sa.String(60))
    reason: Mapped[str | None] = mapped_column(sa.String(400))
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime]
    lease_id: Mapped[str | None] = mapped_column(sa.String(40))
    lease_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
