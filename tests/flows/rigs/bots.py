"""The rigs of bots, on Telegram and on Zalo's platform: events are brought, or asked for; a token never expires."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.usecases.polling import Poll
from bot.usecases.setup import add_channel
from bot.usecases.tokens import channel_config
from storage.channels import Channel
from tests.bots import TOKEN, WEBHOOK_SECRET
from tests.builders import World
from tests.flows.rigs import Accepted, held
from tests.sandbox.bots import BotApi, bot_api
from tests.sandbox.running import until

FAULTS: dict[str, dict[str, Any]] = {
    "slow": {"kind": "slow", "when": "before", "seconds": 0.1},
    "server error": {"kind": "status", "status": 502},
    "late answer": {"kind": "slow", "when": "after", "seconds": 1.6},
    "lost answer": {"kind": "drop", "when": "after"},
    "malformed": {"kind": "malformed"},
    "throttled": {"kind": "status", "status": 429, "retry_after": 40},
    "own server error": {"kind": "error", "code": 403, "message": "Internal server error"},
    "token expired": {"kind": "token_expired"},
}
QUESTIONS = 12  # the most a test has waiting, and a few that fail


@dataclass
class BotRig:
    """The commune's bot at a pretend platform; `applies_to`: which calls suffer the faults."""

    world: World
    api: BotApi
    channel_id: int
    poll: Poll | None = None
    applies_to: str = "send"
    tells_order: bool = True

    def as_sent(self, text: str) -> str:
        """The words as they are."""
        return text

    def citizen(self) -> str:
        """Somebody begins the chat."""
        who = str(self.api.person())
        self.says(who, "/start" if self.api.platform == "telegram" else "nhận tin")
        return who

    def urn(self, who: str) -> str:
        """How the gateway names this person."""
        return f"{self.api.platform}:{who}"

    def says(self, who: str, text: str) -> None:
        """The person writes."""
        assert self.api.says(who, text)

    def again(self, _who: str) -> None:
        """The latest update waits once more."""
        self.api.control("again")

    def swap(self, _who: str) -> None:
        """The last two come in the wrong order."""
        self.api.control("swap")

    def fault(self, name: str, times: int = 1) -> None:
        """Let the next calls suffer this."""
        self.api.fault(**{"applies_to": self.applies_to, "count": times, **FAULTS[name]})

    def mend(self) -> None:
        """No faults, and the token opens again."""
        self.api.fault("clear")

    def bring(self) -> None:
        """Let the updates go, or ask for them until nothing comes and nothing fails."""
        if self.poll is not None:
            for _ in range(QUESTIONS):
                self.poll.once()
                if self.poll.after is None and not self.poll.failures:  # nothing came, and nothing failed
                    return
            raise AssertionError("asking never ends")
        held(self.api.client, is_held=False)
        until(lambda: not self._count("is_done = 0"), seconds=20)
        held(self.api.client, is_held=True)

    def accepted(self, who: str = "") -> list[Accepted]:
        """What the platform took from us."""
        rows = self.api.ledger(who)
        return [Accepted(f"{row['chat_id']}:{row['message_id']}", row["text_sha256"]) for row in rows]

    def acknowledged(self) -> int:
        """How many updates were taken."""
        return self._count("is_done = 1")

    def _count(self, which: str) -> int:
        with self.api.box.store.reading() as db:
            return int(db.execute(f"SELECT count(*) FROM bot_updates WHERE {which}").fetchone()[0])


@contextmanager
def telegram(folder: Path, world: World, gateway_url: str) -> Iterator[BotRig]:
    """A Telegram bot whose updates are brought."""
    with bot_api(folder, "telegram") as api:
        yield _brought(world, api, gateway_url)


@contextmanager
def zalo_bot(folder: Path, world: World, gateway_url: str) -> Iterator[BotRig]:
    """A Zalo bot whose events are brought."""
    with bot_api(folder, "zalo_bot") as api:
        yield _brought(world, api, gateway_url)


@contextmanager
def telegram_asked(folder: Path, world: World, _gateway_url: str) -> Iterator[BotRig]:
    """A Telegram bot that is asked for its updates; its faults befall the questions."""
    with bot_api(folder, "telegram") as api:
        channel_id = _channel(world, api, receive="polling")
        poll = Poll(world.runtime, world.runtime.http, channel_id, "mine", wait_seconds=0)
        try:
            yield BotRig(world, api, channel_id, poll, applies_to="fetch")
        finally:
            poll.close()


def _brought(world: World, api: BotApi, gateway_url: str) -> BotRig:
    channel_id = _channel(world, api, receive="webhook")
    with world.runtime.database.reading() as session:
        channel = session.get_one(Channel, channel_id)
    adapter: Any = world.runtime.adapters[channel.type]
    url = f"{gateway_url}/webhooks/{channel.slug}"
    adapter.bring(world.runtime.http, channel_config(world.runtime, channel), url)
    held(api.client, is_held=True)
    api.box.start()
    return BotRig(world, api, channel_id)


def _channel(world: World, api: BotApi, **settings: Any) -> int:
    return add_channel(
        world.runtime,
        commune="duc-hue",
        type=api.platform,
        slug="bot-duc-hue",
        name="Bot Đức Huệ",
        settings={"is_sandbox": True, "api_base": api.url, **settings},
        secrets={"token": TOKEN, "webhook_secret": WEBHOOK_SECRET},
        rate_per_second=200.0,
    )
