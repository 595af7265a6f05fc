"""Holding: while an official answers in person the bot is silent, and the citizen knows who it is."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from bot.access import Forbidden, may_reply
from bot.queue import REPLIES
from bot.runtime import Runtime
from bot.usecases.communes import commune_book
from bot.usecases.deliveries import PRIORITY_REPLY
from bot.usecases.desk import Desk, at_desk
from bot.usecases.telling import Stage, tell
from bot.usecases.windows import is_free
from bot.usecases.work import Citizen
from storage.channels import Channel
from storage.contacts import Contact, Conversation, Urn
from storage.enums import EventKind
from storage.officials import Official

# Who forgets to hand back does so by itself after this time without a word of theirs.
HOLDING_TIME = timedelta(hours=4)
AT_ONCE = 100


def take_over(runtime: Runtime, official: Official, ticket_id: int, *, version: int) -> None:
    """Answer this citizen in person from now on. Raises Forbidden, Changed, NotFound."""
    with at_desk(runtime, official, ticket_id, version) as desk:
        if not may_reply(official, desk.ticket):
            raise Forbidden
        hold(desk)
    runtime.nudge(REPLIES)


def hand_back(runtime: Runtime, official: Official, ticket_id: int, *, version: int) -> None:
    """Let the bot answer this citizen again. Raises Forbidden, Changed, NotFound."""
    with at_desk(runtime, official, ticket_id, version) as desk:
        if not may_reply(official, desk.ticket):
            raise Forbidden
        if desk.person.conversation.held_since is not None:
            desk.event(EventKind.HANDED_BACK)
            _say_handed_back(desk.stage, desk.person)
            release(desk.person.conversation)
    runtime.nudge(REPLIES)


def hold(desk: Desk) -> None:
    """The official speaks: the bot falls silent, and says once who is answering."""
    conversation = desk.person.conversation
    is_new = conversation.held_since is None or conversation.held_by_id != desk.official.id
    conversation.held_by_id, conversation.held_until = desk.official.id, desk.now + HOLDING_TIME
    conversation.asked = conversation.asked_at = conversation.asked_data = None
    if not is_new:
        return
    conversation.held_since = desk.now
    desk.event(EventKind.HELD)
    if not is_free(desk.runtime, desk.stage.channel, desk.person.urn):
        return  # a courtesy that would be charged for, or not arrive
    once = f"held:{conversation.id}:{desk.official.id}:{desk.now:%Y%m%d%H%M%S}"
    agency = desk.book.agency_names.get(desk.official.agency_id or 0, desk.book.name)
    tell(
        desk.stage,
        desk.person,
        once,
        "held",
        ticket=desk.ticket,
        priority=PRIORITY_REPLY,
        nguoi=desk.official.name,
        donvi=agency,
    )


def release(conversation: Conversation) -> None:
    """Nobody answers in person any more."""
    conversation.held_by_id = conversation.held_since = conversation.held_until = None


def hand_back_due(runtime: Runtime) -> int:
    """Hand back what officials have forgotten; gives how many."""
    now = runtime.now()
    due = sa.select(Conversation.id).where(Conversation.held_until.is_not(None), Conversation.held_until <= now)
    with runtime.database.reading() as session:
        numbers = list(session.scalars(due.limit(AT_ONCE)))
    for number in numbers:
        with runtime.database.transaction() as session:
            mine = sa.select(Conversation).where(Conversation.id == number, Conversation.held_until <= now)
            conversation = session.scalar(mine.with_for_update())
            if conversation is None:
                continue
            stage = Stage(
                runtime, session, session.get_one(Channel, conversation.channel_id),
                commune_book(session, conversation.commune_id), now,
            )  # fmt: skip
            urn = session.get_one(Urn, conversation.urn_id)
            person = Citizen(session.get_one(Contact, conversation.contact_id), urn, conversation)
            _say_handed_back(stage, person)
            release(conversation)
    if numbers:
        runtime.nudge(REPLIES)
    return len(numbers)


def _say_handed_back(stage: Stage, person: Citizen) -> None:
    held = person.conversation
    tell(stage, person, f"handed_back:{held.id}:{held.held_since or held.held_until:%Y%m%d%H%M%S}", "handed_back")
