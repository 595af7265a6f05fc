"""Dialogue: the bot's questions, kept in the conversation's row, and which message answers them."""

from __future__ import annotations

from typing import Any

from bot import texts
from bot.rules import dialogue
from bot.rules.dialogue import Answer, Known, Question, Told, Waiting
from bot.usecases import related
from bot.usecases.deliveries import PRIORITY_ACK
from bot.usecases.taps import is_of_another_question
from bot.usecases.telling import tell, voice_of
from bot.usecases.turns import Turn
from bot.usecases.work import Citizen, Work
from nlp.normalise import fold
from nlp.reading import Reading
from storage.contacts import Conversation
from storage.enums import TicketState, Urgency
from storage.tickets import Ticket

# Questions about a report that is still being told; whatever ends it ends them.
_CAN_WAIT = frozenset({Question.CONSENT, Question.WHO})
_ABOUT_REPORTS = frozenset({Question.WHERE, Question.SPLIT, Question.MERGE, Question.FORWARD, Question.WITHDRAW})


def heard_answer(turn: Turn) -> Answer | None:
    """What the message answers, if it answers what was asked; the question is then done with."""
    conversation = turn.person.conversation
    if conversation.asked is None:
        return None
    if turn.command is not None and turn.command.code and conversation.asked != Question.WHICH.value:
        return None  # it names the report it means
    if is_of_another_question(turn, _asked_by(conversation)):
        return None
    ticket = asked_about(turn)
    if not _is_still_open(conversation, ticket):
        forget(turn.person)
        return None
    turn.answered_data = dict(conversation.asked_data or {})
    answer = dialogue.answer_to(_waiting(conversation, ticket), turn.heard, turn.message.occurred_at)
    if answer is not None and not (answer.question is Question.CONSENT and answer.value == "more"):
        forget(turn.person)
    return answer


def asked_about(turn: Turn) -> Ticket | None:
    """The ticket the waiting question is about."""
    number = turn.person.conversation.asked_ticket_id
    return turn.work.session.get(Ticket, number) if number is not None else None


def _is_still_open(conversation: Conversation, ticket: Ticket | None) -> bool:
    question = Question(conversation.asked or "")
    if ticket is None:
        return question in {Question.WHICH, Question.ERASE, Question.CONSENT}
    if question is Question.WHERE and ticket.has_place:
        return False
    if question is Question.WHERE and ticket.urgency is Urgency.EMERGENCY:
        return ticket.is_open  # also of a secret: where a child or a life is in danger
    if question in _ABOUT_REPORTS:
        return ticket.is_open and not ticket.is_sealed
    return not ticket.is_sealed and ticket.state is not TicketState.WITHDRAWN


def _waiting(conversation: Conversation, ticket: Ticket | None) -> Waiting:
    question = Question(conversation.asked or "")
    if question is Question.WHICH:
        offered = (conversation.asked_data or {}).get("codes", [])
        labels: dict[str, tuple[str, ...]] = {str(number): (_bare(code),) for number, code in offered}
    else:
        names = texts.labels_of(_asked_by(conversation))
        labels = {value: tuple(_bare(name) for name in spoken) for value, spoken in names.items()}
    return Waiting(question, conversation.asked_at, ticket.topic if ticket else None, labels)


def _asked_by(conversation: Conversation) -> str:
    """The text that has put the waiting question."""
    return str((conversation.asked_data or {}).get("text") or dialogue.TEXTS[Question(conversation.asked or "")])


def _bare(label: str) -> str:
    return " ".join("".join(c if c.isalnum() else " " for c in fold(label)).split())


def forget(person: Citizen) -> None:
    """No question waits any more."""
    conversation = person.conversation
    conversation.asked = conversation.asked_at = conversation.asked_data = None


