"""Words of an edition: what may be told of it at this very moment, put together for each medium.

A bulletin made of an edition says exactly this, so that what may not be told any more cannot be approved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.rules.audience import TEXT_AT_MOST
from bot.rules.bulletins import BOARD, RADIO
from bot.rules.editions import Pair, board_text, chat_text, radio_text, sms_text, title_of
from bot.rules.publishing import NEVER, may_be_named
from bot.runtime import Runtime
from bot.usecases.broadcast import said
from bot.usecases.telling import label
from storage.bulletins import Bulletin
from storage.channels import Channel
from storage.communes import Commune, Place
from storage.contacts import Contact
from storage.editions import Edition, EditionItem, edition_of
from storage.publications import Publication, is_open, shown
from storage.tickets import Ticket


@dataclass(frozen=True)
class Entry:
    """An item of an edition that may be told now."""

    item: EditionItem
    topic: str
    place: str | None
    rating: int | None

    @property
    def pair(self) -> Pair:
        """Its words."""
        return Pair(self.item.question, self.item.answer, label(self.topic))


@dataclass(frozen=True)
class Composed:
    """An edition as a bulletin says it; `texts` by medium, the title and `body` on all others."""

    title: str
    body: str
    texts: dict[str, str]


def may_be_told() -> tuple[sa.ColumnElement[bool], ...]:
    """What must hold at this moment for a published result to be told on; joins `Ticket` and `Contact`."""
    return (
        *shown(),
        Ticket.topic.not_in(NEVER),
        Ticket.accused_agency_id.is_(None),
        Ticket.proposed_agencies == "",
        Ticket.accuses_leaders.is_(False),
    )


def entries_of(session: Session, editions: Sequence[Edition], *, dropped: bool = False) -> dict[int, list[Entry]]:
    """What may be told of these editions of one commune, in order; `dropped`: what its author left out as well."""
    found: dict[int, list[Entry]] = {edition.id: [] for edition in editions}
    if not editions or not is_open(session.get_one(Commune, editions[0].commune_id)):
        return found
    query = (
        sa.select(EditionItem, Ticket.topic, Place, Ticket.rating)
        .join(Publication, Publication.id == EditionItem.publication_id)
        .join(Ticket, Ticket.id == Publication.ticket_id)
        .join(Contact, Contact.id == Ticket.contact_id)
        .outerjoin(Place, Place.id == Publication.place_id)
        .where(EditionItem.edition_id.in_(list(found)), EditionItem.taken_out_at.is_(None), *may_be_told())
        .order_by(EditionItem.position, EditionItem.id)
    )
    if not dropped:
        query = query.where(EditionItem.is_dropped.is_(False))
    for item, topic, place, rating in session.execute(query):
        is_far_enough = place is not None and may_be_named(place.kind, topic)
        found[item.edition_id].append(Entry(item, topic, place.name if is_far_enough else None, rating))
    return found


def compose(session: Session, runtime: Runtime, edition: Edition) -> Composed:
    """The edition as it may be told now."""
    commune = session.get_one(Commune, edition.commune_id)
    pairs = [entry.pair for entry in entries_of(session, [edition])[edition.id]]
    title, link = title_of(edition.week), address_of(session, runtime, edition)
    room = TEXT_AT_MOST - len(said(commune.name or "…", title, "…")) + 1
    texts = {"sms": sms_text(pairs, link), RADIO: radio_text(pairs), BOARD: board_text(pairs, edition.week)}
    return Composed(title, chat_text(pairs, room, link), {medium: words for medium, words in texts.items() if words})


def address_of(session: Session, runtime: Runtime, edition: Edition) -> str:
    """Where anybody reads the edition once it is approved; "" for a commune without a page."""
    query = sa.select(Channel.slug).where(
        Channel.commune_id == edition.commune_id, Channel.type == "web_form", Channel.is_active.is_(True)
    )
    slug = session.scalar(query.order_by(Channel.id).limit(1))
    return f"{runtime.settings.base_url}/phan-anh/{slug}/hoi-dap/{edition.week.isoformat()}" if slug else ""


def put_into(session: Session, runtime: Runtime, bulletin: Bulletin, edition: Edition) -> None:
    """Let a bulletin say what may be told of its edition now."""
    composed = compose(session, runtime, edition)
    bulletin.title, bulletin.body, bulletin.texts = composed.title, composed.body, composed.texts


def still_hold(session: Session, runtime: Runtime, bulletin: Bulletin) -> bool:
    """Whether a bulletin of an edition says what may be told of it; any other does."""
    edition = edition_of(session, bulletin.id)
    if edition is None:
        return True
    return compose(session, runtime, edition) == Composed(bulletin.title, bulletin.body, dict(bulletin.texts))


def edition_at(runtime: Runtime, bulletin: Bulletin) -> Edition | None:
    """The edition a bulletin was made of, where its words are written."""
    with runtime.database.reading() as session:
        return edition_of(session, bulletin.id)
