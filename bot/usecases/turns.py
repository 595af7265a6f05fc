"""A turn: one message of a citizen with all that deciding an answer needs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from adapters.messages import InboundMessage
from bot.rules.commands import RIGHTS, Command
from bot.rules.dialogue import Heard
from bot.rules.identity import introduces, looks_like_name
from bot.rules.threading import SURE
from bot.texts import Voice
from bot.usecases.deliveries import PRIORITY_ACK
from bot.usecases.telling import label, tell, voice_of
from bot.usecases.work import Citizen, Work
from nlp.faq import FaqMatch
from nlp.reading import Reading
from storage.enums import Urgency
from storage.messages import Message
from storage.tickets import Ticket

# What evidence is called that is the model's and no word of a list.
_IMPRESSIONS = frozenset({"khan_cap", "khan", "sealed"})


@dataclass
class Turn:
    """What was said, by whom, what was understood of it; `asked`: the frequent question it asks, if it does.

    `answered_data`: what the question that it answers has remembered.
    """

    work: Work
    person: Citizen
    word: InboundMessage
    message: Message
    reading: Reading | None
    command: Command | None
    asked: FaqMatch | None = None
    answered_data: dict[str, Any] = field(default_factory=dict)

    @property
    def intent(self) -> str:
        """What the message wants."""
        return self.reading.intent if self.reading else ""

    @property
    def is_emergency(self) -> bool:
        """Whether somebody is in danger."""
        return self.reading is not None and self.reading.urgency == Urgency.EMERGENCY.value

    @property
    def has_cue(self) -> bool:
        """Whether words of danger or accusation stand in it, not only the impression of them."""
        spans = self.reading.evidence if self.reading else ()
        return any(span.kind in {"urgency", "sealed"} and span.note not in _IMPRESSIONS for span in spans)

    def take_as(self, **changes: Any) -> None:
        """Read the message otherwise from now on, now that it is clear what it is."""
        if self.reading is not None:
            self.reading = replace(self.reading, **changes)
            self.message.reading = self.reading.to_json()
            self.message.is_sealed = self.reading.sealed
            self.work.session.flush()

    @property
    def heard(self) -> Heard:
        """The message as far as the rules of the dialogue look."""
        reading = self.reading
        topic = reading.topics[0] if reading and reading.topics else None
        return Heard(
            self.message.text_folded,
            reading.intent if reading else "add_info",
            topic.slug if topic else None,
            is_sure=bool(topic and topic.probability >= SURE),
            has_place=bool(reading and reading.places),
            has_pin=self.word.has_pin,
            has_file=any(sent.latitude is None for sent in self.word.attachments),
            has_name=bool(reading and any(span.kind == "name" for span in reading.personal_data)),
            is_sealed=self.message.is_sealed,
            is_emergency=self.is_emergency,
            is_command=self.command is not None,
            accented=self.message.text.lower(),
            has_cue=self.has_cue,
            says_who=introduces(self.message.text_folded) or looks_like_name(self.message.text),
            right=self.command.verb if self.command is not None and self.command.verb in RIGHTS else None,
        )

    def tell(self, key: str, *, ticket: Ticket | None = None, once: str = "", then: str = "", **variables: str) -> None:
        """Answer with the text of this key; nothing when the message is too old for a machine to answer it.

        `then`: the question that goes with it.
        """
        if not self.work.is_stale:
            once = once or f"{key}:{self.message.id}"
            tell(self.work, self.person, once, key, ticket=ticket, priority=PRIORITY_ACK, then=then, **variables)

    def moment(self, ticket: Ticket) -> str:
        """The ticket's deadline, as there is room for it; in words when it has none."""
        return self.voice.moment(ticket.due_at) if ticket.due_at else self.voice.phrase("no_deadline")

    @property
    def voice(self) -> Voice:
        """How the citizen is spoken to."""
        return voice_of(self.work, self.person)

    def label(self, topic: str | None) -> str:
        """The subject as the citizen reads it."""
        return label(topic, self.voice.language)
