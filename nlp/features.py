"""Features: what a model sees of a message — folded words and pairs of them, and what the word lists found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nlp.intents import CODE, LINK
from nlp.normalise import Normalised

_LENGTHS = (1, 2, 3, 5, 8, 13, 21, 34)
# More than this says nothing new about a message.
_MOST_WORDS = 400


def _shape(word: str) -> str:
    """A word, with numbers as their length: which number it is says where, not what."""
    return f"0{min(len(word), 5)}" if word.isdigit() else word


def word_features(text: Normalised) -> Iterator[str]:
    """The folded words of a text and each two in a row; a pause in between is not looked over."""
    before = ""
    for token in text.tokens[:_MOST_WORDS]:
        word = _shape(token.word)
        yield word
        yield f"{before} {word}"
        before = word


def shape_features(text: Normalised) -> Iterator[str]:
    """What a text looks like, apart from its words; each starts with "#"."""
    length = len(text.tokens)
    yield f"#length {sum(length > limit for limit in _LENGTHS)}"
    if "?" in text.original:
        yield "#asks"
    if LINK.search(text.original[:2_000]):
        yield "#link"
    if CODE.search(text.original[:2_000]):
        yield "#code"
    if not length:
        yield "#wordless"


def cue_features(kind: str, values: Iterable[str]) -> Iterator[str]:
    """What a word list found, each value once, with a mark when it was found more than once."""
    seen: dict[str, int] = {}
    for value in values:
        seen[value] = seen.get(value, 0) + 1
    for value, times in seen.items():
        yield f"#{kind} {value}"
        if times > 1:
            yield f"#{kind} {value} +"
