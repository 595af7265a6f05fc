"""Clues: what a message says that could speak for an answer, each tied to the words it stands on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from nlp.cues import find_cues
from nlp.intents import CODE, LINK, find_wishes
from nlp.normalise import Normalised
from nlp.phrases import PhraseMatcher, longest, rows
from nlp.sealed import Sealing, find_sealing
from nlp.topics import find_phrases
from nlp.urgency import Urgency, find_urgency

_LENGTHS = (1, 2, 3, 5, 8, 13, 21, 34)
# More than this says nothing new about a message.
_MOST_WORDS = 400
_SHAPES = 2_000
_STRONG = 3
_THESAURUS = ("concepts_life.tsv", "concepts_office.tsv", "concepts_outdoors.tsv")


class Clue(NamedTuple):
    """Something found, by name, and the tokens [first, last) it stands on; first == last: on the whole message.

    Names that begin with "#" are of lists and shapes, the others are the words themselves.
    """

    name: str
    first: int
    last: int


@dataclass(frozen=True)
class Clues:
    """All clues of a message, and what the rules for danger and sealing say of it."""

    text: Normalised
    found: tuple[Clue, ...]
    urgency: Urgency
    sealing: Sealing

    @property
    def names(self) -> list[str]:
        """The names alone: what a model is asked with."""
        return [clue.name for clue in self.found]


def find_clues(text: Normalised) -> Clues:
    """Look for everything; takes time linear in the text."""
    urgency, sealing = find_urgency(text), find_sealing(text)
    found = [
        *_words(text),
        *_shapes(text),
        *_marked("topic", _topic_phrases(text)),
        *_marked("about", _concepts(text)),
        *_marked("wish", ((f"{w.value.intent} {w.value.mode}", w.first, w.last) for w in find_wishes(text))),
        *_marked("danger", ((h.value, h.first, h.last) for h in find_cues(text, "urgency.tsv"))),
        *_marked("seal", ((h.value, h.first, h.last) for h in find_cues(text, "sealed.tsv"))),
        Clue(f"#ruled {urgency.code}", 0, 0),
    ]
    if sealing.sealed:
        found.append(Clue("#ruled sealed", 0, 0))
    return Clues(text, tuple(found), urgency, sealing)


def _shape(word: str) -> str:
    """A word, with numbers as their length: which number it is says where, not what."""
    return f"0{min(len(word), 5)}" if word.isdigit() else word


def _words(text: Normalised) -> Iterator[Clue]:
    """The folded words and each two in a row."""
    before = ""
    for at, token in enumerate(text.tokens[:_MOST_WORDS]):
        word = _shape(token.word)
        yield Clue(word, at, at + 1)
        yield Clue(f"{before} {word}", max(0, at - 1), at + 1)
        before = word


def _shapes(text: Normalised) -> Iterator[Clue]:
    """What a message looks like, apart from its words."""
    length = len(text.tokens)
    yield Clue(f"#length {sum(length > limit for limit in _LENGTHS)}", 0, 0)
    start = text.original[:_SHAPES]
    for is_so, name in (
        ("?" in start, "#asks"),
        (LINK.search(start), "#link"),
        (CODE.search(start), "#code"),
        (not length, "#wordless"),
    ):
        if is_so:
            yield Clue(name, 0, 0)


def _topic_phrases(text: Normalised) -> Iterator[tuple[str, int, int]]:
    for hit in find_phrases(text):
        yield hit.value.slug, hit.first, hit.last
        if hit.value.weight >= _STRONG:
            yield f"{hit.value.slug} !", hit.first, hit.last


@cache
def _thesaurus() -> PhraseMatcher[str]:
    return PhraseMatcher((phrase, concept) for name in _THESAURUS for concept, phrase in rows(name))


def _concepts(text: Normalised) -> Iterator[tuple[str, int, int]]:
    for hit in longest(_thesaurus().find(text)):
        yield hit.value, hit.first, hit.last


def _marked(kind: str, found: Iterable[tuple[str, int, int]]) -> Iterator[Clue]:
    """Each as a clue of its kind; the second time with a mark, further times not at all."""
    seen: dict[str, int] = {}
    for name, first, last in found:
        times = seen.get(name, 0)
        if times < 2:
            yield Clue(f"#{kind} {name}{' +' * times}", first, last)
        seen[name] = times + 1
