"""Announcements read aloud: every number and abbreviation as an announcer says it, and nothing that was not written."""

from __future__ import annotations

import csv
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.rules.read_aloud import Script, Unsure, board_lines, read_aloud, reading_time, script_of
from bot.rules.read_aloud.numbers import integer, roman, said
from bot.rules.read_aloud.wordlist import abbreviations

SENTENCES = Path(__file__).parent / "read_aloud"
FILES = ("development", "held_out", "held_out_second", "held_out_third")


def sentences(name: str) -> list[dict[str, str]]:
    with (SENTENCES / f"{name}.tsv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def read_wrong(name: str) -> list[str]:
    """What is read otherwise than an announcer says it, with both."""
    return [
        f"{row['written']}\n  should be {row['read']}\n  is        {said_now}"
        for row in sentences(name)
        if (said_now := read_aloud(row["written"]).text) != row["read"]
    ]


def test_of_all_sentences_at_least_98_percent_are_read_exactly_right() -> None:
    wrong = {name: read_wrong(name) for name in FILES}
    count = {name: len(sentences(name)) for name in FILES}
    for name in FILES:
        print(f"{name}: {count[name] - len(wrong[name])} of {count[name]} right")
    assert count["development"] >= 120
    assert count["held_out"] >= 80
    errors = [one for name in FILES for one in wrong[name]]
    assert len(errors) <= 0.02 * sum(count.values()), "\n".join(errors)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("0", "không"),
        ("10", "mười"),
        ("11", "mười một"),
        ("14", "mười bốn"),
        ("15", "mười lăm"),
        ("21", "hai mươi mốt"),
        ("24", "hai mươi tư"),
        ("25", "hai mươi lăm"),
        ("55", "năm mươi lăm"),
        ("100", "một trăm"),
        ("101", "một trăm linh một"),
        ("104", "một trăm linh bốn"),
        ("115", "một trăm mười lăm"),
        ("1.005", "một nghìn không trăm linh năm"),
        ("1.250", "một nghìn hai trăm năm mươi"),
        ("10.050", "mười nghìn không trăm năm mươi"),
        ("1.000.500", "một triệu không trăm nghìn năm trăm"),
        ("1.000.000.000", "một tỷ"),
        ("2.500.000.000.000", "hai nghìn tỷ năm trăm tỷ"),
        ("1,5", "một phẩy năm"),
        ("1,05", "một phẩy không năm"),
        ("2,0", "hai"),
        ("3.5", "ba phẩy năm"),
        ("007", "bảy"),
    ],
)
def test_a_number_is_said_as_in_vietnam(written: str, words: str) -> None:
    assert said(written) == words


def test_a_number_too_long_for_words_is_said_by_digit() -> None:
    assert integer("1" * 19) == " ".join(["một"] * 19)


@pytest.mark.parametrize(("letters", "value"), [("I", 1), ("IV", 4), ("XV", 15), ("XL", 40), ("IIII", 0), ("VX", 0)])
def test_only_a_well_formed_roman_numeral_has_a_value(letters: str, value: int) -> None:
    assert roman(letters) == value


# ---- what the machine is not sure of -------------------------------------------------------------------------------


def test_unknown_capitals_are_spelt_and_marked_where_they_stand() -> None:
    script = read_aloud("Công ty ABQ tuyển 30 lao động.")
    assert script.text == "Công ty a bê quy tuyển ba mươi lao động."
    assert script.unsure == (Unsure(8, 16, "ABQ"),)
    assert script.text[8:16] == "a bê quy"


def test_a_text_of_known_words_is_marked_nowhere() -> None:
    assert read_aloud("UBND xã cấp CCCD lúc 7h30 ngày 5/12.").unsure == ()


def test_what_has_several_meanings_is_read_as_the_usual_one_but_marked() -> None:
    script = read_aloud("BTC mời bà con dự lễ.")
    assert script.text == "Ban Tổ chức mời bà con dự lễ."
    assert [one.words for one in script.unsure] == ["BTC"]


