"""Bulletins from above: whose they are and how urgent stands in the title, their words stay as they are."""

from __future__ import annotations

import pytest

from bot.rules.audience import TITLE_AT_MOST
from bot.rules.from_above import Handed, heading, words
from storage.enums import Importance

FLOOD = Handed(Importance.EMERGENCY, "UBND tỉnh Long An", "Lũ lên", "Sơ tán ngay.")


@pytest.mark.parametrize(
    ("urgency", "title"),
    [
        (Importance.ROUTINE, "Tin của UBND tỉnh Long An"),
        (Importance.PRIORITY, "Tin ưu tiên của UBND tỉnh Long An"),
        (Importance.EMERGENCY, "KHẨN CẤP: tin của UBND tỉnh Long An"),
    ],
)
def test_the_title_says_whose_it_is_and_its_class(urgency: Importance, title: str) -> None:
    assert heading(Handed(urgency, FLOOD.source, FLOOD.title, FLOOD.text)) == title


@pytest.mark.parametrize("length", [0, 1, 40, 79, 80, 200])
def test_the_title_is_never_too_long(length: int) -> None:
    for is_cancelled in (False, True):
        told = Handed(Importance.EMERGENCY, "Đ" * length, "Lũ", "Lời", 12, is_cancelled)
        assert len(heading(told)) <= TITLE_AT_MOST
        assert heading(told).endswith("(bản 12)") is not is_cancelled


def test_their_words_stay_as_they_are() -> None:
    assert words(FLOOD) == "Lũ lên\n\nSơ tán ngay."
    assert words(Handed(Importance.ROUTINE, "", "Lũ lên", "Lũ lên từ đêm qua.")) == "Lũ lên từ đêm qua."


def test_what_is_taken_back_says_why() -> None:
    told = Handed(Importance.EMERGENCY, "Tỉnh", "Lũ lên", "Sơ tán ngay.", 2, is_cancelled=True, reason="Nước đã rút.")
    assert words(told) == "“Lũ lên” không còn hiệu lực. Nước đã rút."
    assert heading(told) == "HẾT HIỆU LỰC: tin của Tỉnh"
