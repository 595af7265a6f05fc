"""Published: what the commune's public list shows at this moment, to anybody; and the month's figures beside it.

Nothing is stored ready to show: each look asks whether the report may still stand there, so that what was sealed,
erased, reopened or withdrawn is gone at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.access import NotFound
from bot.rules.deadlines import VIETNAM
from bot.rules.place_list import in_order
from bot.rules.publishing import NEVER, may_be_named
from bot.runtime import Runtime
from bot.usecases.photos import thumbnail
from bot.usecases.web_form import Page, page_of
from storage.agencies import Agency
from storage.channels import Channel
from storage.communes import Commune, Place
from storage.contacts import Contact
from storage.enums import AttachmentState
from storage.messages import Attachment
from storage.publications import Publication, is_open, shown
from storage.tickets import Ticket

PAGE_OF_LIST, OF_FEED, OF_SITEMAP = 20, 30, 5_000


@dataclass(frozen=True)
class Entry:
    """A result on the list: nothing here comes from the citizen but that it was reported, and when."""

    id: int
    summary: str
    result: str
    topic: str
    place: str | None
    agency: str | None
    opened_at: datetime
    answered_at: datetime
    published_at: datetime
    has_photo: bool


@dataclass(frozen=True)
class Figures:
    """A month of reports that are not sealed: how many came, were answered, in time, and how content people were."""

    month: str
    received: int
    answered: int
    in_time: int
    late_open: int
    rated: int
    content: int

    @property
    def share_in_time(self) -> float | None:
        """In time ÷ answered; None when nothing was answered."""
        return self.in_time / self.answered if self.answered else None

    @property
    def share_content(self) -> float | None:
        """Satisfied or acceptable ÷ rated; None when nobody rated."""
        return self.content / self.rated if self.rated else None


@dataclass(frozen=True)
class Shelf:
    """A page of the list. `next_before`: where the next page begins; `topics`, `places`: what can be chosen."""

    entries: list[Entry]
    next_before: int | None
    topics: list[str]
    places: list[tuple[int, str]]
    figures: Figures | None


def open_list(runtime: Runtime, slug: str) -> Page:
    """The page whose commune has a public list. NotFound for none, and where it is switched off."""
    page = page_of(runtime, slug)
    if page is None or not is_open(page.commune):
        raise NotFound
    return page


def listing(
    runtime: Runtime, page: Page, *, topic: str = "", place_id: int | None = None, before: int | None = None
) -> Shelf:  # fmt: skip
    """A page of the list, the latest first."""
    with runtime.database.reading() as session:
        query = _query(page.commune.id)
        if topic:
            query = query.where(Ticket.topic == topic)
        if place_id is not None:
            query = query.where(Publication.place_id == place_id)
        if before is not None:
            query = query.where(Publication.id < before)
        rows = session.execute(query.order_by(Publication.id.desc()).limit(PAGE_OF_LIST + 1)).all()
        entries = [_entry(row) for row in rows[:PAGE_OF_LIST]]
        return Shelf(
            entries=entries,
            next_before=entries[-1].id if len(rows) > PAGE_OF_LIST else None,
            topics=_topics(session, page.commune.id),
            places=_places(session, page.commune.id),
            figures=_figures(session, page.commune.id, runtime.now()) if before is None else None,
        )


def latest(runtime: Runtime, page: Page) -> list[Entry]:
    """What a feed tells."""
    with runtime.database.reading() as session:
        rows = session.execute(_query(page.commune.id).order_by(Publication.id.desc()).limit(OF_FEED))
        return [_entry(row) for row in rows]


def one(runtime: Runtime, page: Page, number: int) -> Entry:
    """One result. NotFound when it does not stand on the list any more."""
    with runtime.database.reading() as session:
        row = session.execute(_query(page.commune.id).where(Publication.id == number)).first()
    if row is None:
        raise NotFound
    return _entry(row)


def photo(runtime: Runtime, page: Page, number: int) -> bytes:
    """The photo of afterwards that an official ticked, made anew. NotFound."""
    query = (
        sa.select(Attachment.blob)
        .select_from(Publication)
        .join(Ticket, Ticket.id == Publication.ticket_id)
        .join(Contact, Contact.id == Ticket.contact_id)
        .join(Attachment, Attachment.id == Publication.attachment_id)
        .where(
            Publication.commune_id == page.commune.id,
            Publication.id == number,
            Attachment.state == AttachmentState.STORED,
            Ticket.topic.not_in(NEVER),
            *shown(),
        )
    )
    with runtime.database.reading() as session:
        blob = session.scalar(query)
    made = thumbnail(runtime.blobs.read(blob) or b"") if blob else None
    if made is None:
        raise NotFound
    return made


def open_lists(runtime: Runtime) -> list[tuple[str, list[tuple[int, datetime]]]]:
    """For a sitemap: each commune's page with a list, and what stands on it."""
    query = (
        sa.select(Channel.slug, Commune)
        .join(Commune, Commune.id == Channel.commune_id)
        .where(Channel.type == "web_form", Channel.is_active.is_(True))
        .order_by(Channel.id)
    )
    found = []
    with runtime.database.reading() as session:
        for slug, commune in session.execute(query):
            if is_open(commune) and not commune.is_demo:
                rows = session.execute(_query(commune.id).order_by(Publication.id.desc()).limit(OF_SITEMAP))
                found.append((slug, [(row[0].id, row[0].published_at) for row in rows]))
    return found


