"""What an official means by the words in the search field."""

from __future__ import annotations

from datetime import date

import pytest

from bot.rules.search_query import Days, Query, read_query
from nlp.search_text import Term

TODAY = date(2026, 10, 7)


def asked(text: str) -> Query:
    return read_query(text, TODAY)


def words(query: Query) -> list[str]:
    return [" ".join(term.words) + ("*" if term.is_prefix else "") for term in query.terms]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ổ gà", ["o", "ga"]),
        ("DUONG DEN", ["duong", "den*"]),
        ("“ổ gà” thôn", ["o ga", "thon*"]),
        ('"ổ gà"', ["o ga"]),
        ('rác "chợ Đình"', ["cho dinh", "rac"]),
        ('rác "chợ', ["rac", "cho*"]),
        ("rác, rác; chợ!", ["rac", "cho*"]),
        ("%", []),
        ("'; DROP TABLE tickets --", ["drop", "table", "tickets*"]),
        ("số 5/10 Lê Lợi", ["so", "5", "10", "le", "loi*"]),
        ("32/10/2026", ["32", "10"]),
    ],
)
def test_words_without_accents_and_phrases(text: str, expected: list[str]) -> None:
    assert words(asked(text)) == expected


def test_accents_are_remembered_for_the_order_where_they_were_typed() -> None:
    assert asked("ổ gà").terms == (Term(("o",), accented=("ổ",)), Term(("ga",), accented=("gà",)))
    assert asked("o ga").terms == (Term(("o",)), Term(("ga",)))


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("10/2026", date(2026, 10, 1), date(2026, 10, 31)),
        ("tháng 12", date(2025, 12, 1), date(2025, 12, 31)),
        ("tháng 2 năm 2024", date(2024, 2, 1), date(2024, 2, 29)),
        ("05/10/2026", date(2026, 10, 5), date(2026, 10, 5)),
        ("5-10-2026", date(2026, 10, 5), date(2026, 10, 5)),
        ("ngày 5/10", date(2026, 10, 5), date(2026, 10, 5)),
        ("ngày 20/10", date(2025, 10, 20), date(2025, 10, 20)),
        ("từ 1/10 đến 5/10", date(2026, 10, 1), date(2026, 10, 5)),
        ("tu ngay 28/12 den ngay 3/1", date(2025, 12, 28), date(2026, 1, 3)),
        ("từ 1/9/2025 đến 3/10/2025", date(2025, 9, 1), date(2025, 10, 3)),
        ("từ 5/10 đến 12/10", date(2026, 10, 5), date(2026, 10, 12)),
        ("từ 20/12 đến 5/1/2026", date(2025, 12, 20), date(2026, 1, 5)),
        ("1/10 - 5/10", date(2026, 10, 1), date(2026, 10, 5)),
        ("từ 1/10", date(2026, 10, 1), None),
        ("hôm qua", date(2026, 10, 6), date(2026, 10, 6)),
        ("hom nay", TODAY, TODAY),
    ],
)
def test_days(text: str, first: date, last: date | None) -> None:
    alone, within = asked(text), asked(f"rác {text}")
    assert alone.days == within.days == Days(first, last)
    assert words(alone) == []
    assert words(within) == ["rac*"]


@pytest.mark.parametrize("text", ["PA26-0001", "pa26-1", "PA 26 0001", "pa260001"])
def test_a_code_in_every_spelling(text: str) -> None:
    found = asked(text)
    assert (found.code, found.codes, found.terms) == ("PA26-0001", ("PA26-0001",), ())


def test_a_code_among_other_words_is_one_of_them() -> None:
    found = asked("PA26-0001 rác")
    assert (found.code, found.codes, words(found)) == ("PA26-0001", (), ["rac*"])


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5678", "5678"),
        ("0912345678", "0912345678"),
        ("0912 345 678", "0912345678"),
        ("+84 912.345.678", "0912345678"),
        ("số 0912-345-678", "0912345678"),
    ],
)
def test_a_number_or_its_end(text: str, number: str) -> None:
    assert asked(text).numbers == (number,)


def test_the_end_of_a_code_may_be_of_any_year() -> None:
    assert asked("0012").codes[:2] == ("PA26-0012", "PA25-0012")
    assert asked("0912345678").codes == ()


@pytest.mark.parametrize("text", ["", "  ", "…", '""', "%%%", "\ue000" + "8765"])
def test_what_holds_no_word_asks_nothing_that_cannot_be_typed(text: str) -> None:
    found = asked(text)
    assert all("\ue000" not in word for term in found.terms for word in term.words)
    assert found.is_empty is (found.numbers == ())


def test_a_very_long_question_is_cut() -> None:
    assert len(asked("từ này " * 200).terms) <= 12
