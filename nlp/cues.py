"""Cues: word lists whose rows say what kind of cue a phrase is, and their hits in a text."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from nlp.normalise import Normalised
from nlp.phrases import Hit, PhraseMatcher, longest, rows
from nlp.reading import Span

TRAP = "-"


@cache
def _matcher(file_name: str) -> PhraseMatcher[str]:
    return PhraseMatcher((phrase, kind) for kind, phrase in rows(file_name))


def find_cues(text: Normalised, file_name: str) -> list[Hit[str]]:
    """The cues of a word list in the text, traps and what they hide left out."""
    return [hit for hit in longest(_matcher(file_name).find(text)) if hit.value != TRAP]


def all_cues(text: Normalised, file_name: str) -> list[Hit[str]]:
    """The same, with those kept that lie inside a longer cue."""
    return _matcher(file_name).find(text)


def of_kind(hits: list[Hit[str]], *kinds: str) -> list[Hit[str]]:
    """The hits of these kinds."""
    return [hit for hit in hits if hit.value in kinds]


def as_spans(text: Normalised, hits: list[Hit[str]], kind: str) -> Iterator[Span]:
    """Hits as evidence."""
    for hit in hits:
        yield Span(*text.token_span(hit.first, hit.last), kind, hit.value)
