"""Asking source systems for bulletins from above, page by page; where it stands moves after the rows are durable."""

from __future__ import annotations

from functools import partial

import sqlalchemy as sa
import structlog

from adapters.exchange import NOTICES, Exchanging, Notices
from adapters.secret import Secret
from bot.runtime import Runtime
from bot.usecases.from_above import take_in
from bot.usecases.source_sessions import in_session, offered
from bot.usecases.tokens import channel_config
from storage.channels import Channel
from storage.loudspeakers import SourceLink

log = structlog.get_logger()

MOST_PAGES = 20


def listen(runtime: Runtime, channel: Channel, link: SourceLink) -> None:
    """Take in what was handed down since. Raises SendError."""
    adapter = offered(runtime, channel, NOTICES)
    if adapter is None:
        return
    after = link.notices_after
    for _ in range(MOST_PAGES):
        page = in_session(runtime, channel, partial(_page, runtime, adapter, channel, after))
        take_in(runtime, channel, page.notices)
        after = page.after
        mine = sa.update(SourceLink).where(SourceLink.channel_id == channel.id)
        with runtime.database.transaction() as session:
            session.execute(mine.values(notices_after=after[:120]))
        if page.unread:
            log.warning("notices.unread", channel=channel.slug, notices=page.unread)
        if page.is_all:
            break


def _page(runtime: Runtime, adapter: Exchanging, channel: Channel, after: str, token: Secret) -> Notices:
    return adapter.notices(runtime.http, channel_config(runtime, channel), token, after)
