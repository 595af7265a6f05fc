"""After a result: who joined gets it too, the citizen judges it, and what is not good goes on."""

from __future__ import annotations

import secrets

import sqlalchemy as sa

from bot.usecases import replies
from bot.usecases.replies import Written
from storage.deliveries import Delivery
from storage.enums import DeliveryKind, TicketState
from storage.messages import Message
from storage.tickets import Ticket
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.usecases.looking import (
    FIRE,
    LIGHT,
    OTHER,
    RUBBISH,
    history,
    messages_of,
    said_to_citizens,
    take_in,
    texts_of,
    the_ticket,
    tickets,
)


def answer(world: World, code: str, who: str = "mai") -> None:
    """Send the result of a ticket."""
    with world.runtime.database.reading() as session:
        ticket = session.scalars(sa.select(Ticket).where(Ticket.code == code)).one()
    written = Written("đã dọn sạch và đặt thêm thùng rác.", is_result=True, next_step="kiểm tra lại sau một tuần.")
    replies.reply(
        world.runtime,
        world.official(who),
        ticket.id,
        version=ticket.version,
        token=secrets.token_hex(16),
        written=written,
    )


def says(world: World, clock: Clock, words: str, **more: str) -> None:
    clock.move(minutes=2)
    world.says(words, **more)
    take_in(world)


def test_who_joined_the_report_gets_the_result_under_their_own_code(morning: World, clock: Clock) -> None:
    says(morning, clock, RUBBISH)
    says(morning, clock, "Rác chợ Đình chất đống hôi quá", user=OTHER)
    assert said_to_citizens(morning)[-1] == "duplicate_offer"
    says(morning, clock, "ghép", user=OTHER)
    second = tickets(morning)[1]
    assert (second.state, second.merged_into_id) == (TicketState.MERGED, tickets(morning)[0].id)
    clock.move(hours=5)
    answer(morning, "PA26-0001")
    results = texts_of(morning, "result")
    assert len(results) == 2
    assert ["PA26-0001" in results[0], "PA26-0002" in results[1], "PA26-0001" in results[1]] == [True, True, False]
    replied = [d for d in all_rows(morning.runtime, Delivery) if d.kind is DeliveryKind.REPLY]
    assert len({d.urn_id for d in replied}) == 2


def test_what_is_added_to_a_joined_report_stays_with_it(morning: World, clock: Clock) -> None:
    says(morning, clock, RUBBISH)
    says(morning, clock, "Rác chợ Đình chất đống hôi quá", user=OTHER)
    says(morning, clock, "ghép", user=OTHER)
    version = tickets(morning)[0].version
    says(morning, clock, "Hôm nay rác còn nhiều hơn", user=OTHER)
    assert len(tickets(morning)) == 2
    assert messages_of(morning, tickets(morning)[1])[-1] == "Hôm nay rác còn nhiều hơn"
    assert tickets(morning)[0].version > version
    assert history(morning, tickets(morning)[0])[-1] == "message_added"


def test_a_good_judgement_closes_the_report(morning: World, clock: Clock) -> None:
    says(morning, clock, LIGHT)
    answer(morning, "PA26-0001")
    assert said_to_citizens(morning)[-1] == "rating"
    says(morning, clock, "3")
    ticket = the_ticket(morning)
    assert (ticket.rating, ticket.state, ticket.is_open) == (3, TicketState.CLOSED, False)
    assert said_to_citizens(morning)[-1] == "rating_thanks"


def test_a_low_judgement_opens_it_again_with_a_new_deadline_and_the_reason_is_filed(
    morning: World, clock: Clock
) -> None:
    says(morning, clock, LIGHT)
    answer(morning, "PA26-0001")
    before = the_ticket(morning).due_at
    clock.move(days=1)
    says(morning, clock, "không hài lòng")
    ticket = the_ticket(morning)
    assert (ticket.state, ticket.is_open, ticket.reopened_count, ticket.rating) == (TicketState.REOPENED, True, 1, 1)
    assert ticket.due_at is not None
    assert before is not None
    assert ticket.due_at > before
    says(morning, clock, "thay bóng rồi mà tối vẫn không sáng")
    assert messages_of(morning, the_ticket(morning))[-1] == "thay bóng rồi mà tối vẫn không sáng"
    assert said_to_citizens(morning)[-2:] == ["rating_low", "reason_noted"]
    assert len(tickets(morning)) == 1


def test_not_over_with_a_reason_needs_no_question(morning: World, clock: Clock) -> None:
    says(morning, clock, LIGHT)
    answer(morning, "PA26-0001")
    says(morning, clock, "chưa đồng ý, đèn vẫn tắt từ tối qua tới giờ")
    assert the_ticket(morning).state is TicketState.REOPENED
    assert said_to_citizens(morning)[-1] == "reopened"


def test_after_a_month_it_is_a_new_report(morning: World, clock: Clock) -> None:
    says(morning, clock, LIGHT)
    answer(morning, "PA26-0001")
    clock.move(days=31)
    says(morning, clock, "Đèn đường xóm 5 lại tắt tối om mấy hôm nay")
    assert [t.state for t in tickets(morning)] == [TicketState.ANSWERED, TicketState.NEW]


def test_more_words_about_a_report_with_a_result_open_it_again(morning: World, clock: Clock) -> None:
    says(morning, clock, LIGHT)
    answer(morning, "PA26-0001")
    clock.move(days=2)
    says(morning, clock, "Đèn đường xóm 5 lại tắt tối om mấy hôm nay")
    ticket = the_ticket(morning)
    assert (ticket.state, ticket.is_open) == (TicketState.REOPENED, True)
    assert said_to_citizens(morning)[-1] == "reopened"


def test_thanks_for_a_result_open_nothing(morning: World, clock: Clock) -> None:
    says(morning, clock, LIGHT)
    answer(morning, "PA26-0001")
    says(morning, clock, "cảm ơn xã nhiều lắm")
    assert the_ticket(morning).state is TicketState.ANSWERED


def test_nobody_is_asked_to_judge_an_emergency(morning: World, clock: Clock) -> None:
    says(morning, clock, FIRE)
    answer(morning, "PA26-0001")
    assert "rating" not in said_to_citizens(morning)


def test_the_result_ends_the_talk_in_person(morning: World, clock: Clock) -> None:
    says(morning, clock, LIGHT)
    ticket = the_ticket(morning)
    replies.reply(
        morning.runtime,
        morning.official("lan"),
        ticket.id,
        version=ticket.version,
        token="a" * 32,
        written=Written("Cho hỏi cột số mấy ạ?"),
    )
    answer(morning, "PA26-0001")
    says(morning, clock, "tra cứu")
    assert said_to_citizens(morning)[-1] == "status"
    assert [m.template for m in all_rows(morning.runtime, Message) if m.template == "held"] == ["held"]
