"""Pictures: handed to Zalo once for many, again when Zalo has forgotten them, and never sent twice for it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.runtime import utc_now
from bot.usecases.sending import PERSONAL, send_due
from storage.deliveries import Attempt, Delivery
from storage.enums import DeliveryState
from storage.uploads import Upload
from tests.builders import World, all_rows
from tests.sandbox.running import Running
from tests.usecases.test_sending import JPG, change, listener, live, meets, writes_to, zalo

__all__ = ["listener", "live", "zalo"]


def uploads_made(zalo: Running) -> int:
    with zalo.box.store.reading() as db:
        return int(db.execute("SELECT count(*) FROM media WHERE kind = 'image'").fetchone()[0])


def a_picture_for(world: World, *users: str) -> str:
    blob = world.runtime.blobs.keep(JPG)
    for user in users:
        writes_to(world, user, f"Ảnh cho {user}", image_blob=blob)
    return blob


def age_uploads(zalo: Running, days: float) -> None:
    with zalo.box.store.writing() as db:
        db.execute("UPDATE media SET created_ms = created_ms - ?", (int(days * 86_400_000),))


def states(world: World) -> list[DeliveryState]:
    return [row.state for row in all_rows(world.runtime, Delivery)]


def test_one_picture_for_many_is_handed_over_once(live: World, zalo: Running) -> None:
    users = [meets(live, zalo) for _ in range(12)]
    a_picture_for(live, *users)
    assert send_due(live.runtime, PERSONAL, budget_seconds=20) == 12
    assert states(live) == [DeliveryState.SENT] * 12
    assert uploads_made(zalo) == 1
    assert [row["kind"] for row in zalo.ledger()] == ["image"] * 12
    assert len(all_rows(live.runtime, Upload)) == 1


def test_a_picture_that_zalo_has_forgotten_is_handed_over_again_in_the_same_try(live: World, zalo: Running) -> None:
    first, second = meets(live, zalo), meets(live, zalo)
    blob = a_picture_for(live, first)
    send_due(live.runtime, PERSONAL)
    age_uploads(zalo, 8)
    writes_to(live, second, "Ảnh nữa", image_blob=blob)
    send_due(live.runtime, PERSONAL)
    assert states(live) == [DeliveryState.SENT] * 2
    assert uploads_made(zalo) == 2
    assert [attempt.number for attempt in all_rows(live.runtime, Attempt)] == [1, 1]
    assert len(zalo.ledger()) == 2


def test_an_id_that_is_old_by_our_own_count_is_not_used(live: World, zalo: Running) -> None:
    user = meets(live, zalo)
    blob = a_picture_for(live, user)
    send_due(live.runtime, PERSONAL)
    change(live, Upload, uploaded_at=utc_now() - timedelta(days=6, hours=1))
    age_uploads(zalo, 6.1)
    writes_to(live, user, "Ảnh nữa", image_blob=blob)
    send_due(live.runtime, PERSONAL)
    assert uploads_made(zalo) == 2
    urls = [one["url"] for attempt in all_rows(live.runtime, Attempt) for one in attempt.exchange]
    assert [url.rpartition("/oa/")[2] for url in urls] == ["upload/image", "message/cs", "upload/image", "message/cs"]


@pytest.mark.parametrize("times", [2])
def test_a_picture_that_is_forgotten_at_once_is_tried_later_and_not_for_ever(
    live: World, zalo: Running, times: int
) -> None:
    a_picture_for(live, meets(live, zalo))
    zalo.fault("error", code=-100, count=times * 2)
    for _ in range(times):
        send_due(live.runtime, PERSONAL)
        change(live, Delivery, next_attempt_at=utc_now() - timedelta(seconds=1))
    [row] = all_rows(live.runtime, Delivery)
    assert (row.state, row.code, row.tries) == (DeliveryState.REFUSED, "zalo_-100", 2)
    assert zalo.ledger() == []


def test_a_picture_whose_handing_over_is_unclear_is_sent_to_nobody_yet(live: World, zalo: Running) -> None:
    a_picture_for(live, meets(live, zalo))
    zalo.fault("drop", applies_to="upload", when="after")
    send_due(live.runtime, PERSONAL)
    [row] = all_rows(live.runtime, Delivery)
    assert (row.state, row.code) == (DeliveryState.WAITING, "zalo_upload_unclear")
    assert all_rows(live.runtime, Upload) == []
    change(live, Delivery, next_attempt_at=utc_now() - timedelta(seconds=1))
    send_due(live.runtime, PERSONAL)
    assert states(live) == [DeliveryState.SENT]
