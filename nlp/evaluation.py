"""Evaluation: how well readings agree with what people say of the same messages, with bootstrap intervals."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.reading import Reading
from nlp.urgency import EMERGENCY

_RESAMPLES = 400
_BINS = 10
_SEED = 20_260_701


class BadGold(ValueError):
    """A line that can't be measured with; says which and why."""


@dataclass(frozen=True)
class Gold:
    """A message and what people say of it; `topics`: every topic a fair colleague would accept, the main one first."""

    text: str
    home: str
    intent: str
    topics: tuple[str, ...]
    urgency: str
    sealed: bool
    places: tuple[str, ...] = ()
    units: tuple[tuple[str, ...], ...] = ()
    personal: tuple[tuple[str, str], ...] = ()
    parts: int = 1
    number: str = ""


def read_gold(path: Path) -> list[Gold]:
    """The labelled messages of a JSON-lines file; raises BadGold at the first line that is wrong."""
    with path.open(encoding="utf-8") as file:
        return [_gold(line, f"{path.name}:{number}") for number, line in enumerate(file, 1) if line.strip()]


def _gold(line: str, where: str) -> Gold:
    try:
        row: dict[str, Any] = json.loads(line)
        return Gold(
            text=row["text"],
            home=str(row.get("home", "")),
            intent=row["intent"],
            topics=tuple(row["topics"]),
            urgency=row["urgency"],
            sealed=bool(row["sealed"]),
            places=tuple(row.get("places", ())),
            units=tuple(tuple(sorted(codes)) for codes in row.get("units", ())),
            personal=tuple((p["kind"], p["text"]) for p in row.get("pii", ())),
            parts=int(row.get("parts", 1)),
            number=str(row.get("id", "")),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadGold(f"{where}: {type(error).__name__}: {error}") from error


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


def measure(pairs: Sequence[tuple[Gold, Reading]]) -> list[Figure]:
    """Every figure that can be measured with these messages and their readings."""
    about = [(g, r) for g, r in pairs if g.topics]
    named = [_named(g, r) for g, r in about]
    answered = [r.topic in g.topics for g, r in about if not r.abstains]
    figures = [
        _figure("topic accuracy", [wanted == got for wanted, got in named], _share),
        _figure("topic macro-F1", named, macro_f1),
        _figure("topic in the first two", [bool({t.slug for t in r.topics} & {*g.topics}) for g, r in about], _share),
        _figure("right at 80 % answered", _by_sureness(about), lambda rows: _right_at(rows, 0.8)),
        _figure("answered", [not r.abstains for _, r in about], _share),
        _figure("right when answered", answered, _share),
        _figure("calibration error", _by_sureness(about), calibration_error),
        _figure("intent accuracy", [g.intent == r.intent for g, r in pairs], _share),
        _figure("intent macro-F1", [(g.intent, r.intent) for g, r in pairs], macro_f1),
        _figure("urgency accuracy", [g.urgency == r.urgency for g, r in pairs], _share),
        *_recall_and_precision("danger", [(g.urgency == EMERGENCY, r.urgency == EMERGENCY) for g, r in pairs]),
        *_recall_and_precision("sealed", [(g.sealed, r.sealed) for g, r in pairs]),
        *_set_figures("places", [({*g.places}, _places(r)) for g, r in pairs]),
        _figure("false place", [bool(_places(r)) for g, r in pairs if not g.places], _share),
        _figure("units exact", [_is_exact(g, r) for g, r in pairs if g.units], _share),
        _figure("false unit", [bool(_units(r)) for g, r in pairs if not g.units], _share),
        *_personal(pairs),
        *_recall_and_precision("two problems", [(g.parts > 1, len(r.parts) > 1) for g, r in pairs]),
    ]
    return [figure for figure in figures if figure.of]


def _named(gold: Gold, reading: Reading) -> tuple[str, str]:
    """The topic wanted and the one given; any that is accepted counts as the one wanted."""
    got = reading.topic or "-"
    return (got if got in gold.topics else gold.topics[0]), got


def _places(reading: Reading) -> set[str]:
    return {place.name for place in reading.places if place.level == "place"}


def _units(reading: Reading) -> list[tuple[str, ...]]:
    return sorted({tuple(sorted(place.codes)) for place in reading.places if place.codes})


def _is_exact(gold: Gold, reading: Reading) -> bool:
    return sorted({*gold.units}) == _units(reading)


def _personal(pairs: Sequence[tuple[Gold, Reading]]) -> list[Figure]:
    """Recall counts a piece as found when every letter and digit of it lies in spans of that kind."""
    found, right = [], []
    for gold, reading in pairs:
        for kind, piece in gold.personal:
            start = gold.text.find(piece)
            inside = {i for s in reading.personal_data if s.kind == kind for i in range(s.start, s.end)}
            found.append(all(i in inside for i in range(start, start + len(piece)) if gold.text[i].isalnum()))
        for span in reading.personal_data:
            said = gold.text[span.start : span.end]
            right.append(any(piece in said or said in piece for _, piece in gold.personal))
    return [_figure("personal data recall", found, _share), _figure("personal data precision", right, _share)]


def _recall_and_precision(name: str, rows: Sequence[tuple[bool, bool]]) -> list[Figure]:
    return [
        _figure(f"{name} recall", [given for wanted, given in rows if wanted], _share),
        _figure(f"{name} precision", [wanted for wanted, given in rows if given], _share),
    ]


def _set_figures(name: str, rows: Sequence[tuple[set[str], set[str]]]) -> list[Figure]:
    return [
        _figure(f"{name} recall", [one in given for wanted, given in rows for one in wanted], _share),
        _figure(f"{name} precision", [one in wanted for wanted, given in rows for one in given], _share),
    ]


def _by_sureness(pairs: Sequence[tuple[Gold, Reading]]) -> list[tuple[float, bool]]:
    """The probability of each first topic and whether it is right; 0 where there is none."""
    return [(r.topics[0].probability if r.topics else 0.0, (r.topic or "-") in g.topics) for g, r in pairs]


def _right_at(rows: Sequence[tuple[float, bool]], share: float) -> float:
    """The share of right ones among the surest `share`."""
    surest = sorted(rows, key=lambda row: -row[0])[: max(1, round(share * len(rows)))]
    return _share([is_right for _, is_right in surest])


def calibration_error(rows: Sequence[tuple[float, bool]]) -> float:
    """How far probabilities are from shares of right answers, on average over ten bins of equal width."""
    chances = np.array([row[0] for row in rows])
    right = np.array([row[1] for row in rows], dtype=float)
    bins = np.minimum((chances * _BINS).astype(int), _BINS - 1)
    return float(sum(abs(chances[bins == b].sum() - right[bins == b].sum()) for b in range(_BINS)) / len(rows))


def risk_coverage(pairs: Sequence[tuple[Gold, Reading]]) -> list[tuple[float, float, float]]:
    """(share answered, share right of those, the probability needed) in steps of a tenth."""
    rows = sorted(_by_sureness([(g, r) for g, r in pairs if g.topics]), key=lambda row: -row[0])
    steps = [max(1, round(len(rows) * tenth / 10)) for tenth in range(1, 11)]
    return [(n / len(rows), _share([right for _, right in rows[:n]]), rows[n - 1][0]) for n in steps if rows]


def macro_f1(rows: Sequence[tuple[str, str]]) -> float:
    """The mean over the wanted labels of the harmonic mean of precision and recall."""
    labels = sorted({wanted for wanted, _ in rows})
    total = 0.0
    for label in labels:
        both = sum(wanted == got == label for wanted, got in rows)
        either = sum((wanted == label) + (got == label) for wanted, got in rows)
        total += 2 * both / either
    return total / len(labels)


def _share(rows: Sequence[Any]) -> float:
    return sum(map(bool, rows)) / len(rows)


def _figure(name: str, rows: Sequence[Any], of: Callable[[Sequence[Any]], float]) -> Figure:
    """A figure over rows, and its interval from resampled rows; the same rows give the same interval."""
    if not rows:
        return Figure(name, 0.0, 0.0, 0.0, 0)
    dice = np.random.default_rng(_SEED)
    values = [of([rows[i] for i in _draw(dice, len(rows))]) for _ in range(_RESAMPLES)]
    low, high = np.quantile(values, [0.025, 0.975])
    return Figure(name, of(rows), float(low), float(high), len(rows))


def _draw(dice: np.random.Generator, size: int) -> NDArray[np.int64]:
    return dice.integers(0, size, size)


def misread(pairs: Iterable[tuple[Gold, Reading]]) -> list[tuple[Gold, Reading]]:
    """The messages whose topic, danger or sealing was read wrongly."""
    return [
        (g, r)
        for g, r in pairs
        if (g.topics and (r.topic or "-") not in g.topics)
        or (g.urgency == EMERGENCY) != (r.urgency == EMERGENCY)
        or g.sealed != r.sealed
    ]
