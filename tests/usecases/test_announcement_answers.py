"""What citizens write back to an announcement: linked to it, counted, and grouped by what they ask."""

from __future__ import annotations

import pytest

from bot.usecases.announcement_answers import Answers
from bot.usecases.bulletin_results import look_at
from storage.deliveries import Delivery
from storage.enums import DeliveryKind
from storage.messages import Message
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.usecases.bulletins import approved, legs
from tests.usecases.looking import BRIBE, LIGHT, take_in, the_ticket, tickets
from tests.usecases.telling import Phone, followers, phone, run
from tests.usecases.test_safety import says

__all__ = ["phone"]


@pytest.fixture
def neighbours(world: World, phone: Phone) -> list[str]:
    """Six neighbours who follow."""
    return [value.removeprefix("zalo:") for value in followers(world, 6)]


def an_outage(world: World, **changes: object) -> int:
    number = approved(world, **changes)
    run(world)
    return number


def sent_to(world: World, who: str) -> str:
    return next(
        d.external_id
        for d in all_rows(world.runtime, Delivery)
        if d.kind is DeliveryKind.ANNOUNCEMENT and d.external_id.endswith(who)
    )


def answers(world: World, number: int, who: str = "mai") -> Answers:
    found = look_at(world.runtime, world.official(who), number).answers
    assert found
    return found


def linked(world: World) -> list[str]:
    return [m.text for m in all_rows(world.runtime, Message) if m.announcement_id is not None]


def test_whoever_quotes_it_means_it_however_late(world: World, neighbours: list[str], clock: Clock) -> None:
    number = an_outage(world)
    quoted = sent_to(world, neighbours[0])
    clock.move(days=9)
    says(world, neighbours[0], "mấy giờ có điện lại vậy", quote_msg_id=quoted)
    ticket = the_ticket(world)
    assert ticket.announcement_id == legs(world, number)[0].id
    back = answers(world, number)
    assert (back.counts.people, back.counts.reports, back.ticket_ids) == (1, 1, [ticket.id])


def test_what_follows_within_two_days_and_fits_is_an_answer(world: World, neighbours: list[str], clock: Clock) -> None:
    an_outage(world)
    says(world, neighbours[0], "mấy giờ có điện lại vậy xã?", clock)
    clock.move(hours=47)
    says(world, neighbours[1], "Cắt điện Xóm 5 thì trạm bơm có chạy không?")
    clock.move(hours=2)
    says(world, neighbours[2], "mấy giờ có điện lại vậy xã?")
    assert len(linked(world)) == 2


def test_what_is_clearly_about_something_else_is_no_answer(world: World, neighbours: list[str], clock: Clock) -> None:
    number = an_outage(world)
    says(world, neighbours[0], "Rác ở chợ Đình không ai thu gom cả tuần nay, hôi thối lắm", clock)
    assert linked(world) == []
    assert answers(world, number).counts.messages == 0
    assert the_ticket(world).announcement_id is None


def test_who_is_in_another_talk_goes_on_with_it(world: World, neighbours: list[str], clock: Clock) -> None:
    says(world, neighbours[0], LIGHT)
    clock.move(hours=1)
    an_outage(world)
    says(world, neighbours[0], "bao giờ thì xong vậy xã?", clock)
    assert linked(world) == []


def test_who_got_nothing_answers_nothing(world: World, neighbours: list[str]) -> None:
    an_outage(world)
    says(world, "3000000000000000099", "mấy giờ có điện lại vậy xã?")
    says(world, neighbours[0], "cái này là sao ạ?", quote_msg_id=sent_to(world, neighbours[1]))
    assert [m.announcement_id for m in all_rows(world.runtime, Message) if m.text.startswith("mấy giờ")] == [None]


def test_a_word_of_thanks_is_counted_and_opens_nothing(world: World, neighbours: list[str]) -> None:
    number = an_outage(world)
    says(world, neighbours[0], "cảm ơn xã", quote_msg_id=sent_to(world, neighbours[0]))
    assert answers(world, number).counts.messages == 1
    assert tickets(world) == []


def test_the_questions_of_the_first_hour_stand_together(world: World, neighbours: list[str], clock: Clock) -> None:
    number = an_outage(world)
    asked = (
        "Mấy giờ có điện lại vậy xã? Số tôi 0912345678", "may gio co dien lai a", "mấy giờ thì có điện lại ạ?",
        "Trạm bơm Xóm 7 cắt điện có chạy không?", "tram bom xom 7 co chay ko",
    )  # fmt: skip
    for who, words in zip(neighbours, asked, strict=False):
        says(world, who, words, quote_msg_id=sent_to(world, who))
    clock.move(hours=2)
    says(world, neighbours[5], "có được bồi thường không ạ?", quote_msg_id=sent_to(world, neighbours[5]))
    back = answers(world, number)
    assert [question.count for question in back.questions] == [3, 2]
    assert "0912345678" not in back.questions[0].example
    assert "Mấy giờ có điện lại" in back.questions[0].example
    assert len(back.questions[0].ticket_ids) == 3
    assert back.counts.messages == 6
    assert answers(world, number, "hoa").questions[0].ticket_ids == []  # who opens no reports


def test_what_is_sealed_is_not_among_them(world: World, neighbours: list[str]) -> None:
    number = an_outage(world)
    world.says(BRIBE, user=neighbours[0], quote_msg_id=sent_to(world, neighbours[0]))
    take_in(world)
    back = answers(world, number)
    assert back.counts.messages == back.counts.reports == 0
    assert back.questions == []
