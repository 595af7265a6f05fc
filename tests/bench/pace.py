"""Pace of an announcement: to many on Telegram or SMS, at the rate that was set and never above, while replies go out.

    python -m tests.bench.pace telegram --people 10000 --rate 60

PostgreSQL, Redis, a web process, three workers (two for announcements, one for replies) and a clock; the channel is a
server of this script that notes when each message reached it.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import sys
import tempfile
import threading
import time
from bisect import bisect_left
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import sqlalchemy as sa

from bot.runtime import Runtime
from bot.usecases.deliveries import PRIORITY_REPLY, owe
from storage.announcements import Announcement
from storage.channels import Channel
from storage.contacts import Urn
from storage.deliveries import Delivery
from storage.enums import AnnouncementState, DeliveryKind, DeliveryState
from tests.bench.targets import PACE
from tests.bots import a_bot
from tests.builders import World
from tests.gateway import HAICHIEU, Process, a_gateway, fresh_postgres, make_world, wait_until
from tests.servers import postgres_or_skip, redis_or_skip
from tests.sms import an_sms_channel
from tests.usecases.telling import approved, followers

REPLY = re.compile(r"tra loi so (\d+)")
REPLY_EVERY = 1.0
LATENCY = 0.02


@dataclass
class Channelling:
    """The pretend channel: when each message arrived, and when each reply did."""

    arrivals: list[float] = field(default_factory=list)
    replies: dict[int, float] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def took(self, text: str) -> int:
        """Note a message; gives its number."""
        now, found = time.monotonic(), REPLY.search(text)
        with self.lock:
            self.arrivals.append(now)
            if found:
                self.replies[int(found[1])] = now
            return len(self.arrivals)


def serve(noted: Channelling) -> ThreadingHTTPServer:
    """A Bot API and a Kannel in one, on a free port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            number = noted.took(str(body.get("text", "")))
            time.sleep(LATENCY)
            self._answer(json.dumps({"ok": True, "result": {"message_id": number, "date": int(time.time())}}).encode())

        def do_GET(self) -> None:
            noted.took(parse_qs(urlsplit(self.path).query).get("text", [""])[0])
            time.sleep(LATENCY)
            self._answer(b"0: Accepted for delivery", 202)

        def _answer(self, body: bytes, status: int = 200) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def main() -> None:
    """Run one announcement and say how it went; ends with 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("channel", choices=["telegram", "sms"])
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=60.0)
    parser.add_argument("--short", action="store_true", help="600 people; only a message that was lost counts")
    asked = parser.parse_args()
    asked.people = min(asked.people, 600) if asked.short else asked.people
    postgres_or_skip()
    redis_url = redis_or_skip(9)
    noted = Channelling()
    with ExitStack() as stack:
        server = serve(noted)
        stack.callback(server.shutdown)
        url = stack.enter_context(fresh_postgres())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="haichieu-pace-")))
        gateway = a_gateway(folder, database_url=url, redis_url=redis_url)
        broadcaster = next(one for one in gateway.processes if "broadcast" in one.command)
        gateway.processes.append(Process([*HAICHIEU, "worker", "broadcast"], broadcaster.env, folder / "second.log"))
        world = _prepared(make_world(gateway, "http://127.0.0.1:9"), asked, server.server_address[1])
        gateway.start()
        stack.callback(gateway.stop)
        owed = _run(world, Runtime.build(gateway.settings), asked.people)
    sys.exit(0 if _report(asked, noted, owed) or asked.short else 1)


def _prepared(world: World, asked: argparse.Namespace, port: int) -> World:
    base = f"http://127.0.0.1:{port}"
    if asked.channel == "telegram":
        channel_id = a_bot(world, api_base=base, receive="webhook").channel_id
        values = [f"telegram:{6_000_000_000 + n}" for n in range(asked.people + 50)]
    else:
        channel_id = an_sms_channel(world, "kannel", send_url=f"{base}/cgi-bin/sendsms")
        values = [f"tel:+849{n:08d}" for n in range(asked.people + 50)]
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Channel).where(Channel.id == channel_id).values(rate_per_second=asked.rate))
    world = replace(world, channel_id=channel_id)
    followers(world, asked.people, values=values[: asked.people])
    followers(world, 50, values=values[asked.people :], is_following=False)
    return world


def _run(world: World, runtime: Runtime, people: int) -> dict[int, float]:
    """Approve the announcement and owe a reply every second until it is out; gives when each reply was owed."""
    number, owed = approved(world, "Lịch cắt điện", "Mai cắt điện xóm 5 từ 8 giờ."), {}
    runtime.nudge("broadcast")
    with runtime.database.reading() as session:
        channel = session.get_one(Channel, world.channel_id)
        idle = list(session.scalars(sa.select(Urn).where(Urn.is_following.is_(False), Urn.channel_id == channel.id)))
    end = time.monotonic() + 900
    while time.monotonic() < end and not _is_out(runtime, number):
        count = len(owed) + 1
        with runtime.database.transaction() as session:
            owe(
                session,
                runtime,
                channel=channel,
                urn=idle[count % len(idle)],
                text=f"tra loi so {count}",
                kind=DeliveryKind.REPLY,
                key=f"pace:{count}",
                priority=PRIORITY_REPLY,
            )
        owed[count] = time.monotonic()
        runtime.nudge("replies")
        time.sleep(REPLY_EVERY)
    wait_until("everything is settled", lambda: _waiting(runtime) == 0, 30)
    with runtime.database.reading() as session:
        states = dict(session.execute(sa.select(Delivery.state, sa.func.count()).group_by(Delivery.state)).all())
    assert states == {DeliveryState.SENT: people + len(owed)}, states
    return owed


def _is_out(runtime: Runtime, number: int) -> bool:
    with runtime.database.reading() as session:
        return session.get_one(Announcement, number).state is AnnouncementState.SENT


def _waiting(runtime: Runtime) -> int:
    open_states = [DeliveryState.WAITING, DeliveryState.SENDING]
    with runtime.database.reading() as session:
        query = sa.select(sa.func.count()).select_from(Delivery).where(Delivery.state.in_(open_states))
        return int(session.scalar(query) or 0)


def _report(asked: argparse.Namespace, noted: Channelling, owed: dict[int, float]) -> bool:
    arrivals = sorted(noted.arrivals)
    share = (len(arrivals) - 1) / (arrivals[-1] - arrivals[0]) / asked.rate
    busiest, busiest_five = (
        max(_within(arrivals, start, seconds) for start in range(len(arrivals))) / (asked.rate * seconds)
        for seconds in (1.0, 5.0)
    )
    waits = sorted(noted.replies[number] - at for number, at in owed.items())
    p95 = waits[int(len(waits) * 0.95)] if waits else 0.0
    print(f"{asked.channel}: {asked.people} people at {asked.rate:g} a second, {len(owed)} replies meanwhile")
    print(f"  share of the rate used {share:.3f}; busiest second {busiest:.3f}, busiest five {busiest_five:.3f} of it")
    print(f"  reply leaves after {statistics.median(waits):.2f} s (median), {p95:.2f} s (p95)")
    held = share >= PACE["share"] and busiest_five <= PACE["busiest_five"] and p95 <= PACE["reply_p95_s"]
    print(f"  targets {PACE}: {'held' if held else 'MISSED'}")
    figures = {"share": share, "busiest": busiest, "busiest_five": busiest_five, "reply_p95_s": p95}
    print(json.dumps(figures | {"sent": len(arrivals)}))
    return held


def _within(arrivals: list[float], start: int, seconds: float) -> int:
    """How many arrive within this time, this one included."""
    return bisect_left(arrivals, arrivals[start] + seconds) - start


if __name__ == "__main__":
    main()
