"""A frequent question is answered at once from the commune's list, and goes to people when the answer was another's."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from bot.usecases.faq import all_answers, faq_book, words_of
from nlp.faq import shipped_faq
from storage.faq import FaqRow
from storage.messages import Message
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.usecases.looking import LIGHT, messages_of, said_to_citizens, take_in, texts_of, the_ticket, tickets

BIRTH = "Đăng ký khai sinh cho con cần giấy tờ gì, nộp ở đâu?"


def an_entry(world: World, key: str, **values: object) -> None:
    """Write an entry as an official would have it."""
    row = {
        "topic": "van-hoa-the-thao",
        "question": "Chợ đêm họp mấy giờ?",
        "variants": "cho dem mo cua luc nao\nchợ đêm tối nào họp",
        "answer": "Chợ đêm họp tối thứ bảy tại {noitiep}, từ 18:00.",
        "source": "Thông báo của UBND",
        "as_of": "2026-10",
        "changed_at": world.clock(),
        **values,
    }
    with world.runtime.database.transaction() as session:
        session.add(FaqRow(commune_id=world.commune_id, key=key, **row))


def test_a_frequent_question_is_answered_at_once_with_its_source_and_opens_no_ticket(morning: World) -> None:
    morning.says(BIRTH)
    take_in(morning)
    assert tickets(morning) == []
    assert said_to_citizens(morning) == ["faq"]
    (words,) = texts_of(morning, "faq")
    entry = next(e for e in shipped_faq() if e.key == "khai-sinh")
    for part in ("khai sinh", entry.source, "tháng 11/2026", "chưa đúng", "tự động"):
        assert part in words
    assert "{" not in words
    assert [m.faq_key for m in all_rows(morning.runtime, Message) if m.template is None] == ["khai-sinh"]


@pytest.mark.parametrize("objection", ["chưa đúng ý tôi", "không phải, hỏi cái khác", "gặp cán bộ", "Hông phải dzậy"])
def test_who_says_that_it_is_not_what_was_meant_reaches_a_person(morning: World, clock: Clock, objection: str) -> None:
    morning.says(BIRTH)
    take_in(morning)
    clock.move(minutes=4)
    morning.says(objection)
    take_in(morning)
    ticket = the_ticket(morning)
    assert BIRTH in messages_of(morning, ticket)
    assert {"ack", "handoff"} & set(said_to_citizens(morning))


def test_after_a_day_an_objection_is_about_something_else(morning: World, clock: Clock) -> None:
    morning.says(BIRTH)
    take_in(morning)
    clock.move(hours=25)
    morning.says("chưa đúng")
    take_in(morning)
    assert tickets(morning) == []


def test_a_report_after_an_answer_is_a_report_of_its_own(morning: World, clock: Clock) -> None:
    morning.says(BIRTH)
    take_in(morning)
    clock.move(seconds=30)
    morning.says(LIGHT)
    take_in(morning)
    ticket = the_ticket(morning)
    assert messages_of(morning, ticket) == [LIGHT]


def test_a_question_is_answered_beside_an_open_report_without_joining_it(morning: World, clock: Clock) -> None:
    morning.says(LIGHT)
    take_in(morning)
    clock.move(seconds=30)
    morning.says(BIRTH)
    take_in(morning)
    assert messages_of(morning, the_ticket(morning)) == [LIGHT]
    assert said_to_citizens(morning) == ["ack", "faq"]


def test_a_question_read_hours_late_goes_to_people(morning: World, clock: Clock) -> None:
    morning.says(BIRTH, at=clock())
    clock.move(hours=3)
    take_in(morning)
    assert the_ticket(morning).summary == BIRTH


@pytest.mark.parametrize(
    "text",
    [
        "Tôi tố cáo cán bộ hộ tịch đòi tiền mới làm giấy khai sinh cho con tôi",
        "Con tôi bị ngất ở chỗ làm khai sinh, cứu với",
        "Hồ sơ khai sinh của con tôi nộp cả tháng nay chưa có, đề nghị xã xem lại",
    ],
)
def test_what_is_no_question_is_never_put_off_with_an_answer(morning: World, text: str) -> None:
    morning.says(text)
    take_in(morning)
    assert "faq" not in said_to_citizens(morning)
    assert len(tickets(morning)) == 1


def test_a_communes_own_entry_is_found_and_its_variables_are_filled(morning: World) -> None:
    an_entry(morning, "cho-dem")
    morning.says("cho hỏi chợ đêm họp tới mấy giờ vậy?")
    take_in(morning)
    (words,) = texts_of(morning, "faq")
    assert words.startswith("Chợ đêm họp tối thứ bảy tại trụ sở UBND xã Đức Huệ, từ 18:00.\n(Theo Thông báo của UBND; ")


def test_an_entry_that_was_changed_or_hidden_counts_as_it_is_now(morning: World, clock: Clock) -> None:
    an_entry(morning, "khai-sinh", topic="thu-tuc-hanh-chinh", question=BIRTH, variants="", answer="Mời ra xã.")
    morning.says(BIRTH)
    take_in(morning)
    assert texts_of(morning, "faq")[0].startswith("Mời ra xã.")
    clock.move(days=2)
    with morning.runtime.database.transaction() as session:
        row = session.scalars(sa.select(FaqRow)).one()
        row.is_active, row.changed_at = False, clock()
    morning.says(BIRTH)
    take_in(morning)
    assert len(texts_of(morning, "faq")) == 1
    assert the_ticket(morning).summary == BIRTH


def test_every_answer_that_ships_can_be_said_in_a_xa_a_phuong_and_a_dac_khu(morning: World) -> None:
    with morning.runtime.database.reading() as session:
        answers = all_answers(session, morning.commune_id)
        assert faq_book(session, morning.commune_id) is faq_book(session, morning.commune_id)
    place = {"reception": "số 1", "hours": "07:30–11:30", "duty_phone": "113"}
    for answer in answers.values():
        for commune in ("UBND phường Dĩ An", "UBND đặc khu Lý Sơn"):
            words = words_of(answer, commune=commune, **place)
            assert "công an xã" not in words.lower(), answer.key
            assert "{" not in words, answer.key
            assert "UBND UBND" not in words, answer.key
