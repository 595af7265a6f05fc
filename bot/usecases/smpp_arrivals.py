"""What comes in over an SMPP link: stored in batches by a thread beside the link, acknowledged when it is durable."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import sqlalchemy as sa

from adapters.messages import Envelope
from adapters.smpp import REPEATS
from bot.queue import INBOX
from bot.runtime import Runtime
from storage.channels import Channel
from storage.ingest import Ingest, NewEvent
from storage.messages import InboundEvent


@dataclass
class Arrivals:
    """Citizens' messages and receipts of one link; a word in a message may name another commune on the same number."""

    runtime: Runtime
    channel: Channel
    _news: list[tuple[NewEvent, str]] = field(default_factory=list)
    _ingest: Ingest | None = None
    _clerk: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="smpp-arrivals")
    )

    def hear(self, envelope: Envelope, *, earlier: str = "") -> None:
        """This came; it is not durable yet. `earlier`: the key it would have had a little while ago."""
        channel, now = self._owner(envelope.account), self.runtime.now()
        event = NewEvent(
            channel.commune_id,
            channel.id,
            envelope.key,
            envelope.event_name[:80],
            envelope.conversation[:200],
            envelope.body or b"",
            now,
            now,
        )
        self._news.append((event, earlier))

    def keep(self) -> Future[None]:
        """Have all that was heard stored; done when it is durable, failed when it is not."""
        news, self._news = self._news, []
        return self._clerk.submit(self._write, news)

    def close(self) -> None:
        """Store what is in hand and end the thread."""
        self._clerk.shutdown()
        if self._ingest is not None:
            self._ingest.close()

    def _write(self, news: list[tuple[NewEvent, str]]) -> None:
        if self._ingest is None:
            self._ingest = Ingest(self.runtime.database)
        self._ingest.write(self._as_first_heard(news), {})
        self.runtime.nudge(INBOX)

    def _as_first_heard(self, news: list[tuple[NewEvent, str]]) -> list[NewEvent]:
        """What the SMSC repeats across the turn of a key keeps the key under which it was stored a moment ago."""
        asked = {earlier for event, earlier in news if earlier not in {"", event.key}}
        if not asked:
            return [event for event, _ in news]
        query = sa.select(InboundEvent.channel_id, InboundEvent.key).where(
            InboundEvent.channel_id.in_({event.channel_id for event, _ in news}),
            InboundEvent.key.in_(asked),
            InboundEvent.received_at > min(event.received_at for event, _ in news) - REPEATS,
        )
        with self.runtime.database.reading() as session:
            known = set(session.execute(query).tuples())
        return [replace(e, key=earlier) if (e.channel_id, earlier) in known else e for e, earlier in news]

    def _owner(self, account: str) -> Channel:
        if account == self.channel.account:
            return self.channel
        with self.runtime.database.reading() as session:
            query = sa.select(Channel).where(
                Channel.type == self.channel.type, Channel.account == account, Channel.is_active
            )
            return session.scalar(query) or self.channel
