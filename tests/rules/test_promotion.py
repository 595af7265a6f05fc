"""Whether a model may take another's place, and which batches of corrections are left out."""

from __future__ import annotations

import pytest

from bot.rules.promotion import Vote, compare, suspicious


def test_the_same_answers_lose_nothing() -> None:
    found = compare("topic", [1, 0, 1, 1], [1, 0, 1, 1])
    assert (found.before, found.after, found.low, found.high) == (0.75, 0.75, 0, 0)
    assert not found.is_lost


def test_one_point_less_for_sure_is_a_loss() -> None:
    assert compare("chance", [0.8] * 1_000, [0.79] * 1_000).is_lost


def test_a_loss_that_could_be_as_large_as_half_a_point_is_one() -> None:
    before = [1.0] * 500
    few_lost = [0.0] * 3 + [1.0] * 497
    assert compare("topic", before, few_lost).is_lost


def test_what_gains_more_than_it_loses_by_chance_is_no_loss() -> None:
    before = [1.0] * 300 + [0.0] * 100
    after = [1.0] * 298 + [0.0] * 2 + [1.0] * 40 + [0.0] * 60
    assert not compare("topic", before, after).is_lost


def test_nothing_to_compare_is_no_loss() -> None:
    found = compare("topic", [], [])
    assert not found.is_lost
    assert not found.is_worse


def answers(gained: int, lost: int, of: int) -> tuple[list[float], list[float]]:
    """Half of the answers right before, some of them lost since, and some of the others gained."""
    right = of // 2
    before = [1.0] * right + [0.0] * (of - right)
    after = [0.0] * lost + [1.0] * (right - lost + gained) + [0.0] * (of - right - gained)
    return before, after


@pytest.mark.parametrize(
    ("gained", "lost", "of"),
    [
        pytest.param(6, 3, 92, id="a gain, though few answers tell little"),
        pytest.param(3, 3, 92, id="no change"),
        pytest.param(3, 4, 1_000, id="a tenth of a point, which may be chance"),
    ],
)
def test_a_gain_or_what_may_be_chance_is_not_worse(gained: int, lost: int, of: int) -> None:
    found = compare("as officials say", *answers(gained, lost, of))
    assert found.low < 0
    assert not found.is_worse


@pytest.mark.parametrize(
    ("gained", "lost", "of"),
    [
        pytest.param(0, 1, 92, id="one of ninety is a point"),
        pytest.param(0, 10, 4_000, id="a quarter of a point, for sure"),
    ],
)
def test_less_for_sure_or_by_half_a_point_is_worse(gained: int, lost: int, of: int) -> None:
    assert compare("as officials say", *answers(gained, lost, of)).is_worse


def test_what_was_lost_is_counted_whatever_was_gained() -> None:
    assert compare("danger seen", *answers(5, 5, 100)).worse == 5


def votes(official: int, contradicting: int, of: int, label: str = "dien", kind: str = "topic") -> list[Vote]:
    return [Vote(official, kind, label, number < contradicting) for number in range(of)]


def test_an_official_who_mostly_contradicts_is_named() -> None:
    (batch,) = suspicious([*votes(1, 20, 40), *votes(2, 2, 40, "rac-thai")])
    assert (batch.official_id, batch.kind, batch.contradicting, batch.of) == (1, "topic", 20, 40)
    assert batch.holds(1, "topic", "rac-thai")
    assert not batch.holds(2, "topic", "dien")
    assert not batch.holds(1, "urgency", "khan")


def test_poison_by_many_hands_is_found_by_its_label() -> None:
    by_nine = [vote for official in range(9) for vote in votes(official, 5, 5)]
    (batch,) = suspicious([*by_nine, *votes(20, 1, 30, "rac-thai")])
    assert (batch.official_id, batch.label, batch.of) == (None, "dien", 45)
    assert batch.holds(99, "topic", "dien")
    assert not batch.holds(20, "topic", "rac-thai")


@pytest.mark.parametrize(("contradicting", "of"), [(9, 9), (3, 10), (0, 500)])
def test_few_or_rare_contradictions_are_hard_cases(contradicting: int, of: int) -> None:
    assert suspicious(votes(1, contradicting, of)) == []
