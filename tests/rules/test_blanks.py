"""Templates of answers: what is known is put in, what is not stays open and stops the answer."""

from __future__ import annotations

import pytest

from bot.rules.blanks import VARIABLES, BracesDoNotMatch, added_to, fill, names_in
from bot.usecases.replies import _UNFILLED

KNOWN = {"ma": "PA26-0001", "diadiem": "Chợ {Đình}", "han": "", "ngay": "[x]"}


@pytest.mark.parametrize(
    ("template", "reads"),
    [
        ("Phản ánh {ma}.", "Phản ánh PA26-0001."),
        ("Trước {han}.", "Trước {hạn trả lời}."),
        ("Tại {diadiem}.", "Tại Chợ Đình."),
        ("Xong [ngày xong], {ma}.", "Xong {ngày xong}, PA26-0001."),
        ("Hôm nay {ngay}.", "Hôm nay [x]."),
        ("Không có gì.", "Không có gì."),
    ],
)
def test_what_is_known_is_put_in_once_and_what_is_not_stays_open(template: str, reads: str) -> None:
    assert fill(template, KNOWN) == reads


def test_every_open_place_is_one_that_stops_an_answer() -> None:
    for name in VARIABLES:
        assert _UNFILLED.fullmatch(fill("{" + name + "}", {})), name
    assert _UNFILLED.fullmatch(fill("[" + "x" * 38 + "]", {}))


@pytest.mark.parametrize("words", ["{ma", "ma}", "{{ma}}", "{a\nb}"])
def test_braces_that_do_not_match_are_found(words: str) -> None:
    with pytest.raises(BracesDoNotMatch):
        names_in(words)


def test_names_are_found_in_their_order() -> None:
    assert names_in("{ma} {lạ} {}") == ["ma", "lạ", ""]


@pytest.mark.parametrize(
    ("typed", "after"), [("", "A"), (" \n", "A"), ("Chào.", "Chào.\n\nA"), ("Chào.\r\n\r\nA", "Chào.\n\nA")]
)
def test_what_was_typed_stays_and_nothing_is_put_in_twice(typed: str, after: str) -> None:
    assert added_to(typed, "A") == after
