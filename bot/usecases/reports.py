"""Reports: a citizen's message is kept, understood as an answer, a wish or a report, filed, and answered."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa

from adapters.messages import InboundMessage
from bot import texts
from bot.rules.commands import command_in
from bot.rules.threading import OPENING, SURE
from bot.usecases import announcement_answers, dialogue, judging, safety, withheld
from bot.usecases.acknowledging import acknowledge, emergency
from bot.usecases.answers import take_answer
from bot.usecases.citizens import citizen, interacted
from bot.usecases.communes import answer_in_words
from bot.usecases.correcting import corrected
from bot.usecases.driven import is_driven
from bot.usecases.edits import take_edit
from bot.usecases.filing import Filed, file_message, may_be_filed
from bot.usecases.keeping import is_kept, keep
from bot.usecases.own_tickets import open_ones
from bot.usecases.taps import is_again
from bot.usecases.telling import speak
from bot.usecases.told_rows import adopt
from bot.usecases.turns import Turn
from bot.usecases.wishes import take_old_wish, take_wish
from bot.usecases.work import Citizen, Work
from nlp.faq import FaqMatch
from nlp.reading import Reading
from storage.enums import Direction
from storage.messages import Message

# What says that an answer was not the one that was asked for, and how soon after it and how shortly.
OBJECTION = re.compile(r"\b(?:(?:chua|khong|hong) (?:dung|phai|ro)|sai roi|hoi cai khac|y khac|wrong answer)\b")
OBJECTION_TIME, OBJECTION_WORDS = timedelta(hours=24), 20
_MAYBE_REPORTS = frozenset({"add_info", "chitchat", "out_of_scope", "proposal"})
# What an English sentence cannot do without; gibberish has none.
_ENGLISH = re.compile(
    r"\b(?:the|is|are|my|there|please|light|water|road|i|you|not|and|of|to|in|it|has|have|been|would|like|near|for|from|a|do|we)\b"
)
_FEWEST_ENGLISH = 2
HALF_SURE = 0.35
_FEWEST_ABOUT_A_PLACE = 5
_FOREIGN, _FEWEST_FOREIGN_WORDS, _LONG_WITHOUT_SPACES = "other", 4, 12


def take_message(
    work: Work,
    word: InboundMessage,
    reading: Reading | None,
    asked: FaqMatch | None = None,
    said: tuple[str, ...] | None = None,
) -> str:
    """Keep what a citizen said, file it, and answer as far as a machine may.

    `asked`: the frequent question it asks. `said`: what another driver of the talk answers to it, instead of us.
    """
    person = citizen(work, word.urn)
    if person.contact.erased_at is not None and word.occurred_at <= person.contact.erased_at:
        work.row.body = b"{}"
        return "withdrawn:message"
    interacted(person, word.occurred_at)
    # Only what carries something may be told under another name than it is brought; words are always words.
    if word.attachments and not word.edits and is_kept(work, person, word.external_id):
        return "known:message"
    reading = _if_foreign(reading, word)
    if is_again(work, person, word):
        return "tap:again"
    edited = take_edit(work, person, word, reading) if word.edits else None
    if edited is not None:
        return edited
    known = adopt(work, word.external_id) if is_driven(work.channel) and work.collected is None else None
    if known is not None:
        return _told_before(work, person, known, said if person.conversation.held_since is None else None)
    message = keep(work, person, word, reading)
    if word.is_withheld and person.conversation.held_since is None:
        _note_time(person, message)
        return withheld.answer(work, person, message)
    turn = Turn(work, person, word, message, reading, command_in(word.text, message.text_folded), asked)
    _note_time(person, message)
    _note_language(turn)
    announcement_answers.link(turn)
    if person.conversation.held_since is not None:
        filed = _listen(turn)
    else:
        filed = _respond(turn) if said is None else _repeat(turn, said)
    if filed.ticket is None:
        return f"message:{turn.intent or 'nothing_to_do'}"
    if filed.opened:
        announcement_answers.note_opened(turn, filed.ticket)
    return "message:opened" if filed.opened else "message:added"


def _if_foreign(reading: Reading | None, word: InboundMessage) -> Reading | None:
    """Words in a language we do not read are a report until a person has read them."""
    if reading is None or reading.language != _FOREIGN or reading.intent in OPENING:
        return reading
    is_long = len(word.text.split()) >= _FEWEST_FOREIGN_WORDS or (
        not word.text.isascii() and len(word.text) > _LONG_WITHOUT_SPACES
    )
    wants_person = re.search(
        r"\b(?:talk|speak|officer|somebody|human)\b.*\b(?:officer|person|human|somebody)\b", word.text.lower()
    )
    return replace(reading, intent="human_handoff" if wants_person else "feedback") if is_long else reading


def _note_time(person: Citizen, message: Message) -> None:
    conversation = person.conversation
    conversation.last_in_at = max(filter(None, (conversation.last_in_at, message.occurred_at)))
    conversation.last_message_at = max(filter(None, (conversation.last_message_at, message.occurred_at)))


def _note_language(turn: Turn) -> None:
    """Who writes English is answered in English, until they write Vietnamese."""
    words = turn.message.text_folded
    spoken = turn.reading.language if turn.reading else "none"
    conversation = turn.person.conversation
    is_english = len(_ENGLISH.findall(words)) >= _FEWEST_ENGLISH and words == turn.message.text.lower()
    if spoken == _FOREIGN and len(_ENGLISH.findall(words)) >= _FEWEST_ENGLISH:
        conversation.language = "en"
    elif is_english and conversation.language == "en":
        return
    elif spoken == "vi" and len(words.split()) >= _FEWEST_FOREIGN_WORDS and turn.command is None:
        conversation.language = "vi"


def _listen(turn: Turn) -> Filed:
    """A person is answering: what is said is filed for them and the bot is silent, except in danger."""
    dialogue.forget(turn.person)
    safety.listen(turn)
    filed = Filed(None)
    says_little = len(turn.message.text_folded.split()) < _FEWEST_ABOUT_A_PLACE
    if not turn.message.is_sealed and (says_little or not turn.heard.is_sure):
        filed = _under_what_is_held(turn)
    if filed.ticket is None and may_be_filed(turn.message, turn.reading, has_attachments=bool(turn.word.attachments)):
        filed = file_message(turn.work, turn.person, turn.message)
    if filed.ticket is None and not turn.message.is_sealed:
        filed = _under_what_is_held(turn)
    if filed.ticket is not None and turn.is_emergency:
        emergency(turn, filed.ticket)
    return filed


def _repeat(turn: Turn, said: tuple[str, ...]) -> Filed:
    """Another driver leads the talk: its words go out, and what is a report is filed whatever it makes of it."""
    safety.listen(turn)
    filed = Filed(None)
    if may_be_filed(turn.message, turn.reading, has_attachments=bool(turn.word.attachments)):
        filed = file_message(turn.work, turn.person, turn.message)
    _speak_all(turn.work, turn.person, turn.message, said)
    return filed


def _told_before(work: Work, person: Citizen, message: Message, said: tuple[str, ...] | None) -> str:
    """The other driver has acted on this message already: it is there; only its words are still owed."""
    if message.inbound_event_id != work.row.id:
        message.inbound_event_id = work.row.id
        work.session.flush()
    _note_time(person, message)
    _speak_all(work, person, message, said or ())
    return "message:told"


def _speak_all(work: Work, person: Citizen, message: Message, said: tuple[str, ...]) -> None:
    if work.is_stale:
        return
    for number, words in enumerate(said):
        speak(work, person, texts.Text("driven", words), f"driven:{message.id}:{number}")


def _under_what_is_held(turn: Turn) -> Filed:
    """What says nothing by itself is said to the official who answers, about the report they talk of."""
    mine = open_ones(turn.work, turn.person)
    if not mine:
        return Filed(None)
    turn.message.answers, turn.message.answers_ticket_id = "talk", mine[0].id
    turn.work.session.flush()
    return file_message(turn.work, turn.person, turn.message)


def _respond(turn: Turn) -> Filed:
    answered = safety.take_safety(turn)
    if answered is not None:
        return _done(turn, answered, safety.ANSWER)
    answer = dialogue.heard_answer(turn)
    if answer is not None:
        return _done(turn, take_answer(turn, answer), answer.question.value)
    # Of words that come hours late only the wish about announcements is carried out by a machine.
    ways = (take_old_wish,) if turn.work.is_stale else (take_wish, judging.praised, corrected, _answer_frequent)
    for way in ways:
        filed = way(turn)
        if filed is not None and turn.word.attachments and filed.ticket is None:
            break  # a wish with a picture is a wish, and the picture is for an official
        if filed is not None:
            return _done(turn, filed, "wish")
    return _report(turn)


def _done(turn: Turn, filed: Filed, what: str) -> Filed:
    """What was answered or carried out wants nothing more: filing leaves it alone from now on."""
    if filed.ticket is None and turn.message.answers is None and turn.message.faq_key is None:
        turn.message.answers = what
    return filed


def _report(turn: Turn) -> Filed:
    work, person, message = turn.work, turn.person, turn.message
    unanswered = _take_back_answer(turn)
    filed = Filed(None)
    if may_be_filed(message, turn.reading, has_attachments=bool(turn.word.attachments)):
        filed = file_message(work, person, message)
    if unanswered is not None and filed.ticket is None:
        filed = file_message(work, person, unanswered)
    if filed.ticket is None and (_has_a_matter(turn) or announcement_answers.wants_ticket(turn)):
        turn.take_as(intent="feedback")
        filed = file_message(work, person, message)
    if filed.ticket is None:
        _answer_without_ticket(turn)
    else:
        acknowledge(turn, filed)
    return filed


def _has_a_matter(turn: Turn) -> bool:
    """Whether words that seem to add to something, or to chat, are a report after all: there is nothing to add to."""
    reading = turn.reading
    if reading is None or turn.intent not in _MAYBE_REPORTS:
        return False
    if not reading.topics:  # something is told of a place of the commune: somebody should read it
        is_of_a_place = any(place.level == "place" for place in reading.places)
        return is_of_a_place and len(turn.message.text_folded.split()) >= _FEWEST_ABOUT_A_PLACE
    return _is_likely(reading) and len(turn.message.text_folded.split()) > 1


def _is_likely(reading: Reading) -> bool:
    """Whether the subject is sure, or half sure and a place of the commune stands beside it."""
    return reading.topics[0].probability >= (HALF_SURE if reading.places else SURE)


def _answer_frequent(turn: Turn) -> Filed | None:
    """Answer a frequent question at once, when it is surely one and comes alone; then it needs no ticket."""
    work, asked = turn.work, turn.asked
    answer = work.book.faq.answers.get(asked.key) if asked and asked.is_sure else None
    if answer is None or turn.word.attachments or turn.word.quoted_external_id or work.is_stale:
        return None
    turn.message.faq_key = answer.key
    words = answer_in_words(work.book, answer)
    turn.tell("faq", cautraloi=words, nguon=answer.source, ngay=texts.month(answer.as_of))
    return Filed(None)


def _take_back_answer(turn: Turn) -> Message | None:
    """The question whose answer was not what was meant: it goes to an official after all."""
    message, session = turn.message, turn.work.session
    objects = turn.intent == "human_handoff" or OBJECTION.search(message.text_folded) is not None
    if not objects or len(message.text_folded.split()) > OBJECTION_WORDS:
        return None
    question = session.scalar(
        sa.select(Message)
        .where(
            Message.conversation_id == turn.person.conversation.id,
            Message.direction == Direction.IN,
            Message.faq_key.is_not(None),
            Message.occurred_at > message.occurred_at - OBJECTION_TIME,
        )
        .order_by(Message.occurred_at.desc(), Message.id.desc())
        .limit(1)
    )
    if question is not None:
        question.faq_key = question.answers = None
        session.flush()
    return question


def _answer_without_ticket(turn: Turn) -> None:
    hour = f"{turn.person.urn.id}:{turn.work.now:%Y%m%d%H}"
    if turn.intent in {"thanks", "praise"}:
        turn.tell("thanks", once=f"thanks:{hour}")
    elif turn.intent in {"greeting", "test"}:
        turn.tell("welcome", once=f"hello:{hour}")
    elif turn.intent not in {"spam", "abuse"} and turn.message.text:
        turn.tell("not_understood", once=f"not_understood:{hour}")
