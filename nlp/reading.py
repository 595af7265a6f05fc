"""Reading: what was understood of a message, and how surely; a plain value that can be kept as JSON.

What is made for every message is not frozen but final field by field: a frozen one takes five times as long to make.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final


@dataclass(slots=True, unsafe_hash=True)
class Span:
    """A piece of the original text, as code point offsets [start, end), and what it is evidence of."""

    start: Final[int]
    end: Final[int]
    kind: Final[str]
    note: Final[str] = ""


@dataclass(slots=True, unsafe_hash=True)
class TopicGuess:
    """A topic slug (domain §4) with a probability between 0 and 1."""

    slug: Final[str]
    probability: Final[float]


@dataclass(slots=True, unsafe_hash=True)
class PlaceGuess:
    """A place named in the text.

    `level` is "place" (the commune's own list: `key` is the place's id as text), "commune", "district" or "province"
    (`codes` are the official codes of today, `key` the code when there is only one) or "words" (only the words are
    known; `key` is empty). `is_here` is false for a unit other than the channel's home; None when that cannot be told.
    `is_former`: the name is no longer in use; `now`: what is there today. `question`: "which" of several units of that
    name is meant, or in which part of a "split" one it is; "" when nothing need be asked.
    """

    level: Final[str]
    key: Final[str]
    name: Final[str]
    probability: Final[float]
    is_here: Final[bool | None] = None
    codes: Final[tuple[str, ...]] = ()
    is_former: Final[bool] = False
    question: Final[str] = ""
    now: Final[str] = ""

    @property
    def words(self) -> str:
        """The name as an official reads it, with today's beside a former one."""
        return f"{self.name} (nay: {self.now})" if self.now else self.name


@dataclass(slots=True, unsafe_hash=True)
class Part:
    """One of two problems in a message: its topic with a probability, and where it stands in the original."""

    slug: Final[str]
    probability: Final[float]
    start: Final[int]
    end: Final[int]


@dataclass(slots=True, unsafe_hash=True)
class Reading:
    """What nlp understood of one message.

    `topics`: best first, at most two; empty when the message has no subject. `abstains`: the topic is too unsure to
    act by. `parts`: the two problems of a message that reports two, else empty. `intent`: one slug of domain §4's
    intents. `urgency`: "khan_cap", "khan" or "thuong". `sealed`: must be treated as a denunciation.
    `places`: best first. `evidence`: the words that decided. `personal_data`: what to mask, by kind
    ("phone", "id_number", "email", "bank_account", "plate"). `version`: of the reader, for comparing later.
    `language`: "vi", "other", or "none" where there are no words.
    """

    intent: Final[str]
    topics: Final[tuple[TopicGuess, ...]] = ()
    urgency: Final[str] = "thuong"
    sealed: Final[bool] = False
    places: Final[tuple[PlaceGuess, ...]] = ()
    evidence: Final[tuple[Span, ...]] = ()
    personal_data: Final[tuple[Span, ...]] = ()
    version: Final[str] = ""
    abstains: Final[bool] = False
    parts: Final[tuple[Part, ...]] = ()
    language: Final[str] = "vi"

    @property
    def topic(self) -> str | None:
        """The most probable topic, or None when there is none."""
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
            places=tuple(PlaceGuess(**{**p, "codes": tuple(p.get("codes", ()))}) for p in data.get("places", ())),
            evidence=tuple(Span(**s) for s in data.get("evidence", ())),
            personal_data=tuple(Span(**s) for s in data.get("personal_data", ())),
            version=data.get("version", ""),
            abstains=data.get("abstains", False),
            parts=tuple(Part(**p) for p in data.get("parts", ())),
            language=data.get("language", "vi"),
        )


@dataclass(frozen=True)
class KnownPlace:
    """A row of a commune's own places list, given to the reader: thôn, street, school, market, bridge…"""

    key: str
    name: str
    kind: str
    aliases: tuple[str, ...] = ()
    parent: str = ""


@dataclass(frozen=True)
class Home:
    """Where a channel lives: the commune and province whose names mean "here", and its own places."""

    commune_code: str
    commune_name: str
    province_code: str
    places: tuple[KnownPlace, ...] = ()
