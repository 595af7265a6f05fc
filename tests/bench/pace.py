"""Pace of an announcement: to many on Telegram or SMS, at the rate that was set and never above, while replies go out.

    python -m tests.bench.pace telegram --people 10000 --rate 60

PostgreSQL, Redis, a web process, three workers (two for announcements, one for replies) and a clock; over SMPP also the
process that keeps the link. The channel is a server of this script that notes when each message reached it; over SMPP
the sandbox's SMSC, which also reports on each message. Pace is judged by the moments at which the kernel saw messages
leave; where it may not be asked, by those at which the channel, which shares the machine's cores, came to read them.
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
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import sqlalchemy as sa

from bot.runtime import Runtime
from bot.usecases.deliveries import PRIORITY_REPLY, owe
from bot.usecases.setup import add_channel
from bot.web.sandbox import Sandbox, SandboxAccount, SandboxSettings, SandboxSms
from bot.web.sandbox.sms import memory
from storage.announcements import Announcement
from storage.channels import Channel
from storage.contacts import Urn
from storage.deliveries import Delivery
from storage.enums import AnnouncementState, DeliveryKind, DeliveryState
from tests.bench.targets import PACE
from tests.bench.wire import Wire, watching
from tests.bots import a_bot
from tests.builders import World
from tests.gateway import HAICHIEU, Process, a_gateway, fresh_postgres, make_world, wait_until
from tests.servers import postgres_or_skip, redis_or_skip
from tests.sms import an_sms_channel
from tests.usecases.telling import approved, followers

REPLY = re.compile(r"tra loi so (\d+)")
REPLY_EVERY = 1.0
LATENCY = 0.02
SLUG, USER, PASSWORD, NUMBER = "smpp-duc-hue", "xa", "smppword", "8088"


@dataclass
class Channelling:
    """The pretend channel: when each message arrived, and when each reply did."""

    arrivals: list[float] = field(default_factory=list)
    replies: dict[int, float] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def took(self, text: str, at: float | None = None) -> int:
        """Note a message that came now, or at another moment of the monotonic clock; gives its number."""
        moment, found = at or time.monotonic(), REPLY.search(text)
        with self.lock:
            self.arrivals.append(moment)
            if found:
                self.replies[int(found[1])] = moment
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


@contextmanager
def an_smsc(folder: Path, people: int) -> Iterator[Sandbox]:
    """A pretend SMSC on a free port, and a telephone for everybody."""
    zalo = SandboxAccount("1", "-", "2", "-", "Xã Đức Huệ", "")
    account = SandboxSms(NUMBER, USER, PASSWORD, provider="smpp")
    box = Sandbox(
        SandboxSettings(
            db_path=folder / "networks.db", accounts=[zalo], sms=[account], smsc_port=0, webhook_workers=0,
            send_delay=(LATENCY, LATENCY), receipt_delay=(1.0, 3.0),
        )
    )  # fmt: skip
    with box.store.writing() as db:
        for number in _numbers(people):
            memory.add_phone(db, "Bà con", number)
    box.start()
    yield box
    box.stop()


def _numbers(people: int) -> list[str]:
    return [f"849{n:08d}" for n in range(people + 50)]


def read_ledger(box: Sandbox, noted: Channelling) -> None:
    """Note what the SMSC accepted, and when."""
    with box.store.reading() as db:
        rows = memory.ledger(db, 0, 1_000_000, "", "")["rows"]
        assert memory.repeats(db, 10) == [], "somebody was sent a message twice"
    for row in rows:
        noted.took(row["text_head"], row["received_monotonic_ns"] / 1e9)


def main() -> None:
    """Run one announcement and say how it went; ends with 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("channel", choices=["telegram", "sms", "smpp"])
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=60.0)
    parser.add_argument("--short", action="store_true", help="600 people; only a message that was lost counts")
    asked = parser.parse_args()
    asked.people = min(asked.people, 600) if asked.short else asked.people
    postgres_or_skip()
    redis_url = redis_or_skip(9)
    noted = Channelling()
    with ExitStack() as stack:
        url = stack.enter_context(fresh_postgres())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="haichieu-pace-")))
        gateway = a_gateway(folder, database_url=url, redis_url=redis_url)
        broadcaster = next(one for one in gateway.processes if "broadcast" in one.command)
        gateway.processes.append(Process([*HAICHIEU, "worker", "broadcast"], broadcaster.env, folder / "second.log"))
        box = stack.enter_context(an_smsc(folder, asked.people)) if asked.channel == "smpp" else None
        if box is not None and box.smsc is not None:
            port = box.smsc.port
            gateway.processes.append(Process([*HAICHIEU, "smpp", SLUG], broadcaster.env, folder / "smpp.log"))
        else:
            server = serve(noted)
            stack.callback(server.shutdown)
            port = server.server_address[1]
        world = _prepared(make_world(gateway, "http://127.0.0.1:9"), asked, port)
        gateway.start()
        stack.callback(gateway.stop)
        with watching(port, is_smpp=box is not None) as wire:
            owed = _run(world, Runtime.build(gateway.settings), asked.people)
        if box is not None:
            read_ledger(box, noted)
    sys.exit(0 if _report(asked, noted, wire, owed) or asked.short else 1)


