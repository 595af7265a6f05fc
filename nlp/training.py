"""Training: makes a model from labelled messages and the word lists; the same files give the same model."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.examples import INTENTS, URGENCIES, Example
from nlp.model import Head, Matrix, Model, weighed
from nlp.topics import TOPICS

NO_TOPIC = "-"
SEAL = ("open", "sealed")
_FOLDS = 5
_NEVER = -30.0


@dataclass(frozen=True)
class Question:
    """What one head is asked: its name, the possible answers, and the answers an example gives with their weights."""

    name: str
    labels: tuple[str, ...]
    answers: Callable[[Example], dict[str, float]]


def _topic_answers(example: Example) -> dict[str, float]:
    if not example.topics:
        return {NO_TOPIC: 1.0}
    rest = example.topics[1:]
    return {example.topics[0]: 1.0 - 0.3 * bool(rest), **{slug: 0.3 / len(rest) for slug in rest}}


QUESTIONS = (
    Question("topic", (*sorted(TOPICS), NO_TOPIC), _topic_answers),
    Question("intent", INTENTS, lambda e: {e.intent: 1.0}),
    Question("urgency", URGENCIES, lambda e: {e.urgency: 1.0}),
    Question("seal", SEAL, lambda e: {SEAL[e.sealed]: 1.0}),
)


@dataclass(frozen=True)
class Sample:
    """The features of a text and what is known of it; a head it says nothing about has no answers.

    `is_message`: somebody could have sent it, so confidence may be judged by it; a phrase of a word list is none.
    """

    features: tuple[str, ...]
    answers: dict[str, dict[str, float]]
    weight: float = 1.0
    is_message: bool = True


def sample(example: Example, features: Iterable[str], weight: float = 1.0) -> Sample:
    """A labelled message as something to learn from."""
    return Sample(tuple(features), {q.name: q.answers(example) for q in QUESTIONS}, weight)


def train(samples: Sequence[Sample], *, strength: float = 8.0, least: int = 2, note: str = "") -> Model:
    """Fit all heads; how sure they may be is set on samples left out in turn. The same samples give the same model."""
    table = _Table.of(samples, least)
    everything = np.arange(len(samples))
    heads = []
    blocks: list[Matrix] = []
    biases: list[Matrix] = []
    for question in QUESTIONS:
        weights, bias = _fit(table, samples, question, everything, strength)
        heads.append(Head(question.name, question.labels, _temperature(table, samples, question, strength)))
        blocks.append(weights)
        biases.append(bias)
    return Model(table.features, table.idf, np.hstack(blocks), np.hstack(biases), heads, note)


@dataclass(frozen=True)
class _Table:
    """All samples as one sparse table of features."""

    features: tuple[str, ...]
    idf: Matrix
    rows: Any

    @staticmethod
    def of(samples: Sequence[Sample], least: int) -> _Table:
        from scipy.sparse import csr_array

        spread = Counter(feature for s in samples for feature in set(s.features))
        features = tuple(sorted(feature for feature, n in spread.items() if n >= least and feature))
        column = {feature: at for at, feature in enumerate(features)}
        idf = np.array([1 + math.log((1 + len(samples)) / (1 + spread[f])) for f in features], dtype=np.float32)
        vectors = [weighed(one.features, column, idf) for one in samples]
        starts = np.cumsum([0, *(len(found) for found, _ in vectors)])
        values = np.concatenate([v for _, v in vectors]).astype(np.float64)
        found = np.concatenate([at for at, _ in vectors])
        return _Table(features, idf, csr_array((values, found, starts), shape=(len(samples), len(features))))


def _fit(
    table: _Table, samples: Sequence[Sample], question: Question, chosen: NDArray[np.intp], strength: float
) -> tuple[Matrix, Matrix]:
    """Weights (features, labels) and bias of one head, from the chosen samples that answer it."""
    from sklearn.linear_model import LogisticRegression

    at, labels, weights = [], [], []
    for row in chosen:
        for label, share in samples[row].answers.get(question.name, {}).items():
            at.append(row)
            labels.append(question.labels.index(label))
            weights.append(share * samples[row].weight)
    out = np.zeros((len(table.features), len(question.labels)), dtype=np.float32)
    bias = np.full(len(question.labels), _NEVER, dtype=np.float32)
    if len(set(labels)) < 2:
        bias[labels] = 0.0
        return out, bias
    fitted = LogisticRegression(C=strength, max_iter=300, tol=1e-4)
    fitted.fit(table.rows[np.array(at)], np.array(labels), sample_weight=np.array(weights))
    coef, intercept = fitted.coef_, fitted.intercept_
    if len(fitted.classes_) == 2:
        coef, intercept = np.vstack([-coef, coef]) / 2, np.hstack([-intercept, intercept]) / 2
    out[:, fitted.classes_] = coef.T
    bias[fitted.classes_] = intercept
    return out, bias


def _temperature(table: _Table, samples: Sequence[Sample], question: Question, strength: float) -> float:
    """The temperature at which the confidence in samples left out of the fit was most honest."""
    rows = np.array([row for row, s in enumerate(samples) if s.is_message and s.answers.get(question.name)])
    if len(rows) < _FOLDS * len(question.labels):
        return 1.0
    scores, truths = [], []
    for fold in range(_FOLDS):
        held = rows[fold::_FOLDS]
        kept = np.setdiff1d(np.arange(len(samples)), held)
        weights, bias = _fit(table, samples, question, kept, strength)
        scores.append(table.rows[held] @ weights + bias)
        truths += [_shares(samples[row].answers[question.name], question.labels) for row in held]
    return _coolest(np.vstack(scores), np.array(truths))


def _shares(answers: dict[str, float], labels: Sequence[str]) -> list[float]:
    return [answers.get(label, 0.0) for label in labels]


def _coolest(scores: NDArray[np.float64], truths: NDArray[np.float64]) -> float:
    best, least = 1.0, math.inf
    for temperature in np.arange(0.3, 2.01, 0.02):
        scaled = scores / temperature
        scaled = scaled - scaled.max(axis=1, keepdims=True)
        loss = float(-(truths * (scaled - np.log(np.exp(scaled).sum(axis=1, keepdims=True)))).sum())
        if loss < least:
            best, least = float(temperature), loss
    return round(best, 2)
