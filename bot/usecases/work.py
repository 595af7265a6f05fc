"""What handling one event needs: the row, its channel and commune, and a place to ask for nudges."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import PurePath

from sqlalchemy.orm import Session

from adapters.messages import Event
from bot.runtime import Runtime
from bot.usecases.communes import CommuneBook
from nlp.faq import FaqMatch
from nlp.reading import Reading
from storage.channels import Channel
from storage.contacts import Contact, Conversation, Urn
from storage.messages import InboundEvent

STALE = timedelta(hours=2)


def where(error: BaseException) -> str:
    """Where an error arose, for a log: a traceback's message or local values may repeat what a citizen wrote."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return " < ".join(f"{PurePath(f.filename).name}:{f.lineno} {f.name}" for f in reversed(frames))


class NotYet(Exception):
    """The event speaks of something we have not written down yet: look again shortly, or at the hour given."""

    def __init__(self, until: datetime | None = None) -> None:
        super().__init__()
        self.until = until


@dataclass(frozen=True)
class Taken:
    """An event with what was understood of it, outside any lock: its words, and of each message its reading.

    `faq`: the frequent question each message asks, if it does. `driven`: what another driver of the talk answered.
    """

    event_id: int
    words: tuple[Event, ...]
    readings: tuple[Reading | None, ...]
    faq: tuple[FaqMatch | None, ...]
    driven: tuple[tuple[str, ...] | None, ...] = ()


@dataclass(frozen=True)
class Citizen:
    """A citizen on a channel: who, at which address, in which conversation."""

    contact: Contact
    urn: Urn
    conversation: Conversation


@dataclass
class Work:
    """What handling one event needs to know and may ask for afterwards; `people` are those met in this transaction.

    `collected`: where the bot's words go when somebody else says them to the citizen; None: they are sent.
    """

    runtime: Runtime
    session: Session
    channel: Channel
    book: CommuneBook
    row: InboundEvent
    now: datetime
    nudges: set[str]
    people: dict[tuple[int, str], Citizen] = field(default_factory=dict)
    collected: list[str] | None = None

    @property
    def is_stale(self) -> bool:
        """Too old to answer automatically: people handle it, no machine replies to yesterday's words."""
        return self.now - self.row.occurred_at > STALE
