"""kill -9 at random points during conversations and an announcement; then the ledgers of both sides must agree.

python -m tests.chaos [--short] [--seed N] [--engine sqlite|postgresql|both] [--kills N] [--conversations N]
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import redis
import sqlalchemy as sa

from bot.usecases.ledger import balance
from storage.announcements import Announcement
from storage.deliveries import Delivery
from storage.enums import DeliveryKind, DeliveryState, InboundState
from storage.messages import InboundEvent
from tests.builders import World
from tests.gateway import Gateway, PretendZalo, a_gateway, fresh_postgres, make_world, pretend_zalo, wait_until
from tests.servers import REDIS
from tests.usecases.telling import approved

REPORTS = [
    "duong vao xom 5 o ga nhieu qua",
    "den duong xom 7 hong may hom nay",
    "rac cho Đình ba ngay chua ai don",
    "cống xóm 5 tắc, mưa là ngập",
    "karaoke nhà bên ồn quá 11 giờ đêm",
    "nước sinh hoạt đục ngầu",
]
REDIS_URL = f"{REDIS}/9"


@dataclass(frozen=True)
class Plan:
    """How much happens and how often it is interrupted."""

    conversations: int
    followers: int
    kills: int
    seconds_between: tuple[float, float] = (0.4, 2.5)


def main() -> None:
    """Run the plan on each engine; exit 1 when any ledger does not balance."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--engine", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument("--kills", type=int)
    parser.add_argument("--conversations", type=int)
    parser.add_argument("--followers", type=int)
    asked = parser.parse_args()
    usual = Plan(60, 300, 5) if asked.short else Plan(1_000, 5_000, 30)
    plan = Plan(
        asked.conversations or usual.conversations, asked.followers or usual.followers, asked.kills or usual.kills
    )
    engines = ["sqlite", "postgresql"] if asked.engine == "both" else [asked.engine]
    failed = [engine for engine in engines if not run(engine, plan, asked.seed)]
    print(f"{len(engines) - len(failed)} passed, {len(failed)} failed")
    sys.exit(1 if failed else 0)


