"""Pacing: no second holds more than the rate, wherever one begins to count, and a hold-up is made up for."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.pacing import MOST_REMEMBERED, next_slot, remembered, window

ROOM = 0.03


def slots_of(rate: float, delays: list[float]) -> list[float]:
    """The slots of messages, each asked for this long after the last one's slot."""
    taken: list[float] = []
    now, out = 0.0, []
    for delay in delays:
        now += delay
        slot = next_slot(taken, now, rate, ROOM)
        taken = remembered([*taken, slot], rate)
        out.append(slot)
    return out


def busiest(moments: list[float], seconds: float) -> int:
    return max(sum(1 for one in moments if first <= one < first + seconds) for first in moments)


@given(
    rate=st.floats(0.2, 500),
    delays=st.lists(st.floats(0, 0.4), min_size=2, max_size=300),
    lates=st.lists(st.floats(0, ROOM), min_size=300, max_size=300),
)
def test_no_window_ever_holds_more_than_the_rate(rate: float, delays: list[float], lates: list[float]) -> None:
    slots = slots_of(rate, delays)
    most, span = window(rate)
    assert most <= max(1.0, rate * span + 1e-9)
    sent = sorted(slot + late for slot, late in zip(slots, lates, strict=False))
    assert busiest(sent, span - 1e-9) <= most


@given(st.lists(st.floats(0, 2), min_size=2, max_size=100), st.floats(1, 100))
def test_slots_keep_their_order_and_nothing_leaves_before_it_was_asked_for(delays: list[float], rate: float) -> None:
    slots = slots_of(rate, delays)
    assert slots == sorted(slots)
    asked = 0.0
    for slot, delay in zip(slots, delays, strict=True):
        asked += delay
        assert slot >= asked


def test_without_a_hold_up_messages_leave_evenly() -> None:
    slots = slots_of(50, [0.0] * 400)
    steps = [after - before for before, after in itertools.pairwise(slots)]
    assert max(steps) == pytest.approx(min(steps), rel=0.01)
    assert 399 / slots[-1] == pytest.approx(50, rel=0.04)


def test_a_hold_up_is_made_up_for_within_the_next_seconds() -> None:
    even, held = (
        slots_of(50, [0.0] * 400),
        slots_of(50, [0.0] * 200 + [slots_of(50, [0.0] * 200)[-1] + 0.3] + [0.0] * 199),
    )
    assert held[200] - even[200] > 0.25
    assert held[-1] - even[-1] <= held[200] - even[200] + 0.01, "later messages are not held up more and more"
    again = slots_of(50, ([0.0] * 99 + [0.0]) * 4)
    assert again[-1] == pytest.approx(even[-1], abs=0.01)


def test_after_a_pause_it_begins_evenly() -> None:
    taken = slots_of(10, [0.0] * 10)
    late = taken[-1] + 60
    slot = next_slot(taken, late, 10, ROOM)
    assert slot == late
    assert next_slot([*taken, slot], late, 10, ROOM) - slot == pytest.approx(0.1, rel=0.05)


@pytest.mark.parametrize(
    ("rate", "most"), [(0.2, 1), (0.9, 1), (1.5, 1), (60, 60), (60.9, 60), (5_000, MOST_REMEMBERED)]
)
def test_the_window_never_allows_more_than_the_rate(rate: float, most: int) -> None:
    assert window(rate) == (most, most / rate)


def test_without_a_rate_nothing_waits_or_is_remembered() -> None:
    assert next_slot([1.0, 2.0], 2.0, math.inf, ROOM) == 2.0
    assert remembered([1.0, 2.0], math.inf) == []
