"""The rig of SMS through Kannel: words without marks, receipts by our own id, telephones that tell no order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bot.usecases.setup import add_channel
from tests.adapters.sms import SECRETS, SETTINGS, TOKEN
from tests.builders import World
from tests.flows.rigs import Accepted, held
from tests.flows.rigs.telephones import Telephones
from tests.sandbox.networks import NUMBER, Networks, an_account, networks
from tests.towns import PATHS, SLUG

FAULTS: dict[str, dict[str, Any]] = {
    "slow": {"kind": "slow", "when": "before", "seconds": 0.1},
    "server error": {"kind": "status", "status": 502},
    "late answer": {"kind": "slow", "when": "after", "seconds": 1.6},
    "lost answer": {"kind": "drop", "when": "after"},
    "malformed": {"kind": "malformed"},
    "throttled": {"kind": "throttle"},
    "key refused": {"kind": "key"},
}


@dataclass
class SmsRig(Telephones):
    """The commune's number at a pretend Kannel."""

    net: Networks
    channel_id: int
    tells_order: bool = False  # a second's resolution, and the moment of the call, not of the telephone

    def fault(self, name: str, times: int = 1) -> None:
        """Let the next sends suffer this."""
        self.net.fault(count=times, **FAULTS[name])

    def mend(self) -> None:
        """No faults, and the key opens again."""
        self.net.fault("clear")

    def accepted(self, who: str = "") -> list[Accepted]:
        """What the network took from us; its id is what we put into the receipt's address."""
        with self.net.box.store.reading() as db:
            question = (
                "SELECT wants, text_sha256 FROM sms_messages WHERE from_phone = 0 AND ? IN ('', phone) ORDER BY id"
            )
            rows = db.execute(question, (who,)).fetchall()
        return [Accepted(parse_qs(urlsplit(json.loads(row[0])[1]).query)["id"][0], row[1]) for row in rows]

    def acknowledged(self) -> int:
        """How many different calls the gateway has taken; a receipt that nobody asked for is none."""
        with self.net.box.store.reading() as db:
            told = "SELECT count(*) FROM sms_calls WHERE state = 'told' AND result = ''"
            return int(db.execute(told).fetchone()[0])


@contextmanager
def a_rig(folder: Path, world: World, gateway_url: str) -> Iterator[SmsRig]:
    """A number of the commune's own at a Kannel that runs."""
    port = urlsplit(gateway_url).port
    assert port is not None
    world.runtime.settings = replace(world.runtime.settings, port=port)  # receipts are asked for at this address
    with networks(folder, an_account("kannel", f"{gateway_url}/webhooks/{SLUG}/{TOKEN}")) as net:
        held(net.client, is_held=True)
        net.box.start()
        channel_id = add_channel(
            world.runtime,
            commune="duc-hue",
            type="sms",
            slug=SLUG,
            name="SMS Đức Huệ",
            settings={**SETTINGS["kannel"], "number": NUMBER, "send_url": f"{net.url}{PATHS['kannel']}"},
            secrets=SECRETS,
            rate_per_second=200.0,
        )
        yield SmsRig(net, channel_id)
