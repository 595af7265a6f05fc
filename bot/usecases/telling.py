"""Telling: what the bot says to a citizen, in the commune's words, their language and the channel's form."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.orm import Session

from adapters.base import Limits
from bot.queue import REPLIES
from bot.runtime import Runtime
from bot.texts import EmptyVariable, Text, Voice, share_label, skip_label
from bot.usecases.communes import CommuneBook, hours_in_words
from bot.usecases.deliveries import PRIORITY_ACK, owe
from bot.usecases.work import Citizen
from nlp.topics import TOPICS
from storage.alerts import raise_alert
from storage.channels import Channel
from storage.contacts import Conversation
from storage.deliveries import Delivery
from storage.enums import AlertKind, DeliveryKind, Direction, Origin
from storage.messages import Message
from storage.tickets import Ticket


class Scene(Protocol):
    """Where something is said: within which transaction, on which channel, in whose name."""

    @property
    def runtime(self) -> Runtime: ...
    @property
    def session(self) -> Session: ...
    @property
    def channel(self) -> Channel: ...
    @property
    def book(self) -> CommuneBook: ...
    @property
    def now(self) -> datetime: ...
    @property
    def nudges(self) -> set[str]: ...

    @property
    def collected(self) -> list[str] | None: ...


@dataclass
class Stage:
    """A scene outside of intake: an official's desk, or the clock."""

    runtime: Runtime
    session: Session
    channel: Channel
    book: CommuneBook
    now: datetime
    nudges: set[str] = field(default_factory=set)
    collected: list[str] | None = None


def voice_for(limits: Limits, book: CommuneBook, conversation: Conversation | None = None) -> Voice:
    """How we speak on a channel of these limits, in this commune, to whoever is in the conversation."""
    language = conversation.language if conversation else "vi"
    return Voice(language or "vi", is_sms=limits.is_sms, has_buttons=limits.buttons > 0, own=book.own_texts)


def voice_of(scene: Scene, person: Citizen) -> Voice:
    """How we speak to this citizen."""
    return voice_for(scene.runtime.adapters[scene.channel.type].limits, scene.book, person.conversation)


def label(topic: str | None, language: str = "vi") -> str:
    """The subject as citizens read it."""
    known = TOPICS[topic if topic in TOPICS else "khac"]
    return known.label_en if language == "en" else known.label_vi


def usual(book: CommuneBook, ticket: Ticket | None = None) -> dict[str, str]:
    """What every text may name: the commune, its hours, who is on duty, where people are received, the ticket."""
    known = {
        "xa": book.name,
        "gio": hours_in_words(book.hours),
        "sdttruc": book.duty_phone,
        "noitiep": book.reception,
        "thanhtra": book.inspectorate,
        "congan": book.police,
        "so": "113 / 114 / 115 / 112",
    }
    return known | ({"ma": ticket.code} if ticket is not None else {})


def tell(
    scene: Scene,
    person: Citizen,
    once: str,
    key: str,
    *,
    ticket: Ticket | None = None,
    priority: int = PRIORITY_ACK,
    then: str = "",
    **variables: str,
) -> bool:
    """Say the text of this key, at most once for each `once`; False when it could not be said, and an official is told.

    `then`: a question that goes into the same message where there is room. What `usual` knows need not be given.
    """
    voice = voice_of(scene, person)
    known = usual(scene.book, ticket) | variables
    try:
        text = voice.say(key, **known)
        if then:
            text = _joined(text, voice.say(then, **known))
    except EmptyVariable as error:
        note_unsaid(scene, once, error, ticket)
        return False
    speak(scene, person, text, once, ticket=ticket, priority=priority)
    return True


def note_unsaid(scene: Scene, once: str, error: EmptyVariable, ticket: Ticket | None) -> None:
    """A text lacked a variable: nothing is sent, and an official sees which."""
    raise_alert(
        scene.session,
        scene.book.id,
        AlertKind.TEXT_NOT_SENT,
        f"text:{once}"[:120],
        scene.now,
        ticket_id=ticket.id if ticket else None,
        text=error.key,
        variable=error.variable,
    )


def speak(
    scene: Scene,
    person: Citizen,
    text: Text,
    once: str,
    *,
    ticket: Ticket | None = None,
    priority: int = PRIORITY_ACK,
) -> None:
    """The bot says a sentence that is ready, at most once for each `once`."""
    if scene.collected is not None:
        scene.collected.append(text.words)
        return
    if scene.session.scalar(sa.select(Delivery.id).where(Delivery.key == once)) is not None:
        return
    message = Message(
        commune_id=scene.channel.commune_id,
        channel_id=scene.channel.id,
        conversation_id=person.conversation.id,
        ticket_id=ticket.id if ticket else None,
        direction=Direction.OUT,
        origin=Origin.BOT,
        text=text.words,
        text_folded="",
        template=text.key,
        is_sealed=bool(ticket and ticket.is_sealed),
        occurred_at=scene.now,
        created_at=scene.now,
    )
    scene.session.add(message)
    scene.session.flush()
    choices = _buttons(scene.runtime, scene.channel.type, text)
    asks, choices = _asked_for(scene, person, text, choices)
    owe(
        scene.session,
        scene.runtime,
        channel=scene.channel,
        urn=person.urn,
        text=text.words,
        kind=DeliveryKind.ACK,
        key=once,
        priority=priority,
        message=message,
        choices=choices,
        asks=asks,
    )
    scene.nudges.add(REPLIES)


def _buttons(runtime: Runtime, channel_type: str, text: Text) -> tuple[str, ...]:
    most = runtime.adapters[channel_type].limits.buttons
    return tuple(choice.label for choice in text.choices[:most])


_A_BREATH = timedelta(seconds=1)
# What a text asks for that some channels hand over with one press.
_SHARED = {
    "ask_where": "location",
    "emergency": "location",
    "emergency_child": "location",
    "emergency_self": "location",
    "ask_identity": "contact",
}


def _asked_for(scene: Scene, person: Citizen, text: Text, choices: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """What the citizen may hand over with one press, with the keys for it; or "done" when the last such keys may go."""
    shares = scene.runtime.adapters[scene.channel.type].limits.shares
    if not shares:
        return "", choices
    asked = _SHARED.get(text.key.rpartition("+")[2], "")
    if asked in shares:
        language = person.conversation.language
        return asked, (share_label(asked, language), *(choices or (skip_label(language),)))
    if choices:
        return "", choices  # one message has one kind of keys; the next without buttons takes the others away
    query = (
        sa.select(Delivery.asks, Delivery.created_at)
        .where(Delivery.conversation_id == person.conversation.id, Delivery.asks.is_not(None))
        .order_by(Delivery.id.desc())
        .limit(1)
    )
    last, heard_at = scene.session.execute(query).first(), person.urn.last_interaction_at
    # Not in the same breath that asked: the citizen has said something since.
    if last is None or heard_at is None or last.asks not in shares:
        return "", choices
    return ("done" if heard_at > last.created_at + _A_BREATH else ""), choices


def _joined(first: Text, question: Text) -> Text:
    return Text(f"{first.key}+{question.key}", f"{first.words}\n\n{question.words}", question.choices)
