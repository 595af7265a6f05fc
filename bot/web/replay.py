"""Replay: put a recorded payload through the real door, signed with the channel's own secret."""

from __future__ import annotations

import io
import json
from typing import Any

import sqlalchemy as sa

from adapters import telegram, zalo_bot
from bot.runtime import Runtime
from bot.usecases import intake
from bot.usecases.setup import SetupError
from bot.web.door import Door
from bot.web.sandbox.wire import mac
from storage.channels import Channel
from storage.messages import InboundEvent

_SECRET_HEADERS = {"telegram": telegram.SECRET_HEADER, "zalo_bot": zalo_bot.SECRET_HEADER}


def replay(runtime: Runtime, slug: str, body: bytes, *, handle: bool) -> tuple[str, str]:
    """The door's status, and what became of the event in words. SetupError when there is no such channel."""
    with runtime.database.reading() as session:
        channel = session.scalar(sa.select(Channel).where(Channel.slug == slug))
        before = session.scalar(sa.select(sa.func.max(InboundEvent.id))) or 0
    if channel is None:
        raise SetupError(f"no channel {slug!r}; see: haichieu channel list")
    secrets = json.loads(runtime.vault.open(channel.secrets))
    if channel.type == "sms":
        status = _call(runtime, slug, body, secrets.get("callback_token", ""))
    else:
        status = post(runtime, slug, body, _signed(runtime, channel, body))
    if handle:
        while intake.drain_batch(runtime):
            pass
    with runtime.database.reading() as session:
        row = session.scalar(sa.select(InboundEvent).where(InboundEvent.id > before).order_by(InboundEvent.id))
    if row is None:
        return status, "nothing new was kept (a repeat, a probe, or refused)"
    return status, f"{row.id} {row.event_name}: {row.state.value} {row.outcome or ''}".rstrip()


def _signed(runtime: Runtime, channel: Channel, body: bytes) -> dict[str, str]:
    """The header by which the door knows that the channel itself has sent this."""
    secrets = json.loads(runtime.vault.open(channel.secrets))
    if header := _SECRET_HEADERS.get(channel.type):
        return {header: secrets.get("webhook_secret", "")}
    signature = mac(str(channel.settings.get("app_id", "")), body, _timestamp(body), secrets.get("oa_secret", ""))
    return {"x-zevent-signature": f"mac={signature}"}


def _call(runtime: Runtime, slug: str, recording: bytes, token: str) -> str:
    """A provider's call written down as JSON: method, query, headers, body, what followed the secret."""
    try:
        data = json.loads(recording)
        kind = str(data.get("path", "")).partition("/")[2]
        more = {
            "REQUEST_METHOD": str(data["method"]),
            "PATH_INFO": f"/webhooks/{slug}/{token}/{kind}".rstrip("/"),
            "QUERY_STRING": str(data.get("query", "")),
            "CONTENT_TYPE": str(data.get("headers", {}).get("content-type", "")),
        }
        return post(runtime, slug, str(data.get("body", "")).encode(), {}, **more)
    except (ValueError, KeyError, AttributeError):
        raise SetupError('an SMS recording is JSON such as {"method": "GET", "query": "from=…"}') from None


def post(runtime: Runtime, slug: str, body: bytes, headers: dict[str, str], **more: str) -> str:
    """Knock at the door of this process; gives its status line. `more`: what the request says otherwise."""
    door = Door(runtime, lambda _environ, _start: [])
    answered: list[str] = []

    def start(status: str, _headers: list[tuple[str, str]], _error: Any = None) -> Any:
        answered.append(status)

    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": f"/webhooks/{slug}",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "REMOTE_ADDR": "127.0.0.1",
        **more,
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
    }
    try:
        list(door(environ, start))
    finally:
        door.close()
    return answered[0]


def _timestamp(body: bytes) -> str:
    try:
        data = json.loads(body, parse_int=str)
    except ValueError:
        return ""
    return str(data.get("timestamp", "")) if isinstance(data, dict) else ""
