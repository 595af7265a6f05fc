"""Tickets: what officials do with them, one function per wish; each leaves an event and a new version."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot import texts
from bot.access import Viewer, agency_for, colleague_for, delivery_for, ticket_for
from bot.queue import REPLIES
from bot.rules.deadlines import due_at
from bot.rules.lifecycle import Given, NotAllowed, check
from bot.runtime import Runtime
from bot.usecases import deliveries
from bot.usecases.communes import CommuneBook, commune_book
from bot.usecases.deliveries import PRIORITY_REPLY, owe
from nlp.normalise import fold
from nlp.topics import TOPICS
from storage.agencies import Agency
from storage.audit import AuditEntry
from storage.channels import Channel
from storage.communes import Place
from storage.contacts import Conversation, Urn
from storage.deliveries import Delivery
from storage.enums import DeliveryKind, Direction, EventKind, Origin, Role, TicketState, Urgency
from storage.messages import Message
from storage.tickets import Ticket, TicketEvent

LONGEST_NOTE = 5_000


class Changed(Exception):
    """Somebody changed the ticket since the official looked at it: nothing was done."""

    def __init__(self, ticket_id: int) -> None:
        super().__init__(f"ticket {ticket_id} has a newer version")
        self.ticket_id = ticket_id


@dataclass
class Desk:
    """One official at work on one ticket, inside a transaction."""

    runtime: Runtime
    session: Session
    viewer: Viewer
    ticket: Ticket
    now: datetime

    def note(self, kind: EventKind, data: dict[str, Any], words: str | None = None) -> TicketEvent:
        """Add a fact to the ticket's history."""
        event = TicketEvent(
            commune_id=self.ticket.commune_id,
            ticket_id=self.ticket.id,
            kind=kind,
            at=self.now,
            official_id=self.viewer.official_id,
            note=words,
            data=data,
        )
        self.session.add(event)
        return event

    def book(self) -> CommuneBook:
        """What the commune says about itself."""
        return commune_book(self.session, self.ticket.commune_id)

    def moved(self, target: TicketState, data: dict[str, Any] | None = None, words: str | None = None) -> None:
        """Put the ticket into a state and write it down."""
        source, self.ticket.state = self.ticket.state, target
        self.ticket.is_open = target.is_open
        if target is TicketState.ANSWERED:
            self.ticket.answered_at = self.now
        if target.is_open:
            self.ticket.closed_at = None
        elif target is not TicketState.ANSWERED:
            self.ticket.closed_at = self.now
        self.note(EventKind.STATE_CHANGED, {"from": source.value, "to": target.value, **(data or {})}, words)


@contextmanager
def at_desk(runtime: Runtime, viewer: Viewer, ticket_id: int, version: int | None) -> Iterator[Desk]:
    """Lock the ticket, check that the official saw its present version, and count the change. Raises Changed."""
    with runtime.database.transaction() as session:
        now = runtime.now()
        ticket = ticket_for(session, viewer, ticket_id, now, lock=True)
        if version is not None and ticket.version != version:
            raise Changed(ticket_id)
        ticket.version += 1
        ticket.is_touched = True
        yield Desk(runtime, session, viewer, ticket, now)


def receive(runtime: Runtime, viewer: Viewer, ticket_id: int, *, version: int) -> None:
    """Take a new ticket into the book: from now on a person answers for it."""
    change_state(runtime, viewer, ticket_id, version=version, target=TicketState.RECEIVED, given=Given())


def change_state(
    runtime: Runtime, viewer: Viewer, ticket_id: int, *, version: int, target: TicketState, given: Given
) -> None:
    """Take a step of the lifecycle; the citizen is told what concerns them. Raises NotAllowed, Changed."""
    with at_desk(runtime, viewer, ticket_id, version) as desk:
        check(desk.ticket.state, target, viewer.roles, given)
        agency = agency_for(desk.session, viewer, given.agency_id) if given.agency_id is not None else None
        if agency is not None:
            desk.ticket.agency_id = agency.id
        reason = " ".join(given.reason.split())
        data: dict[str, Any] = {"agency": agency.name} if agency else {}
        if given.by_date:
            data["by_date"] = given.by_date.isoformat()
        desk.moved(target, data, reason or None)
        text = _told_to_citizen(desk, target, reason, agency, given.by_date)
        if text is not None:
            say_to_citizen(desk, text.words, template=text.key, key=f"state:{desk.ticket.id}:{desk.ticket.version}")
    runtime.nudge(REPLIES)


