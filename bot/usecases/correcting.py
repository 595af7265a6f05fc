"""Correcting: "không phải thôn 3, thôn 5 cơ" puts the place of a report right, in whatever order it comes."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

from bot.rules.dialogue import Question
from bot.usecases.filing import Filed, file_message
from bot.usecases.own_tickets import open_ones
from bot.usecases.turns import Turn
from storage.tickets import Ticket

CORRECTING_TIME = timedelta(hours=24)
_MOST_WORDS = 20
_CORRECTS = re.compile(
    r"\b(?:(?:khong|ko|k|hong|dau) phai|nham(?: roi| mat| cho| thon| to)?|lon(?: roi)?|sua lai|dinh chinh|"
    r"chinh xac la|y (?:toi|em|minh|tui) la|viet nham|ghi nham|nhan nham)\b"
)
# What is denied: up to the next pause or the word that brings the right one.
_DENIED = re.compile(
    r"(?:chu )?(?:khong|ko|k|hong|dau) phai(?: la| o| tai)? .+?(?=,|;|\.|\bma\b|\bla\b|\bchu\b|\bo\b|$)|"
    r"\b(?:nham|lon|ghi nham|viet nham|nhan nham) (?:thanh|voi|la|sang) .+?(?=,|;|\.|\bma\b|\bla\b|$)"
)


def corrected(turn: Turn) -> Filed | None:
    """Put the place of their latest report right; None when the message corrects nothing."""
    folded = turn.message.text_folded
    reading = turn.reading
    if reading is None or not reading.places or not _CORRECTS.search(folded) or len(folded.split()) > _MOST_WORDS:
        return None
    if turn.message.is_sealed or turn.is_emergency:
        return None
    ticket = _latest(turn)
    right = _DENIED.sub(" ", folded).strip(" ,.;")
    if ticket is None or not right:
        return None
    places = turn.work.runtime.reader.read(right, turn.work.book.home).places
    if not places:
        return None
    turn.message.reading = replace(reading, places=places).to_json()
    turn.message.answers, turn.message.answers_ticket_id = Question.WHERE.value, ticket.id
    turn.work.session.flush()
    filed = file_message(turn.work, turn.person, turn.message)
    if filed.ticket is None or filed.ticket.is_touched:
        turn.tell("added", ticket=filed.ticket or ticket)
    else:
        turn.tell("where_changed", ticket=filed.ticket, diadiem=filed.ticket.place_text or places[0].words)
    return filed


def _latest(turn: Turn) -> Ticket | None:
    since = turn.message.occurred_at - CORRECTING_TIME
    found = [t for t in open_ones(turn.work, turn.person) if t.has_place and t.last_in_at > since and not t.is_sealed]
    return found[0] if found else None
