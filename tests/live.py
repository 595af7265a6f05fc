"""A commune that speaks to a pretend Zalo that runs, by the real clock."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from adapters.http import Http
from adapters.messages import Tokens
from bot.runtime import Runtime, utc_now
from bot.usecases.tokens import keep_first_tokens
from storage.channels import Channel
from storage.communes import Commune
from tests.builders import World, a_world
from tests.sandbox.running import ACCESS, REFRESH, Running


def live_on(runtime: Runtime, zalo: Running, *, rate: float = 200.0, patience: float = 2.0, **settings: Any) -> World:
    """Connect the commune to it. `patience`: seconds to wait for an answer; `settings`: the commune's."""
    runtime.now = utc_now
    runtime.http.close()
    runtime.http = Http(connect_seconds=1, read_seconds=patience, call_seconds=2 * patience)
    world = a_world(runtime, utc_now, api_base=zalo.url)
    keep_first_tokens(runtime, world.channel, Tokens(ACCESS, REFRESH, utc_now() + timedelta(hours=25)))
    with runtime.database.transaction() as session:
        session.execute(sa.update(Channel).values(rate_per_second=rate))
        session.execute(
            sa.update(Commune).values(
                settings={"quiet_hours": None, "after_photo": False, "undo_seconds": 0, **settings}
            )
        )
    return world
