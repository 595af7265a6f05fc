"""Reading: what was understood of a message, and how surely; a plain value that can be kept as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Span:
    """A piece of the original text, as code point offsets [start, end), and what it is evidence of."""

    start: int
    end: int
    kind: str
    note: str = ""


@dataclass(frozen=True)
class TopicGuess:
    """A topic slug (domain §4) with a probability between 0 and 1."""

    slug: str
    probability: float


@dataclass(frozen=True)
class PlaceGuess:
    """A place named in the text.

    `level` is "place" (the commune's own list: `key` is the place's id as text), "commune" or "province"
    (`key` is the official code) or "words" (only the words are known; `key` is empty). `is_here` is false
    for a unit other than the channel's home; None when that cannot be told.
    """

    level: str
    key: str
    name: str
    probability: float
    is_here: bool | None = None


@dataclass(frozen=True)
class Reading:
    """What nlp understood of one message.

    `topics`: best first, at most two; empty when the reader abstains. `intent`: one slug of domain §4's
    intents. `urgency`: "khan_cap", "khan" or "thuong". `sealed`: must be treated as a denunciation.
    `places`: best first. `evidence`: the words that decided. `personal_data`: what to mask, by kind
    ("phone", "id_number", "email", "bank_account", "plate"). `version`: of the reader, for comparing later.
    """

    intent: str
    topics: tuple[TopicGuess, ...] = ()
    urgency: str = "thuong"
    sealed: bool = False
    places: tuple[PlaceGuess, ...] = ()
    evidence: tuple[Span, ...] = ()
    personal_data: tuple[Span, ...] = ()
    version: str = ""

    @property
    def topic(self) -> str | None:
        """The most probable topic, or None when the reader abstains."""
        return self.topics[0].slug if self.topics else None

    def to_json(self) -> dict[str, Any]:
        """The reading as plain JSON types; `from_json` gives it back unchanged."""
        return asdict(self)

    @staticmethod
    def from_json(data: dict[str, Any]) -> Reading:
        """Rebuild a reading kept by `to_json`; unknown fields are left out."""
        return Reading(
            intent=data["intent"],
            topics=tuple(TopicGuess(**t) for t in data.get("topics", ())),
            urgency=data.get("urgency", "thuong"),
            sealed=data.get("sealed", False),
            places=tuple(PlaceGuess(**p) for p in data.get("places", ())),
            evidence=tuple(Span(**s) for s in data.get("evidence", ())),
            personal_data=tuple(Span(**s) for s in data.get("personal_data", ())),
            version=data.get("version", ""),
        )


@dataclass(frozen=True)
class KnownPlace:
    """A row of a commune's own places list, given to the reader: thôn, street, school, market, bridge…"""

    key: str
    name: str
    kind: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Home:
    """Where a channel lives: the commune and province whose names mean "here", and its own places."""

    commune_code: str
    commune_name: str
    province_code: str
    places: tuple[KnownPlace, ...] = ()
