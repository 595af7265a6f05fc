"""The week's questions and answers: which are chosen, and what they become on each medium."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from bot.rules.bulletins import BOARD_LINE
from bot.rules.editions import (
    MOST,
    Candidate,
    Pair,
    Turn,
    board_text,
    chat_text,
    choose,
    due_at,
    radio_text,
    sms_text,
    title_of,
    turns_of,
    week_of,
)
from bot.rules.read_aloud import script_of

AT = datetime(2026, 10, 7, 3, tzinfo=UTC)
MONDAY = date(2026, 10, 5)
LINK = "https://haichieu.example/phan-anh/duc-hue/hoi-dap/2026-10-05"
PAIRS = [
    Pair("Đèn đường ở xóm 5 không sáng?", "Điện lực đã thay 2 bóng đèn lúc 8 giờ ngày 05/10 tại xóm 5.", "Điện"),
    Pair("Rác ở chợ ba ngày chưa lấy?", "Tổ vệ sinh đã dọn.\nTừ nay hai ngày lấy một lần.", "Rác thải"),
]


def candidate(number: int, topic: str = "dien", place: int | None = None, **changes: object) -> Candidate:
    values = {"rating": None, "published_at": AT - timedelta(hours=number), **changes}
    return Candidate(number, topic, place, **values)  # type: ignore[arg-type]


def test_every_subject_is_heard_before_one_is_heard_twice() -> None:
    found = choose([candidate(1, "a"), candidate(2, "a"), candidate(3, "b"), candidate(4, "c")])
    assert found[:3] == [1, 3, 4]
    assert found[3:] == [2]


def test_every_village_is_heard_before_one_is_heard_twice() -> None:
    assert choose([candidate(1, "a", 7), candidate(2, "b", 7), candidate(3, "c", 8)]) == [1, 3, 2]


def test_the_best_rated_come_first() -> None:
    assert choose([candidate(1, "a", rating=2), candidate(2, "b", rating=3), candidate(3, "c")]) == [2, 1, 3]


def test_whoever_was_not_content_is_no_example() -> None:
    assert choose([candidate(1, rating=1)]) == []


def test_no_more_than_eight_are_told() -> None:
    assert len(choose([candidate(n, f"topic-{n}") for n in range(1, 20)])) == MOST


def test_a_small_week_is_filled_up_to_three_from_the_weeks_before() -> None:
    older = [candidate(n, f"topic-{n}", is_of_week=False) for n in range(2, 9)]
    assert choose([candidate(1), *older]) == [1, 2, 3]


def test_a_full_week_takes_nothing_from_before() -> None:
    week = [candidate(n, f"topic-{n}") for n in (1, 2, 3)]
    assert choose([*week, candidate(4, "new", is_of_week=False)]) == [1, 2, 3]


def test_a_week_begins_on_monday_in_vietnam() -> None:
    assert week_of(datetime(2026, 10, 4, 17, tzinfo=UTC)) == MONDAY
    assert week_of(datetime(2026, 10, 4, 16, 59, tzinfo=UTC)) == date(2026, 9, 28)


@pytest.mark.parametrize(
    ("settings", "due"),
    [
        ({}, datetime(2026, 10, 9, 2, tzinfo=UTC)),
        ({"editions_day": 2, "editions_hour": 7}, datetime(2026, 10, 5, 0, tzinfo=UTC)),
        ({"editions_day": 8, "editions_hour": 23}, datetime(2026, 10, 11, 16, tzinfo=UTC)),
        ({"editions_day": 0}, None),
    ],
)
def test_proposals_come_when_the_commune_wants_them(settings: dict[str, object], due: datetime | None) -> None:
    assert due_at(settings, MONDAY) == due


def test_a_chat_message_holds_all_where_there_is_room() -> None:
    words = chat_text(PAIRS, 1_000, LINK)
    assert words.startswith("1. Hỏi: Đèn đường ở xóm 5 không sáng?\nĐáp: Điện lực")
    assert "2. Hỏi: Rác" in words
    assert LINK not in words


@pytest.mark.parametrize("room", range(60, 420, 7))
def test_a_longer_week_leads_to_the_page_and_cuts_no_answer(room: int) -> None:
    words = chat_text(PAIRS, room, LINK)
    assert len(words) <= max(room, len(sms_text(PAIRS, LINK)))
    assert all(one.answer in words or "Đáp: " + one.answer[:5] not in words for one in PAIRS)
    if not all(one.answer in words for one in PAIRS):
        assert words.endswith(LINK)


def test_without_a_page_people_are_asked_to_listen_or_write() -> None:
    assert "nhắn hỏi tại đây" in chat_text(PAIRS, 160, "")
    assert "nhắn hỏi tại đây" in sms_text(PAIRS, "")


def test_two_voices_are_told_apart_in_the_script_as_it_is_read() -> None:
    script = script_of(title_of(MONDAY), radio_text(PAIRS), "xã Đức Huệ")
    turns = turns_of(script.text)
    assert [turn.voice for turn in turns] == [1, 1, 2, 1, 2]
    assert turns[1] == Turn(1, "Hỏi: Đèn đường ở xóm năm không sáng?")
    assert turns[2].words.startswith("Đáp: Điện lực đã thay hai bóng đèn lúc tám giờ")
    assert " ".join(turn.words for turn in turns) == script.text


def test_a_talk_is_not_repeated_in_parts() -> None:
    assert "nhắc lại" not in script_of(title_of(MONDAY), radio_text(PAIRS), "xã Đức Huệ").text
    assert "nhắc lại" in script_of("Cắt điện", "Lúc 8 giờ ngày 05/10 tại xóm 5 cắt điện.", "xã Đức Huệ").text


def test_the_board_has_two_lines_that_fit() -> None:
    many = [Pair("?", "!", f"Lĩnh vực thứ {n}") for n in range(8)]
    for pairs in (PAIRS, many):
        lines = board_text(pairs, MONDAY).split("\n")
        assert len(lines) == 2
        assert all(len(line) <= BOARD_LINE for line in lines)
    assert board_text(PAIRS, MONDAY).endswith("2 câu trả lời: Điện, Rác thải")
