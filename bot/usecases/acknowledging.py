"""Acknowledging: what a citizen is told at once about a report: its code, numbers to call, and the right door."""

from __future__ import annotations

import re

from bot.rules.deadlines import is_working_time, next_opening
from bot.rules.dialogue import Question
from bot.texts import day
from bot.usecases import dialogue, judging, related
from bot.usecases.accusing import readers_left
from bot.usecases.deliveries import PRIORITY_EMERGENCY
from bot.usecases.filing import Filed
from bot.usecases.related import is_swindle
from bot.usecases.telling import tell
from bot.usecases.turns import Turn
from storage.alerts import raise_alert, was_raised
from storage.enums import AlertKind, EventKind, Urgency
from storage.officials import Official
from storage.tickets import Ticket


def acknowledge(turn: Turn, filed: Filed) -> None:
    """Answer a message that was filed under a ticket."""
    ticket = filed.ticket
    if ticket is None:
        return
    was_over = not filed.opened and judging.go_on(turn.work, ticket)
    if turn.work.is_stale:
        return
    if filed.opened:
        _opened(turn, ticket)
    elif turn.is_emergency:
        emergency(turn, ticket)
    elif ticket.is_sealed and (ticket.accuses_leaders or not readers_left(turn.work.session, ticket)):
        _guide(turn, ticket)  # once; also when only what was added says so
    elif turn.intent == "human_handoff":
        turn.tell("handoff", ticket=ticket)
    elif was_over:
        turn.tell("reopened", ticket=ticket)
    elif filed.is_later:
        dialogue.tell_then_ask(turn, ticket, "added")


# Who hears it later must know that the citizen may have no page to read.
_ENTERED = {
    "desk": "Người dân đến trực tiếp, cán bộ nhập hộ. Nếu không xem được trang theo dõi, cần báo kết quả tận nơi.",
    "phone": "Người dân gọi điện, cán bộ nhập hộ. Nếu không xem được trang theo dõi, cần gọi lại báo kết quả.",
}


def _opened(turn: Turn, ticket: Ticket) -> None:
    if turn.word.entered_how:
        words = _ENTERED[turn.word.entered_how]
        # A portal that signs with the page's key may name anybody; only an official of this commune is believed.
        official = turn.work.session.get(Official, turn.word.entered_by) if turn.word.entered_by else None
        is_ours = official is not None and official.commune_id == ticket.commune_id
        related.note(turn.work, ticket, EventKind.NOTED, {}, words, by=turn.word.entered_by if is_ours else None)
    if ticket.urgency is Urgency.EMERGENCY:
        emergency(turn, ticket, is_new=True)
    if ticket.is_sealed:
        if not turn.is_emergency:
            _guide(turn, ticket)
        elif not ticket.has_place:  # the text has asked where
            dialogue.put(turn, ticket, Question.WHERE, is_said=True)
        return
    if turn.intent == "complaint":
        turn.tell("complaint_guide", ticket=ticket, once=f"guide:{ticket.id}")
    if turn.intent == "human_handoff":
        turn.tell("handoff", ticket=ticket, once=f"ack:{ticket.id}")
        return
    if turn.intent == "data_request":
        turn.tell("data_rights", ticket=ticket, once=f"ack:{ticket.id}", ngay=day(turn.work.now))
        return
    if ticket.urgency is Urgency.EMERGENCY:
        turn.tell("ack_emergency", ticket=ticket, once=f"ack:{ticket.id}")
        if dialogue.next_about(turn, ticket, turn.reading) is Question.WHERE:
            dialogue.put(turn, ticket, Question.WHERE, is_said=True)
        return
    if ticket.topic == "an-ninh-trat-tu" and is_swindle(turn.message.text_folded):
        turn.tell("scam", ticket=ticket, once=f"scam:{ticket.id}")  # before somebody transfers money
    _confirm(turn, ticket)


