"""Words for tests about bulletins: two channels with followers, a bulletin tried by its author, and its approval."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from bot.rules.bulletins import FULL_CHECKLIST
from bot.usecases import bulletin_trying, bulletins
from bot.usecases.bulletins import Written, plan_of
from bot.usecases.sending import PERSONAL, send_due
from bot.usecases.setup import add_channel
from storage.announcements import Announcement
from storage.bulletins import Bulletin, Tester, legs_of
from storage.contacts import Urn
from storage.enums import Importance
from tests.builders import APP, APP_SECRET, OA_SECRET, World
from tests.usecases.telling import BODY, TITLE, followers

OTHER_OA = "2000000000000000009"


def second_channel(world: World) -> int:
    """Another official account of the same commune."""
    return add_channel(
        world.runtime,
        commune="duc-hue",
        type="zalo",
        slug="zalo-hai",
        name="Zalo OA thứ hai",
        settings={"app_id": APP, "oa_id": OTHER_OA, "is_sandbox": True, "api_base": "http://127.0.0.1:9",
                  "oauth_base": "http://127.0.0.1:9"},
        secrets={"app_secret": APP_SECRET, "oa_secret": OA_SECRET},
        tokens=_tokens(),
    )  # fmt: skip


def _tokens() -> Any:
    from datetime import UTC, datetime

    from adapters.messages import Tokens

    return Tokens("an-access-token", "a-refresh-token", datetime.now(UTC) + timedelta(days=3650))


def on(world: World, channel_id: int) -> World:
    """The same commune, looked at through another of its channels."""
    return replace(world, channel_id=channel_id)


def written(world: World, channels: Iterable[int] = (), **changes: Any) -> Written:
    """A routine bulletin for the whole commune, good for three days."""
    values = {
        "title": TITLE,
        "body": BODY,
        "channel_ids": tuple(channels) or (world.channel_id,),
        "valid_until": world.clock() + timedelta(days=3),
    }
    return Written(**{**values, **changes})


def tried(world: World, number: int, who: str = "tuan") -> None:
    """The author reads the bulletin on their own phone, which follows nothing."""
    runtime = world.runtime
    [value] = followers(world, 1, is_following=False)
    with runtime.database.transaction() as session:
        urn = session.scalars(sa.select(Urn).where(Urn.value == value)).one()
        session.add(
            Tester(
                commune_id=world.commune_id, official_id=world.officials[who], digest=value[-20:],
                expires_at=world.clock(), channel_id=world.channel_id, urn_id=urn.id, agreed_at=world.clock(),
            )
        )  # fmt: skip
    row = bulletin(world, number)
    bulletin_trying.send(runtime, world.official(who), number, version=row.version, channel_id=world.channel_id)
    with runtime.database.transaction() as session:
        session.execute(sa.text("UPDATE channels SET rate_per_second = 5000"))
    send_due(runtime, PERSONAL)


def a_bulletin(world: World, channels: Iterable[int] = (), **changes: Any) -> int:
    return bulletins.draft(world.runtime, world.official("tuan"), written(world, channels, **changes))


def submitted(world: World, channels: Iterable[int] = (), **changes: Any) -> int:
    number = a_bulletin(world, channels, **changes)
    tried(world, number)
    submit(world, number)
    return number


def submit(world: World, number: int) -> None:
    version = bulletin(world, number).version
    bulletins.submit(world.runtime, world.official("tuan"), number, version=version, confirmed=FULL_CHECKLIST)


def approved(world: World, channels: Iterable[int] = (), **changes: Any) -> int:
    number = submitted(world, channels, **changes)
    approve(world, number)
    return number


def approve(world: World, number: int, who: str = "hoa", reason: str = "") -> None:
    row = bulletin(world, number)
    if row.importance is Importance.EMERGENCY:
        reason = reason or "Lũ đang lên."
    seen = plan_of(row).digest
    bulletins.approve(world.runtime, world.official(who), number, seen_hash=seen, reason=reason)


def bulletin(world: World, number: int) -> Bulletin:
    with world.runtime.database.reading() as session:
        return session.get_one(Bulletin, number)


def legs(world: World, number: int) -> list[Announcement]:
    with world.runtime.database.reading() as session:
        return legs_of(session, [number])[number]
