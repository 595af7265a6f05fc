"""Trials: what a candidate may lose, and what it may not, told from two readings of the same messages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.usecases import trials
from bot.usecases.learning import divided
from bot.usecases.lessons import Lesson, Word
from bot.usecases.trials import Trial, try_out
from nlp.examples import Example
from nlp.reading import Reading
from storage.enums import CorrectionKind
from tests.conftest import NOON

FEEDBACK = Reading("feedback")
DANGER, SECRET = Reading("emergency", urgency="khan_cap"), Reading("denunciation", sealed=True)
EXAMPLES = {
    "danger": (Example("cháy nhà", "emergency", (), "khan_cap", sealed=False), DANGER, FEEDBACK),
    "a secret": (Example("nhận hối lộ", "denunciation", (), "thuong", sealed=True), SECRET, FEEDBACK),
    "a report": (
        Example("đường hỏng", "feedback", (), "thuong", sealed=False),
        FEEDBACK,
        replace(FEEDBACK, intent="spam"),
    ),
}
OF = 100


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Tries out readings themselves, in place of the models that would give them."""
    monkeypatch.setattr(trials, "readings", lambda model, texts: model if texts else [])

    def on(example: Example, before: list[Reading], after: list[Reading]) -> Trial:
        models: tuple[Any, Any] = (before, after)
        return try_out(*models, [example] * len(before), [])

    return on


@pytest.mark.parametrize("about", EXAMPLES)
def test_not_one_message_may_be_lost_whatever_is_gained(tried: Any, about: str) -> None:
    example, right, wrong = EXAMPLES[about]
    before = [wrong] * 5 + [right] * (OF - 5)
    after = [right] * (OF - 5) + [wrong] * 5
    assert tried(example, before, after).lost
    assert not tried(example, before, [right] * OF).lost


def test_what_is_held_out_was_taught_to_neither_of_both() -> None:
    def lesson(number: int, label: str) -> Lesson:
        return Lesson(number, number, "", (), (Word(1, 1, CorrectionKind.TOPIC, label, number, NOON),))

    trusted = [lesson(number, "dien") for number in range(1, 201)]
    earlier = [lesson(number, "rac-thai") for number in range(1, 101)]  # other objects about the same messages
    shares = divided(trusted, earlier)
    held_out, heard, before = (
        {one.message_id for one in lessons} for lessons in (shares.held_out, shares.heard, shares.earlier)
    )
    assert len(held_out) > 20
    assert not held_out & (heard | before)
    assert held_out | heard == set(range(1, 201))
    assert before == set(range(1, 101)) - held_out
