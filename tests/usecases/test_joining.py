"""Long messages that come in pieces: one message of one citizen, whatever happens on the way."""

from __future__ import annotations

import itertools

import pytest

from bot.usecases import intake
from storage.enums import Direction, InboundState
from storage.messages import InboundEvent, Message
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.sms import an_sms_channel, piece
from tests.usecases.looking import event

FIRST, SECOND, THIRD = "PA Kính gửi UBND, đèn đường ", "xóm 5 hỏng ba hôm nay, ", "mong cán bộ sửa sớm."
OTHER = ("PA Rác chất đống ở chợ Đình, ", "bốc mùi hôi thối, đề nghị xử lý.")
WHOLE = (FIRST + SECOND + THIRD).removeprefix("PA ")


@pytest.fixture
def channel(morning: World) -> int:
    return an_sms_channel(morning, "vonage")


def heard(world: World) -> list[str]:
    """What citizens said, as far as we have understood."""
    while intake.drain_batch(world.runtime):
        pass
    return [m.text for m in all_rows(world.runtime, Message) if m.direction is Direction.IN]


@pytest.mark.parametrize("order", list(itertools.permutations([1, 2, 3])), ids=str)
def test_pieces_are_joined_in_whatever_order_they_come(
    morning: World, channel: int, clock: Clock, order: tuple[int, ...]
) -> None:
    for number in order[:-1]:
        piece(morning, channel, number, (FIRST, SECOND, THIRD)[number - 1], total=3)
        assert heard(morning) == []
        clock.move(seconds=2)
    piece(morning, channel, order[-1], (FIRST, SECOND, THIRD)[order[-1] - 1], total=3)
    assert heard(morning) == [WHOLE]
    assert all(row.state is InboundState.DONE for row in all_rows(morning.runtime, InboundEvent))


def test_pieces_that_come_together_are_joined_once(morning: World, channel: int, clock: Clock) -> None:
    for number, text in enumerate((FIRST, SECOND, THIRD), 1):
        piece(morning, channel, number, text, total=3)
    assert heard(morning) == [WHOLE]
    clock.move(minutes=30)
    assert heard(morning) == [WHOLE]


def test_two_telephones_with_one_reference_are_not_mixed(morning: World, channel: int) -> None:
    piece(morning, channel, 2, OTHER[1], sender="84987654321")
    piece(morning, channel, 1, FIRST + SECOND)
    piece(morning, channel, 1, OTHER[0], sender="84987654321")
    piece(morning, channel, 2, THIRD)
    assert sorted(heard(morning)) == sorted([WHOLE, "".join(OTHER).removeprefix("PA ")])


def test_a_reference_used_again_within_minutes_begins_another_message(
    morning: World, channel: int, clock: Clock
) -> None:
    piece(morning, channel, 1, FIRST + SECOND)
    piece(morning, channel, 2, THIRD)
    assert heard(morning) == [WHOLE]
    clock.move(minutes=2)
    piece(morning, channel, 1, OTHER[0])
    piece(morning, channel, 2, OTHER[1])
    assert heard(morning) == [WHOLE, "".join(OTHER).removeprefix("PA ")]


def test_after_ten_minutes_what_is_there_is_heard_with_its_gap(morning: World, channel: int, clock: Clock) -> None:
    number = piece(morning, channel, 1, FIRST, total=3)
    piece(morning, channel, 3, THIRD, total=3)
    clock.move(minutes=9)
    assert heard(morning) == []
    clock.move(minutes=1, seconds=1)
    assert heard(morning) == [f"{FIRST.removeprefix('PA ')} […] {THIRD}"]
    assert {event(morning, number).outcome, event(morning, number + 1).outcome} == {"part:joined", "part:incomplete"}


def test_a_piece_that_comes_too_late_makes_the_message_whole(morning: World, channel: int, clock: Clock) -> None:
    piece(morning, channel, 1, FIRST + SECOND)
    clock.move(minutes=10)
    assert len(heard(morning)) == 1
    piece(morning, channel, 2, THIRD)
    clock.move(minutes=11)
    assert heard(morning)[-1] == WHOLE


def test_the_commune_is_named_in_the_first_piece_only(morning: World) -> None:
    """On a shared number the pieces wait where they came in, and the whole goes where it belongs."""
    shared = an_sms_channel(morning, "vonage", codes="ANBINH, DUCHUE")
    own = an_sms_channel(morning, "vonage", "sms-an-binh", unit="ANBINH")
    piece(morning, shared, 1, "PA ANBINH den duong xom 5 ")
    piece(morning, shared, 2, "hong ba hom nay.")
    assert heard(morning) == ["den duong xom 5 hong ba hom nay."]
    assert {m.channel_id for m in all_rows(morning.runtime, Message) if m.direction is Direction.IN} == {own}


def test_pieces_of_a_short_code_are_heard_by_nobody(morning: World, channel: int, clock: Clock) -> None:
    piece(morning, channel, 1, "Khuyen mai ", sender="191")
    piece(morning, channel, 2, "hom nay", sender="191")
    clock.move(minutes=11)
    assert heard(morning) == []
    assert {row.state for row in all_rows(morning.runtime, InboundEvent)} == {InboundState.IGNORED}
