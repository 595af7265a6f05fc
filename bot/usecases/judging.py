"""Judging: a citizen says whether the result is good; what is not goes on."""

from __future__ import annotations

import re

from bot.rules.answering import is_content
from bot.rules.dialogue import Question
from bot.usecases import clocks, dialogue
from bot.usecases.filing import Filed, file_message
from bot.usecases.own_tickets import ended_ones
from bot.usecases.related import note
from bot.usecases.turns import Turn
from bot.usecases.work import Work
from storage.enums import EventKind, TicketState
from storage.tickets import Ticket

LOW, FAIR, GOOD = 1, 2, 3
_WORDS = re.compile(r"[a-z0-9]+")
_JUDGES = re.compile(r"\b(?:hai long|chap nhan|dong y|danh gia|tam|diem|cung duoc)\b")
_FAIRLY = re.compile(r"\b(?:chap nhan|dong y|tam|cung duoc)\b")
# A reason of fewer words says no more than that something is wrong.
_FEWEST_WORDS = 5


def rate(turn: Turn, ticket: Ticket, rating: int) -> Filed:
    """Write down how content they are; who is not has the report opened again and is asked why."""
    judged = _judged(turn.work, ticket)
    ticket.rating, ticket.rated_at = rating, turn.work.now
    ticket.version += 1
    note(turn.work, ticket, EventKind.RATED, {"rating": rating})
    if judged is not ticket:
        judged.version += 1
        note(turn.work, judged, EventKind.RATED, {"rating": rating, "joined": ticket.code})
    if rating == LOW:
        _open_again(turn.work, judged, ticket)
        dialogue.ask(turn.work, turn.person, Question.REASON, ticket, is_said=turn.work.is_stale)
        return Filed(None)
    if judged is ticket and ticket.state is TicketState.ANSWERED:
        _move(turn.work, ticket, TicketState.CLOSED)
    turn.tell("rating_thanks", ticket=ticket)
    return Filed(None)


def reopen(turn: Turn, ticket: Ticket) -> Filed:
    """It is not over: the report is opened again, with what they say about it."""
    _open_again(turn.work, _judged(turn.work, ticket), ticket)
    turn.message.answers, turn.message.answers_ticket_id = Question.REASON.value, ticket.id
    turn.work.session.flush()
    filed = file_message(turn.work, turn.person, turn.message)
    if len(turn.message.text_folded.split()) < _FEWEST_WORDS and not turn.word.attachments:
        dialogue.ask(turn.work, turn.person, Question.REASON, ticket, is_said=True)
        turn.tell("reopen_why", ticket=ticket)
    else:
        turn.tell("reopened", ticket=ticket)
    return filed


def praised(turn: Turn) -> Filed | None:
    """Words that only say that the result is good: a judgement where one is asked for, thanks otherwise."""
    bare = " ".join(_WORDS.findall(turn.message.text_folded))
    if not is_content(bare) or turn.word.attachments:
        return None
    judgeable = {TicketState.ANSWERED, TicketState.MERGED}
    ended = [t for t in ended_ones(turn.work, turn.person) if t.state in judgeable]
    if not ended:
        return None
    if _JUDGES.search(bare) and ended[0].rating is None:
        return rate(turn, ended[0], FAIR if _FAIRLY.search(bare) else GOOD)
    turn.tell("thanks")
    return Filed(None)


def go_on(work: Work, ticket: Ticket) -> bool:
    """More was said about a report that has its result: somebody must look again. False when nobody need."""
    judged = _judged(work, ticket)
    if judged.state is not TicketState.ANSWERED:
        return False
    _open_again(work, judged, ticket)
    return True


def _judged(work: Work, ticket: Ticket) -> Ticket:
    """The ticket whose result it is: of who joined another's report, that one."""
    return work.session.get_one(Ticket, ticket.merged_into_id) if ticket.merged_into_id is not None else ticket


def _open_again(work: Work, ticket: Ticket, by: Ticket) -> None:
    """Open a ticket again as the writer of `by` is not content: itself, or one that was joined to it."""
    if ticket.state not in {TicketState.ANSWERED, TicketState.CLOSED}:
        return
    ticket.reopened_count += 1
    ticket.is_touched = True
    ticket.version += 1
    _move(work, ticket, TicketState.REOPENED, {} if by is ticket else {"joined": by.code})
    clocks.begin_again(ticket, work.book, work.now)
    work.session.flush()


def _move(work: Work, ticket: Ticket, target: TicketState, data: dict[str, str] | None = None) -> None:
    source, ticket.state = ticket.state, target
    ticket.is_open = target.is_open
    ticket.closed_at = None if target.is_open else work.now
    clocks.moved(ticket, source, target, work.book, work.now)
    moved = {"from": source.value, "to": target.value, "by": "citizen", **(data or {})}
    note(work, ticket, EventKind.STATE_CHANGED, moved)
