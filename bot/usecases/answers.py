"""Answers: what happens when a citizen answers a question of the bot."""

from __future__ import annotations

from collections.abc import Callable

from bot.rules.answering import is_no_name
from bot.rules.dialogue import Answer, Question
from bot.rules.identity import identity_in
from bot.texts import Text, day
from bot.usecases import dialogue, judging, related, wishes
from bot.usecases.acknowledging import emergency
from bot.usecases.filing import Filed, file_message
from bot.usecases.related import note
from bot.usecases.telling import speak
from bot.usecases.turns import Turn
from nlp.reading import TopicGuess
from storage.enums import Consent, EventKind
from storage.tickets import Ticket


def take_answer(turn: Turn, answer: Answer) -> Filed:
    """Do what the answer says, thank for it, and ask what is still missing."""
    ticket = dialogue.asked_about(turn)
    if not turn.has_cue:  # a few words only sound like danger or like another matter
        turn.take_as(urgency="thuong", sealed=False, topics=_fitting(turn, ticket), intent="add_info")
    return _TAKERS[answer.question](turn, answer, ticket)


def _fitting(turn: Turn, ticket: Ticket | None) -> tuple[TopicGuess, ...]:
    """The subjects of an answer that are those of its ticket; where a place leads to another, it is a place."""
    guesses = turn.reading.topics if turn.reading else ()
    return tuple(guess for guess in guesses if ticket is not None and guess.slug == ticket.topic)


def _where(turn: Turn, answer: Answer, ticket: Ticket | None) -> Filed:
    if ticket is None:
        return Filed(None)
    if answer.value == "skip":
        dialogue.tell_then_ask(turn, ticket, "skipped")
        return Filed(None)
    filed = _add(turn, ticket, Question.WHERE)
    if filed.ticket is None:
        return filed
    if turn.is_emergency and turn.has_cue:
        emergency(turn, filed.ticket)
        return filed
    if turn.word.has_pin:
        dialogue.tell_then_ask(turn, filed.ticket, "pin_noted")
    else:
        spot = filed.ticket.place_text or turn.message.text.strip()[:300]
        dialogue.tell_then_ask(turn, filed.ticket, "where_noted", diadiem=spot)
    return filed


def _add(turn: Turn, ticket: Ticket, question: Question) -> Filed:
    """File the message under the ticket it answers about."""
    turn.message.answers, turn.message.answers_ticket_id = question.value, ticket.id
    turn.work.session.flush()
    return file_message(turn.work, turn.person, turn.message)


def _consent(turn: Turn, answer: Answer, ticket: Ticket | None) -> Filed:
    contact = turn.person.contact
    if answer.value == "more":
        turn.tell("privacy", ticket=ticket)
        turn.person.conversation.asked_data = {"text": "privacy"}
        return Filed(None)
    if answer.value == "no":
        contact.consent, contact.consent_at = Consent.REFUSED.value, turn.work.now
        if ticket is not None:
            turn.tell("consent_refused", ticket=ticket)
        return Filed(None)
    contact.consent, contact.consent_at = Consent.GIVEN.value, turn.work.now
    _remember_introduction(turn, ticket)
    if turn.heard.has_name or turn.heard.says_who:
        _keep_identity(turn)
    if ticket is None:
        turn.tell("consent_noted", ngay=day(turn.work.now))
    else:
        dialogue.tell_then_ask(turn, ticket, "consent_noted", ngay=day(turn.work.now))
    return Filed(None)


def _remember_introduction(turn: Turn, ticket: Ticket | None) -> None:
    """Who said their name with the report is not asked for it again."""
    found = related.introduction(turn.work, ticket) if ticket is not None else None
    if found is not None and not turn.person.contact.name:
        contact = turn.person.contact
        contact.name, contact.address = found.name or None, found.address or contact.address
        contact.phone = found.phone or contact.phone


def _who(turn: Turn, answer: Answer, ticket: Ticket | None) -> Filed:
    if ticket is None:
        return Filed(None)
    if answer.value == "skip":
        turn.tell("skipped", ticket=ticket)
        return Filed(None)
    if answer.value == "anonymous":
        wishes.set_anonymous(turn, ticket, hidden=True)
        return Filed(None)
    contact = turn.person.contact
    if not is_no_name(turn.message.text_folded):
        _keep_identity(turn)
    turn.message.answers, turn.message.answers_ticket_id = Question.WHO.value, None
    if contact.name:
        turn.tell("identity_noted", ticket=ticket, ten=contact.name)
    else:
        turn.tell("skipped", ticket=ticket)
    return Filed(None)


def _keep_identity(turn: Turn) -> None:
    reading, contact = turn.reading, turn.person.contact
    words = turn.message.text
    found = identity_in(words, reading.personal_data if reading else (), reading.places if reading else ())
    contact.name = found.name or contact.name
    contact.phone = found.phone or contact.phone
    contact.address = found.address or contact.address


