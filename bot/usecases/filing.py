"""Filing: put a citizen's message under its ticket, opening one where needed, whatever order messages came in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from adapters.messages import AttachmentKind
from bot.rules.answering import follows_on
from bot.rules.deadlines import VIETNAM
from bot.rules.dialogue import ON_SITE, RATING_TIME
from bot.rules.threading import ADDING, JOINING, OPENING, SURE, Group, Said, place_all
from bot.usecases import clocks
from bot.usecases.across import meant_elsewhere
from bot.usecases.describing import Known, describe
from bot.usecases.waking import wake
from bot.usecases.work import Citizen, Work
from nlp.normalise import fold
from nlp.reading import Reading
from storage.deliveries import Delivery
from storage.enums import Direction, EventKind, TicketState, Urgency
from storage.intake import next_number
from storage.messages import Attachment, InboundEvent, Message
from storage.tickets import Ticket, TicketEvent

LOOK_BACK = timedelta(days=60)
AT_MOST = 200
EVIDENCE = {
    AttachmentKind.IMAGE.value,
    AttachmentKind.GIF.value,
    AttachmentKind.AUDIO.value,
    AttachmentKind.VIDEO.value,
    AttachmentKind.FILE.value,
    AttachmentKind.LOCATION.value,
}


@dataclass(frozen=True)
class Filed:
    """Where a message went. `is_later`: it came after the burst that it is added to was over."""

    ticket: Ticket | None
    opened: bool = False
    is_later: bool = False


def may_be_filed(message: Message, reading: Reading | None, *, has_attachments: bool) -> bool:
    """Whether a message can belong to a ticket at all; a courtesy cannot, and nothing need be asked about it."""
    intent = reading.intent if reading else "add_info"
    return has_attachments or bool(message.quoted_external_id) or intent in OPENING | ADDING | JOINING


def file_message(work: Work, person: Citizen, message: Message, *, is_changed: bool = False) -> Filed:
    """Place the new message among those of its conversation and keep tickets in step with the result.

    `is_changed`: it is not new, but says something else now.
    """
    elsewhere = meant_elsewhere(work, person, message)
    if elsewhere is not None:
        return _add_elsewhere(work, elsewhere, message)
    known = _messages(work, person, message)
    tickets = _tickets(work, person)
    fixed = _fixed_groups(tickets, known)
    quoted = _quoted_tickets(work, known)
    burst = timedelta(seconds=work.runtime.settings.burst_seconds)
    said = [_said(k, tickets, fixed, quoted) for k in known]
    groups = place_all(said, list(fixed.values()), burst)
    by_id = {k.message.id: k for k in known}
    held = {k.message.id: k.message.ticket_id for k in known}
    _recognise(groups, tickets, held)
    result = Filed(None)
    for group in (g for g in groups if g.message_ids):
        members = [by_id[i] for i in group.message_ids]
        filed = _keep_group(work, person, group, members, tickets, held)
        if is_changed and message.id in group.message_ids and filed.ticket is not None:
            describe(work, filed.ticket, members)
        if message.id in group.message_ids:
            result = Filed(filed.ticket, filed.opened, is_later=_is_later(message, members, burst))
    placed = {i for group in groups for i in group.message_ids}
    for loose in (k.message for k in known if k.message.id not in placed):
        if loose.ticket_id in tickets and not tickets[loose.ticket_id].is_touched:
            loose.ticket_id = None
    _merge_emptied(work, tickets, groups, held)
    if result.ticket is not None and not result.opened:
        _event(work, result.ticket, EventKind.MESSAGE_ADDED, {"message_id": message.id})
        _go_on(work, result.ticket, message)
        _tell_the_joined(work, result.ticket, message)
    return result


def _add_elsewhere(work: Work, ticket: Ticket, message: Message) -> Filed:
    """What is said here about a report that the citizen made on another of their channels."""
    message.ticket_id = ticket.id
    ticket.last_in_at = max(ticket.last_in_at, message.occurred_at)
    ticket.version += 1
    ticket.is_touched = True  # filing that other conversation anew must not move what it does not see
    _event(work, ticket, EventKind.MESSAGE_ADDED, {"message_id": message.id, "channel": work.channel.name})
    _go_on(work, ticket, message)
    return Filed(ticket, is_later=True)


def _go_on(work: Work, ticket: Ticket, message: Message) -> None:
    """What was asked for has come, or something has: the ticket is the desk's again, and its clocks go on."""
    wake(work.session, ticket, work.now, "citizen")
    asked_at = ticket.paused_at or ticket.opened_at
    if ticket.state is not TicketState.WAITING_CITIZEN or message.occurred_at < asked_at:
        return
    source, ticket.state = ticket.state, TicketState.RECEIVED
    _event(work, ticket, EventKind.STATE_CHANGED, {"from": source.value, "to": ticket.state.value, "by": "citizen"})
    clocks.moved(ticket, source, ticket.state, work.book, work.now)


