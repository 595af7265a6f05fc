"""Messages find their ticket in whatever order they come, and what people decided stays."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from nlp.reading import Reading
from storage.enums import TicketState, Urgency
from storage.messages import Message
from storage.tickets import Ticket, TicketEvent
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.usecases.looking import (
    BRIBE,
    FIRE,
    LIGHT,
    OTHER,
    POTHOLE,
    RUBBISH,
    history,
    messages_of,
    outcomes,
    owed,
    said_to_citizens,
    take_in,
    the_ticket,
    tickets,
)

MORE = "ngay đầu ngõ nhà tôi"
STORY = [(0, LIGHT), (40, MORE), (900, RUBBISH), (940, "ngay cổng chợ"), (2_000, "cảm ơn")]


def change(world: World, number: int, **values: object) -> None:
    """What an official's act leaves behind."""
    with world.runtime.database.transaction() as session:
        ticket = session.get_one(Ticket, number)
        for name, value in values.items():
            setattr(ticket, name, value)


def live(world: World) -> list[list[str]]:
    """The messages of each ticket that still stands, the oldest ticket first."""
    standing = [t for t in tickets(world) if t.state is not TicketState.MERGED]
    return [messages_of(world, t) for t in sorted(standing, key=lambda t: t.opened_at)]


def in_order_of_arrival(world: World, clock: Clock, order: tuple[int, ...]) -> list[list[str]]:
    """Tell the story in this order, each event handled before the next arrives."""
    begin = clock.now
    clock.move(seconds=STORY[-1][0])
    for index in order:
        after, text = STORY[index]
        world.says(text, at=begin + timedelta(seconds=after))
        take_in(world)
    return live(world)


@pytest.mark.parametrize("order", [*list(itertools.permutations(range(5)))[::13], (4, 3, 2, 1, 0)], ids=str)
def test_messages_that_arrive_out_of_order_are_filed_as_they_were_said(
    order: tuple[int, ...], morning: World, clock: Clock
) -> None:
    found = in_order_of_arrival(morning, clock, order)
    assert found == [[LIGHT, MORE], [RUBBISH, "ngay cổng chợ"]]


def test_a_late_message_is_put_where_it_belongs(morning: World, clock: Clock) -> None:
    begin = clock.now
    morning.says(LIGHT)
    clock.move(minutes=10)
    morning.says(RUBBISH)
    take_in(morning)
    morning.says(MORE, at=begin + timedelta(seconds=30))
    take_in(morning)
    assert live(morning) == [[LIGHT, MORE], [RUBBISH]]


def test_two_tickets_that_were_one_report_after_all_keep_both_codes(morning: World, clock: Clock) -> None:
    begin = clock.now
    morning.says(LIGHT)
    morning.says(RUBBISH, at=begin + timedelta(seconds=150))
    clock.move(seconds=200)
    take_in(morning)
    assert len(live(morning)) == 2
    # The message in between makes it one burst: 75 seconds to each side.
    morning.says(MORE, at=begin + timedelta(seconds=75))
    take_in(morning)
    first, second = tickets(morning)
    assert live(morning) == [[LIGHT, MORE, RUBBISH]]
    assert (second.state, second.is_open, second.merged_into_id) == (TicketState.MERGED, False, first.id)
    assert history(morning, second)[-1] == "merged"


def test_a_ticket_people_work_on_is_not_merged_away(morning: World, clock: Clock) -> None:
    begin = clock.now
    morning.says(LIGHT)
    morning.says(RUBBISH, at=begin + timedelta(seconds=150))
    clock.move(seconds=200)
    take_in(morning)
    change(morning, tickets(morning)[1].id, is_touched=True)
    morning.says(MORE, at=begin + timedelta(seconds=75))
    take_in(morning)
    assert [t.state for t in tickets(morning)] == [TicketState.NEW, TicketState.NEW]
    assert messages_of(morning, tickets(morning)[1]) == [RUBBISH]


def test_what_an_official_decided_is_not_described_anew(morning: World, clock: Clock) -> None:
    morning.says(LIGHT)
    take_in(morning)
    change(
        morning, the_ticket(morning).id, is_touched=True, topic="dien", topic_is_confirmed=True, summary="Cột điện đổ"
    )
    clock.move(seconds=60)
    morning.says(RUBBISH)
    take_in(morning)
    ticket = the_ticket(morning)
    assert (ticket.topic, ticket.summary) == ("dien", "Cột điện đổ")
    assert ticket.last_in_at == clock.now


def test_an_emergency_raises_even_a_ticket_people_work_on(morning: World, clock: Clock) -> None:
    morning.says(LIGHT)
    take_in(morning)
    change(morning, the_ticket(morning).id, is_touched=True)
    clock.move(seconds=60)
    morning.says(FIRE)
    take_in(morning)
    assert the_ticket(morning).urgency == "khan_cap"


def test_each_change_makes_a_new_version(morning: World, clock: Clock) -> None:
    morning.says(LIGHT)
    take_in(morning)
    before = the_ticket(morning).version
    clock.move(seconds=30)
    morning.says(MORE)
    take_in(morning)
    assert the_ticket(morning).version > before


