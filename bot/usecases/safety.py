"""Safety: people answer an emergency with "an toàn" or "cần giúp"; who needs help has reported danger as ever."""

from __future__ import annotations

from dataclasses import dataclass

from bot.rules.safety import LATE, Meaning, is_wholly, meaning_of
from bot.rules.threading import OPENING, SURE
from bot.usecases.acknowledging import acknowledge, emergency
from bot.usecases.filing import Filed, file_message
from bot.usecases.turns import Turn
from nlp.reading import TopicGuess
from storage.bulletins import Bulletin
from storage.enums import Safety, Urgency
from storage.safety import asked_of, help_ticket, record_answer

ANSWER = "safety"  # as which such a message is marked
_DISASTER = "thien-tai"


@dataclass(frozen=True)
class Answered:
    """What was answered to which emergency, and whether that was over by then."""

    bulletin: Bulletin
    meaning: Meaning
    is_over: bool


def take_safety(turn: Turn) -> Filed | None:
    """Do what an answer to an emergency says; None when the message answers none."""
    answered = answer_in(turn)
    if answered is None:
        return None
    if answered.meaning is Meaning.HELP:
        return _help(turn, answered)
    if answered.meaning is Meaning.UNCLEAR:
        return _ask_once(turn, answered)
    filed = _note_safe(turn, answered)
    if _tells_more(turn):
        return None  # it is counted, and what else it says is a report
    if answered.is_over:
        _say_over(turn, answered)
    else:
        turn.tell("safety_safe", ticket=filed.ticket, once=f"safety:{turn.message.id}")
    return filed


def listen(turn: Turn) -> None:
    """While somebody else leads the talk: an answer counts, danger is danger, and nothing is said here."""
    answered = answer_in(turn)
    if answered is None or answered.meaning is Meaning.UNCLEAR:
        return
    if answered.meaning is Meaning.HELP:
        _take_as_danger(turn, answered.bulletin)
    _record(turn, answered)


def answer_in(turn: Turn) -> Answered | None:
    """What the message answers to an emergency that was sent to its writer; nothing that must be sealed."""
    if turn.message.is_sealed or turn.reading is None or turn.command is not None:
        return None
    meaning = meaning_of(turn.message.text_folded)
    if turn.is_emergency and turn.has_cue and meaning is not Meaning.SAFE:
        meaning = Meaning.HELP
    quoted = turn.word.quoted_external_id
    if meaning is None:
        return None
    at = turn.message.occurred_at
    bulletin = asked_of(turn.work.session, turn.person.urn.id, at, quoted)
    if bulletin is None:
        return None
    is_over = bulletin.ended_at is not None and bulletin.ended_at <= at
    if is_over and bulletin.ended_at is not None and at > bulletin.ended_at + LATE and not quoted:
        return None
    return Answered(bulletin, meaning, is_over)


def _help(turn: Turn, answered: Answered) -> Filed:
    """A report of danger like every other: numbers to call, an alert, where it is; and it stands on the board."""
    _take_as_danger(turn, answered.bulletin)
    filed = file_message(turn.work, turn.person, turn.message)
    _record(turn, answered)
    acknowledge(turn, filed)
    if filed.ticket is not None and turn.work.is_stale:
        emergency(turn, filed.ticket)  # what comes late is still somebody in danger
    if answered.is_over:
        _say_over(turn, answered)
    return filed


def _take_as_danger(turn: Turn, bulletin: Bulletin) -> None:
    """ "Cần giúp" alone names no subject; with the emergency's it goes under no pothole of last week."""
    reading = turn.reading
    known = reading.topics if reading is not None and reading.topics and reading.topics[0].probability >= SURE else ()
    topics = known or (TopicGuess(bulletin.topic or _DISASTER, 1.0),)
    turn.take_as(intent="emergency", urgency=Urgency.EMERGENCY.value, topics=topics)


def _note_safe(turn: Turn, answered: Answered) -> Filed:
    """Who asked for help and is safe now says so in that report; nobody else's answer opens one."""
    session = turn.work.session
    asked_for_help = help_ticket(session, answered.bulletin.id, turn.person.urn.id)
    _record(turn, answered)
    if _tells_more(turn):
        return Filed(None)
    turn.take_as(intent="add_info", urgency=Urgency.NORMAL.value, topics=())
    turn.message.answers = ANSWER
    if asked_for_help is None:
        return Filed(None)
    turn.message.answers_ticket_id = asked_for_help.id
    session.flush()
    return file_message(turn.work, turn.person, turn.message)


def _tells_more(turn: Turn) -> bool:
    """Whether a report stands beside the answer: "nhà tôi an toàn, nhưng cột điện trước cổng đổ từ sáng"."""
    reading = turn.reading
    if reading is None or is_wholly(turn.message.text_folded):
        return bool(turn.word.attachments)
    return turn.intent in OPENING and bool(reading.topics) and reading.topics[0].probability >= SURE


def _record(turn: Turn, answered: Answered) -> None:
    if answered.is_over:
        return
    meaning = Safety.HELP if answered.meaning is Meaning.HELP else Safety.SAFE
    turn.work.session.flush()
    record_answer(turn.work.session, answered.bulletin, turn.person.urn.id, turn.message, meaning)


def _ask_once(turn: Turn, answered: Answered) -> Filed | None:
    """What could be either is asked about, once in an emergency; a question about it is a question."""
    if answered.is_over or not is_wholly(turn.message.text_folded) or turn.intent in {"question", "human_handoff"}:
        return None
    turn.message.answers = ANSWER
    turn.tell("safety_ask", once=f"safety-ask:{answered.bulletin.id}:{turn.person.urn.id}")
    return Filed(None)


def _say_over(turn: Turn, answered: Answered) -> None:
    turn.tell("safety_over", once=f"safety-over:{answered.bulletin.id}:{turn.person.urn.id}")
