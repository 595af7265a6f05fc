"""Retraining: a model hears corrections and moves only as far as they speak; without any it stays what it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.model import Matrix, Model
from nlp.training import COUNTED_SHARPNESS, QUESTIONS, Question, Sample, Table, answered, counted, usual

_LEAST_SLOPE = 2e-6
_MOST_STEPS = 25


class OtherSamples(ValueError):
    """The model was not trained of the samples it is said to be of."""


def retrain(model: Model, samples: Sequence[Sample], more: Sequence[Sample], note: str = "") -> Model:
    """The model that was trained of `samples`, once it has heard `more`; the same input gives the same model.

    A question of which `more` says nothing keeps its answers, and features it knows keep their rarity.
    """
    before = Table.of(samples)
    if before.features != model.features:
        raise OtherSamples("the model has other features than these samples")
    table = before.with_more(samples, more)
    heads = [_head(model, table, samples, more, question) for question in QUESTIONS]
    weights, biases = zip(*heads, strict=True)
    return Model(table.features, table.idf, np.hstack(weights), np.hstack(biases), model.heads, note)


def _head(
    model: Model, table: Table, samples: Sequence[Sample], more: Sequence[Sample], question: Question
) -> tuple[Matrix, Matrix]:
    _, columns = model.head(question.name)
    weights = np.zeros((len(table.features), len(question.labels)), dtype=np.float32)
    weights[: len(model.features)], bias = model.weights[:, columns], model.bias[columns].copy()
    at, labels, counts = answered([*samples, *more], question)
    is_old = at < len(samples)
    known = np.unique(labels[is_old])
    heard = ~is_old & np.isin(labels, known)
    if not heard.any():
        return weights, bias
    counts = counts * usual(labels[is_old], counts[is_old], question)[labels]
    old, new = (_Told(table.rows[at[part]], labels[part], counts[part], known) for part in (is_old, heard))
    share = question.counted
    listed = share * COUNTED_SHARPNESS * counted(old.rows, old.labels, old.counts, known)
    listed[len(model.features) :] = 0
    start = ((weights[:, known] - listed) / (1 - share)).astype(np.float64)
    moved, shifted = _moved(old, new, start, bias[known].astype(np.float64) / (1 - share), question.strength)
    both = np.isin(at, at[is_old | heard])
    listed = counted(table.rows[at[both]], labels[both], counts[both], known)
    weights[:, known] = (1 - share) * moved + share * COUNTED_SHARPNESS * listed
    bias[known] = (1 - share) * shifted
    return weights, bias


class _Told:
    """Rows with their labels and how much each counts; the loss of weights on them, and its slope."""

    def __init__(
        self, rows: Any, labels: NDArray[np.intp], counts: NDArray[np.float64], known: NDArray[np.intp]
    ) -> None:
        self.rows, self.labels, self.counts = rows, labels, counts
        self._right = np.searchsorted(known, labels)

    def loss(self, weights: NDArray[np.float64], bias: NDArray[np.float64]) -> tuple[float, Any, Any]:
        """The weighed sum of -log(chance of the right label), and how it changes with weights and bias."""
        scores = self.rows @ weights + bias
        scores -= scores.max(axis=1, keepdims=True)
        chances = np.exp(scores)
        total = chances.sum(axis=1, keepdims=True)
        each = np.arange(len(self._right))
        loss = float((self.counts * (np.log(total[:, 0]) - scores[each, self._right])).sum())
        chances /= total
        chances[each, self._right] -= 1
        chances *= self.counts[:, None]
        return loss, self.rows.T @ chances, chances.sum(axis=0)


def _moved(
    old: _Told, new: _Told, start: NDArray[np.float64], bias: NDArray[np.float64], strength: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where the weights go from `start` when the new rows pull.

    Fitting stops early, so the old rows still pull a little at the start; that pull is taken off, or hearing anything
    at all would carry on where the first training had better stop.
    """
    from scipy.optimize import minimize

    shape, size = start.shape, start.size
    every = float(old.counts.sum() + new.counts.sum())
    _, pull, pull_bias = old.loss(start, bias)
    pull = pull + start / strength

    def objective(at: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights, shift = at[:size].reshape(shape), at[size:]
        before, slope, slope_bias = old.loss(weights, shift)
        now, slope_now, slope_bias_now = new.loss(weights, shift)
        loss = before + now + (weights * weights).sum() / 2 / strength
        loss -= float((pull * weights).sum() + (pull_bias * shift).sum())
        slope = slope + slope_now + weights / strength - pull
        return loss / every, np.concatenate([slope.ravel(), slope_bias + slope_bias_now - pull_bias]) / every

    first = np.concatenate([start.ravel(), bias])
    found = minimize(
        objective, first, jac=True, method="L-BFGS-B", options={"maxiter": _MOST_STEPS, "gtol": _LEAST_SLOPE}
    ).x
    return found[:size].reshape(shape), found[size:]
