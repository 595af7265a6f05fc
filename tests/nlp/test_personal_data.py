"""Personal data is found as people write it, a masked text has none left, and names stay where officials read."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.normalise import normalise
from nlp.personal_data import HIDDEN_KINDS, PLACEHOLDERS, find_personal_data, mask, mask_for_learning
from nlp.reading import Span
from tests.growth import grows_evenly

MARK = re.compile(rf"\[({'|'.join(PLACEHOLDERS)}):([^\]]*)\]")
Labelled = tuple[str, frozenset[tuple[int, int, str]]]


def unmarked(line: str) -> Labelled:
    """A line of the table without its marks, and where they stood."""
    text, since, spans = "", 0, set()
    for mark in MARK.finditer(line):
        text += line[since : mark.start()]
        spans.add((len(text), len(text) + len(mark[2]), mark[1]))
        text += mark[2]
        since = mark.end()
    return text + line[since:], frozenset(spans)


def table() -> list[Labelled]:
    path = Path(__file__).with_name("personal_data.tsv")
    lines = (line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    return [unmarked(line.replace("\\n", "\n")) for line in lines]


TABLE = table()


def found(text: str) -> list[tuple[str, str]]:
    return [(span.kind, text[span.start : span.end]) for span in find_personal_data(text)]


def test_what_is_personal_is_found_and_hardly_anything_else():
    wanted: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    alarms = 0
    for text, spans in TABLE:
        seen = {(span.start, span.end, span.kind) for span in find_personal_data(text)}
        wanted.update(kind for *_, kind in spans)
        missed.update(kind for *_, kind in spans - seen)
        alarms += len(seen - spans)
    total, lost = wanted.total(), missed.total()
    assert set(wanted) == set(PLACEHOLDERS)
    assert 1 - lost / total >= 0.98, missed
    assert (total - lost) / (total - lost + alarms) >= 0.95
    assert all(missed[kind] <= 0.1 * wanted[kind] for kind in wanted), missed


@pytest.mark.parametrize("text", [text for text, spans in TABLE if spans][::3])
def test_decomposed_letters_are_found_like_composed_ones(text):
    composed = unicodedata.normalize("NFC", text)
    decomposed = unicodedata.normalize("NFD", text)
    assert found(composed) == [(kind, unicodedata.normalize("NFC", piece)) for kind, piece in found(decomposed)]


@pytest.mark.parametrize(
    ("text", "kind", "piece"),
    [
        ("gọi 0912345678 nhé", "phone", "0912345678"),
        ("gọi 0912.345.678", "phone", "0912.345.678"),
        ("+84 912 345 678", "phone", "+84 912 345 678"),
        ("84912345678", "phone", "84912345678"),
        ("028 3812 3456", "phone", "028 3812 3456"),
        ("0912345678 5 người", "phone", "0912345678"),
        ("số O912 345 67O", "phone", "O912 345 67O"),
        ("không chín mười hai ba bốn năm sáu bảy tám", "phone", "không chín mười hai ba bốn năm sáu bảy tám"),
        ("cccd 079123456789", "id_number", "079123456789"),
        ("cccd 079 123 456 789", "id_number", "079 123 456 789"),
        ("CMND số 123456789", "id_number", "123456789"),
        ("hộ chiếu C1234567", "id_number", "C1234567"),
        ("stk 0123456789 vcb", "bank_account", "0123456789"),
        ("số tài khoản: 19001234567890", "bank_account", "19001234567890"),
        ("1034567890 Vietcombank", "bank_account", "1034567890"),
        ("xe 29A-123.45 vượt ẩu", "plate", "29A-123.45"),
        ("xe 59X1 234.56", "plate", "59X1 234.56"),
        ("xe 30e12345", "plate", "30e12345"),
        ("mail a.b@gmail.com.", "email", "a.b@gmail.com"),
        ("abc a còng gmail chấm com", "email", "abc a còng gmail chấm com"),
        ("tôi tên là Nguyễn Văn A", "name", "Nguyễn Văn A"),
        ("toi ten nguyen van a o xom 5", "name", "nguyen van a"),
        ("0912 345 678 (chị Hoa)", "phone", "0912 345 678"),
    ],
)
def test_personal_data_is_found_as_people_write_it(text, kind, piece):
    assert (kind, piece) in found(text)


@pytest.mark.parametrize(
    "text",
    ["", "PA26-0342", "10h 30000 người", "ngày 09/12/2026", "lúc 09 12 2026 08 30", "5 triệu", "lớp 5A 2026",
     "quyết định số 1234/QĐ-UBND", "19001234", "PE01234567890", "1.500.000 đồng", "nhà ông Sáu", "gặp anh Chủ tịch",
     "đường Nguyễn Văn Linh", "tên tôi ghi sai", "lớp 12A1 2024"],
)  # fmt: skip
def test_other_numbers_and_words_are_left_alone(text):
    assert find_personal_data(text) == ()


def test_a_mask_keeps_the_length_and_the_ends():
    text = "gọi 0912345678 nhé"
    assert mask(text, find_personal_data(text)) == "gọi 09******78 nhé"


def test_a_name_stays_for_the_official_and_goes_before_learning():
    text = "Tôi tên là Nguyễn Văn A, sđt0912345678nhé"
    spans = find_personal_data(text)
    assert mask(text, spans) == "Tôi tên là Nguyễn Văn A, sđt09******78nhé"
    assert mask_for_learning(text, spans) == "Tôi tên là znamez, sđt zphonez nhé"
    assert set(PLACEHOLDERS) - HIDDEN_KINDS == {"name"}


def test_a_kind_nobody_knows_is_hidden_before_learning_too():
    assert mask_for_learning("ở 12 Lê Lợi", [Span(2, 11, "address")]) == "ở znamez"


@pytest.mark.parametrize("word", PLACEHOLDERS.values())
def test_a_placeholder_is_one_word_to_the_normaliser(word):
    assert [token.word for token in normalise(f"tôi là {word} 5, dduowngf {word}").tokens].count(word) == 2


@given(st.sampled_from(TABLE))
def test_nothing_of_a_span_is_left_for_learning(labelled):
    text, spans = labelled
    learned = mask_for_learning(text, [Span(*span) for span in spans])
    kept = [span for span in find_personal_data(learned) if span.kind in HIDDEN_KINDS]
    assert not kept
    assert sum(learned.count(word) for word in PLACEHOLDERS.values()) == len(spans)


PIECES = st.sampled_from(
    ["0912345678", "+84 912 345 678", "stk 0123456789", "079123456789", "29A-123.45", "a@b.vn", " ", ", ", "nhà", "5",
     "không chín một hai ba bốn năm sáu bảy tám", "hoa a còng gmail chấm com", "hộ chiếu C1234567", "gặp chị Hoa ",
     "tôi là Lê Văn C", "vcb", "o9", "\n"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=12).map("".join))
def test_masking_twice_changes_nothing(text):
    masked = mask(text, find_personal_data(text))
    assert len(masked) == len(text)
    assert mask(masked, find_personal_data(masked)) == masked


@given(st.one_of(st.text(alphabet="0123456789+ .-@abAĐxoOlg", max_size=80), st.text(max_size=60),
                 st.lists(PIECES, max_size=12).map(" ".join)))  # fmt: skip
def test_spans_are_in_order_inside_the_text_and_apart(text):
    spans = find_personal_data(text)
    edges = [edge for span in spans for edge in (span.start, span.end)]
    assert edges == sorted(edges)
    assert all(0 <= span.start < span.end <= len(text) for span in spans)


@pytest.mark.parametrize(
    "text", ["0" * 60_000, "5 " * 30_000, "o" * 60_000, "a@" * 30_000, "một " * 15_000, "tôi tên là Nguyễn " * 3_000,
             "stk 09 " * 8_000, "0912345678 " * 5_000, "a." * 30_000, "@gmail " * 8_000, "29A " * 15_000]
)  # fmt: skip
def test_long_texts_take_time_in_proportion(text):
    assert grows_evenly(find_personal_data, text)


FIGURES = {"0": "không o", "1": "một mot", "2": "hai", "3": "ba", "4": "bốn tư bon", "5": "năm nam", "6": "sáu sau",
           "7": "bảy bay", "8": "tám tam", "9": "chín chin"}  # fmt: skip
PHONES = st.builds("0{}{}".format, st.sampled_from("35789"), st.text(alphabet="0123456789", min_size=8, max_size=8))


@given(PHONES, st.sampled_from([" ", ".", "-", " . ", "–", "\u00a0", "_", ""]), st.data())
def test_a_phone_is_found_however_it_is_broken_up(figures, mark, data):
    cuts = sorted(data.draw(st.sets(st.integers(1, 9), max_size=5)))
    groups = [figures[start:end] for start, end in zip([0, *cuts], [*cuts, 10], strict=True)]
    if [len(group) for group in groups[:3]] != [2, 2, 4]:  # or it is a date
        written = mark.join(groups)
        assert ("phone", written) in found(f"gọi số {written} nhé")


@given(PHONES, st.data())
def test_a_phone_is_found_spelled_with_words_and_figures(figures, data):
    written = " ".join(data.draw(st.sampled_from([*FIGURES[figure].split(), figure])) for figure in figures)
    assert [kind for kind, _ in found(f"sđt {written} ạ")] == ["phone"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("stk 1903000045612 ngân hàng techcom", [("bank_account", "1903000045612")]),
        ("tiền chạy vô số 19037726610018 rồi", [("bank_account", "19037726610018")]),
        (
            "gọi em không chín một hai ba bốn không không năm sáu bảy nghe",
            [("phone", "không chín một hai ba bốn không không năm sáu bảy")],
        ),
        ("đất nhà ông Sáu Khởi lộn ranh", [("name", "Sáu Khởi")]),
        ("đất nhà ông Sáu lộn ranh", []),
        ("Cháu Thanh Xuân lớp 5A bị chặn đường", [("name", "Thanh Xuân")]),
        ("hài cốt liệt sĩ Nguyễn Đình Luận", [("name", "Nguyễn Đình Luận")]),
        ("đường liệt sĩ Nguyễn Đình Luận ngập", []),
        ("cccd ten le thi hoai thu, xin loa gium", [("name", "le thi hoai thu")]),
        ("trước cấp ba Lê Thế Hiếu có cây xà cừ", []),
    ],
)
def test_numbers_and_names_are_found_to_their_end(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text) == expected
