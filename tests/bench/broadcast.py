"""Broadcast: one bulletin to a million followers, measured and broken on purpose.

    python -m tests.bench.broadcast                      size and replies on both engines, then 50 faults
    python -m tests.bench.broadcast --engine sqlite      20,000 followers, one process, until all is sent
    python -m tests.bench.broadcast --engine postgresql --part size --followers 50000
    python -m tests.bench.broadcast --part faults --seed 7
    python -m tests.bench.broadcast --short              a few hundred; times are told, not judged

Followers are on Zalo, Telegram and by SMS, at the sandbox, whose ledger is the judge. PostgreSQL and Redis: a web
process, three workers (two for announcements, one for replies) and a clock. Ends with 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bot.logs import configure
from bot.runtime import Runtime
from bot.usecases import intake
from bot.usecases.bulletin_results import POLL_SECONDS, look_at
from bot.usecases.replies import Written, reply
from storage.announcements import Announcement
from storage.bulletins import legs_of
from storage.enums import DeliveryState
from storage.tickets import Ticket
from tests.bench import broadcast_faults
from tests.bench.crowd import SPARE, Crowd, make_crowd, make_networks, split
from tests.bench.gauges import Memory, cpu_seconds, memory_of
from tests.bench.targets import BROADCAST
from tests.builders import World
from tests.gateway import HAICHIEU, Gateway, Process, a_gateway, make_world, pretend_zalo, wait_until
from tests.servers import own_postgres, redis_or_skip

REPLY_EVERY, LOOK_EVERY = 0.5, 1.0
REPORTS = 20


@dataclass
class Measured:
    """What one run gave; every moment is in seconds of the epoch."""

    followers: int
    rate: float
    approved_in: float = 0.0
    created_in: float = 0.0
    cpu: dict[str, float] = field(default_factory=dict)
    window: tuple[float, float] = (0.0, 0.0)
    arrivals: list[float] = field(default_factory=list)
    shown: list[tuple[float, float, int]] = field(default_factory=list)  # asked at, answered at, sent as the page says
    replied: dict[int, float] = field(default_factory=dict)
    answers: dict[int, float] = field(default_factory=dict)
    memory: list[Memory] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        """What arrived within the window, as a share of the rate that was set."""
        begun, ended = self.window
        arrived = bisect_right(self.arrivals, ended) - bisect_left(self.arrivals, begun)
        return arrived / ((ended - begun) * self.rate) if ended > begun else 0.0

    @property
    def lags(self) -> list[float]:
        """How old each of the page's figures was, at most, when the next one took its place."""
        return sorted(self._lag(at, sent) + (until - at) + POLL_SECONDS for at, until, sent in self.shown)

    def _lag(self, at: float, sent: int) -> float:
        """For how long more had arrived than was shown."""
        return max(0.0, at - self.arrivals[sent]) if sent < len(self.arrivals) else 0.0

    @property
    def waits(self) -> list[float]:
        """How long after its use case each reply arrived."""
        return sorted(self.answers.get(number, float("inf")) - at for number, at in self.replied.items())


