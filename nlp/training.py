"""Training: makes a model from labelled messages and the word lists; the same files give the same model."""

from __future__ import annotations

import hashlib
import math
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.clues import find_clues
from nlp.deciding import NO_TOPIC
from nlp.examples import INTENTS, URGENCIES, Example, shipped_examples
from nlp.model import MODEL_FILE, Head, Matrix, Model, weighed
from nlp.normalise import normalise
from nlp.phrases import DATA, rows
from nlp.prepared import PREPARED_FILE, to_file_content
from nlp.spacing import vocabulary_to_keep
from nlp.topics import LEXICON, TOPICS, lexicon_phrases
from nlp.word_lists import phrases_to_keep

SEAL = ("open", "sealed")
_NEVER = -30.0
_PHRASE_WEIGHT = 0.1
# What a word list found counts half as much as the words themselves (measured on messages by other hands).
_LISTED = 0.5
_SMOOTHING = 0.3
COUNTED_SHARPNESS = 3.0
_FEW, _USUAL = 30, 100
_MOST_STEPS = 60
_LISTS = ("topics.tsv", LEXICON, "intents.tsv", "urgency.tsv", "sealed.tsv")


@dataclass(frozen=True)
class Question:
    """What one head is asked.

    `answer`: the label of an example. `counted`: the share of the verdict that comes from counting words (complement
    naive Bayes) beside the fitted weights; rare words are heard better so. `balance`: how far rare labels are
    strengthened, 0 to 1. `strength`: the inverse of the penalty on fitted weights. `temperature`: divides the scores,
    so that probabilities are honest. All measured on the development messages.
    """

    name: str
    labels: tuple[str, ...]
    answer: Callable[[Example], str]
    counted: float
    balance: float
    strength: float
    temperature: float = 1.0


QUESTIONS = (
    Question("topic", (*sorted(TOPICS), NO_TOPIC), lambda e: e.topic or NO_TOPIC, 0.6, 0.0, 10.0, 0.33),
    Question("intent", INTENTS, lambda e: e.intent, 0.4, 0.5, 30.0),
    Question("urgency", URGENCIES, lambda e: e.urgency, 0.4, 0.0, 3.0),
    Question("seal", SEAL, lambda e: SEAL[e.sealed], 0.3, 0.0, 30.0),
)


@dataclass(frozen=True)
class Sample:
    """The clues of a text by name, and what is known of it; a head it says nothing about has no answer."""

    features: tuple[str, ...]
    answers: dict[str, str]
    weight: float = 1.0


def sample(example: Example, features: Iterable[str], weight: float = 1.0) -> Sample:
    """A labelled message as something to learn from."""
    return Sample(tuple(features), {q.name: q.answer(example) for q in QUESTIONS}, weight)


def message_samples(examples: Iterable[Example], weight: float = 1.0) -> list[Sample]:
    """Labelled messages with their clues."""
    return [sample(example, find_clues(normalise(example.text)).names, weight) for example in examples]


def phrase_samples() -> list[Sample]:
    """The phrases of the word lists as short texts of which one thing is known."""
    return [
        Sample(tuple(find_clues(normalise(phrase.removeprefix("="))).names), answers, _PHRASE_WEIGHT)
        for phrase, answers in _known_phrases()
    ]


def _known_phrases() -> Iterator[tuple[str, dict[str, str]]]:
    for slug, phrase in lexicon_phrases():
        yield phrase, {"topic": slug}
    for kind, phrase in rows("urgency.tsv"):
        if kind in _DANGERS:
            yield phrase, {"urgency": _DANGERS[kind]}
    for kind, phrase in rows("sealed.tsv"):
        if kind in _SECRETS:
            yield phrase, _SECRETS[kind]
    for intent, phrase, _ in rows("intents.tsv"):
        if intent in INTENTS:
            yield phrase, {"intent": intent}


# What the kinds of the lists of danger and secrets say of a text that is nothing else.
_DANGERS = {"life": "khan_cap", "now": "khan_cap", "hazard": "khan", "-": "thuong"}
_SECRETS = {
    "corruption": {"seal": "sealed", "intent": "denunciation"},
    "crime": {"seal": "sealed", "intent": "denunciation"},
    "self_harm": {"seal": "sealed"},
    "child": {"seal": "sealed"},
    "-": {"seal": "open"},
}


def train(samples: Sequence[Sample], *, least: int = 2, note: str = "") -> Model:
    """Fit all heads. The same samples give the same model.

    `least`: in how many samples a clue must stand to count.
    """
    table = Table.of(samples, least)
    fitted = [fit(table, samples, question) for question in QUESTIONS]
    return Model(
        table.features,
        table.idf,
        np.hstack([weights for weights, _ in fitted]),
        np.hstack([bias for _, bias in fitted]),
        [Head(q.name, q.labels, q.temperature) for q in QUESTIONS],
        note,
    )


