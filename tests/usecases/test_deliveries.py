"""A message is owed once, claimed by one, and its state is the truth."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from adapters.text import length
from bot.queue import BROADCAST, REPLIES
from bot.usecases.deliveries import (
    LEASE,
    PRIORITY_ACK,
    PRIORITY_EMERGENCY,
    PRIORITY_REPLY,
    Claimed,
    Outcome,
    claim,
    expire_leases,
    owe,
    record,
    resend,
)
from storage.channels import Channel
from storage.contacts import Urn
from storage.deliveries import Attempt, Delivery
from storage.enums import DeliveryKind, DeliveryState
from storage.messages import Message
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.usecases.looking import LIGHT, OTHER, owed, take_in

PERSONAL = [DeliveryKind.REPLY, DeliveryKind.ACK]


@pytest.fixture
def two(morning: World) -> World:
    """Two citizens who have written; what the bot owes them is out of the way."""
    morning.says(LIGHT)
    morning.says(LIGHT, user=OTHER)
    take_in(morning)
    with morning.runtime.database.transaction() as session:
        session.execute(sa.delete(Delivery))
    return morning


def owes(world: World, text: str, key: str, *, to: int = 0, **more: Any) -> list[int]:
    """Owe a text to the first or second citizen; gives the ids of its parts."""
    given = {"kind": DeliveryKind.REPLY, "priority": PRIORITY_REPLY, **more}
    with world.runtime.database.transaction() as session:
        channel = session.get_one(Channel, world.channel_id)
        urn = session.get_one(Urn, all_rows(world.runtime, Urn)[to].id)
        message = None if given["kind"] is DeliveryKind.ANNOUNCEMENT else session.scalars(sa.select(Message)).first()
        parts = owe(session, world.runtime, channel=channel, urn=urn, text=text, key=key, message=message, **given)
        return [part.id for part in parts]


def claims(world: World, limit: int = 10, kinds: list[DeliveryKind] = PERSONAL, lease: str = "me") -> list[Claimed]:
    with world.runtime.database.transaction() as session:
        channel = session.get_one(Channel, world.channel_id)
        return claim(session, channel, kinds, limit, lease, world.clock())


def records(world: World, *outcomes: Outcome, lease: str = "me") -> None:
    with world.runtime.database.transaction() as session:
        record(session, list(outcomes), lease, world.clock())


def row(world: World, number: int) -> Delivery:
    with world.runtime.database.reading() as session:
        return session.get_one(Delivery, number)


# --- owing ------------------------------------------------------------------------------------------------------------


def test_a_long_answer_is_owed_in_parts_that_fit(two: World) -> None:
    owes(two, "Kết quả kiểm tra như sau. " * 200, "reply:1")
    parts = owed(two)
    assert [(d.key, d.part, d.parts) for d in parts] == [("reply:1", 1, 3), ("reply:1:2", 2, 3), ("reply:1:3", 3, 3)]
    assert all(length(d.text, "utf16") <= 1900 for d in parts)


def test_only_the_first_part_carries_the_picture_and_the_quote(two: World) -> None:
    owes(two, "Kết quả. " * 400, "reply:1", image_blob="a1", quoted_external_id="m1")
    assert [(d.image_blob, d.quoted_external_id) for d in owed(two)] == [("a1", "m1"), (None, None)]


def test_a_picture_without_words_is_owed(two: World) -> None:
    owes(two, "", "reply:1", image_blob="a1")
    assert [(d.text, d.image_blob) for d in owed(two)] == [("", "a1")]


def test_the_same_thing_is_never_owed_twice(two: World) -> None:
    owes(two, "Kết quả", "reply:1")
    with pytest.raises(sa.exc.IntegrityError):
        owes(two, "Kết quả", "reply:1")
    assert len(owed(two)) == 1


# --- claiming ---------------------------------------------------------------------------------------------------------


def test_the_intent_is_written_down_before_anything_is_sent(two: World, clock: Clock) -> None:
    (number,) = owes(two, "Kết quả", "reply:1")
    (claimed,) = claims(two)
    delivery = row(two, number)
    assert (delivery.state, delivery.tries, delivery.lease_id) == (DeliveryState.SENDING, 1, "me")
    assert delivery.lease_until == clock.now + LEASE
    (attempt,) = all_rows(two.runtime, Attempt)
    assert (attempt.id, attempt.number, attempt.ended_at) == (claimed.attempt_id, 1, None)
    assert (claimed.urn, claimed.text) == ("zalo:3000000000000000003", "Kết quả")


def test_a_claimed_delivery_is_nobody_elses(two: World) -> None:
    owes(two, "Kết quả", "reply:1")
    assert len(claims(two)) == 1
    assert claims(two, lease="another") == []


def test_the_most_urgent_goes_first(two: World) -> None:
    owes(two, "xác nhận", "ack:1", priority=PRIORITY_ACK)
    owes(two, "khẩn cấp", "emergency:1", to=1, priority=PRIORITY_EMERGENCY)
    assert [c.text for c in claims(two)] == ["khẩn cấp", "xác nhận"]


def test_one_citizen_is_written_to_in_order(two: World, clock: Clock) -> None:
    first = owes(two, "một", "reply:1")[0]
    owes(two, "hai", "reply:2", priority=PRIORITY_EMERGENCY)
    (claimed,) = claims(two)
    assert claimed.text == "một"
    records(two, Outcome(claimed, DeliveryState.WAITING, next_attempt_at=clock.now + timedelta(minutes=5)))
    assert claims(two) == [], "the second waits for the first, even while that one waits for its next try"
    clock.move(minutes=5)
    (claimed,) = claims(two)
    records(two, Outcome(claimed, DeliveryState.SENT, external_id="m1"))
    assert [c.text for c in claims(two)] == ["hai"]
    assert row(two, first).state is DeliveryState.SENT


def test_one_citizens_trouble_does_not_hold_up_another(two: World) -> None:
    owes(two, "một", "reply:1")
    claims(two)
    owes(two, "hai", "reply:2", to=1)
    assert [c.text for c in claims(two)] == ["hai"]


def test_an_answer_does_not_wait_behind_an_announcement(two: World) -> None:
    owes(two, "Lịch tiêm phòng", "news:1", kind=DeliveryKind.ANNOUNCEMENT, priority=8)
    owes(two, "Kết quả", "reply:1")
    assert [c.text for c in claims(two)] == ["Kết quả"]


def test_what_is_not_due_yet_is_left(two: World, clock: Clock) -> None:
    (number,) = owes(two, "Kết quả", "reply:1")
    with two.runtime.database.transaction() as session:
        session.get_one(Delivery, number).next_attempt_at = clock.now + timedelta(seconds=1)
    assert claims(two) == []
    clock.move(seconds=1)
    assert len(claims(two)) == 1


def test_no_more_are_claimed_than_asked_for(two: World) -> None:
    owes(two, "một", "reply:1")
    owes(two, "hai", "reply:2", to=1)
    assert len(claims(two, limit=1)) == 1


# --- recording --------------------------------------------------------------------------------------------------------


def test_a_sent_delivery_knows_when_and_as_what(two: World, clock: Clock) -> None:
    owes(two, "Kết quả", "reply:1")
    (claimed,) = claims(two)
    records(two, Outcome(claimed, DeliveryState.SENT, external_id="m1", exchange=[{"status": 200}]))
    delivery = row(two, claimed.id)
    assert (delivery.external_id, delivery.sent_at, delivery.lease_id) == ("m1", clock.now, None)
    (attempt,) = all_rows(two.runtime, Attempt)
    assert (attempt.outcome, attempt.ended_at, attempt.exchange) == ("sent", clock.now, [{"status": 200}])


def test_an_outcome_that_comes_after_the_lease_was_taken_away_changes_nothing(two: World, clock: Clock) -> None:
    owes(two, "Kết quả", "reply:1")
    (claimed,) = claims(two)
    clock.move(seconds=61)
    assert expire_leases(two.runtime) == 1
    records(two, Outcome(claimed, DeliveryState.WAITING, next_attempt_at=clock.now))
    assert row(two, claimed.id).state is DeliveryState.UNKNOWN


@pytest.mark.parametrize("state", [DeliveryState.REFUSED, DeliveryState.UNKNOWN])
def test_the_rest_of_a_text_is_not_sent_without_its_beginning(state: DeliveryState, two: World) -> None:
    owes(two, "Kết quả kiểm tra như sau. " * 200, "reply:1")
    owes(two, "khác", "reply:2", to=1)
    first = next(c for c in claims(two) if c.text != "khác")
    records(two, Outcome(first, state, code="x", reason="Lý do"))
    states = {d.key: (d.state, d.code) for d in owed(two)}
    assert states["reply:1"][0] is state
    assert states["reply:1:2"] == states["reply:1:3"] == (DeliveryState.CANCELLED, f"earlier_part_{state.value}")
    assert states["reply:2"][0] is DeliveryState.SENDING


def test_an_unreachable_citizen_is_marked(two: World, clock: Clock) -> None:
    owes(two, "Kết quả", "reply:1")
    (claimed,) = claims(two)
    records(two, Outcome(claimed, DeliveryState.REFUSED, code="zalo_-217", reason="Đã chặn", unreachable=True))
    first, second = all_rows(two.runtime, Urn)
    assert (first.unreachable_at, first.unreachable_code) == (clock.now, "zalo_-217")
    assert second.unreachable_at is None


# --- a sender that died -----------------------------------------------------------------------------------------------


def test_what_a_dead_sender_had_in_hand_is_unknown_and_not_sent_again(two: World, clock: Clock) -> None:
    owes(two, "Kết quả", "reply:1")
    claims(two, lease="a dead sender")
    assert expire_leases(two.runtime) == 0
    clock.move(seconds=61)
    assert expire_leases(two.runtime) == 1
    (delivery,) = owed(two)
    assert (delivery.state, delivery.code, delivery.lease_id) == (DeliveryState.UNKNOWN, "sender_died", None)
    assert "Gửi lại" in (delivery.reason or "")
    assert claims(two) == []
    (attempt,) = all_rows(two.runtime, Attempt)
    assert (attempt.outcome, attempt.code) == ("unknown", "sender_died")


def test_a_process_that_is_alone_need_not_wait_for_the_lease(two: World) -> None:
    owes(two, "Kết quả", "reply:1")
    claims(two, lease="a dead sender")
    assert expire_leases(two.runtime, everything=True) == 1


# --- a person decides -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [DeliveryState.REFUSED, DeliveryState.UNKNOWN, DeliveryState.CANCELLED])
def test_a_person_may_send_again(state: DeliveryState, two: World) -> None:
    owes(two, "Kết quả kiểm tra như sau. " * 100, "reply:1")
    (claimed,) = claims(two)
    records(two, Outcome(claimed, state, code="x", reason="Lý do"))
    resend(two.runtime, two.officials["lan"], row(two, claimed.id))
    assert [(d.state, d.code, d.reason) for d in owed(two)] == [(DeliveryState.WAITING, None, None)] * 2
    # The channel must be told that it may have this one already.
    assert [d.tries for d in owed(two)] == [1 if state is DeliveryState.UNKNOWN else 0, 0]
    assert two.runtime.nudge.jobs[-1] == REPLIES


@pytest.mark.parametrize("state", [DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.READ])
def test_what_arrived_is_not_sent_again(state: DeliveryState, two: World) -> None:
    (number,) = owes(two, "Kết quả", "reply:1")
    with two.runtime.database.transaction() as session:
        session.get_one(Delivery, number).state = state
    resend(two.runtime, two.officials["lan"], row(two, number))
    assert row(two, number).state is state


def test_sending_again_from_the_second_part_leaves_the_first(two: World) -> None:
    first, second = owes(two, "Kết quả kiểm tra như sau. " * 100, "reply:1")
    with two.runtime.database.transaction() as session:
        session.get_one(Delivery, first).state = DeliveryState.SENT
        session.get_one(Delivery, second).state = DeliveryState.UNKNOWN
    resend(two.runtime, two.officials["lan"], row(two, second))
    assert [d.state for d in owed(two)] == [DeliveryState.SENT, DeliveryState.WAITING]


def test_an_announcement_goes_back_to_its_own_queue(two: World) -> None:
    (number,) = owes(two, "Lịch tiêm phòng", "news:1", kind=DeliveryKind.ANNOUNCEMENT, priority=8)
    with two.runtime.database.transaction() as session:
        session.get_one(Delivery, number).state = DeliveryState.REFUSED
    resend(two.runtime, two.officials["lan"], row(two, number))
    assert two.runtime.nudge.jobs[-1] == BROADCAST


def test_an_announcement_resent_to_one_is_not_resent_to_others(two: World) -> None:
    numbers = [owes(two, "Lịch", f"news:{n}", to=n, kind=DeliveryKind.ANNOUNCEMENT, priority=8)[0] for n in (0, 1)]
    with two.runtime.database.transaction() as session:
        session.execute(sa.update(Delivery).values(state=DeliveryState.REFUSED))
    resend(two.runtime, two.officials["lan"], row(two, numbers[0]))
    assert [d.state for d in owed(two)] == [DeliveryState.WAITING, DeliveryState.REFUSED]
