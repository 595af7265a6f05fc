"""A commune whose loudspeakers hang on a pretend source system that runs, by the real clock."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from bot.rules.deadlines import VIETNAM
from bot.runtime import Runtime, utc_now
from bot.usecases import loudspeakers, source_sending
from bot.usecases.loudspeakers import Order
from bot.usecases.setup import add_channel
from storage.loudspeakers import SourceBulletin, SourceLink
from tests.builders import World, all_rows
from tests.sandbox.villages import VILLAGE_PASSWORD, Villages

TITLE = "Cúp điện ngày mai"
SCRIPT = "Kính thưa bà con, ngày mai cúp điện từ tám giờ đến mười một giờ tại xóm năm."


def connect(world: World, found: Villages, *, password: str = VILLAGE_PASSWORD, **settings: Any) -> int:
    """Connect the commune's loudspeakers; from now on the real clock counts, as it does for the system."""
    world.runtime.now = utc_now
    return add_channel(
        world.runtime,
        commune="duc-hue",
        type="source_system",
        slug="loa-duc-hue",
        name="Loa truyền thanh Đức Huệ",
        settings={**found.settings, **settings},
        secrets={"password": password},
    )


def tomorrow_at_five() -> datetime:
    """When the bulletin of these tests plays."""
    day = utc_now().astimezone(VIETNAM).date() + timedelta(days=1)
    return datetime.combine(day, time(17, 0), VIETNAM)


def an_order(**more: Any) -> Order:
    """A bulletin for tomorrow at five, and for the board."""
    given: dict[str, Any] = {
        "title": TITLE,
        "script": SCRIPT,
        "urgency": "thong_thuong",
        "valid_until": utc_now() + timedelta(days=3),
        "days": (tomorrow_at_five().date(),),
        "slots": ((time(17, 0), time(17, 5)),),
        "lines": ("CÚP ĐIỆN 8–11 GIỜ NGÀY MAI",),
        "author": "Phạm Anh Tuấn",
        "approver": "Võ Thị Hoa",
        **more,
    }
    return Order(**given)


def an_emergency(**more: Any) -> Order:
    """A bulletin that is played as it comes."""
    return an_order(**{"urgency": "khan_cap", "title": "Nước lên nhanh", "days": (), "slots": (), "lines": (), **more})


def ordered(runtime: Runtime, channel_id: int, order: Order) -> int:
    """Order a bulletin; gives its number."""
    with runtime.database.transaction() as session:
        return loudspeakers.send(session, runtime, channel_id, order)


def recalled(runtime: Runtime, number: int, reason: str = "Sai ngày") -> None:
    """Take a bulletin back."""
    with runtime.database.transaction() as session:
        loudspeakers.recall(session, runtime, number, reason)


def go_on(runtime: Runtime, rounds: int = 8) -> None:
    """Let workers do what is due or waits for another try."""
    past = utc_now() - timedelta(days=1)
    for _ in range(rounds):
        with runtime.database.transaction() as session:
            session.execute(SourceBulletin.__table__.update().values(next_try_at=past))
        source_sending.run_due(runtime, budget_seconds=20)


def listen_again(runtime: Runtime) -> None:
    """Ask the system once more, whenever it would be asked."""
    from bot.usecases import source_listening

    with runtime.database.transaction() as session:
        session.execute(SourceLink.__table__.update().values(next_ask_at=utc_now() - timedelta(days=1), heard_at=None))
    source_listening.ask_due(runtime, budget_seconds=20)


def the_bulletin(runtime: Runtime) -> SourceBulletin:
    """The only one there is."""
    [row] = all_rows(runtime, SourceBulletin)
    return row


def how_far(runtime: Runtime, number: int) -> loudspeakers.Progress:
    """How far a bulletin is."""
    with runtime.database.reading() as session:
        return loudspeakers.progress(session, number)