def _prepared(world: World, asked: argparse.Namespace, port: int) -> World:
    base = f"http://127.0.0.1:{port}"
    if asked.channel == "telegram":
        channel_id = a_bot(world, api_base=base, receive="webhook").channel_id
        values = [f"telegram:{6_000_000_000 + n}" for n in range(asked.people + 50)]
    else:
        values = [f"tel:+{number}" for number in _numbers(asked.people)]
        if asked.channel == "sms":
            channel_id = an_sms_channel(world, "kannel", send_url=f"{base}/cgi-bin/sendsms")
        else:
            channel_id = _a_link(world, port)
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Channel).where(Channel.id == channel_id).values(rate_per_second=asked.rate))
    world = replace(world, channel_id=channel_id)
    followers(world, asked.people, values=values[: asked.people])
    followers(world, 50, values=values[asked.people :], is_following=False)
    return world


def _a_link(world: World, port: int) -> int:
    return add_channel(
        world.runtime, commune="duc-hue", type="smpp", slug=SLUG, name="SMPP",
        settings={"host": "127.0.0.1", "port": port, "system_id": USER, "number": NUMBER},
        secrets={"password": PASSWORD},
    )  # fmt: skip


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
    assert states.keys() <= {DeliveryState.SENT, DeliveryState.DELIVERED}, states
    assert sum(states.values()) == people + len(owed), states
    return owed


def _is_out(runtime: Runtime, number: int) -> bool:
    with runtime.database.reading() as session:
        return session.get_one(Announcement, number).state is AnnouncementState.SENT


def _waiting(runtime: Runtime) -> int:
    open_states = [DeliveryState.WAITING, DeliveryState.SENDING]
    with runtime.database.reading() as session:
        query = sa.select(sa.func.count()).select_from(Delivery).where(Delivery.state.in_(open_states))
        return int(session.scalar(query) or 0)


@dataclass(frozen=True)
class Pace:
    """How messages followed each other, as shares of the rate: over all, in the busiest second, in the busiest five."""

    sent: int
    share: float
    busiest: float
    busiest_five: float

    @classmethod
    def of(cls, moments: list[float], rate: float) -> Pace:
        """The pace of messages at these moments."""
        moments = sorted(moments)
        busiest, busiest_five = (
            max(_within(moments, start, seconds) for start in range(len(moments))) / (rate * seconds)
            for seconds in (1.0, 5.0)
        )
        return cls(len(moments), (len(moments) - 1) / (moments[-1] - moments[0]) / rate, busiest, busiest_five)

    def __str__(self) -> str:
        return f"{self.share:.3f} of the rate; busiest second {self.busiest:.3f}, busiest five {self.busiest_five:.3f}"


def _report(asked: argparse.Namespace, noted: Channelling, wire: Wire | None, owed: dict[int, float]) -> bool:
    arrived = Pace.of(noted.arrivals, asked.rate)
    left = Pace.of(wire.moments, asked.rate) if wire else None
    waits = sorted(noted.replies[number] - at for number, at in owed.items())
    p95 = waits[int(len(waits) * 0.95)] if waits else 0.0
    print(f"{asked.channel}: {asked.people} people at {asked.rate:g} a second, {len(owed)} replies meanwhile")
    print(f"  left:    {left or 'not seen: the kernel may not be asked here, judged by arrivals'}")
    print(f"  arrived: {arrived}")
    print(f"  reply leaves after {statistics.median(waits):.2f} s (median), {p95:.2f} s (p95)")
    judged = left or arrived
    held = judged.share >= PACE["share"] and judged.busiest <= PACE["busiest"] and p95 <= PACE["reply_p95_s"]
    if left and left.sent != arrived.sent:
        held = False
        print(f"  {left.sent} left, {arrived.sent} arrived")
    print(f"  targets {PACE}: {'held' if held else 'MISSED'}")
    print(json.dumps({"left": asdict(left) if left else None, "arrived": asdict(arrived), "reply_p95_s": p95}))
    return held


def _within(arrivals: list[float], start: int, seconds: float) -> int:
    """How many arrive within this time, this one included."""
    return bisect_left(arrivals, arrivals[start] + seconds) - start


if __name__ == "__main__":
    main()