def _tell_the_joined(work: Work, ticket: Ticket, message: Message) -> None:
    """What is added to a ticket that was joined to another is news there."""
    into = work.session.get(Ticket, ticket.merged_into_id) if ticket.merged_into_id is not None else None
    if into is not None:
        into.last_in_at = max(into.last_in_at, message.occurred_at)
        into.version += 1
        wake(work.session, into, work.now, "citizen")
        _event(work, into, EventKind.MESSAGE_ADDED, {"message_id": message.id, "joined": ticket.code})


def open_apart(work: Work, person: Citizen, told: Message, words: str, reading: Reading) -> Ticket:
    """Open a ticket for a part of a message, at its writer's wish: the words stand there as a message of their own."""
    part = Message(
        commune_id=told.commune_id,
        channel_id=told.channel_id,
        conversation_id=told.conversation_id,
        part_of_id=told.id,
        direction=Direction.IN,
        origin=told.origin,
        text=words,
        text_folded=fold(words),
        reading=reading.to_json(),
        is_sealed=False,
        occurred_at=told.occurred_at,
        created_at=work.now,
    )
    work.session.add(part)
    work.session.flush()
    members = [Known(part, work.row.key, reading)]
    ticket = _open(work, person, members)
    describe(work, ticket, members, is_new=True)
    ticket.is_touched = True  # somebody has decided what it is: later messages do not undo it
    work.session.flush()
    part.ticket_id = ticket.id
    _event(work, ticket, EventKind.OPENED, {"topic": ticket.topic, "agency_id": ticket.agency_id})
    work.session.flush()
    return ticket


