"""What the channel says later about messages that left our account."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from storage.deliveries import Delivery
from storage.enums import DeliveryState, Direction, InboundState, Origin
from storage.messages import Message
from tests.builders import OA, World, all_rows
from tests.conftest import Clock
from tests.usecases.looking import BRIBE, LIGHT, event, outcomes, owed, take_in, the_ticket, tickets

USER = "3000000000000000003"


def change(world: World, **values: Any) -> Delivery:
    """Let something have happened to the first delivery."""
    with world.runtime.database.transaction() as session:
        row = session.get_one(Delivery, owed(world)[0].id)
        for name, value in values.items():
            setattr(row, name, value)
        return row


def acknowledged(world: World, state: DeliveryState, external_id: str | None = "sent-1") -> None:
    """A report whose acknowledgement has come this far."""
    world.says(LIGHT)
    take_in(world)
    change(world, state=state, external_id=external_id)


def received(world: World, *ids: str, read: bool = False, **more: Any) -> int:
    message = {"msg_ids": list(ids)} if read else {"msg_id": ids[0]}
    name = "user_seen_message" if read else "user_received_message"
    return world.event(
        {"event_name": name, "sender": {"id": OA}, "recipient": {"id": USER}, "message": message}, **more
    )


def echoed(world: World, text: str, msg_id: str = "echo-1", *, admin: str | None = None, **more: Any) -> int:
    sender = {"id": OA} | ({"admin_id": admin} if admin else {})
    payload = {
        "event_name": "oa_send_text",
        "sender": sender,
        "recipient": {"id": USER},
        "message": {"msg_id": msg_id, "text": text},
    }
    return world.event(payload, **more)


# --- receipts ---------------------------------------------------------------------------------------------------------


def test_a_receipt_moves_a_delivery_forward(morning: World, clock: Clock) -> None:
    acknowledged(morning, DeliveryState.SENT)
    received(morning, "sent-1")
    take_in(morning)
    (delivery,) = owed(morning)
    assert (delivery.state, delivery.delivered_at, delivery.read_at) == (DeliveryState.DELIVERED, clock.now, None)


def test_reading_a_message_proves_that_it_arrived(morning: World, clock: Clock) -> None:
    acknowledged(morning, DeliveryState.SENT)
    received(morning, "sent-1", read=True)
    take_in(morning)
    (delivery,) = owed(morning)
    assert (delivery.state, delivery.delivered_at, delivery.read_at) == (DeliveryState.READ, clock.now, clock.now)


def test_a_late_receipt_never_moves_a_delivery_back(morning: World, clock: Clock) -> None:
    acknowledged(morning, DeliveryState.SENT)
    begin = clock.now
    clock.move(minutes=1)
    received(morning, "sent-1", read=True)
    take_in(morning)
    received(morning, "sent-1", at=begin)
    take_in(morning)
    (delivery,) = owed(morning)
    assert delivery.state is DeliveryState.READ
    assert delivery.read_at == clock.now


def test_a_receipt_settles_an_unknown_outcome(morning: World) -> None:
    acknowledged(morning, DeliveryState.UNKNOWN)
    received(morning, "sent-1")
    take_in(morning)
    assert owed(morning)[0].state is DeliveryState.DELIVERED


def test_one_receipt_may_speak_of_many_messages(morning: World, clock: Clock) -> None:
    acknowledged(morning, DeliveryState.SENT)
    number = received(morning, "sent-1", "of-another-app", read=True)
    take_in(morning)
    assert owed(morning)[0].state is DeliveryState.READ
    assert event(morning, number).outcome == "receipt:read"


def test_a_receipt_before_the_send_was_written_down_waits_a_moment(morning: World, clock: Clock) -> None:
    acknowledged(morning, DeliveryState.SENDING, None)
    number = received(morning, "sent-1")
    take_in(morning)
    assert event(morning, number).state is InboundState.WAITING
    change(morning, state=DeliveryState.SENT, external_id="sent-1")
    clock.move(seconds=10)
    take_in(morning)
    assert event(morning, number).state is InboundState.DONE
    assert owed(morning)[0].state is DeliveryState.DELIVERED


def test_a_receipt_of_something_that_is_not_ours_does_not_wait_for_ever(morning: World, clock: Clock) -> None:
    acknowledged(morning, DeliveryState.SENDING, None)
    number = received(morning, "of-another-app")
    for _ in range(5):
        take_in(morning)
        clock.move(minutes=1)
    row = event(morning, number)
    assert (row.state, row.outcome) == (InboundState.DONE, "receipt:unmatched")


def test_a_receipt_while_nothing_is_on_its_way_is_settled_at_once(morning: World) -> None:
    number = received(morning, "of-another-app")
    take_in(morning)
    assert event(morning, number).outcome == "receipt:unmatched"


def test_a_receipt_does_not_open_the_window(morning: World, clock: Clock) -> None:
    from storage.contacts import Urn

    acknowledged(morning, DeliveryState.SENT)
    begin = clock.now
    clock.move(minutes=5)
    received(morning, "sent-1", read=True)
    take_in(morning)
    assert all_rows(morning.runtime, Urn)[0].last_interaction_at == begin


def test_a_receipt_makes_no_citizen_out_of_our_own_account(morning: World) -> None:
    from storage.contacts import Contact

    received(morning, "sent-1")
    take_in(morning)
    assert all_rows(morning.runtime, Contact) == []


# --- echoes -----------------------------------------------------------------------------------------------------------


def test_the_echo_of_our_own_words_is_not_kept_twice(morning: World) -> None:
    acknowledged(morning, DeliveryState.SENT)
    echoed(morning, owed(morning)[0].text, "sent-1")
    take_in(morning)
    assert outcomes(morning)[-1] == "echo:ours"
    assert len(all_rows(morning.runtime, Message)) == 2


def test_the_echo_of_a_colleague_is_kept_in_the_conversation(morning: World, clock: Clock) -> None:
    acknowledged(morning, DeliveryState.SENT)
    clock.move(minutes=5)
    echoed(morning, "Tôi là Lan, chiều nay thợ điện sẽ đến ạ", admin="99")
    take_in(morning)
    message = all_rows(morning.runtime, Message)[-1]
    assert (message.direction, message.origin) == (Direction.OUT, Origin.CHANNEL_APP)
    assert message.text == "Tôi là Lan, chiều nay thợ điện sẽ đến ạ"
    assert message.ticket_id == the_ticket(morning).id
    assert outcomes(morning)[-1] == "echo:colleague"


def test_what_a_colleague_said_is_never_answered(morning: World) -> None:
    echoed(morning, LIGHT, admin="99")
    take_in(morning)
    assert tickets(morning) == []
    assert owed(morning) == []


def test_a_colleagues_words_about_a_sealed_matter_are_sealed(morning: World) -> None:
    morning.says(BRIBE)
    take_in(morning)
    echoed(morning, "Mời ông/bà lên trụ sở", admin="99")
    take_in(morning)
    assert all_rows(morning.runtime, Message)[-1].is_sealed


def test_an_echo_settles_a_delivery_of_unknown_outcome(morning: World, clock: Clock) -> None:
    acknowledged(morning, DeliveryState.UNKNOWN, None)
    echoed(morning, owed(morning)[0].text, "echo-1")
    take_in(morning)
    (delivery,) = owed(morning)
    assert (delivery.state, delivery.external_id, delivery.code) == (DeliveryState.SENT, "echo-1", "settled_by_echo")
    assert delivery.sent_at == clock.now
    received(morning, "echo-1")
    take_in(morning)
    assert owed(morning)[0].state is DeliveryState.DELIVERED


def test_an_echo_of_other_words_settles_nothing(morning: World) -> None:
    acknowledged(morning, DeliveryState.UNKNOWN, None)
    echoed(morning, "Những lời khác")
    take_in(morning)
    assert owed(morning)[0].state is DeliveryState.UNKNOWN


def test_the_same_words_typed_by_a_colleague_settle_nothing(morning: World) -> None:
    acknowledged(morning, DeliveryState.UNKNOWN, None)
    echoed(morning, owed(morning)[0].text, admin="99")
    take_in(morning)
    assert owed(morning)[0].state is DeliveryState.UNKNOWN


def test_an_echo_that_overtakes_our_own_answer_waits_a_moment(morning: World, clock: Clock) -> None:
    acknowledged(morning, DeliveryState.SENDING, None)
    number = echoed(morning, owed(morning)[0].text, "sent-1")
    take_in(morning)
    assert event(morning, number).state is InboundState.WAITING
    change(morning, state=DeliveryState.SENT, external_id="sent-1")
    clock.move(seconds=10)
    take_in(morning)
    assert event(morning, number).outcome == "echo:ours"


@pytest.mark.parametrize("looks", [4, 6])
def test_an_echo_of_another_app_is_kept_in_the_end(looks: int, morning: World, clock: Clock) -> None:
    acknowledged(morning, DeliveryState.SENDING, None)
    number = echoed(morning, "Bản tin của ứng dụng khác")
    for _ in range(looks):
        take_in(morning)
        clock.move(seconds=40)
    assert event(morning, number).outcome == "echo:other_app"
    assert all_rows(morning.runtime, Message)[-1].text == "Bản tin của ứng dụng khác"


def test_an_echo_moves_the_conversation_up(morning: World, clock: Clock) -> None:
    from storage.contacts import Conversation

    acknowledged(morning, DeliveryState.SENT)
    begin = clock.now
    clock.move(minutes=5)
    echoed(morning, "Chào ông/bà", admin="99", at=clock.now - timedelta(seconds=1))
    take_in(morning)
    (conversation,) = all_rows(morning.runtime, Conversation)
    assert conversation.last_in_at == begin
    assert conversation.last_message_at == clock.now - timedelta(seconds=1)
