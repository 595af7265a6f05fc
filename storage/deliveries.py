"""Deliveries (one message owed to one URN) and the attempts to make them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, OfCommune, one_of
from storage.enums import DeliveryKind, DeliveryState


class Delivery(OfCommune, Base):
    """One message part owed to one person; its state is the truth. `key` makes owing it twice impossible.

    `resends`: how often a person sent it anew, under another name at the channel. `via`: the gateway that may have it
    already. `part_receipts`: what the network says of each piece, where it speaks of pieces.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        sa.UniqueConstraint("key"),
        sa.UniqueConstraint("announcement_id", "urn_id", "part"),
        sa.Index("ix_deliveries_outbox", "channel_id", "priority", "next_attempt_at", "id",
                 sqlite_where=sa.text("state = 'waiting'"), postgresql_where=sa.text("state = 'waiting'")),
        sa.Index("ix_deliveries_sending", "lease_until", sqlite_where=sa.text("state = 'sending'"),
                 postgresql_where=sa.text("state = 'sending'")),
        sa.Index("ix_deliveries_external", "channel_id", "external_id"),
        sa.Index("ix_deliveries_urn", "urn_id", "id"),
    )  # fmt: skip

    key: Mapped[str] = mapped_column(sa.String(120))
    channel_id: Mapped[int] = mapped_column(sa.ForeignKey("channels.id"))
    urn_id: Mapped[int] = mapped_column(sa.ForeignKey("urns.id"))
    conversation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("conversations.id"))
    message_id: Mapped[int | None] = mapped_column(sa.ForeignKey("messages.id"), index=True)
    announcement_id: Mapped[int | None] = mapped_column(sa.ForeignKey("announcements.id"))
    kind: Mapped[DeliveryKind] = mapped_column(one_of(DeliveryKind))
    priority: Mapped[int] = mapped_column(default=5)
    part: Mapped[int] = mapped_column(default=1)
    parts: Mapped[int] = mapped_column(default=1)
    text: Mapped[str] = mapped_column(sa.Text, default="")
    choices: Mapped[list[str] | None]
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
    next_attempt_at: Mapped[datetime]
    lease_id: Mapped[str | None] = mapped_column(sa.String(60))
    lease_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    read_at: Mapped[datetime | None]


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
