"""Deliveries (one message owed to one URN), the attempts to make them, and how many of an announcement stand where."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.base import Base, BigId, OfCommune, one_of
from storage.enums import DeliveryKind, DeliveryState
from storage.sealing import Sealable


class Delivery(OfCommune, Sealable, Base):
    """One message part owed to one person; its state is the truth. `key` makes owing it twice impossible.

    `resends`: how often a person sent it anew, under another name at the channel. `via`: the gateway that may have it
    already. `asks`: what the citizen may hand over with one press, or that it is done with. `part_receipts`: what the
    network says of each piece, where it speaks of pieces. `instead_of_id`: the delivery of the same message that failed
    on another channel; `rerouted_at`: when another way was looked for. `pays`: an official agreed that the channel may
    charge for it, `was_paid`: it did. `template`: it is a message the channel has approved beforehand, which one and
    with which values; `text` is how it reads. `held_until`: it waits in the house so long, because its official may
    take it back.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        sa.UniqueConstraint("key"),
        sa.UniqueConstraint("announcement_id", "urn_id", "part"),
        sa.Index("ix_deliveries_outbox", "channel_id", "priority", "next_attempt_at", "id",
                 sqlite_where=sa.text("state = 'waiting'"), postgresql_where=sa.text("state = 'waiting'")),
        sa.Index("ix_deliveries_sending", "lease_until", sqlite_where=sa.text("state = 'sending'"),
                 postgresql_where=sa.text("state = 'sending'")),
        sa.Index("ix_deliveries_line", "announcement_id", "next_attempt_at", "id",
                 sqlite_where=sa.text("state = 'waiting' AND announcement_id IS NOT NULL"),
                 postgresql_where=sa.text("state = 'waiting' AND announcement_id IS NOT NULL")),
        sa.Index("ix_deliveries_external", "channel_id", "external_id",
                 sqlite_where=sa.text("external_id IS NOT NULL"), postgresql_where=sa.text("external_id IS NOT NULL")),
        sa.Index("ix_deliveries_message_id", "message_id",
                 sqlite_where=sa.text("message_id IS NOT NULL"), postgresql_where=sa.text("message_id IS NOT NULL")),
        sa.Index("ix_deliveries_other_way", "id",
                 sqlite_where=sa.text("state = 'refused' AND kind = 'reply' AND rerouted_at IS NULL"),
                 postgresql_where=sa.text("state = 'refused' AND kind = 'reply' AND rerouted_at IS NULL")),
        sa.Index("ix_deliveries_urn", "urn_id", "id"),
        sa.Index("ix_deliveries_image_blob", "image_blob", sqlite_where=sa.text("image_blob IS NOT NULL"),
                 postgresql_where=sa.text("image_blob IS NOT NULL")),
    )  # fmt: skip

    key: Mapped[str] = mapped_column(sa.String(120))
    channel_id: Mapped[int] = mapped_column(sa.ForeignKey("channels.id"))
    urn_id: Mapped[int] = mapped_column(sa.ForeignKey("urns.id"))
    conversation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("conversations.id"))
    message_id: Mapped[int | None] = mapped_column(sa.ForeignKey("messages.id"))
    announcement_id: Mapped[int | None] = mapped_column(sa.ForeignKey("announcements.id"))
    kind: Mapped[DeliveryKind] = mapped_column(one_of(DeliveryKind))
    priority: Mapped[int] = mapped_column(default=5)
    part: Mapped[int] = mapped_column(default=1)
    parts: Mapped[int] = mapped_column(default=1)
    text: Mapped[str] = mapped_column(sa.Text, default="")
    choices: Mapped[list[str] | None]
    asks: Mapped[str | None] = mapped_column(sa.String(12))
    image_blob: Mapped[str | None] = mapped_column(sa.String(80))
    quoted_external_id: Mapped[str | None] = mapped_column(sa.String(160))
    state: Mapped[DeliveryState] = mapped_column(one_of(DeliveryState), default=DeliveryState.WAITING)
    code: Mapped[str | None] = mapped_column(sa.String(60))
    reason: Mapped[str | None] = mapped_column(sa.String(400))
    external_id: Mapped[str | None] = mapped_column(sa.String(160))
    tries: Mapped[int] = mapped_column(default=0)
    resends: Mapped[int] = mapped_column(default=0, server_default="0")
    via: Mapped[str | None] = mapped_column(sa.String(20))
    part_receipts: Mapped[dict[str, Any] | None]
    instead_of_id: Mapped[int | None]
    rerouted_at: Mapped[datetime | None]
    pays: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    was_paid: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    template: Mapped[dict[str, Any] | None]
    next_attempt_at: Mapped[datetime]
    held_until: Mapped[datetime | None]
    lease_id: Mapped[str | None] = mapped_column(sa.String(60))
    lease_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    read_at: Mapped[datetime | None]

    WORDS = ("text", "template")

    def is_secret(self, session: Session) -> bool:
        """Whether it hands over a secret message."""
        from storage.messages import Message

        message = session.get(Message, self.message_id) if self.message_id is not None else None
        return message is not None and message.is_secret(session)

    def forget_traces(self, session: Session) -> None:
        """Channels repeat in their answers what was sent."""
        session.execute(sa.update(Attempt).where(Attempt.delivery_id == self.id).values(exchange=[]))


class Attempt(OfCommune, Base):
    """One try of a delivery, begun before the call and ended after it; `exchange` is redacted."""

    __tablename__ = "attempts"

    delivery_id: Mapped[int] = mapped_column(sa.ForeignKey("deliveries.id"), index=True)
    number: Mapped[int]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(sa.String(32))
    code: Mapped[str | None] = mapped_column(sa.String(60))
    exchange: Mapped[list[Any]] = mapped_column(default=list)


class DeliveryCount(Base):
    """How many people of an announcement stand in a state, as far as one `writer` has moved them; the sum is the truth.

    The database adds to it with each change of a delivery (migration 0038), so that nobody need count a million rows.
    A message in parts is one message to its reader: the last part speaks for all of them.
    """

    __tablename__ = "delivery_counts"

    announcement_id: Mapped[int] = mapped_column(sa.ForeignKey("announcements.id"), primary_key=True)
    state: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    writer: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigId)
