"""Connecting: a channel whose account can be told where to bring events is told so by us, from its token alone."""

from __future__ import annotations

import json
import secrets as random_secrets
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
import structlog

from adapters.base import Adapter, Fetching
from adapters.errors import SendError
from bot.queue import BROADCAST, REPLIES
from bot.runtime import Runtime
from bot.usecases.polling import is_asked
from bot.usecases.setup import SetupError
from bot.usecases.tokens import channel_config
from storage.audit import AuditEntry
from storage.channels import Channel

log = structlog.get_logger()


@dataclass(frozen=True)
class Connected:
    """How events come from now on: to `url`, or by asking when it is empty."""

    url: str


def completed(
    runtime: Runtime, adapter: Adapter, settings: dict[str, Any], secrets: dict[str, str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Settings and secrets with what the account says of itself and what we make up; SetupError if it says no."""
    named: object = adapter
    if not isinstance(named, Fetching):
        return settings, secrets
    secrets = {"webhook_secret": random_secrets.token_urlsafe(32), **secrets}
    try:
        config = adapter.config(settings, secrets)
    except ValueError as error:
        raise SetupError(str(error)) from None
    try:
        account = named.account_of(runtime.http, config)
    except SendError as error:
        raise SetupError(f"{adapter.type}: the account could not be asked ({error.code}): {error.shown}") from None
    if account.id != config.account:
        raise SetupError(f"{adapter.type}: the token says it is of {config.account}, the channel says {account.id}")
    return {**settings, "username": account.name}, secrets


def replace_token(runtime: Runtime, slug: str, token: str) -> Connected:
    """Put a new token in place of one that was taken back, connect again and send what waits. SetupError."""
    channel, adapter = _named(runtime, slug)
    settings, secrets = completed(
        runtime,
        runtime.adapters[channel.type],
        dict(channel.settings),
        {**json.loads(runtime.vault.open(channel.secrets)), "token": token},
    )
    account = adapter.account_of(runtime.http, runtime.adapters[channel.type].config(settings, secrets))
    if account.id != channel.account:
        raise SetupError(f"channel {slug}: the token is of {account.id}, not of this channel's {channel.account}")
    with runtime.database.transaction() as session:
        row = session.get_one(Channel, channel.id, with_for_update=True)
        row.settings, row.secrets = settings, runtime.vault.seal(json.dumps(secrets))
        row.paused_at = row.paused_reason = row.hold_until = None
        session.add(
            AuditEntry(
                commune_id=row.commune_id,
                at=runtime.now(),
                action="channel.token_replaced",
                target=f"channel:{row.id}",
                data={},
            )
        )
    for job in (REPLIES, BROADCAST):
        runtime.nudge(job)
    return connect(runtime, slug)


def connect(runtime: Runtime, slug: str) -> Connected:
    """Tell the channel where to bring events, or that we ask for them; safe to repeat. SetupError."""
    channel, adapter = _named(runtime, slug)
    config = channel_config(runtime, channel)
    url = "" if is_asked(runtime, channel, config) else f"{runtime.settings.base_url}/webhooks/{slug}"
    try:
        adapter.bring(runtime.http, config, url)
    except SendError as error:
        raise SetupError(
            f"channel {slug}: the account did not take our address ({error.code}): {error.shown} "
            f"Nothing is lost; run again: haichieu channel connect {slug}"
        ) from None
    log.info("channel.connected", channel=slug, by="webhook" if url else "polling")
    return Connected(url)


def _named(runtime: Runtime, slug: str) -> tuple[Channel, Fetching]:
    with runtime.database.reading() as session:
        channel = session.scalar(sa.select(Channel).where(Channel.slug == slug))
    if channel is None:
        raise SetupError(f"no channel {slug!r}; see: haichieu channel list")
    adapter: object = runtime.adapters.get(channel.type)
    if not isinstance(adapter, Fetching):
        raise SetupError(f"channel {slug}: a {channel.type} channel is told its address in the channel's own console")
    return channel, adapter