def test_the_number_of_a_document_leaves_no_doubt() -> None:
    assert read_aloud("Thông tư 12/2026/TT-BTC").unsure == ()


def test_a_mark_at_the_beginning_of_a_sentence_stands_right() -> None:
    script = read_aloud("Xin chào.\nQZD mời họp.")
    (unsure,) = script.unsure
    assert (script.text[unsure.start : unsure.end], unsure.words) == ("Quy dét dê", "QZD")


def test_an_address_that_cannot_be_said_whole_is_marked() -> None:
    (unsure,) = read_aloud("Xem https://tayninh.gov.vn/tin?id=55&x=%20").unsure
    assert unsure.words == "https://tayninh.gov.vn/tin?id=55&x=%20"


def test_communes_own_abbreviations_are_known() -> None:
    known = {written for written, _ in abbreviations()}
    asked = """UBND HĐND TTHC BHYT BHXH VSMT ATTP PCCC CAX TDP THCS THPT MTTQ NĐ-CP QĐ TT TP Q P X H GPMB KT-XH QSDĐ
        CCCD VNeID SXH DTLCP đ/c"""
    assert set(asked.split()) <= known
    assert len(known) >= 120


# ---- sentences -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (
            "- Thời gian: 7h30\n- Địa điểm: NVH thôn 3",
            "Thời gian: bảy giờ ba mươi phút. Địa điểm: nhà văn hóa thôn ba.",
        ),
        ("Hồ sơ gồm:\n1. Đơn\n2. Ảnh;", "Hồ sơ gồm: Một, Đơn. Hai, Ảnh."),
        ("Bà con chú ý,\nkhông đốt rác", "Bà con chú ý, không đốt rác."),
        ("Trân trọng thông báo./.", "Trân trọng thông báo."),
        ("Nộp 03 (ba) bộ hồ sơ (nếu có).", "Nộp ba bộ hồ sơ, nếu có."),
        ("🎉🎉 Chúc mừng năm mới!!! 🎆", "Chúc mừng năm mới!"),
        ("THÔNG BÁO LỊCH TIÊM CỦA UBND XÃ", "Thông báo lịch tiêm của Ủy ban nhân dân xã."),
        ("#thongbao Nghỉ học **ngày mai**", "Nghỉ học ngày mai."),
        ("Hà Nội - Hải Phòng", "Hà Nội, Hải Phòng."),
        ("1️⃣ Mang giấy tờ", "Một, Mang giấy tờ."),
        ("Đo được −5°C", "Đo được âm năm độ xê."),
        ("Rộng 5 M²", "Rộng năm mét vuông."),
        ("Đạt ½ kế hoạch", "Đạt một phần hai kế hoạch."),
        ("", ""),
        ("😀", ""),
    ],
)
def test_what_is_typed_becomes_sentences(written: str, read: str) -> None:
    assert read_aloud(written).text == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Đường dây nóng: 0272.1022", "Đường dây nóng: không hai bảy hai, một không hai hai."),
        ("Soạn TC gửi 8088", "Soạn tê xê gửi tám không tám tám."),
        ("Trực từ 6h sáng - 22h tối", "Trực từ sáu giờ sáng đến hai mươi hai giờ tối."),
        ("Xã có 12 thôn/bản", "Xã có mười hai thôn hoặc bản."),
        ("Giỗ tổ 10-3 âm lịch", "Giỗ tổ ngày mùng mười tháng ba âm lịch."),
        ("Trước 5/12/26", "Trước ngày mùng năm tháng mười hai năm hai nghìn không trăm hai mươi sáu."),
        ("Tuổi: 18+", "Tuổi: mười tám trở lên."),
        ("TM. ỦY BAN NHÂN DÂN", "Thay mặt ủy ban nhân dân."),
        ("Từ số 12/4 đến 45/7", "Từ số mười hai xuyệt bốn đến bốn mươi lăm xuyệt bảy."),
        ("Ông Y Bih Niê, bà H'Hen", "Ông Y Bih Niê, bà H'Hen."),
        ("Giá 150,000 đồng", "Giá một trăm năm mươi nghìn đồng."),
        ("Mở đường ĐT.825", "Mở đường tỉnh tám trăm hai mươi lăm."),
    ],
)
def test_ways_of_writing_that_were_met_by_hand(written: str, read: str) -> None:
    assert read_aloud(written).text == read