def _told_to_citizen(
    desk: Desk, target: TicketState, reason: str, agency: Agency | None, by_date: date | None
) -> texts.Text | None:
    book, ticket = desk.book(), desk.ticket
    if ticket.is_sealed:
        return None
    if target is TicketState.WAITING_CITIZEN:
        return texts.say("need_more", ma=ticket.code, can=reason)
    if target is TicketState.DECLINED:
        return texts.say("refused", ma=ticket.code, lydo=reason, dt=book.duty_phone)
    if target is TicketState.ASSIGNED and agency is not None:
        due = texts.moment(ticket.due_at) if ticket.due_at else "theo quy định"
        return texts.say("routed", ma=ticket.code, donvi=agency.name, han=due)
    if target is TicketState.FORWARDED and by_date is not None:
        return texts.say(
            "forwarded",
            ma=ticket.code,
            xa=book.name,
            lydo=reason,
            ngay=texts.day(desk.now),
            han=f"{by_date:%d/%m/%Y}",
            dt=book.duty_phone,
        )
    if target is TicketState.REOPENED:
        return texts.say("reopened", ma=ticket.code, xa=book.name)
    return None


def assign(
    runtime: Runtime, viewer: Viewer, ticket_id: int, *, version: int, agency_id: int, official_id: int | None
) -> None:
    """Give the ticket to an agency, or to one of its officials. One owner at a time."""
    if not viewer.has(Role.RECEIVER, Role.LEADER) and official_id != viewer.official_id:
        raise NotAllowed("not_yours", "Tài khoản của Anh/Chị chỉ được nhận việc về mình.")
    with at_desk(runtime, viewer, ticket_id, version) as desk:
        agency = agency_for(desk.session, viewer, agency_id)
        person = colleague_for(desk.session, viewer, official_id) if official_id is not None else None
        if person is not None and person.agency_id not in (None, agency.id):
            raise NotAllowed("other_agency", f"{person.name} không thuộc {agency.name}. Vui lòng chọn lại.")
        desk.ticket.agency_id = agency.id
        desk.ticket.official_id = person.id if person else None
        desk.note(EventKind.ASSIGNED, {"agency": agency.name, "official": person.name if person else None})


def set_topic(runtime: Runtime, viewer: Viewer, ticket_id: int, *, version: int, topic: str) -> None:
    """Confirm or correct the topic; an untouched deadline and routing follow it."""
    if topic not in TOPICS:
        raise NotAllowed("no_such_topic", "Không có lĩnh vực này. Vui lòng chọn trong danh sách.")
    with at_desk(runtime, viewer, ticket_id, version) as desk:
        ticket, known = desk.ticket, TOPICS[topic]
        before = ticket.topic
        ticket.topic, ticket.topic_is_confirmed = topic, True
        ticket.is_restricted = known.restricted
        if before != topic and not ticket.is_sealed:
            _follow_topic(desk, known.agency, known.sla)
        desk.note(EventKind.TOPIC_CHANGED, {"from": before, "to": topic})


def _follow_topic(desk: Desk, agency_slug: str, sla: str) -> None:
    ticket, book = desk.ticket, desk.book()
    rule = next((r for r in book.rules if r.topic == ticket.topic and r.place_id in (None, ticket.place_id)), None)
    if ticket.official_id is None and ticket.state in (TicketState.NEW, TicketState.RECEIVED):
        ticket.agency_id = rule.agency_id if rule else book.agencies.get(agency_slug, ticket.agency_id)
    wanted = {Urgency.EMERGENCY: "S0", Urgency.URGENT: "S1"}.get(ticket.urgency, sla)
    ticket.due_at = due_at(ticket.opened_at, wanted, book.hours, book.holidays)


def set_place(
    runtime: Runtime, viewer: Viewer, ticket_id: int, *, version: int, place_id: int | None, words: str
) -> None:
    """Say where it is: a place of the commune's list, or in words."""
    words = " ".join(words.split())[:300]
    with at_desk(runtime, viewer, ticket_id, version) as desk:
        place = None
        if place_id is not None:
            place = desk.session.scalar(
                sa.select(Place).where(Place.id == place_id, Place.commune_id == viewer.commune_id)
            )
            if place is None:
                raise NotAllowed("no_such_place", "Không có địa điểm này trong danh sách của xã.")
        if place is None and not words:
            raise NotAllowed("no_place", "Cần chọn địa điểm hoặc ghi bằng lời.")
        before = desk.ticket.place_text
        desk.ticket.place_id = place.id if place else None
        desk.ticket.place_text = words or (place.name if place else None)
        desk.note(EventKind.PLACE_CHANGED, {"from": before, "to": desk.ticket.place_text})


