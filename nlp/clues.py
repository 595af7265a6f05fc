"""Clues: what a message says that could speak for an answer, each tied to the words it stands on."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nlp.cues import find_cues
from nlp.intents import CODE, LINK, find_wishes
from nlp.normalise import Normalised
from nlp.phrases import longest
from nlp.sealed import Sealing, find_sealing
from nlp.topics import find_phrases
from nlp.urgency import Urgency, find_urgency
from nlp.word_lists import CONCEPTS, SEALED, URGENCY, find_listed

_LENGTHS = (1, 2, 3, 5, 8, 13, 21, 34)
# More than this says nothing new about a message.
_MOST_WORDS = 400
_SHAPES = 2_000
_STRONG = 3


@dataclass(slots=True)
class Clues:
    """All clues of a message, and what the rules for danger and sealing say of it.

    `names`: what a model is asked with; those that begin with "#" (`marks`) are of lists and shapes, the others are
    the words themselves. `spans`: the tokens [first, last) each stands on; first == last: on the whole message.
    """

    text: Normalised
    names: Sequence[str]
    spans: Sequence[tuple[int, int]]
    marks: frozenset[str]
    urgency: Urgency
    sealing: Sealing


def find_clues(text: Normalised) -> Clues:
    """Look for everything; takes time linear in the text."""
    urgency, sealing = find_urgency(text), find_sealing(text)
    words, listed = _words(text), _listed(text)
    shapes = _shapes(text)
    ruled = [f"#ruled {urgency.code}", "#ruled sealed"] if sealing.sealed else [f"#ruled {urgency.code}"]
    marks = [*shapes, *listed[0], *ruled]
    spans = [*words[1], *[(0, 0)] * len(shapes), *listed[1], *[(0, 0)] * len(ruled)]
    return Clues(text, words[0] + marks, spans, frozenset(marks), urgency, sealing)


def _shape(word: str) -> str:
    """A word, with numbers as their length: which number it is says where, not what."""
    return f"0{min(len(word), 5)}" if word.isdigit() else word


_Named = tuple[list[str], list[tuple[int, int]]]


def _words(text: Normalised) -> _Named:
    """The folded words and each two in a row."""
    words = [_shape(word) if word.isdigit() else word for word in text.words[:_MOST_WORDS]]
    names = [""] * (2 * len(words))
    names[::2] = words
    names[1::2] = [f"{before} {word}" for before, word in zip(["", *words], words, strict=False)]
    return names, _SPANS[: len(names)]


# What a word and its pair with the one before stand on is the same in every text.
_SPANS = [span for at in range(_MOST_WORDS) for span in ((at, at + 1), (max(at - 1, 0), at + 1))]


def _shapes(text: Normalised) -> list[str]:
    """What a message looks like, apart from its words."""
    shapes = [f"#length {bisect_left(_LENGTHS, len(text.words))}"]
    start = text.original[:_SHAPES]
    if "?" in start:
        shapes.append("#asks")
    if ("." in start or "/" in start) and LINK.search(start):
        shapes.append("#link")
    if "pa" in start.lower() and CODE.search(start):
        shapes.append("#code")
    if not text.words:
        shapes.append("#wordless")
    return shapes


def _listed(text: Normalised) -> _Named:
    """What stands in word lists: each as a clue of its kind, the second time with a mark, further times not at all."""
    names: list[str] = []
    spans: list[tuple[int, int]] = []
    for kind, found in (
        ("topic", _topic_phrases(text)),
        ("about", longest(find_listed(text, CONCEPTS[0]))),
        ("wish", ((f"{wish.intent} {wish.mode}", first, last) for wish, first, last in find_wishes(text))),
        ("danger", find_cues(text, URGENCY)),
        ("seal", find_cues(text, SEALED)),
    ):
        seen: dict[str, int] = {}
        for name, first, last in found:
            times = seen.get(name, 0)
            if times < 2:
                names.append(f"#{kind} {name} +" if times else f"#{kind} {name}")
                spans.append((first, last))
            seen[name] = times + 1
    return names, spans


def _topic_phrases(text: Normalised) -> Iterator[tuple[str, int, int]]:
    for phrase, first, last in find_phrases(text):
        yield phrase.slug, first, last
        if phrase.weight >= _STRONG:
            yield f"{phrase.slug} !", first, last
