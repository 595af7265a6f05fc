"""When a delivery is tried again."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from bot.rules.retry import LONGEST_SECONDS, next_try

NOW = datetime(2026, 10, 7, 5, 0, tzinfo=UTC)


class Middle(random.Random):
    """No spread."""

    def uniform(self, a: float, b: float) -> float:
        return 1.0


def pause(tries: int, **more: float) -> float:
    return (next_try(NOW, tries, jitter=Middle(), **more) - NOW).total_seconds()


@pytest.mark.parametrize(
    ("tries", "seconds"), [(0, 5), (1, 5), (2, 10), (3, 20), (4, 40), (9, 1280), (10, 1800), (26, 1800)]
)
def test_pauses_double_up_to_half_an_hour(tries: int, seconds: float) -> None:
    assert pause(tries) == seconds


def test_a_delivery_that_waited_for_weeks_still_has_a_next_try() -> None:
    assert pause(100_000) == LONGEST_SECONDS


def test_the_channel_may_ask_for_a_longer_pause() -> None:
    assert pause(1, at_least=60.0) == 60.0


def test_a_shorter_wish_of_the_channel_does_not_hurry_us() -> None:
    assert pause(5, at_least=1.0) == 80.0


def test_those_who_failed_together_do_not_come_back_together() -> None:
    pauses = {(next_try(NOW, 4, jitter=random.Random(n)) - NOW).total_seconds() for n in range(50)}
    assert len(pauses) > 40
    assert 32 <= min(pauses) < max(pauses) <= 48
