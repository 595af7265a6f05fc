"""People answer an emergency: safe, in need of help, or neither; once more, and its end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from adapters.errors import ContactUnreachable
from bot.usecases import announcements, bulletin_following, bulletins
from bot.usecases.announcements import AnnouncementError
from storage.alerts import Alert
from storage.deliveries import Delivery
from storage.enums import (
    AlertKind,
    BulletinKind,
    BulletinState,
    DeliveryKind,
    DeliveryState,
    Importance,
    Safety,
    Urgency,
)
from storage.safety import SafetyAnswer
from tests.builders import OA, World, all_rows
from tests.conftest import Clock
from tests.usecases.bulletins import approve, approved, bulletin, legs, submit, tried
from tests.usecases.looking import LIGHT, said_to_citizens, take_in, the_ticket, tickets
from tests.usecases.telling import Phone, followers, phone, run

__all__ = ["phone"]


@pytest.fixture
def village(world: World, phone: Phone) -> list[str]:
    """Three neighbours who were told of the flood, and asked how they are."""
    return [value.removeprefix("zalo:") for value in followers(world, 3)]


def a_flood(world: World, **changes: object) -> int:
    number = approved(
        world, title="Lũ về", body="Nước lên nhanh, bà con lên chỗ cao.",
        **{"importance": Importance.EMERGENCY, "asks_safety": True, **changes},
    )  # fmt: skip
    run(world)
    return number


def says(world: World, who: str, text: str, clock: Clock | None = None, **message: object) -> None:
    if clock is not None:
        clock.move(minutes=30)
    world.says(text, user=who, **message)
    take_in(world)


def answers(world: World, number: int) -> dict[int, Safety]:
    return {a.urn_id: a.answer for a in all_rows(world.runtime, SafetyAnswer) if a.is_last and a.bulletin_id == number}


def test_the_question_stands_in_the_message_and_not_in_an_ordinary_one(
    world: World, phone: Phone, village: list[str]
) -> None:
    a_flood(world)
    assert all("AN TOÀN hoặc CẦN GIÚP" in text for _, text in phone.sent[-3:])
    approved(world, asks_safety=True)
    run(world)
    assert not any("AN TOÀN hoặc CẦN GIÚP" in text for _, text in phone.sent[-3:])


def test_who_is_safe_is_thanked_and_opens_nothing(world: World, village: list[str]) -> None:
    number = a_flood(world)
    says(world, village[0], "nhà tôi an toàn ạ")
    assert list(answers(world, number).values()) == [Safety.SAFE]
    assert tickets(world) == []
    assert said_to_citizens(world) == ["safety_safe"]


@pytest.mark.parametrize("words", ["CAN GIUP", "Cần giúp", "cứu với nước ngập tới mái rồi", "nhà em ko an toan"])
def test_who_needs_help_has_reported_danger(world: World, village: list[str], words: str) -> None:
    number = a_flood(world)
    says(world, village[1], words)
    assert list(answers(world, number).values()) == [Safety.HELP]
    assert the_ticket(world).urgency is Urgency.EMERGENCY
    assert [alert.kind for alert in all_rows(world.runtime, Alert)] == [AlertKind.EMERGENCY]
    assert said_to_citizens(world) == ["emergency", "ack_emergency"]


def test_help_is_no_part_of_what_was_reported_last_week(world: World, village: list[str], clock: Clock) -> None:
    says(world, village[0], LIGHT)
    clock.move(hours=30)
    a_flood(world)
    says(world, village[0], "cần giúp")
    assert [ticket.urgency for ticket in tickets(world)] == [Urgency.NORMAL, Urgency.EMERGENCY]


def test_the_last_word_counts_and_all_are_kept(world: World, village: list[str], clock: Clock) -> None:
    number = a_flood(world)
    says(world, village[0], "an toàn")
    says(world, village[0], "cần giúp", clock)
    assert list(answers(world, number).values()) == [Safety.HELP]
    says(world, village[0], "an toàn rồi, không cần cứu nữa", clock)
    assert list(answers(world, number).values()) == [Safety.SAFE]
    assert len(all_rows(world.runtime, SafetyAnswer)) == 3
    assert len(tickets(world)) == 1


def test_of_two_words_in_the_wrong_order_the_later_one_counts(world: World, village: list[str], clock: Clock) -> None:
    number = a_flood(world)
    early, late = world.clock() + timedelta(minutes=1), world.clock() + timedelta(minutes=9)
    clock.move(minutes=10)
    world.says("an toàn", user=village[0], at=late)
    take_in(world)
    world.says("cần giúp", user=village[0], at=early)
    take_in(world)
    assert list(answers(world, number).values()) == [Safety.SAFE]
    assert the_ticket(world).urgency is Urgency.EMERGENCY  # a person looks at it all the same


def test_what_could_be_either_is_asked_once(world: World, village: list[str], clock: Clock) -> None:
    number = a_flood(world)
    says(world, village[0], "ai cần giúp")
    assert "safety_ask" in said_to_citizens(world)
    assert answers(world, number) == {}
    says(world, village[0], "ai cần giúp", clock)
    assert said_to_citizens(world).count("safety_ask") == 1


def test_without_an_emergency_the_words_are_what_they_always_were(world: World, village: list[str]) -> None:
    says(world, village[0], "an toàn")
    says(world, village[1], "cứu với, nhà tôi bị ngập tới mái")
    assert all_rows(world.runtime, SafetyAnswer) == []
    assert "safety_safe" not in said_to_citizens(world)
    assert tickets(world)[-1].urgency is Urgency.EMERGENCY


def test_who_was_not_asked_answers_nothing(world: World, village: list[str]) -> None:
    a_flood(world)
    says(world, "3000000000000000099", "an toàn")
    assert all_rows(world.runtime, SafetyAnswer) == []


def test_a_report_beside_the_answer_is_a_report(world: World, village: list[str]) -> None:
    number = a_flood(world)
    says(world, village[0], "Nhà tôi an toàn rồi cảm ơn xã nhiều, mà " + LIGHT)
    assert list(answers(world, number).values()) == [Safety.SAFE]
    assert the_ticket(world).topic == "chieu-sang"


def test_what_must_be_sealed_is_no_answer(world: World, village: list[str]) -> None:
    a_flood(world)
    says(world, village[0], "Tôi tố cáo cán bộ địa chính nhận hối lộ của dân, cần giúp")
    assert all_rows(world.runtime, SafetyAnswer) == []


def test_quoting_says_which_emergency_is_answered(world: World, village: list[str], clock: Clock) -> None:
    first = a_flood(world)
    quoted = next(d.external_id for d in all_rows(world.runtime, Delivery) if d.kind is DeliveryKind.ANNOUNCEMENT)
    clock.move(hours=1)
    second = a_flood(world)
    who = quoted.rpartition(":")[2]
    says(world, who, "an toàn", quote_msg_id=quoted)
    assert len(answers(world, first)) == 1
    says(world, who, "an toàn")
    assert len(answers(world, second)) == 1


def test_who_withdraws_their_data_leaves_no_answer(world: World, village: list[str]) -> None:
    number = a_flood(world)
    says(world, village[0], "an toàn")
    says(world, village[1], "an toàn")
    world.event({"event_name": "user_withdraw", "oa_id": OA, "user_id": village[0], "user_id_by_app": "4"})
    take_in(world)
    assert len(answers(world, number)) == 1


# ---- once more, and the end -----------------------------------------------------------------------------------------


def repeat(world: World, number: int, **whom: bool) -> int:
    again = bulletin_following.repeat(
        world.runtime, world.official("tuan"), number, only_silent=whom.get("only_silent", False)
    )
    assert bulletin(world, again).state is BulletinState.SUBMITTED
    return again


def ended(world: World, number: int) -> int:
    made = bulletin_following.follow_up(world.runtime, world.official("tuan"), number, BulletinKind.END)
    tried(world, made)
    submit(world, made)
    approve(world, made)
    run(world)
    return made


def test_the_same_words_go_only_to_those_who_have_not_answered(
    world: World, phone: Phone, village: list[str], clock: Clock
) -> None:
    number = a_flood(world)
    says(world, village[0], "an toàn")
    run(world)
    again = repeat(world, number, only_silent=True)
    words, before = dict(phone.sent)[f"zalo:{village[1]}"], len(phone.sent)
    with pytest.raises(AnnouncementError):
        approve(world, again, "tuan")  # who asks for it approves nothing
    approve(world, again)
    run(world)
    told = dict(phone.sent[before:])
    assert sorted(told) == sorted(f"zalo:{who}" for who in village[1:])
    assert set(told.values()) == {words}
    says(world, village[1], "cần giúp", clock)
    assert len(answers(world, number)) == 2  # the board of the first one


def test_once_more_for_all_needs_a_second_person_each_time(world: World, phone: Phone, village: list[str]) -> None:
    number = a_flood(world)
    again = repeat(world, number)
    with pytest.raises(AnnouncementError, match="đang chờ duyệt"):
        repeat(world, number)
    before = len(phone.sent)
    run(world)
    assert len(phone.sent) == before
    approve(world, again)
    run(world)
    assert len(phone.sent) == before + 3


def test_words_of_a_repeat_are_nobodys_to_change(world: World, phone: Phone, village: list[str]) -> None:
    again = repeat(world, a_flood(world))
    bulletins.return_to_author(world.runtime, world.official("hoa"), again, note="Chưa cần.")
    assert bulletin(world, again).state is BulletinState.STOPPED


def test_the_end_reaches_all_who_got_the_alert_or_its_repeat(world: World, phone: Phone, village: list[str]) -> None:
    number = a_flood(world)
    [newcomer] = followers(world, 1)
    again = repeat(world, number)
    approve(world, again)
    run(world)
    followers(world, 1)  # who was told of no alert is told of no end
    before = len(phone.sent)
    made = ended(world, number)
    told = {who: text for who, text in phone.sent[before:] if "HẾT HIỆU LỰC" in text and "Lũ về" in text}
    assert {newcomer, *(f"zalo:{who}" for who in village)} <= set(told)
    assert len([d for d in all_rows(world.runtime, Delivery) if d.key.startswith("bc:")]) == 3 + 4 + 4
    assert bulletin(world, number).ended_at is not None
    assert bulletin(world, made).kind is BulletinKind.END
    with pytest.raises(AnnouncementError, match="đã kết thúc"):
        repeat(world, number)


def test_an_end_begun_on_a_repeat_ends_the_emergency_itself(world: World, phone: Phone, village: list[str]) -> None:
    number = a_flood(world)
    says(world, village[0], "an toàn")
    again = repeat(world, number, only_silent=True)
    approve(world, again)
    run(world)
    before = len(phone.sent)
    ended(world, again)
    told = {who for who, text in phone.sent[before:] if "HẾT HIỆU LỰC" in text}
    assert {f"zalo:{who}" for who in village} <= told
    assert bulletin(world, number).ended_at is not None


@pytest.mark.parametrize("kind", [BulletinKind.CORRECTION, BulletinKind.END])
def test_what_was_put_right_or_ended_meanwhile_is_not_told_once_more(
    world: World, phone: Phone, village: list[str], kind: BulletinKind
) -> None:
    number = a_flood(world)
    again = repeat(world, number)
    made = bulletin_following.follow_up(world.runtime, world.official("tuan"), number, kind)
    tried(world, made)
    submit(world, made)
    approve(world, made)
    with pytest.raises(AnnouncementError, match=r"lời cũ|đã kết thúc"):
        approve(world, again)


def test_an_emergency_is_ended_once(world: World, phone: Phone, village: list[str]) -> None:
    number = a_flood(world)
    second = bulletin_following.follow_up(world.runtime, world.official("tuan"), number, BulletinKind.END)
    tried(world, second)
    submit(world, second)
    ended(world, number)
    with pytest.raises(AnnouncementError, match="đã kết thúc"):
        approve(world, second)


def test_what_asked_nobody_as_it_was_no_emergency_is_answered_by_nobody(
    world: World, phone: Phone, village: list[str]
) -> None:
    number = a_flood(world, importance=Importance.ROUTINE)
    assert not bulletin(world, number).asks_safety
    says(world, village[0], "cần giúp làm giấy khai sinh")
    assert answers(world, number) == {}
    assert not [ticket for ticket in tickets(world) if ticket.urgency is Urgency.EMERGENCY]


def test_one_person_is_not_sent_what_was_ended_since(world: World, phone: Phone, village: list[str]) -> None:
    phone.failures[f"zalo:{village[0]}"] = [ContactUnreachable("blocked", "Người dân đã chặn kênh.")]
    number = a_flood(world)
    [leg] = legs(world, number)
    [refused] = [d for d in all_rows(world.runtime, Delivery) if d.state is DeliveryState.REFUSED]
    ended(world, number)
    with pytest.raises(AnnouncementError, match="không gửi lại được"):
        announcements.resend(world.runtime, world.official("hoa"), leg.id, refused.id)


def test_after_the_end_danger_is_still_heard(world: World, phone: Phone, village: list[str], clock: Clock) -> None:
    number = a_flood(world)
    ended(world, number)
    clock.move(minutes=5)
    says(world, village[0], "an toàn")
    assert said_to_citizens(world)[-1] == "safety_over"
    says(world, village[1], "cần giúp")
    assert answers(world, number) == {}
    assert the_ticket(world).urgency is Urgency.EMERGENCY
    assert "emergency" in said_to_citizens(world)


def test_a_routine_bulletin_is_not_repeated_by_hand(world: World, phone: Phone, village: list[str]) -> None:
    number = approved(world)
    with pytest.raises(AnnouncementError, match="khẩn cấp"):
        repeat(world, number)
