"""Officials, their sign-in sessions and attempts."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, OfCommune, WithId
from storage.enums import Role


class Official(OfCommune, Base):
    """A person of an agency who works on tickets.

    `invited_hash`: of the one-time link by which they choose their password, until `invited_until`.
    """

    __tablename__ = "officials"

    agency_id: Mapped[int | None] = mapped_column(sa.ForeignKey("agencies.id"))
    username: Mapped[str] = mapped_column(sa.String(80), unique=True)
    name: Mapped[str] = mapped_column(sa.String(120))
    phone: Mapped[str | None] = mapped_column(sa.String(32))
    password_hash: Mapped[str] = mapped_column(sa.String(200))
    roles: Mapped[list[str]] = mapped_column(default=list)
    locale: Mapped[str] = mapped_column(sa.String(5), default="vi")
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    invited_hash: Mapped[str | None] = mapped_column(sa.String(64), index=True)
    invited_until: Mapped[datetime | None]

    def has(self, *roles: Role) -> bool:
        """Whether the official holds any of these roles."""
        return any(role.value in self.roles for role in roles)


class SignInSession(WithId, Base):
    """One signed-in browser; only the hash of its secret is kept, so a copy of the table opens nothing."""

    __tablename__ = "sign_in_sessions"

    official_id: Mapped[int] = mapped_column(sa.ForeignKey("officials.id"), index=True)
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class SignInAttempt(WithId, Base):
    """A try to sign in, counted per account and per address to slow guessing down."""

    __tablename__ = "sign_in_attempts"

    account: Mapped[str] = mapped_column(sa.String(80), index=True)
    address: Mapped[str] = mapped_column(sa.String(64), index=True)
    at: Mapped[datetime] = mapped_column(index=True)
    succeeded: Mapped[bool]