def _guide(turn: Turn, ticket: Ticket) -> None:
    """The right door for a secret: the commune's, or the province's where nobody of the commune may read it."""
    if ticket.accuses_leaders:
        turn.tell("denunciation_leaders", ticket=ticket, once=f"guide-province:{ticket.id}")
    elif not readers_left(turn.work.session, ticket):
        turn.tell("denunciation_nobody", ticket=ticket, once=f"guide-nobody:{ticket.id}")
    else:
        turn.tell("denunciation_guide", ticket=ticket, once=f"guide:{ticket.id}")


def _confirm(turn: Turn, ticket: Ticket) -> None:
    """The code and the deadline, and what is still to be asked."""
    dialogue.tell_then_ask(
        turn,
        ticket,
        "ack",
        once=f"ack:{ticket.id}",
        gio=turn.voice.moment(ticket.opened_at),
        linhvuc=turn.label(ticket.topic),
        han=turn.moment(ticket) if ticket.due_at else "",
    )
    _closed_now(turn, ticket)


def _closed_now(turn: Turn, ticket: Ticket) -> None:
    work, book = turn.work, turn.work.book
    if is_working_time(work.now, book.hours, book.holidays) or ticket.urgency is Urgency.EMERGENCY:
        return
    opening = turn.voice.moment(next_opening(work.now, book.hours, book.holidays))
    turn.tell("after_hours", ticket=ticket, once=f"after_hours:{turn.person.urn.id}:{work.now:%Y%m%d}", mo=opening)


def emergency(turn: Turn, ticket: Ticket, *, is_new: bool = False) -> None:
    """The numbers to call, first and at once, and an alert for who is on duty, in the same transaction."""
    is_known = _is_known_where(turn, ticket, is_new=is_new)
    raise_alert(
        turn.work.session,
        turn.work.book.id,
        AlertKind.EMERGENCY,
        f"emergency:{ticket.id}:{turn.message.id}",
        turn.work.now,
        ticket_id=ticket.id,
    )
    if not turn.work.is_stale:
        key = _emergency_text(turn) + ("_placed" if is_known else "")
        once = f"emergency:{turn.message.id}"
        tell(turn.work, turn.person, once, key, ticket=ticket, priority=PRIORITY_EMERGENCY)


_CHILD = re.compile(
    r"\b(?:tre em|tre con|tre|be (?:gai|trai|nho|so sinh)|chau be|chau (?:gai|trai|nho)|dua (?:be|con|tre|nho)|"
    r"con rieng|hoc sinh|"
    r"(?:[3-9]|1[0-5]) tuoi|em be)\b"
)
_ABUSE = re.compile(
    r"\b(?:xam hai|danh dap|danh|bao hanh|hanh ha|dam o|hiep|so soang|bo doi|nhot|chui mang|lam dung|bo roi)\b"
)
_OTHERS = re.compile(r"\b(?:co nguoi|nguoi ta|(?:ong|ba|anh|chi) (?:ay|kia|nay)|nhay cau|hang xom)\b")


def _is_known_where(turn: Turn, ticket: Ticket, *, is_new: bool) -> bool:
    """Whether the danger's place was said: nobody in danger is asked twice, and a fire is not where a pothole was."""
    if turn.heard.has_place or turn.heard.has_pin:
        return True
    return ticket.has_place and (is_new or was_raised(turn.work.session, AlertKind.EMERGENCY, ticket.id))


def _emergency_text(turn: Turn) -> str:
    """A child or somebody's own life needs other words than a fire."""
    reading, folded = turn.reading, turn.message.text_folded
    if reading is None or not reading.sealed:
        return "emergency"
    notes = {span.note for span in reading.evidence if span.kind == "sealed"}
    if _CHILD.search(folded) and ("child" in notes or _ABUSE.search(folded)):
        return "emergency_child"
    if "self_harm" in notes and not _OTHERS.search(folded):
        return "emergency_self"
    return "emergency"
