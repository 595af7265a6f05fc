"""On Telegram a press hands over where it is and who one is; other channels are asked in words as before."""

from __future__ import annotations

import pytest

from storage.contacts import Contact, Conversation
from storage.deliveries import Delivery
from tests.bots import HOA, Bot, a_bot
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.usecases.looking import said_to_citizens, take_in, texts_of, the_ticket
from tests.usecases.test_spots import centre

NOWHERE = "Đèn đường tối om mấy hôm nay, mong xã sửa giúp"


@pytest.fixture
def bot(morning: World) -> Bot:
    return a_bot(morning)


def here(world: World) -> dict[str, float]:
    """A position inside the commune."""
    latitude, longitude = centre(world)
    return {"latitude": latitude, "longitude": longitude}


def last(world: World) -> Delivery:
    """The latest thing that was promised to the citizen."""
    return all_rows(world.runtime, Delivery)[-1]


def says(bot: Bot, world: World, clock: Clock, text: str = "", **more: object) -> None:
    clock.move(minutes=2)
    bot.says(text, **more)
    take_in(world)


def test_where_it_is_is_asked_with_a_key_that_sends_it(bot: Bot, morning: World, clock: Clock) -> None:
    says(bot, morning, clock, NOWHERE)
    asked = last(morning)
    assert (asked.asks, asked.choices) == ("location", ["Gửi vị trí của tôi", "Bỏ qua"])
    says(bot, morning, clock, location=here(morning))
    assert the_ticket(morning).latitude == here(morning)["latitude"]


def test_the_keys_go_with_the_first_message_without_buttons(bot: Bot, morning: World, clock: Clock) -> None:
    says(bot, morning, clock, NOWHERE)
    says(bot, morning, clock, location=here(morning))
    for _ in range(3):
        if last(morning).asks == "done":
            break
        assert last(morning).choices  # buttons of the next question
        says(bot, morning, clock, "Không đồng ý")
    assert last(morning).asks == "done"
    says(bot, morning, clock, "Xin cảm ơn")
    assert [d.asks for d in all_rows(morning.runtime, Delivery)].count("done") == 1


def test_to_skip_is_a_key_too(bot: Bot, morning: World, clock: Clock) -> None:
    says(bot, morning, clock, NOWHERE)
    says(bot, morning, clock, "Bỏ qua")
    (talk,) = all_rows(morning.runtime, Conversation)
    assert talk.asked != "where"
    assert the_ticket(morning).latitude is None


def to_the_name(bot: Bot, world: World, clock: Clock) -> None:
    """Report, say where, agree: now the name is asked."""
    says(bot, world, clock, NOWHERE)
    says(bot, world, clock, location=here(world))
    says(bot, world, clock, "Đồng ý")
    assert last(world).asks == "contact"


def test_who_one_is_is_asked_with_a_key_that_says_it(bot: Bot, morning: World, clock: Clock) -> None:
    to_the_name(bot, morning, clock)
    assert last(morning).choices == ["Gửi số điện thoại của tôi", "Ẩn danh", "Bỏ qua"]
    says(
        bot,
        morning,
        clock,
        contact={"phone_number": "84900000001", "first_name": "Hoa", "last_name": "Lê", "user_id": HOA},
    )
    (contact,) = all_rows(morning.runtime, Contact)
    assert (contact.name, contact.phone) == ("Hoa Lê", "+84900000001")
    (talk,) = all_rows(morning.runtime, Conversation)
    assert talk.asked is None
    (noted,) = texts_of(morning, "identity_noted")
    assert "Hoa Lê" in noted
    assert last(morning).asks == "done"


def test_the_card_of_somebody_else_is_nobodys_number(bot: Bot, morning: World, clock: Clock) -> None:
    to_the_name(bot, morning, clock)
    says(bot, morning, clock, contact={"phone_number": "84900000009", "first_name": "Ba", "user_id": 77})
    says(bot, morning, clock, contact={"phone_number": "84900000009", "first_name": "Ba"})
    (contact,) = all_rows(morning.runtime, Contact)
    assert (contact.name, contact.phone) == (None, None)


def test_to_stay_anonymous_is_a_key_too(bot: Bot, morning: World, clock: Clock) -> None:
    to_the_name(bot, morning, clock)
    says(bot, morning, clock, "Ẩn danh")
    assert the_ticket(morning).is_anonymous


def test_in_an_emergency_the_place_comes_with_one_press(bot: Bot, morning: World, clock: Clock) -> None:
    says(bot, morning, clock, "Cháy nhà rồi, cứu với")
    assert {d.asks for d in all_rows(morning.runtime, Delivery)} == {None, "location"}


def test_other_channels_are_asked_in_words(morning: World) -> None:
    morning.says(NOWHERE)
    take_in(morning)
    assert "ask_where" in said_to_citizens(morning)
    assert {d.asks for d in all_rows(morning.runtime, Delivery)} == {None}
    assert not any("Gửi vị trí của tôi" in (d.choices or ()) for d in all_rows(morning.runtime, Delivery))
