"""Inbound events as received, messages, attachments."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, OfCommune, one_of
from storage.enums import AttachmentState, Direction, InboundState, Origin


class InboundEvent(OfCommune, Base):
    """An event exactly as a channel sent it: the promise behind every 200 we answered."""

    __tablename__ = "inbound_events"
    __table_args__ = (
        sa.UniqueConstraint("channel_id", "key"),
        sa.Index("ix_inbound_events_waiting", "next_try_at", "id", sqlite_where=sa.text("state = 'waiting'"),
                 postgresql_where=sa.text("state = 'waiting'")),
    )  # fmt: skip

    channel_id: Mapped[int] = mapped_column(sa.ForeignKey("channels.id"))
    key: Mapped[str] = mapped_column(sa.String(200))
    event_name: Mapped[str] = mapped_column(sa.String(80))
    conversation_key: Mapped[str] = mapped_column(sa.String(200), index=True)
    body: Mapped[bytes]
    occurred_at: Mapped[datetime]
    received_at: Mapped[datetime]
    state: Mapped[InboundState] = mapped_column(one_of(InboundState), default=InboundState.WAITING)
    outcome: Mapped[str | None] = mapped_column(sa.String(120))
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime]
    lease_id: Mapped[str | None] = mapped_column(sa.String(60))
    lease_until: Mapped[datetime | None]
    done_at: Mapped[datetime | None]


class Message(OfCommune, Base):
    """One thing said, in or out. `text_folded` is what search looks at. `reading` is for inbound messages.

    `template`: the keys of the texts that an outbound one was made from, joined by "+".
    `faq_key`: of a question, the entry it was answered with, so that it needs no ticket. `answers`: which question of
    the bot it answers, about the ticket `answers_ticket_id`; without one it is done with and belongs to no ticket.
    `part_of_id`: it repeats a part of that message, which told two matters, under the ticket of the second one.
    """

    __tablename__ = "messages"
    __table_args__ = (
        sa.UniqueConstraint("inbound_event_id"),
        sa.Index("ix_messages_timeline", "conversation_id", "occurred_at", "id"),
        sa.Index("ix_messages_ticket", "ticket_id", "occurred_at"),
        sa.Index("ix_messages_external", "channel_id", "external_id"),
    )

    channel_id: Mapped[int] = mapped_column(sa.ForeignKey("channels.id"))
    conversation_id: Mapped[int] = mapped_column(sa.ForeignKey("conversations.id"))
    ticket_id: Mapped[int | None] = mapped_column(sa.ForeignKey("tickets.id"))
    inbound_event_id: Mapped[int | None] = mapped_column(sa.ForeignKey("inbound_events.id"))
    direction: Mapped[Direction] = mapped_column(one_of(Direction))
    origin: Mapped[Origin] = mapped_column(one_of(Origin))
    author_id: Mapped[int | None] = mapped_column(sa.ForeignKey("officials.id"))
    external_id: Mapped[str | None] = mapped_column(sa.String(160))
    quoted_external_id: Mapped[str | None] = mapped_column(sa.String(160))
    text: Mapped[str] = mapped_column(sa.Text, default="")
    text_folded: Mapped[str] = mapped_column(sa.Text, default="")
    template: Mapped[str | None] = mapped_column(sa.String(60))
    faq_key: Mapped[str | None] = mapped_column(sa.String(60))
    answers: Mapped[str | None] = mapped_column(sa.String(20))
    answers_ticket_id: Mapped[int | None]
    part_of_id: Mapped[int | None]
    reading: Mapped[dict[str, Any] | None]
    is_sealed: Mapped[bool] = mapped_column(default=False)
    occurred_at: Mapped[datetime]
    created_at: Mapped[datetime]


class Attachment(OfCommune, Base):
    """A photo, voice note, file, place… of a message; `missing_code` says why we do not hold its bytes."""

    __tablename__ = "attachments"
    __table_args__ = (
        sa.Index("ix_attachments_waiting", "next_try_at", sqlite_where=sa.text("state = 'waiting'"),
                 postgresql_where=sa.text("state = 'waiting'")),
    )  # fmt: skip

    message_id: Mapped[int] = mapped_column(sa.ForeignKey("messages.id"), index=True)
    position: Mapped[int] = mapped_column(default=0)
    kind: Mapped[str] = mapped_column(sa.String(20))
    url: Mapped[str | None] = mapped_column(sa.Text)
    name: Mapped[str | None] = mapped_column(sa.String(255))
    title: Mapped[str | None] = mapped_column(sa.Text)
    phone: Mapped[str | None] = mapped_column(sa.String(40))
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    declared_size: Mapped[int | None] = mapped_column(sa.BigInteger)
    declared_md5: Mapped[str | None] = mapped_column(sa.String(32))
    state: Mapped[AttachmentState] = mapped_column(one_of(AttachmentState), default=AttachmentState.NONE)
    mime: Mapped[str | None] = mapped_column(sa.String(80))
    size: Mapped[int | None] = mapped_column(sa.BigInteger)
    blob: Mapped[str | None] = mapped_column(sa.String(80))
    missing_code: Mapped[str | None] = mapped_column(sa.String(60))
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
