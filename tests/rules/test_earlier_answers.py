"""Earlier answers: only what is near is proposed, and nothing that was about the other citizen is left in it."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from bot.rules.blanks import BLANK_AT_MOST
from bot.rules.earlier_answers import Report, Theirs, blanked, closest
from bot.usecases.replies import _UNFILLED
from nlp.normalise import fold

PLACES = ("Xóm 5", "Chợ Đình", "thôn 5")
NAME, PHONE, ADDRESS = "Nguyễn Thị Bé Bảy", "0912345678", "tổ 4, hẻm 12 Lê Lợi"
THEIRS = Theirs(NAME, (PHONE, "PA26-0007"), (ADDRESS, "cạnh quán Gió"))


def report(number: int, words: str, place_id: int | None = None, rating: int | None = None) -> Report:
    said = words.split()
    pairs = [f"{one} {two}" for one, two in pairwise(said)]
    return Report(number, frozenset([*said, *pairs]), place_id, rating)


def test_the_most_alike_come_first_and_strangers_never() -> None:
    asked = report(0, "den duong hong toi om", 3)
    earlier = [
        report(1, "rac cho hoi thoi"),
        report(2, "den duong hong"),
        report(3, "den duong hong toi om"),
        report(4, "cong ngap nuoc"),
    ]
    assert closest(asked, earlier) == [3, 2]
    assert closest(asked, earlier, most=1) == [3]
    assert closest(asked, []) == []
    assert closest(report(0, ""), earlier) == []


def test_of_equals_the_one_at_the_same_place_then_the_well_rated_then_the_later() -> None:
    asked = report(0, "den duong hong", 3)
    like = "den duong hong toi"
    assert closest(asked, [report(1, like, 3), report(2, like, 9), report(3, like, 9, rating=3)]) == [1, 3, 2]


def test_what_everybody_says_brings_nobody_together() -> None:
    many = [report(n, f"nho xem chuyen{n} rieng{n}") for n in range(1, 30)]
    assert closest(report(0, "nho xem viec nay"), many) == []


@pytest.mark.parametrize(
    ("said", "reads"),
    [
        (
            "Đã thay bóng đèn trước nhà bà Nguyễn Thị Bé Bảy, số 0912 345 678, ngày 12/10/2026.",
            "Đã thay bóng đèn trước {địa chỉ}, {ngày}.",
        ),
        (
            "PA26-0007: đã dọn rác tại Chợ Đình sáng 5/11, xe lấy rác 2 lần một tuần.",
            "{mã phản ánh}: đã dọn rác tại {địa điểm} {ngày}, xe lấy rác 2 lần một tuần.",
        ),
        (
            "Kính gửi ông Hùng, đội quản lý đã vá ổ gà ở xom 5 lúc 14 giờ 30 hôm qua.",
            "Kính gửi ông {họ tên}, đội quản lý đã vá ổ gà ở {địa điểm} lúc {ngày}.",
        ),
        ("Nộp hồ sơ tại bộ phận một cửa, gọi 0272 3 000 000.", "Nộp hồ sơ tại bộ phận một cửa, gọi 0272 3 000 000."),
        ("Xã đã xong.", ""),
        ("Bà Bé Bảy, Xóm 5, 0912345678, 12/10.", ""),
    ],
)
def test_what_was_about_the_other_citizen_stands_open(said: str, reads: str) -> None:
    assert blanked(said, theirs=THEIRS, places=PLACES) == reads


def test_every_open_place_stops_the_answer() -> None:
    words = blanked(
        "Đã mời bà Nguyễn Thị Bé Bảy, căn cước 080090001234, đến số nhà 12 ngày mai để xem đèn đường đã sáng.",
        theirs=THEIRS,
        places=PLACES,
    )
    assert all(_UNFILLED.search(piece + "}") for piece in words.split("}")[:-1])
    assert "080090001234" not in words
    assert BLANK_AT_MOST < 40


def test_the_citizen_is_in_no_proposal_however_they_are_written() -> None:
    """A thousand answers with the citizen's particulars somewhere in them; none of which is left in what is offered."""
    chance = random.Random(11)
    middles = ["thay bóng đèn", "vá ổ gà", "dọn rác", "khơi cống", "cắt cành cây", "nhắc chủ quán giảm loa"]
    names = [NAME, "bà Bé Bảy", "BÀ BÉ BẢY", "Nguyen Thi Be Bay", "chị Bảy", "nguyễn thị bé bảy"]
    phones = [PHONE, "0912 345 678", "0912.345.678", "+84912345678", "84 912 345 678"]
    doors = [ADDRESS, "hẻm 12 Lê Lợi", "to 4, hem 12 Le Loi", "cạnh quán Gió"]
    offered = 0
    for _ in range(1_000):
        name, phone, door = chance.choice(names), chance.choice(phones), chance.choice(doors)
        said = chance.choice(
            [
                f"Tổ kỹ thuật đã {chance.choice(middles)} trước cửa {name} ở {door} và đã gọi {phone} báo lại.",
                f"Đã {chance.choice(middles)} tại {door} theo phản ánh của {name} ({phone}), đề nghị bà con giữ gìn.",
                f"{name}: đã {chance.choice(middles)} xong, liên hệ {phone}. Địa chỉ {door}. Cảm ơn đã báo cho xã.",
            ]
        )
        words = blanked(said, theirs=THEIRS, places=PLACES)
        offered += bool(words)
        folded, digits = fold(words), "".join(c for c in words if c.isdigit())
        assert "be bay" not in folded, (said, words)
        assert "345678" not in digits, (said, words)
        assert "hem 12" not in folded, (said, words)
        assert "quan gio" not in folded, (said, words)
    assert offered > 800
