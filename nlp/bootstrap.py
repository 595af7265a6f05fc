"""Bootstrap: figures over labelled rows, many resamples at once, with the interval that holds 95 % of them.

A statistic takes columns of shape (resamples, rows) and gives one value a resample; the figure itself is the statistic
of the rows as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_RESAMPLES = 400
_BLOCK = 1_000_000
_BINS = 10
_SEED = 20_260_701

Column = NDArray[Any]
Statistic = Callable[..., NDArray[np.float64]]


@dataclass(frozen=True)
class Figure:
    """A measured figure with the interval that holds 95 % of its bootstrap values; `of`: of how many."""

    name: str
    value: float
    low: float
    high: float
    of: int

    def __str__(self) -> str:
        return f"{self.name:<26} {self.value:6.3f}  ({self.low:.3f}-{self.high:.3f}, n={self.of})"


def figure(name: str, statistic: Statistic, *columns: Sequence[Any] | Column) -> Figure:
    """A figure over rows given as columns of equal length; the same rows give the same interval."""
    arrays = [np.asarray(column) for column in columns]
    of = len(arrays[0])
    if not of:
        return Figure(name, 0.0, 0.0, 0.0, 0)
    dice = np.random.default_rng(_SEED)
    at_once = max(1, _BLOCK // of)
    values: list[NDArray[np.float64]] = []
    for done in range(0, _RESAMPLES, at_once):
        drawn = dice.integers(0, of, (min(at_once, _RESAMPLES - done), of))
        values.append(statistic(*(array[drawn] for array in arrays)))
    low, high = np.quantile(np.concatenate(values), [0.025, 0.975])
    return Figure(name, value(statistic, *arrays), float(low), float(high), of)


def value(statistic: Statistic, *columns: Sequence[Any] | Column) -> float:
    """A statistic of the rows as they are; 0 when there are none."""
    arrays = [np.asarray(column)[None] for column in columns]
    return float(statistic(*arrays)[0]) if arrays[0].size else 0.0


def share(right: Column) -> NDArray[np.float64]:
    """The share of rows that are true."""
    return np.asarray(right.mean(axis=1), dtype=np.float64)


def macro_f1(wanted: Column, got: Column) -> NDArray[np.float64]:
    """The mean over the wanted labels of the harmonic mean of precision and recall; labels as small whole numbers."""
    labels = int(max(wanted.max(), got.max())) + 1
    called = _counts(wanted, labels)
    both = _counts(np.where(wanted == got, wanted, labels), labels + 1)[:, :labels]
    either = np.maximum(called + _counts(got, labels), 1)
    scores = np.where(called > 0, 2 * both / either, 0.0)
    return np.asarray(scores.sum(axis=1) / (called > 0).sum(axis=1), dtype=np.float64)


def numbered(*columns: Sequence[str]) -> list[NDArray[np.intp]]:
    """Labels as whole numbers, the same ones in all columns."""
    number = {label: at for at, label in enumerate(sorted({label for column in columns for label in column}))}
    return [np.array([number[label] for label in column], dtype=np.intp) for column in columns]


def right_at(part: float) -> Statistic:
    """The share of right rows among the surest `part` of them."""

    def statistic(chance: Column, right: Column) -> NDArray[np.float64]:
        surest = np.argsort(-chance, axis=1, kind="stable")[:, : max(1, round(part * chance.shape[1]))]
        return np.asarray(np.take_along_axis(right, surest, axis=1).mean(axis=1), dtype=np.float64)

    return statistic


def calibration_error(chance: Column, right: Column) -> NDArray[np.float64]:
    """How far probabilities are from shares of right answers, on average over ten bins of equal width."""
    bins = np.minimum((chance * _BINS).astype(np.intp), _BINS - 1)
    excess = _counts(bins, _BINS, chance - right)
    return np.asarray(np.abs(excess).sum(axis=1) / chance.shape[1], dtype=np.float64)


def quantile(of: float) -> Statistic:
    """The value below which this part of the rows lies."""

    def statistic(values: Column) -> NDArray[np.float64]:
        return np.asarray(np.quantile(values, of, axis=1), dtype=np.float64)

    return statistic


def _counts(values: Column, size: int, weights: Column | None = None) -> NDArray[np.float64]:
    """How often each whole number below `size` stands in each row, or the sum of its weights."""
    rows = len(values)
    flat = (values + size * np.arange(rows)[:, None]).ravel()
    summed = np.bincount(flat, None if weights is None else weights.ravel(), minlength=size * rows)
    return summed.reshape(rows, size).astype(np.float64)