def test_names_keep_their_capitals_where_the_title_has_only_capitals() -> None:
    script = script_of("HỌP DÂN TẠI THÔN TÂN MỸ", "Bà con thôn Tân Mỹ dự họp lúc 19h.", "xã Đức Huệ")
    assert "Họp dân tại thôn Tân Mỹ." in script.text


# ---- the frame -----------------------------------------------------------------------------------------------------

BODY = """Điện lực tạm ngừng cấp điện từ 7h30 đến 11h ngày 5/12 tại thôn 3.
Lý do: thay máy biến áp.
Mọi thắc mắc gọi 1900 1234."""
AGAIN = "Điện lực tạm ngừng cấp điện từ bảy giờ ba mươi phút đến mười một giờ ngày mùng năm tháng mười hai tại thôn ba."


def test_the_script_greets_tells_says_time_and_place_twice_and_thanks() -> None:
    assert script_of("Cắt điện thôn 3", BODY, "Xã Đức Huệ").text == (
        "Kính thưa bà con xã Đức Huệ! Sau đây là thông báo: Cắt điện thôn ba. "
        f"{AGAIN} Lý do: thay máy biến áp. Mọi thắc mắc gọi một chín không không, một hai ba bốn. "
        f"Xin nhắc lại: Cắt điện thôn ba. {AGAIN} Xin cảm ơn bà con đã lắng nghe."
    )


def test_nothing_is_repeated_where_nothing_holds_a_time_or_a_place() -> None:
    assert "nhắc lại" not in script_of("Cảm ơn", "Cảm ơn bà con đã ủng hộ.", "Đức Huệ").text


def test_a_place_is_repeated_also_among_many_times() -> None:
    times = "\n".join(f"Ca {ca} từ {ca}h." for ca in range(1, 9))
    script = script_of("Lịch", f"{times}\nĐịa điểm: Nhà văn hóa.", "xã Đức Huệ")
    assert script.text.count("Nhà văn hóa") == 2


def test_a_commune_may_have_a_number() -> None:
    assert script_of("Họp", "Họp dân.", "Phường 5").text.startswith("Kính thưa bà con phường năm!")


def test_guesses_are_marked_also_where_they_are_repeated() -> None:
    script = script_of("Họp", "Họp tại QZD lúc 7h.", "xã Đức Huệ")
    assert [script.text[one.start : one.end] for one in script.unsure] == ["quy dét dê"] * 2


def test_reading_takes_a_minute_for_120_to_150_syllables() -> None:
    assert reading_time(Script("", syllables=300)) == (120, 150)
    assert reading_time(Script("")) == (0, 0)
    assert read_aloud("Nặng 45kg.").syllables == 7


# ---- the board -----------------------------------------------------------------------------------------------------


def test_the_board_shows_the_title_and_then_when_and_where() -> None:
    assert board_lines("Cắt điện thôn 3", BODY) == (
        "Cắt điện thôn 3",
        "Điện lực tạm ngừng cấp điện từ 7h30 đến 11h ngày 5/12 tại…",
    )


def test_a_long_title_takes_both_lines() -> None:
    first, second = board_lines("Thông báo về việc " + "rất quan trọng " * 9, "Ngày 5/12.")
    assert first == "Thông báo về việc rất quan trọng rất quan trọng rất quan"
    assert second.endswith("…")


