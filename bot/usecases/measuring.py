"""Measuring: how well labelled messages are read, as written and in the other forms that people type."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bot.usecases.installation import Installation
from bot.usecases.reading import Homes, UnknownCode, country
from nlp.bootstrap import figure, quantile
from nlp.evaluation import BadGold, Difference, Figure, Gold, differences, measure, measure_basic, risk_coverage
from nlp.noise import FORMS, noisy
from nlp.reader import Reader
from nlp.reading import Home, KnownPlace, Reading

AS_WRITTEN = "as written"
_WARM = "ấm máy"


@dataclass(frozen=True)
class Quality:
    """What was measured with some messages.

    `forms`: the figures of each form; `figures`: all of the messages as written; `latency`: in milliseconds a message;
    `risk_coverage`: (share answered, share right of those, the probability needed).
    """

    messages: int
    model: str
    forms: dict[str, list[Figure]]
    figures: list[Figure]
    latency: list[Figure]
    risk_coverage: list[tuple[float, float, float]]
    misread: list[list[Difference]]

    def to_json(self) -> dict[str, Any]:
        """Everything as plain JSON types, figures by name."""
        return {
            "messages": self.messages,
            "model": self.model,
            "forms": {form: _by_name(figures) for form, figures in self.forms.items()},
            "figures": _by_name(self.figures),
            "latency_ms": _by_name(self.latency),
            "risk_coverage": [
                {"answered": answered, "right": right, "probability": needed}
                for answered, right, needed in self.risk_coverage
            ],
            "misread": [[asdict(one) for one in message] for message in self.misread],
        }


def _by_name(figures: Sequence[Figure]) -> dict[str, dict[str, float]]:
    return {f.name: {"value": f.value, "low": f.low, "high": f.high, "of": f.of} for f in figures}


def measure_quality(
    gold: Sequence[Gold],
    *,
    places: Sequence[KnownPlace] | None = None,
    most_misread: int = 0,
    note: Callable[[str], None] = lambda _: None,
) -> Quality:
    """Read the messages in all forms and compare; raises BadGold when one is written to a home that does not exist."""
    installation = Installation(note)
    homes = _homes(gold, Homes(installation, places))
    if any(one.places for one in gold) and not any(home.places for home in homes):
        note("no list of places is known, so none can be found; give one with --places")
    reader = Reader(country().gazetteer, installation.judge())
    for home in {id(home): home for home in homes}.values():
        reader.read(_WARM, home)
    pairs, millis = _timed(reader, gold, homes)
    forms = {AS_WRITTEN: measure_basic(pairs)}
    for form in FORMS:
        if form != AS_WRITTEN:
            readings = [reader.read(noisy(form, g.text), home) for g, home in zip(gold, homes, strict=True)]
            forms[form] = measure_basic(list(zip(gold, readings, strict=True)))
    wrong = (list(differences(g, r)) for g, r in pairs)
    return Quality(
        messages=len(gold),
        model=reader.version,
        forms=forms,
        figures=measure(pairs),
        latency=[figure("p50", quantile(0.5), millis), figure("p99", quantile(0.99), millis)],
        risk_coverage=risk_coverage(pairs),
        misread=[found for found in wrong if found][:most_misread],
    )


def _homes(gold: Sequence[Gold], homes: Homes) -> list[Home]:
    found = []
    for one in gold:
        try:
            found.append(homes.home(one.home))
        except UnknownCode as error:
            raise BadGold(f"{one.number}: {error}") from None
    return found


def _timed(
    reader: Reader, gold: Sequence[Gold], homes: Sequence[Home]
) -> tuple[list[tuple[Gold, Reading]], list[float]]:
    """The readings of the messages as written, and the milliseconds each took."""
    pairs, millis = [], []
    for one, home in zip(gold, homes, strict=True):
        begun = time.perf_counter()
        reading = reader.read(one.text, home)
        millis.append((time.perf_counter() - begun) * 1000)
        pairs.append((one, reading))
    return pairs, millis
