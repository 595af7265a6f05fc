"""Trials: a candidate against another model on messages that neither has learned from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bot.rules.promotion import MOST_LOST, Difference, compare
from bot.usecases.lessons import Lesson, Word
from nlp.evaluation import macro_f1
from nlp.examples import Example
from nlp.model import Model
from nlp.reader import ModelJudge, Reader
from nlp.reading import Home, Reading
from nlp.units import Gazetteer
from nlp.urgency import EMERGENCY
from storage.enums import CorrectionKind

_NOWHERE = Home("", "", "")
_SPAM = "spam"
_ONE_IN = 7


@dataclass(frozen=True)
class Trial:
    """What was measured, and in words what was lost; nothing lost means that the candidate may be promoted."""

    differences: tuple[Difference, ...]
    macro_f1: tuple[float, float]
    lost: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The figures in plain numbers."""
        return {"differences": [asdict(d) for d in self.differences], "macro_f1": list(self.macro_f1)}


def readings(model: Model, texts: Sequence[str]) -> list[Reading]:
    """What a reader with this model makes of texts sent to nowhere in particular."""
    reader = Reader(Gazetteer(()), ModelJudge(model))
    return [reader.read(text, _NOWHERE) for text in texts]


def try_out(
    before: Model, after: Model, frozen: Sequence[Example], held_out: Sequence[Lesson], *, name: str = ""
) -> Trial:
    """Let both read the frozen messages and the corrections held out, and compare answer by answer.

    Chances are compared besides answers: few messages are near the border of two topics, but each moves a little,
    so half a point can be told from chance on far fewer messages.
    """
    texts = [example.text for example in frozen]
    old, new = readings(before, texts), readings(after, texts)
    fair = _frozen_differences(frozen, old, new, name)
    f1 = _macro_f1(frozen, old), _macro_f1(frozen, new)
    lost = [str(d) for d in fair if _is_lost(d)]
    if f1[1] < f1[0] - MOST_LOST:
        lost.append(f"{name}macro-F1: {100 * f1[0]:.2f} → {100 * f1[1]:.2f}")
    said = _correction_difference(before, after, held_out, name)
    lost += [str(said)] if said.is_worse else []
    return Trial((*fair, said), f1, tuple(lost))


def is_frozen(number: int) -> bool:
    """Whether the message that ships with this number is kept from both models of a trial: one in seven is."""
    return number % _ONE_IN == _ONE_IN // 2


def _frozen_differences(
    frozen: Sequence[Example], old: Sequence[Reading], new: Sequence[Reading], name: str
) -> list[Difference]:
    def told(what: str, right: Callable[[Example, Reading], float], among: Callable[[Example], bool]) -> Difference:
        at = [i for i, example in enumerate(frozen) if among(example)]
        return compare(name + what, [right(frozen[i], old[i]) for i in at], [right(frozen[i], new[i]) for i in at])

    return [
        told("chance of the right topic", _chance, lambda e: bool(e.topics)),
        told("right topic", lambda e, r: r.topic in e.topics, lambda e: bool(e.topics)),
        told("right intent", lambda e, r: r.intent == e.intent, lambda _: True),
        told("right urgency", lambda e, r: r.urgency == e.urgency, lambda _: True),
        told("no report taken for spam", lambda _, r: r.intent != _SPAM, lambda e: e.intent != _SPAM),
        told("danger seen", lambda _, r: r.urgency == EMERGENCY, lambda e: e.urgency == EMERGENCY),
        told("sealed", lambda _, r: r.sealed, lambda e: e.sealed),
    ]


def _is_lost(found: Difference) -> bool:
    """Chances by their interval, which is narrow; answers by their mean; danger and secrets by a single message."""
    if found.name.endswith("chance of the right topic"):
        return found.is_lost
    if found.name.endswith(("danger seen", "sealed", "taken for spam")):
        return found.worse > 0
    return found.after <= found.before - MOST_LOST


def _chance(example: Example, reading: Reading) -> float:
    return sum(guess.probability for guess in reading.topics if guess.slug in example.topics)


def _macro_f1(frozen: Sequence[Example], read: Sequence[Reading]) -> float:
    rows = [
        (reading.topic if reading.topic in example.topics else example.topic, reading.topic or "")
        for example, reading in zip(frozen, read, strict=True)
        if example.topics
    ]
    return macro_f1([(wanted or "", got) for wanted, got in rows]) if rows else 0.0


def _correction_difference(before: Model, after: Model, held_out: Sequence[Lesson], name: str) -> Difference:
    texts = [lesson.text for lesson in held_out]
    answers = [
        [float(_agrees(reading, word)) for lesson, reading in zip(held_out, readings(model, texts), strict=True)
         for word in lesson.words]
        for model in (before, after)
    ]  # fmt: skip
    return compare(f"{name}as officials say", *answers)


def _agrees(reading: Reading, word: Word) -> bool:
    return {
        CorrectionKind.TOPIC: reading.topic == word.label,
        CorrectionKind.URGENCY: reading.urgency == word.label,
        CorrectionKind.SEAL: not reading.sealed,
        CorrectionKind.SPAM: reading.intent == _SPAM,
    }[word.kind]