def ask(
    work: Work,
    person: Citizen,
    question: Question,
    ticket: Ticket | None,
    *,
    data: dict[str, Any] | None = None,
    is_said: bool = False,
    **variables: str,
) -> None:
    """Put a question, once a ticket, and remember that it waits. `is_said`: another text has put it already."""
    conversation = person.conversation
    number = ticket.id if ticket else None
    if conversation.asked_ticket_id != number:
        conversation.asked_count = 0
    conversation.asked, conversation.asked_ticket_id = question.value, number
    conversation.asked_at, conversation.asked_data = work.row.occurred_at, data
    conversation.asked_count += 1
    if question is Question.CONSENT:
        person.contact.consent_asked_at = work.now
    if question is Question.WHO:
        person.contact.identity_asked_at = work.now
    if not is_said:
        once = f"{question.value}:{number or person.urn.id}:{work.row.id}"
        key = dialogue.TEXTS[question]
        tell(work, person, once, key, ticket=ticket, priority=PRIORITY_ACK, then="", **variables)


def tell_then_ask(turn: Turn, ticket: Ticket, key: str, *, once: str = "", **variables: str) -> Question | None:
    """Say the text of this key and ask what is still missing, in one message where there is room."""
    question = None if turn.work.is_stale else next_about(turn, ticket, turn.reading)
    if question is None:
        turn.tell(key, ticket=ticket, once=once, **variables)
        return None
    is_joined = not voice_of(turn.work, turn.person).is_sms and ticket.urgency is not Urgency.EMERGENCY
    known = related.particulars(turn, ticket, question)[1] if is_joined else {}
    then = dialogue.TEXTS[question] if is_joined else ""
    turn.tell(key, ticket=ticket, once=once, then=then, **{**known, **variables})
    put(turn, ticket, question, is_said=is_joined)
    return question


def next_about(turn: Turn, ticket: Ticket, reading: Reading | None) -> Question | None:
    """What would be asked about a ticket now."""
    turn.work.session.flush()
    conversation, contact = turn.person.conversation, turn.person.contact
    asked = conversation.asked_count if conversation.asked_ticket_id == ticket.id else 0
    told = Told(
        ticket.topic,
        related.opening_intent(turn.work, ticket) or (reading.intent if reading else ""),
        ticket.has_place,
        ticket.is_sealed,
        ticket.urgency is Urgency.EMERGENCY,
        asked,
        related.offers(turn, ticket),
    )
    known = Known(
        contact.consent,
        consent_was_asked=contact.consent_asked_at is not None,
        has_name=bool(contact.name),
        identity_was_asked=contact.identity_asked_at is not None,
    )
    question = dialogue.next_question(told, known)
    if question in _CAN_WAIT and _still_waits(turn, ticket):
        return None
    if question in _CAN_WAIT and _other_waits(turn, ticket):
        return None
    return question


def _still_waits(turn: Turn, ticket: Ticket) -> bool:
    """Whether the place of this very report was asked for and may still come."""
    conversation = turn.person.conversation
    if conversation.asked != Question.WHERE.value or conversation.asked_ticket_id != ticket.id:
        return False
    return Waiting(Question.WHERE, conversation.asked_at).is_fresh(turn.message.occurred_at)


def _other_waits(turn: Turn, ticket: Ticket) -> bool:
    """Whether a question about another report is still to be answered."""
    conversation = turn.person.conversation
    if conversation.asked is None or conversation.asked_ticket_id in (None, ticket.id):
        return False
    return Waiting(Question(conversation.asked), conversation.asked_at).is_fresh(turn.message.occurred_at)


def put(turn: Turn, ticket: Ticket, question: Question, *, is_said: bool = False) -> None:
    """Put this question about a ticket; an emergency's own text has asked where already."""
    work, person = turn.work, turn.person
    is_said = is_said or (question is Question.WHERE and ticket.urgency is Urgency.EMERGENCY)
    data, variables = related.particulars(turn, ticket, question)
    ask(work, person, question, ticket, data=data, is_said=is_said, **variables)
