"""What is said of an answer before it leaves."""

from __future__ import annotations

import pytest

from bot.rules.reply_checks import Concern, Draft, concerns
from tests.growth import grows_evenly

C = Concern

FIT = [
    "Xã đã cử cán bộ xuống xóm 5 kiểm tra sáng mai.",
    "Đã dặm vá xong ổ gà.",
    "Xã sẽ thay bóng đèn trước ngày 30/11.",
    "Xin ông/bà gửi thêm ảnh chỗ hỏng.",
    "Chiều nay xã thay bóng đèn.",
    "Da chuyen Cong an xa, du kien tra loi truoc 3/12",
    "Hồ sơ cần giấy chứng sinh, căn cước cha mẹ. Nộp tại bộ phận một cửa.",
    "Xã sẽ kiểm tra trong 3 ngày.",
    "Ông/bà cho biết cột đèn số mấy?",
    "Điện lực đang sửa, 17 giờ có điện lại.",
    "Cảm ơn ông/bà!",
    "Vâng ạ.",
    "Trạm y tế mở cửa thứ bảy.",
    "Ông/bà vui lòng liên hệ bộ phận tiếp dân.",
]
WRONG = [
    ("Cảm ơn ông/bà. UBND xã đã tiếp nhận và sẽ xem xét, giải quyết theo quy định.", [C.EMPTY]),
    ("Chúng tôi đã ghi nhận ý kiến của ông bà.", [C.EMPTY]),
    ("da tiep nhan, se chuyen bo phan chuyen mon xu ly", [C.EMPTY]),
    ("Xã sẽ thay bóng đèn.", [C.NO_DATE]),
    ("Đội thu gom đang đi lấy rác.", [C.NO_DATE]),
    ("Dự kiến làm lại mặt đường.", [C.NO_DATE]),
    ("Đèn đường thuộc tuyến của điện lực huyện quản lý.", [C.NO_NEXT_STEP]),
    ("Kính gửi {ten}, ống nước đã sửa xong.", [C.BLANK]),
    ("Đã giao [tên đơn vị] sửa xong.", [C.BLANK]),
    ("Đã sửa xong ngày .......", [C.BLANK]),
    ("Đã nói với anh Tuấn số 0987654321.", [C.OTHERS_DATA]),
    ("Đã phạt xe biển số 62C1-123.45.", [C.OTHERS_DATA]),
    ("Xã sẽ gọi 0987654321 hỏi lại.", [C.OTHERS_DATA, C.NO_DATE]),
]


@pytest.mark.parametrize("text", FIT)
def test_a_good_answer_is_left_alone(text: str) -> None:
    assert concerns(Draft(text)) == []


@pytest.mark.parametrize(("text", "found"), WRONG)
def test_what_a_citizen_would_hold_against_us_is_said(text: str, found: list[Concern]) -> None:
    assert concerns(Draft(text)) == found


@pytest.mark.parametrize("text", ["Ổ gà ở xóm 5, chiều nay.", "Xin ông/bà gửi thêm ảnh."])
def test_a_result_says_what_was_done_or_what_comes(text: str) -> None:
    assert concerns(Draft(text)) == []
    assert concerns(Draft(text, is_result=True)) == [C.NO_NEXT_STEP]


@pytest.mark.parametrize("written", ["0912 345 678", "+84912345678", "84 912 345 678", "0912.345.678"])
def test_the_citizens_own_number_and_the_communes_may_stand_in_it(written: str) -> None:
    text = f"Đã gọi {written}, hẹn gặp chiều nay."
    assert concerns(Draft(text)) == [C.OTHERS_DATA]
    assert concerns(Draft(text, known=["0912345678"])) == []


@pytest.mark.parametrize("part", ["đã tiếp nhận và sẽ xem xét giải quyết ", "trong ", "x" * 30 + " ", "1 ", "..", "{ "])
def test_a_long_text_is_judged_in_proportion(part: str) -> None:
    assert grows_evenly(lambda text: concerns(Draft(text)), part * 2_000)
