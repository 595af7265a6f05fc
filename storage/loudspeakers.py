"""Loudspeakers and boards: what a source system was told, what its clusters played, and how they are."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.base import Base, OfCommune, one_of
from storage.enums import SourceState, SourceStep


class SourceBulletin(OfCommune, Base):
    """One revision of a bulletin, as the source system is told of it, step by step.

    `ref` and `revision`: by which the other side knows it again. `bulletin_id`: which of ours it reads out, if
    it is one of ours. `days` and `slots`: ISO dates, and pairs of HH:MM. `clusters`: by
    the other side's ids; none: all. `attempts`: the latest, each with step, moment and outcome.
    """

    __tablename__ = "source_bulletins"
    __table_args__ = (
        sa.UniqueConstraint("channel_id", "ref", "revision"),
        sa.Index("ix_source_bulletins_due", "state", "next_try_at"),
    )

    channel_id: Mapped[int] = mapped_column(sa.ForeignKey("channels.id"), index=True)
    bulletin_id: Mapped[int | None] = mapped_column(sa.ForeignKey("bulletins.id"), index=True)
    ref: Mapped[str] = mapped_column(sa.String(24))
    revision: Mapped[int] = mapped_column(default=1)
    replaces_id: Mapped[int | None] = mapped_column(sa.ForeignKey("source_bulletins.id"))
    urgency: Mapped[str] = mapped_column(sa.String(20))
    title: Mapped[str] = mapped_column(sa.String(250))
    script: Mapped[str] = mapped_column(sa.Text)
    summary: Mapped[str] = mapped_column(sa.String(500), default="")
    lines: Mapped[list[str]] = mapped_column(default=list)
    topic: Mapped[str] = mapped_column(sa.String(60), default="")
    author: Mapped[str] = mapped_column(sa.String(120), default="")
    approver: Mapped[str] = mapped_column(sa.String(120), default="")
    audio_url: Mapped[str] = mapped_column(sa.String(500), default="")
    seconds: Mapped[int]
    clusters: Mapped[list[str]] = mapped_column(default=list)
    days: Mapped[list[str]] = mapped_column(default=list)
    slots: Mapped[list[Any]] = mapped_column(default=list)
    valid_until: Mapped[datetime]
    state: Mapped[SourceState] = mapped_column(one_of(SourceState), default=SourceState.WAITING)
    step: Mapped[SourceStep] = mapped_column(one_of(SourceStep), default=SourceStep.HAND_OVER)
    code: Mapped[str | None] = mapped_column(sa.String(60))
    reason: Mapped[str | None] = mapped_column(sa.String(400))
    attempts: Mapped[list[Any]] = mapped_column(default=list)
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime]
    lease_id: Mapped[str | None] = mapped_column(sa.String(40))
    lease_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    recall_asked_at: Mapped[datetime | None]
    recall_reason: Mapped[str | None] = mapped_column(sa.String(300))
    recalled_at: Mapped[datetime | None]

    @property
    def key(self) -> str:
        """By which the source system knows this revision again."""
        return f"HC.{self.ref}.r{self.revision}"


class SourceLink(OfCommune, Base):
    """Our side of a channel to a source system: its session (the token sealed), and up to where it was listened to.

    `log_after`, `notices_after`, `feedback_after`: up to where each of its lists was read. `heard_at`: when its
    clusters were last asked after. `failed_at`: since when it cannot be asked.
    """

    __tablename__ = "source_links"

    channel_id: Mapped[int] = mapped_column(sa.ForeignKey("channels.id"), unique=True)
    token: Mapped[bytes | None]
    token_until: Mapped[datetime | None]
    log_after: Mapped[str] = mapped_column(sa.String(120), default="")
    notices_after: Mapped[str] = mapped_column(sa.String(120), default="", server_default="")
    feedback_after: Mapped[str] = mapped_column(sa.String(120), default="", server_default="")
    asked_at: Mapped[datetime | None]
    heard_at: Mapped[datetime | None]
    next_ask_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(sa.String(60))


class LoudspeakerCluster(OfCommune, Base):
    """A cluster of loudspeakers as it last told of itself. `out_since`: not well since; `told_at`: when people
    were called. `ticket_id`: the latest report of it; `reported_for`: the time out that stands there.
    """

    __tablename__ = "loudspeaker_clusters"
    __table_args__ = (sa.UniqueConstraint("channel_id", "external_id"),)

    channel_id: Mapped[int] = mapped_column(sa.ForeignKey("channels.id"))
    external_id: Mapped[str] = mapped_column(sa.String(120))
    name: Mapped[str] = mapped_column(sa.String(120))
    area: Mapped[str] = mapped_column(sa.String(120), default="")
    volume: Mapped[int | None]
    state: Mapped[str] = mapped_column(sa.String(20))
    is_connected: Mapped[bool]
    playing: Mapped[str] = mapped_column(sa.String(250), default="")
    version: Mapped[str] = mapped_column(sa.String(40), default="")
    heard_at: Mapped[datetime]
    out_since: Mapped[datetime | None]
    told_at: Mapped[datetime | None]
    ticket_id: Mapped[int | None] = mapped_column(sa.ForeignKey("tickets.id"))
    reported_for: Mapped[datetime | None]


class PlayLog(OfCommune, Base):
    """That a cluster played a bulletin or a board showed it, or could not; `bulletin_id` is empty for others' ones."""

    __tablename__ = "play_logs"
    __table_args__ = (sa.UniqueConstraint("channel_id", "bulletin_key", "cluster", "kind", "at", "is_success"),)

    channel_id: Mapped[int] = mapped_column(sa.ForeignKey("channels.id"))
    bulletin_id: Mapped[int | None] = mapped_column(sa.ForeignKey("source_bulletins.id"), index=True)
    bulletin_key: Mapped[str] = mapped_column(sa.String(120))
    cluster: Mapped[str] = mapped_column(sa.String(120))
    kind: Mapped[str] = mapped_column(sa.String(20))
    is_success: Mapped[bool]
    reason: Mapped[str] = mapped_column(sa.String(200), default="")
    at: Mapped[datetime]


def clusters_of(session: Session, channel_id: int) -> list[LoudspeakerCluster]:
    """The clusters of a channel, by name."""
    query = sa.select(LoudspeakerCluster).where(LoudspeakerCluster.channel_id == channel_id)
    return list(session.scalars(query.order_by(LoudspeakerCluster.external_id)))


def logs_of(session: Session, bulletin_id: int) -> list[PlayLog]:
    """What was reported of a bulletin, the earliest first."""
    query = sa.select(PlayLog).where(PlayLog.bulletin_id == bulletin_id)
    return list(session.scalars(query.order_by(PlayLog.at, PlayLog.id)))


def link_row(session: Session, channel_id: int) -> SourceLink | None:
    """Our side of a channel, if it has been used yet."""
    return session.scalar(sa.select(SourceLink).where(SourceLink.channel_id == channel_id))


def heard_of(session: Session, bulletin_ids: Collection[int]) -> list[SourceBulletin]:
    """What source systems were or are told of these bulletins, oldest first."""
    query = sa.select(SourceBulletin).where(SourceBulletin.bulletin_id.in_(bulletin_ids)).order_by(SourceBulletin.id)
    return list(session.scalars(query))
