"""Work engines: rows are the truth, a nudge only saves waiting, and nothing is lost without it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot import jobs
from bot.jobs import Engine
from bot.queue import INBOX, JOBS, LocalNudge, NoNudge, RedisNudge
from bot.runtime import Runtime
from bot.usecases import sweep
from bot.usecases.announcements import expand_due
from storage.deliveries import Delivery
from storage.enums import DeliveryState, Importance, InboundState
from storage.messages import InboundEvent, Message
from tests.builders import World, all_rows
from tests.servers import redis_or_skip
from tests.usecases.bulletins import approved
from tests.usecases.telling import Phone, followers, phone

__all__ = ["phone"]


def wait_for(is_true: Callable[[], object], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def states(world: World) -> list[InboundState]:
    return [row.state for row in all_rows(world.runtime, InboundEvent)]


@pytest.fixture
def redis_nudge() -> Iterator[RedisNudge]:
    """A nudge through a real Redis under names of its own."""
    nudge = RedisNudge(redis_or_skip(7), prefix=f"test-{os.getpid()}-{time.time_ns()}")
    yield nudge
    for key in nudge.connection.scan_iter(f"*{nudge.prefix}*"):
        nudge.connection.delete(key)


def test_every_job_is_a_function_that_exists_with_a_worker_that_listens() -> None:
    procfile = (Path(__file__).parents[1] / "Procfile").read_text()
    words = set(procfile.split())
    for job, path in JOBS.items():
        module, _, name = path.rpartition(".")
        assert module == "bot.jobs"
        assert callable(getattr(jobs, name))
        assert job in jobs.DRAINS
        assert job in words, f"no worker in the Procfile listens to {job}"


def test_a_nudged_thread_handles_a_waiting_event_at_once(world: World) -> None:
    runtime = replace(world.runtime, nudge=LocalNudge())
    engine = Engine(runtime, [INBOX], with_clock=False)
    engine.start()
    try:
        world.says("đường vào xóm 5 ổ gà nhiều quá")
        runtime.nudge(INBOX)
        wait_for(lambda: states(world) == [InboundState.DONE])
    finally:
        engine.stop()
    assert len(all_rows(runtime, Message)) == 3  # the report, our acknowledgement, and that it is lunch time


def test_a_thread_finds_an_event_that_nobody_nudged_for(world: World) -> None:
    engine = Engine(replace(world.runtime, nudge=NoNudge()), [INBOX], with_clock=False)
    engine.start()
    try:
        world.says("rác không ai dọn")
        wait_for(lambda: states(world) == [InboundState.DONE], 5)
    finally:
        engine.stop()


def test_a_job_that_breaks_is_tried_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []

    def breaks_once(_runtime: Runtime) -> int:
        tries.append(1)
        if len(tries) == 1:
            raise OSError("for a moment")
        return 0

    monkeypatch.setitem(jobs.DRAINS, INBOX, breaks_once)
    engine = Engine(replace(world.runtime, nudge=NoNudge()), [INBOX], with_clock=False)
    engine.start()
    try:
        wait_for(lambda: len(tries) > 1)
    finally:
        engine.stop()


def test_the_sweep_nudges_for_rows_that_nobody_has_touched(world: World) -> None:
    world.says("đèn đường hỏng")
    assert sweep.sweep(world.runtime) == [INBOX]
    assert world.runtime.nudge.jobs[-1:] == [INBOX]  # type: ignore[attr-defined]


def test_the_sweep_is_silent_when_nothing_waits(world: World) -> None:
    assert sweep.sweep(world.runtime) == []


def test_taking_over_marks_what_was_being_sent_as_unknown(world: World) -> None:
    from bot.usecases import intake

    world.says("đèn đường hỏng")
    intake.drain(world.runtime)
    with world.runtime.database.transaction() as session:
        session.execute(Delivery.__table__.update().values(state="sending", lease_id="dead"))
    sweep.take_over(world.runtime)
    assert {row.state for row in all_rows(world.runtime, Delivery)} == {DeliveryState.UNKNOWN}


@pytest.mark.redis
def test_at_most_one_drain_waits_in_redis_however_often_we_nudge(redis_nudge: RedisNudge) -> None:
    for _ in range(50):
        redis_nudge(INBOX)
    assert redis_nudge.connection.llen(f"rq:queue:{redis_nudge.queue_name(INBOX)}") == 1
    redis_nudge.taken_up(INBOX)
    redis_nudge(INBOX)
    assert redis_nudge.connection.llen(f"rq:queue:{redis_nudge.queue_name(INBOX)}") == 2


@pytest.mark.redis
def test_a_worker_that_died_with_the_drain_in_its_hand_silences_nobody(redis_nudge: RedisNudge) -> None:
    queue = f"rq:queue:{redis_nudge.queue_name(INBOX)}"
    redis_nudge(INBOX)
    redis_nudge.connection.lmove(queue, f"{queue}:intermediate")  # as RQ takes it; then kill -9
    redis_nudge(INBOX)
    assert redis_nudge.connection.llen(queue) == 1


@pytest.mark.redis
def test_an_rq_worker_handles_what_a_nudge_announced(
    world: World, redis_nudge: RedisNudge, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = replace(world.runtime, nudge=redis_nudge)
    monkeypatch.setattr(jobs, "_runtime", runtime)
    world.says("đường vào xóm 5 ổ gà nhiều quá")
    redis_nudge(INBOX)
    worker = jobs._rq_worker(redis_nudge, [INBOX])
    worker.work(burst=True, logging_level="ERROR")
    assert states(world) == [InboundState.DONE]


def test_a_redis_that_is_away_costs_time_not_work(world: World) -> None:
    runtime = replace(world.runtime, nudge=RedisNudge("redis://127.0.0.1:9"))
    runtime.nudge(INBOX)  # nobody listens there, and nothing is raised
    world.says("nước đục")
    stopping = threading.Event()
    stopping.set()
    jobs._work_without_redis(runtime, [INBOX], stopping)
    assert states(world) == [InboundState.DONE]


@pytest.mark.parametrize(("importance", "sent"), [(Importance.ROUTINE, 0), (Importance.EMERGENCY, 2)])
def test_while_much_is_written_down_only_an_emergency_goes_out(
    world: World, phone: Phone, monkeypatch: pytest.MonkeyPatch, importance: Importance, sent: int
) -> None:
    followers(world, 2)
    approved(world, importance=importance)
    expand_due(world.runtime)
    with world.runtime.database.transaction() as session:
        session.execute(sa.text("UPDATE channels SET rate_per_second = 5000"))
    before, is_written = len(phone.sent), threading.Event()

    def slowly(_runtime: Runtime, budget_seconds: float) -> int:
        assert budget_seconds <= 1.0
        is_written.wait(0.3)
        return 1_000

    monkeypatch.setattr(jobs, "expand_due", slowly)
    jobs._expand_and_send(world.runtime)
    assert len(phone.sent) == before + sent
    monkeypatch.setattr(jobs, "expand_due", lambda _runtime, budget_seconds: 0)
    jobs._expand_and_send(world.runtime)
    assert len(phone.sent) == before + 2
