"""Answers to announcements: a citizen's message is linked to what it answers, and its page tells what is asked."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.access import seen_by, sees_tickets
from bot.rules.replying import COURTESIES, FIRST_HOUR, WINDOW, Asked, Said, Told, answers, grouped
from bot.rules.threading import SAME_REPORT, SURE
from bot.usecases.own_tickets import open_ones
from bot.usecases.related import note
from bot.usecases.safety import ANSWER
from bot.usecases.turns import Turn
from nlp.normalise import fold
from nlp.personal_data import find_personal_data, mask_for_learning
from nlp.reading import TopicGuess
from storage.announcement_answers import Counts, counts, latest, quoted, said_until, ticket_ids
from storage.announcements import Announcement
from storage.enums import EventKind
from storage.messages import Message
from storage.officials import Official
from storage.tickets import Ticket

MOST_READ, MOST_GROUPS, MOST_LISTED, LONGEST_EXAMPLE = 2_000, 10, 200, 200
_NO_QUESTIONS = COURTESIES | {"emergency", "subscribe", "unsubscribe"}


@dataclass(frozen=True)
class Question:
    """One of the questions of the first hour: how often it was asked, as somebody put it, and its reports."""

    count: int
    example: str
    ticket_ids: list[int]


@dataclass(frozen=True)
class Answers:
    """What came back: how many, the reports of those the official sees, and what was asked most in the first hour."""

    counts: Counts
    ticket_ids: list[int]
    questions: list[Question]


def link(turn: Turn) -> None:
    """Say which announcement the message answers: the one it quotes, or the one it follows and fits."""
    message, session = turn.message, turn.work.session
    if message.is_sealed or turn.word.is_withheld:
        return
    external_id = turn.word.quoted_external_id
    channel_id, urn_id = turn.work.channel.id, turn.person.urn.id
    found = quoted(session, channel_id, urn_id, external_id) if external_id else _followed(turn)
    if found is None:
        return
    message.announcement_id = found.id
    reading = turn.reading
    if found.topic and reading is not None and not reading.topics and turn.intent not in _NO_QUESTIONS:
        turn.take_as(topics=(TopicGuess(found.topic, SURE),))
    session.flush()


def wants_ticket(turn: Turn) -> bool:
    """Whether what answers an announcement must be read by somebody, though by itself it opens nothing."""
    message = turn.message
    if message.announcement_id is None or turn.reading is None or turn.intent in COURTESIES:
        return False
    return bool(turn.word.quoted_external_id) or "?" in message.text


def note_opened(turn: Turn, ticket: Ticket) -> None:
    """The report says which announcement it came of."""
    if turn.message.announcement_id is None or ticket.announcement_id is not None or ticket.is_sealed:
        return
    ticket.announcement_id = turn.message.announcement_id
    announcement = turn.work.session.get_one(Announcement, ticket.announcement_id)
    data = {"announcement_id": announcement.id, "bulletin_id": announcement.bulletin_id}
    note(turn.work, ticket, EventKind.NOTED, data, f"Người dân nhắn lại thông báo “{announcement.title}”.")


def answers_to(session: Session, official: Official, legs: Collection[Announcement]) -> Answers:
    """What came back on all channels of a bulletin."""
    numbers = [leg.id for leg in legs]
    begun = min((leg.send_at or leg.approved_at for leg in legs if leg.approved_at), default=None)
    if not numbers or begun is None:
        return Answers(Counts(0, 0, 0, 0), [], [])
    reports = ticket_ids(session, numbers, MOST_LISTED) if sees_tickets(official) else []
    questions = _questions(session, official, numbers, begun + FIRST_HOUR)
    return Answers(counts(session, numbers), _seen(session, official, reports), questions)


def _questions(session: Session, official: Official, numbers: list[int], until: datetime) -> list[Question]:
    said = {m.id: m for m in said_until(session, numbers, until, MOST_READ) if _may_ask(m)}
    groups = grouped((Asked(m.id, m.text_folded, m.faq_key) for m in said.values()), MOST_GROUPS)
    of_groups = {said[i].ticket_id for group in groups for i in group.ids}
    seen = set(_seen(session, official, [number for number in of_groups if number is not None]))
    return [
        Question(
            len(group.ids),
            _example(said[group.ids[0]]),
            sorted({number for i in group.ids if (number := said[i].ticket_id) is not None and number in seen}),
        )
        for group in groups
    ]


def _may_ask(message: Message) -> bool:
    intent = str((message.reading or {}).get("intent", ""))
    return intent not in _NO_QUESTIONS and message.answers != ANSWER


def _example(message: Message) -> str:
    words = mask_for_learning(message.text, find_personal_data(message.text))
    return words[:LONGEST_EXAMPLE].rstrip() + ("…" if len(words) > LONGEST_EXAMPLE else "")


def _seen(session: Session, official: Official, numbers: list[int]) -> list[int]:
    """Of these reports, those this official may open."""
    if not numbers or not sees_tickets(official):
        return []
    query = sa.select(Ticket.id).where(Ticket.id.in_(numbers), seen_by(official), Ticket.is_sealed.is_(False))
    return sorted(session.scalars(query))


def _followed(turn: Turn) -> Announcement | None:
    if turn.reading is None or turn.command is not None or not turn.message.text_folded:
        return None
    at = turn.message.occurred_at
    found = latest(turn.work.session, turn.person.urn.id, at - WINDOW, at)
    if found is None:
        return None
    announcement, got_at = found
    topic = turn.reading.topics[0] if turn.reading.topics else None
    said = Said(
        at,
        turn.intent,
        turn.message.text_folded,
        topic.slug if topic else None,
        topic.probability if topic else 0.0,
        _is_in_talk(turn, announcement.id, at - SAME_REPORT),
    )
    told = Told(got_at, announcement.topic, fold(f"{announcement.title} {announcement.body}"))
    return announcement if answers(said, told) else None


def _is_in_talk(turn: Turn, announcement_id: int, since: datetime) -> bool:
    """Whether they are being asked something, talk with an official, or tell of another matter."""
    conversation = turn.person.conversation
    if conversation.asked is not None or conversation.held_since is not None:
        return True
    mine = [ticket for ticket in open_ones(turn.work, turn.person) if ticket.last_in_at > since]
    return any(ticket.announcement_id != announcement_id for ticket in mine)
