"""Word lists: every list of phrases that ships, found in a text in one pass and handed out list by list."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from nlp.loading import uncollected
from nlp.normalise import Normalised
from nlp.phrases import Hit, PhraseMatcher, Spelled, rows, spelled
from nlp.prepared import prepared

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
    for phrase, row in _rows_of(name):
        yield phrase, _LISTS[name][1](*row)


def _rows_of(name: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The phrases of a list, each with its row but for the phrase, which means nothing."""
    for file in _LISTS[name][0]:
        for row in rows(file):
            yield row[1], (row[0], "", *row[2:])


@cache
def _matcher() -> PhraseMatcher[Any]:
    with uncollected():
        kept = prepared(_PART)
        found = spelled(*map(phrases_of, _LISTS)) if kept is None else _from_kept(kept)
        return PhraseMatcher(*([] for _ in _LISTS), found=found)


_PART = "phrases"


def phrases_to_keep() -> dict[str, Any]:
    """All lists as `_matcher` needs them, as plain JSON values: each row once, and each spelling with its rows."""
    found = spelled(*map(_rows_of, _LISTS))
    values = list(dict.fromkeys((number, row) for same in found.values() for number, row, _, _ in same))
    at = {value: place for place, value in enumerate(values)}
    keys = [[key, [[at[n, row], accents, strict] for n, row, accents, strict in same]] for key, same in found.items()]
    return {_PART: {"values": values, "keys": keys}}


def _from_kept(kept: Any) -> Spelled[Any]:
    meanings = [meaning for _, meaning in _LISTS.values()]
    values = [(number, meanings[number](*row)) for number, row in kept["values"]]
    found: Spelled[Any] = {}
    # Most phrases are pairs of the same accents in several lists: each is kept once, and its words as the texts' are.
    shared: dict[tuple[str, ...], tuple[str, ...]] = {}
    for key, same in kept["keys"]:
        found[key] = entries = []
        for at, written, strict in same:
            accents = tuple(written)
            entries.append((*values[at], shared.setdefault(accents, accents), strict))
    return found


def find_listed(text: Normalised, name: str) -> Sequence[Hit[Any]]:
    """Every phrase of a list in the text, overlapping ones too, in the order of where they end."""
    found: dict[str, list[Hit[Any]]] | None = text.findings.get("listed")
    if found is None:
        found = text.findings["listed"] = dict(zip(_LISTS, _matcher().find_each(text), strict=True))
    return found[name]
