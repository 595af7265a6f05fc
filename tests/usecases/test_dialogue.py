"""A report without a place opens its ticket at once; then the bot asks where, and files the answer under it."""

from __future__ import annotations

import pytest

from storage.contacts import Conversation
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.usecases.looking import LIGHT, RUBBISH, messages_of, said_to_citizens, take_in, texts_of, the_ticket, tickets

DARK = "Đèn đường tối om mấy hôm nay không ai sửa"


def asked(world: World) -> str | None:
    """The question about the report that waits; the one of consent, put once to everybody, is told elsewhere."""
    (conversation,) = all_rows(world.runtime, Conversation)
    return conversation.asked if conversation.asked != "consent" else None


def reported(world: World, clock: Clock, text: str = DARK) -> None:
    """A citizen reports, is asked, and two minutes pass."""
    world.says(text)
    take_in(world)
    clock.move(minutes=2)


def test_a_report_without_a_place_gets_its_code_first_and_then_one_question(morning: World) -> None:
    morning.says(DARK)
    take_in(morning)
    assert said_to_citizens(morning) == ["ack", "ask_where"]
    assert the_ticket(morning).code in texts_of(morning, "ask_where")[0]
    assert asked(morning) == "where"


def test_a_report_with_a_place_is_asked_nothing(morning: World) -> None:
    morning.says(LIGHT)
    take_in(morning)
    assert said_to_citizens(morning) == ["ack"]
    assert asked(morning) is None


@pytest.mark.parametrize(
    ("words", "noted"), [("xóm 5", "Xóm 5"), ("o xom 7 do", "Xóm 7"), ("đoạn cua nhà ông Tư", "đoạn cua nhà ông Tư")]
)
def test_the_answer_is_noted_on_the_ticket_and_read_back(morning: World, clock: Clock, words: str, noted: str) -> None:
    reported(morning, clock)
    morning.says(words)
    take_in(morning)
    ticket = the_ticket(morning)
    assert ticket.place_text == noted
    assert messages_of(morning, ticket) == [DARK, words]
    assert said_to_citizens(morning) == ["ack", "ask_where", "where_noted"]
    assert noted in texts_of(morning, "where_noted")[0]
    assert asked(morning) is None


def test_a_pin_is_an_answer(morning: World, clock: Clock) -> None:
    reported(morning, clock)
    location = {"type": "location", "payload": {"coordinates": {"latitude": "10.80446", "longitude": "106.31723"}}}
    event = {
        "event_name": "user_send_location",
        "sender": {"id": "3000000000000000003"},
        "recipient": {"id": "2000000000000000001"},
    }
    morning.event({**event, "message": {"msg_id": "pin1", "attachments": [location]}})
    take_in(morning)
    assert the_ticket(morning).latitude == pytest.approx(10.80446)
    assert said_to_citizens(morning)[-1] == "pin_noted"


@pytest.mark.parametrize("words", ["bỏ qua", "gửi luôn", "không biết ạ", "Bo qua di"])
def test_the_question_may_be_skipped_and_the_report_stays(morning: World, clock: Clock, words: str) -> None:
    reported(morning, clock)
    morning.says(words)
    take_in(morning)
    assert the_ticket(morning).is_open
    assert said_to_citizens(morning) == ["ack", "ask_where", "skipped"]
    assert asked(morning) is None


def test_another_report_instead_of_an_answer_is_a_ticket_of_its_own(morning: World, clock: Clock) -> None:
    reported(morning, clock)
    morning.says(RUBBISH)
    take_in(morning)
    assert [t.topic for t in tickets(morning)] == ["chieu-sang", "rac-thai"]
    assert asked(morning) == "where"  # the first is still missing its place


def test_a_wish_instead_of_an_answer_is_heard_and_the_question_waits(morning: World, clock: Clock) -> None:
    reported(morning, clock)
    morning.says("tra cứu")
    take_in(morning)
    assert said_to_citizens(morning) == ["ack", "ask_where", "status"]
    assert asked(morning) == "where"
    morning.says("xóm 5")
    take_in(morning)
    assert the_ticket(morning).place_text == "Xóm 5"


def test_whoever_never_answers_has_reported_all_the_same(morning: World, clock: Clock) -> None:
    reported(morning, clock)
    clock.move(hours=25)
    morning.says("đoạn cua nhà ông Tư")
    take_in(morning)
    assert messages_of(morning, the_ticket(morning)) == [DARK, "đoạn cua nhà ông Tư"]
    assert said_to_citizens(morning)[-1] == "added"  # an addition like any other, no answer


def test_a_place_said_before_the_answer_needs_no_answer(morning: World, clock: Clock) -> None:
    reported(morning, clock)
    morning.says("Đèn đường xóm 5 tối om thật đấy, sửa giúp bà con")
    take_in(morning)
    assert the_ticket(morning).place_text == "Xóm 5"
    morning.says("cảm ơn")
    take_in(morning)
    assert asked(morning) is None


def test_an_emergency_is_asked_where_by_its_own_text_alone(morning: World, clock: Clock) -> None:
    morning.says("Cháy nhà rồi, cứu với")
    take_in(morning)
    assert "ask_where" not in said_to_citizens(morning)
    assert asked(morning) == "where"
    clock.move(seconds=20)
    morning.says("nhà ông Tư đầu làng")
    take_in(morning)
    assert the_ticket(morning).place_text is not None


def test_a_denunciation_is_asked_nothing(morning: World) -> None:
    morning.says("Tôi tố cáo cán bộ địa chính nhận hối lộ hai mươi triệu đồng của dân để làm sổ đỏ")
    take_in(morning)
    assert said_to_citizens(morning) == ["denunciation_guide"]
    assert asked(morning) is None
