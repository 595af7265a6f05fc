"""Connecting: a channel whose account can be told where to bring events is told so by us, from its token alone."""

from __future__ import annotations

import secrets as random_secrets
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
import structlog

from adapters.base import Adapter, Fetching
from adapters.errors import SendError
from bot.runtime import Runtime
from bot.usecases.polling import is_asked
from bot.usecases.setup import SetupError
from bot.usecases.tokens import channel_config
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


def connect(runtime: Runtime, slug: str) -> Connected:
    """Tell the channel where to bring events, or that we ask for them; safe to repeat. SetupError."""
    with runtime.database.reading() as session:
        channel = session.scalar(sa.select(Channel).where(Channel.slug == slug))
    if channel is None:
        raise SetupError(f"no channel {slug!r}; see: haichieu channel list")
    adapter: object = runtime.adapters.get(channel.type)
    if not isinstance(adapter, Fetching):
        raise SetupError(f"channel {slug}: a {channel.type} channel is told its address in the channel's own console")
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
