"""A commune's Telegram bot, and citizens who write to it: updates as Telegram would bring them."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from adapters.messages import WebhookRequest
from adapters.telegram import SECRET_HEADER
from bot.usecases.setup import add_channel
from storage.channels import Channel
from storage.enums import InboundState
from storage.messages import InboundEvent
from tests.builders import World

BOT = 7000000001
TOKEN = f"{BOT}:AAExample-token-that-nobody-may-see"
WEBHOOK_SECRET = "example-webhook-secret-not-real"
HOA = 5000000005
SLUG = "telegram-duc-hue"


def a_bot(world: World, *, api_base: str = "http://127.0.0.1:9", token: str = TOKEN, **settings: Any) -> Bot:
    """Connect a bot to the commune; by default its Bot API server is nowhere."""
    channel_id = add_channel(
        world.runtime,
        commune="duc-hue",
        type="telegram",
        slug=settings.pop("slug", SLUG),
        name="Telegram Đức Huệ",
        settings={"is_sandbox": True, "api_base": api_base, **settings},
        secrets={"token": token, "webhook_secret": WEBHOOK_SECRET},
    )
    return Bot(world, channel_id)


@dataclass
class Bot:
    """The channel, and the numbers that Telegram gives updates and messages."""

    world: World
    channel_id: int
    updates: Any = field(default_factory=lambda: itertools.count(910_000_001))
    messages: Any = field(default_factory=lambda: itertools.count(1))

    @property
    def channel(self) -> Channel:
        """The channel as it stands now."""
        with self.world.runtime.database.reading() as session:
            return session.get_one(Channel, self.channel_id)

    def brings(self, kind: str, inner: dict[str, Any], *, at: datetime | None = None) -> dict[str, Any]:
        """Put an update into the inbox as the door does; gives what it carried."""
        body = json.dumps({"update_id": next(self.updates), kind: inner}, ensure_ascii=False).encode()
        runtime, channel = self.world.runtime, self.channel
        adapter = runtime.adapters["telegram"]
        config = adapter.config(dict(channel.settings), json.loads(runtime.vault.open(channel.secrets)))
        envelope = adapter.admit(WebhookRequest("POST", {SECRET_HEADER: WEBHOOK_SECRET}, body), config)
        now = self.world.clock()
        moment = envelope.occurred_at if inner.get("date") else at or now
        row = InboundEvent(
            commune_id=channel.commune_id,
            channel_id=channel.id,
            key=envelope.key,
            event_name=envelope.event_name,
            conversation_key=envelope.conversation,
            body=body,
            occurred_at=moment,
            received_at=max(now, moment),
            state=InboundState.WAITING,
            next_try_at=now,
        )
        with runtime.database.transaction() as session:
            session.add(row)
        return inner

    def says(self, text: str = "", *, who: int = HOA, at: datetime | None = None, **more: Any) -> dict[str, Any]:
        """A citizen writes, or sends what `more` says; gives the message."""
        return self.brings("message", self.message(text, who=who, at=at, **more))

    def message(self, text: str = "", *, who: int = HOA, at: datetime | None = None, **more: Any) -> dict[str, Any]:
        """A message of a citizen as Telegram writes it, not brought yet."""
        said = {"text": text} if text else {}
        return {
            "message_id": next(self.messages),
            "from": a_person(who),
            "chat": a_chat(who),
            "date": int((at or self.world.clock()).timestamp()),
            **said,
            **more,
        }

    def edits(self, message: dict[str, Any], text: str) -> dict[str, Any]:
        """A citizen puts right what they wrote."""
        name = "text" if "text" in message else "caption"
        return self.brings("edited_message", {**message, "edit_date": int(self.world.clock().timestamp()), name: text})

    def taps(self, label: str, *, who: int = HOA, on: int = 1_000) -> None:
        """A citizen presses a button under message `on`."""
        asked = {"message_id": on, "chat": a_chat(who), "date": 0}
        tap = {"id": f"tap-{next(self.messages)}", "from": a_person(who), "chat_instance": "1", "message": asked}
        self.brings("callback_query", {**tap, "data": label})

    def follows(self, *, back: bool = True, who: int = HOA) -> None:
        """A citizen lets the bot write again, or blocks it."""
        me = {"id": BOT, "is_bot": True, "first_name": "Bot"}
        was, now = ("kicked", "member") if back else ("member", "kicked")
        change = {"chat": a_chat(who), "from": a_person(who), "date": int(self.world.clock().timestamp())}
        old, new = {"user": me, "status": was}, {"user": me, "status": now}
        for one in (old, new):
            if one["status"] == "kicked":
                one["until_date"] = 0
        self.brings("my_chat_member", {**change, "old_chat_member": old, "new_chat_member": new})


def a_person(who: int) -> dict[str, Any]:
    """A citizen as updates name them."""
    return {"id": who, "is_bot": False, "first_name": "Hoa", "last_name": "Ví Dụ"}


def a_chat(who: int) -> dict[str, Any]:
    """Their private chat."""
    return {"id": who, "type": "private", "first_name": "Hoa", "last_name": "Ví Dụ"}


def a_photo(file_id: str = "AgACAgUAAxkBAAIB-example") -> list[dict[str, Any]]:
    """A photo in two sizes."""
    small = {"file_id": f"{file_id}-small", "file_unique_id": "s", "width": 90, "height": 67, "file_size": 1_200}
    return [small, {"file_id": file_id, "file_unique_id": "x", "width": 1280, "height": 960, "file_size": 190_000}]


def events_of(world: World, channel_id: int) -> list[InboundEvent]:
    """The channel's events in the order of their numbers."""
    with world.runtime.database.reading() as session:
        query = sa.select(InboundEvent).where(InboundEvent.channel_id == channel_id).order_by(InboundEvent.id)
        return list(session.scalars(query))
