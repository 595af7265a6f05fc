"""What a citizen says is kept, filed and answered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.queue import MEDIA, REPLIES
from bot.usecases import intake
from bot.usecases.deliveries import PRIORITY_ACK, PRIORITY_EMERGENCY
from nlp.reading import Reading, TopicGuess
from storage.agencies import Agency
from storage.boundaries import Boundaries, _shipped
from storage.contacts import Contact, Urn
from storage.enums import AttachmentState, DeliveryState, Direction, Origin, TicketState, Urgency
from storage.messages import Attachment, Message
from storage.tickets import Ticket
from tests.builders import World, all_rows, text_event
from tests.conftest import Clock
from tests.usecases.looking import (
    BRIBE,
    FIRE,
    LIGHT,
    OTHER,
    POTHOLE,
    RUBBISH,
    event,
    history,
    messages_of,
    outcomes,
    owed,
    said_to_citizens,
    take_in,
    texts_of,
    the_ticket,
    tickets,
)


def agency_of(world: World, ticket: Ticket) -> str:
    with world.runtime.database.reading() as session:
        return session.get_one(Agency, ticket.agency_id).slug


def test_a_report_opens_one_ticket_with_everything_that_is_known(morning: World) -> None:
    morning.says(LIGHT)
    take_in(morning)
    ticket = the_ticket(morning)
    assert (ticket.code, ticket.state, ticket.is_open) == ("PA26-0001", TicketState.NEW, True)
    assert (ticket.topic, ticket.place_text, ticket.urgency) == ("chieu-sang", "Xóm 5", Urgency.NORMAL)
    assert agency_of(morning, ticket) == "kinh-te"
    assert ticket.opened_at == datetime(2026, 10, 7, 2, 0, tzinfo=UTC)
    assert ticket.due_at == datetime(2026, 10, 12, 2, 0, tzinfo=UTC)  # three working days later, at nine
    assert ticket.summary == LIGHT
    assert [ticket.is_sealed, ticket.is_restricted, ticket.is_touched] == [False, False, False]
    assert history(morning, ticket) == ["opened"]


def test_the_citizen_is_told_the_code_the_topic_and_the_deadline(morning: World) -> None:
    morning.says(LIGHT)
    take_in(morning)
    assert said_to_citizens(morning) == ["ack"]
    (words,) = texts_of(morning, "ack")
    for part in ("UBND xã Đức Huệ", "PA26-0001", "Chiếu sáng công cộng", "09:00 ngày 12/10/2026", "ông/bà"):
        assert part in words
    (delivery,) = owed(morning)
    assert (delivery.state, delivery.priority, delivery.text) == (DeliveryState.WAITING, PRIORITY_ACK, words)
    assert REPLIES in morning.runtime.nudge.jobs


def test_what_was_said_is_kept_as_it_was_said(morning: World) -> None:
    morning.says(LIGHT)
    take_in(morning)
    message = all_rows(morning.runtime, Message)[0]
    assert (message.text, message.direction, message.origin) == (LIGHT, Direction.IN, Origin.CITIZEN)
    assert message.text_folded == "den duong xom 5 toi om may hom nay, mong xa sua giup"
    assert message.reading["intent"] == "feedback"
    assert all_rows(morning.runtime, Contact)[0].name is None


def test_codes_count_up_within_the_year(morning: World) -> None:
    for n in range(3):
        morning.says(LIGHT, user=f"30000000000000001{n}")
    take_in(morning)
    assert [t.code for t in tickets(morning)] == ["PA26-0001", "PA26-0002", "PA26-0003"]


def test_the_year_of_a_code_is_the_year_in_vietnam(world: World, clock: Clock) -> None:
    clock.now = datetime(2026, 12, 31, 17, 30, tzinfo=UTC)  # half past midnight on New Year's day
    world.says(LIGHT)
    take_in(world)
    assert the_ticket(world).code == "PA27-0001"


def test_messages_within_ninety_seconds_are_one_report(morning: World, clock: Clock) -> None:
    for text in (LIGHT, "ngay đầu ngõ nhà tôi", "trẻ con đi học tối không thấy đường"):
        morning.says(text)
        clock.move(seconds=80)
    take_in(morning)
    assert len(messages_of(morning, the_ticket(morning))) == 3
    assert said_to_citizens(morning) == ["ack"]


def test_a_burst_is_acknowledged_once_although_it_arrives_in_pieces(morning: World, clock: Clock) -> None:
    morning.says(LIGHT)
    take_in(morning)
    clock.move(seconds=30)
    morning.says("ngay đầu ngõ nhà tôi")
    take_in(morning)
    assert said_to_citizens(morning) == ["ack"]
    assert history(morning, the_ticket(morning)) == ["opened", "message_added"]


def test_what_is_added_later_is_confirmed(morning: World, clock: Clock) -> None:
    morning.says(LIGHT)
    take_in(morning)
    clock.move(minutes=20)
    morning.says("ngay đầu ngõ nhà tôi")
    take_in(morning)
    assert said_to_citizens(morning) == ["ack", "added"]
    assert "PA26-0001" in texts_of(morning, "added")[0]


def test_a_clearly_different_matter_opens_a_second_ticket(morning: World, clock: Clock) -> None:
    morning.says(LIGHT)
    take_in(morning)
    clock.move(minutes=10)
    morning.says(RUBBISH)
    take_in(morning)
    assert [t.topic for t in tickets(morning)] == ["chieu-sang", "rac-thai"]
    assert said_to_citizens(morning) == ["ack", "ack"]


def test_two_citizens_have_two_tickets(morning: World) -> None:
    morning.says(LIGHT)
    morning.says(LIGHT, user=OTHER)
    take_in(morning)
    assert len(tickets(morning)) == 2
    assert len({t.contact_id for t in tickets(morning)}) == 2


@pytest.mark.parametrize(
    ("text", "answer"),
    [("Xin chào", "welcome"), ("Cảm ơn xã nhiều", "thanks"), ("alo", "welcome"), ("trời mát ghê ha", "not_understood")],
)
def test_courtesies_are_answered_without_a_ticket(text: str, answer: str, morning: World) -> None:
    morning.says(text)
    take_in(morning)
    assert tickets(morning) == []
    assert said_to_citizens(morning) == [answer]


def test_ten_greetings_in_an_hour_are_answered_once(morning: World, clock: Clock) -> None:
    for _ in range(10):
        morning.says("Xin chào")
        clock.move(minutes=1)
    take_in(morning)
    assert said_to_citizens(morning) == ["welcome"]


@pytest.mark.parametrize("intent", ["spam", "abuse"])
def test_spam_is_kept_but_not_answered(intent: str, morning: World, told: dict[str, Reading]) -> None:
    told["mua hàng giảm giá"] = Reading(intent)
    morning.says("mua hàng giảm giá")
    take_in(morning)
    assert said_to_citizens(morning) == []
    assert len(all_rows(morning.runtime, Message)) == 1


def test_the_same_event_twice_opens_one_ticket(morning: World) -> None:
    payload = text_event(LIGHT)
    morning.event(payload)
    with pytest.raises(sa.exc.IntegrityError):
        morning.event(payload)
    take_in(morning)
    assert len(tickets(morning)) == 1


# --- denunciations ----------------------------------------------------------------------------------------------------


def test_a_denunciation_is_sealed_and_goes_to_the_leaders(morning: World) -> None:
    morning.says(BRIBE)
    take_in(morning)
    ticket = the_ticket(morning)
    assert ticket.is_sealed
    assert ticket.is_restricted
    assert agency_of(morning, ticket) == "lanh-dao"
    assert ticket.due_at is None
    assert all_rows(morning.runtime, Message)[0].is_sealed


def test_a_denouncer_gets_the_guide_and_nothing_that_repeats_the_accusation(morning: World) -> None:
    morning.says(BRIBE)
    take_in(morning)
    assert said_to_citizens(morning) == ["denunciation_guide"]
    spoken = " ".join(d.text for d in owed(morning)).lower()
    for word in ("hối lộ", "địa chính", "sổ đỏ", "hai mươi triệu", "tố cáo cán bộ"):
        assert word not in spoken
    assert all(m.is_sealed for m in all_rows(morning.runtime, Message))


def test_nothing_of_a_denunciation_is_in_the_log(morning: World, capsys: pytest.CaptureFixture[str]) -> None:
    morning.says(BRIBE)
    take_in(morning)
    shown = capsys.readouterr()
    assert "hối lộ" not in shown.out + shown.err
    assert "hối lộ" not in str(outcomes(morning))
    from storage.tickets import TicketEvent

    assert "hối lộ" not in str([e.data for e in all_rows(morning.runtime, TicketEvent)])


def test_a_denunciation_does_not_enter_an_open_report(morning: World, clock: Clock) -> None:
    morning.says(LIGHT)
    clock.move(seconds=20)
    morning.says(BRIBE)
    take_in(morning)
    assert [t.is_sealed for t in tickets(morning)] == [False, True]
    assert messages_of(morning, tickets(morning)[0]) == [LIGHT]


def test_the_status_of_a_sealed_ticket_names_no_unit(morning: World, clock: Clock) -> None:
    morning.says(BRIBE)
    take_in(morning)
    clock.move(minutes=5)
    morning.says("tra cứu PA26-0001")
    take_in(morning)
    (words,) = texts_of(morning, "status")
    assert "Lãnh đạo" not in words
    assert "tố cáo" not in words.lower()


def test_a_complaint_is_guided_and_restricted(morning: World) -> None:
    morning.says("Tôi khiếu nại quyết định số 12 về thu hồi đất của xã")
    take_in(morning)
    assert "complaint_guide" in said_to_citizens(morning)
    assert the_ticket(morning).is_restricted


# --- emergencies ------------------------------------------------------------------------------------------------------


def test_an_emergency_is_answered_with_numbers_before_anything_else(morning: World) -> None:
    morning.says(FIRE)
    take_in(morning)
    assert the_ticket(morning).urgency is Urgency.EMERGENCY
    first, second = owed(morning)
    assert first.priority == PRIORITY_EMERGENCY < second.priority
    assert said_to_citizens(morning) == ["emergency_placed", "ack_emergency"]
    assert first.text.startswith("KHẨN CẤP")
    assert "114" in first.text


def test_an_emergency_at_night_is_not_told_to_wait_for_the_morning(world: World, clock: Clock) -> None:
    clock.move(hours=10)
    world.says(FIRE)
    take_in(world)
    assert "after_hours" not in said_to_citizens(world)


def test_an_emergency_added_to_a_report_is_answered_too(morning: World, clock: Clock) -> None:
    morning.says(LIGHT)
    take_in(morning)
    clock.move(seconds=30)
    morning.says(FIRE)
    take_in(morning)
    assert said_to_citizens(morning)[-1] == "emergency_placed"
    assert the_ticket(morning).urgency is Urgency.EMERGENCY


def test_one_citizens_emergency_never_silences_anothers(morning: World, clock: Clock) -> None:
    morning.says(FIRE)  # message 1, ticket 1
    take_in(morning)
    for n in range(4):
        user = f"30000000000000002{n}"
        morning.says(LIGHT, user=user)
        take_in(morning)
        clock.move(seconds=20)
        morning.says(FIRE, user=user)
        take_in(morning)
    for n in range(6):  # tickets whose numbers are those of messages before
        morning.says(FIRE, user=f"30000000000000003{n}")
    take_in(morning)
    assert said_to_citizens(morning).count("emergency_placed") == 11


# --- hours ------------------------------------------------------------------------------------------------------------


def test_at_night_the_citizen_hears_when_somebody_will_look(world: World, clock: Clock) -> None:
    clock.move(hours=10)
    world.says(LIGHT)
    take_in(world)
    assert said_to_citizens(world) == ["ack", "after_hours"]
    assert "07:30 ngày 08/10/2026" in texts_of(world, "after_hours")[0]


def test_one_evening_needs_one_such_sentence(world: World, clock: Clock) -> None:
    clock.move(hours=7)
    for text in (LIGHT, RUBBISH, POTHOLE):
        world.says(text)
        take_in(world)
        clock.move(minutes=10)
    assert len(tickets(world)) == 3
    assert said_to_citizens(world).count("after_hours") == 1


def test_a_stale_event_gets_no_automatic_answer(morning: World, clock: Clock) -> None:
    said = clock.now
    clock.move(hours=2, seconds=1)
    morning.says(LIGHT, at=said)
    morning.says("Xin chào", user=OTHER, at=said)
    morning.says("ngừng nhận tin", user="3000000000000000098", at=said)
    take_in(morning)
    assert len(tickets(morning)) == 1
    assert owed(morning) == []


def test_an_event_of_two_hours_is_still_answered(morning: World, clock: Clock) -> None:
    said = clock.now
    clock.move(hours=1, minutes=59)
    morning.says(LIGHT, at=said)
    take_in(morning)
    assert said_to_citizens(morning) == ["ack"]


# --- wishes -----------------------------------------------------------------------------------------------------------


def test_who_asks_for_a_person_is_promised_one(morning: World) -> None:
    morning.says("Tôi muốn gặp cán bộ")
    take_in(morning)
    assert said_to_citizens(morning) == ["handoff"]
    assert len(tickets(morning)) == 1


def test_a_wish_about_personal_data_has_a_code(morning: World, told: dict[str, Reading]) -> None:
    told["sửa số điện thoại của tôi giúp"] = Reading("data_request")
    morning.says("sửa số điện thoại của tôi giúp")
    take_in(morning)
    assert said_to_citizens(morning) == ["data_rights"]
    assert "PA26-0001" in texts_of(morning, "data_rights")[0]


@pytest.mark.parametrize("asked", ["tra cứu PA26-0001", "Tra cuu pa26 0001", "tra cứu"])
def test_a_citizen_can_ask_how_a_report_stands(asked: str, morning: World, clock: Clock) -> None:
    morning.says(LIGHT)
    take_in(morning)
    clock.move(minutes=5)
    morning.says(asked)
    take_in(morning)
    (words,) = texts_of(morning, "status")
    for part in ("PA26-0001", "Đã gửi, chờ tiếp nhận", "Phòng Kinh tế", "09:00 ngày 12/10/2026"):
        assert part in words
    assert len(tickets(morning)) == 1


def test_anothers_code_is_as_unknown_as_one_that_does_not_exist(morning: World, clock: Clock) -> None:
    morning.says(LIGHT)
    take_in(morning)
    clock.move(minutes=5)
    morning.says("tra cứu PA26-0001", user=OTHER)
    morning.says("tra cứu PA26-9999", user="3000000000000000098")
    take_in(morning)
    first, second = texts_of(morning, "status_unknown_code")
    assert first.replace("PA26-0001", "X") == second.replace("PA26-9999", "X")
    assert texts_of(morning, "status") == []


def test_who_reported_nothing_is_told_so(morning: World) -> None:
    morning.says("tra cứu")
    take_in(morning)
    assert said_to_citizens(morning) == ["status_none"]


def test_a_merged_code_leads_to_the_other_ticket(morning: World, clock: Clock) -> None:
    morning.says(LIGHT)
    take_in(morning)
    clock.move(minutes=5)
    morning.says(RUBBISH)
    take_in(morning)
    with morning.runtime.database.transaction() as session:
        second = session.get_one(Ticket, tickets(morning)[1].id)
        second.state, second.is_open, second.merged_into_id = TicketState.MERGED, False, tickets(morning)[0].id
    clock.move(minutes=5)
    morning.says("tra cứu PA26-0002")
    take_in(morning)
    assert "PA26-0001" in texts_of(morning, "status")[0]


def test_opting_out_is_done_and_confirmed(morning: World) -> None:
    morning.says("ngừng nhận tin")
    take_in(morning)
    urn = all_rows(morning.runtime, Urn)[0]
    assert urn.opted_out_at is not None
    assert said_to_citizens(morning) == ["unsubscribed"]
    assert tickets(morning) == []


def test_the_later_wish_wins_however_they_arrive(morning: World, clock: Clock) -> None:
    morning.says("nhận tin", at=clock.now + timedelta(seconds=60))
    clock.move(seconds=120)
    take_in(morning)
    morning.says("ngừng nhận tin", at=clock.now - timedelta(seconds=110))
    take_in(morning)
    assert all_rows(morning.runtime, Urn)[0].opted_out_at is None
    assert said_to_citizens(morning) == ["subscribed"]


# --- attachments ------------------------------------------------------------------------------------------------------


def photo(number: int, **more: object) -> dict[str, object]:
    url = f"https://f{number}-photo.zdn.vn/a{number}.jpg"
    return {"type": "image", "payload": {"thumbnail": url, "url": url, **more}}


def sent(kind: str, *attachments: dict[str, object], text: str = "") -> dict[str, object]:
    payload = text_event(text, attachments=list(attachments))
    payload["event_name"] = f"user_send_{kind}"
    if not text:
        del payload["message"]["text"]  # type: ignore[attr-defined]
    return payload


def test_an_album_is_one_message_with_its_photos_in_order(morning: World) -> None:
    morning.event(sent("image", photo(1), photo(2), photo(3), text=LIGHT))
    take_in(morning)
    rows = all_rows(morning.runtime, Attachment)
    assert [(a.position, a.state) for a in rows] == [(n, AttachmentState.WAITING) for n in range(3)]
    assert [a.url for a in rows] == [f"https://f{n}-photo.zdn.vn/a{n}.jpg" for n in (1, 2, 3)]
    assert the_ticket(morning).topic == "chieu-sang"
    assert MEDIA in morning.runtime.nudge.jobs


def test_photos_before_and_after_the_words_belong_to_the_report(morning: World, clock: Clock) -> None:
    morning.event(sent("image", photo(1)))
    clock.move(seconds=20)
    morning.says(LIGHT)
    clock.move(seconds=20)
    morning.event(sent("image", photo(2)))
    take_in(morning)
    ticket = the_ticket(morning)
    assert len(messages_of(morning, ticket)) == 3
    assert (ticket.topic, ticket.summary) == ("chieu-sang", LIGHT)


def test_a_photo_alone_is_a_report_for_the_triage_desk(morning: World) -> None:
    morning.event(sent("image", photo(1)))
    take_in(morning)
    ticket = the_ticket(morning)
    assert ticket.topic is None
    assert agency_of(morning, ticket) == "van-phong"
    assert said_to_citizens(morning) == ["ack"]
    assert "Khác" in texts_of(morning, "ack")[0]


def test_a_pin_says_where_the_report_is(morning: World, clock: Clock) -> None:
    morning.says(LIGHT)
    clock.move(seconds=10)
    pin = {"type": "location", "payload": {"coordinates": {"latitude": "10.7412", "longitude": "106.2871"}}}
    morning.event(sent("location", pin))
    take_in(morning)
    ticket = the_ticket(morning)
    assert (ticket.latitude, ticket.longitude) == (10.7412, 106.2871)
    assert ticket.locality_code == "28072"
    assert all_rows(morning.runtime, Attachment)[0].state is AttachmentState.NONE


def test_the_borders_are_read_before_anybody_has_to_wait(morning: World, monkeypatch: pytest.MonkeyPatch) -> None:
    is_writing: list[bool] = []
    read_at: list[bool] = []
    write, read = intake._write, Boundaries.__init__

    def writing(*arguments: Any) -> set[str]:
        is_writing.append(True)
        return write(*arguments)

    def reading(borders: Boundaries) -> None:
        read_at.append(bool(is_writing))
        read(borders)

    monkeypatch.setattr(intake, "_write", writing)
    monkeypatch.setattr(Boundaries, "__init__", reading)
    _shipped.cache_clear()
    morning.says(LIGHT, user=OTHER)
    take_in(morning)
    assert read_at == []
    is_writing.clear()
    pin = {"type": "location", "payload": {"coordinates": {"latitude": "10.7412", "longitude": "106.2871"}}}
    morning.event(sent("location", pin))
    take_in(morning)
    assert read_at == [False]
    assert tickets(morning)[1].locality_code == "28072"


def test_a_photo_without_an_address_is_missing_and_says_why(morning: World) -> None:
    morning.event(sent("image", {"type": "image", "payload": {"url": "link"}}, text=LIGHT))
    take_in(morning)
    (row,) = all_rows(morning.runtime, Attachment)
    assert (row.state, row.missing_code) == (AttachmentState.MISSING, "no_address")


def test_a_sticker_opens_nothing(morning: World) -> None:
    morning.event(sent("sticker", {"type": "sticker", "payload": {"id": "1", "url": "https://zalo-api.zadn.vn/1"}}))
    take_in(morning)
    assert tickets(morning) == []
    assert owed(morning) == []


def test_a_message_from_the_future_does_not_stay_on_top(morning: World, clock: Clock) -> None:
    number = morning.says(LIGHT, at=clock.now + timedelta(hours=5))
    with morning.runtime.database.transaction() as session:
        row = session.get_one(type(event(morning, number)), number)
        row.received_at = clock.now
    take_in(morning)
    assert all_rows(morning.runtime, Message)[0].occurred_at == clock.now


def test_an_unsure_topic_is_left_to_the_triage_desk(morning: World, told: dict[str, Reading]) -> None:
    told["cái kia hỏng rồi"] = Reading("feedback", topics=(TopicGuess("dien", 0.4),))
    morning.says("cái kia hỏng rồi")
    take_in(morning)
    assert agency_of(morning, the_ticket(morning)) == "van-phong"
