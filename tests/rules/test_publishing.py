"""Publishing: what never stands on the list, and which words lead to somebody's door."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.rules.lifecycle import NotAllowed
from bot.rules.publishing import NEVER, Standing, check_standing, check_words, may_be_named, too_near
from nlp.topics import TOPICS
from storage.enums import TicketState

GOOD = Standing(TicketState.ANSWERED, "chieu-sang", False, False, False, False, False, False)


def test_an_answered_report_of_a_plain_subject_may_be_published() -> None:
    check_standing(GOOD)
    check_standing(replace(GOOD, state=TicketState.CLOSED))


@pytest.mark.parametrize("flag", ["is_sealed", "is_restricted", "is_spam", "was_sealed", "was_erased", "is_joined"])
def test_what_was_confidential_erased_or_joined_never_is(flag: str) -> None:
    with pytest.raises(NotAllowed):
        check_standing(replace(GOOD, **{flag: True}))


@pytest.mark.parametrize("state", [s for s in TicketState if s not in {TicketState.ANSWERED, TicketState.CLOSED}])
def test_only_what_has_its_result_is_published(state: TicketState) -> None:
    with pytest.raises(NotAllowed):
        check_standing(replace(GOOD, state=state))


@pytest.mark.parametrize("topic", [*sorted(NEVER), None])
def test_some_subjects_are_nobodys_list(topic: str | None) -> None:
    with pytest.raises(NotAllowed):
        check_standing(replace(GOOD, topic=topic))


def test_every_restricted_subject_is_among_them() -> None:
    assert {slug for slug, topic in TOPICS.items() if topic.restricted} <= NEVER <= set(TOPICS)


@pytest.mark.parametrize(
    ("kind", "topic", "may"),
    [("thôn", "tieng-on", True), ("xóm", "chieu-sang", True), ("đường", "chieu-sang", True),
     ("đường", "tieng-on", False),
     ("trường", "chieu-sang", False), ("chợ", "rac-thai", False), ("", "rac-thai", False)],
)  # fmt: skip
def test_a_village_may_be_named_a_street_where_it_tells_of_nobody(kind: str, topic: str, may: bool) -> None:
    assert may_be_named(kind, topic) is may


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("Đã thay bóng đèn trước số nhà 12 đường Lê Lợi.", ["số nhà 12"]),
        ("Đèn trước nhà bà Sáu đã sáng.", ["nhà bà Sáu"]),
        ("Đã dọn rác ở ngõ 12/3, gần chợ.", ["ngõ 12/3"]),
        ("Hộ ông Ba đã dời hàng rào.", ["Hộ ông Ba"]),
        ("Tại 10.87654, 106.12345 đã vá đường.", ["10.87654", "106.12345"]),
        ("Số 15 đường Hùng Vương đã thông cống.", ["Số 15 đường"]),
        ("Cháu bé tên An đã về nhà.", ["Cháu bé tên"]),
        ("Đã vá 12 ổ gà trên đường liên thôn, dài 300 m.", []),
        ("Nhà văn hóa thôn 5 đã có điện.", []),
        ("Đã thay 3 bóng đèn tại ngã ba xóm 5.", []),
    ],
)
def test_words_that_lead_to_a_door_are_shown(text: str, near: list[str]) -> None:
    assert too_near(text) == near


def test_the_citizens_own_words_are_not_the_summary() -> None:
    said = "Đèn đường xóm 5 tối om mấy hôm nay, mong xã sửa giúp"
    with pytest.raises(NotAllowed) as refused:
        check_words(said.upper() + "!", "Đã thay bóng đèn mới ở xóm 5.", [said])
    assert refused.value.code == "own_words"
    check_words("Đèn đường ở xóm 5 không sáng.", "Đã thay bóng đèn mới ở xóm 5.", [said])


@pytest.mark.parametrize(
    ("summary", "result"),
    [
        ("Ngắn", "Đã thay bóng đèn mới."),
        ("Đèn đường không sáng.", "Xong."),
        ("Đ" * 301, "Đã thay bóng đèn mới."),
        ("Đèn đường không sáng.", "a" * 1501),
    ],
)
def test_words_are_neither_too_few_nor_too_many(summary: str, result: str) -> None:
    with pytest.raises(NotAllowed):
        check_words(summary, result, [])
