"""Channels, their tokens and their pace."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, OfCommune, one_of
from storage.enums import TokenState


class Channel(OfCommune, Base):
    """A configured way in and out. `slug` is the id in the webhook URL; `secrets` is sealed text.

    `gateway`: which of two gateways is in use, since when and why, where a channel has two.
    """

    __tablename__ = "channels"
    __table_args__ = (sa.UniqueConstraint("type", "account"),)

    slug: Mapped[str] = mapped_column(sa.String(60), unique=True)
    type: Mapped[str] = mapped_column(sa.String(20))
    name: Mapped[str] = mapped_column(sa.String(120))
    account: Mapped[str] = mapped_column(sa.String(80))
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    secrets: Mapped[bytes]
    is_sandbox: Mapped[bool] = mapped_column(default=False)
    is_active: Mapped[bool] = mapped_column(default=True)
    rate_per_second: Mapped[float] = mapped_column(default=10.0)
    paused_at: Mapped[datetime | None]
    paused_reason: Mapped[str | None] = mapped_column(sa.String(400))
    slots: Mapped[list[int]] = mapped_column(default=list, server_default="[]")
    hold_until: Mapped[datetime | None]
    last_event_at: Mapped[datetime | None]
    quota: Mapped[dict[str, Any]] = mapped_column(default=dict)
    gateway: Mapped[dict[str, Any] | None]


class ChannelPoll(OfCommune, Base):
    """That a channel is asked for its events: by whom until when, when last, and what went wrong last.

    Which events were given up is known to the channel alone: asking anew repeats at most what is stored already.
    """

    __tablename__ = "channel_polls"

    channel_id: Mapped[int] = mapped_column(sa.ForeignKey("channels.id"), unique=True)
    lease_id: Mapped[str | None] = mapped_column(sa.String(40))
    lease_until: Mapped[datetime | None]
    polled_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(sa.String(120))


class ChannelToken(OfCommune, Base):
    """An account's tokens, sealed; one writer at a time holds `lease_id` while it refreshes."""

    __tablename__ = "channel_tokens"

    channel_id: Mapped[int] = mapped_column(sa.ForeignKey("channels.id"), unique=True)
    access: Mapped[bytes]
    refresh: Mapped[bytes]
    previous_refresh: Mapped[bytes | None]
    expires_at: Mapped[datetime]
    generation: Mapped[int] = mapped_column(default=1)
    state: Mapped[TokenState] = mapped_column(one_of(TokenState), default=TokenState.OK)
    refreshed_at: Mapped[datetime]
    lease_id: Mapped[str | None] = mapped_column(sa.String(40))
    lease_until: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(sa.String(120))
