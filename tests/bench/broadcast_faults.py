"""Faults: workers are killed, Redis is emptied and PostgreSQL restarted while a bulletin goes out.

Afterwards each follower got it exactly once by the sandbox's ledger, or their row says that nobody knows. In the middle
it is held for a while, and some followers say that they want no more of it.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import redis
import sqlalchemy as sa

from bot.usecases import broadcast, bulletins, deliveries
from storage.announcements import Announcement
from storage.contacts import Urn
from storage.deliveries import Delivery
from storage.enums import AnnouncementState, DeliveryState
from storage.sealing import open_words
from tests.bench.crowd import Crowd, make_crowd, make_networks, split
from tests.gateway import Gateway, PretendZalo, a_gateway, make_world, pretend_zalo, wait_until
from tests.servers import OwnPostgres, own_postgres, own_redis

STOP_WORD = "ngừng nhận tin"
# What breaks, of a hundred times.
FAULTS = {"a worker": 50, "everything": 8, "redis": 18, "postgres": 12, "postgres, as by a power cut": 12}
GRACE = 5.0  # seconds within which holding takes effect
GOT = (DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.READ)


@dataclass(frozen=True)
class Plan:
    """How many are written to, how fast, and at how many points something breaks."""

    followers: int = 6_000
    rate: float = 40.0
    points: int = 50
    between: tuple[float, float] = (0.3, 3.0)
    stoppers: int = 10
    held_for: float = 10.0


SHORT = Plan(followers=480, rate=40.0, points=4, between=(0.3, 1.5), stoppers=4, held_for=6.5)


@dataclass
class Scene:
    """Everything that can be broken."""

    gateway: Gateway
    postgres: OwnPostgres
    redis_url: str
    crowd: Crowd
    zalo: PretendZalo
    number: int

    def arrived(self) -> int:
        """How many messages of the bulletin the networks have accepted."""
        return len(self.crowd.books.arrivals())


def run(plan: Plan, seed: int) -> bool:
    """Break things at random points of this seed; whether everybody is accounted for."""
    print(f"== faults on PostgreSQL + Redis: {plan}, seed {seed}", flush=True)
    begun = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="haichieu-faults-")))
        scene = _scene(stack, folder, plan)
        scene.gateway.start()
        scene.crowd.approve(scene.number)
        stoppers, problems = _break(scene, plan, random.Random(seed))
        _settle(scene)
        problems += audit(scene.crowd, stoppers)
        scene.crowd.world.runtime.database.close()
    for problem in problems:
        print(f"   PROBLEM {problem}")
    print(
        f"   {time.monotonic() - begun:.0f} s; {'all accounted for' if not problems else 'NOT accounted for'}",
        flush=True,
    )
    return not problems


def _scene(stack: ExitStack, folder: Path, plan: Plan) -> Scene:
    from tests.bench.broadcast import with_three_workers

    postgres = stack.enter_context(own_postgres(folder))
    redis_url = stack.enter_context(own_redis(folder))
    gateway = with_three_workers(a_gateway(folder, database_url=postgres.url, redis_url=f"{redis_url}/0"))
    stack.callback(gateway.kill)
    counts = split(plan.followers)
    books = make_networks(folder / "zalo.db", counts)
    zalo = stack.enter_context(pretend_zalo(folder, f"{gateway.url}/webhooks/zalo-duc-hue"))
    crowd = make_crowd(make_world(gateway, zalo.url), zalo, books, counts, gateway.url)
    return Scene(gateway, postgres, redis_url, crowd, zalo, crowd.ready(plan.rate))


def _break(scene: Scene, plan: Plan, chance: random.Random) -> tuple[list[str], list[str]]:
    """Break something at each point; gives who said stop on the way, and what went wrong."""
    stoppers: list[str] = []
    problems: list[str] = []
    done: Counter[str] = Counter()
    last = _last_in_line(scene.crowd, plan.stoppers)
    for point in range(plan.points):
        time.sleep(chance.uniform(*plan.between))
        if point == plan.points // 3:
            problems += _held(scene, plan)
        if point == plan.points // 2:
            stoppers = _say_stop(scene, last)
        done[_one_fault(scene, chance)] += 1
        scene.gateway.start(wait=False)
    print(f"   broken: {dict(done)}; {scene.arrived()} had arrived by then", flush=True)
    return stoppers, problems


def _one_fault(scene: Scene, chance: random.Random) -> str:
    kind = chance.choices(
        ["a worker", "everything", "redis", "postgres", "postgres, as by a power cut"], [50, 8, 18, 12, 12]
    )[0]
    workers = [one for one in scene.gateway.processes if "worker" in one.command]
    if kind == "a worker":
        chance.choice(workers).kill()
    elif kind == "everything":
        scene.gateway.kill()
    elif kind == "redis":
        redis.Redis.from_url(scene.redis_url).flushall()
    else:
        scene.postgres.restart(is_crash="cut" in kind)
    return kind


def _held(scene: Scene, plan: Plan) -> list[str]:
    """Hold it while it runs: nothing leaves from five seconds later on until it is let go."""
    before = scene.arrived()
    wait_until("it is going out", lambda: scene.arrived() > before + 3, 60)
    runtime, who = scene.crowd.world.runtime, scene.crowd.world.official("hoa")
    _insist(lambda: bulletins.pause(runtime, who, scene.number))
    held_at = time.time()
    time.sleep(plan.held_for)
    late = [at - held_at for at in scene.crowd.books.arrivals() if at > held_at + GRACE]
    last = max((at - held_at for at in scene.crowd.books.arrivals()), default=0.0)
    _insist(lambda: bulletins.resume(runtime, who, scene.number))
    print(f"   held: the last one arrived {max(0.0, last):.1f} s after, {len(late)} later than {GRACE:g} s", flush=True)
    return [f"{len(late)} left later than {GRACE:g} s after it was held"] if late else []


def _last_in_line(crowd: Crowd, count: int) -> list[str]:
    """Followers on Zalo who are written to last."""
    with crowd.world.runtime.database.reading() as session:
        query = sa.select(Urn.value).where(Urn.channel_id == crowd.channels[0], Urn.is_following)
        return list(session.scalars(query.order_by(Urn.id.desc()).limit(count)))


def _say_stop(scene: Scene, people: list[str]) -> list[str]:
    wait_until("the door answers", lambda: _is_up(scene.gateway), 60)
    for person in people:
        scene.zalo.tell("say", user_id=person.removeprefix("zalo:"), kind="text", text=STOP_WORD)
    wait_until("those who said stop are heard", lambda: _heard(scene.crowd, people), 60)
    already = of_followers(scene.crowd)
    return [person for person in people if person not in already]


def _heard(crowd: Crowd, people: list[str]) -> bool:
    with crowd.world.runtime.database.reading() as session:
        query = sa.select(sa.func.count()).where(Urn.value.in_(people), Urn.opted_out_at.is_not(None))
        return session.scalar(query) == len(people)


def _is_up(gateway: Gateway) -> bool:
    try:
        return httpx.get(f"{gateway.url}/webhooks/x", timeout=2, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def _insist(deed: object) -> None:
    """The database may have been restarted under our own feet."""
    for again in range(5):
        try:
            deed()  # type: ignore[operator]
            return
        except sa.exc.OperationalError:
            time.sleep(0.5 * (again + 1))
    raise AssertionError("the database does not come back")


def _settle(scene: Scene) -> None:
    """Let everything go out; then end all processes, so that whoever still holds a delivery is dead."""
    wait_until("nothing waits any more", lambda: _count(scene.crowd, DeliveryState.WAITING) == 0, 900)
    scene.gateway.stop()
    runtime = scene.crowd.world.runtime
    while deliveries.expire_leases(runtime, everything=True):
        pass
    broadcast.expand_due(runtime)


def _count(crowd: Crowd, state: DeliveryState) -> int:
    with crowd.world.runtime.database.reading() as session:
        unwritten = sa.select(sa.func.count()).where(Announcement.expanded_to_urn_id < Announcement.frozen_to_urn_id)
        query = sa.select(sa.func.count()).where(Delivery.announcement_id.is_not(None), Delivery.state == state)
        return int(session.scalar(query) or 0) + int(session.scalar(unwritten) or 0)


def of_followers(crowd: Crowd) -> Counter[str]:
    """How often each follower was sent the bulletin, by the ledger; the author's own phone follows nothing."""
    with crowd.world.runtime.database.reading() as session:
        others = set(session.scalars(sa.select(Urn.value).where(Urn.is_following.is_(False))))
    return Counter({who: times for who, times in crowd.books.times().items() if who not in others})


