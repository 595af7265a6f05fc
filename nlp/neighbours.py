"""Neighbours: whether a label contradicts what a model surely says and what the messages nearest to it say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nlp.deciding import NO_TOPIC
from nlp.examples import Example
from nlp.model import Model
from nlp.training import QUESTIONS, Sample, Table

# A label that the model finds this unlikely while at most one of the five nearest messages bears it (measured: true of
# one in ten labels where the model was wrong, of a third to nearly all where the labels were).
_UNLIKELY = 0.05
_NEAREST, _FEW = 5, 1
# The chances of topics are honest, those of other questions are modest (see `training.Question.temperature`).
_SURE = {"topic": 0.9}
_AT_ONCE = 256


class Neighbours:
    """Labelled messages to look among, with the model that was trained of them.

    `taught`: the samples of `examples`, in their order; `others`: what else the model was trained of.
    """

    def __init__(self, model: Model, examples: Sequence[Example], taught: Sequence[Sample], others: Sequence[Sample]):
        self._model, self._examples = model, examples
        self._before = [*taught, *others]
        self._table = Table.of(self._before)

    def contradicted(self, samples: Sequence[Sample], head: str) -> list[bool]:
        """For each sample: the model is sure that it is not so, and hardly any of the nearest messages bears it."""
        out: list[bool] = []
        for start in range(0, len(samples), _AT_ONCE):
            out += self._contradicted(samples[start : start + _AT_ONCE], head)
        return out

    def differs(self, one: Sample, head: str) -> bool:
        """Whether the model would answer otherwise."""
        chances = self._model.judge(one.features).probabilities(head)
        return max(chances, key=lambda label: chances[label]) != one.answers[head]

    def _contradicted(self, samples: Sequence[Sample], head: str) -> list[bool]:
        rows = self._table.filled(samples).rows
        near = rows @ self._table.rows[: len(self._examples)].T
        out = []
        for at, one in enumerate(samples):
            chances = self._model.judge(one.features).probabilities(head)
            is_sure = max(chances.values()) >= _SURE.get(head, 0.0) and chances[one.answers[head]] <= _UNLIKELY
            likeness = near[[at]].toarray()[0]
            nearest = np.argsort(-likeness, kind="stable")[:_NEAREST]
            borne = sum(one.answers[head] in self._borne(self._examples[i], head) for i in nearest)
            out.append(is_sure and borne <= _FEW)
        return out

    @staticmethod
    def _borne(example: Example, head: str) -> set[str]:
        if head == "topic":
            return {*example.topics} or {NO_TOPIC}
        return {next(q for q in QUESTIONS if q.name == head).answer(example)}
