"""Jobs: what a worker does when nudged; threads of one process, or RQ on Redis, behind the same few drains."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from types import FrameType
from typing import Any

import redis
import structlog

from bot.config import Settings
from bot.queue import BROADCAST, INBOX, JOBS, MEDIA, REPLIES, LocalNudge, RedisNudge
from bot.runtime import Runtime
from bot.usecases import (
    articles,
    catching_up,
    comparing,
    erasing,
    holidays,
    intake,
    media,
    playing,
    presence,
    retention,
    sealed_files,
    silence,
    source_feedback,
    source_listening,
    source_reports,
    source_sending,
    sweep,
    weekly,
)
from bot.usecases.announcements import expand_due
from bot.usecases.broadcast import is_alarm_out
from bot.usecases.polling import Pollers
from bot.usecases.sending import MANY, PERSONAL, send_due

log = structlog.get_logger()

POLL_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
SESSIONS_EVERY_SECONDS = 3_600.0
MEDIA_SECONDS = 20.0  # with the longest recording after it a job still ends in time

Drain = Callable[[Runtime], int]

# While the database writes down whom we owe, an emergency already goes out.
_expanding = ThreadPoolExecutor(max_workers=1, thread_name_prefix="expand")


def _drain_broadcast(runtime: Runtime) -> int:
    # Short slices: where one worker serves all jobs, a reply waits no longer than one of them.
    # Loudspeakers first: theirs is what cannot wait.
    did = source_sending.run_due(runtime, budget_seconds=1.0)
    if runtime.database.is_sqlite:  # there is one writer: who sends would only wait for who writes down
        did += expand_due(runtime, budget_seconds=1.0) + send_due(runtime, MANY, budget_seconds=1.0)
    else:
        did += _expand_and_send(runtime)
    return did + articles.run_due(runtime, budget_seconds=1.0)


def _expand_and_send(runtime: Runtime) -> int:
    """Write down whom we owe, and send. Where there is much to write that comes first: sending a message costs as much
    as writing down hundreds, and an ordinary announcement can wait for that minute. An emergency waits for nothing.
    """
    owed, sent = _expanding.submit(expand_due, runtime, budget_seconds=1.0), 0
    wait([owed], timeout=0.05)
    if not owed.done() and is_alarm_out(runtime):
        sent = send_due(runtime, MANY, budget_seconds=0.5)
    written = owed.result()
    return written + sent + (0 if written else send_due(runtime, MANY, budget_seconds=1.0))


def _drain_media(runtime: Runtime) -> int:
    # Erasing first: somebody asked for it. What was fetched is then made playable, the next time if this took long.
    end = time.monotonic() + MEDIA_SECONDS
    did = (
        sealed_files.settle_due(runtime) + erasing.erase_let_go(runtime) + media.fetch_due(runtime, budget_seconds=5.0)
    )
    did += catching_up.run_due(runtime, budget_seconds=5.0) + source_listening.ask_due(runtime, budget_seconds=5.0)
    did += source_feedback.tell_due(runtime, budget_seconds=2.0) + source_reports.hand_in_due(runtime)
    return did + (playing.make_playable_due(runtime, budget_seconds=5.0) if time.monotonic() < end else 0)


def _drain_inbox(runtime: Runtime) -> int:
    return intake.drain(runtime, budget_seconds=5.0) + comparing.compare_due(runtime)


DRAINS: dict[str, Drain] = {
    REPLIES: lambda runtime: send_due(runtime, PERSONAL, budget_seconds=5.0),
    INBOX: _drain_inbox,
    MEDIA: _drain_media,
    BROADCAST: _drain_broadcast,
}


class Engine:
    """Worker threads of this process: one for each job, woken by a nudge and looking by themselves every second."""

    def __init__(self, runtime: Runtime, jobs: Sequence[str] = tuple(JOBS), *, with_clock: bool = True) -> None:
        self._runtime = runtime
        self._stopping = threading.Event()
        self._reads = INBOX in jobs
        self._pollers = Pollers(runtime) if INBOX in jobs else None
        self._wakes = runtime.nudge.events if isinstance(runtime.nudge, LocalNudge) else {}
        self._threads = [
            threading.Thread(target=self._work, args=(job,), name=f"work-{job}", daemon=True) for job in jobs
        ]
        if with_clock:
            self._threads.append(threading.Thread(target=self._tick, name="clock", daemon=True))

    def start(self) -> None:
        """Get the reader ready, so that the first message does not wait for it, and begin to work."""
        if self._reads:
            self._runtime.warm_up()
        for thread in self._threads:
            thread.start()
        if self._pollers:
            self._pollers.start()

    def stop(self, timeout: float = 20.0) -> None:
        """Finish what is in hand and end; what is not begun waits for the next start."""
        self._stopping.set()
        if self._pollers:
            self._pollers.stop()
        for wake in self._wakes.values():
            wake.set()
        end = time.monotonic() + timeout
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.1, end - time.monotonic()))

    def _work(self, job: str) -> None:
        wake = self._wakes.get(job) or threading.Event()
        failures = 0
        while not self._stopping.is_set():
            wake.clear()
            try:
                did = DRAINS[job](self._runtime)
                failures = 0
            except Exception as error:
                failures += 1
                log.exception("job.failed", job=job, error=type(error).__name__, failures=failures)
                self._stopping.wait(min(LONGEST_PAUSE_SECONDS, 0.5 * 2**failures))
                continue
            if not did:
                wake.wait(POLL_SECONDS)

    def _tick(self) -> None:
        run_clock(self._runtime, self._stopping)


def run_clock(runtime: Runtime, stopping: threading.Event) -> None:
    """Sweep every few seconds until told to stop; a failing sweep is tried again."""
    forgotten_at = float("-inf")
    while not stopping.wait(sweep.EVERY_SECONDS):
        try:
            sweep.sweep(runtime)
            if time.monotonic() - forgotten_at > SESSIONS_EVERY_SECONDS:
                sweep.forget_old_sessions(runtime)
                presence.forget_gone(runtime)
                catching_up.begin_where_quiet(runtime)
                silence.call_for_silent(runtime)
                weekly.call_for_week(runtime)
                source_reports.file_due(runtime)
                holidays.fill_ahead(runtime)
                retention.begin_due(runtime)
                erasing.erase_unnamed(runtime)
                forgotten_at = time.monotonic()
        except Exception as error:
            log.exception("clock.failed", error=type(error).__name__)


# ---- RQ ------------------------------------------------------------------------------------------------------------

_runtime: Runtime | None = None


def _shared_runtime() -> Runtime:
    global _runtime  # noqa: PLW0603 - one per worker process, built when the first job comes
    if _runtime is None:
        _runtime = Runtime.build(Settings.from_env(os.environ))
    return _runtime


def _run(job: str) -> None:
    runtime = _shared_runtime()
    if isinstance(runtime.nudge, RedisNudge):
        runtime.nudge.taken_up(job)  # before looking: a row that comes while we look rings again
    if DRAINS[job](runtime):
        runtime.nudge(job)


def replies() -> None:
    """Send answers and acknowledgements that are due."""
    _run(REPLIES)


def inbox() -> None:
    """Handle events that are waiting."""
    _run(INBOX)


def media_job() -> None:
    """Fetch what channels hold for us: attachments, and messages that they could not bring."""
    _run(MEDIA)


def broadcast() -> None:
    """Prepare and send announcements."""
    _run(BROADCAST)


def work_on_redis(runtime: Runtime, jobs: Sequence[str]) -> None:
    """Serve these jobs until SIGTERM; while Redis is away, look into the database instead."""
    global _runtime  # noqa: PLW0603 - see _shared_runtime
    _runtime = runtime
    nudge = runtime.nudge
    if not isinstance(nudge, RedisNudge):
        raise TypeError("work_on_redis needs a runtime with HAICHIEU_REDIS_URL")
    pollers = Pollers(runtime) if INBOX in jobs else None
    if pollers:
        pollers.start()
    try:
        _serve_redis(runtime, nudge, jobs)
    finally:
        if pollers:
            pollers.stop()


def _serve_redis(runtime: Runtime, nudge: RedisNudge, jobs: Sequence[str]) -> None:
    stopping = threading.Event()
    _stop_on_signals(stopping)
    while not stopping.is_set():
        try:
            worker = _rq_worker(nudge, jobs)
            worker.work(logging_level="WARNING", max_jobs=10_000, with_scheduler=False)
            if worker.should_stop:
                return
        except (redis.RedisError, OSError) as error:
            log.warning("worker.redis_away", error=type(error).__name__)
        _work_without_redis(runtime, jobs, stopping)


def _rq_worker(nudge: RedisNudge, jobs: Sequence[str]) -> Any:
    from rq import SimpleWorker
    from rq.serializers import JSONSerializer

    connection = redis.Redis.from_url(nudge.url, socket_connect_timeout=2)
    connection.ping()
    return SimpleWorker(
        [nudge.queue_name(job) for job in jobs],
        connection=connection,
        serializer=JSONSerializer,
        worker_ttl=60,
        maintenance_interval=60,
        log_job_description=False,
    )


def _work_without_redis(runtime: Runtime, jobs: Sequence[str], stopping: threading.Event) -> None:
    """One look at the database for each job, then a short rest: Redis is tried again afterwards."""
    for job in jobs:
        try:
            DRAINS[job](runtime)
        except Exception as error:
            log.exception("job.failed", job=job, error=type(error).__name__)
    stopping.wait(POLL_SECONDS)


def _stop_on_signals(stopping: threading.Event) -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
