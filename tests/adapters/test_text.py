"""Text is counted and cut the way channels do."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.text import length, printable, split

VIETNAMESE = "Đường liên xóm 5 bị sụt lún, xe máy đi qua rất nguy hiểm. Kính mong Ủy ban kiểm tra giúp bà con. "
FAMILY = "👨‍👩‍👧‍👦"
FLAG = "🇻🇳"
UNITS = ["utf16", "codepoints"]


@pytest.mark.parametrize(
    ("text", "utf16", "codepoints"),
    [("", 0, 0), ("abc", 3, 3), ("Đường", 5, 5), ("👍", 2, 1), (FAMILY, 11, 7), (FLAG, 4, 2), ("\ud800", 1, 1)],
)
def test_length_is_counted_in_the_channels_units(text: str, utf16: int, codepoints: int) -> None:
    assert (length(text, "utf16"), length(text, "codepoints")) == (utf16, codepoints)


def test_unknown_units_are_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="units"):
        length("a", "bytes")


def test_a_limit_without_room_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="room"):
        split("abc", 1, "utf16")


@pytest.mark.parametrize(
    ("label", "text", "limit", "parts"),
    [
        ("nothing", "", 10, []),
        ("only spaces", " \n\t ", 10, []),
        ("what fits is one part", "xin chào", 10, ["xin chào"]),
        ("exactly the limit", "0123456789", 10, ["0123456789"]),
        ("spaces around are lost", "  a b  ", 10, ["a b"]),
        ("between paragraphs", "aaaa bbbb\n\ncccc dd", 14, ["aaaa bbbb", "cccc dd"]),
        ("between lines", "aaaa bbbb\ncccc dd", 14, ["aaaa bbbb", "cccc dd"]),
        ("between sentences", "Một hai. Ba bốn năm", 14, ["Một hai.", "Ba bốn năm"]),
        ("between words", "Một hai ba bốn", 10, ["Một hai ba", "bốn"]),
        ("a short first line does not travel alone", "Kính\ngửi ông bà xóm năm", 16, ["Kính\ngửi ông bà", "xóm năm"]),
        ("an unbroken run is cut", "aaaaaaaaaaaa", 5, ["aaaaa", "aaaaa", "aa"]),
        ("accents stay on their letters", "ữ" * 7, 3, ["ữữữ", "ữữữ", "ữ"]),
        ("a decomposed letter is one letter", unicodedata.normalize("NFD", "ữữữữ"), 2, ["ữữ", "ữữ"]),
        ("a flag stays a flag", FLAG * 3, 6, [FLAG, FLAG, FLAG]),
        ("a family stays together", f"ab{FAMILY}", 12, ["ab", FAMILY]),
        ("a non-breaking space is no place to cut", "10\u00a0000\u00a0đồng rồi", 12, ["10\u00a0000\u00a0đồng", "rồi"]),
    ],
)
def test_text_is_cut_where_a_reader_would_pause(label: str, text: str, limit: int, parts: list[str]) -> None:
    assert split(text, limit, "utf16") == parts, label


def test_a_long_answer_is_cut_into_parts_that_fit_zalo() -> None:
    text = VIETNAMESE * 60
    parts = split(text, 1900, "utf16")
    assert all(0 < length(part, "utf16") <= 1900 for part in parts)
    assert all(part.endswith(".") for part in parts)
    assert len(parts) == -(-length(text.strip(), "utf16") // 1900)


characters = st.sampled_from(
    ["a", "ữ", "đ", " ", "\n", "\n\n", ". ", "👍", FLAG, FAMILY, "e\u0323\u0302", "\u00a0", "한", "\u200d"]
)
texts = st.lists(characters, max_size=60).map("".join) | st.text(max_size=80)


@settings(max_examples=300, deadline=None)
@given(texts, st.integers(2, 30), st.sampled_from(UNITS))
def test_every_part_fits(text: str, limit: int, units: str) -> None:
    assert all(0 < length(part, units) <= limit for part in split(text, limit, units))


@settings(max_examples=300, deadline=None)
@given(texts, st.integers(2, 30), st.sampled_from(UNITS))
def test_only_white_space_is_lost(text: str, limit: int, units: str) -> None:
    whole = "".join(unicodedata.normalize("NFC", text).split())
    assert "".join("".join(split(text, limit, units)).split()) == whole


@settings(max_examples=200, deadline=None)
@given(texts.map(lambda text: unicodedata.normalize("NFC", text)), st.integers(12, 30))
def test_a_text_that_fits_stays_whole(text: str, limit: int) -> None:
    if text.strip() and length(text, "utf16") <= limit:
        assert len(split(text, limit, "utf16")) == 1


def test_piled_up_marks_cost_no_seconds() -> None:
    begun = time.thread_time()
    parts = split("a" + "\u0301" * 20_000, 1900, "utf16")
    assert time.thread_time() - begun < 2
    assert all(length(part, "utf16") <= 1900 for part in parts)


@pytest.mark.parametrize(
    ("value", "kept"),
    [("abc", "abc"), ("abcdef", "abcde"), ("a\0b", "ab"), ("a\ud800", "a\ufffd"), (5, ""), (None, ""), (["a"], "")],
)
def test_what_is_kept_can_be_stored_everywhere(value: object, kept: str) -> None:
    assert printable(value, 5) == kept


def test_two_halves_of_a_character_become_whole_again() -> None:
    assert printable("\ud83d\udc4d", 5) == "👍"
