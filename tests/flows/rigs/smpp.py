"""The rig of SMPP: a thread keeps the link and sends by itself, one message at a time (a window of 1), by a clock of
its own that moves only while the link waits for it: for its next look, its next try, an answer that never comes.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bot.usecases.links import LinkState, link_of
from bot.usecases.sending import may_send
from bot.usecases.setup import add_channel
from bot.web.sandbox.sms.smsc import id_of
from storage.channels import Channel
from storage.deliveries import Attempt, Delivery
from storage.enums import DeliveryState
from tests.builders import World
from tests.flows.rigs import Accepted, held
from tests.flows.rigs.telephones import Telephones
from tests.sandbox.networks import Networks, an_account, networks
from tests.sandbox.running import until
from tests.towns import SLUG, SMPP, linked

# What is accepted befalls the last piece, what is not the first: a message is there whole, or not at all.
FAULTS: dict[str, dict[str, Any]] = {
    "slow": {"applies_to": "last", "kind": "slow", "seconds": 0.1},
    "lost answer": {"applies_to": "last", "kind": "drop", "when": "after"},
    "session lost": {"kind": "drop", "when": "before"},
    "malformed": {"applies_to": "last", "kind": "malformed"},
    "mute": {"applies_to": "last", "kind": "mute"},
    "throttled": {"applies_to": "last", "kind": "throttle"},
    "system error": {"kind": "error", "code": 0x08},
}
# What befalls every bind until it is mended, how the row names it, and what officials read.
NO_SESSION = {
    "key refused": ("key", "bind_0xe", "Nhà mạng không nhận tài khoản của đường nối."),
    "network away": ("drop", "unreachable", "Đường nối tới nhà mạng đang mất; hệ thống tự nối lại."),
}
LOOK, KEEP_ALIVE, HOLD = 0.5, 15.5, 1.0  # seconds: until it looks again, asks whether the SMSC lives, is let on
DEAD = 30.0


@dataclass
class LinkClock:
    """Seconds as the link counts them, set forward by hand."""

    ahead: float = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


@dataclass
class SmppRig(Telephones):
    """The commune's account at a pretend SMSC, and the process that keeps the link."""

    world: World
    net: Networks
    channel_id: int
    clock: LinkClock
    tells_order: bool = False  # a deliver_sm says nothing of when it was written
    trouble: str = ""
    code: str = ""
    _planned: str = ""
    _tries: int = 0
    _silence: Iterator[float] = field(default_factory=lambda: iter(()))

    def fault(self, name: str, times: int = 1) -> None:
        """Let the next sends suffer this, or let there be no session from now on."""
        if name not in NO_SESSION:
            self.net.fault(count=times, **FAULTS[name])
            self._planned = name
            # Twice its patience with silence, in steps that leave the session time to prove that it lives.
            self._silence = iter((KEEP_ALIVE, DEAD - KEEP_ALIVE - 0.5, 1.0))
            return
        kind, self.code, self.trouble = NO_SESSION[name]
        self.net.fault(kind, applies_to="bind", count=10_000)
        for session in list(self.net.smsc.sessions):
            session.hang_up()
        until(lambda: self._link().code == self.code or self._wait(LOOK), seconds=20)

    def mend(self) -> None:
        """The account opens again, the network is there."""
        self.net.fault("clear")
        self.code = self.trouble = ""
        until(lambda: self._link().is_up or self._wait(LOOK), seconds=20)

    def accepted(self, who: str = "") -> list[Accepted]:
        """What the network took from us, whole; the last piece has the id by which receipts speak of it."""
        question = (
            "SELECT id, total, piece, text FROM sms_messages WHERE from_phone = 0 AND ? IN ('', phone) ORDER BY id"
        )
        with self.net.box.store.reading() as db:
            rows = db.execute(question, (who,)).fetchall()
        whole, text = [], ""
        for row in rows:  # with a window of 1 the pieces of a message follow each other
            text = row["text"] if row["piece"] == 1 else text + row["text"]
            if row["piece"] == row["total"]:
                whole.append(Accepted(id_of(row["id"]), hashlib.sha256(text.encode()).hexdigest()))
        assert sum(row["piece"] == 1 for row in rows) == len(whole), "a message is there in part"
        return whole

    def acknowledged(self) -> int:
        """How many messages and receipts were acknowledged; that it is on its way the SMSC tells nobody."""
        told = "SELECT count(*) FROM sms_calls WHERE state = 'told' AND body NOT LIKE '%\"fate\": \"accepted\"%'"
        with self.net.box.store.reading() as db:
            return int(db.execute(told).fetchone()[0])

    # ---- the link ---------------------------------------------------------------------------------------------------

    def rested(self) -> int:
        """Wait until the link has done all it can for now; how many tries it made since it was asked last."""
        until(self._is_at_rest, seconds=20)
        with self.world.runtime.database.reading() as session:
            tries = session.scalar(sa.select(sa.func.count(Attempt.id))) or 0
        done, self._tries = tries - self._tries, tries
        return done

    def _is_at_rest(self) -> bool:
        link, now = self._link(), self.world.runtime.now()
        with self.world.runtime.database.reading() as session:
            open_ = Delivery.state.in_([DeliveryState.WAITING, DeliveryState.SENDING])
            owed = list(session.scalars(sa.select(Delivery).where(Delivery.channel_id == self.channel_id, open_)))
            may = session.scalar(sa.select(Channel.id).where(Channel.id == self.channel_id, *may_send(now)))
        if any(one.state is DeliveryState.SENDING for one in owed):
            return self._is_answered()
        first = {one.urn_id: one for one in sorted(owed, key=lambda one: one.id, reverse=True)}  # others wait for it
        is_due = may is not None and any(one.next_attempt_at <= now for one in first.values())
        if not link.is_kept:  # the lease is renewed by the clock of rows, which a test may just have moved
            return False
        if self.code:
            return link.code == self.code
        return (link.is_up and not is_due) or self._wait(LOOK)

    def _is_answered(self) -> bool:
        """Something is on its way: what it waits for, unless it is simply the answer, comes about. Never True."""
        is_met = bool(self._planned) and not self._faults()
        if is_met and self._planned == "throttled":
            return self._wait(HOLD)
        if is_met and self._planned == "mute":
            return self._wait(next(self._silence, 0.0))
        return False

    def _wait(self, seconds: float) -> bool:
        """Let the link's time pass; always False, for the next look will tell."""
        self.clock.ahead += seconds
        return False

    def _link(self) -> LinkState:
        with self.world.runtime.database.reading() as session:
            found = link_of(session.get_one(Channel, self.channel_id), self.world.runtime.now())
        assert found is not None
        return found

    def _faults(self) -> list[Any]:
        return list(self.net.client.get("/control/sms/faults").json()["faults"])


@contextmanager
def a_rig(folder: Path, world: World, _gateway_url: str) -> Iterator[SmppRig]:
    """An account of the commune's own at an SMSC that runs, with the link to it."""
    with networks(folder, an_account("smpp", key="xa", secret="smppword"), smsc_port=0) as net:
        held(net.client, is_held=True)
        net.box.start()
        settings, secrets = SMPP
        channel_id = add_channel(
            world.runtime,
            commune="duc-hue",
            type="smpp",
            slug=SLUG,
            name="SMPP Đức Huệ",
            settings={"host": "127.0.0.1", "port": net.smsc.port, "window": 1, **settings},
            secrets=secrets,
            rate_per_second=200.0,
        )
        rig = SmppRig(world, net, channel_id, LinkClock())
        with linked(world, SLUG, rig.clock):
            yield rig