def add_note(runtime: Runtime, viewer: Viewer, ticket_id: int, text: str) -> None:
    """Write something for colleagues; the citizen never sees it."""
    text = text.strip()
    if not text:
        raise NotAllowed("empty", "Ghi chú đang trống.")
    if len(text) > LONGEST_NOTE:
        raise NotAllowed("too_long", f"Ghi chú dài hơn {LONGEST_NOTE} ký tự.")
    with at_desk(runtime, viewer, ticket_id, None) as desk:
        desk.note(EventKind.NOTED, {}, text)


def unseal(runtime: Runtime, viewer: Viewer, ticket_id: int, *, version: int, reason: str) -> None:
    """A leader decides that this is no denunciation; from now on the desk sees it."""
    reason = " ".join(reason.split())
    if not viewer.has(Role.LEADER):
        raise NotAllowed("not_yours", "Chỉ lãnh đạo được mở niêm phong.")
    if len(reason) < 10:
        raise NotAllowed("needs_reason", "Cần nêu lý do mở niêm phong, từ 10 ký tự.")
    with at_desk(runtime, viewer, ticket_id, version) as desk:
        if not desk.ticket.is_sealed:
            raise NotAllowed("not_sealed", "Phản ánh này không niêm phong.")
        desk.ticket.is_sealed = False
        desk.session.execute(sa.update(Message).where(Message.ticket_id == ticket_id).values(is_sealed=False))
        desk.note(EventKind.UNSEALED, {}, reason)
        if desk.ticket.due_at is None:
            book = desk.book()
            desk.ticket.due_at = due_at(desk.now, "S3", book.hours, book.holidays)


def seal(runtime: Runtime, viewer: Viewer, ticket_id: int, *, version: int) -> None:
    """Close a ticket to all but the leader and whom they trust: whoever is unsure seals."""
    with at_desk(runtime, viewer, ticket_id, version) as desk:
        desk.ticket.is_sealed = True
        desk.ticket.agency_id = desk.book().agencies.get("lanh-dao", desk.ticket.agency_id)
        desk.ticket.official_id = None
        desk.session.execute(sa.update(Message).where(Message.ticket_id == ticket_id).values(is_sealed=True))
        desk.note(EventKind.SEALED, {})


def resend(runtime: Runtime, viewer: Viewer, delivery_id: int) -> int:
    """A person decides to send a failed or unclear delivery again; gives the ticket's id."""
    with runtime.database.transaction() as session:
        delivery = delivery_for(session, viewer, delivery_id, runtime.now())
        ticket_id = session.scalar(sa.select(Message.ticket_id).where(Message.id == delivery.message_id))
        session.add(_audit(viewer, "delivery.resent", f"delivery:{delivery_id}", runtime.now()))
    deliveries.resend(runtime, viewer.official_id, delivery)
    return int(ticket_id or 0)


def reveal(runtime: Runtime, viewer: Viewer, ticket_id: int) -> None:
    """Write down that the official looked at a citizen's name, phone or masked words."""
    with runtime.database.transaction() as session:
        ticket_for(session, viewer, ticket_id, runtime.now())
        session.add(_audit(viewer, "contact.revealed", f"ticket:{ticket_id}", runtime.now()))


def say_to_citizen(
    desk: Desk, words: str, *, key: str, template: str | None = None, image_blob: str | None = None
) -> list[Delivery]:
    """Owe the citizen a message in the ticket's conversation."""
    session, ticket = desk.session, desk.ticket
    conversation = session.get_one(Conversation, ticket.conversation_id)
    channel = session.get_one(Channel, conversation.channel_id)
    message = Message(
        commune_id=ticket.commune_id,
        channel_id=channel.id,
        conversation_id=conversation.id,
        ticket_id=ticket.id,
        direction=Direction.OUT,
        origin=Origin.OFFICIAL,
        author_id=desk.viewer.official_id,
        text=words,
        text_folded=fold(words),
        template=template,
        is_sealed=ticket.is_sealed,
        occurred_at=desk.now,
        created_at=desk.now,
    )
    session.add(message)
    session.flush()
    conversation.last_message_at = desk.now
    return owe(
        session,
        desk.runtime,
        channel=channel,
        urn=session.get_one(Urn, conversation.urn_id),
        text=words,
        kind=DeliveryKind.REPLY,
        key=key,
        priority=PRIORITY_REPLY,
        message=message,
        image_blob=image_blob,
    )


def _audit(viewer: Viewer, action: str, target: str, now: datetime) -> AuditEntry:
    return AuditEntry(
        commune_id=viewer.commune_id, official_id=viewer.official_id, at=now, action=action, target=target, data={}
    )
