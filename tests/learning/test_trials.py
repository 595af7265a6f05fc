"""Trials: what a candidate may lose, and what it may not, told from two readings of the same messages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.usecases import trials
from bot.usecases.trials import Trial, try_out
from nlp.examples import Example
from nlp.reading import Reading

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