def main() -> None:
    """Run what was asked for and say how it went."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.broadcast", description=__doc__)
    parser.add_argument("--engine", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument("--followers", type=int)
    parser.add_argument("--rate", type=float, help="messages a second on all channels together")
    parser.add_argument("--minutes", type=float, default=3.0, help="how long the pace is watched")
    parser.add_argument("--part", choices=["size", "faults", "all"], default="all")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--points", type=int, default=50, help="at how many points something is broken")
    parser.add_argument("--short", action="store_true")
    asked = parser.parse_args()
    configure("plain", "error")
    done = [run_size(engine, asked) for engine in _engines(asked)] if asked.part != "faults" else []
    if asked.part != "size" and asked.engine != "sqlite":
        plan = broadcast_faults.SHORT if asked.short else broadcast_faults.Plan(points=asked.points)
        done.append(broadcast_faults.run(plan, asked.seed))
    print(f"{sum(done)} held, {len(done) - sum(done)} missed", flush=True)
    sys.exit(0 if all(done) else 1)


def _engines(asked: argparse.Namespace) -> list[str]:
    if asked.engine != "both":
        return [asked.engine]
    return ["sqlite"] if asked.short else ["sqlite", "postgresql"]


def run_size(engine: str, asked: argparse.Namespace) -> bool:
    """One bulletin to many on one engine; whether every target was held."""
    usual = 240 if asked.short else 20_000 if engine == "sqlite" else 1_000_000
    followers, rate = asked.followers or usual, asked.rate or (60.0 if engine == "postgresql" or asked.short else 100.0)
    print(f"== {engine}: {followers:,} followers at {rate:g} a second in all", flush=True)
    with _gateway(engine) as (gateway, folder):
        counts = split(followers)
        books = make_networks(folder / "zalo.db", counts)
        with pretend_zalo(folder, f"{gateway.url}/webhooks/zalo-duc-hue") as zalo:
            world = make_world(gateway, zalo.url)
            crowd = make_crowd(world, zalo, books, counts, gateway.url)
            number = crowd.ready(rate)
            tickets = _reports(world, followers)
            gateway.start()
            measured = Measured(followers, rate)
            with memory_of(gateway) as memory:
                _measure(gateway, crowd, number, tickets, measured, None if engine == "sqlite" else asked.minutes * 60)
                last = f"tra loi so {len(measured.replied)}."
                wait_until("the last reply arrives", lambda: books.texts(last), 30)
            measured.memory = list(memory.values())
            gateway.stop()
            _truth(crowd, number, measured, is_whole=engine == "sqlite")
        world.runtime.database.close()
    return report(measured, is_judged=not asked.short)


@contextmanager
def _gateway(engine: str) -> Iterator[tuple[Gateway, Path]]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="haichieu-broadcast-")))
        if engine == "sqlite":
            gateway = a_gateway(folder)
        else:
            postgres, redis_url = stack.enter_context(own_postgres(folder)), redis_or_skip(8)
            gateway = with_three_workers(a_gateway(folder, database_url=postgres.url, redis_url=redis_url))
        stack.callback(gateway.kill)
        yield gateway, folder


def with_three_workers(gateway: Gateway) -> Gateway:
    """Two workers for announcements beside the one for everything else."""
    first = next(one for one in gateway.processes if "broadcast" in one.command)
    second = Process([*HAICHIEU, "worker", "broadcast"], first.env, first.log.with_name("worker-broadcast-2.log"))
    gateway.processes.append(second)
    return gateway


def _reports(world: World, followers: int) -> list[int]:
    """Reports of people who follow nothing, to be answered meanwhile."""
    for number in range(REPORTS):
        user = str(5_000_000_000_000_000_000 + followers + SPARE // 2 + number)
        world.says("duong vao xom 5 o ga nhieu qua", user=user)
    while intake.drain(world.runtime):
        pass
    with world.runtime.database.reading() as session:
        return list(session.scalars(sa.select(Ticket.id).order_by(Ticket.id)))


def _measure(
    gateway: Gateway, crowd: Crowd, number: int, tickets: list[int], found: Measured, seconds: float | None
) -> None:
    """Approve it, see it written down, then watch its pace while replies go out; `seconds` None: until all is sent."""
    runtime = Runtime.build(gateway.settings)
    spent, begun = cpu_seconds(gateway, runtime), time.monotonic()
    crowd.approve(number)
    found.approved_in = time.monotonic() - begun
    runtime.nudge("broadcast")
    wait_until("everybody is written down", lambda: _is_written_down(runtime, number), 1_800)
    found.created_in = time.monotonic() - begun
    found.cpu = {name: used - spent[name] for name, used in cpu_seconds(gateway, runtime).items()}
    print(f"   written down after {found.created_in:.1f} s", flush=True)
    begins = time.time()
    end = begins + (seconds if seconds is not None else found.followers / found.rate * 3 + 120)
    _watch(runtime, crowd, number, tickets, found, end)
    found.window = (begins, min(time.time(), end))
    runtime.database.close()


def _watch(runtime: Runtime, crowd: Crowd, number: int, tickets: list[int], found: Measured, end: float) -> None:
    world, next_look = crowd.world, 0.0
    official, reader = world.official("lan"), world.official("tuan")
    while time.time() < end:
        turn = time.time() + REPLY_EVERY
        count = len(found.replied) + 1
        _reply(runtime, official, tickets[count % len(tickets)], count, found)
        if time.time() >= next_look:
            next_look = time.time() + LOOK_EVERY
            asked_at = time.time()
            look = look_at(runtime, reader, number)
            found.shown.append((asked_at, time.time(), look.counts["sent"]))
            if look.done >= look.total:
                return
        time.sleep(max(0.0, turn - time.time()))


def _reply(runtime: Runtime, official: Any, ticket_id: int, count: int, found: Measured) -> None:
    with runtime.database.reading() as session:
        version = session.get_one(Ticket, ticket_id).version
    reply(runtime, official, ticket_id, version=version, token=f"form-{count}", written=Written(f"tra loi so {count}."))
    found.replied[count] = time.time()


def _is_written_down(runtime: Runtime, number: int) -> bool:
    with runtime.database.reading() as session:
        legs: list[Announcement] = legs_of(session, [number])[number]
        return bool(legs) and all(leg.expanded_to_urn_id >= (leg.frozen_to_urn_id or 0) for leg in legs)


def _truth(crowd: Crowd, number: int, found: Measured, *, is_whole: bool) -> None:
    """Compare what the page says, what the rows say, and what the ledger says."""
    states, look = crowd.states(), look_at(crowd.world.runtime, crowd.world.official("tuan"), number)
    arrived = broadcast_faults.of_followers(crowd)
    found.arrivals = [at for at in crowd.books.arrivals() if at >= found.window[0] - found.created_in - 5]
    found.answers = {
        int(text.partition("tra loi so ")[2].split(".")[0]): at for at, text in crowd.books.texts("tra loi so ")
    }
    sent = sum(states.get(state, 0) for state in (DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.READ))
    checks = {
        f"{sum(states.values())} deliveries for {crowd.size} followers": sum(states.values()) == crowd.size,
        f"the page says {look.counts['sent']} sent, the rows {sent}": look.counts["sent"] == sent,
        f"the rows say {sent} sent, the ledger {sum(arrived.values())}": sent == sum(arrived.values()),
        "somebody got it twice": all(times == 1 for times in arrived.values()),
        f"only {sent} of {crowd.size} were sent it": sent == crowd.size or not is_whole,
    }
    found.problems = [sentence for sentence, holds in checks.items() if not holds]


def report(found: Measured, *, is_judged: bool) -> bool:
    """Print every figure beside its target; whether all were held. Without `is_judged`, times are only told."""
    cpu = ", ".join(f"{name} {used:.1f} s" for name, used in found.cpu.items())
    lags, waits = found.lags or [0.0], found.waits or [0.0]
    p95 = waits[min(len(waits) - 1, int(len(waits) * 0.95))]
    steady = [one for one in found.memory if len(one.held) > 10]
    grown = max((one.grown / one.warm[0][1] for one in steady), default=0.0)
    window = found.window[1] - found.window[0]
    lines = {
        "created_s": (
            found.created_in,
            f"written down in {found.created_in:.1f} s, {found.approved_in:.1f} of it the approval; processor: {cpu}",
        ),
        "share": (found.share, f"{found.share:.3f} of {found.rate:g} a second over {window:.0f} s"),
        "lag_s": (
            lags[-1],
            f"the page is {lags[len(lags) // 2]:.2f} s old (median), {lags[-1]:.2f} (most), {POLL_SECONDS} of it idle",
        ),
        "reply_p95_s": (
            p95,
            f"{len(waits)} replies arrive after {waits[len(waits) // 2]:.2f} s (median), {p95:.2f} (p95)",
        ),
        "grown": (grown, "memory: " + "; ".join(str(one) for one in steady)),
    }
    missed = []
    for name, (value, words) in lines.items():
        held = BROADCAST[name].verdict([value]) == "ok"
        print(f"   {words}  [{BROADCAST[name].sign} {BROADCAST[name].must:g}: {'ok' if held else 'MISSED'}]")
        missed += [] if held else [name]
    for problem in found.problems:
        print(f"   PROBLEM {problem}")
    return not found.problems and not (missed and is_judged)


if __name__ == "__main__":
    main()
