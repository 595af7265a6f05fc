"""Sessions with source systems: a token is kept sealed as long as it works, and fetched anew once when it does not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from sqlalchemy.orm import Session

from adapters.errors import TokenRejected
from adapters.exchange import Exchanging
from adapters.loudspeakers import Loudspeaking
from adapters.secret import Secret
from bot.runtime import Runtime, VaultError
from bot.usecases.tokens import channel_config
from storage.channels import Channel
from storage.database import insert_ignore
from storage.loudspeakers import SourceLink, link_row

T = TypeVar("T")

USUAL_SECONDS = 1_800
SPARE = timedelta(seconds=30)  # a call takes a while


def loudspeaking(runtime: Runtime, channel: Channel) -> Loudspeaking:
    """The adapter of a channel that speaks to villages. ValueError when it is another one."""
    adapter: object = runtime.adapters.get(channel.type)
    if not isinstance(adapter, Loudspeaking):
        raise ValueError(f"channel {channel.slug} does not speak to villages")
    return adapter


def offered(runtime: Runtime, channel: Channel, what: str) -> Exchanging | None:
    """The adapter of a channel whose system does this, one of `exchange.EXCHANGES`; None when it does not."""
    adapter: object = runtime.adapters.get(channel.type)
    try:
        does = isinstance(adapter, Exchanging) and adapter.offers(channel_config(runtime, channel), what)
    except (ValueError, VaultError):
        return None
    return adapter if isinstance(adapter, Exchanging) and does else None


def in_session(runtime: Runtime, channel: Channel, question: Callable[[Secret], T]) -> T:
    """Ask with the session there is; when the system wants another one, sign in and ask once more. Raises SendError."""
    token, is_fresh = _kept_token(runtime, channel), False
    if token is None:
        token, is_fresh = _sign_in(runtime, channel), True
    try:
        return question(token)
    except TokenRejected:
        if is_fresh:
            raise
        return question(_sign_in(runtime, channel))


def linked(session: Session, runtime: Runtime, channel: Channel) -> SourceLink:
    """Our side of the channel, made when it is first used."""
    row = link_row(session, channel.id)
    if row is None:
        values = {"commune_id": channel.commune_id, "channel_id": channel.id, "log_after": ""}
        insert_ignore(session, SourceLink, [{**values, "next_ask_at": runtime.now()}])
        row = link_row(session, channel.id)
    if row is None:
        raise LookupError(f"channel {channel.slug} has no link")
    return row


def _kept_token(runtime: Runtime, channel: Channel) -> Secret | None:
    with runtime.database.reading() as session:
        row = link_row(session, channel.id)
    if row is None or row.token is None or row.token_until is None or row.token_until - SPARE <= runtime.now():
        return None
    try:
        return Secret(runtime.vault.open(row.token))
    except VaultError:
        return None  # sealed with a key of before: another session is quickly had


def _sign_in(runtime: Runtime, channel: Channel) -> Secret:
    opened = loudspeaking(runtime, channel).log_in(runtime.http, channel_config(runtime, channel))
    until = runtime.now() + timedelta(seconds=opened.seconds or USUAL_SECONDS)
    with runtime.database.transaction(durable=False) as session:
        row = linked(session, runtime, channel)
        row.token, row.token_until = runtime.vault.seal(opened.token.reveal()), until
    return opened.token
