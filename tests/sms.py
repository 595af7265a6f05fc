"""An SMS channel in a test's commune, and providers that call it."""

from __future__ import annotations

import itertools
import json
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa

from adapters.messages import WebhookRequest
from adapters.sms import Sms
from bot.usecases.setup import add_channel
from bot.usecases.tokens import channel_config
from storage.channels import Channel
from storage.enums import InboundState
from storage.messages import InboundEvent
from tests.adapters.sms import PAYLOADS, SECRETS, SETTINGS, TOKEN, request
from tests.builders import World

_numbers = itertools.count(1)
CITIZEN = "tel:+84912345678"


def an_sms_channel(world: World, provider: str = "kannel", slug: str = "", **settings: Any) -> int:
    """Connect the commune to a provider; gives the channel's id."""
    return add_channel(
        world.runtime,
        commune="duc-hue",
        type="sms",
        slug=slug or f"sms-{provider}",
        name=f"SMS {provider}",
        settings={**SETTINGS[provider], **settings},
        secrets={**SECRETS, "backup_api_key": "example-backup-key", "backup_api_secret": "example-backup-secret"},
    )


def called(world: World, channel_id: int, call: WebhookRequest) -> int:
    """A provider calls, and the door stores what is to be stored; gives the event's id."""
    with world.runtime.database.transaction() as session:
        channel = session.get_one(Channel, channel_id)
        envelope = Sms().admit(call, channel_config(world.runtime, channel))
        if envelope.account != channel.account:
            found = session.scalar(sa.select(Channel).where(Channel.account == envelope.account))
            channel = found or channel
        row = InboundEvent(
            commune_id=channel.commune_id,
            channel_id=channel.id,
            key=envelope.key,
            event_name=envelope.event_name,
            conversation_key=envelope.conversation,
            body=envelope.body,
            occurred_at=min(envelope.occurred_at, world.clock()),
            received_at=world.clock(),
            state=InboundState.WAITING,
            next_try_at=world.clock(),
        )
        session.add(row)
        session.flush()
        return row.id


def recorded(world: World, channel_id: int, name: str) -> int:
    """A recorded call comes in."""
    return called(world, channel_id, request(json.loads((PAYLOADS / f"{name}.json").read_text())))


def texts(world: World, channel_id: int, text: str, *, sender: str = "+84912345678") -> int:
    """A citizen sends a message to a commune's Kannel."""
    fields = {"from": sender, "to": "8088", "text": text, "id": f"mo-{next(_numbers)}", "charset": "UTF-8"}
    fields["ts"] = f"{world.clock():%Y-%m-%d %H:%M:%S}"
    return called(world, channel_id, WebhookRequest("GET", {}, b"", path=TOKEN, query=urlencode(fields).encode()))


def reported(world: World, channel_id: int, external_id: str, kind: int, answer: str = "") -> int:
    """Kannel reports on a message of ours: 1 delivered, 2 failed, 8 accepted, 16 refused."""
    fields = {"id": external_id, "type": str(kind), "answer": answer, "from": "+84912345678"}
    return called(
        world, channel_id, WebhookRequest("GET", {}, b"", path=f"{TOKEN}/receipt", query=urlencode(fields).encode())
    )


def piece(
    world: World, channel_id: int, number: int, text: str, *, total: int = 2, reference: str = "7",
    sender: str = "84912345678", key: str = "",
) -> int:  # fmt: skip
    """One piece of a long message, as a provider hands it over that leaves the joining to us."""
    fields = {
        "msisdn": sender, "to": "8088", "messageId": key or f"part-{next(_numbers)}", "text": text,
        "concat-ref": reference, "concat-total": str(total), "concat-part": str(number),
        "message-timestamp": f"{world.clock():%Y-%m-%d %H:%M:%S}",
    }  # fmt: skip
    return called(world, channel_id, WebhookRequest("GET", {}, b"", path=TOKEN, query=urlencode(fields).encode()))
