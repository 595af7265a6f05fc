"""Announcements: something told to many, written by one official and approved by another."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, OfCommune, one_of
from storage.enums import AnnouncementState


class Announcement(OfCommune, Base):
    """`approved_hash` is of exactly the text that was approved; only that text is sent."""

    __tablename__ = "announcements"
    __table_args__ = (
        sa.CheckConstraint("approver_id IS NULL OR approver_id <> author_id", name="two_people"),
        sa.Index("ix_announcements_list", "commune_id", "created_at"),
    )

    channel_id: Mapped[int] = mapped_column(sa.ForeignKey("channels.id"))
    title: Mapped[str] = mapped_column(sa.String(120))
    body: Mapped[str] = mapped_column(sa.Text)
    state: Mapped[AnnouncementState] = mapped_column(one_of(AnnouncementState), default=AnnouncementState.DRAFT)
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("officials.id"))
    approver_id: Mapped[int | None] = mapped_column(sa.ForeignKey("officials.id"))
    approved_hash: Mapped[str | None] = mapped_column(sa.String(64))
    returned_note: Mapped[str | None] = mapped_column(sa.Text)
    audience_count: Mapped[int | None]
    expanded_to_urn_id: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    frozen_to_urn_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    created_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    approved_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    stopped_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
