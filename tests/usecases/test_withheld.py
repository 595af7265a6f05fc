"""What cannot be read: the citizen is told so once an hour, and officials see that something was sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.runtime import utc_now
from bot.usecases import holding
from bot.usecases.polling import Poll
from bot.usecases.setup import add_channel
from storage.enums import InboundState
from storage.messages import Attachment, InboundEvent
from tests.bots import TOKEN, WEBHOOK_SECRET
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.sandbox.bots import BotApi, bot_api
from tests.usecases.looking import LIGHT, messages_of, take_in, texts_of, the_ticket
from tests.web.pages import Browser, app_on

KINDS = {"telegram": "poll", "zalo_bot": "unsupported"}


@pytest.fixture(params=list(KINDS))
def api(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BotApi]:
    with bot_api(tmp_path / "sandbox", request.param) as found:
        yield found


@pytest.fixture
def hear(api: BotApi, world: World, clock: Clock) -> Iterator[Callable[[], None]]:
    """Ask the bot's platform for all that citizens sent, and take it in."""
    clock.now = utc_now()
    settings: dict[str, Any] = {"is_sandbox": True, "api_base": api.url, "receive": "polling"}
    secrets = {"token": TOKEN, "webhook_secret": WEBHOOK_SECRET}
    channel_id = add_channel(
        world.runtime,
        commune="duc-hue",
        type=api.platform,
        slug="bot-duc-hue",
        name="Bot Đức Huệ",
        settings=settings,
        secrets=secrets,
    )
    poll = Poll(world.runtime, world.runtime.http, channel_id, "mine", wait_seconds=0)

    def ask() -> None:
        for _ in range(4):  # one platform hands over one event at a time
            poll.once()
        take_in(world)

    yield ask
    poll.close()


def told(world: World) -> list[str]:
    return texts_of(world, "withheld")


def test_who_sends_what_cannot_be_read_is_told_so_once_an_hour(
    api: BotApi, world: World, clock: Clock, hear: Callable[[], None]
) -> None:
    hoa, lan, kind = api.person(), api.person(), KINDS[api.platform]
    api.says(hoa, kind=kind)
    api.says(hoa, kind=kind)
    hear()
    [words] = told(world)
    assert "Xin nhắn lại bằng chữ" in words
    clock.move(minutes=59)
    api.says(hoa, kind=kind)
    hear()
    assert len(told(world)) == 1
    api.says(lan, kind=kind)
    hear()
    assert len(told(world)) == 2, "somebody else has not been told"
    clock.move(minutes=2)
    api.says(hoa, kind=kind)
    hear()
    assert len(told(world)) == 3
    assert {event.state for event in all_rows(world.runtime, InboundEvent)} == {InboundState.DONE}
    assert {event.outcome for event in all_rows(world.runtime, InboundEvent)} == {"message:withheld"}


def test_officials_see_in_the_conversation_that_something_was_sent(
    api: BotApi, world: World, hear: Callable[[], None]
) -> None:
    hoa = api.person()
    api.says(hoa, LIGHT)
    api.says(hoa, kind=KINDS[api.platform])
    hear()
    ticket = the_ticket(world)
    assert [attachment.kind for attachment in all_rows(world.runtime, Attachment)] == ["withheld"]
    page = Browser(world, app_on(world.runtime)).sign_in("lan").open(f"/tickets/{ticket.id}")
    assert "Tin thuộc loại không đọc được ở đây" in page.text
    assert "ngoài phản ánh này" in page.text


def test_while_an_official_answers_the_bot_is_silent(api: BotApi, world: World, hear: Callable[[], None]) -> None:
    hoa = api.person()
    api.says(hoa, LIGHT)
    hear()
    ticket = the_ticket(world)
    holding.take_over(world.runtime, world.official("lan"), ticket.id, version=ticket.version)
    api.says(hoa, kind=KINDS[api.platform])
    hear()
    assert told(world) == []
    assert messages_of(world, ticket) == [LIGHT, ""]