def test_a_title_alone_is_one_line() -> None:
    assert board_lines("Họp dân", "") == ("Họp dân",)


def test_a_word_longer_than_a_line_is_cut() -> None:
    assert [len(line) for line in board_lines("a" * 200, "")] == [60, 60]


# ---- whatever is typed ---------------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    (
        "7h30", "5/12", "05/12/2026", "150.000đ", "1,5", "20k", "0912345678", "1900", "UBND", "TP.", "P.3", "QL1A",
        "(a)", "49/2024/NĐ-CP", "-", "–", "/", ":", ".", ",", ";", "12/4", "km/h", "m2", "°C", "%", "IV", "XYZ",
        "PA-7K2F", "https://a.gov.vn", "x@y.vn", "số", "ngày", "thứ", "từ", "đến",
        "thôn", "\n", "•", "3-5", "1️⃣", "²", "½", "٣",
        "Đ/c", "CN", "T7", "24/24", "(", ")", "*", "x", "tr", "g",
    )
)  # fmt: skip
ANYTHING = settings(deadline=None, derandomize=True, max_examples=100)
TYPED = st.one_of(
    st.text(max_size=80), st.lists(PIECES, max_size=25).map(" ".join), st.lists(PIECES, max_size=25).map("".join)
)


def has_digit(text: str) -> bool:
    return any(unicodedata.category(sign) in {"Nd", "No"} or sign.isdigit() for sign in text)


@ANYTHING
@given(TYPED)
def test_no_digit_is_left_whatever_is_typed(typed: str) -> None:
    assert not has_digit(read_aloud(typed).text)


@ANYTHING
@given(TYPED)
def test_marks_stand_within_the_script_whatever_is_typed(typed: str) -> None:
    script = read_aloud(typed)
    assert all(script.text[one.start : one.end].strip() for one in script.unsure)
    assert script == read_aloud(typed)


@ANYTHING
@given(TYPED)
def test_no_two_capitals_in_a_row_are_left_unmarked(typed: str) -> None:
    script = read_aloud(typed)
    marked = {at for one in script.unsure for at in range(one.start, one.end)}
    bare = "".join(" " if at in marked else sign for at, sign in enumerate(script.text))
    assert not any(word.isupper() and len(word) > 1 and word.isascii() and word.isalpha() for word in bare.split())


@ANYTHING
@given(TYPED, TYPED)
def test_the_board_has_at_most_two_lines_of_sixty(title: str, body: str) -> None:
    lines = board_lines(title, body)
    assert len(lines) <= 2
    assert all(0 < len(line) <= 60 for line in lines)


@ANYTHING
@given(TYPED, TYPED)
def test_a_frame_stands_around_whatever_is_typed(title: str, body: str) -> None:
    script = script_of(title, body, "xã Đức Huệ")
    assert script.text.startswith("Kính thưa bà con xã Đức Huệ!")
    assert script.text.endswith("Xin cảm ơn bà con đã lắng nghe.")
    assert not has_digit(script.text)


def cost(work: Callable[[], object]) -> float:
    """The least processor time of three."""
    taken = []
    for _ in range(3):
        began = time.thread_time()
        work()
        taken.append(time.thread_time() - began)
    return min(taken)


@pytest.mark.parametrize(
    "piece", ["9", "A", "1/", "1-", "0 ", ". ", "(", "a.", "x@", "7h", "A1", "a-", "1,", "1.", "ngày 1, ", "\n- 5"]
)
def test_time_grows_with_the_length_and_with_nothing_else(piece: str) -> None:
    """Four times as long takes about four times the time; the square would be sixteen. The bound is generous."""
    short, long = piece * (1_000 // len(piece)), piece * (4_000 // len(piece))
    assert cost(lambda: read_aloud(long)) < 10 * cost(lambda: read_aloud(short)) + 0.25
