"""The bot asks only what is missing, once, and hears an answer as an answer and anything else as what it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.rules.dialogue import (
    ANSWER_TIME,
    ON_SITE,
    Answered,
    Heard,
    Question,
    Told,
    answer_to,
    lacks_place,
    question_about,
)
from nlp.topics import TOPICS

NOON = datetime(2026, 10, 7, 5, 0, tzinfo=UTC)
LAMP = Told("chieu-sang", "feedback", has_place=False, is_sealed=False, is_urgent=False)
PLACE = Heard("nga ba gan cho", "add_info")


def answer(
    heard: Heard, *, after: timedelta = timedelta(minutes=2), question: Question | None = Question.WHERE
) -> Answered:
    return answer_to(question, NOON, "chieu-sang", heard, NOON + after)


def test_the_topics_that_need_a_place_are_topics() -> None:
    assert set(TOPICS) > ON_SITE


@pytest.mark.parametrize(
    ("ticket", "asked"),
    [
        (LAMP, Question.WHERE),
        (replace(LAMP, has_place=True), None),
        (replace(LAMP, is_sealed=True), None),
        (replace(LAMP, intent="question"), None),
        (replace(LAMP, topic="thu-tuc-hanh-chinh"), None),
        (replace(LAMP, topic=None), None),
        (Told("y-te", "emergency", has_place=False, is_sealed=False, is_urgent=True), Question.WHERE),
        (Told("y-te", "emergency", has_place=False, is_sealed=True, is_urgent=True), None),
    ],
)
def test_where_is_asked_when_somebody_must_go_there_and_never_of_a_secret(ticket: Told, asked: Question | None) -> None:
    assert question_about(ticket) is asked


def test_a_ticket_without_a_place_is_incomplete_only_where_somebody_must_go() -> None:
    assert lacks_place("rac-thai", has_place=False)
    assert not lacks_place("rac-thai", has_place=True)
    assert not lacks_place("gop-y-chinh-quyen", has_place=False)
    assert not lacks_place(None, has_place=False)


@pytest.mark.parametrize(
    ("heard", "is_what"),
    [
        (PLACE, Answered.PLACE),
        (Heard("o doan cua nha ong tu", "feedback"), Answered.PLACE),
        (Heard("", "add_info", has_pin=True), Answered.PLACE),
        (Heard("xom 5, ngay cho", "feedback", "chieu-sang", is_sure=True, has_place=True), Answered.PLACE),
        (Heard("bo qua", "chitchat"), Answered.SKIPPED),
        (Heard("gui luon di", "feedback"), Answered.SKIPPED),
        (Heard("thôi khỏi", "chitchat"), Answered.PLACE),  # the rules see folded words
        (Heard("khong biet nua", "chitchat"), Answered.PLACE),
        (Heard("khong biet a", "chitchat"), Answered.SKIPPED),
        (Heard("rac o cho khong ai don", "feedback", "rac-thai", is_sure=True, has_place=True), Answered.NOT),
        (Heard("den van chua sua", "feedback", "chieu-sang", is_sure=True), Answered.NOT),
        (Heard("tra cuu", "status_lookup"), Answered.NOT),
        (Heard("gap can bo", "human_handoff"), Answered.NOT),
        (Heard("chay nha roi", "emergency"), Answered.NOT),
        (Heard("can bo nhan tien", "denunciation", is_sealed=True), Answered.NOT),
        (Heard("cam on", "thanks"), Answered.NOT),
        (Heard(" ".join(["chu"] * 40), "add_info", has_place=True), Answered.NOT),
    ],
)
def test_an_answer_is_heard_as_one_and_a_wish_as_what_it_is(heard: Heard, is_what: Answered) -> None:
    assert answer(heard) is is_what


@pytest.mark.parametrize("after", [timedelta(minutes=-1), ANSWER_TIME + timedelta(seconds=1)])
def test_what_was_said_before_or_a_day_later_is_no_answer(after: timedelta) -> None:
    assert answer(PLACE, after=after) is Answered.NOT


def test_without_a_question_nothing_is_an_answer() -> None:
    assert answer(PLACE, question=None) is Answered.NOT
    assert answer_to(Question.WHERE, None, "chieu-sang", PLACE, NOON) is Answered.NOT
