"""Answered: what is said about a report reaches all who joined it, each with their own code, in their own form."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import sqlalchemy as sa

from bot.rules.dialogue import Question
from bot.texts import Text, Voice
from bot.usecases.deliveries import PRIORITY_REPLY, owe
from bot.usecases.desk import Desk
from bot.usecases.holding import release
from bot.usecases.telling import Stage, tell, usual, voice_of
from bot.usecases.windows import is_free
from bot.usecases.work import Citizen
from nlp.normalise import fold
from storage.channels import Channel
from storage.contacts import Contact, Conversation, Urn
from storage.enums import DeliveryKind, Direction, EventKind, Origin, TicketState, Urgency
from storage.incidents import joined_to
from storage.messages import Attachment, Message
from storage.tickets import Ticket, TicketEvent

# A variable of a text, or how it is said in the reader's own voice.
Variable = str | Callable[[Voice], str]


def after_result(desk: Desk, message: Message, *, pays: bool = False) -> None:
    """The result of a ticket has been promised to its writer: tell the joined ones, and ask each for a judgement."""
    release(desk.person.conversation)
    _ask_how_it_is(desk.stage, desk.person, desk.ticket, desk.ticket)
    if desk.ticket.is_sealed:
        return
    told = {desk.ticket.conversation_id}
    for ticket in joined_to(desk.session, desk.ticket.id):
        ticket.answered_at = desk.now
        if ticket.conversation_id not in told:
            told.add(ticket.conversation_id)
            _pass_result(desk, desk.ticket, ticket, message, pays=pays)


def tell_joined(desk: Desk, key: str, variables: Mapping[str, Variable], picture: Message | None = None) -> int:
    """Say the text of this key to everybody who joined the ticket, with the picture of a message; gives how many."""
    told = {desk.ticket.conversation_id}
    for ticket in [] if desk.ticket.is_sealed else joined_to(desk.session, desk.ticket.id):
        if ticket.conversation_id not in told and say_to(desk, ticket, key, variables, picture):
            told.add(ticket.conversation_id)
    return len(told) - 1


def give_result(desk: Desk, lead: Ticket, ticket: Ticket) -> None:
    """Who is joined to a report that has its result already gets it at once."""
    if lead.state is not TicketState.ANSWERED or lead.is_sealed:
        return
    query = sa.select(Message).where(Message.ticket_id == lead.id, Message.template == "result")
    result = desk.session.scalar(query.order_by(Message.id.desc()).limit(1))
    if result is not None:
        ticket.answered_at = desk.now
        _pass_result(desk, lead, ticket, result)


def say_to(
    desk: Desk, ticket: Ticket, key: str, variables: Mapping[str, Variable], picture: Message | None = None
) -> Message | None:
    """An official's text to the writer of another ticket, in their language and their channel's form.

    None where nobody is to be told any more: they had their data erased.
    """
    person, stage = _writer(desk, ticket)
    voice = voice_of(stage, person)
    filled = {name: value if isinstance(value, str) else value(voice) for name, value in variables.items()}
    text = voice.say(key, **(usual(desk.book, ticket) | filled))
    return _send(desk, ticket, person, stage, text, image_blob=_picture(desk, picture, stage.channel))


def _send(
    desk: Desk,
    ticket: Ticket,
    person: Citizen,
    stage: Stage,
    text: Text,
    *,
    image_blob: str | None = None,
    pays: bool = False,
) -> Message | None:
    session = desk.session
    if person.contact.erased_at is not None:
        return None
    message = Message(
        commune_id=ticket.commune_id,
        channel_id=stage.channel.id,
        conversation_id=person.conversation.id,
        ticket_id=ticket.id,
        direction=Direction.OUT,
        origin=Origin.OFFICIAL,
        author_id=desk.official.id,
        text=text.words,
        text_folded=fold(text.words),
        template=text.key,
        is_sealed=ticket.is_sealed,
        occurred_at=desk.now,
        created_at=desk.now,
    )
    session.add(message)
    session.flush()
    owe(
        session,
        desk.runtime,
        channel=stage.channel,
        urn=person.urn,
        text=text.words,
        kind=DeliveryKind.REPLY,
        key=f"reply:{message.id}",
        priority=PRIORITY_REPLY,
        message=message,
        image_blob=image_blob,
        pays=pays,
    )
    person.conversation.last_message_at = desk.now
    ticket.version += 1
    return message


def _pass_result(desk: Desk, lead: Ticket, ticket: Ticket, result: Message, *, pays: bool = False) -> None:
    """The result to the writer of a joined ticket, and the question how it is."""
    person, stage = _writer(desk, ticket)
    if result.filled:
        text = voice_of(stage, person).say("result", **(usual(desk.book, ticket) | result.filled))
    else:  # written before what a text is filled with was kept
        text = Text("result", result.text.replace(lead.code, ticket.code))
    copy = _send(desk, ticket, person, stage, text, image_blob=_picture(desk, result, stage.channel), pays=pays)
    if copy is None:
        return
    desk.session.add(
        TicketEvent(
            commune_id=ticket.commune_id,
            ticket_id=ticket.id,
            kind=EventKind.REPLIED,
            at=desk.now,
            official_id=desk.official.id,
            data={"message_id": copy.id, "is_result": True, "from": lead.code},
        )
    )
    _ask_how_it_is(stage, person, ticket, lead)


def _writer(desk: Desk, ticket: Ticket) -> tuple[Citizen, Stage]:
    conversation = desk.session.get_one(Conversation, ticket.conversation_id)
    urn = desk.session.get_one(Urn, conversation.urn_id)
    channel = desk.session.get_one(Channel, conversation.channel_id)
    person = Citizen(desk.session.get_one(Contact, conversation.contact_id), urn, conversation)
    return person, Stage(desk.runtime, desk.session, channel, desk.book, desk.now)


def _picture(desk: Desk, message: Message | None, channel: Channel) -> str | None:
    """The picture of a message where the channel takes it; without it the words go alone."""
    if message is None:
        return None
    query = sa.select(Attachment.blob, Attachment.size).where(
        Attachment.message_id == message.id, Attachment.blob.is_not(None)
    )
    found = desk.session.execute(query.limit(1)).first()
    limit = desk.runtime.adapters[channel.type].limits.image_bytes
    return found.blob if found is not None and (found.size or 0) <= limit else None


def _ask_how_it_is(stage: Stage, person: Citizen, ticket: Ticket, lead: Ticket) -> None:
    """Ask whether the result is good; never after an emergency or about what is sealed (domain §8)."""
    if lead.is_sealed or lead.urgency is Urgency.EMERGENCY or lead.state is not TicketState.ANSWERED:
        return
    if not is_free(stage.runtime, stage.channel, person.urn):
        return
    conversation = person.conversation
    conversation.asked, conversation.asked_ticket_id = Question.RATING.value, ticket.id
    conversation.asked_at, conversation.asked_data, conversation.asked_count = stage.now, None, 0
    tell(stage, person, f"rating:{ticket.id}:{ticket.version}", "rating", ticket=ticket)
