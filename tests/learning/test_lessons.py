"""What becomes a lesson: the newest words of officials, and nothing that a citizen took back."""

from __future__ import annotations

import pytest

from bot.usecases import lessons
from bot.usecases.lessons import gather
from tests.builders import World
from tests.conftest import Clock
from tests.learning.conftest import FLUMES, Report, set_topics
from tests.usecases.looking import POTHOLE, take_in, the_ticket
from tests.usecases.test_citizens import does


def test_the_sentence_that_stands_for_what_was_erased_is_no_lesson(world: World, clock: Clock) -> None:
    withdrawn_at = clock()
    clock.move(minutes=10)
    world.says(POTHOLE)
    take_in(world)
    set_topics(world, "lan", [the_ticket(world)], "cay-xanh")
    assert [lesson.text for lesson in gather(world.runtime.database)] == [POTHOLE]
    does(world, "user_withdraw", at=withdrawn_at)  # an event of before, delivered late
    take_in(world)
    assert gather(world.runtime.database) == []


def test_the_newest_messages_are_learned_from(world: World, reported: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lessons, "_MOST", 2)
    first, second, third = reported(FLUMES[:3])
    set_topics(world, "lan", [third, first, second], "nong-nghiep")
    assert [lesson.text for lesson in gather(world.runtime.database)] == [FLUMES[0], FLUMES[1]]


def test_no_transaction_is_open_while_messages_are_understood(
    world: World, reported: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_topics(world, "lan", reported(FLUMES[:2]), "nong-nghiep")
    pool, find_clues, opened = world.runtime.database.engine.pool, lessons.find_clues, []
    held = pool.checkedout()  # type: ignore[attr-defined]

    def watched(*given: object) -> object:
        opened.append(pool.checkedout() - held)  # type: ignore[attr-defined]
        return find_clues(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(lessons, "find_clues", watched)
    assert len(gather(world.runtime.database)) == 2
    assert opened == [0, 0]
