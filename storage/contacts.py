"""Contacts (citizens as we know them), their URNs, and conversations."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, OfCommune


class Contact(OfCommune, Base):
    """A citizen as we know them; a name and a phone only if they gave them.

    `consent` to keeping name, phone and village: "given", "refused", or None as long as they said nothing;
    `consent_at`: since when. The bot asks for it once, at `consent_asked_at`, and for the name at `identity_asked_at`.
    """

    __tablename__ = "contacts"

    name: Mapped[str | None] = mapped_column(sa.String(120))
    phone: Mapped[str | None] = mapped_column(sa.String(32))
    address: Mapped[str | None] = mapped_column(sa.String(300))
    created_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]
    consent: Mapped[str | None] = mapped_column(sa.String(10))
    consent_at: Mapped[datetime | None]
    consent_asked_at: Mapped[datetime | None]
    identity_asked_at: Mapped[datetime | None]


class Urn(OfCommune, Base):
    """Who someone is on a channel, and whether and until when we may write to them there.

    `window_asked_at`: when the channel was last asked for `last_interaction_at`.
    """

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
    window_asked_at: Mapped[datetime | None]
    unreachable_at: Mapped[datetime | None]
    unreachable_code: Mapped[str | None] = mapped_column(sa.String(60))


class Conversation(OfCommune, Base):
    """The run of messages with one citizen on one channel.

    `asked`: the question of the bot that waits for an answer, since `asked_at`, about the ticket `asked_ticket_id`;
    `asked_data`: what it offers; `asked_count`: how many were asked about that ticket. `held_since`, `held_by_id`: an
    official answers in person, and the bot is silent until it is handed back, by itself at `held_until`.
    """

    __tablename__ = "conversations"
    __table_args__ = (
        sa.Index("ix_conversations_held", "held_until", sqlite_where=sa.text("held_until IS NOT NULL"),
                 postgresql_where=sa.text("held_until IS NOT NULL")),
    )  # fmt: skip

    channel_id: Mapped[int] = mapped_column(sa.ForeignKey("channels.id"))
    contact_id: Mapped[int] = mapped_column(sa.ForeignKey("contacts.id"), index=True)
    urn_id: Mapped[int] = mapped_column(sa.ForeignKey("urns.id"), unique=True)
    last_in_at: Mapped[datetime | None]
    last_message_at: Mapped[datetime | None]
    asked: Mapped[str | None] = mapped_column(sa.String(20))
    asked_ticket_id: Mapped[int | None]
    asked_at: Mapped[datetime | None]
    asked_data: Mapped[dict[str, Any] | None]
    asked_count: Mapped[int] = mapped_column(default=0, server_default="0")
    held_by_id: Mapped[int | None]
    held_since: Mapped[datetime | None]
    held_until: Mapped[datetime | None]
    language: Mapped[str] = mapped_column(sa.String(8), default="vi", server_default="vi")
    created_at: Mapped[datetime]