@pytest.mark.parametrize("state", [TicketState.CLOSED, TicketState.DECLINED, TicketState.WITHDRAWN])
def test_an_ended_ticket_takes_no_more(state: TicketState, morning: World, clock: Clock) -> None:
    morning.says(LIGHT)
    take_in(morning)
    clock.move(minutes=30)
    change(morning, the_ticket(morning).id, state=state, is_open=False, is_touched=True, closed_at=clock.now)
    clock.move(minutes=30)
    morning.says(LIGHT)
    take_in(morning)
    assert [t.code for t in tickets(morning)] == ["PA26-0001", "PA26-0002"]


@pytest.mark.parametrize("is_spam", [True, False])
def test_an_emergency_that_comes_late_does_not_vanish_in_an_ended_ticket(
    is_spam: bool, morning: World, clock: Clock
) -> None:
    morning.says(RUBBISH)
    take_in(morning)
    ended = the_ticket(morning)
    said_at = clock.now + timedelta(minutes=1)
    clock.move(minutes=30)
    change(
        morning,
        ended.id,
        state=TicketState.CLOSED,
        is_open=False,
        is_spam=is_spam,
        is_touched=True,
        closed_at=clock.now,
    )
    clock.move(minutes=30)
    morning.says(FIRE, at=said_at)
    take_in(morning)
    late = tickets(morning)[1]
    assert (late.is_open, late.is_spam, late.urgency) == (True, False, Urgency.EMERGENCY)
    assert messages_of(morning, late) == [FIRE]
    clock.move(minutes=1)
    morning.says(MORE)
    take_in(morning)
    assert [messages_of(morning, t) for t in tickets(morning)] == [[RUBBISH], [FIRE, MORE]]


def test_an_answered_ticket_still_takes_what_is_added(morning: World, clock: Clock) -> None:
    morning.says(LIGHT)
    take_in(morning)
    clock.move(minutes=30)
    change(morning, the_ticket(morning).id, state=TicketState.ANSWERED, is_open=False, is_touched=True)
    clock.move(minutes=30)
    morning.says("vẫn còn tối lắm, đèn đường xóm 5 chưa sáng")
    take_in(morning)
    assert len(messages_of(morning, the_ticket(morning))) == 2


def test_a_quoted_answer_leads_to_its_ticket(morning: World, clock: Clock) -> None:
    morning.says(LIGHT)
    take_in(morning)
    with morning.runtime.database.transaction() as session:
        delivery = session.merge(owed(morning)[0])
        delivery.external_id = "sent-1"
    clock.move(minutes=10)
    morning.says(RUBBISH)
    clock.move(minutes=10)
    morning.says("Khi nào xong ạ", quote_msg_id="sent-1")
    take_in(morning)
    assert messages_of(morning, tickets(morning)[0])[-1] == "Khi nào xong ạ"


def test_anothers_message_cannot_be_quoted_into_anothers_ticket(morning: World, clock: Clock) -> None:
    morning.says(LIGHT)
    take_in(morning)
    first = all_rows(morning.runtime, Message)[0].external_id
    clock.move(minutes=10)
    morning.says(POTHOLE, user=OTHER, quote_msg_id=first)
    take_in(morning)
    assert [messages_of(morning, t) for t in tickets(morning)] == [[LIGHT], [POTHOLE]]


def test_a_late_denunciation_leaves_the_open_report_as_it_is(morning: World, clock: Clock) -> None:
    begin = clock.now
    morning.says(LIGHT)
    clock.move(minutes=10)
    take_in(morning)
    morning.says(BRIBE, at=begin + timedelta(minutes=5))
    take_in(morning)
    assert [(t.is_sealed, messages_of(morning, t)) for t in tickets(morning)] == [(False, [LIGHT]), (True, [BRIBE])]


def test_messages_said_in_the_same_instant_are_filed_once_each(morning: World, clock: Clock) -> None:
    for _ in range(5):
        morning.says(LIGHT)
    take_in(morning)
    assert len(messages_of(morning, the_ticket(morning))) == 5
    assert said_to_citizens(morning) == ["ack"]


def test_a_message_behind_hundreds_of_later_ones_is_still_a_report(
    morning: World, clock: Clock, told: dict[str, Reading], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.usecases.filing.AT_MOST", 5)
    begin = clock.now
    clock.move(minutes=1)
    for _ in range(8):
        morning.says("Xin chào")
        clock.move(seconds=1)
    take_in(morning)
    morning.says(LIGHT, at=begin)
    take_in(morning)
    assert outcomes(morning)[-1] == "message:opened"
    assert messages_of(morning, the_ticket(morning)) == [LIGHT]


def test_a_conversation_of_months_stays_in_one_piece(
    morning: World, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.usecases.filing.AT_MOST", 4)
    for n in range(12):
        morning.says(LIGHT if n % 3 == 0 else MORE)
        take_in(morning)
        clock.move(minutes=4)
    assert len(messages_of(morning, the_ticket(morning))) == 12


def test_the_history_names_every_message(morning: World, clock: Clock) -> None:
    for text in (LIGHT, MORE, MORE):
        morning.says(text)
        clock.move(seconds=30)
        take_in(morning)
    added = [e.data["message_id"] for e in all_rows(morning.runtime, TicketEvent) if e.kind == "message_added"]
    assert added == [m.id for m in all_rows(morning.runtime, Message) if m.text == MORE]
