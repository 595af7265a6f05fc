"""Word lists: every list of phrases that ships, found in a text in one pass and handed out list by list."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from nlp.loading import uncollected
from nlp.normalise import Normalised
from nlp.phrases import Hit, PhraseMatcher, rows

LEXICON, INTENTS = "lexicon.tsv", "intents.tsv"
URGENCY, SEALED, LANDMARKS = "urgency.tsv", "sealed.tsv", "landmarks.tsv"
CONCEPTS = ("concepts_life.tsv", "concepts_office.tsv", "concepts_outdoors.tsv")


class TopicPhrase(NamedTuple):
    """A phrase of the lexicon: its topic, and how far it decides (3 alone, 2 usually, 1 a hint)."""

    slug: str
    weight: int


class Wish(NamedTuple):
    """What a cue of the word list speaks for, and whether it must be the message ("only", "whole") or a "part"."""

    intent: str
    mode: str


def _topic_phrase(slug: str, _: str, weight: str) -> TopicPhrase:
    return TopicPhrase(slug, int(weight))


def _wish(intent: str, _: str, mode: str) -> Wish:
    return Wish(intent, mode)


def _kind(kind: str, _: str) -> str:
    return kind


# What a row means; its phrase is the second field everywhere. The thesaurus is one list in several files.
_LISTS: Mapping[str, tuple[Sequence[str], Callable[..., Any]]] = {
    LEXICON: ((LEXICON,), _topic_phrase),
    INTENTS: ((INTENTS,), _wish),
    URGENCY: ((URGENCY,), _kind),
    SEALED: ((SEALED,), _kind),
    LANDMARKS: ((LANDMARKS,), _kind),
    CONCEPTS[0]: (CONCEPTS, _kind),
}


def phrases_of(name: str) -> Iterator[tuple[str, Any]]:
    """The phrases of a list and what each means."""
    files, meaning = _LISTS[name]
    for file in files:
        for row in rows(file):
            yield row[1], meaning(*row)


@cache
def _matcher() -> PhraseMatcher[Any]:
    with uncollected():
        return PhraseMatcher(*map(phrases_of, _LISTS))


def find_listed(text: Normalised, name: str) -> Sequence[Hit[Any]]:
    """Every phrase of a list in the text, overlapping ones too, in the order of where they end."""
    found: dict[str, list[Hit[Any]]] | None = text.findings.get("listed")
    if found is None:
        found = text.findings["listed"] = dict(zip(_LISTS, _matcher().find_each(text), strict=True))
    return found[name]
