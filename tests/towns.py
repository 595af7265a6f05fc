"""A commune whose SMS go and come through pretend networks, over real HTTP or SMPP."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from adapters.http import Http
from bot.runtime import utc_now
from bot.usecases import intake
from bot.usecases.sending import PERSONAL, send_due
from bot.usecases.setup import add_channel
from bot.usecases.smpp import keep_link
from bot.web.door import Door
from bot.web.sandbox import sandbox_server
from tests.adapters.sms import SECRETS, SETTINGS, TOKEN
from tests.builders import World
from tests.sandbox.networks import NUMBER, Networks, an_account, networks

PATHS = {
    "kannel": "/cgi-bin/sendsms",
    "esms": "/MainService.svc/json/SendMultipleMessage_V4_post_json/",
    "speedsms": "/index.php/sms/send",
    "vonage": "/sms/json",
}
SLUG = "sms-song"
SMPP = {"system_id": "xa", "number": NUMBER}, {"password": "smppword"}


@dataclass
class Town:
    """A commune by the real clock, its channel, and the networks around it."""

    world: World
    net: Networks
    channel_id: int
    is_linked: bool

    def work(self) -> None:
        """Take in what came and send what is due; a link sends by itself."""
        intake.drain(self.world.runtime)
        if not self.is_linked:
            send_due(self.world.runtime, PERSONAL)

    def until(self, condition: Callable[[], object], seconds: float = 20.0) -> None:
        """Work until it is so."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not happen in time"
            self.work()
            time.sleep(0.02)


@contextmanager
def a_town(world: World, provider: str, folder: Path, **settings: Any) -> Iterator[Town]:
    """Connect a commune (whose runtime has the real clock) to this provider of the sandbox, or to its SMSC (smpp)."""
    runtime = world.runtime
    assert runtime.now is utc_now, "networks and links wait for nobody's clock"
    runtime.http.close()
    runtime.http = Http(connect_seconds=1, read_seconds=0.6, call_seconds=1.5)
    with ExitStack() as stack:
        door = Door(runtime, lambda *_: [])
        stack.callback(door.close)
        server = sandbox_server(door)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        stack.callback(server.server_close)
        stack.callback(server.shutdown)
        runtime.settings = replace(runtime.settings, port=server.server_port)
        webhook = f"{runtime.settings.base_url}/webhooks/{SLUG}/{TOKEN}"
        is_linked = provider == "smpp"
        account = an_account("smpp", key="xa", secret="smppword") if is_linked else an_account(provider, webhook)
        net = stack.enter_context(networks(folder, account, smsc_port=0 if is_linked else None))
        net.box.start()
        number = _connect(world, provider, net, settings)
        if is_linked:
            stack.enter_context(linked(world, SLUG))
        yield Town(world, net, number, is_linked)


@contextmanager
def linked(world: World, slug: str, clock: Callable[[], float] = time.monotonic) -> Iterator[None]:
    """The process that keeps the link is at work meanwhile, by this clock."""
    ended = threading.Event()
    failed: list[Exception] = []

    def run() -> None:
        try:
            keep_link(world.runtime, slug, ended.is_set, clock=clock)
        except Exception as error:  # noqa: BLE001 - told to the test below
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(20)
    assert not failed, failed
    assert not thread.is_alive()


def _connect(world: World, provider: str, net: Networks, more: dict[str, Any]) -> int:
    if provider == "smpp":
        kind, settings, secrets = "smpp", {"host": "127.0.0.1", "port": net.smsc.port, **SMPP[0]}, SMPP[1]
    else:
        send_url = f"{net.url}{PATHS[provider]}"
        kind, settings, secrets = "sms", {**SETTINGS[provider], "number": NUMBER, "send_url": send_url}, SECRETS
    return add_channel(
        world.runtime, commune="duc-hue", type=kind, slug=SLUG, name="SMS", settings={**settings, **more},
        secrets=secrets,
    )  # fmt: skip
