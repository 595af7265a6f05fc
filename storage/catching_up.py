"""Catch-ups: a channel is asked what was said while it could not bring it to us."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.base import Base, OfCommune, one_of
from storage.deliveries import Delivery
from storage.enums import CatchUpState, InboundState
from storage.ingest import NewEvent
from storage.messages import InboundEvent, Message
from storage.sealing import seals_of


class CatchUp(OfCommune, Base):
    """Asking a channel what was said since `since`; where it stands is durable, so that it goes on after a crash.

    `offset`: how far the list of conversations was read; `looked_at`: whose conversations were; `again`: there were new
    ones in this pass, so one more is needed. `said`, `echoes`: how many messages of citizens and of ours it brought
    that were missing, said between `first_at` and `last_at`; `unshown`: the ids of what the channel would not show.
    """

    __tablename__ = "catch_ups"
    __table_args__ = (
        sa.Index("uq_catch_ups_waiting", "channel_id", unique=True, sqlite_where=sa.text("state = 'waiting'"),
                 postgresql_where=sa.text("state = 'waiting'")),
        sa.Index("ix_catch_ups_channel", "channel_id", "id"),
    )  # fmt: skip

    channel_id: Mapped[int] = mapped_column(sa.ForeignKey("channels.id"))
    asked_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("officials.id"))
    since: Mapped[datetime]
    state: Mapped[CatchUpState] = mapped_column(one_of(CatchUpState), default=CatchUpState.WAITING)
    offset: Mapped[int] = mapped_column(default=0)
    again: Mapped[bool] = mapped_column(default=False)
    looked_at: Mapped[list[str]] = mapped_column(default=list)
    said: Mapped[int] = mapped_column(default=0)
    echoes: Mapped[int] = mapped_column(default=0)
    unshown: Mapped[list[str]] = mapped_column(default=list)
    first_at: Mapped[datetime | None]
    last_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(sa.String(60))
    reason: Mapped[str | None] = mapped_column(sa.String(400))
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime]
    lease_id: Mapped[str | None] = mapped_column(sa.String(40))
    lease_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

    @property
    def found(self) -> int:
        """How many messages it brought that were missing."""
        return self.said + self.echoes


def insert_missing(session: Session, events: Sequence[NewEvent], catch_up_id: int) -> set[str]:
    """Store those events that no webhook has brought; gives their keys."""
    if not events:
        return set()
    names = ("commune_id", "channel_id", "key", "event_name", "conversation_key", "body", "occurred_at", "received_at")
    more = {"state": InboundState.WAITING, "tries": 0, "catch_up_id": catch_up_id}
    rows = [{name: getattr(e, name) for name in names} | {"next_try_at": e.received_at} | more for e in events]
    for row in rows:
        row["body"] = seals_of(session).lock_body(row["body"])
    statement = _insert(session).values(rows).on_conflict_do_nothing(index_elements=["channel_id", "key"])
    return set(session.scalars(statement.returning(InboundEvent.key)))


def known_ids(session: Session, channel_id: int, external_ids: Sequence[str]) -> set[str]:
    """Of these messages, those that we keep already: said by a citizen, or sent by us."""
    found: set[str] = set()
    for column, owner in (
        (Message.external_id, Message.channel_id),
        (Delivery.external_id, Delivery.channel_id),
    ):
        query = sa.select(column).where(owner == channel_id, column.in_(external_ids))
        found.update(filter(None, session.scalars(query)))
    return found


def latest_of(session: Session, channel_id: int) -> list[CatchUp]:
    """A channel's last catch-up, and before it the last one that brought something, if that is another."""
    query = sa.select(CatchUp).where(CatchUp.channel_id == channel_id).order_by(CatchUp.id.desc()).limit(1)
    last = session.scalar(query)
    fruitful = session.scalar(query.where(CatchUp.said + CatchUp.echoes > 0))
    return [row for row in (last, fruitful if fruitful is not last else None) if row is not None]


def last_brought_at(session: Session, channel_id: int) -> datetime | None:
    """When the channel last brought an event by itself."""
    query = sa.select(InboundEvent.received_at).where(
        InboundEvent.channel_id == channel_id, InboundEvent.catch_up_id.is_(None)
    )
    return session.scalar(query.order_by(InboundEvent.id.desc()).limit(1))


def _insert(session: Session) -> Any:
    if session.get_bind().dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as pg_insert

        return pg_insert(InboundEvent)
    from sqlalchemy.dialects.sqlite import insert as sqlite_insert

    return sqlite_insert(InboundEvent)
