"""Topics: which of the commune's subjects a message is about, from the phrases of the lexicon."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache

from nlp.characters import fold
from nlp.normalise import Normalised
from nlp.phrases import Hit, PhraseMatcher, folded_words, longest, rows
from nlp.reading import Span, TopicGuess

_TRAP = "-"
_STRENGTH = 0.5
_SHARPNESS = 3
_MOST = 0.98
_LEAST = 0.1
_A_SUBJECT = 1.5
# Wishes and thanks: they give way as soon as the message has a subject of its own.
_SUBJECTLESS = frozenset({"gop-y-chinh-quyen"})
# One syllable without its accents is several words, except these.
_PLAIN_ENOUGH = folded_words("rác ngập trộm cướp nghiện ruộng muỗi cống điện nước đường xe trường khám thuốc ồn")
_AMBIGUOUS = 0.5


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


@dataclass(frozen=True, slots=True)
class _Entry:
    slug: str
    phrase: str
    weight: float
    plain_weight: float


@dataclass(frozen=True)
class TopicsFound:
    """At most two topics, best first, and the words that decided."""

    guesses: tuple[TopicGuess, ...] = ()
    evidence: tuple[Span, ...] = ()


@cache
def _lexicon() -> PhraseMatcher[_Entry]:
    return PhraseMatcher((phrase, _entry(slug, phrase, float(weight))) for slug, phrase, weight in rows("lexicon.tsv"))


def _entry(slug: str, phrase: str, weight: float) -> _Entry:
    plain = fold(phrase)
    is_ambiguous = " " not in phrase and plain != phrase and plain not in _PLAIN_ENOUGH
    return _Entry(slug, phrase, weight, weight * _AMBIGUOUS if is_ambiguous else weight)


def find_topics(text: Normalised, where: Collection[tuple[int, int]] = ()) -> TopicsFound:
    """Score every topic by its phrases in the text; nothing when no phrase of the lexicon is there.

    `where`: tokens that only say where. "Trước cổng trường" is no matter of schools if another subject is named.
    """
    hits = _apart(longest(_lexicon().find(text)))
    elsewhere = [hit for hit in hits if not any(first <= hit.first and hit.last <= last for first, last in where)]
    if max(_scores(elsewhere, text.is_accented).values(), default=0.0) >= _A_SUBJECT:
        hits = elsewhere
    scores = _scores(hits, text.is_accented)
    ranked = sorted(scores.items(), key=lambda item: (-item[1], _first(hits, item[0])))
    total = sum(score**_SHARPNESS for score in scores.values())
    guesses = []
    for slug, score in ranked[:2]:
        probability = min(_MOST, (1 - math.exp(-_STRENGTH * score)) * score**_SHARPNESS / total)
        if probability >= _LEAST:
            guesses.append(TopicGuess(slug, round(probability, 3)))
    chosen = {guess.slug for guess in guesses}
    spans = (Span(*text.token_span(h.first, h.last), "topic", h.value.slug) for h in hits if h.value.slug in chosen)
    return TopicsFound(tuple(guesses), tuple(dict.fromkeys(spans)))


def _apart(hits: Iterable[Hit[_Entry]]) -> list[Hit[_Entry]]:
    """Leave traps out, and a phrase that begins with the end of another: "đèn đường" before "đường hư"."""
    kept: list[Hit[_Entry]] = []
    for hit in hits:
        if hit.value.slug != _TRAP and not (kept and _begins_inside(hit, kept[-1])):
            kept.append(hit)
    return kept


def _begins_inside(hit: Hit[_Entry], before: Hit[_Entry]) -> bool:
    is_longer = hit.last - hit.first > before.last - before.first
    return before.first < hit.first < before.last and not is_longer and hit.value.slug != before.value.slug


def _scores(hits: Iterable[Hit[_Entry]], is_accented: bool) -> dict[str, float]:
    """The sum of the weights of each topic's different phrases."""
    scores: dict[str, float] = {}
    counted = set()
    for hit in hits:
        entry = hit.value
        if entry in counted:
            continue
        counted.add(entry)
        scores[entry.slug] = scores.get(entry.slug, 0.0) + (entry.weight if is_accented else entry.plain_weight)
    subject = max((score for slug, score in scores.items() if slug not in _SUBJECTLESS), default=0.0)
    if subject >= 1:
        for slug in _SUBJECTLESS & scores.keys():
            scores[slug] *= 0.3
    return scores


def _first(hits: list[Hit[_Entry]], slug: str) -> int:
    return next(hit.first for hit in hits if hit.value.slug == slug)
