"""Job names and how to nudge a worker; the row is the promise, a nudge only saves waiting."""

from __future__ import annotations

import threading
from typing import Any, Protocol

import redis as redis_client

INBOX = "inbox"
REPLIES = "replies"
MEDIA = "media"
BROADCAST = "broadcast"

# In the order a worker serves them: a reply never waits behind a broadcast.
JOBS: dict[str, str] = {
    REPLIES: "bot.jobs.replies",
    INBOX: "bot.jobs.inbox",
    MEDIA: "bot.jobs.media_job",
    BROADCAST: "bot.jobs.broadcast",
}
JOB_TIMEOUT_SECONDS = 60
FLAG_SECONDS = 120


class Nudge(Protocol):
    """Tell workers that there is something to do."""

    def __call__(self, job: str) -> None:
        """Say it after the commit, never before; losing the word costs time, not work."""


class LocalNudge:
    """Wake the threads of this process."""

    def __init__(self) -> None:
        self.events = {job: threading.Event() for job in JOBS}

    def __call__(self, job: str) -> None:
        self.events[job].set()


class NoNudge:
    """Workers in other processes look by themselves every moment."""

    def __call__(self, job: str) -> None:
        """Say nothing."""


class RedisNudge:
    """Put one drain job into RQ, unless one is already waiting."""

    def __init__(self, url: str, prefix: str = "haichieu") -> None:
        self.connection: Any = redis_client.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=1)
        self.url = url
        self.prefix = prefix

    def flag(self, job: str) -> str:
        """The key that says: a drain of this kind is waiting already."""
        return f"{self.prefix}:drain:{job}"

    def queue_name(self, job: str) -> str:
        """The RQ queue of this job."""
        return f"{self.prefix}-{job}"

    def taken_up(self, job: str) -> None:
        """The waiting drain begins: rows that come from now on need a new one."""
        try:
            self.connection.delete(self.flag(job))
        except redis_client.RedisError:
            return

    def __call__(self, job: str) -> None:
        from rq import Queue
        from rq.serializers import JSONSerializer

        queue = Queue(self.queue_name(job), connection=self.connection, serializer=JSONSerializer)
        try:
            # A flag over an empty queue is of a worker that died between taking the drain and taking the flag down.
            with self.connection.pipeline(transaction=False) as both:
                is_first, waiting = both.set(self.flag(job), 1, nx=True, ex=FLAG_SECONDS).llen(queue.key).execute()
            if is_first or not waiting:
                queue.enqueue(JOBS[job], job_timeout=JOB_TIMEOUT_SECONDS, result_ttl=0, failure_ttl=7 * 86400)
        except redis_client.RedisError:
            return  # the clock finds the row; a missing Redis costs seconds, not work