@dataclass(frozen=True)
class Table:
    """All samples as one sparse table of features: `rows`, a row a sample, of length one."""

    features: tuple[str, ...]
    idf: Matrix
    rows: Any

    @staticmethod
    def of(samples: Sequence[Sample], least: int = 2) -> Table:
        """The table of these samples, with the features that stand in `least` of them."""
        spread = Counter(feature for s in samples for feature in set(s.features))
        features = tuple(sorted(feature for feature, n in spread.items() if n >= least and feature))
        idf = np.array([_rarity(f, spread[f], len(samples)) for f in features], dtype=np.float32)
        return Table._filled(features, idf, samples)

    def with_more(self, samples: Sequence[Sample], more: Sequence[Sample], least: int = 2) -> Table:
        """The table of more samples, their new features behind the known ones."""
        spread = Counter(feature for s in more for feature in set(s.features))
        known, everything = set(self.features), [*samples, *more]
        new = tuple(sorted(f for f, n in spread.items() if n >= least and f and f not in known))
        rarities = np.array([_rarity(f, spread[f], len(everything)) for f in new], dtype=np.float32)
        return Table._filled((*self.features, *new), np.concatenate([self.idf, rarities]), everything)

    def filled(self, samples: Sequence[Sample]) -> Table:
        """The table of other samples, with the same features."""
        return Table._filled(self.features, self.idf, samples)

    @staticmethod
    def _filled(features: tuple[str, ...], idf: Matrix, samples: Sequence[Sample]) -> Table:
        from scipy.sparse import csr_array

        column = {feature: at for at, feature in enumerate(features)}
        vectors = [weighed(one.features, column, idf) for one in samples]
        starts = np.cumsum([0, *(len(found) for found, _ in vectors)])
        values = np.concatenate([v for _, v in vectors]).astype(np.float64)
        found = np.concatenate([at for at, _ in vectors])
        return Table(features, idf, csr_array((values, found, starts), shape=(len(samples), len(features))))


def _rarity(feature: str, times: int, of: int) -> float:
    rarity = 1 + math.log((1 + of) / (1 + times))
    return rarity * _LISTED if feature.startswith("#") else rarity


def fit(table: Table, samples: Sequence[Sample], question: Question) -> tuple[Matrix, Matrix]:
    """Weights (features, labels) and bias of one head, from the samples that answer it."""
    at, labels, weights = answered(samples, question)
    out = np.zeros((len(table.features), len(question.labels)), dtype=np.float32)
    bias = np.full(len(question.labels), _NEVER, dtype=np.float32)
    known = np.unique(labels)
    if len(known) < 2:
        bias[known] = 0.0
        return out, bias
    weights = weights * usual(labels, weights, question)[labels]
    learned, intercept = _learned(table.rows[at], labels, weights, question.strength)
    share = question.counted
    out[:, known] = (1 - share) * learned + share * COUNTED_SHARPNESS * counted(table.rows[at], labels, weights, known)
    bias[known] = (1 - share) * intercept
    return out, bias


def answered(
    samples: Sequence[Sample], question: Question
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """The samples that answer a question: which they are, their labels and their weights."""
    at = np.array([row for row, s in enumerate(samples) if question.name in s.answers], dtype=np.intp)
    labels = np.array([question.labels.index(samples[row].answers[question.name]) for row in at], dtype=np.intp)
    return at, labels, np.array([samples[row].weight for row in at])


def usual(labels: NDArray[np.intp], weights: NDArray[np.float64], question: Question) -> NDArray[np.float64]:
    """How far each label of a question is strengthened: rare ones more."""
    messages = Counter(labels[weights >= 1].tolist())
    found = [(_USUAL / max(_FEW, messages[label])) ** question.balance for label in range(len(question.labels))]
    return np.array(found)


def _learned(
    rows: Any, labels: NDArray[np.intp], weights: NDArray[np.float64], strength: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Multinomial logistic regression: weights (features, known labels) and one bias each."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=strength, max_iter=_MOST_STEPS, tol=1e-3)
    with warnings.catch_warnings():
        # It stops early on purpose: more steps fit the lessons better and other people's messages no better (measured).
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted.fit(rows, labels, sample_weight=weights)
    coef, intercept = fitted.coef_, fitted.intercept_
    if len(fitted.classes_) == 2:
        coef, intercept = np.vstack([-coef, coef]) / 2, np.hstack([-intercept, intercept]) / 2
    return coef.T, intercept


def counted(
    rows: Any, labels: NDArray[np.intp], weights: NDArray[np.float64], known: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Complement naive Bayes (Rennie et al. 2003): how rare each feature is where the label is another one."""
    total = rows.T @ weights
    counts = np.stack([rows.T @ (weights * (labels == label)) for label in known], axis=1)
    others = total[:, None] - counts + _SMOOTHING
    scores: NDArray[np.float64] = -np.log(others / others.sum(axis=0))
    centred: NDArray[np.float64] = scores - scores.mean(axis=1, keepdims=True)
    return centred


def lessons_digest(folder: Path = DATA) -> str:
    """A short digest of every file a model is trained from, to tell whether a model is of these files."""
    digest = hashlib.sha256()
    lists = (folder / name for name in _LISTS)
    for path in (*lists, *sorted(folder.glob("concepts_*.tsv")), *sorted((folder / "messages").glob("*.tsv"))):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def train_shipped(more: Sequence[Sample] = (), note: str = "") -> Model:
    """The model of the messages and word lists that ship, and of more samples when given."""
    samples = [*message_samples(shipped_examples()), *phrase_samples(), *more]
    return train(samples, note=note or f"lessons {lessons_digest()}")


def prepare_lists() -> bytes:
    """What is worked out from the word lists, as the file that ships holds it."""
    return to_file_content({**phrases_to_keep(), **vocabulary_to_keep()})


if __name__ == "__main__":
    PREPARED_FILE.write_bytes(prepare_lists())
    MODEL_FILE.write_bytes(train_shipped().to_bytes())
