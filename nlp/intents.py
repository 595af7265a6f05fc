"""Intents: the words that say what a message wants, and the messages that are a command or a courtesy alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from nlp.normalise import Normalised
from nlp.phrases import Hit, PhraseMatcher, rows

CODE = re.compile(r"\bPA\s?\d{2}\s?-?\s?\d{1,6}\b", re.IGNORECASE)
LINK = re.compile(r"https?://|www\.|\b(?:bit\.ly|t\.me|zalo\.me)/", re.IGNORECASE)
_LINK_ALONE = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_FILLER = "~filler"
_COURTESIES = frozenset({"greeting", "thanks"})
_CODE_WORDS = 3


@dataclass(frozen=True, slots=True)
class Wish:
    """What a cue of the word list speaks for, and whether it must be the message ("only", "whole") or a "part"."""

    intent: str
    mode: str


@cache
def _matcher() -> PhraseMatcher[Wish]:
    return PhraseMatcher((phrase, Wish(intent, mode)) for intent, phrase, mode in rows("intents.tsv"))


def find_wishes(text: Normalised) -> list[Hit[Wish]]:
    """Every cue of the word list, overlapping ones too."""
    return _matcher().find(text)


def find_command(text: Normalised) -> str | None:
    """The intent of a message that is a command or a courtesy and nothing else; None for all others."""
    words = len(text.tokens)
    if not words:
        return "thanks" if _is_approval(text.original) else "greeting"
    if CODE.fullmatch(text.original.strip()) and words <= _CODE_WORDS:
        return "status_lookup"
    if _LINK_ALONE.fullmatch(text.original.strip()):
        return "feedback"
    best: dict[str, int] = {}
    covered: dict[str, set[int]] = {}
    for hit in find_wishes(text):
        intent, mode = hit.value.intent, hit.value.mode
        if mode == "only" and hit.last - hit.first == words:
            return intent
        if mode == "whole" or intent == _FILLER:
            best[intent] = max(best.get(intent, 0), hit.last - hit.first)
            covered.setdefault(intent, set()).update(range(hit.first, hit.last))
    return _whole(words, best, covered)


def _whole(words: int, best: dict[str, int], covered: dict[str, set[int]]) -> str | None:
    """The intent whose phrases, with courtesies and polite words, are the whole message."""
    fillers = covered.pop(_FILLER, set())
    courtesies = covered.get("greeting", set()) | covered.get("thanks", set())
    said = [
        (best[intent], intent)
        for intent, tokens in covered.items()
        if len(tokens | fillers | courtesies if intent != "unsubscribe" else tokens | fillers) == words
    ]
    if said:
        return max(said, key=lambda pair: (pair[0], pair[1] not in _COURTESIES, pair[1] == "greeting"))[1]
    return "greeting" if len(fillers) == words else None


def _is_approval(text: str) -> bool:
    return any(char in "👍❤♥🙏😊👌🥰😍💐🌹✅" for char in text)
