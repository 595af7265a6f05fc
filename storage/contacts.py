"""Contacts (citizens as we know them), their URNs, and conversations."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, OfCommune


class Contact(OfCommune, Base):
    """A citizen as we know them; a name and a phone only if they gave them."""

    __tablename__ = "contacts"

    name: Mapped[str | None] = mapped_column(sa.String(120))
    phone: Mapped[str | None] = mapped_column(sa.String(32))
    address: Mapped[str | None] = mapped_column(sa.String(300))
    created_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]


class Urn(OfCommune, Base):
    """Who someone is on a channel, and whether and until when we may write to them there."""

    __tablename__ = "urns"
    __table_args__ = (sa.UniqueConstraint("channel_id", "value"),)

    channel_id: Mapped[int] = mapped_column(sa.ForeignKey("channels.id"))
    contact_id: Mapped[int] = mapped_column(sa.ForeignKey("contacts.id"), index=True)
    value: Mapped[str] = mapped_column(sa.String(160))
    is_following: Mapped[bool] = mapped_column(default=False)
    following_changed_at: Mapped[datetime | None]
    opted_out_at: Mapped[datetime | None]
    opted_changed_at: Mapped[datetime | None]
    last_interaction_at: Mapped[datetime | None]
    unreachable_at: Mapped[datetime | None]
    unreachable_code: Mapped[str | None] = mapped_column(sa.String(60))


class Conversation(OfCommune, Base):
    """The run of messages with one citizen on one channel.

    `asked`: the question of the bot that waits for an answer, since `asked_at`, about the ticket `asked_ticket_id`.
    """

    __tablename__ = "conversations"

    channel_id: Mapped[int] = mapped_column(sa.ForeignKey("channels.id"))
    contact_id: Mapped[int] = mapped_column(sa.ForeignKey("contacts.id"), index=True)
    urn_id: Mapped[int] = mapped_column(sa.ForeignKey("urns.id"), unique=True)
    last_in_at: Mapped[datetime | None]
    last_message_at: Mapped[datetime | None]
    asked: Mapped[str | None] = mapped_column(sa.String(20))
    asked_ticket_id: Mapped[int | None]
    asked_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
