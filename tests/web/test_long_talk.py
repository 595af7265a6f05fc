"""A talk longer than a page: the newest part first, older ones on request, nothing twice and nothing left out."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.usecases import ticket_page
from storage.enums import Direction, Origin
from storage.messages import Message
from storage.tickets import Ticket
from tests.builders import World
from tests.web.pages import Browser

SAID = re.compile(r'id="message-(\d+)"')


@pytest.fixture
def long(world: World, reported: Callable[..., Ticket], monkeypatch: pytest.MonkeyPatch) -> Ticket:
    """A ticket with more messages than three pages hold; several were said in the same moment."""
    ticket: Ticket = reported("Ổ gà to ở Xóm 5")
    say(world, ticket, 9)
    part = ticket_page.Part
    monkeypatch.setattr("bot.web.ticket_page.Part", lambda older, since: part(older, since, most=4))
    return ticket


def say(world: World, ticket: Ticket, many: int) -> None:
    with world.runtime.database.transaction() as session:
        session.add_all(
            Message(
                commune_id=ticket.commune_id, channel_id=world.channel_id, conversation_id=ticket.conversation_id,
                ticket_id=ticket.id, direction=Direction.IN, origin=Origin.CITIZEN, text=f"Lời thứ {n}",
                text_folded=f"loi thu {n}", occurred_at=world.clock() + timedelta(minutes=n // 2),
                created_at=world.clock(),
            )
            for n in range(many)
        )  # fmt: skip


def numbers(html: str) -> list[int]:
    return [int(n) for n in SAID.findall(html)]


def test_older_parts_follow_one_by_one_without_scripts(browser: Callable[[str], Browser], long: Ticket) -> None:
    one = browser("lan")
    page = one.open(f"/tickets/{long.id}?view=all")
    parts = [numbers(page.html)]
    assert "every 3s" in page.html
    while older := next((link for link in page.links if "older=" in link), ""):
        page = one.open(older)
        parts.append(numbers(page.html))
        assert f"/tickets/{long.id}?view=all" in page.links, "the way back to the newest"
        assert f'hx-get="/tickets/{long.id}?poll=1' not in page.html, "what is old does not change by itself"
    assert "Đây là tin đầu tiên" in page.text
    assert [len(part) for part in parts] == [4, 4, 4]
    met = [n for part in parts[::-1] for n in part]
    assert met == sorted(set(met))


def test_with_scripts_an_older_part_is_put_before_what_is_there(
    world: World, browser: Callable[[str], Browser], long: Ticket
) -> None:
    one = browser("lan")
    page = one.open(f"/tickets/{long.id}?view=all")
    shown = numbers(page.html)
    answer = one.fragment(f"/tickets/{long.id}?older={shown[0]}", "older-part")
    assert len(numbers(answer.text)) == 4
    assert max(numbers(answer.text)) < shown[0]
    assert answer.text.index('id="older"') < answer.text.index("<ol")
    assert "<html" not in answer.text
    # What refreshes itself begins where the page began, so that nothing falls between the parts.
    (poll,) = re.findall(r'hx-get="(/tickets/\d+\?poll=1[^"]*)"', page.html)
    world.clock.move(hours=1)  # type: ignore[attr-defined]
    say(world, long, 2)
    fresh = numbers(one.fragment(poll.replace("&amp;", "&"), "live").text)
    assert shown == [n for n in fresh if n in shown]
    assert len(fresh) == 6


@pytest.mark.parametrize("older", ["x", "0", "999999999", "-1"])
def test_an_address_of_no_part_shows_the_newest(browser: Callable[[str], Browser], long: Ticket, older: str) -> None:
    assert len(numbers(browser("lan").open(f"/tickets/{long.id}?older={older}").html)) == 4
