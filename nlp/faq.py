"""Frequent questions: which entry of a list a question means, however it is typed, and how surely.

Two views are put together: a small model that was taught how the shipped questions are asked, and how like a question
is to each way an entry is asked; the second knows what a commune has added or changed as well.
"""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from nlp.clues import find_clues
from nlp.model import Model
from nlp.normalise import normalise

FAQ = Path(__file__).parent / "data" / "faq"
FAQ_MODEL_FILE = FAQ / "faq.model"
HEAD = "faq"
# What counts beside the words themselves: two in a row, and what the word lists found.
_PAIR, _MARK = 0.5, 0.5
_MARKS = ("#topic ", "#about ")
# The best of an entry's phrasings, and what the next ones add.
_NEXT, _NEXT_COUNT = 0.5, 3
_SUBJECT = 0.2
_NOTHING, _FAINT, _OFF_SUBJECT = 1e-9, 0.02, 0.02
# How like and how far ahead an entry must be to be answered at once, and to be offered (measured: tests/nlp/test_faq).
_SURE_LIKENESS, _SURE_LEAD = 0.5, 0.6
_LIKELY_LIKENESS = 0.3
_MOST_CHARACTERS = 2_000
_Features = dict[str, float]


class FaqEntry(NamedTuple):
    """A question that is asked often: its key, its topic, and the ways it is asked."""

    key: str
    topic: str
    phrasings: tuple[str, ...]


class ShippedFaq(NamedTuple):
    """An entry that ships: the question, other ways to ask it, the answer and where it comes from."""

    key: str
    topic: str
    question: str
    variants: tuple[str, ...]
    answer: str
    source: str
    as_of: str


class FaqMatch(NamedTuple):
    """An entry that a question may mean. `is_sure`: to be answered at once; else it may be offered."""

    key: str
    is_sure: bool
    likeness: float


@cache
def shipped_faq() -> tuple[ShippedFaq, ...]:
    """The entries that ship, in their order."""
    return tuple(
        ShippedFaq(
            row["key"],
            row["topic"],
            row["question"],
            tuple(row["variants"].split("|")),
            row["answer"].replace("\\n", "\n"),
            row["source"],
            row["as_of"],
        )
        for row in _rows("entries.tsv")
    )


@cache
def shipped_entries() -> tuple[FaqEntry, ...]:
    """The same with every way they are asked that is known."""
    more: dict[str, list[str]] = defaultdict(list)
    for row in _rows("phrasings.tsv"):
        more[row["key"]].append(row["phrasing"])
    return tuple(FaqEntry(e.key, e.topic, (e.question, *e.variants, *more[e.key])) for e in shipped_faq())


def _rows(name: str) -> list[dict[str, str]]:
    with (FAQ / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


@cache
def _shipped_model() -> Model:
    return Model.load(FAQ_MODEL_FILE)


@cache
def _shipped_index() -> _Likeness:
    return _Likeness(shipped_entries())


class FaqFinder:
    """Finds the entry that a question means among those that ship and a commune's own."""

    def __init__(self, own: Iterable[FaqEntry] = (), hidden: Collection[str] = ()) -> None:
        """`own`: entries a commune has added, or changed under the same key; `hidden`: keys it does not want."""
        own = tuple(own)
        self._hidden = frozenset(hidden)
        self._own = _Likeness(own, _shipped_index()) if own else None
        self._topics = {entry.key: entry.topic for entry in (*shipped_entries(), *own)}

    def find(self, text: str, subjects: Mapping[str, float] | None = None) -> FaqMatch | None:
        """The entry a question means; None when none is likely. `subjects`: the reader's chance of each topic."""
        names = find_clues(normalise(text[:_MOST_CHARACTERS])).names
        alike = dict(_shipped_index().of(names))
        for key, likeness in self._own.of(names).items() if self._own else ():
            alike[key] = max(likeness, alike.get(key, 0.0))
        alike = {key: likeness for key, likeness in alike.items() if key not in self._hidden}
        if not alike:
            return None
        scores = self._scores(alike, _shipped_model().judge(names).probabilities(HEAD), subjects or {})
        best, *others = sorted(scores, key=lambda key: (-scores[key], key))[:2]
        lead = scores[best] - scores[others[0]] if others else math.inf
        if alike[best] < _LIKELY_LIKENESS:
            return None
        is_sure = alike[best] >= _SURE_LIKENESS and lead >= _SURE_LEAD
        return FaqMatch(best, is_sure, round(alike[best], 3))

    def _scores(
        self, alike: Mapping[str, float], taught: Mapping[str, float], subjects: Mapping[str, float]
    ) -> dict[str, float]:
        """How likely each entry is. What the model was never taught is as likely as it is alike."""
        return {
            key: math.log(taught.get(key, min(1.0, likeness)) + _NOTHING)
            + math.log(likeness + _FAINT)
            + _SUBJECT * math.log(subjects.get(self._topics[key], 0.0) + _OFF_SUBJECT)
            for key, likeness in alike.items()
        }


class _Likeness:
    """How like a question is to the ways entries are asked (cosines of words, rare ones counting more)."""

    def __init__(self, entries: Sequence[FaqEntry], counted: _Likeness | None = None) -> None:
        """`counted`: where words were counted already; a commune's few entries do not tell which are rare.

        `spread`: in how many of the `size` phrasings a word stands.
        """
        written = [(entry.key, _features(_names(text))) for entry in entries for text in entry.phrasings]
        self.spread: dict[str, int] = counted.spread if counted else _counted(features for _, features in written)
        self.size: int = counted.size if counted else len(written)
        self._keys = [key for key, _ in written]
        self._found: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for at, (_, features) in enumerate(written):
            for name, value in self._weighed(features).items():
                self._found[name].append((at, value))

    def of(self, names: Sequence[str]) -> dict[str, float]:
        """The likeness of each entry that shares anything with a question."""
        shared: dict[int, float] = defaultdict(float)
        for name, value in self._weighed(_features(names)).items():
            for at, other in self._found.get(name, ()):
                shared[at] += value * other
        by_key: dict[str, list[float]] = defaultdict(list)
        for at, likeness in shared.items():
            by_key[self._keys[at]].append(likeness)
        return {key: _together(found) for key, found in by_key.items()}

    def _weighed(self, features: _Features) -> _Features:
        weighed = {
            name: value * math.log((1 + self.size) / (self.spread.get(name, 0) + 0.5))
            for name, value in features.items()
        }
        length = math.sqrt(sum(value * value for value in weighed.values()))
        return {name: value / length for name, value in weighed.items()} if length else {}


def _together(found: list[float]) -> float:
    best, *following = sorted(found, reverse=True)[: 1 + _NEXT_COUNT]
    return best + _NEXT * sum(following)


def _counted(written: Iterable[_Features]) -> dict[str, int]:
    spread: dict[str, int] = defaultdict(int)
    for features in written:
        for name in features:
            spread[name] += 1
    return spread


def _names(text: str) -> Sequence[str]:
    return find_clues(normalise(text[:_MOST_CHARACTERS])).names


def _features(names: Iterable[str]) -> _Features:
    """What a question says, by name."""
    features: _Features = {}
    for name in names:
        if not name.startswith("#"):
            features[name] = _PAIR if " " in name else 1.0
        elif name.startswith(_MARKS) and not name.endswith(" +"):
            features[name] = _MARK
    return features
