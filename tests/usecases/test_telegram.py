"""A day on Telegram: albums, edits, buttons, blocking; taken in, filed and answered."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.errors import TemporarilyRefused
from adapters.http import Http
from adapters.messages import OutboundMessage, SendResult
from adapters.secret import Secret
from adapters.telegram import Telegram
from bot.usecases import taps, tickets
from bot.usecases.deliveries import owe
from bot.usecases.sending import PERSONAL, send_due
from storage.channels import Channel
from storage.contacts import Contact, Urn
from storage.deliveries import Delivery
from storage.enums import AttachmentState, DeliveryKind, DeliveryState, InboundState, Urgency
from storage.messages import Attachment, Message
from storage.tickets import TicketEvent
from tests.bots import Bot, a_bot, a_photo, events_of
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.usecases.looking import (
    BRIBE,
    FIRE,
    LIGHT,
    POTHOLE,
    messages_of,
    outcomes,
    said_to_citizens,
    take_in,
    the_ticket,
)
from tests.usecases.looking import tickets as all_tickets


@pytest.fixture
def bot(morning: World) -> Bot:
    return a_bot(morning)


def accept(world: World) -> None:
    """An official takes the report on."""
    ticket = the_ticket(world)
    assert tickets.receive(world.runtime, world.official("lan"), ticket.id, version=ticket.version)


# ---- one report, however it is sent ---------------------------------------------------------------------------------


def test_an_album_is_one_report_with_one_answer(bot: Bot, morning: World) -> None:
    at = morning.clock()
    bot.says("", photo=a_photo("AgACfirst"), caption=POTHOLE, media_group_id="1", at=at)
    bot.says("", photo=a_photo("AgACsecond"), media_group_id="1", at=at)
    bot.says("", photo=a_photo("AgACthird"), media_group_id="1", at=at)
    take_in(morning)
    ticket = the_ticket(morning)
    assert ticket.topic == "giao-thong-duong-sa"
    assert len(all_rows(morning.runtime, Attachment)) == 3
    assert {m.ticket_id for m in all_rows(morning.runtime, Message)} == {ticket.id}
    assert said_to_citizens(morning).count("ack") == 1
    assert "added" not in said_to_citizens(morning)


def test_an_album_whose_words_come_last_is_one_report(bot: Bot, morning: World) -> None:
    at = morning.clock()
    bot.says("", photo=a_photo("AgACfirst"), media_group_id="1", at=at)
    take_in(morning)
    bot.says("", photo=a_photo("AgACsecond"), caption=POTHOLE, media_group_id="1", at=at)
    take_in(morning)
    assert the_ticket(morning).topic == "giao-thong-duong-sa"
    assert the_ticket(morning).summary == POTHOLE


def test_an_album_that_comes_in_the_wrong_order_is_one_report(bot: Bot, morning: World) -> None:
    first = bot.message("", photo=a_photo("AgACfirst"), caption=POTHOLE, media_group_id="1")
    second = bot.message("", photo=a_photo("AgACsecond"), media_group_id="1")
    bot.brings("message", second)
    take_in(morning)
    bot.brings("message", first)
    take_in(morning)
    assert the_ticket(morning).summary == POTHOLE


# ---- edits ----------------------------------------------------------------------------------------------------------


def test_an_edit_before_anybody_has_looked_is_what_the_report_says(bot: Bot, morning: World, clock: Clock) -> None:
    said = bot.says(LIGHT)
    take_in(morning)
    clock.move(minutes=3)
    bot.edits(said, LIGHT.replace("xóm 5", "xóm 7"))
    take_in(morning)
    ticket = the_ticket(morning)
    assert ticket.summary == LIGHT.replace("xóm 5", "xóm 7")
    assert "7" in (ticket.place_text or "")
    assert messages_of(morning, ticket) == [LIGHT.replace("xóm 5", "xóm 7")]
    assert outcomes(morning)[-1] == "edit:amended"


def test_the_history_keeps_what_was_said_before_an_edit(bot: Bot, morning: World) -> None:
    said = bot.says(LIGHT)
    take_in(morning)
    bot.edits(said, LIGHT.replace("xóm 5", "xóm 7"))
    take_in(morning)
    assert [e.note for e in all_rows(morning.runtime, TicketEvent) if e.note] == [
        f"Người dân đã sửa tin. Trước khi sửa: {LIGHT}"
    ]


def test_an_edit_after_an_official_has_looked_stands_beside(bot: Bot, morning: World, clock: Clock) -> None:
    said = bot.says(LIGHT)
    take_in(morning)
    accept(morning)
    clock.move(minutes=30)
    bot.edits(said, POTHOLE)
    take_in(morning)
    ticket = the_ticket(morning)
    assert messages_of(morning, ticket) == [LIGHT, POTHOLE]
    assert ticket.summary == LIGHT
    assert outcomes(morning)[-1] == "edit:added"


@pytest.mark.parametrize("minutes", [1, 30, 60 * 40])
@pytest.mark.parametrize("words", [POTHOLE, "Rác ở chợ Đình không ai thu gom", "thôi khỏi", "cảm ơn", "👍"])
def test_an_edit_never_opens_a_second_report(bot: Bot, morning: World, clock: Clock, words: str, minutes: int) -> None:
    said = bot.says(LIGHT)
    take_in(morning)
    clock.move(minutes=minutes)
    bot.edits(said, words)
    take_in(morning)
    assert the_ticket(morning).is_open
    # Nor does what is said afterwards undo it.
    clock.move(minutes=5)
    bot.says("mong xã sớm xử lý giúp")
    take_in(morning)
    assert len(all_tickets(morning)) == 1
    assert words in messages_of(morning, the_ticket(morning))


def test_an_edit_of_a_report_that_is_over_opens_none(bot: Bot, morning: World, clock: Clock) -> None:
    said = bot.says(LIGHT)
    take_in(morning)
    bot.says("rút phản ánh")
    take_in(morning)
    bot.taps("Rút")
    take_in(morning)
    clock.move(days=3)
    bot.edits(said, LIGHT + "!!")
    take_in(morning)
    assert len(all_tickets(morning)) == 1


def test_an_edit_that_tells_of_danger_is_answered_with_the_numbers(bot: Bot, morning: World) -> None:
    said = bot.says(LIGHT)
    take_in(morning)
    bot.edits(said, FIRE)
    take_in(morning)
    assert the_ticket(morning).urgency is Urgency.EMERGENCY
    assert said_to_citizens(morning).count("emergency_placed") == 1


def test_danger_that_was_known_is_not_told_again_for_a_comma(bot: Bot, morning: World) -> None:
    said = bot.says(FIRE)
    take_in(morning)
    bot.edits(said, FIRE.replace(",", ""))
    take_in(morning)
    assert the_ticket(morning).urgency is Urgency.EMERGENCY
    assert said_to_citizens(morning).count("emergency_placed") == 1


def test_an_edit_that_accuses_somebody_is_sealed_apart(bot: Bot, morning: World) -> None:
    said = bot.says(LIGHT)
    take_in(morning)
    bot.edits(said, BRIBE)
    take_in(morning)
    open_one, sealed = all_tickets(morning)
    assert (open_one.is_sealed, sealed.is_sealed) == (False, True)
    assert messages_of(morning, open_one) == [LIGHT]
    assert all(BRIBE not in (e.note or "") for e in all_rows(morning.runtime, TicketEvent))


def test_an_edit_that_overtakes_what_it_edits_waits_for_it(bot: Bot, morning: World, clock: Clock) -> None:
    said = bot.message(LIGHT)
    bot.edits(said, LIGHT + " nhé")
    take_in(morning)
    assert events_of(morning, bot.channel_id)[0].state is InboundState.WAITING
    bot.brings("message", said)
    take_in(morning)
    clock.move(minutes=2)
    take_in(morning)
    assert messages_of(morning, the_ticket(morning)) == [LIGHT + " nhé"]


def test_an_edit_of_what_never_came_is_a_report(bot: Bot, morning: World, clock: Clock) -> None:
    bot.edits(bot.message("gì đó"), LIGHT)
    for _ in range(5):
        take_in(morning)
        clock.move(minutes=5)
    assert the_ticket(morning).summary == LIGHT


def test_an_edit_that_changes_nothing_changes_nothing(bot: Bot, morning: World) -> None:
    said = bot.says(LIGHT)
    take_in(morning)
    version = the_ticket(morning).version
    bot.edits(said, LIGHT)
    take_in(morning)
    assert the_ticket(morning).version == version
    assert outcomes(morning)[-1] == "edit:same"


# ---- beginning, blocking, buttons -----------------------------------------------------------------------------------


def test_whoever_begins_the_chat_is_welcomed_and_gets_announcements(bot: Bot, morning: World) -> None:
    bot.says("/start")
    take_in(morning)
    [urn] = [u for u in all_rows(morning.runtime, Urn) if u.channel_id == bot.channel_id]
    assert urn.is_following
    assert said_to_citizens(morning) == ["welcome"]


def test_whoever_presses_the_button_again_is_not_left_without_a_word(bot: Bot, morning: World, clock: Clock) -> None:
    bot.says("/start")
    bot.says("/start")
    take_in(morning)
    assert said_to_citizens(morning) == ["welcome"]
    clock.move(hours=2)
    bot.says("/start")
    take_in(morning)
    assert said_to_citizens(morning) == ["welcome", "welcome"]


def test_whoever_blocks_the_bot_gets_nothing_until_they_come_back(bot: Bot, morning: World, clock: Clock) -> None:
    bot.says("/start")
    take_in(morning)
    clock.move(minutes=1)
    bot.follows(back=False)
    take_in(morning)
    assert not all_rows(morning.runtime, Urn)[-1].is_following
    clock.move(minutes=1)
    bot.follows()
    take_in(morning)
    assert all_rows(morning.runtime, Urn)[-1].is_following


def test_one_s_own_number_is_kept_and_another_s_is_not_taken_for_it(bot: Bot, morning: World) -> None:
    bot.says("", contact={"phone_number": "84900000009", "first_name": "Ba", "user_id": 77})
    take_in(morning)
    [contact] = all_rows(morning.runtime, Contact)
    assert contact.phone is None
    bot.says("", contact={"phone_number": "84900000001", "first_name": "Hoa", "user_id": 5000000005})
    take_in(morning)
    [contact] = all_rows(morning.runtime, Contact)
    assert contact.phone == "+84900000001"


def test_a_tap_is_said_when_it_reached_us(bot: Bot, morning: World) -> None:
    bot.says(LIGHT)
    take_in(morning)
    bot.taps("Gặp cán bộ")
    take_in(morning)
    last = all_rows(morning.runtime, Message)
    tapped = next(m for m in last if m.text == "Gặp cán bộ")
    assert tapped.occurred_at == morning.clock()


class Answering(Telegram):
    """Notes which taps are answered."""

    def answer_tap(self, http: Http, config: Any, tap: str) -> None:
        _answered.append(tap)
        raise TemporarilyRefused("telegram_429")


_answered: list[str] = []


def test_a_tap_comes_to_rest_and_a_failure_of_it_is_nobodys_business(
    bot: Bot, morning: World, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    _answered.clear()
    monkeypatch.setattr(taps._pool, "submit", lambda work, *args: work(*args))
    morning.runtime.adapters = {**morning.runtime.adapters, "telegram": Answering()}
    bot.taps("Hài lòng")
    bot.says(LIGHT)
    take_in(morning)
    assert len(_answered) == 1
    assert events_of(morning, bot.channel_id)[0].state is not InboundState.WAITING
    bot.taps("Hài lòng")
    clock.move(minutes=10)
    take_in(morning)
    assert len(_answered) == 1, "after ten minutes nobody looks at the button"


# ---- sending --------------------------------------------------------------------------------------------------------


class Noting(Telegram):
    """Notes what it is told to send, and when."""

    def send(self, http: Http, config: Any, token: Secret, message: OutboundMessage) -> SendResult:
        _sent.append(message)
        return SendResult(f"{message.urn.removeprefix('telegram:')}:{1_000 + len(_sent)}")


_sent: list[OutboundMessage] = []


@pytest.fixture
def noting(morning: World) -> list[OutboundMessage]:
    _sent.clear()
    morning.runtime.adapters = {**morning.runtime.adapters, "telegram": Noting()}
    return _sent


@pytest.fixture
def asked(bot: Bot, morning: World, noting: list[OutboundMessage]) -> int:
    """A report came, and consent was asked; gives the number of the message with the buttons."""
    bot.says(LIGHT)
    take_in(morning)
    send_due(morning.runtime, PERSONAL)
    assert "Đồng ý" in noting[-1].choices
    return 1_000 + len(noting)


def test_a_button_that_is_pressed_twice_is_heard_once(bot: Bot, morning: World, asked: int) -> None:
    bot.taps("Đồng ý", on=asked)
    bot.taps("Đồng ý", on=asked)
    take_in(morning)
    [contact] = all_rows(morning.runtime, Contact)
    assert (contact.consent, contact.name) == ("given", None)
    assert said_to_citizens(morning).count("ask_identity") == 1
    assert outcomes(morning)[-1] == "tap:again"


def test_an_old_button_does_not_answer_the_question_that_waits_now(
    bot: Bot, morning: World, clock: Clock, asked: int
) -> None:
    bot.taps("Đồng ý", on=asked)
    take_in(morning)
    clock.move(minutes=5)
    bot.taps("Đồng ý", on=asked)  # the name has been asked since
    take_in(morning)
    [contact] = all_rows(morning.runtime, Contact)
    assert contact.name is None
    clock.move(minutes=1)
    bot.says("Trần Thị Hoa, xóm 5")
    take_in(morning)
    [contact] = all_rows(morning.runtime, Contact)
    assert contact.name == "Trần Thị Hoa"
    assert len(all_tickets(morning)) == 1


def owe_words(bot: Bot, text: str, image: str | None = None) -> None:
    world = bot.world
    with world.runtime.database.transaction() as session:
        urn = session.query(Urn).filter(Urn.channel_id == bot.channel_id).one()
        owe(
            session,
            world.runtime,
            channel=session.get_one(Channel, bot.channel_id),
            urn=urn,
            text=text,
            kind=DeliveryKind.REPLY,
            key=f"test:{text[:20]}:{image}",
            priority=1,
            image_blob=image,
        )


def test_a_long_text_with_a_picture_goes_in_two_messages_each_with_its_own_outcome(
    bot: Bot, morning: World, noting: list[OutboundMessage]
) -> None:
    bot.says("/start")
    take_in(morning)
    send_due(morning.runtime, PERSONAL)
    noting.clear()
    picture = morning.runtime.blobs.keep(b"\xff\xd8\xff" + b"x" * 50)
    owe_words(bot, "chữ " * 400, picture)
    send_due(morning.runtime, PERSONAL)
    assert [(m.image is not None, bool(m.text)) for m in noting] == [(True, False), (False, True)]


def test_a_short_text_goes_with_its_picture(bot: Bot, morning: World, noting: list[OutboundMessage]) -> None:
    bot.says("/start")
    take_in(morning)
    send_due(morning.runtime, PERSONAL)
    noting.clear()
    picture = morning.runtime.blobs.keep(b"\xff\xd8\xff" + b"x" * 50)
    owe_words(bot, "Đã sửa xong.", picture)
    send_due(morning.runtime, PERSONAL)
    assert [(m.image is not None, m.text) for m in noting] == [(True, "Đã sửa xong.")]


def test_two_messages_to_one_citizen_are_a_second_apart(
    bot: Bot, morning: World, noting: list[OutboundMessage], monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("bot.usecases.sending.time.sleep", slept.append)
    bot.says("/start")
    take_in(morning)
    owe_words(bot, "thứ hai")
    assert send_due(morning.runtime, PERSONAL) == 2
    assert [m.text for m in noting][1] == "thứ hai"
    first, second = slept
    assert first < 0.2
    assert 0.7 < second <= 1.0
    assert {d.state for d in all_rows(morning.runtime, Delivery)} == {DeliveryState.SENT}


def test_a_citizen_who_was_written_to_long_ago_is_not_kept_waiting(
    bot: Bot, morning: World, clock: Clock, noting: list[OutboundMessage], monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("bot.usecases.sending.time.sleep", slept.append)
    bot.says("/start")
    take_in(morning)
    send_due(morning.runtime, PERSONAL)
    clock.move(seconds=2)
    owe_words(bot, "thứ hai")
    send_due(morning.runtime, PERSONAL)
    assert max(slept) < 0.2


# ---- files ----------------------------------------------------------------------------------------------------------


def test_a_file_waits_with_a_reference_that_holds_no_token(bot: Bot, morning: World) -> None:
    bot.says("", photo=a_photo("AgACone"), caption=POTHOLE)
    take_in(morning)
    [row] = all_rows(morning.runtime, Attachment)
    assert (row.url, row.state) == ("telegram-file:AgACone", AttachmentState.WAITING)
