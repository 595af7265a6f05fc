"""What is usually missing in a report, and the reasons not to take one, by subject."""

from __future__ import annotations

import pytest

from bot.rules.lifecycle import LONGEST_WORDS, SHORTEST_REASON
from bot.rules.ready_words import EVERYTHING_TO_ASK, composed, to_ask, to_decline
from nlp.topics import TOPICS


@pytest.mark.parametrize(
    ("topic", "has_place", "has_photo", "first"),
    [
        ("chieu-sang", False, False, ["where", "photo", "since"]),
        ("chieu-sang", True, False, ["photo", "since"]),
        ("chieu-sang", True, True, ["since"]),
        ("tieng-on", True, False, ["hours", "photo", "since"]),
        ("thu-tuc-hanh-chinh", True, False, ["file", "since"]),
        (None, False, False, ["what", "where", "since"]),
    ],
)
def test_the_likeliest_is_proposed(topic: str | None, has_place: bool, has_photo: bool, first: list[str]) -> None:
    found = [one.key for one in to_ask(topic, has_place=has_place, has_photo=has_photo)]
    assert found[: len(first)] == first
    assert len(found) == len(set(found))


def test_a_reason_names_the_right_door() -> None:
    assert "hóa đơn tiền điện" in to_decline("dien")[0].words
    assert to_decline("khieu-nai")[0].key == "complaint"
    assert to_decline(None)[0].key == "elsewhere"


def test_every_wording_may_be_sent_as_it_is() -> None:
    for topic in (None, *TOPICS):
        for one in (*to_ask(topic, has_place=False, has_photo=False), *to_decline(topic)):
            assert SHORTEST_REASON <= len(one.words) <= LONGEST_WORDS
        assert set(to_ask(topic, has_place=False, has_photo=False)) <= set(EVERYTHING_TO_ASK)
        assert all(one.words.endswith(".") for one in to_decline(topic))
        assert len({one.key for one in to_decline(topic)}) == len(to_decline(topic))


@pytest.mark.parametrize(
    ("chosen", "typed", "sent"),
    [
        (["since"], "", "sự việc có từ khi nào, còn tiếp diễn không"),
        (["since"], " tên  quán ", "sự việc có từ khi nào, còn tiếp diễn không; tên quán"),
        (["since"], "sự việc có từ khi nào, còn tiếp diễn không", "sự việc có từ khi nào, còn tiếp diễn không"),
        ([], "tên quán", "tên quán"),
        (["no such"], "", ""),
    ],
)
def test_what_is_ticked_and_what_is_typed_are_said_once(chosen: list[str], typed: str, sent: str) -> None:
    assert composed(EVERYTHING_TO_ASK, chosen, typed, between="; ") == sent
