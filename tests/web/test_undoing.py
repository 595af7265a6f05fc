"""Taking back on the page: a button that stands there as long as there is time, with or without scripts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from bot.usecases import intake
from storage.communes import Commune
from storage.deliveries import Delivery
from storage.enums import DeliveryKind, DeliveryState, TicketState
from storage.tickets import Ticket
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.web.pages import Browser, Page
from tests.web.test_inbox import counted
from tests.web.test_ticket_page import SIGN_OF_PRESENCE, now, reply

Open = Callable[[str], Browser]


@pytest.fixture
def ticket(world: World) -> Ticket:
    """A report of a pothole, where officials have ten seconds to take back what they send."""
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Commune).values(settings={"after_photo": False}))
    world.says("Đường xóm 7 có ổ gà to, xe máy ngã liên tục")
    intake.drain(world.runtime)
    (found,) = all_rows(world.runtime, Ticket)
    return found


def sent(one: Browser, ticket: Ticket, **fields: object) -> Page:
    one.open(f"/tickets/{ticket.id}")
    return reply(one, ticket, text="Xã sẽ sửa trong tuần này.", **fields)


def offered(page: Page) -> list[str]:
    return [form.action for form in page.forms if form.action.endswith("/undoing") and "/sends/" in form.action]


def test_the_button_stands_there_until_the_time_is_over(
    world: World, browser: Open, ticket: Ticket, clock: Clock
) -> None:
    one = browser("lan")
    assert "Sẽ gửi sau 10 giây." in sent(one, ticket).text
    clock.move(seconds=6)
    again = one.open(f"/tickets/{ticket.id}")
    assert "Sẽ gửi sau 4 giây." in again.text
    assert len(offered(again)) == 1
    clock.move(seconds=5)
    assert offered(one.open(f"/tickets/{ticket.id}")) == []


def test_it_follows_the_official_to_other_pages(world: World, browser: Open, ticket: Ticket, clock: Clock) -> None:
    one = browser("lan")
    sent(one, ticket)
    assert len(offered(one.open("/tickets"))) == 1
    clock.move(seconds=10)
    assert offered(one.open("/tickets")) == []


def test_a_colleague_sees_that_it_waits_and_no_button(world: World, browser: Open, ticket: Ticket) -> None:
    sent(browser("lan"), ticket)
    page = browser("mai").open(f"/tickets/{ticket.id}")
    assert "Đang chờ gửi: gửi lúc 12:00:10, trước đó còn hoàn tác được." in page.text
    assert offered(page) == []


def test_one_press_and_nothing_was_said(world: World, browser: Open, ticket: Ticket) -> None:
    one = browser("lan")
    page = sent(one, ticket)
    page = one.send(page.form(offered(page)[0]))
    assert "Đã hoàn tác. Người dân không nhận được gì" in page.text
    assert page.form(f"/tickets/{ticket.id}/replies").fields["text"].strip() == "Xã sẽ sửa trong tuần này."
    assert "said-out" not in page.html
    assert now(world, ticket).state is TicketState.NEW
    assert "Đã hoàn tác trước khi gửi; người dân không nhận được tin." in page.text
    assert "Trả lời người dân." not in page.text
    assert {d.state for d in all_rows(world.runtime, Delivery) if d.kind is DeliveryKind.REPLY} == {
        DeliveryState.CANCELLED
    }


def test_the_form_of_a_result_comes_back_as_it_was_filled_in(world: World, browser: Open, ticket: Ticket) -> None:
    one = browser("mai")
    page = sent(one, ticket, result="1", next_step="theo dõi sau mưa.", checked_on="2026-10-07")
    page = one.send(page.form(offered(page)[0]))
    form = page.form(f"/tickets/{ticket.id}/replies")
    assert form.fields["next_step"].strip() == "theo dõi sau mưa."
    assert form.fields["checked_on"] == "2026-10-07"
    assert form.fields["result"] == "1"


def test_a_second_press_says_that_it_was_taken_back_already(world: World, browser: Open, ticket: Ticket) -> None:
    one = browser("lan")
    page = sent(one, ticket)
    form = page.form(offered(page)[0])
    one.send(form)
    assert "Tin này đã được hoàn tác trước đó." in one.send(form).text


def test_too_late_says_so_and_changes_nothing(world: World, browser: Open, ticket: Ticket) -> None:
    one = browser("lan")
    page = sent(one, ticket)
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Delivery).values(state=DeliveryState.SENT, tries=1))
    before = now(world, ticket).version
    page = one.send(page.form(offered(page)[0]), 422)
    assert "Tin đã rời hệ thống nên không hoàn tác được." in page.text
    assert now(world, ticket).version == before


def test_the_part_that_refreshes_itself_stays_the_same_while_it_waits(
    world: World, browser: Open, ticket: Ticket, clock: Clock
) -> None:
    one = browser("lan")
    sent(one, ticket)
    path = f"/tickets/{ticket.id}?poll=1&seen=0"
    first = one.fragment(path, "live").text
    clock.move(seconds=3)
    assert one.fragment(path, "live").text == first


def test_a_page_while_something_waits_asks_few_questions(world: World, browser: Open, ticket: Ticket) -> None:
    one = browser("lan")
    sent(one, ticket)
    with counted(world.runtime) as asked:
        one.open(f"/tickets/{ticket.id}")
    assert len(asked) <= 8 + SIGN_OF_PRESENCE, (
        asked
    )  # what waits, and bodies outside to which a report that was taken in may be handed


def test_on_another_page_it_says_of_which_report(world: World, browser: Open, ticket: Ticket) -> None:
    one = browser("lan")
    sent(one, ticket)
    page = one.open("/tickets")
    assert "Sẽ gửi sau" in page.text
    assert f'<a href="/tickets/{ticket.id}">{ticket.code}</a>' in page.html
