"""Links: which of a citizen's channels belong together, by what proof, and how to part them again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, OfCommune


class LinkCode(OfCommune, Base):
    """A code that was told on one channel, to be said once on another; only its keyed digest is kept."""

    __tablename__ = "link_codes"
    __table_args__ = (sa.Index("ix_link_codes_digest", "commune_id", "digest"),)

    urn_id: Mapped[int] = mapped_column(sa.ForeignKey("urns.id"), index=True)
    digest: Mapped[str] = mapped_column(sa.String(64))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Link(OfCommune, Base):
    """A URN that was given to another contact, and from which it came, so that it can go back.

    `filled`: what the other contact did not know of itself and was told by this; taken back with the link.
    """

    __tablename__ = "links"

    urn_id: Mapped[int] = mapped_column(sa.ForeignKey("urns.id"), index=True)
    from_contact_id: Mapped[int] = mapped_column(sa.ForeignKey("contacts.id"), index=True)
    to_contact_id: Mapped[int] = mapped_column(sa.ForeignKey("contacts.id"), index=True)
    code_id: Mapped[int] = mapped_column(sa.ForeignKey("link_codes.id"))
    filled: Mapped[dict[str, Any]] = mapped_column(default=dict)
    linked_at: Mapped[datetime]
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str | None] = mapped_column(sa.String(20))
