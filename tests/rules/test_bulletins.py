"""What one text becomes on each medium, and what an approval of it is of."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.rules.bulletins import Plan, Words, medium_of, timing_problem
from storage.enums import BulletinKind, Importance

NOW = datetime(2026, 10, 7, 5, 0, tzinfo=UTC)
WORDS = Words("Cắt điện", "Ngày 09/10 cắt điện.")
PLAN = Plan(WORDS, Importance.ROUTINE, [1, 2], "", [5, 7], NOW + timedelta(days=1))


@pytest.mark.parametrize(
    ("kind", "headline"),
    [
        (BulletinKind.FIRST, "Cắt điện"),
        (BulletinKind.CORRECTION, "ĐÍNH CHÍNH: Cắt điện"),
        (BulletinKind.RECALL, "THU HỒI: Cắt điện"),
    ],
)
def test_what_puts_right_or_takes_back_says_so_first(kind: BulletinKind, headline: str) -> None:
    assert replace(WORDS, kind=kind).headline == headline


def test_a_medium_without_words_of_its_own_says_the_source() -> None:
    words = replace(WORDS, texts={"sms": "Cat dien 9/10.", "zalo": ""})
    assert [words.on(medium) for medium in ("sms", "zalo", "telegram")] == ["Cat dien 9/10.", WORDS.body, WORDS.body]


@pytest.mark.parametrize(
    ("kind", "medium"), [("zalo", "zalo"), ("zalo_bot", "zalo"), ("smpp", "sms"), ("sms", "sms"), ("viber", "viber")]
)
def test_channels_that_are_read_alike_are_one_medium(kind: str, medium: str) -> None:
    assert medium_of(kind) == medium


@pytest.mark.parametrize(
    "other",
    [
        replace(PLAN, words=replace(WORDS, title="Khác")),
        replace(PLAN, words=replace(WORDS, body="Khác")),
        replace(PLAN, words=replace(WORDS, texts={"sms": "Khac"})),
        replace(PLAN, words=replace(WORDS, kind=BulletinKind.RECALL)),
        replace(PLAN, importance=Importance.EMERGENCY),
        replace(PLAN, channel_ids=[1]),
        replace(PLAN, topic="dien"),
        replace(PLAN, place_ids=[5]),
        replace(PLAN, valid_until=NOW + timedelta(days=2)),
        replace(PLAN, send_at=NOW + timedelta(hours=1)),
        replace(PLAN, corrects_id=3),
    ],
)
def test_the_digest_is_another_one_when_anything_is(other: Plan) -> None:
    assert other.digest != PLAN.digest


def test_the_order_in_which_channels_and_places_were_ticked_means_nothing() -> None:
    assert replace(PLAN, channel_ids=[2, 1], place_ids=[7, 5]).digest == PLAN.digest


def test_words_moved_from_the_title_to_the_text_are_other_words() -> None:
    assert Words("a\nb", "c").digest != Words("a", "b\nc").digest


@pytest.mark.parametrize(
    ("valid", "send", "says"),
    [
        (None, None, "Chưa có thời hạn"),
        (0, None, "phải sau lúc gửi"),
        (2, 3, "phải sau lúc gửi"),
        (24 * 367, None, "một năm"),
        (2, 1, ""),
        (2, None, ""),
    ],
)
def test_it_holds_until_some_time_after_it_is_sent(valid: int | None, send: int | None, says: str) -> None:
    until = None if valid is None else NOW + timedelta(hours=valid)
    at = None if send is None else NOW + timedelta(hours=send)
    problem = timing_problem(NOW, until, at)
    assert says in problem
    assert bool(problem) is bool(says)