def _merge(turn: Turn, answer: Answer, ticket: Ticket | None) -> Filed:
    if ticket is None:
        return Filed(None)
    data = turn.answered_data
    into = related.merge(turn.work, ticket, int(data["into"])) if answer.value == "merge" and data else None
    if into is not None:
        turn.tell("merged_now", ticket=ticket, ma0=into.code)
        _tell_result(turn, ticket, into)
    else:
        dialogue.tell_then_ask(turn, ticket, "kept_apart")
    return Filed(None)


def _tell_result(turn: Turn, ticket: Ticket, into: Ticket) -> None:
    """Who joins a report that has its result already gets it at once."""
    result = related.result_of(turn.work, into)
    if result is not None and not turn.work.is_stale:
        words = result.text.replace(into.code, ticket.code)
        speak(turn.work, turn.person, Text("result", words), f"result:{ticket.id}:{into.id}", ticket=ticket)


def _split(turn: Turn, answer: Answer, ticket: Ticket | None) -> Filed:
    if ticket is None:
        return Filed(None)
    data = turn.answered_data
    other = related.part_off(turn, data) if answer.value == "split" and data else None
    if other is None:
        dialogue.tell_then_ask(turn, ticket, "kept_together")
        return Filed(None)
    dialogue.tell_then_ask(
        turn,
        ticket,
        "split_done",
        ma2=other.code,
        viec1=turn.label(ticket.topic),
        viec2=turn.label(other.topic),
        han=turn.moment(other),
    )
    return Filed(None)


def _forward(turn: Turn, answer: Answer, ticket: Ticket | None) -> Filed:
    data = turn.answered_data
    if ticket is None or not data:
        return Filed(None)
    agreed = answer.value == "forward"
    words = f"Người dân {'đồng ý' if agreed else 'không đồng ý'} chuyển nội dung đến {data['name']}."
    note(turn.work, ticket, EventKind.NOTED, {"forward_to": data["code"], "agreed": agreed}, words)
    ticket.version += 1
    if agreed:
        turn.tell("out_of_area_yes", ticket=ticket, xa2=str(data["name"]))
    else:
        turn.tell("out_of_area_no", ticket=ticket)
    return Filed(None)


def _which(turn: Turn, answer: Answer, ticket: Ticket | None) -> Filed:  # noqa: ARG001 - one signature for all
    chosen = turn.work.session.get(Ticket, int(answer.value))
    data = turn.answered_data
    if chosen is None or not data:
        return Filed(None)
    return wishes.do_with(turn, str(data["verb"]), chosen)


def _withdraw(turn: Turn, answer: Answer, ticket: Ticket | None) -> Filed:
    if ticket is None:
        return Filed(None)
    if answer.value == "yes":
        return wishes.withdraw(turn, ticket)
    turn.tell("withdraw_kept", ticket=ticket)
    return Filed(None)


def _rating(turn: Turn, answer: Answer, ticket: Ticket | None) -> Filed:
    if ticket is None:
        return Filed(None)
    return judging.rate(turn, ticket, {"low": 1, "fair": 2, "good": 3}[answer.value])


def _reason(turn: Turn, answer: Answer, ticket: Ticket | None) -> Filed:
    if ticket is None:
        return Filed(None)
    if answer.value == "skip":
        turn.tell("skipped", ticket=ticket)
        return Filed(None)
    filed = _add(turn, ticket, Question.REASON)
    turn.tell("reason_noted", ticket=ticket)
    return filed


def _erase(turn: Turn, answer: Answer, ticket: Ticket | None) -> Filed:  # noqa: ARG001 - one signature for all
    if answer.value != "yes":
        turn.tell("erase_kept")
        return Filed(None)
    turn.take_as(intent="data_request", topics=(), sealed=False)
    turn.message.text = f"{turn.message.text} (đồng ý xóa dữ liệu)"[:4_000]
    turn.work.session.flush()
    filed = file_message(turn.work, turn.person, turn.message)
    if filed.ticket is not None:
        turn.tell("data_rights", ticket=filed.ticket, ngay=day(turn.work.now))
    return filed


_TAKERS: dict[Question, Callable[[Turn, Answer, Ticket | None], Filed]] = {
    Question.WHERE: _where,
    Question.CONSENT: _consent,
    Question.WHO: _who,
    Question.MERGE: _merge,
    Question.SPLIT: _split,
    Question.FORWARD: _forward,
    Question.WHICH: _which,
    Question.WITHDRAW: _withdraw,
    Question.RATING: _rating,
    Question.REASON: _reason,
    Question.ERASE: _erase,
}
