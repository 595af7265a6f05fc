"""Tokens of a channel account: one writer at a time, both tokens kept before either is used."""

from __future__ import annotations

import secrets as random_secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog

from adapters.base import Consenting, StandingToken
from adapters.errors import TokenRefreshFailed
from adapters.messages import Tokens
from adapters.secret import Secret
from bot.runtime import Runtime
from storage.channels import Channel, ChannelToken
from storage.enums import TokenState

log = structlog.get_logger()

REFRESH_BEFORE = timedelta(hours=5)
LEASE = timedelta(seconds=45)  # longer than the longest HTTP call
PAUSE = timedelta(seconds=30)  # after a refresh that failed for now: sends must not queue up behind each new attempt


class NoToken(Exception):
    """The account has no usable token; an operator must authorise it again."""


@dataclass(frozen=True)
class Access:
    """An access token, and which generation it is."""

    token: Secret
    generation: int


def channel_config(runtime: Runtime, channel: Channel) -> Any:
    """The adapter's typed configuration of this channel, secrets opened."""
    import json

    adapter = runtime.adapters[channel.type]
    return adapter.config(dict(channel.settings), json.loads(runtime.vault.open(channel.secrets)))


def access_for(runtime: Runtime, channel: Channel, *, rejected_generation: int | None = None) -> Access:
    """A working access token. `rejected_generation`: the channel refused this one, so get a newer one.

    Raises NoToken when only a person can help, and TokenRefreshFailed when trying again later may.
    """
    adapter = runtime.adapters[channel.type]
    if isinstance(adapter, StandingToken):
        if rejected_generation is not None:
            raise NoToken(f"channel {channel.slug}: its token is not accepted")
        return Access(adapter.standing_token(channel_config(runtime, channel)), generation=0)
    with runtime.database.reading() as session:
        row = session.scalar(sa.select(ChannelToken).where(ChannelToken.channel_id == channel.id))
    if row is None:
        raise NoToken(f"channel {channel.slug}: never authorised")
    now = runtime.now()
    is_rejected = rejected_generation is not None and row.generation == rejected_generation
    if not is_rejected and row.expires_at - now > REFRESH_BEFORE:
        return _access(runtime, row)
    if row.state is TokenState.NEEDS_CONSENT:
        if is_rejected or row.expires_at <= now:
            raise NoToken(f"channel {channel.slug}: needs consent")
        return _access(runtime, row)
    try:
        fresh = _refresh(runtime, channel, row, now)
    except TokenRefreshFailed as error:
        if not is_rejected and row.expires_at > now:
            return _access(runtime, row)  # the token we have works until its own end, while people act
        if error.needs_consent:
            raise NoToken(f"channel {channel.slug}: {error.code}") from None
        raise
    if fresh is not None:
        return fresh
    if not is_rejected and row.expires_at > now:
        return _access(runtime, row)
    raise TokenRefreshFailed("refresh_elsewhere", needs_consent=False)


def keep_first_tokens(runtime: Runtime, channel: Channel, tokens: Tokens) -> None:
    """Store the pair that an administrator's consent gave, replacing whatever was there."""
    now = runtime.now()
    with runtime.database.transaction() as session:
        row = session.scalar(sa.select(ChannelToken).where(ChannelToken.channel_id == channel.id))
        if row is None:
            row = ChannelToken(commune_id=channel.commune_id, channel_id=channel.id, generation=0)
            session.add(row)
        row.access = runtime.vault.seal(tokens.access)
        row.refresh = runtime.vault.seal(tokens.refresh)
        row.previous_refresh = None
        row.expires_at = tokens.expires_at
        row.generation += 1
        row.state = TokenState.OK
        row.refreshed_at = now
        row.lease_id = row.lease_until = row.last_error = None


def _refresh(runtime: Runtime, channel: Channel, row: ChannelToken, now: datetime) -> Access | None:
    lease = random_secrets.token_hex(16)
    with runtime.database.transaction() as session:
        won = session.execute(
            sa.update(ChannelToken)
            .where(
                ChannelToken.id == row.id,
                ChannelToken.generation == row.generation,
                sa.or_(ChannelToken.lease_until.is_(None), ChannelToken.lease_until < now),
            )
            .values(lease_id=lease, lease_until=now + LEASE)
        )
        if won.rowcount != 1:  # type: ignore[attr-defined]
            return None
    adapter = runtime.adapters[channel.type]
    if not isinstance(adapter, Consenting):
        raise NoToken(f"channel {channel.slug}: nothing renews its token")
    try:
        tokens = adapter.refresh(
            runtime.http, channel_config(runtime, channel), Secret(runtime.vault.open(row.refresh))
        )
    except TokenRefreshFailed as error:
        _give_up(runtime, channel, row, lease, error)
        raise
    return _keep(runtime, channel, row, tokens)


def _keep(runtime: Runtime, channel: Channel, row: ChannelToken, tokens: Tokens) -> Access:
    with runtime.database.transaction() as session:
        session.execute(
            sa.update(ChannelToken)
            .where(ChannelToken.id == row.id)
            .values(
                access=runtime.vault.seal(tokens.access),
                refresh=runtime.vault.seal(tokens.refresh),
                previous_refresh=row.refresh,
                expires_at=tokens.expires_at,
                generation=row.generation + 1,
                state=TokenState.OK,
                refreshed_at=runtime.now(),
                lease_id=None,
                lease_until=None,
                last_error=None,
            )
        )
    log.info("token.refreshed", channel=channel.slug, generation=row.generation + 1)
    return Access(Secret(tokens.access), row.generation + 1)


def _give_up(runtime: Runtime, channel: Channel, row: ChannelToken, lease: str, error: TokenRefreshFailed) -> None:
    state = TokenState.NEEDS_CONSENT if error.needs_consent else row.state
    pause_until = None if error.needs_consent else runtime.now() + PAUSE
    with runtime.database.transaction() as session:
        session.execute(
            sa.update(ChannelToken)
            .where(ChannelToken.id == row.id, ChannelToken.lease_id == lease)
            .values(state=state, lease_id=None, lease_until=pause_until, last_error=error.code)
        )
    log.error("token.refresh_failed", channel=channel.slug, code=error.code, needs_consent=error.needs_consent)


def _access(runtime: Runtime, row: ChannelToken) -> Access:
    return Access(Secret(runtime.vault.open(row.access)), row.generation)
