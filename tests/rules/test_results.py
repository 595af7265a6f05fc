"""What a result must have before it counts as one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from bot.rules.lifecycle import NotAllowed
from bot.rules.results import Result, check_result
from nlp.normalise import fold

GOOD = Result(
    topic="chieu-sang",
    owner="Phòng Kinh tế",
    folded=fold("Đã thay bóng đèn mới ở cột số 7."),
    next_step="theo dõi thêm một tuần.",
    checked_on=date(2026, 10, 7),
    opened_on=date(2026, 10, 6),
    today=date(2026, 10, 8),
    has_photo=True,
)


def refusal(asks_for_photo: bool = True, **changes: object) -> str:
    try:
        check_result(replace(GOOD, **changes), asks_for_photo=asks_for_photo)  # type: ignore[arg-type]
    except NotAllowed as error:
        return error.code
    return ""


def test_a_result_with_everything_goes_out() -> None:
    assert refusal() == ""


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("no_owner", {"owner": " "}),
        ("no_result", {"folded": "  "}),
        ("no_next_step", {"next_step": ""}),
        ("wrong_day", {"checked_on": date(2026, 10, 5)}),
        ("wrong_day", {"checked_on": date(2026, 10, 9)}),
        ("needs_photo", {"has_photo": False}),
        ("needs_photo", {"has_photo": False, "exemption": "bận  quá"}),
        ("", {"has_photo": False, "exemption": "việc làm ban đêm, trời mưa to"}),
        ("", {"has_photo": False, "topic": "y-te"}),
        ("", {"has_photo": False, "topic": None}),
    ],
)
def test_what_is_missing_is_named(code: str, changes: dict[str, object]) -> None:
    assert refusal(**changes) == code


def test_a_commune_may_do_without_photos() -> None:
    assert refusal(False, has_photo=False) == ""


@pytest.mark.parametrize(
    "words",
    [
        "Đã chuyển cơ quan chức năng xử lý.",
        "UBND xã đã chuyển đến các cơ quan có thẩm quyền.",
        "Đã báo đơn vị liên quan.",
        "Da kien nghi len cap tren",
        "Nội dung này đã chuyển bộ phận chuyên môn.",
    ],
)
def test_who_is_passed_on_to_nobody_has_no_result(words: str) -> None:
    assert refusal(folded=fold(words)) == "names_nobody"


@pytest.mark.parametrize(
    "words",
    [
        "Đã chuyển Điện lực Đức Huệ, hẹn sửa ngày 12/10.",
        "Đã báo Công an xã nhắc nhở quán karaoke.",
        "Đơn vị thi công đã vá xong ổ gà.",
        "Cơ quan chức năng của huyện đã đo độ ồn: 62 dB.",
    ],
)
def test_who_names_the_body_may_say_so(words: str) -> None:
    assert refusal(folded=fold(words)) == ""
