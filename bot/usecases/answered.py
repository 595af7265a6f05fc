"""Answered: what follows when a result leaves: everybody who joined the report gets it, and is asked how it is."""

from __future__ import annotations

import sqlalchemy as sa

from bot.rules.dialogue import Question
from bot.usecases.deliveries import PRIORITY_REPLY, owe
from bot.usecases.desk import Desk
from bot.usecases.holding import release
from bot.usecases.telling import Stage, tell
from bot.usecases.work import Citizen
from storage.channels import Channel
from storage.contacts import Conversation, Urn
from storage.enums import DeliveryKind, EventKind, TicketState, Urgency
from storage.messages import Message
from storage.tickets import Ticket, TicketEvent


def after_result(desk: Desk, message: Message, *, image_blob: str | None) -> None:
    """The result of a ticket has been promised to its writer: tell the joined ones, and ask for a judgement."""
    release(desk.person.conversation)
    _ask_how_it_is(desk.stage, desk.person, desk.ticket)
    joined = desk.session.scalars(
        sa.select(Ticket).where(Ticket.merged_into_id == desk.ticket.id, Ticket.is_touched, Ticket.is_sealed.is_(False))
    )
    for ticket in joined:
        if ticket.conversation_id != desk.ticket.conversation_id and not desk.ticket.is_sealed:
            _pass_on(desk, ticket, message, image_blob)


def _pass_on(desk: Desk, ticket: Ticket, message: Message, image_blob: str | None) -> None:
    """The same words to the writer of a ticket that was joined to this one, under their own code."""
    conversation = desk.session.get_one(Conversation, ticket.conversation_id)
    urn = desk.session.get_one(Urn, conversation.urn_id)
    channel = desk.session.get_one(Channel, conversation.channel_id)
    words = message.text.replace(desk.ticket.code, ticket.code)
    copy = Message(
        commune_id=ticket.commune_id,
        channel_id=channel.id,
        conversation_id=conversation.id,
        ticket_id=ticket.id,
        direction=message.direction,
        origin=message.origin,
        author_id=message.author_id,
        text=words,
        text_folded=message.text_folded,
        template=message.template,
        occurred_at=desk.now,
        created_at=desk.now,
    )
    desk.session.add(copy)
    desk.session.flush()
    owe(
        desk.session,
        desk.runtime,
        channel=channel,
        urn=urn,
        text=words,
        kind=DeliveryKind.REPLY,
        key=f"reply:{copy.id}",
        priority=PRIORITY_REPLY,
        message=copy,
        image_blob=image_blob,
    )
    conversation.last_message_at = desk.now
    ticket.answered_at = desk.now
    desk.session.add(
        TicketEvent(
            commune_id=ticket.commune_id,
            ticket_id=ticket.id,
            kind=EventKind.REPLIED,
            at=desk.now,
            official_id=desk.official.id,
            data={"message_id": copy.id, "is_result": True, "from": desk.ticket.code},
        )
    )


def _ask_how_it_is(stage: Stage, person: Citizen, ticket: Ticket) -> None:
    """Ask whether the result is good; never after an emergency or about what is sealed (domain §8)."""
    if ticket.is_sealed or ticket.urgency is Urgency.EMERGENCY or ticket.state is not TicketState.ANSWERED:
        return
    conversation = person.conversation
    conversation.asked, conversation.asked_ticket_id = Question.RATING.value, ticket.id
    conversation.asked_at, conversation.asked_data, conversation.asked_count = stage.now, None, 0
    tell(stage, person, f"rating:{ticket.id}:{ticket.version}", "rating", ticket=ticket)
