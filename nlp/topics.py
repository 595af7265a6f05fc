"""Topics: which of the commune's subjects a message is about, from the phrases of the lexicon."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from nlp.normalise import Normalised
from nlp.phrases import Hit, longest, rows
from nlp.word_lists import LEXICON, TopicPhrase, find_listed

__all__ = ["LEXICON", "TOPICS", "TRAP", "Topic", "TopicPhrase", "find_phrases", "lexicon_phrases"]

TRAP = "-"


@dataclass(frozen=True)
class Topic:
    """A subject of the taxonomy: labels, SLA class ("-": it has its own flow), default agency, who may see it."""

    slug: str
    label_vi: str
    label_en: str
    sla: str
    agency: str
    restricted: bool


def _load() -> dict[str, Topic]:
    return {
        slug: Topic(slug, label_vi, label_en, sla, agency, restricted == "restricted")
        for slug, label_vi, label_en, sla, agency, restricted in rows("topics.tsv")
    }


TOPICS: dict[str, Topic] = _load()


def lexicon_phrases() -> Iterator[tuple[str, str]]:
    """The phrases of the lexicon with their topic, without the traps and marks."""
    for slug, phrase, _ in rows(LEXICON):
        if slug != TRAP:
            yield slug, phrase.removeprefix("=")


def find_phrases(text: Normalised) -> list[Hit[TopicPhrase]]:
    """The phrases of the lexicon in the text, without traps and what they hide."""
    return _apart(longest(find_listed(text, LEXICON)))


def _apart(hits: Iterable[Hit[TopicPhrase]]) -> list[Hit[TopicPhrase]]:
    """Leave traps out, and a phrase that begins with the end of another: "đèn đường" before "đường hư"."""
    kept: list[Hit[TopicPhrase]] = []
    for hit in hits:
        if hit.value.slug != TRAP and not (kept and _begins_inside(hit, kept[-1])):
            kept.append(hit)
    return kept


def _begins_inside(hit: Hit[TopicPhrase], before: Hit[TopicPhrase]) -> bool:
    is_longer = hit.last - hit.first > before.last - before.first
    return before.first < hit.first < before.last and not is_longer and hit.value.slug != before.value.slug
