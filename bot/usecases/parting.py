"""Parting: what was linked can be undone, by the citizen, by an official, or because they withdraw their data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from bot.access import Forbidden, NotFound, may_direct, sees_names, ticket_for
from bot.queue import REPLIES
from bot.rules.audience import masked
from bot.runtime import Runtime
from bot.usecases.communes import commune_book
from bot.usecases.telling import Scene, Stage, tell
from bot.usecases.work import Citizen
from storage.audit import AuditEntry
from storage.channels import Channel
from storage.contacts import Contact, Conversation, Urn
from storage.links import Link
from storage.officials import Official
from storage.search_index import note_contacts
from storage.tickets import Ticket

log = structlog.get_logger()


@dataclass(frozen=True)
class Linked:
    """A channel of a citizen that was linked, as pages and texts name it."""

    link_id: int
    urn_id: int
    where: str
    linked_at: datetime


def linked_with(session: Session, contact_id: int) -> list[Linked]:
    """The channels that were linked to a contact, the earliest first."""
    query = (
        sa.select(Link, Urn, Channel)
        .join(Urn, Urn.id == Link.urn_id)
        .join(Channel, Channel.id == Urn.channel_id)
        .where(Link.to_contact_id == contact_id, Link.undone_at.is_(None))
        .order_by(Link.id)
    )
    return [
        Linked(link.id, urn.id, where(channel, urn), link.linked_at) for link, urn, channel in session.execute(query)
    ]


def where(channel: Channel, urn: Urn) -> str:
    """A citizen's place on a channel, told so that they know it again and nobody else learns of it."""
    return f"{channel.name} ({masked(urn.value)})"


def part_from_others(scene: Scene, urn: Urn, by: str) -> int:
    """Undo what links this URN: it goes back to whom it came from, and those that came to it go back as well.

    Gives how many were parted; all of them but this one are told.
    """
    session = scene.session
    own = session.scalar(
        sa.select(Link).where(Link.urn_id == urn.id, Link.undone_at.is_(None)).order_by(Link.id.desc()).limit(1)
    )
    came = [] if own is not None else _came_to(session, urn.contact_id)
    parted = [own] if own is not None else came
    left = _others_of(session, urn) if own is not None else [session.get_one(Urn, link.urn_id) for link in came]
    for link in parted:
        _undo(session, link, by, scene.now)
    for other in left:
        tell_there(scene, other, "unlinked", f"unlinked:{parted[0].id}:{other.id}")
    return len(parted)


def undo(runtime: Runtime, official: Official, ticket_id: int, link_id: int) -> None:
    """An official parts what should not belong together; both channels are told. NotFound, Forbidden."""
    with runtime.database.transaction() as session:
        ticket = ticket_for(session, official, ticket_id)
        if not may_direct(official) or not sees_names(official, ticket):
            raise Forbidden
        link = session.get(Link, link_id)
        if link is None or link.to_contact_id != ticket.contact_id or link.undone_at is not None:
            raise NotFound
        now = runtime.now()
        urn = session.get_one(Urn, link.urn_id)
        stage = Stage(
            runtime,
            session,
            session.get_one(Channel, urn.channel_id),
            commune_book(session, link.commune_id),
            now,
        )
        others = _others_of(session, urn)
        _undo(session, link, "official", now)
        for one in (urn, *others):
            tell_there(stage, one, "unlinked", f"unlinked:{link.id}:{one.id}")
        session.add(
            AuditEntry(
                commune_id=link.commune_id,
                official_id=official.id,
                at=now,
                action="link.undone",
                target=f"contact:{link.to_contact_id}",
                data={"link": link.id},
            )
        )
    runtime.nudge(REPLIES)


def give(session: Session, urn: Urn, contact_id: int) -> None:
    """The URN with its conversation and tickets belongs to this contact from now on."""
    urn.contact_id = contact_id
    for conversation in session.scalars(sa.select(Conversation).where(Conversation.urn_id == urn.id)):
        conversation.contact_id = contact_id
        session.execute(
            sa.update(Ticket).where(Ticket.conversation_id == conversation.id).values(contact_id=contact_id)
        )
    note_contacts(session, [contact_id])


def urns_of(session: Session, contact_id: int) -> list[Urn]:
    """Everywhere a contact can be met."""
    return list(session.scalars(sa.select(Urn).where(Urn.contact_id == contact_id).order_by(Urn.id)))


def tell_there(scene: Scene, urn: Urn, key: str, once: str, kenh: str = "") -> None:
    """Say something on another channel of the citizen."""
    session = scene.session
    conversation = session.scalar(sa.select(Conversation).where(Conversation.urn_id == urn.id))
    if conversation is None:
        return
    person = Citizen(session.get_one(Contact, urn.contact_id), urn, conversation)
    channel = session.get_one(Channel, urn.channel_id)
    stage = Stage(scene.runtime, session, channel, scene.book, scene.now, scene.nudges)
    tell(stage, person, once, key, kenh=kenh)


def _undo(session: Session, link: Link, by: str, now: datetime) -> None:
    link.undone_at, link.undone_by = now, by
    give(session, session.get_one(Urn, link.urn_id), link.from_contact_id)
    session.flush()
    still = sa.select(Link.id).where(
        Link.from_contact_id == link.from_contact_id,
        Link.to_contact_id == link.to_contact_id,
        Link.undone_at.is_(None),
    )
    if session.scalar(still.limit(1)) is None:
        contact = session.get_one(Contact, link.to_contact_id)
        for name, value in link.filled.items():
            if getattr(contact, name) == value:
                setattr(contact, name, None)
        if contact.consent is None:
            contact.consent_at = None
    log.info("contact.parted", link_id=link.id, by=by)


def _others_of(session: Session, urn: Urn) -> list[Urn]:
    return [one for one in urns_of(session, urn.contact_id) if one.id != urn.id]


def _came_to(session: Session, contact_id: int) -> list[Link]:
    query = sa.select(Link).where(Link.to_contact_id == contact_id, Link.undone_at.is_(None))
    return list(session.scalars(query.order_by(Link.id.desc())))
