"""What answers an announcement, and which questions are one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.rules.replying import Asked, Said, Told, answers, grouped

AT = datetime(2026, 10, 7, 2, tzinfo=UTC)
OUTAGE = Told(AT, "", "cat dien de sua chua ngay 09/10 xom 5 va xom 7 cat dien")
ABOUT_POWER = Told(AT, "dien", OUTAGE.folded)


def said(folded: str, *, hours: float = 1, intent: str = "question", **more: object) -> Said:
    return Said(AT + timedelta(hours=hours), intent, folded, **more)


@pytest.mark.parametrize(
    ("message", "told", "is_answer"),
    [
        (said("may gio co lai"), OUTAGE, True),
        (said("may gio co lai", hours=48), OUTAGE, True),
        (said("may gio co lai", hours=48.1), OUTAGE, False),
        (said("may gio co lai", hours=-1), OUTAGE, False),
        (said("may gio co lai", is_in_talk=True), OUTAGE, False),
        (said("rac o cho hoi qua", topic="rac-thai", chance=0.9), OUTAGE, False),
        (said("rac o cho hoi qua", topic="rac-thai", chance=0.5), OUTAGE, True),
        (said("cat dien lau qua", topic="dien", chance=0.9), OUTAGE, True),
        (said("nha toi chap chon", topic="dien", chance=0.9), ABOUT_POWER, True),
        (said("xom 5 rac nhieu", topic="rac-thai", chance=0.9), ABOUT_POWER, False),
        (said("ngung nhan tin", intent="unsubscribe"), OUTAGE, False),
        (said("tra cuu", intent="status_lookup"), OUTAGE, False),
        (said("to cao can bo", intent="denunciation"), OUTAGE, False),
    ],
)
def test_what_follows_an_announcement(message: Said, told: Told, is_answer: bool) -> None:
    assert answers(message, told) is is_answer


def test_the_same_question_in_other_words_is_one() -> None:
    found = grouped(
        [
            Asked(1, "tram bom xom 7 co chay khong"),
            Asked(2, "may gio co dien lai"),
            Asked(3, "xin hoi may gio thi co dien lai a"),
            Asked(4, "da oi"),
            Asked(5, "lich tiem o dau", "tiem-chung"),
            Asked(6, "chung nao tiem", "tiem-chung"),
            Asked(7, "may gio dien co lai vay xa"),
        ],
        most=3,
    )
    assert [group.ids for group in found] == [[2, 3, 7], [5, 6], [1]]


def test_only_the_most_frequent_are_told() -> None:
    assert len(grouped([Asked(n, f"chuyen{n} khac{n}") for n in range(50)], most=10)) == 10