def _tickets(work: Work, person: Citizen) -> dict[int, Ticket]:
    """The conversation's tickets as they stand now, held until we are done: an official may be at work on one.

    One that a person has joined to another keeps its messages and takes more; one that filing emptied is gone.
    """
    query = (
        sa.select(Ticket)
        .where(
            Ticket.conversation_id == person.conversation.id,
            sa.or_(Ticket.state != TicketState.MERGED, Ticket.is_touched),
        )
        .order_by(Ticket.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {ticket.id: ticket for ticket in work.session.scalars(query)}


def _messages(work: Work, person: Citizen, new: Message) -> list[Known]:
    query = (
        sa.select(Message, InboundEvent.key)
        .join(InboundEvent, InboundEvent.id == Message.inbound_event_id)
        .outerjoin(Ticket, Ticket.id == Message.ticket_id)
        .where(
            Message.conversation_id == person.conversation.id,
            Message.direction == Direction.IN,
            Message.occurred_at > new.occurred_at - LOOK_BACK,
            # What belongs to a report from another of the citizen's channels is placed already.
            sa.or_(Ticket.id.is_(None), Ticket.conversation_id == person.conversation.id),
        )
        .order_by(Message.occurred_at.desc(), Message.id.desc())
        .limit(AT_MOST)
    )
    known = {
        m.id: Known(m, key, Reading.from_json(m.reading) if m.reading else None)
        for m, key in work.session.execute(query)
    }
    if new.id not in known:  # it was said before so many others that it is out of sight
        known[new.id] = Known(new, work.row.key, Reading.from_json(new.reading) if new.reading else None)
    for attachment in work.session.scalars(
        sa.select(Attachment).where(Attachment.message_id.in_(list(known))).order_by(Attachment.position)
    ):
        known[attachment.message_id].attachments.append(attachment)
    return list(known.values())


def _fixed_groups(tickets: dict[int, Ticket], known: list[Known]) -> dict[int, Group]:
    """Tickets that people have worked on, or whose beginning is out of sight, stay what they are."""
    oldest = min(k.message.occurred_at for k in known)
    groups = {}
    for ticket in sorted(tickets.values(), key=lambda t: t.opened_at):
        if not ticket.is_touched and ticket.opened_at >= oldest:
            continue
        group = Group(ticket_id=ticket.id, is_sealed=ticket.is_sealed, is_put_aside=ticket.is_spam)
        if ticket.topic and (ticket.topic_is_confirmed or ticket.opened_at < oldest):
            group.topics.add(ticket.topic)
        if ticket.opened_at < oldest:
            group.last_at = min(ticket.last_in_at, oldest)
        if not ticket.state.takes_more and ticket.merged_into_id is None:
            group.ended_at = ticket.closed_at or ticket.last_in_at
        elif ticket.state is TicketState.ANSWERED and ticket.answered_at is not None:
            group.ended_at = ticket.answered_at + RATING_TIME  # what is said later is a new matter
        groups[ticket.id] = group
    return groups


def _quoted_tickets(work: Work, known: list[Known]) -> dict[str, int]:
    quoted = [k.message.quoted_external_id for k in known if k.message.quoted_external_id]
    if not quoted:
        return {}
    channel_id = work.channel.id
    rows = work.session.execute(
        sa.select(Message.external_id, Message.ticket_id)
        .where(Message.channel_id == channel_id, Message.external_id.in_(quoted), Message.ticket_id.is_not(None))
        .union(
            sa.select(Delivery.external_id, Message.ticket_id)
            .join(Message, Message.id == Delivery.message_id)
            .where(Delivery.channel_id == channel_id, Delivery.external_id.in_(quoted), Message.ticket_id.is_not(None))
        )
    )
    return {external: ticket for external, ticket in rows if external and ticket}


def _said(known: Known, tickets: dict[int, Ticket], fixed: dict[int, Group], quoted: dict[str, int]) -> Said:
    message, reading = known.message, known.reading
    first = reading.topics[0] if reading and reading.topics else None
    held = message.ticket_id if message.ticket_id in fixed else None
    quoted_ticket = quoted.get(message.quoted_external_id or "") or message.answers_ticket_id
    if _is_done(message):
        quoted_ticket = None  # a tapped button quotes its question, and that is answered
    return Said(
        message_id=message.id,
        at=message.occurred_at,
        order=known.order,
        intent=_intent(message, reading),
        topic=first.slug if first else None,
        is_sure=bool(first and first.probability >= SURE),
        place=_place_key(reading),
        is_sealed=message.is_sealed,
        has_evidence=any(a.kind in EVIDENCE for a in known.attachments),
        quoted_ticket=quoted_ticket if quoted_ticket in tickets else None,
        fixed_ticket=held,
        held_ticket=message.ticket_id,
        goes_on=follows_on(message.text_folded),
        names_no_spot=first is None or first.slug not in ON_SITE,
    )


def _intent(message: Message, reading: Reading | None) -> str:
    """What a message wants, for filing: what has been answered or carried out wants nothing."""
    if _is_done(message):
        return "answered"
    return reading.intent if reading else "add_info"


def _is_done(message: Message) -> bool:
    return message.faq_key is not None or (message.answers is not None and message.answers_ticket_id is None)


def _place_key(reading: Reading | None) -> str | None:
    for place in reading.places if reading else ():
        if place.level in {"place", "commune"} and place.key:
            return f"{place.level}:{place.key}"
    return None


def _recognise(groups: list[Group], tickets: dict[int, Ticket], held: dict[int, int | None]) -> None:
    """Say which existing ticket each group is: the one its earliest messages were filed under already."""
    taken = {g.ticket_id for g in groups if g.ticket_id is not None}
    for group in groups:
        if group.ticket_id is not None:
            continue
        for message_id in group.message_ids:
            candidate = held[message_id]
            if candidate in tickets and candidate not in taken and not tickets[candidate].is_touched:
                group.ticket_id = candidate
                taken.add(candidate)
                break


def _keep_group(
    work: Work,
    person: Citizen,
    group: Group,
    members: list[Known],
    tickets: dict[int, Ticket],
    held: dict[int, int | None],
) -> Filed:
    ticket = tickets.get(group.ticket_id) if group.ticket_id is not None else None
    opened = ticket is None
    if ticket is None:
        ticket = _open(work, person, members)
        describe(work, ticket, members, is_new=True)
        work.session.flush()
        tickets[ticket.id] = ticket
        group.ticket_id = ticket.id
        _event(work, ticket, EventKind.OPENED, {"topic": ticket.topic, "agency_id": ticket.agency_id})
    here = {m.message.id for m in members}
    moved = [m for m in members if m.message.ticket_id != ticket.id]
    has_lost = any(holder == ticket.id and message_id not in here for message_id, holder in held.items())
    for member in moved:
        member.message.ticket_id = ticket.id
    if (moved or has_lost) and not opened:
        describe(work, ticket, members)
    return Filed(ticket, opened=opened)


def _open(work: Work, person: Citizen, members: list[Known]) -> Ticket:
    first = members[0].message
    year = first.occurred_at.astimezone(VIETNAM).strftime("%y")
    number = next_number(work.session, f"commune:{work.book.id}", "ticket", year)
    ticket = Ticket(
        commune_id=work.book.id,
        code=f"PA{year}-{number:04d}",
        conversation_id=person.conversation.id,
        contact_id=person.contact.id,
        state=TicketState.NEW,
        is_open=True,
        urgency=Urgency.NORMAL,
        opened_at=first.occurred_at,
        last_in_at=first.occurred_at,
        version=1,
        is_touched=False,
        topic_is_confirmed=False,
        is_sealed=False,
        is_restricted=False,
        is_anonymous=False,
        reopened_count=0,
    )
    work.session.add(ticket)
    return ticket


def _merge_emptied(work: Work, tickets: dict[int, Ticket], groups: list[Group], held: dict[int, int | None]) -> None:
    """A ticket whose messages all belong elsewhere keeps its code: whoever asks for it is led to the other one."""
    home = {message_id: g.ticket_id for g in groups for message_id in g.message_ids}
    filled = set(home.values())
    for former in {t for t in held.values() if t in tickets and t not in filled}:
        ticket = tickets[former]
        target = next(home.get(m) for m, t in sorted(held.items()) if t == former)
        if ticket.is_touched or target is None:
            continue
        ticket.state, ticket.is_open = TicketState.MERGED, False
        ticket.merged_into_id, ticket.closed_at = target, work.now
        ticket.version += 1
        _event(work, ticket, EventKind.MERGED, {"into": tickets[target].code, "by": "late_message"})


def _is_later(message: Message, members: list[Known], burst: timedelta) -> bool:
    before = [m.message.occurred_at for m in members if m.message.id != message.id]
    earlier = [at for at in before if at <= message.occurred_at]
    return bool(earlier) and message.occurred_at - max(earlier) > burst


def _event(work: Work, ticket: Ticket, kind: EventKind, data: dict[str, Any]) -> None:
    work.session.add(TicketEvent(commune_id=ticket.commune_id, ticket_id=ticket.id, kind=kind, at=work.now, data=data))
