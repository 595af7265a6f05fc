"""Intents: the words that say what a message wants, and the messages that are a command or a courtesy alone."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nlp.normalise import Normalised
from nlp.phrases import Hit
from nlp.word_lists import INTENTS, Wish, find_listed

CODE = re.compile(r"\bPA\s?\d{2}\s?-?\s?\d{1,6}\b", re.IGNORECASE)
LINK = re.compile(r"https?://|www\.|\b(?:bit\.ly|t\.me|zalo\.me)/", re.IGNORECASE)
_LINK_ALONE = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_FILLER = "~filler"
_COURTESIES = frozenset({"greeting", "thanks"})
_CODE_WORDS = 3


def find_wishes(text: Normalised) -> Sequence[Hit[Wish]]:
    """Every cue of the word list, overlapping ones too."""
    return find_listed(text, INTENTS)


def find_command(text: Normalised) -> str | None:
    """The intent of a message that is a command or a courtesy and nothing else; None for all others."""
    words = len(text.words)
    if not words:
        return "thanks" if _is_approval(text.original) else "greeting"
    if CODE.fullmatch(text.original.strip()) and words <= _CODE_WORDS:
        return "status_lookup"
    if _LINK_ALONE.fullmatch(text.original.strip()):
        return "feedback"
    for wish, first, last in find_wishes(text):
        if wish.mode == "only" and last - first == words:
            return wish.intent
    said = [hit for hit in find_wishes(text) if hit.value.mode == "whole" or hit.value.intent == _FILLER]
    return _whole(words, said) if sum([hit.last - hit.first for hit in said]) >= words else None


def _whole(words: int, hits: Sequence[Hit[Wish]]) -> str | None:
    """The intent whose phrases, with courtesies and polite words, are the whole message."""
    best: dict[str, int] = {}
    covered: dict[str, set[int]] = {}
    for (intent, _), first, last in hits:
        best[intent] = max(best.get(intent, 0), last - first)
        covered.setdefault(intent, set()).update(range(first, last))
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
