"""Inbound events as received, messages, attachments."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.base import Base, OfCommune, one_of
from storage.enums import AttachmentState, Direction, InboundState, Origin, Playing
from storage.sealing import Sealable


class InboundEvent(OfCommune, Sealable, Base):
    """An event exactly as a channel sent it: the promise behind every 200 we answered.

    `body` is kept locked with the installation's key; with the commune's once its talk holds something sealed.

    `catch_up_id`: it was not brought; that catch-up found it.
    """

    __tablename__ = "inbound_events"
    __table_args__ = (
        sa.UniqueConstraint("channel_id", "key"),
        sa.Index("ix_inbound_events_waiting", "next_try_at", "id", sqlite_where=sa.text("state = 'waiting'"),
                 postgresql_where=sa.text("state = 'waiting'")),
        sa.Index("ix_inbound_events_parked", "id", sqlite_where=sa.text("state = 'parked'"),
                 postgresql_where=sa.text("state = 'parked'")),
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
    catch_up_id: Mapped[int | None] = mapped_column(sa.BigInteger)

    WORDS = ("body",)

    def is_secret(self, session: Session) -> bool:  # noqa: ARG002 - what is sealed once stays so
        """Whether something of its talk was sealed; a talk's events do not become plain again."""
        return self.sealed is not None or self.is_of_sealed_talk

    is_of_sealed_talk = False


class Message(OfCommune, Sealable, Base):
    """One thing said, in or out. `text_folded` is what search looks at. `reading` is for inbound messages.

    `template`: the keys of the texts that an outbound one was made from, joined by "+".
    `faq_key`: of a question, the entry it was answered with, so that it needs no ticket. `answers`: which question of
    the bot it answers, about the ticket `answers_ticket_id`; without one it is done with and belongs to no ticket.
    `filled`: with what its text was filled in, where others get the same in their own form.
    `part_of_id`: it repeats a part of that message, which told two matters, under the ticket of the second one.
    `words_gone_at`: when its words went because their time was over, of one that belongs to no ticket.
    `announcement_id`: the announcement it answers.
    """

    __tablename__ = "messages"
    __table_args__ = (
        sa.UniqueConstraint("inbound_event_id"),
        sa.Index("ix_messages_timeline", "conversation_id", "occurred_at", "id"),
        sa.Index("ix_messages_ticket", "ticket_id", "occurred_at"),
        sa.Index("ix_messages_external", "channel_id", "external_id"),
        sa.Index(
            "ix_messages_loose",
            "commune_id",
            "occurred_at",
            sqlite_where=sa.text("ticket_id IS NULL AND words_gone_at IS NULL"),
            postgresql_where=sa.text("ticket_id IS NULL AND words_gone_at IS NULL"),
        ),
        sa.Index("ix_messages_announcement", "announcement_id", sqlite_where=sa.text("announcement_id IS NOT NULL"),
                 postgresql_where=sa.text("announcement_id IS NOT NULL")),
        sa.Index(
            "ix_messages_not_yet_sealed",
            "id",
            sqlite_where=sa.text("is_sealed = 1 AND sealed IS NULL"),
            postgresql_where=sa.text("is_sealed AND sealed IS NULL"),
        ),
    )  # fmt: skip

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
    filled: Mapped[dict[str, Any] | None]
    answers: Mapped[str | None] = mapped_column(sa.String(20))
    answers_ticket_id: Mapped[int | None]
    part_of_id: Mapped[int | None]
    reading: Mapped[dict[str, Any] | None]
    is_sealed: Mapped[bool] = mapped_column(default=False)
    words_gone_at: Mapped[datetime | None]
    announcement_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    occurred_at: Mapped[datetime]
    created_at: Mapped[datetime]

    WORDS = ("text", "text_folded", "reading", "filled")
    WATCHED = ("is_sealed", "ticket_id")

    def is_secret(self, session: Session) -> bool:
        """Whether it was said in secret, or to a ticket that is sealed."""
        if self.is_sealed or self.ticket_id is None:
            return self.is_sealed
        from storage.tickets import Ticket

        ticket = session.get(Ticket, self.ticket_id)
        return ticket is not None and ticket.is_sealed

    def belongings(self, session: Session) -> Iterable[Sealable]:
        """Its attachments and deliveries; and when it is secret, all that its talk brought to the door."""
        from storage.deliveries import Delivery

        if sa.inspect(self).key is not None:
            yield from session.scalars(sa.select(Attachment).where(Attachment.message_id == self.id))
            yield from session.scalars(sa.select(Delivery).where(Delivery.message_id == self.id))
        event = session.get(InboundEvent, self.inbound_event_id) if self.inbound_event_id is not None else None
        if event is not None and self.is_secret(session):
            same = (
                InboundEvent.channel_id == event.channel_id,
                InboundEvent.conversation_key == event.conversation_key,
            )
            for brought in {
                event,
                *session.scalars(sa.select(InboundEvent).where(*same, InboundEvent.sealed.is_(None))),
            }:
                brought.is_of_sealed_talk = True
                yield brought


