"""The rig of a Zalo Official Account: events are brought, tokens expire, our own words come back as echoes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from adapters.messages import Tokens
from bot.runtime import utc_now
from bot.usecases.tokens import keep_first_tokens
from bot.web.sandbox import tokens
from storage.channels import Channel
from tests.builders import OA, World
from tests.flows.rigs import Accepted, held
from tests.sandbox.running import ACCESS, REFRESH, Running, running, until

FAULTS: dict[str, list[dict[str, Any]]] = {
    "slow": [{"kind": "slow", "when": "before", "seconds": 0.1}],
    "server error": [{"kind": "status", "status": 502}],
    "late answer": [{"kind": "slow", "when": "after", "seconds": 1.6}],
    "lost answer": [{"kind": "drop", "when": "after"}],
    "malformed": [{"kind": "malformed"}],
    "throttled": [{"kind": "error", "code": -32, "message": "Application has exceeded its limit"}],
    "throttled by http": [{"kind": "status", "status": 429, "retry_after": 40}],
    "token expired": [{"kind": "token_expired"}],
    "consent lost": [{"kind": "token_expired"}, {"kind": "refresh_invalid"}],
}


@dataclass
class ZaloRig:
    """The commune's account at a pretend Zalo."""

    world: World
    zalo: Running
    channel_id: int
    tells_order: bool = True

    def as_sent(self, text: str) -> str:
        """The words as they are."""
        return text

    def citizen(self) -> str:
        """Somebody follows the account."""
        return str(self.zalo.control("citizens")["user_ids"][0])

    def urn(self, who: str) -> str:
        """How the gateway names this person."""
        return f"zalo:{who}"

    def says(self, who: str, text: str) -> None:
        """The person writes."""
        self.zalo.says(who, text)

    def again(self, who: str) -> None:
        """The latest webhook about the person, byte for byte."""
        assert self.zalo.control("redelivery", user_id=who)["event_id"]

    def swap(self, who: str) -> None:
        """The last two leave in the wrong order."""
        assert self.zalo.control("swap", user_id=who)["swapped"]

    def fault(self, name: str, times: int = 1) -> None:
        """Let the next sends suffer this."""
        if name == "throttled":  # it lasts until the next minute of Zalo's own clock, which must not be about to begin
            until(lambda: utc_now().second < 55, seconds=10)
        for one in FAULTS[name]:
            self.zalo.fault(count=times, **one)

    def mend(self) -> None:
        """No faults, and an administrator's consent anew."""
        self.zalo.fault("clear")
        with self.zalo.box.store.writing(quietly=True) as db:
            grant = tokens.issue(db, self.zalo.box.settings, OA)
        fresh = Tokens(grant.access_token, grant.refresh_token, utc_now() + timedelta(hours=25))
        keep_first_tokens(self.world.runtime, self.world.channel, fresh)

    def bring(self) -> None:
        """Let the webhooks go, those of our own words, too."""
        held(self.zalo.client, is_held=False)
        until(lambda: not self._webhooks()["counts"].get("pending"), seconds=20)
        held(self.zalo.client, is_held=True)

    def accepted(self, who: str = "") -> list[Accepted]:
        """What Zalo took from us."""
        return [Accepted(row["message_id"], row["text_sha256"]) for row in self.zalo.ledger(who)]

    def acknowledged(self) -> int:
        """How many different webhooks were answered with 200."""
        with self.zalo.box.store.reading() as db:
            question = "SELECT count(DISTINCT body) FROM webhooks WHERE state = 'delivered'"
            return int(db.execute(question).fetchone()[0])

    def _webhooks(self) -> dict[str, Any]:
        return dict(self.zalo.client.get("/control/webhooks").json())


@contextmanager
def a_rig(folder: Path, world: World, gateway_url: str) -> Iterator[ZaloRig]:
    """The world's own Zalo channel, at a pretend Zalo that runs."""
    with running(folder, webhook_url=f"{gateway_url}/webhooks/{world.channel.slug}") as zalo:
        held(zalo.client, is_held=True)
        addresses = {"api_base": zalo.url, "oauth_base": zalo.url}
        settings = {**world.channel.settings, **addresses}
        with world.runtime.database.transaction() as session:
            change = sa.update(Channel).where(Channel.id == world.channel_id)
            session.execute(change.values(settings=settings, rate_per_second=200.0))
        keep_first_tokens(world.runtime, world.channel, Tokens(ACCESS, REFRESH, utc_now() + timedelta(hours=25)))
        yield ZaloRig(world, zalo, world.channel_id)
