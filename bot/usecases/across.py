"""Across: what a citizen says on one channel about a report that they made on another one linked to it."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from bot.rules.threading import OPENING, SURE
from bot.usecases.work import Citizen, Work
from nlp.reading import Reading
from storage.deliveries import Delivery
from storage.messages import Message
from storage.tickets import Ticket

ANSWER_TIME = timedelta(days=3)  # for so long what follows an answer that came another way is said about it


def meant_elsewhere(work: Work, person: Citizen, message: Message) -> Ticket | None:
    """The report of another conversation of theirs that the message is about; None when it belongs here."""
    if message.is_sealed:
        return None  # an accusation stands apart, where it was said
    ticket_id = message.answers_ticket_id or _quoted(work, message) or _just_answered(work, person, message)
    if ticket_id is None:
        return None
    query = sa.select(Ticket).where(
        Ticket.id == ticket_id,
        Ticket.contact_id == person.contact.id,
        Ticket.conversation_id != person.conversation.id,
        Ticket.is_sealed.is_(False),
        Ticket.is_spam.is_(False),
    )
    ticket = work.session.scalar(query.with_for_update().execution_options(populate_existing=True))
    return ticket if ticket is not None and ticket.state.takes_more else None


def _quoted(work: Work, message: Message) -> int | None:
    if not message.quoted_external_id:
        return None
    return work.session.scalar(
        sa.select(Message.ticket_id)
        .join(Delivery, Delivery.message_id == Message.id)
        .where(
            Delivery.channel_id == work.channel.id,
            Delivery.external_id == message.quoted_external_id,
            Message.conversation_id != message.conversation_id,
        )
        .limit(1)
    )


def _just_answered(work: Work, person: Citizen, message: Message) -> int | None:
    """The report whose answer came here because the other channel failed, when nothing newer was said to them."""
    if message.quoted_external_id:
        return None
    latest = work.session.execute(
        sa.select(Message.ticket_id, Ticket.topic, Delivery.instead_of_id, Delivery.created_at)
        .join(Message, Message.id == Delivery.message_id)
        .outerjoin(Ticket, Ticket.id == Message.ticket_id)
        .where(Delivery.urn_id == person.urn.id, Delivery.created_at <= message.occurred_at)
        .order_by(Delivery.id.desc())
        .limit(1)
    ).first()
    if latest is None or latest.instead_of_id is None or message.occurred_at - latest.created_at > ANSWER_TIME:
        return None
    reading = Reading.from_json(message.reading) if message.reading else None
    topic = reading.topics[0] if reading and reading.topics else None
    opens = reading is not None and reading.intent in OPENING
    is_new_matter = opens and topic is not None and topic.probability >= SURE and topic.slug != latest.topic
    return None if is_new_matter else int(latest.ticket_id) if latest.ticket_id else None
