"""Dialogue: the bot's questions about a report, kept in the conversation's row, and the answers to them."""

from __future__ import annotations

from bot import texts
from bot.rules import dialogue
from bot.rules.dialogue import Answered, Heard, Question, Told
from bot.rules.threading import SURE
from bot.usecases.citizens import say
from bot.usecases.work import Citizen, Work
from nlp.reading import Reading
from storage.enums import Urgency
from storage.messages import Message
from storage.tickets import Ticket


def hear(work: Work, person: Citizen, message: Message, reading: Reading | None, *, has_pin: bool) -> Answered:
    """Whether a message answers what the bot has asked; an answer is marked, so that it is filed under its ticket."""
    conversation = person.conversation
    if conversation.asked is None or conversation.asked_ticket_id is None:
        return Answered.NOT
    ticket = work.session.get(Ticket, conversation.asked_ticket_id)
    if ticket is None or not ticket.is_open or ticket.is_sealed or ticket.has_place:
        _forget(person)
        return Answered.NOT
    answered = dialogue.answer_to(
        Question(conversation.asked),
        conversation.asked_at,
        ticket.topic,
        _heard(message, reading, has_pin),
        message.occurred_at,
    )
    if answered is Answered.PLACE:
        message.answers, message.answers_ticket_id = conversation.asked, ticket.id
    if answered is Answered.SKIPPED and not work.is_stale:
        say(work, person, texts.say("skipped", ma=ticket.code), f"skipped:{message.id}", ticket=ticket)
    if answered is not Answered.NOT:
        _forget(person)
    return answered


def thank(work: Work, person: Citizen, message: Message, ticket: Ticket, *, has_pin: bool) -> None:
    """Say what was noted, so that a wrong place can be put right."""
    if has_pin:
        text = texts.say("pin_noted", ma=ticket.code)
    else:
        text = texts.say("where_noted", ma=ticket.code, diadiem=ticket.place_text or message.text.strip()[:300])
    say(work, person, text, f"where_noted:{message.id}", ticket=ticket)


def ask_about(work: Work, person: Citizen, ticket: Ticket, reading: Reading | None) -> None:
    """Ask what is still missing of a ticket that was just opened; the emergency text has asked where already."""
    is_urgent = ticket.urgency is Urgency.EMERGENCY
    told = Told(ticket.topic, reading.intent if reading else "", ticket.has_place, ticket.is_sealed, is_urgent)
    question = dialogue.question_about(told)
    if question is None:
        return
    if not is_urgent:
        say(work, person, texts.say("ask_where", ma=ticket.code), f"where:{ticket.id}", ticket=ticket)
    conversation = person.conversation
    conversation.asked, conversation.asked_ticket_id, conversation.asked_at = question, ticket.id, work.row.occurred_at


def _heard(message: Message, reading: Reading | None, has_pin: bool) -> Heard:
    topic = reading.topics[0] if reading and reading.topics else None
    return Heard(
        message.text_folded,
        reading.intent if reading else "add_info",
        topic.slug if topic else None,
        is_sure=bool(topic and topic.probability >= SURE),
        has_place=bool(reading and reading.places),
        has_pin=has_pin,
        is_sealed=message.is_sealed,
    )


def _forget(person: Citizen) -> None:
    conversation = person.conversation
    conversation.asked = conversation.asked_ticket_id = conversation.asked_at = None
