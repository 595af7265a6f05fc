"""Cues: word lists whose rows say what kind of cue a phrase is, and their hits in a text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nlp.normalise import Normalised
from nlp.phrases import Hit, longest
from nlp.reading import Span
from nlp.word_lists import find_listed

TRAP = "-"


def find_cues(text: Normalised, file_name: str) -> Sequence[Hit[str]]:
    """The cues of a word list in the text, traps and what they hide left out."""
    key = f"cues {file_name}"
    found: Sequence[Hit[str]] | None = text.findings.get(key)
    if found is None:
        found = [hit for hit in longest(find_listed(text, file_name)) if hit[0] != TRAP]
        text.findings[key] = found
    return found


def all_cues(text: Normalised, file_name: str) -> Sequence[Hit[str]]:
    """The same, with those kept that lie inside a longer cue."""
    return find_listed(text, file_name)


def of_kind(hits: Sequence[Hit[str]], *kinds: str) -> list[Hit[str]]:
    """The hits of these kinds."""
    return [hit for hit in hits if hit[0] in kinds] if hits else []


def as_spans(text: Normalised, hits: Sequence[Hit[str]], kind: str) -> Iterator[Span]:
    """Hits as evidence."""
    for hit in hits:
        yield Span(*text.token_span(hit.first, hit.last), kind, hit.value)
