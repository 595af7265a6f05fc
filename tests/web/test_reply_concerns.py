"""An answer that a citizen would hold against us is asked about before it leaves."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from storage.tickets import Ticket
from tests.builders import World
from tests.usecases.looking import BRIBE
from tests.web.pages import Browser

Reported = Callable[..., Ticket]
Open = Callable[[str], Browser]

EMPTY = "Cảm ơn ông/bà, chúng tôi đã ghi nhận ý kiến."


@pytest.fixture
def ticket(reported: Reported) -> Ticket:
    """A report with a telephone number of its own in it."""
    return reported("Ổ gà to trên đường Xóm 5, gọi tôi số 0912 345 678")


def told(world: World) -> list[str]:
    from storage.enums import Direction, Origin
    from storage.messages import Message
    from tests.builders import all_rows

    out = [m for m in all_rows(world.runtime, Message) if m.direction is Direction.OUT]
    return [m.text for m in out if m.origin is Origin.OFFICIAL]


def test_somebody_elses_number_is_asked_about_and_sent_when_it_is_meant(
    world: World, browser: Open, ticket: Ticket
) -> None:
    one = browser("lan")
    action = f"/tickets/{ticket.id}/replies"
    page = one.send(one.open(f"/tickets/{ticket.id}").form(action), 422, text="Đã báo ông Bảy số 0987654321.")
    assert "của người khác" in page.alerts[0]
    assert told(world) == []
    form = page.form(action)
    assert form.fields["text"] == "Đã báo ông Bảy số 0987654321."
    one.send(form, anyway="1")
    assert told(world) == ["Đã báo ông Bảy số 0987654321."]


@pytest.mark.parametrize(
    "text", ["Đã gọi 0912345678, hẹn chiều nay.", "Ngoài giờ ông/bà gọi 113.", "Đã vá xong ổ gà ở Xóm 5."]
)
def test_what_the_citizen_gave_and_what_is_public_goes_at_once(
    world: World, browser: Open, ticket: Ticket, text: str
) -> None:
    one = browser("lan")
    one.send(one.open(f"/tickets/{ticket.id}").form(f"/tickets/{ticket.id}/replies"), text=text)
    assert told(world) == [text]


def test_an_empty_promise_is_asked_about(world: World, browser: Open, ticket: Ticket) -> None:
    one = browser("lan")
    page = one.send(one.open(f"/tickets/{ticket.id}").form(f"/tickets/{ticket.id}/replies"), 422, text=EMPTY)
    assert "chưa biết ai làm gì" in page.alerts[0]
    assert told(world) == []


def test_smaller_concerns_are_told_while_one_writes_and_do_not_stop_anybody(
    world: World, browser: Open, ticket: Ticket
) -> None:
    one = browser("lan")
    form = one.open(f"/tickets/{ticket.id}").form(f"/tickets/{ticket.id}/replies")
    one.send(form, text="Xã sẽ thay bóng đèn.")
    assert told(world) == ["Xã sẽ thay bóng đèn."]


def test_without_scripts_the_same_is_said_on_the_page(world: World, browser: Open, ticket: Ticket) -> None:
    one = browser("lan")
    form = one.open(f"/tickets/{ticket.id}").form(f"/tickets/{ticket.id}/replies")
    form.action = f"/tickets/{ticket.id}/reply-concerns"
    page = one.send(form, text="Xã sẽ thay bóng đèn.")
    assert "chưa nói ngày nào" in page.alerts[0]
    assert told(world) == []


def test_a_sealed_report_is_checked_by_its_readers_only(world: World, browser: Open, reported: Reported) -> None:
    ticket = reported(BRIBE)
    one = browser("mai")
    form = one.open(f"/tickets/{ticket.id}").form(f"/tickets/{ticket.id}/replies")
    page = one.send(form, 422, text=EMPTY)
    assert "chưa biết ai làm gì" in page.alerts[0]
    other = browser("lan")
    form.fields["csrf_token"] = other.open("/tickets").form("/sign-out").fields["csrf_token"]
    form.action = f"/tickets/{ticket.id}/reply-concerns"
    other.send(form, 404, text=EMPTY)