def audit(crowd: Crowd, stoppers: list[str]) -> list[str]:
    """Who is lost, doubled, or was written to although they had said stop."""
    got = of_followers(crowd)
    with crowd.world.runtime.database.reading() as session:
        open_words(session)
        owed = sa.select(Urn.value, Delivery.state, Delivery.code).join(Urn, Urn.id == Delivery.urn_id)
        rows = session.execute(owed.where(Delivery.announcement_id.is_not(None))).all()
        unfinished = session.scalar(sa.select(sa.func.count()).where(Announcement.state != AnnouncementState.SENT))
    states = Counter(state for _, state, _ in rows)
    unknown = {who for who, state, _ in rows if state is DeliveryState.UNKNOWN}
    called_off = {who for who, state, code in rows if state is DeliveryState.CANCELLED and code == "opted_out"}
    known = {who for who, state, _ in rows if state in GOT}
    print(
        f"   {dict(states)}; the ledger has {sum(got.values())}, of the unknown {len(unknown & got.keys())} arrived",
        flush=True,
    )
    checks = {
        f"{crowd.size - len(rows)} followers were not written down": len(rows) == crowd.size,
        f"{sum(times > 1 for times in got.values())} got it twice": all(times == 1 for times in got.values()),
        f"{len(known - got.keys())} count as sent and got nothing": known <= got.keys(),
        f"{len(got.keys() - known - unknown)} got it and the rows do not say so": got.keys() <= known | unknown,
        f"{len(rows) - len(known | unknown | called_off)} are lost": len(known | unknown | called_off) == len(rows),
        f"{len(stoppers)} of those who said stop were in time": bool(stoppers),
        "somebody who had said stop got it": not (set(stoppers) & got.keys()) and set(stoppers) <= called_off,
        f"{unfinished} announcements do not end": not unfinished,
    }
    return [sentence for sentence, holds in checks.items() if not holds]
