"""Model: several linear questions asked of one message at once, kept in one small checked file."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.chances import Chances

MODEL_FILE = Path(__file__).parent / "data" / "reader.model"
_MAGIC = b"haichieu-model-1\n"
_VERSION = 12
# What a feature counts that stands so often in a message; more is worked out.
Matrix = NDArray[np.float32]
_TIMES = [np.float32(1 + math.log(max(n, 1))) for n in range(64)]
# A reason so much weaker than the strongest is none to show.
_FAINT = 0.3


class BadModel(ValueError):
    """A model file that is damaged or not one; nothing of it is used."""


@dataclass(frozen=True)
class Head:
    """One question of a model: its answers in the order of their columns, and how much to cool its confidence."""

    name: str
    labels: tuple[str, ...]
    temperature: float = 1.0

    @cached_property
    def places(self) -> dict[str, int]:
        """The answers and where each stands among them."""
        return {label: at for at, label in enumerate(self.labels)}


class Verdict:
    """What a model makes of one message."""

    def __init__(self, model: Model, rows: NDArray[np.intp], values: Matrix) -> None:
        self._model, self._rows, self._values = model, rows, values
        self._weights = model.weights.take(rows, axis=0)
        self._scores = values.dot(self._weights) + model.bias if len(rows) else model.bias
        self._chances = self._softmax()
        self._answers: dict[str, Chances] = {}

    def probabilities(self, head: str) -> Mapping[str, float]:
        """The probability of each answer to one question."""
        answers = self._answers.get(head)
        if answers is None:
            about, columns = self._model.head(head)
            answers = self._answers[head] = Chances(about.places, self._chances[columns])
        return answers

    def _softmax(self) -> list[float]:
        """The chances of all answers, those of one question together 1."""
        model = self._model
        grown = self._scores / model.temperatures
        grown -= np.maximum.reduceat(grown, model.starts).take(model.questions)
        np.exp(grown, grown)
        grown /= np.add.reduceat(grown, model.starts).take(model.questions)
        chances: list[float] = grown.tolist()
        return chances

    def reasons(self, head: str, label: str, most: int = 8) -> list[tuple[str, float]]:
        """The features that spoke for an answer against the average answer, strongest first, without faint ones."""
        about, columns = self._model.head(head)
        average = self._model.average(head).take(self._rows)
        says = self._values * (self._weights[:, columns.start + about.labels.index(label)] - average)
        best = (-says).argsort()[:most]
        features = self._model.features
        strengths = says.take(best).tolist()
        least = max(0.0, _FAINT * strengths[0]) if strengths else 0.0
        rows = self._rows.take(best).tolist()
        return [(features[row], says_so) for row, says_so in zip(rows, strengths, strict=True) if says_so > least]


class Model:
    """Multinomial logistic regressions that share their features.

    `weights`: one row a feature, the heads' columns side by side (`starts`, `questions`); `bias`: one value a column;
    `idf`: what a feature counts before a message's features are brought to length one.
    """

    def __init__(
        self,
        features: Sequence[str],
        idf: Matrix,
        weights: Matrix,
        bias: Matrix,
        heads: Sequence[Head],
        note: str = "",
        version: str = "",
    ) -> None:
        self.features = tuple(features)
        self.heads = tuple(heads)
        self.note = note
        self._rows = {feature: row for row, feature in enumerate(self.features)}
        # Rounded as the file keeps them, so that a model reads the same before and after it was kept.
        self._idf, self.weights, self.bias = idf, weights.astype("<f2").astype(np.float32), bias
        self._heads: dict[str, tuple[Head, slice]] = {}
        self._averages: dict[str, Matrix] = {}
        at = 0
        for head in self.heads:
            self._heads[head.name] = (head, slice(at, at + len(head.labels)))
            at += len(head.labels)
        if weights.shape != (len(self.features), at) or bias.shape != (at,) or idf.shape != (len(self.features),):
            raise BadModel("the sizes of the model's tables do not fit each other")
        self.columns = [columns for _, columns in self._heads.values()]
        self.starts = np.array([columns.start for columns in self.columns], dtype=np.intp)
        # The number of the question that each column answers.
        self.questions = np.arange(len(self.heads)).repeat([len(head.labels) for head in self.heads])
        self.temperatures = np.array([head.temperature for head in self.heads], np.float32).take(self.questions)
        self.version = version or hashlib.sha256(self._body()).hexdigest()[:_VERSION]

    def judge(self, features: Iterable[str]) -> Verdict:
        """What the model makes of a message with these features."""
        rows, values = weighed(features, self._rows, self._idf)
        return Verdict(self, rows, values)

    def head(self, name: str) -> tuple[Head, slice]:
        """A question of this model and its columns in the tables."""
        return self._heads[name]

    def average(self, name: str) -> Matrix:
        """What each feature says for the answers to a question on average."""
        if name not in self._averages:
            self._averages[name] = self.weights[:, self._heads[name][1]].mean(axis=1)
        return self._averages[name]

    def _body(self) -> bytes:
        head = {
            "heads": [[h.name, list(h.labels), h.temperature] for h in self.heads],
            "features": len(self.features),
            "note": self.note,
        }
        words = "\n".join(self.features).encode()
        parts = [json.dumps(head, ensure_ascii=False).encode(), words, self._idf.astype("<f4").tobytes()]
        parts += [self.weights.astype("<f2").tobytes(), self.bias.astype("<f4").tobytes()]
        return b"".join(len(part).to_bytes(4, "little") + part for part in parts)

    def to_bytes(self) -> bytes:
        """The model as a file's content, with its checksum first."""
        body = self._body()
        return _MAGIC + hashlib.sha256(body).digest() + body

    @staticmethod
    def from_bytes(content: bytes) -> Model:
        """The model in a file's content; raises BadModel when a byte of it is not as it was written."""
        body = content[len(_MAGIC) + 32 :]
        checksum = hashlib.sha256(body)
        if not content.startswith(_MAGIC) or checksum.digest() != content[len(_MAGIC) : len(_MAGIC) + 32]:
            raise BadModel("the checksum does not match")
        head, words, idf, weights, bias = _parts(body)
        about: dict[str, Any] = json.loads(head)
        heads = [Head(name, tuple(labels), temperature) for name, labels, temperature in about["heads"]]
        features = words.decode().split("\n") if words else []
        columns = sum(len(h.labels) for h in heads)
        return Model(
            features,
            np.frombuffer(idf, "<f4"),
            np.frombuffer(weights, "<f2").astype(np.float32).reshape(len(features), columns),
            np.frombuffer(bias, "<f4"),
            heads,
            about["note"],
            checksum.hexdigest()[:_VERSION],
        )

    @staticmethod
    def load(path: Path) -> Model:
        """The model in a file; raises BadModel, or OSError when there is none."""
        return Model.from_bytes(path.read_bytes())


def weighed(features: Iterable[str], rows: Mapping[str, int], idf: Matrix) -> tuple[NDArray[np.intp], Matrix]:
    """The rows of the features that are known, and what each counts: rarer counts more, the length is always one."""
    known = [row for row in map(rows.get, features) if row is not None]
    counts = dict.fromkeys(known, 0)
    found = np.fromiter(counts, dtype=np.intp, count=len(counts))
    values = idf.take(found)
    if len(counts) < len(known):
        for row in known:
            counts[row] += 1
        # Few stand there twice.
        for at, n in enumerate(counts.values()):
            if n > 1:
                values[at] *= _TIMES[n] if n < len(_TIMES) else np.float32(1 + math.log(n))
    length = math.sqrt(values.dot(values))
    if length:
        values /= length
    return found, values


def _parts(body: bytes) -> list[bytes]:
    parts = []
    at = 0
    while at < len(body):
        size = int.from_bytes(body[at : at + 4], "little")
        parts.append(body[at + 4 : at + 4 + size])
        at += 4 + size
    if len(parts) != 5:
        raise BadModel("five parts are expected")
    return parts
