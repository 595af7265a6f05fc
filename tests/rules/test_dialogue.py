"""The bot asks only what is missing, once, and hears an answer as an answer and anything else as what it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.rules.commands import RIGHTS, command_in
from bot.rules.dialogue import (
    ANSWER_TIME,
    HIDDEN_BY_ITSELF,
    ON_SITE,
    RATING_TIME,
    TEXTS,
    Answer,
    Heard,
    Known,
    Question,
    Told,
    Waiting,
    answer_to,
    lacks_place,
    next_question,
)
from bot.texts import labels_of
from nlp.characters import fold
from nlp.topics import TOPICS

NOON = datetime(2026, 10, 7, 5, 0, tzinfo=UTC)
MISSING = frozenset({Question.WHERE})
LAMP = Told("chieu-sang", "feedback", has_place=False, is_sealed=False, is_urgent=False, offers=MISSING)
PLACED = replace(LAMP, has_place=True, offers=frozenset())
PLACE = Heard("nga ba gan cho", "add_info")
STRANGER, ASKED = Known(), Known(consent_was_asked=True)
WHERE, NAME, SKIP = "words", "words", "skip"


def waiting(question: Question | None, *, topic: str | None = "chieu-sang") -> Waiting:
    labels = {v: tuple(map(fold, names)) for v, names in labels_of(TEXTS[question]).items()} if question else {}
    return Waiting(question, NOON, topic, labels)


def answer(
    heard: Heard, *, after: timedelta = timedelta(minutes=2), question: Question | None = Question.WHERE
) -> str | None:
    found = answer_to(waiting(question), heard, NOON + after)
    return found.value if found else None


def said(words: str, question: Question) -> str | None:
    return answer(Heard(words, "add_info"), question=question)


def test_the_topics_that_need_a_place_or_hide_a_name_are_topics() -> None:
    assert set(TOPICS) > ON_SITE
    assert set(TOPICS) > HIDDEN_BY_ITSELF


@pytest.mark.parametrize(
    ("ticket", "known", "asked"),
    [
        (LAMP, STRANGER, Question.WHERE),
        (replace(LAMP, is_sealed=True), STRANGER, None),
        (replace(LAMP, intent="question"), STRANGER, Question.CONSENT),
        (PLACED, STRANGER, Question.CONSENT),
        (PLACED, ASKED, None),
        (PLACED, replace(ASKED, consent="refused"), None),
        (PLACED, replace(ASKED, consent="given"), Question.WHO),
        (PLACED, replace(ASKED, consent="given", has_name=True), None),
        (PLACED, replace(ASKED, consent="given", identity_was_asked=True), None),
        (replace(PLACED, asked=3), STRANGER, None),
        (replace(LAMP, offers=MISSING | {Question.SPLIT, Question.MERGE}), STRANGER, Question.SPLIT),
        (replace(LAMP, offers=MISSING | {Question.MERGE}), STRANGER, Question.MERGE),
        (replace(PLACED, intent="data_request"), STRANGER, None),
        (Told("y-te", "emergency", has_place=False, is_sealed=False, is_urgent=True), STRANGER, Question.WHERE),
        (Told("y-te", "emergency", has_place=False, is_sealed=True, is_urgent=True), STRANGER, None),
        (Told("y-te", "emergency", has_place=True, is_sealed=False, is_urgent=True), STRANGER, None),
    ],
)
def test_only_what_is_missing_is_asked_and_of_a_secret_nothing(
    ticket: Told, known: Known, asked: Question | None
) -> None:
    assert next_question(ticket, known) is asked


def test_a_ticket_without_a_place_is_incomplete_only_where_somebody_must_go() -> None:
    assert lacks_place("rac-thai", has_place=False)
    assert not lacks_place("rac-thai", has_place=True)
    assert not lacks_place("gop-y-chinh-quyen", has_place=False)
    assert not lacks_place(None, has_place=False)


@pytest.mark.parametrize(
    ("heard", "is_what"),
    [
        (PLACE, WHERE),
        (Heard("o doan cua nha ong tu", "feedback"), WHERE),
        (Heard("", "add_info", has_pin=True), WHERE),
        (Heard("xom 5, ngay cho", "feedback", "chieu-sang", is_sure=True, has_place=True), WHERE),
        (Heard("bo qua", "chitchat"), SKIP),
        (Heard("gui luon di", "feedback"), SKIP),
        (Heard("thoi khoi", "chitchat"), SKIP),
        (Heard("khong biet nua", "chitchat"), SKIP),
        (Heard("khong biet a", "chitchat"), SKIP),
        (Heard("rac o cho khong ai don", "feedback", "rac-thai", is_sure=True, has_place=True), None),
        (Heard("den van chua sua", "feedback", "chieu-sang", is_sure=True), None),
        (Heard("tra cuu", "status_lookup"), None),
        (Heard("tra", "add_info", is_command=True), None),
        (Heard("gap can bo", "human_handoff"), None),
        (Heard("chay nha roi", "emergency"), None),
        (Heard("can bo nhan tien", "denunciation", is_sealed=True), None),
        (Heard("cam on", "thanks"), None),
        (Heard(" ".join(["chu"] * 40), "add_info", has_place=True), None),
    ],
)
def test_an_answer_is_heard_as_one_and_a_wish_as_what_it_is(heard: Heard, is_what: str | None) -> None:
    assert answer(heard) == is_what


@pytest.mark.parametrize(
    ("question", "words", "value"),
    [
        (Question.CONSENT, "1", "yes"),
        (Question.CONSENT, "dong y", "yes"),
        (Question.CONSENT, "da dong y a", "yes"),
        (Question.CONSENT, "2", "more"),
        (Question.CONSENT, "xem them", "more"),
        (Question.CONSENT, "khong", "no"),
        (Question.CONSENT, "khong dong y", "no"),
        (Question.CONSENT, "i agree", "yes"),
        (Question.CONSENT, "5", None),
        (Question.CONSENT, "den van chua sang", None),  # silence and other words are no consent
        (Question.MERGE, "ghep", "merge"),
        (Question.MERGE, "ok", "merge"),
        (Question.MERGE, "de rieng", "keep"),
        (Question.MERGE, "so 2 nhe", "keep"),
        (Question.SPLIT, "tach", "split"),
        (Question.SPLIT, "thoi", "together"),
        (Question.WITHDRAW, "rut", "yes"),
        (Question.WITHDRAW, "giu lai", "no"),
        (Question.RATING, "3", "good"),
        (Question.RATING, "hai long", "good"),
        (Question.RATING, "khong hai long", "low"),
        (Question.RATING, "chua xong", "low"),
        (Question.RATING, "tam duoc", "fair"),
        (Question.RATING, "den lai tat roi", None),
        (Question.ERASE, "xoa", "yes"),
        (Question.ERASE, "khong xoa", "no"),
        (Question.WHO, "an danh", "anonymous"),
        (Question.WHO, "bo qua", "skip"),
    ],
)
def test_an_offered_answer_is_known_by_number_label_or_a_plain_yes_and_no(
    question: Question, words: str, value: str | None
) -> None:
    assert said(words, question) == value


@pytest.mark.parametrize(
    ("question", "typed", "value"),
    [
        (Question.RATING, "Rút đồng ý", None),
        (Question.RATING, "RUT DONG Y", None),
        (Question.RATING, "tôi rút lại sự đồng ý cho lưu tên và số điện thoại", None),
        (Question.RATING, "dừng nhận tin", None),
        (Question.RATING, "DUNG", None),
        (Question.RATING, "TC", None),
        (Question.RATING, "xóa dữ liệu của tôi", None),
        (Question.RATING, "dữ liệu của tôi", None),
        (Question.RATING, "đồng ý công khai", None),
        (Question.RATING, "không đồng ý công khai", None),
        (Question.RATING, "không cho lưu thông tin nữa", None),
        (Question.RATING, "không đồng ý nữa", "low"),
        (Question.RATING, "đồng ý", "fair"),
        (Question.RATING, "đúng rồi", "good"),
        (Question.REASON, "rút đồng ý", None),
        (Question.REASON, "DUNG", None),
        (Question.REASON, "xóa dữ liệu", None),
        (Question.REASON, "đường vẫn ngập như cũ", "words"),
        (Question.CONSENT, "rút đồng ý", None),
        (Question.CONSENT, "không đồng ý nữa", "no"),
        (Question.CONSENT, "DUNG", "yes"),
        (Question.CONSENT, "dừng", None),
        (Question.WITHDRAW, "rút đồng ý", None),
        (Question.WITHDRAW, "rút", "yes"),
        (Question.WITHDRAW, "xóa dữ liệu", None),
        (Question.ERASE, "xóa dữ liệu", "yes"),
        (Question.ERASE, "rút đồng ý", None),
        (Question.WHO, "DUNG", None),
    ],
)
def test_a_right_is_heard_as_itself_whatever_was_asked(question: Question, typed: str, value: str | None) -> None:
    folded = fold(typed)
    command = command_in(typed, folded)
    right = command.verb if command and command.verb in RIGHTS else None
    heard = Heard(folded, "add_info", accented=typed.lower(), is_command=command is not None, right=right)
    assert answer(heard, question=question) == value


@pytest.mark.parametrize(("intent", "value"), [("unsubscribe", None), ("data_request", None), ("rating", "low")])
def test_a_right_said_freely_is_no_judgement(intent: str, value: str | None) -> None:
    heard = Heard("thoi dung gui thong bao nua, khong can tot dau", intent)
    assert answer(heard, question=Question.RATING) == (value and None)
    assert answer(Heard("dung gui tin cho toi", intent), question=Question.REASON) == (value and "words")


def test_a_name_is_an_answer_to_who_and_a_question_is_not() -> None:
    assert said("nguyen van binh, xom 5", Question.WHO) == NAME
    assert answer(Heard("bao gio sua den vay", "question", "chieu-sang"), question=Question.WHO) is None
    assert answer(Heard("nguyen van binh", "greeting", has_name=True), question=Question.WHO) == NAME
    assert answer(Heard("co dam chay o xom 5", "emergency", is_emergency=True), question=Question.WHO) is None


def test_a_number_means_the_ticket_that_stands_there() -> None:
    which = Waiting(Question.WHICH, NOON, None, {"17": ("pa26 0003",), "12": ("pa26 0001",)})
    assert answer_to(which, Heard("2", "add_info"), NOON) == Answer(Question.WHICH, "12")
    assert answer_to(which, Heard("pa26-0003", "status_lookup"), NOON) == Answer(Question.WHICH, "17")


def test_a_result_may_be_judged_for_a_week() -> None:
    assert answer(Heard("3", "rating"), after=RATING_TIME, question=Question.RATING) == "good"
    assert answer(Heard("3", "rating"), after=RATING_TIME * 2, question=Question.RATING) is None


@pytest.mark.parametrize("after", [timedelta(minutes=-1), ANSWER_TIME + timedelta(seconds=1)])
def test_what_was_said_before_or_a_day_later_is_no_answer(after: timedelta) -> None:
    assert answer(PLACE, after=after) is None


def test_without_a_question_nothing_is_an_answer() -> None:
    assert answer(PLACE, question=None) is None
    assert answer_to(Waiting(Question.WHERE), PLACE, NOON) is None
