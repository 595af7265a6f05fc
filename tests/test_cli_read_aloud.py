"""`haichieu read-aloud`: a text in, what is said out, and beside it how long it takes and what is a guess."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.operators import Operator

TEXT = "Cắt điện từ 7h đến 11h ngày 5/12 tại thôn 3. Công ty ABQ thi công."
READ = "Cắt điện từ bảy giờ đến mười một giờ ngày mùng năm tháng mười hai tại thôn ba. Công ty a bê quy thi công."


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    """Somebody without any installation."""
    return Operator(tmp_path / "nothing here")


def test_what_is_typed_comes_out_as_it_is_said(operator: Operator) -> None:
    result = operator.types("read-aloud", typed=TEXT)
    assert (result.exit_code, result.stdout) == (0, f"{READ}\n")


def test_a_file_is_read_like_what_is_typed(operator: Operator, tmp_path: Path) -> None:
    path = tmp_path / "notice.txt"
    path.write_text(TEXT, encoding="utf-8-sig")
    assert operator.types("read-aloud", str(path)).stdout == f"{READ}\n"


def test_time_and_guesses_are_told_beside_the_script(operator: Operator) -> None:
    told = operator.types("read-aloud", typed=TEXT).stderr.splitlines()
    at = READ.index("a bê quy")
    assert told == [
        "time: 10–13 s, 25 syllables",
        f'unsure: "ABQ" read as "a bê quy" at {at}–{at + 8}',
    ]


def test_with_a_commune_it_is_what_the_loudspeakers_say(operator: Operator) -> None:
    said = operator.types("read-aloud", "--commune", "xã Đức Huệ", "--title", "Cắt điện", typed=TEXT).stdout
    assert said.startswith("Kính thưa bà con xã Đức Huệ! Sau đây là thông báo: Cắt điện.")
    assert "Xin nhắc lại: Cắt điện từ bảy giờ" in said


def test_the_board_has_two_lines(operator: Operator) -> None:
    said = operator.types("read-aloud", "--board", "--title", "Cắt điện thôn 3", typed=TEXT).stdout
    assert said.splitlines()[1:] == ["Cắt điện thôn 3", "Cắt điện từ 7h đến 11h ngày 5/12 tại thôn 3."]


def test_a_file_that_is_no_text_is_refused_with_what_to_do(operator: Operator) -> None:
    result = operator.types("read-aloud", typed=b"\xff\xfe\x00")
    assert result.exit_code == 2
    assert "save it as UTF-8" in result.stderr


def test_help_says_what_comes_where(operator: Operator) -> None:
    assert "standard error" in operator.gets("read-aloud", "--help")
