"""Intents: what a message wants, as one slug; a report is never lost to a courtesy."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property

from nlp.localities import PlacesFound
from nlp.normalise import Normalised
from nlp.phrases import Hit, PhraseMatcher, folded_words, longest, rows
from nlp.reading import Span, TopicGuess
from nlp.urgency import EMERGENCY, NORMAL

# A report is never lost: what no rule knows is taken as one.
FEEDBACK = "feedback"
_SURE = 0.7
CODE = re.compile(r"\bPA\s?\d{2}\s?-?\s?\d{1,6}\b", re.IGNORECASE)
LINK = re.compile(r"https?://|www\.|\b(?:bit\.ly|t\.me|zalo\.me)/", re.IGNORECASE)
# Questions about these are asked to be told something; about a street, to have it mended.
_SERVICES = frozenset(
    {"thu-tuc-hanh-chinh", "cu-tru-can-cuoc", "an-sinh-xa-hoi", "dat-dai", "y-te", "giao-duc", "thong-tin-co-so"}
    | {"van-hoa-the-thao", "nong-nghiep", "khac"}
)
_DECISIONS = frozenset({"", "khieu-nai", "dat-dai", "trat-tu-xay-dung"})
_QUESTION_WORDS = folded_words("gì đâu nào mấy")
_SHORT, _FEW = 15, 4


@dataclass(frozen=True, slots=True)
class _Cue:
    intent: str
    mode: str


@cache
def _matcher() -> PhraseMatcher[_Cue]:
    return PhraseMatcher((phrase, _Cue(intent, mode)) for intent, phrase, mode in rows("intents.tsv"))


@dataclass(frozen=True)
class Message:
    """What the other steps found, as far as it says what the writer wants."""

    text: Normalised
    topics: tuple[TopicGuess, ...]
    urgency: str
    sealed: bool
    places: PlacesFound
    personal_data: tuple[Span, ...]

    @cached_property
    def hits(self) -> list[Hit[_Cue]]:
        """Every cue of the word list, overlapping ones too."""
        return _matcher().find(self.text)

    @cached_property
    def length(self) -> int:
        """How many words there are."""
        return len(self.text.tokens)

    @property
    def topic(self) -> str:
        """The most probable topic, or ""."""
        return self.topics[0].slug if self.topics else ""

    @property
    def is_sure(self) -> bool:
        """Whether the topic is sure enough to route by."""
        return bool(self.topics) and self.topics[0].probability >= _SURE

    def count(self, intent: str, mode: str = "part") -> int:
        """How many different words speak for an intent, those inside longer ones left out."""
        mine = (hit for hit in self.hits if hit.value.intent == intent and hit.value.mode == mode)
        return len({(hit.first, hit.last) for hit in longest(mine)})

    def has(self, *intents: str) -> bool:
        """Whether any word speaks for one of these intents."""
        return any(hit.value.intent in intents and hit.value.mode == "part" for hit in self.hits)


def find_intent(message: Message) -> str:
    """The first rule that applies decides."""
    if not message.length:
        return "thanks" if _is_approval(message.text.original) else "greeting"
    return _command(message) or next((intent for intent, applies in _RULES if applies(message)), FEEDBACK)


def _is_approval(text: str) -> bool:
    return any(char in "👍❤♥🙏😊👌🥰😍💐🌹✅" for char in text)


def _command(message: Message) -> str | None:
    """The intent of a message that is a command or a courtesy and nothing else."""
    words = len(message.text.tokens)
    best: dict[str, int] = {}
    covered: dict[str, set[int]] = {}
    for hit in message.hits:
        intent, mode = hit.value.intent, hit.value.mode
        if mode == "only" and hit.last - hit.first == words:
            return intent
        if mode == "whole" or intent == "~filler":
            best[intent] = max(best.get(intent, 0), hit.last - hit.first)
            covered.setdefault(intent, set()).update(range(hit.first, hit.last))
    fillers = covered.pop("~filler", set())
    courtesies = covered.get("greeting", set()) | covered.get("thanks", set())
    said = [
        (best[intent], intent)
        for intent, tokens in covered.items()
        if len(tokens | fillers | courtesies if intent != "unsubscribe" else tokens | fillers) == words
    ]
    if said:
        return max(said, key=lambda pair: (pair[0], pair[1] not in ("greeting", "thanks"), pair[1] == "greeting"))[1]
    return "greeting" if len(fillers) == words else None


def _is_status(message: Message) -> bool:
    if CODE.search(message.text.original) and message.length <= _SHORT:
        return message.has("status_lookup") or not (message.is_sure or message.has("~name"))
    return message.has("status_lookup") and not message.is_sure


def _is_spam(message: Message) -> bool:
    sells = message.count("~sells")
    has_link = LINK.search(message.text.original) is not None
    return (sells > 1 or (sells == 1 and has_link)) and not message.has("~reports")


def _is_praise(message: Message) -> bool:
    if message.urgency != NORMAL or message.has("~but") or "?" in message.text.original:
        return False
    return message.has("praise") or any(
        hit.value.intent == "~thankful" and hit.first < 3 and message.has("~done") for hit in message.hits
    )


def _is_question(message: Message) -> bool:
    if message.has("~procedure"):
        return True
    if message.topics and message.topic not in _SERVICES:
        return False
    fillers = {hit.first for hit in message.hits if hit.value.intent == "~filler"}
    last = next((t.word for i, t in reversed(list(enumerate(message.text.tokens))) if i not in fillers), "")
    asks = last in _QUESTION_WORDS or message.has("~asks")
    return asks and ("?" in message.text.original or not message.has("~but"))


def _is_complaint(message: Message) -> bool:
    is_named = message.has("complaint") and message.topic in _DECISIONS
    return is_named or (message.topic == "khieu-nai" and message.is_sure)


def _is_about_oneself(message: Message) -> bool:
    """A name, a number or a place, sent because it was asked for."""
    if message.is_sure or message.urgency != NORMAL or message.length > _SHORT:
        return False
    if message.personal_data or message.has("~name"):
        return True
    at = {i for span in message.places.evidence for i in range(span.start, span.end)}
    outside = sum(token.start not in at for token in message.text.tokens)
    return bool(at) and outside <= _FEW


_RULES: tuple[tuple[str, Callable[[Message], bool]], ...] = (
    ("emergency", lambda m: m.urgency == EMERGENCY),
    ("denunciation", lambda m: m.sealed),
    ("spam", _is_spam),
    ("data_request", lambda m: m.has("data_request")),
    ("withdraw", lambda m: m.has("withdraw")),
    ("status_lookup", _is_status),
    ("human_handoff", lambda m: m.has("human_handoff") and not m.is_sure),
    ("complaint", _is_complaint),
    ("announcement_request", lambda m: m.has("announcement_request")),
    ("rating", lambda m: m.has("rating") and not m.is_sure),
    ("praise", _is_praise),
    ("out_of_area", lambda m: m.places.elsewhere and bool(m.topics)),
    ("question", _is_question),
    ("proposal", lambda m: m.has("proposal")),
    ("add_info", _is_about_oneself),
    ("feedback", lambda m: bool(m.topics) or m.urgency != NORMAL),
    ("abuse", lambda m: m.has("~insult")),
    ("add_info", lambda m: m.length <= _FEW),
)