class Attachment(OfCommune, Sealable, Base):
    """A photo, voice note, file, place… of a message; `missing_code` says why we do not hold its bytes.

    `playing`: whether a recording can be heard in a browser, and is `seconds` long; `sound_blob` is the sound made anew
    for that. Latitude and longitude of a picture are what its camera wrote, in the commune `locality_code`: a hint, not
    what the citizen said. `is_file_sealed`: its files are kept locked with the commune's key for sealed words.
    """

    __tablename__ = "attachments"
    __table_args__ = (
        sa.Index("ix_attachments_waiting", "next_try_at", sqlite_where=sa.text("state = 'waiting'"),
                 postgresql_where=sa.text("state = 'waiting'")),
        sa.Index("ix_attachments_playing", "next_try_at", sqlite_where=sa.text("playing = 'waiting'"),
                 postgresql_where=sa.text("playing = 'waiting'")),
        sa.Index("ix_attachments_blob", "blob", sqlite_where=sa.text("blob IS NOT NULL"),
                 postgresql_where=sa.text("blob IS NOT NULL")),
        sa.Index("ix_attachments_sound_blob", "sound_blob", sqlite_where=sa.text("sound_blob IS NOT NULL"),
                 postgresql_where=sa.text("sound_blob IS NOT NULL")),
        sa.Index("ix_attachments_file_unsettled", "id",
                 sqlite_where=sa.text("blob IS NOT NULL AND (sealed IS NOT NULL) <> is_file_sealed"),
                 postgresql_where=sa.text("blob IS NOT NULL AND (sealed IS NOT NULL) <> is_file_sealed")),
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
    locality_code: Mapped[str | None] = mapped_column(sa.String(8))
    declared_size: Mapped[int | None] = mapped_column(sa.BigInteger)
    declared_md5: Mapped[str | None] = mapped_column(sa.String(32))
    state: Mapped[AttachmentState] = mapped_column(one_of(AttachmentState), default=AttachmentState.NONE)
    mime: Mapped[str | None] = mapped_column(sa.String(80))
    size: Mapped[int | None] = mapped_column(sa.BigInteger)
    blob: Mapped[str | None] = mapped_column(sa.String(80))
    sound_blob: Mapped[str | None] = mapped_column(sa.String(80))
    seconds: Mapped[int | None]
    playing: Mapped[Playing] = mapped_column(one_of(Playing), default=Playing.NONE, server_default="none")
    is_file_sealed: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    missing_code: Mapped[str | None] = mapped_column(sa.String(60))
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]

    WORDS = ("url", "name", "title", "phone", "latitude", "longitude", "locality_code", "declared_md5")

    def is_secret(self, session: Session) -> bool:
        """Whether its message is."""
        message = session.get(Message, self.message_id)
        return message is not None and message.is_secret(session)
