"""Who else is here: colleagues on the same report see each other, at no cost to who reads or writes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from werkzeug.test import TestResponse

from storage.presence import Presence
from storage.tickets import Ticket
from tests.builders import World
from tests.conftest import Clock
from tests.usecases.looking import BRIBE
from tests.web.pages import Browser
from tests.web.test_drafts import at_ticket, types
from tests.web.test_inbox import counted
from tests.web.test_ticket_page import POTHOLE

Reported = Callable[..., Ticket]
Open = Callable[[str], Browser]
LAN_LOOKS, LAN_WRITES = "Nguyễn Thị Lan đang xem.", "Nguyễn Thị Lan đang soạn."


@pytest.fixture
def ticket(reported: Reported) -> Ticket:
    """A report of a pothole that nobody has looked at."""
    return reported(POTHOLE)


def asks_again(one: Browser, ticket: Ticket, seen: str = "") -> TestResponse:
    """The page refreshes itself."""
    return one.fragment(f"/tickets/{ticket.id}?poll=1&seen=0", "live", **({"X-Seen": seen} if seen else {}))


def signs(world: World) -> list[Presence]:
    with world.runtime.database.reading() as session:
        return list(session.query(Presence).order_by(Presence.official_id))


def test_a_colleague_who_looks_is_named(world: World, browser: Open, ticket: Ticket) -> None:
    assert "đang xem." not in at_ticket(browser("lan"), ticket).page.text
    assert LAN_LOOKS in at_ticket(browser("mai"), ticket).page.text


def test_a_colleague_who_writes_is_said_to(world: World, browser: Open, ticket: Ticket, clock: Clock) -> None:
    lan, mai = at_ticket(browser("lan"), ticket), at_ticket(browser("mai"), ticket)
    types(lan, ticket, "Xã đang xem")
    told = asks_again(mai, ticket).text
    assert LAN_WRITES in told
    assert "Nguyễn Thị Lan đang soạn trả lời, 12:00" in told
    clock.move(seconds=12)
    asks_again(lan, ticket)
    clock.move(seconds=6)
    assert LAN_LOOKS in asks_again(mai, ticket).text


def test_who_has_gone_is_named_no_more(world: World, browser: Open, ticket: Ticket, clock: Clock) -> None:
    at_ticket(browser("lan"), ticket)
    clock.move(seconds=14)
    mai = at_ticket(browser("mai"), ticket)
    assert LAN_LOOKS in mai.page.text
    clock.move(seconds=1)
    assert LAN_LOOKS not in at_ticket(mai, ticket).page.text


def test_whose_page_asks_again_stays(world: World, browser: Open, ticket: Ticket, clock: Clock) -> None:
    lan = at_ticket(browser("lan"), ticket)
    for _ in range(10):
        clock.move(seconds=3)
        asks_again(lan, ticket)
    assert LAN_LOOKS in at_ticket(browser("mai"), ticket).page.text


def test_a_sign_is_written_every_five_seconds_at_most(
    world: World, browser: Open, ticket: Ticket, clock: Clock
) -> None:
    lan = at_ticket(browser("lan"), ticket)
    begun, written = clock(), []
    for _ in range(10):
        clock.move(seconds=1)
        with counted(world.runtime) as asked:
            asks_again(lan, ticket)
        written += [clock() - begun for one in asked if one.startswith(("UPDATE presences", "INSERT INTO presences"))]
    assert [moment.total_seconds() for moment in written] == [5, 10]
    assert len(signs(world)) == 1


def test_the_part_that_refreshes_itself_is_left_alone_when_only_company_changed(
    world: World, browser: Open, ticket: Ticket
) -> None:
    mai = at_ticket(browser("mai"), ticket)
    first = asks_again(mai, ticket)
    seen = first.headers["X-Seen"]
    assert 'class="talk plain"' in first.text
    assert asks_again(mai, ticket, seen).status_code == 204
    at_ticket(browser("lan"), ticket)
    news = asks_again(mai, ticket, seen)
    assert LAN_LOOKS in news.text
    assert 'class="talk plain"' not in news.text
    assert news.headers["HX-Reswap"] == "none"
    assert asks_again(mai, ticket, news.headers["X-Seen"]).status_code == 204


def test_company_is_said_with_the_talk_when_both_changed(
    world: World, browser: Open, reported: Reported, ticket: Ticket
) -> None:
    mai = at_ticket(browser("mai"), ticket)
    seen = asks_again(mai, ticket).headers["X-Seen"]
    at_ticket(browser("lan"), ticket)
    reported("Thêm nữa: chỗ đó không có đèn", user="3000000000000000003")
    news = asks_again(mai, ticket, seen)
    assert LAN_LOOKS in news.text
    assert "nữa: chỗ đó" in news.text
    assert "HX-Reswap" not in news.headers


def test_company_on_one_report_is_none_on_another(
    world: World, browser: Open, reported: Reported, ticket: Ticket
) -> None:
    other = reported("Rác chất đống ở Chợ Đình", user="7")
    at_ticket(browser("lan"), ticket)
    assert "đang xem." not in at_ticket(browser("mai"), other).page.text


def test_who_reads_what_is_sealed_is_known_to_its_readers_only(world: World, browser: Open, reported: Reported) -> None:
    secret = reported(BRIBE)
    at_ticket(browser("mai"), secret)
    lan = browser("lan")
    lan.open(f"/tickets/{secret.id}", 404)
    assert [sign.official_id for sign in signs(world)] == [world.officials["mai"]]
    assert "Lê Thị Mai" not in lan.page.text
