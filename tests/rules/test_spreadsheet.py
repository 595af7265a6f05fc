"""Tables that spreadsheet programs open."""

from __future__ import annotations

import csv
import io

import pytest

from bot.rules.spreadsheet import MARK, cell, table


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\n", "＝"])
def test_what_looks_like_a_formula_is_only_text(begin: str) -> None:
    assert cell(f"{begin}HYPERLINK(1)") == f"'{begin}HYPERLINK(1)"


@pytest.mark.parametrize("value", ["Nguyễn Thị Lan", "zalo …0003", "12:30 ngày 07/10/2026", "a=b"])
def test_ordinary_words_stay_as_they_are(value: str) -> None:
    assert cell(value) == value


def test_nothing_is_an_empty_cell() -> None:
    assert cell(None) == ""


def test_a_table_survives_quotes_and_lines() -> None:
    rows = [["Tên", "Lý do"], ['Lan "xóm 5"', "một\nhai"], ["=1+1", None]]
    made = table(rows)
    assert made.startswith(MARK)
    read = list(csv.reader(io.StringIO(made.removeprefix(MARK), newline="")))
    assert read == [["Tên", "Lý do"], ['Lan "xóm 5"', "một\nhai"], ["'=1+1", ""]]
