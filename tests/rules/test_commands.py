"""Short words with a fixed meaning are heard on every channel, and only when they leave no doubt."""

from __future__ import annotations

import pytest

from bot.rules.commands import Command, Verb, code_in, command_in
from nlp.characters import fold


def heard(text: str) -> Command | None:
    return command_in(text, fold(text))


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("TRA PA26-0342", Command(Verb.STATUS, "PA26-0342")),
        ("tra pa26 342", Command(Verb.STATUS, "PA26-0342")),
        ("tra cứu", Command(Verb.STATUS)),
        ("PA26-0342 6789", Command(Verb.STATUS, "PA26-0342", rest="6789")),
        ("THEM PA26-0342 nước lên thêm rồi", Command(Verb.ADD, "PA26-0342", rest="nước lên thêm rồi")),
        ("RUT PA26-0342", Command(Verb.WITHDRAW, "PA26-0342")),
        ("Tôi muốn rút phản ánh PA26-0342 ạ", Command(Verb.WITHDRAW, "PA26-0342")),
        ("DG 3", Command(Verb.RATE, number=3)),
        ("dg pa26-0342 1", Command(Verb.RATE, "PA26-0342", 1)),
        ("CHUA XONG PA26-0342", Command(Verb.REOPEN, "PA26-0342")),
        ("chưa đồng ý", Command(Verb.REOPEN)),
        ("DUNG", Command(Verb.UNSUBSCRIBE)),
        ("Dừng nhận tin ạ", Command(Verb.UNSUBSCRIBE)),
        ("TC", Command(Verb.UNSUBSCRIBE)),
        ("nhận tin thôn 3", Command(Verb.SUBSCRIBE, rest="thon 3")),
        ("NHAN", Command(Verb.SUBSCRIBE)),
        ("GAP", Command(Verb.PERSON)),
        ("gặp cán bộ giúp em với", Command(Verb.PERSON)),
        ("HD", Command(Verb.HELP)),
        ("DL", Command(Verb.DATA)),
        ("dữ liệu của tôi", Command(Verb.DATA)),
        ("xóa dữ liệu của tôi", Command(Verb.ERASE)),
        ("rút đồng ý", Command(Verb.CONSENT_BACK)),
        ("Nay tôi xin rút lại sự đồng ý cho lưu tên và số điện thoại của tôi", Command(Verb.CONSENT_BACK)),
        ("rút lại đồng ý công khai", Command(Verb.UNPUBLISH)),
        ("ẩn danh", Command(Verb.ANONYMOUS)),
        ("không ẩn danh nữa", Command(Verb.NAMED)),
        ("ai đang trả lời vậy?", Command(Verb.WHO_ANSWERS)),
        ("Are you a bot?", Command(Verb.WHO_ANSWERS)),
    ],
)
def test_a_command_is_heard(text: str, command: Command) -> None:
    assert heard(text) == command


@pytest.mark.parametrize(
    "text",
    [
        "đúng", "Đúng rồi ạ", "nhắn lại sau nhé", "Tôi gặp một ổ gà to trước chợ", "rút tiền ở đâu vậy",
        "Tra khảo dân như thế à", "thêm một cái đèn nữa ở xóm 5", "Đường hỏng", "", "1", "x" * 5_000,
        "đánh giá cán bộ một cửa rất tốt", "dữ liệu bị mất hết",
    ],
)  # fmt: skip
def test_what_is_said_freely_is_no_command(text: str) -> None:
    assert heard(text) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("PA26-0342", "PA26-0342"),
        ("pa26342", "PA26-0342"),
        ("mã PA 26 - 12 đâu rồi", "PA26-0012"),
        ("không có mã", None),
    ],
)
def test_a_code_is_found_however_it_is_written(text: str, code: str | None) -> None:
    assert code_in(text) == code