def run(engine: str, plan: Plan, seed: int) -> bool:
    """One engine, one seed; whether everything balanced."""
    print(f"== {engine}: {plan}, seed {seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="haichieu-chaos-"))
    with _gateway(engine, folder) as gateway, pretend_zalo(folder, f"{gateway.url}/webhooks/zalo-duc-hue") as zalo:
        world = make_world(gateway, zalo.url)
        begun = time.monotonic()
        gateway.start()
        _busy_day(gateway, zalo, world, plan, random.Random(seed))
        problems = audit(zalo, world, gateway)
        world.runtime.database.close()
        print(f"   {time.monotonic() - begun:.0f} s; {'balanced' if not problems else 'NOT balanced'}", flush=True)
    for problem in problems:
        print(f"   PROBLEM {problem}")
    if problems:
        print(f"   kept for a look: {folder}")
    else:
        shutil.rmtree(folder)
    return not problems


@contextmanager
def _gateway(engine: str, folder: Path) -> Iterator[Gateway]:
    with ExitStack() as stack:
        if engine == "sqlite":
            gateway = a_gateway(folder)
        else:
            redis.Redis.from_url(REDIS_URL).flushdb()
            url = stack.enter_context(fresh_postgres())
            gateway = a_gateway(folder, database_url=url, redis_url=REDIS_URL, web_workers=2)
        stack.callback(gateway.kill)
        yield gateway


def _busy_day(gateway: Gateway, zalo: PretendZalo, world: World, plan: Plan, chance: random.Random) -> None:
    citizens = zalo.tell("citizens", count=plan.followers, follow=True)["user_ids"]
    wait_until("half the followers are known", lambda: _followers(world) > plan.followers // 2, 180)
    talk = threading.Thread(target=_talk, args=(zalo, citizens[: plan.conversations], chance.randrange(10**9)))
    talk.start()
    announcement = None
    for kill in range(plan.kills):
        time.sleep(chance.uniform(*plan.seconds_between))
        if kill == plan.kills // 3:
            wait_until("all followers are known", lambda: _followers(world) >= plan.followers, 240)
            announcement = approved(world, "Lịch cắt điện", "Cắt điện xóm 5, 8 giờ.")
        victims = gateway.processes if chance.random() < 0.4 else [chance.choice(gateway.processes)]
        for victim in victims:
            victim.kill()
        gateway.start(wait=False)
    talk.join()
    wait_until("the door answers again", lambda: _is_up(gateway), 60)
    wait_until("every webhook is delivered", lambda: not zalo.ask("webhooks")["counts"].get("pending"), 300)
    wait_until("every event is settled", lambda: _settled(world), 300)
    wait_until("the announcement is finished", lambda: _announced(world, announcement), 400)


def _talk(zalo: PretendZalo, citizens: list[str], seed: int) -> None:
    chance = random.Random(seed)
    for citizen in citizens:
        for _ in range(chance.choice([1, 1, 2, 3])):
            zalo.tell("say", user_id=citizen, kind="text", text=f"{chance.choice(REPORTS)} {chance.randrange(1000)}")
        time.sleep(chance.uniform(0, 0.04))


def _announcement(world: World, number: int) -> Announcement:
    with world.runtime.database.reading() as session:
        return session.get_one(Announcement, number)


def _followers(world: World) -> int:
    from storage.contacts import Urn

    with world.runtime.database.reading() as session:
        return int(session.scalar(sa.select(sa.func.count()).where(Urn.is_following)) or 0)


def _is_up(gateway: Gateway) -> bool:
    try:
        return httpx.get(f"{gateway.url}/webhooks/x", timeout=2, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def _settled(world: World) -> bool:
    with world.runtime.database.reading() as session:
        waiting = session.scalar(sa.select(sa.func.count()).where(InboundEvent.state == InboundState.WAITING))
        owed = session.scalar(
            sa.select(sa.func.count()).where(
                Delivery.state.in_([DeliveryState.WAITING, DeliveryState.SENDING]),
                Delivery.kind != DeliveryKind.ANNOUNCEMENT,
            )
        )
    return not waiting and not owed


def _announced(world: World, announcement: int | None) -> bool:
    return announcement is not None and _announcement(world, announcement).finished_at is not None


def audit(zalo: PretendZalo, world: World, gateway: Gateway) -> list[str]:
    """What the two ledgers, ours and the channel's, cannot agree on."""
    command = [sys.executable, "-m", "bot.cli", "ledger"]
    told = subprocess.run(command, env=gateway.processes[0].env, capture_output=True, text=True, check=False)
    print("   " + told.stdout.strip().replace("\n", "\n   "), flush=True)
    problems = list(balance(world.runtime).problems)
    if told.returncode:
        problems.append(f"haichieu ledger ended with {told.returncode}: {told.stderr[-300:]}")
    problems += _lost_webhooks(zalo, world)
    problems += _sent_twice(zalo, world)
    return problems


def _lost_webhooks(zalo: PretendZalo, world: World) -> list[str]:
    """Every event the channel saw acknowledged must stand in our table, once."""
    delivered: Counter[str] = Counter()
    after = 0
    while rows := zalo.ask("webhooks", after=after)["webhooks"]:
        after = rows[-1]["id"]
        delivered.update(row["event_name"] for row in rows if row["state"] == "delivered")
    with world.runtime.database.reading() as session:
        query = sa.select(InboundEvent.event_name, sa.func.count()).group_by(InboundEvent.event_name)
        kept = dict(session.execute(query).all())
    print(f"   webhooks acknowledged {dict(delivered)}, kept {kept}", flush=True)
    return [
        f"{delivered[n]} {n} acknowledged, {kept.get(n, 0)} kept" for n in delivered if delivered[n] != kept.get(n, 0)
    ]


def _sent_twice(zalo: PretendZalo, world: World) -> list[str]:
    """No owed message reached the channel twice, and none that we hold for sent is missing there."""
    sends = zalo.ledger()
    at_channel = {row["message_id"] for row in sends}
    with world.runtime.database.reading() as session:
        rows = session.execute(sa.select(Delivery.state, Delivery.external_id, Delivery.kind)).all()
    ours = {external for state, external, _ in rows if external}
    unknown = sum(state is DeliveryState.UNKNOWN for state, _, _ in rows)
    surplus = len(at_channel - ours)
    announced = Counter(row["user_id"] for row in sends if "Lịch cắt điện" in row["text_head"])
    doubled = [user for user, times in announced.items() if times > 1]
    print(f"   channel accepted {len(sends)}, ours {len(ours)}, unknown {unknown}, accepted-but-unknown {surplus}")
    problems = []
    if ours - at_channel:
        problems.append(f"{len(ours - at_channel)} deliveries count as sent, the channel never saw them")
    if surplus > unknown:
        problems.append(f"{surplus} sends at the channel that we know nothing of, but only {unknown} unknown")
    if doubled:
        problems.append(f"{len(doubled)} followers were sent the announcement twice")
    return problems


if __name__ == "__main__":
    main()
