"""Trained models: those made from corrections here, the one in use, and what was refused; shared by all communes."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, defer, mapped_column

from storage.base import Base, WithId
from storage.database import advisory_lock


class TrainedModel(WithId, Base):
    """A model, or a refusal when there is no `promoted_at`; when no row is active, the model that ships is in use.

    `parent_version`: of the model it was compared with. `note`: why it was refused, or what it learned from.
    `figures`: what was measured, in plain numbers. `content` is the model's file, empty for a refusal and when it was
    let go of. `taught`: the numbers of the messages it learned from, by what was said of them ("topic:rac-thai"); None
    when that is not known. `rolled_back_at`: since when people have preferred another; None once it is in use again.
    """

    __tablename__ = "models"
    __table_args__ = (
        sa.Index("ix_models_active", "is_active", unique=True, sqlite_where=sa.text("is_active = 1"),
                 postgresql_where=sa.text("is_active")),
    )  # fmt: skip

    version: Mapped[str | None] = mapped_column(sa.String(60), index=True)
    created_at: Mapped[datetime]
    content: Mapped[bytes | None]
    taught: Mapped[dict[str, Any] | None] = mapped_column(default=dict)
    note: Mapped[str] = mapped_column(sa.Text, default="")
    figures: Mapped[dict[str, Any]] = mapped_column(default=dict)
    promoted_at: Mapped[datetime | None]
    rolled_back_at: Mapped[datetime | None]
    is_active: Mapped[bool] = mapped_column(default=False)
    parent_version: Mapped[str | None] = mapped_column(sa.String(60))


def active_version(session: Session) -> str | None:
    """The version of the trained model in use; None when it is the one that ships."""
    return session.scalar(sa.select(TrainedModel.version).where(TrainedModel.is_active.is_(True)))


def content_of(session: Session, version: str) -> bytes | None:
    """The file of a promoted model; None when there is none of that version."""
    query = sa.select(TrainedModel.content).where(
        TrainedModel.version == version, TrainedModel.promoted_at.is_not(None), TrainedModel.content.is_not(None)
    )
    return session.scalar(query.order_by(TrainedModel.id.desc()).limit(1))


def latest(session: Session, most: int) -> list[TrainedModel]:
    """The latest promotions and refusals, newest first, without their files and what they were taught."""
    bare = (defer(TrainedModel.content), defer(TrainedModel.taught))
    query = sa.select(TrainedModel).options(*bare).order_by(TrainedModel.id.desc()).limit(most)
    return list(session.scalars(query))


def let_go(session: Session, numbers: Collection[int]) -> None:
    """Delete the files of these models, and what they were taught; that they were in use is still told."""
    session.execute(sa.update(TrainedModel).where(TrainedModel.id.in_(numbers)).values(content=None, taught={}))


def take_turns(session: Session) -> None:
    """Let one at a time look which model is in use and put another in its place; to be called before looking."""
    advisory_lock(session, "the model in use")


def activate(session: Session, version: str | None) -> None:
    """Use the promoted model of this version; None: the one that ships."""
    session.execute(sa.update(TrainedModel).where(TrainedModel.is_active.is_(True)).values(is_active=False))
    if version is not None:
        promoted = sa.select(sa.func.max(TrainedModel.id)).where(
            TrainedModel.version == version, TrainedModel.promoted_at.is_not(None)
        )
        session.execute(
            sa.update(TrainedModel)
            .where(TrainedModel.id == promoted.scalar_subquery())
            .values(is_active=True, rolled_back_at=None)
        )
