"""A message that took another channel, and linked channels, as an official sees them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from adapters.errors import ContactUnreachable, OutcomeUnknown
from bot.runtime import Runtime
from bot.usecases.sending import PERSONAL, send_due
from storage.channels import Channel
from storage.deliveries import Delivery
from storage.enums import DeliveryKind
from storage.links import Link
from storage.tickets import Ticket
from tests.bots import a_bot
from tests.builders import World, all_rows
from tests.usecases.looking import take_in
from tests.usecases.test_fallback import WORDS, ByTelegram, ByZalo
from tests.usecases.test_linking import linked
from tests.web.pages import Browser

Reported = Callable[..., Ticket]
Open = Callable[[str], Browser]


@pytest.fixture
def ticket(world: World, runtime: Runtime, reported: Reported) -> Ticket:
    """A report whose writer can be met on Zalo and on Telegram."""
    found = reported("Đèn đường xóm 5 tối om mấy hôm nay")
    bot = a_bot(world)
    with runtime.database.transaction() as session:
        for channel in session.query(Channel):
            channel.rate_per_second = 5_000
    runtime.adapters = {**runtime.adapters, "zalo": ByZalo(), "telegram": ByTelegram()}
    linked(world, bot)
    send_due(runtime, PERSONAL)
    return found


def the_zalo(world: World) -> ByZalo:
    found = world.runtime.adapters["zalo"]
    assert isinstance(found, ByZalo)
    return found


def say(lan: Browser, ticket: Ticket) -> None:
    lan.send(lan.page.form(f"/tickets/{ticket.id}/replies"), 200, text=WORDS)
    for _ in range(2):
        send_due(lan.world.runtime, PERSONAL)


def test_a_message_with_two_ways_is_one_line_with_what_became_of_each(
    world: World, ticket: Ticket, browser: Open
) -> None:
    lan = browser("lan")
    lan.open(f"/tickets/{ticket.id}")
    the_zalo(world).failures = [ContactUnreachable("zalo_blocked", "Người dân đã chặn kênh.")]
    say(lan, ticket)
    page = lan.open(f"/tickets/{ticket.id}")
    assert page.text.count(WORDS) == 1
    assert "Telegram Đức Huệ: Đã giao cho kênh lúc" in page.text
    assert "Trước đó · Zalo OA Đức Huệ: Không gửi được. Người dân đã chặn kênh." in page.text
    assert not [form for form in page.forms if form.action.endswith("/resending")]
    assert "Trả lời sẽ tự đi qua Telegram Đức Huệ" in page.text


def test_an_official_chooses_the_other_way_for_what_is_unknown(world: World, ticket: Ticket, browser: Open) -> None:
    lan = browser("lan")
    lan.open(f"/tickets/{ticket.id}")
    the_zalo(world).failures = [OutcomeUnknown("timeout")]
    say(lan, ticket)
    page = lan.open(f"/tickets/{ticket.id}")
    assert "Gửi qua Telegram Đức Huệ" in page.text
    (unknown,) = [d for d in all_rows(world.runtime, Delivery) if d.kind is DeliveryKind.REPLY]
    form = page.form(f"/tickets/{ticket.id}/deliveries/{unknown.id}/elsewhere")
    after = lan.send(form, 200)
    assert "Đã chuyển tin sang kênh khác" in after.text
    again = lan.send(form, 422)
    assert "chọn kênh khác hoặc gọi điện" in again.text


def test_linked_channels_are_shown_and_can_be_parted(world: World, ticket: Ticket, browser: Open) -> None:
    lan = browser("lan")
    page = lan.open(f"/tickets/{ticket.id}")
    assert "Kênh đã liên kết" in page.text
    (link,) = all_rows(world.runtime, Link)
    after = lan.send(page.form(f"/tickets/{ticket.id}/links/{link.id}/undoing"), 200)
    assert "Đã bỏ liên kết" in after.text
    assert "Kênh đã liên kết" not in after.text
    take_in(world)
    assert all_rows(world.runtime, Link)[0].undone_by == "official"
