"""Publications: results that officials put on the commune's public list, and what citizens said to that."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.base import Base, OfCommune, one_of
from storage.communes import Commune
from storage.contacts import Contact
from storage.enums import TicketState
from storage.tickets import Ticket


class PublicAnswer(StrEnum):
    """What a citizen said to publishing the result of their report; asked and not answered is no consent."""

    ASKED = "asked"
    AGREED = "agreed"
    REFUSED = "refused"


class Publicity(OfCommune, Base):
    """Whether the writer of a report wants its result to be public: their latest word, or that they were asked.

    `how`: "page", "chat", or how an official heard it ("desk", "phone"); `official_id`: who asked or wrote it down.
    """

    __tablename__ = "publicities"
    __table_args__ = (sa.UniqueConstraint("ticket_id"),)

    ticket_id: Mapped[int] = mapped_column(sa.ForeignKey("tickets.id"))
    answer: Mapped[PublicAnswer] = mapped_column(one_of(PublicAnswer))
    how: Mapped[str] = mapped_column(sa.String(20))
    official_id: Mapped[int | None] = mapped_column(sa.ForeignKey("officials.id"))
    at: Mapped[datetime]


class Publication(OfCommune, Base):
    """A result as it stands on the public list, in an official's words; one for each report, published again anew.

    `place_id`: the village or street named, if any. `attachment_id`: the photo of afterwards that was ticked.
    `withdrawn_by`: "official" or "citizen". What is shown is decided when it is read, by how the report stands then.
    """

    __tablename__ = "publications"
    __table_args__ = (
        sa.UniqueConstraint("ticket_id"),
        sa.Index("ix_publications_list", "commune_id", "id", sqlite_where=sa.text("withdrawn_at IS NULL"),
                 postgresql_where=sa.text("withdrawn_at IS NULL")),
    )  # fmt: skip

    ticket_id: Mapped[int] = mapped_column(sa.ForeignKey("tickets.id"))
    summary: Mapped[str] = mapped_column(sa.String(300))
    result: Mapped[str] = mapped_column(sa.Text)
    place_id: Mapped[int | None] = mapped_column(sa.ForeignKey("places.id"))
    attachment_id: Mapped[int | None] = mapped_column(sa.ForeignKey("attachments.id"))
    published_at: Mapped[datetime]
    published_by_id: Mapped[int] = mapped_column(sa.ForeignKey("officials.id"))
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[str | None] = mapped_column(sa.String(20))


def shown() -> tuple[sa.ColumnElement[bool], ...]:
    """What must hold at this very moment for a publication to be shown; joins `Ticket` and `Contact`."""
    agreed = sa.select(Publicity.id).where(
        Publicity.ticket_id == Ticket.id, Publicity.answer == PublicAnswer.AGREED
    ).exists()  # fmt: skip
    return (
        Publication.withdrawn_at.is_(None),
        Ticket.id == Publication.ticket_id,
        Contact.id == Ticket.contact_id,
        Contact.erased_at.is_(None),
        Ticket.is_sealed.is_(False),
        Ticket.is_restricted.is_(False),
        Ticket.is_spam.is_(False),
        Ticket.merged_into_id.is_(None),
        Ticket.state.in_([TicketState.ANSWERED, TicketState.CLOSED]),
        agreed,
    )


def take_down(session: Session, ticket_ids: list[int], at: datetime) -> None:
    """The writer's data are erased: what was published of these reports goes with its words."""
    session.execute(
        sa.update(Publication)
        .where(Publication.ticket_id.in_(ticket_ids))
        .values(
            summary="",
            result="",
            attachment_id=None,
            withdrawn_at=sa.func.coalesce(Publication.withdrawn_at, at),
            withdrawn_by="citizen",
        )
    )


def is_open(commune: Commune) -> bool:
    """Whether the commune has a public list."""
    return bool(commune.settings.get("public_list"))


def has_list() -> sa.ColumnElement[bool]:
    """The same as a condition on communes."""
    return sa.func.coalesce(Commune.settings["public_list"].as_boolean(), sa.false())
