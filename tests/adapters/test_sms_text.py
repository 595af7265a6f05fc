"""Words on a mobile network: alphabets, parts, marks, numbers."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.sms_text import (
    GSM7,
    UCS2,
    digits_of,
    encoded,
    gsm_decoded,
    is_same_but_for_marks,
    mobile,
    segments,
    unmarked,
    urn_of,
)

VIETNAMESE = "Kính gửi UBND xã, đèn đường thôn Đông hỏng ba hôm nay, mong cán bộ cử người sửa sớm."
NAMES = ("Nguyễn Thị Ánh Nguyệt", "Đặng Văn Ổn", "Trần Lê Quỳnh Như", "H'Hen Niê", "Lò Thị Mỷ")
LETTERS = "aăâbcdđeêghiklmnoôơpqrstuưvxyàáảãạằắẳẵặầấẩẫậèéẻẽẹềếểễệìíỉĩịòóỏõọồốổỗộờớởỡợùúủũụừứửữựỳýỷỹỵ ĐÀỮ"
WORDS = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=700)
MIXED = st.text(alphabet="abc xyz€[]{}^\\~|đườngẾ😀…“”\n", max_size=500)


@pytest.mark.parametrize(
    ("text", "coding", "units", "parts"),
    [
        ("", GSM7, 0, 1),
        ("a" * 160, GSM7, 160, 1),
        ("a" * 161, GSM7, 161, 2),
        ("a" * 306, GSM7, 306, 2),
        ("a" * 307, GSM7, 307, 3),
        ("€" * 80, GSM7, 160, 1),
        ("€" * 81, GSM7, 162, 2),
        ("[QC] ", GSM7, 7, 1),
        ("ư" * 70, UCS2, 70, 1),
        ("ư" * 71, UCS2, 71, 2),
        ("ư" * 134, UCS2, 134, 2),
        ("ư" * 135, UCS2, 135, 3),
        ("😀" * 35, UCS2, 70, 1),
        ("😀" * 36, UCS2, 72, 2),
    ],
)
def test_parts_are_counted_as_networks_do(text: str, coding: int, units: int, parts: int) -> None:
    found = segments(text)
    assert (found.coding, found.units, found.count) == (coding, units, parts)


def test_an_escaped_letter_moves_whole_into_the_next_part() -> None:
    first, second = segments("a" * 152 + "€" + "b" * 100).parts
    assert (len(first), second[0]) == (152, "€")


def test_a_surrogate_pair_moves_whole_into_the_next_part() -> None:
    first, second = segments("ư" * 66 + "😀" + "b" * 10).parts
    assert (len(first), second[0]) == (66, "😀")


def test_nobody_sends_more_than_255_parts() -> None:
    with pytest.raises(ValueError, match="255"):
        segments("a" * (153 * 255 + 1))


@given(MIXED | WORDS)
def test_parts_join_to_the_text_and_each_one_fits(text: str) -> None:
    found = segments(text)
    assert "".join(found.parts) == text
    room = (140 if found.is_unicode else 160) if found.count == 1 else (134 if found.is_unicode else 153)
    assert all(len(encoded(part, found.coding)) <= room for part in found.parts)


@given(st.text(alphabet="ab€[]{}^\\~|@£Δ_\n\r à", max_size=200))
def test_the_narrow_alphabet_reads_back_what_it_wrote(text: str) -> None:
    assert gsm_decoded(encoded(text, GSM7)) == text


def test_broken_bytes_are_shown_as_such() -> None:
    assert gsm_decoded(b"a\x1b") == "a\ufffd"
    assert gsm_decoded(b"\xff\x1b\x01") == "\ufffd\ufffd"


def test_marks_are_dropped_and_the_price_halves() -> None:
    text = VIETNAMESE + " Xin cảm ơn quý cơ quan."
    assert unmarked("Tiếng Việt: Đặng “Ổn” – 5…") == 'Tieng Viet: Dang "On" - 5...'
    assert (segments(text).count, segments(unmarked(text)).count) == (2, 1)


@given(st.text(alphabet=st.characters(min_codepoint=0x20, max_codepoint=0x1EF9, exclude_categories=["Cs", "M"])))
def test_dropping_marks_changes_nothing_but_marks(text: str) -> None:
    without = unmarked(text)
    assert is_same_but_for_marks(text, without)
    assert unmarked(without) == without


@given(
    st.text(alphabet="aăâbcdđeêghiklmnoôơpqrstuưvxyàáảãạằắẳẵặầấẩẫậèéẻẽẹềếểễệìíỉĩịòóỏõọồốổỗộờớởỡợùúủũụừứửữựỳýỷỹỵ ĐÀỮ")
)
def test_vietnamese_without_marks_needs_the_narrow_alphabet_only(text: str) -> None:
    for form in ("NFC", "NFD"):
        assert unmarked(unicodedata.normalize(form, text)).isascii()


@pytest.mark.parametrize("name", NAMES)
def test_a_name_survives(name: str) -> None:
    assert is_same_but_for_marks(name, unmarked(name))
    assert not is_same_but_for_marks(name, unmarked(name)[:-1])
    assert not is_same_but_for_marks("Đá", "Ta")


def test_an_emoji_does_not_make_the_message_dearer() -> None:
    assert unmarked("Cảm ơn 😀!") == "Cam on  !"
    assert not segments(unmarked("Cảm ơn 😀")).is_unicode


@pytest.mark.parametrize(
    "written",
    ["+84912345678", "84912345678", "0084912345678", "0912345678", "091 234 5678", "0912.345.678", "(+84) 912-345-678"],
)
def test_a_mobile_number_is_the_same_however_it_is_written(written: str) -> None:
    assert mobile(written) == "84912345678"
    assert urn_of(written) == "tel:+84912345678"
    assert digits_of(f"tel:{written}") == "84912345678"


@pytest.mark.parametrize(
    "written",
    ["", "8088", "191", "VIETTEL", "UBND-XA", "01234567890", "0212345678", "+85512345678", "091234567", "09123456789",
     "912345678", "+840912345678", "٠٩١٢٣٤٥٦٧٨", "0912345678x", "9" * 5_000],
)  # fmt: skip
def test_everything_else_is_nobody_a_machine_may_answer(written: str) -> None:
    assert mobile(written) is None
    assert urn_of(written) is None
    assert digits_of(f"zalo:{written}") is None