# ---- reading --------------------------------------------------------------------------------------------------------


def _query(commune_id: int) -> sa.Select[Any]:
    return (
        sa.select(Publication, Ticket, Place, Agency.name)
        .join(Ticket, Ticket.id == Publication.ticket_id)
        .join(Contact, Contact.id == Ticket.contact_id)
        .outerjoin(Place, Place.id == Publication.place_id)
        .outerjoin(Agency, Agency.id == Ticket.agency_id)
        .where(Publication.commune_id == commune_id, Ticket.topic.not_in(NEVER), *shown())
    )


def _entry(row: Sequence[Any]) -> Entry:
    publication, ticket, place, agency = row
    # The topic may have been put right since: then a street may be too near.
    is_far_enough = place is not None and may_be_named(place.kind, ticket.topic)
    return Entry(
        id=publication.id,
        summary=publication.summary,
        result=publication.result,
        topic=ticket.topic,
        place=place.name if is_far_enough else None,
        agency=agency,
        opened_at=ticket.opened_at,
        answered_at=ticket.answered_at or publication.published_at,
        published_at=publication.published_at,
        has_photo=publication.attachment_id is not None,
    )


def _topics(session: Session, commune_id: int) -> list[str]:
    query = _query(commune_id).with_only_columns(Ticket.topic).distinct()
    return sorted(session.scalars(query))


def _places(session: Session, commune_id: int) -> list[tuple[int, str]]:
    rows = session.execute(
        _query(commune_id).with_only_columns(Place.id, Place.name, Place.kind, Ticket.topic).distinct()
    )
    found = {(number, name) for number, name, kind, topic in rows if number is not None and may_be_named(kind, topic)}
    return sorted(found, key=lambda place: in_order(place[1]))


def _figures(session: Session, commune_id: int, now: datetime) -> Figures:
    local = now.astimezone(VIETNAM)
    begins = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    ours = (Ticket.commune_id == commune_id, Ticket.is_sealed.is_(False), Ticket.is_spam.is_(False))
    is_answered = sa.and_(Ticket.answered_at >= begins, Ticket.is_open.is_(False))

    def count(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.coalesce(sa.func.sum(sa.case((condition, 1), else_=0)), 0)

    row = session.execute(
        sa.select(
            count(Ticket.opened_at >= begins),
            count(is_answered),
            count(sa.and_(is_answered, sa.or_(Ticket.due_at.is_(None), Ticket.answered_at <= Ticket.due_at))),
            count(sa.and_(Ticket.is_open.is_(True), Ticket.paused_at.is_(None), Ticket.due_at < now)),
            count(Ticket.rated_at >= begins),
            count(sa.and_(Ticket.rated_at >= begins, Ticket.rating >= 2)),
        ).where(*ours)
    ).one()
    return Figures(f"{local:%m/%Y}", *(int(figure) for figure in row))
