"""Wishes: what a citizen can do by a word besides reporting — look up, add, withdraw, rate, choose news, their data."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import sqlalchemy as sa

from bot import texts
from bot.rules.commands import Command, Verb, code_in
from bot.rules.dialogue import Question
from bot.usecases import belonging, bulletin_trying, dialogue, judging, linking, own_tickets, publicity
from bot.usecases.filing import Filed, file_message
from bot.usecases.news import subscribe, unsubscribe, wanted_in_words
from bot.usecases.parting import linked_with
from bot.usecases.related import note
from bot.usecases.telling import speak, voice_of
from bot.usecases.turns import Turn
from storage.agencies import Agency
from storage.enums import Consent, EventKind, TicketState, Urgency
from storage.incidents import joined_to
from storage.tickets import Ticket

_NOTHING = Filed(None)
_MOST_LISTED = 3
# Before anybody has gone there, a report may be taken back by a word; afterwards somebody must look.
_MAY_BE_WITHDRAWN = frozenset({TicketState.NEW, TicketState.RECEIVED, TicketState.WAITING_CITIZEN})
_NOT_OVER = re.compile(
    r"(?:(?:da|thua|toi|em|tui|minh|nha toi|chung toi|ad oi|can bo oi)[ ,]+)*(?:van |nhung )?"
    r"(?:chua (?:xong|dong y|hai long|"
    r"(?:duoc )?(?:sua|giai quyet|xu ly|khac phuc|don|lam)(?: xong| gi| dau| het)?)|khong (?:dong y|hai long)|"
    r"van (?:chua|con|nhu cu)|(?:lai )?bi lai)\b"
)
_SEES_DATA = re.compile(r"\b(?:xem|biet|cho toi biet|luu (?:nhung )?gi|giu (?:nhung )?gi)\b")
_ERASES_DATA = re.compile(r"\bxoa\b")


def take_wish(turn: Turn) -> Filed | None:
    """Do what the message asks for; None when it is no wish but something to be filed or answered otherwise."""
    if turn.command is not None:
        if turn.word.quoted_external_id and turn.command == Command(Verb.STATUS):
            return None  # asked about the very report that is quoted
        if not turn.has_cue:  # a wish for silence is no accusation
            turn.take_as(sealed=False)
        return _VERBS[turn.command.verb](turn, turn.command)
    return _said_freely(turn)


def take_old_wish(turn: Turn) -> Filed | None:
    """Of a message from hours ago: stop or begin with announcements, join or leave a group, nothing else."""
    of_news = {Verb.SUBSCRIBE, Verb.UNSUBSCRIBE, Verb.JOIN, Verb.LEAVE}
    if turn.command is not None and turn.command.verb in of_news:
        return _VERBS[turn.command.verb](turn, turn.command)
    return _opted(turn)


def _opted(turn: Turn) -> Filed | None:
    if turn.intent not in {"unsubscribe", "subscribe"} or turn.message.is_sealed:
        return None
    verb = Verb.UNSUBSCRIBE if turn.intent == "unsubscribe" else Verb.SUBSCRIBE
    return _VERBS[verb](turn, Command(verb))


def _said_freely(turn: Turn) -> Filed | None:
    folded, intent = turn.message.text_folded, turn.intent
    if turn.message.is_sealed or turn.is_emergency or (turn.word.attachments and not folded):
        return None
    code = code_in(turn.message.text)
    if intent == "withdraw":
        return _withdraw(turn, Command(Verb.WITHDRAW, code))
    if intent == "status_lookup":
        return _status(turn, Command(Verb.STATUS, code))
    if intent in {"unsubscribe", "subscribe"}:
        return _opted(turn)
    if intent == "data_request":
        if _ERASES_DATA.search(folded):
            return _erase(turn, Command(Verb.ERASE))
        return _data(turn, Command(Verb.DATA)) if _SEES_DATA.search(folded) else None
    if intent == "rating" or _NOT_OVER.match(folded):
        return _judged(turn, code)
    return None


def _judged(turn: Turn, code: str | None) -> Filed | None:
    """Words about a result; None while there is no result yet, so that they are added to what is open."""
    if not _NOT_OVER.match(turn.message.text_folded):
        return None
    ended = own_tickets.meant(turn.work, turn.person, code, own_tickets.ended_ones)
    return judging.reopen(turn, ended[0]) if ended else None


# ---- looking up -----------------------------------------------------------------------------------------------------


def _status(turn: Turn, command: Command) -> Filed:
    work, person = turn.work, turn.person
    if command.code:
        ticket = own_tickets.of_code(work, person, command.code)
        if ticket is None and command.rest and not own_tickets.has_guessed_too_often(work, person):
            ticket = own_tickets.by_phone(work, command.code, command.rest)
        if ticket is None:
            often = own_tickets.guessed_too_often(work, person)
            turn.tell("status_too_often" if often else "status_unknown_code", ma=command.code)
            return _NOTHING
    else:
        ticket = work.session.scalar(own_tickets.own(work, person).order_by(None).order_by(
            Ticket.is_open.desc(), Ticket.last_in_at.desc(), Ticket.id.desc()
        ).limit(1))  # fmt: skip
        if ticket is None:
            turn.tell("status_none")
            return _NOTHING
    _say_status(turn, ticket)
    others = [t.code for t in own_tickets.open_ones(work, person)]
    if not command.code and len(others) > 1:
        listed = ", ".join(others[:_MOST_LISTED]) + ("…" if len(others) > _MOST_LISTED else "")
        turn.tell("status_more", so=str(len(others)), danhsach=listed)
    return _NOTHING


def _say_status(turn: Turn, ticket: Ticket) -> None:
    work = turn.work
    if ticket.merged_into_id:
        ticket = work.session.get_one(Ticket, ticket.merged_into_id)
    agency = work.session.get(Agency, ticket.agency_id) if ticket.agency_id and not ticket.is_sealed else None
    last = max(filter(None, (ticket.last_in_at, ticket.answered_at, ticket.closed_at)))
    turn.tell(
        "status",
        once=f"status:{turn.message.id}",
        ma=ticket.code,
        trangthai=turn.voice.state(ticket.state.value),
        donvi=agency.name if agency else work.book.name,
        han=turn.moment(ticket),
        ngay=turn.voice.moment(last),
    )


# ---- adding, withdrawing, judging -----------------------------------------------------------------------------------


def _add(turn: Turn, command: Command) -> Filed:
    ticket = own_tickets.of_code(turn.work, turn.person, command.code or "")
    if ticket is None:
        turn.tell("status_unknown_code", ma=command.code or "")
        return _NOTHING
    turn.message.answers, turn.message.answers_ticket_id = "add", ticket.id
    turn.work.session.flush()
    filed = file_message(turn.work, turn.person, turn.message)
    turn.tell("added", ticket=filed.ticket or ticket)
    return filed


def _withdraw(turn: Turn, command: Command) -> Filed:
    found = own_tickets.meant(turn.work, turn.person, command.code, own_tickets.open_ones)
    if not found:
        turn.tell("withdraw_nothing")
        return _NOTHING
    if len(found) > 1:
        return _ask_which(turn, "withdraw", found)
    ticket = found[0]
    return withdraw(turn, ticket) if command.code else do_with(turn, "withdraw", ticket)


def do_with(turn: Turn, verb: str, ticket: Ticket) -> Filed:
    """Go on with a wish once it is clear which ticket is meant."""
    if verb == "withdraw":
        if not _is_withdrawable(ticket) or joined_to(turn.work.session, ticket.id):
            return withdraw(turn, ticket)
        summary = ticket.summary[:60].rstrip() + ("…" if len(ticket.summary) > 60 else "")
        dialogue.ask(turn.work, turn.person, Question.WITHDRAW, ticket, tomtat=summary or turn.label(ticket.topic))
    elif verb == "reopen":
        return judging.reopen(turn, ticket)
    return _NOTHING


def _is_withdrawable(ticket: Ticket) -> bool:
    return ticket.state in _MAY_BE_WITHDRAWN and not ticket.is_sealed and ticket.urgency is not Urgency.EMERGENCY


def withdraw(turn: Turn, ticket: Ticket) -> Filed:
    """Take a report back; danger, what is sealed and what is being worked on is decided by a person."""
    work = turn.work
    if not _is_withdrawable(ticket) or joined_to(work.session, ticket.id):  # others wait for its result
        turn.message.answers, turn.message.answers_ticket_id = "withdraw", ticket.id
        work.session.flush()
        filed = file_message(work, turn.person, turn.message)
        # What accuses the leaders no person here can look at; it goes by itself.
        turn.tell("denunciation_leaders" if ticket.accuses_leaders else "withdraw_by_person", ticket=ticket)
        return filed
    ticket.state, ticket.is_open, ticket.closed_at = TicketState.WITHDRAWN, False, work.now
    ticket.is_touched = True
    ticket.version += 1
    note(work, ticket, EventKind.WITHDRAWN, {"by": "citizen"})
    turn.tell("withdrawn", ticket=ticket)
    return _NOTHING


def _ask_which(turn: Turn, verb: str, found: list[Ticket]) -> Filed:
    shown = found[:5]
    voice = voice_of(turn.work, turn.person)
    lines = [t.code if t.is_sealed else f"{t.code} ({turn.label(t.topic)})" for t in shown]
    words = voice.say("ask_which").words
    listed = texts.numbered(lines)
    listed = texts.plain(listed) if voice.is_sms else listed
    data = {"verb": verb, "codes": [[str(ticket.id), ticket.code] for ticket in shown]}
    dialogue.ask(turn.work, turn.person, Question.WHICH, None, data=data, is_said=True)
    if not turn.work.is_stale:
        choices = tuple(texts.Choice(str(ticket.id), ticket.code) for ticket in shown)
        text = texts.Text("ask_which", f"{words} {listed}" if voice.is_sms else f"{words}\n{listed}", choices)
        speak(turn.work, turn.person, text, f"which:{turn.message.id}")
    return _NOTHING


def _rate(turn: Turn, command: Command) -> Filed:
    ended = own_tickets.meant(turn.work, turn.person, command.code, own_tickets.ended_ones)
    if not ended:
        turn.tell("rating_nothing")
        return _NOTHING
    if command.number is None:
        dialogue.ask(turn.work, turn.person, Question.RATING, ended[0])
        return _NOTHING
    return judging.rate(turn, ended[0], command.number)


def _reopen(turn: Turn, command: Command) -> Filed:
    ended = own_tickets.meant(turn.work, turn.person, command.code, own_tickets.ended_ones)
    if ended:
        return judging.reopen(turn, ended[0])
    being_done = own_tickets.meant(turn.work, turn.person, command.code, own_tickets.open_ones)
    if not being_done:
        turn.tell("rating_nothing")
        return _NOTHING
    ticket = being_done[0]
    turn.message.answers, turn.message.answers_ticket_id = "add", ticket.id
    turn.work.session.flush()
    filed = file_message(turn.work, turn.person, turn.message)
    turn.tell("not_yet", ticket=ticket, han=turn.moment(ticket))
    return filed


# ---- people ---------------------------------------------------------------------------------------------------------


def _person(turn: Turn, command: Command) -> Filed | None:  # noqa: ARG001 - one signature for all
    """A person is wanted: filed like the same wish said in a sentence."""
    if turn.reading is not None:
        turn.reading = replace(turn.reading, intent="human_handoff", topics=(), places=())
        turn.message.reading = turn.reading.to_json()
        turn.work.session.flush()
    return None


def _help(turn: Turn, command: Command) -> Filed:  # noqa: ARG001 - one signature for all
    turn.tell("help")
    return _NOTHING


def _who_answers(turn: Turn, command: Command) -> Filed:  # noqa: ARG001 - one signature for all
    turn.tell("who_answers")
    return _NOTHING


# ---- what is kept of them -------------------------------------------------------------------------------------------


def _data(turn: Turn, command: Command) -> Filed:  # noqa: ARG001 - one signature for all
    work, contact = turn.work, turn.person.contact
    count = work.session.scalar(
        sa.select(sa.func.count()).where(Ticket.contact_id == contact.id, Ticket.is_sealed.is_(False))
    )
    voice, none = turn.voice, turn.voice.phrase("none")
    agreed = voice.phrase("agreed", ngay=texts.day(contact.consent_at)) if contact.consent_at else none
    refused = voice.phrase("refused") if contact.consent else none
    turn.tell(
        "data_shown",
        ten=contact.name or none,
        dt=f"…{contact.phone[-4:]}" if contact.phone else none,
        diachi=contact.address or none,
        dongy=agreed if contact.consent == Consent.GIVEN.value else refused,
        so=str(count or 0),
        nhantin=wanted_in_words(work, turn.person),
    )
    others = linked_with(work.session, contact.id)
    if others:
        turn.tell("data_linked", danhsach=", ".join(one.where for one in others))
    return _NOTHING


def _erase(turn: Turn, command: Command) -> Filed:  # noqa: ARG001 - one signature for all
    dialogue.ask(turn.work, turn.person, Question.ERASE, None)
    return _NOTHING


def _take_consent_back(turn: Turn, command: Command) -> Filed:  # noqa: ARG001 - one signature for all
    contact = turn.person.contact
    contact.consent, contact.consent_at = Consent.REFUSED.value, turn.work.now
    contact.name = contact.phone = contact.address = None
    if turn.person.conversation.asked in {Question.CONSENT.value, Question.WHO.value}:
        dialogue.forget(turn.person)  # it has been answered for good
    publicity.refuse_all(turn.work, contact.id)
    turn.tell("consent_withdrawn")
    return _NOTHING


def _anonymity(turn: Turn, command: Command) -> Filed:
    found = own_tickets.meant(turn.work, turn.person, command.code, own_tickets.open_ones)
    if not found:
        turn.tell("status_none")
        return _NOTHING
    set_anonymous(turn, found[0], hidden=command.verb is Verb.ANONYMOUS)
    return _NOTHING


def set_anonymous(turn: Turn, ticket: Ticket, *, hidden: bool) -> None:
    """Hide the writer's name from the body the report is about, or show it again."""
    if ticket.is_anonymous != hidden:
        ticket.is_anonymous = hidden
        ticket.version += 1
        note(turn.work, ticket, EventKind.ANONYMITY_CHANGED, {"is_anonymous": hidden})
    turn.tell("anonymous_on" if hidden else "anonymous_off", ticket=ticket)


_VERBS: dict[Verb, Callable[[Turn, Command], Filed | None]] = {
    Verb.STATUS: _status,
    Verb.ADD: _add,
    Verb.WITHDRAW: _withdraw,
    Verb.RATE: _rate,
    Verb.REOPEN: _reopen,
    Verb.UNSUBSCRIBE: unsubscribe,
    Verb.SUBSCRIBE: subscribe,
    Verb.PERSON: _person,
    Verb.HELP: _help,
    Verb.DATA: _data,
    Verb.ERASE: _erase,
    Verb.CONSENT_BACK: _take_consent_back,
    Verb.ANONYMOUS: _anonymity,
    Verb.NAMED: _anonymity,
    Verb.WHO_ANSWERS: _who_answers,
    Verb.LINK: linking.take_link,
    Verb.UNLINK: linking.take_unlink,
    Verb.TRY: bulletin_trying.take_code,
    Verb.JOIN: belonging.join,
    Verb.LEAVE: belonging.leave,
    Verb.GROUPS: belonging.tell_groups,
    Verb.PUBLISH: publicity.take_answer,
    Verb.UNPUBLISH: publicity.take_answer,
}
