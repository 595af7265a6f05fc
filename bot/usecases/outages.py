"""Outages: an official or an operator has a channel asked for what was said while it could not bring it."""

from __future__ import annotations

import time
from datetime import timedelta

import sqlalchemy as sa

from bot.runtime import Runtime
from bot.texts import moment
from bot.usecases import catching_up
from bot.usecases.channels import ChannelProblem, find
from bot.usecases.setup import SetupError
from storage.audit import AuditEntry
from storage.catching_up import CatchUp
from storage.channels import Channel
from storage.enums import CatchUpState
from storage.officials import Official

HOURS = (2, 24, 72, 168)  # how far back an official may ask; the channel's own window is the longest
LONGEST_HOURS = HOURS[-1]


def ask(runtime: Runtime, official: Official, channel_id: int, hours: int) -> None:
    """An official has messages of the last hours fetched; ChannelProblem, NoSuchChannel."""
    seen = find(runtime, official, channel_id)
    if not seen.can_catch_up:
        raise ChannelProblem("Kênh này không cho hỏi lại tin cũ.")
    if hours not in HOURS:
        raise ChannelProblem("Vui lòng chọn khoảng thời gian trong danh sách.")
    if seen.needs_consent:
        raise ChannelProblem("Kênh chưa được cấp quyền nên chưa hỏi lại tin được. Vui lòng bấm Cấp quyền lại trước.")
    since = runtime.now() - timedelta(hours=hours)
    catching_up.begin(runtime, seen.channel, since=since, official_id=official.id)
    with runtime.database.transaction() as session:
        session.add(
            AuditEntry(
                commune_id=official.commune_id,
                official_id=official.id,
                at=runtime.now(),
                action="channel.catch_up_asked",
                target=f"channel:{channel_id}",
                data={"hours": hours},
            )
        )


def catch_up_now(runtime: Runtime, slug: str, hours: int, *, patience_seconds: float = 120.0) -> CatchUp:
    """An operator has messages of the last hours fetched and waits for it; SetupError."""
    if not 1 <= hours <= LONGEST_HOURS:
        raise SetupError(f"--hours must be from 1 to {LONGEST_HOURS}")
    with runtime.database.reading() as session:
        channel = session.scalar(sa.select(Channel).where(Channel.slug == slug))
    if channel is None:
        raise SetupError(f"no channel {slug!r}; see: haichieu channel list")
    if not catching_up.can_catch_up(runtime, channel):
        raise SetupError(f"channel {slug}: a {channel.type} channel cannot be asked what was said")
    number = catching_up.begin(runtime, channel, since=runtime.now() - timedelta(hours=hours))
    end = time.monotonic() + patience_seconds
    while True:
        asked = catching_up.go_on(runtime, number, end)
        with runtime.database.reading() as session:
            row = session.get_one(CatchUp, number)
        if row.state is not CatchUpState.WAITING or row.error or time.monotonic() >= end:
            return row
        if not asked:
            time.sleep(0.2)  # a worker has it in hand


def in_words(row: CatchUp) -> str:
    """What became of a catch-up, for a terminal."""
    found = f"{row.said} messages of citizens and {row.echoes} of ours were missing"
    if row.first_at and row.last_at:
        found += f", said from {moment(row.first_at)} to {moment(row.last_at)}"
    if row.unshown:
        found += f"; {len(row.unshown)} that Zalo does not show again"
    if row.state is CatchUpState.DONE:
        return f"done: {found}"
    if row.state is CatchUpState.STOPPED:
        return f"stopped ({row.error}): {found}. {row.reason or ''}".strip()
    why = f" ({row.error})" if row.error else ""
    return f"not finished{why}: {found}. The workers go on at {moment(row.next_try_at)}."
