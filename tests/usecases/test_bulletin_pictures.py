"""A bulletin's picture: a part of what is tried and approved, and carried wherever a channel carries pictures."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from adapters import ADAPTERS
from bot.runtime import utc_now
from bot.usecases import bulletin_following, bulletin_results, bulletins
from bot.usecases.announcing import AnnouncementError
from bot.usecases.broadcast import expand_due
from bot.usecases.bulletin_pictures import Picture
from bot.usecases.erasing import erase_let_go
from bot.usecases.sending import MANY, send_due
from storage.announcements import Announcement
from storage.bulletins import Bulletin
from storage.communes import Commune
from storage.contacts import Urn
from storage.deliveries import Delivery
from storage.enums import AnnouncementState, BulletinKind, BulletinState, DeliveryState
from storage.uploads import Upload
from tests.bots import Bot
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.sandbox.bots import BotApi
from tests.sandbox.running import Running
from tests.sms import an_sms_channel
from tests.usecases.bulletins import a_bulletin, approve, bulletin, legs, submit, submitted, tried, written
from tests.usecases.telling import Phone, followers, phone, run
from tests.usecases.test_replies import a_photo
from tests.usecases.test_sending import listener, live, meets, zalo
from tests.usecases.test_telegram_live import api, begun, bot

__all__ = ["api", "bot", "listener", "live", "phone", "zalo"]

SEEN = "Bản đồ khu vực cắt điện"


def with_picture(**changes: Any) -> dict[str, Any]:
    return {"picture": Picture(SEEN, a_photo()), **changes}


def edit(world: World, number: int, **changes: Any) -> None:
    version = bulletin(world, number).version
    written_now = written(world, **changes)
    bulletins.edit(world.runtime, world.official("tuan"), number, version=version, written=written_now)


def day_and_night(world: World) -> None:
    with world.runtime.database.transaction() as session:
        commune = session.get_one(Commune, world.commune_id)
        commune.settings = {**commune.settings, "quiet_hours": None}


def goes_out(world: World, number: int, *channels: int) -> None:
    """As if it had been tried and approved: real channels have real clocks."""
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Bulletin).values(state=BulletinState.SUBMITTED, submitted_at=utc_now()))
        session.execute(sa.text("UPDATE channels SET rate_per_second = 5000"))
    approve(world, number)
    for _ in range(10):
        if not expand_due(world.runtime) + send_due(world.runtime, MANY):
            break


# ---- written --------------------------------------------------------------------------------------------------------


def test_a_picture_is_made_anew_and_named_by_its_bytes(world: World, phone: Phone) -> None:
    followers(world, 1)
    number = a_bulletin(world, **with_picture())
    row = bulletin(world, number)
    kept = world.runtime.blobs.read(row.picture or "")
    assert kept is not None
    assert kept.startswith(b"\xff\xd8\xff")
    assert kept != a_photo()
    assert row.picture_words == SEEN


@pytest.mark.parametrize(
    ("picture", "says"),
    [
        (Picture("", a_photo()), "mô tả ảnh"),
        (Picture(SEEN, b"%PDF-1.7 not a picture"), "JPG, PNG"),
        (Picture(SEEN, b"x" * 8_000_001), "8 MB"),
    ],
    ids=["undescribed", "no picture", "too large"],
)
def test_what_is_no_picture_or_not_described_is_refused(world: World, picture: Picture, says: str) -> None:
    with pytest.raises(AnnouncementError, match=says):
        a_bulletin(world, picture=picture)
    assert all_rows(world.runtime, Bulletin) == []


def test_a_picture_stays_until_it_is_replaced_or_dropped_and_its_file_goes(
    world: World, phone: Phone, clock: Clock
) -> None:  # fmt: skip
    number = a_bulletin(world, **with_picture())
    first = bulletin(world, number).picture
    edit(world, number, title="Tiêu đề khác", picture=Picture(SEEN))
    assert bulletin(world, number).picture == first
    edit(world, number, picture=Picture("Ảnh khác", a_photo((80, 40))))
    second = bulletin(world, number).picture
    assert second != first
    edit(world, number, picture=Picture(is_dropped=True))
    assert (bulletin(world, number).picture, bulletin(world, number).picture_words) == (None, "")
    clock.move(minutes=5)
    erase_let_go(world.runtime)
    assert [world.runtime.blobs.read(name or "") for name in (first, second)] == [None, None]


def test_a_new_picture_needs_a_new_test_and_a_new_approval(world: World, phone: Phone) -> None:
    followers(world, 1)
    number = a_bulletin(world)
    tried(world, number)
    edit(world, number, **with_picture())
    with pytest.raises(AnnouncementError, match="gửi thử"):
        submit(world, number)
    tried(world, number)
    submit(world, number)
    seen = bulletins.plan_of(bulletin(world, number)).digest
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Bulletin).values(picture="0" * 64))
    with pytest.raises(AnnouncementError, match="đã thay đổi"):
        bulletins.approve(world.runtime, world.official("hoa"), number, seen_hash=seen)


def test_the_author_s_own_test_carries_it(world: World, phone: Phone) -> None:
    number = a_bulletin(world, **with_picture())
    tried(world, number)
    [test] = all_rows(world.runtime, Delivery)
    assert test.image_blob == bulletin(world, number).picture


# ---- sent -----------------------------------------------------------------------------------------------------------


def test_every_follower_is_owed_the_same_file_and_a_changed_one_goes_to_nobody(world: World, phone: Phone) -> None:
    followers(world, 3)
    number = submitted(world, **with_picture())
    approve(world, number)
    expand_due(world.runtime)
    picture = bulletin(world, number).picture
    assert [row.image_blob for row in all_rows(world.runtime, Delivery) if row.announcement_id] == [picture] * 3
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Announcement).values(image_blob="0" * 64, expanded_to_urn_id=0))
    expand_due(world.runtime)
    assert [leg.state for leg in legs(world, number)] == [AnnouncementState.STOPPED]


def test_a_channel_without_pictures_gets_the_words_and_the_preview_says_so(world: World, phone: Phone) -> None:
    world.runtime.adapters = {**ADAPTERS, "zalo": phone}
    sms = an_sms_channel(world)
    followers(world, 1)
    number = a_bulletin(world, (world.channel_id, sms), **with_picture())
    look = bulletin_results.look_at(world.runtime, world.official("tuan"), number)
    assert look.preview is not None
    assert {part.channel.type: part.has_picture for part in look.preview.channels} == {"zalo": True, "sms": False}
    tried(world, number)
    submit(world, number)
    approve(world, number)
    blobs = {leg.channel_id: leg.image_blob for leg in legs(world, number)}
    assert blobs == {world.channel_id: bulletin(world, number).picture, sms: None}


def test_a_correction_has_a_picture_of_its_own_or_none(world: World, phone: Phone) -> None:
    followers(world, 1)
    number = submitted(world, **with_picture())
    approve(world, number)
    run(world)
    made = bulletin_following.follow_up(world.runtime, world.official("tuan"), number, BulletinKind.CORRECTION)
    assert bulletin(world, made).picture is None
    edit(world, made, picture=Picture("Bản đồ đúng", a_photo((90, 90))))
    assert bulletin(world, made).picture not in {None, bulletin(world, number).picture}


def test_it_arrives_on_zalo_and_is_handed_over_once(live: World, zalo: Running) -> None:
    day_and_night(live)
    for _ in range(6):
        meets(live, zalo)
    with live.runtime.database.transaction() as session:
        session.execute(sa.update(Urn).values(is_following=True, opted_out_at=None))
    number = a_bulletin(live, valid_until=utc_now() + timedelta(days=2), **with_picture())
    goes_out(live, number)
    assert [row.state for row in all_rows(live.runtime, Delivery)] == [DeliveryState.SENT] * 6
    assert [row["kind"] for row in zalo.ledger()] == ["image"] * 6
    assert len(all_rows(live.runtime, Upload)) == 1


@pytest.mark.parametrize("is_long", [False, True])
def test_it_arrives_on_telegram_in_one_message_with_its_words(api: BotApi, bot: Bot, is_long: bool) -> None:
    world = bot.world
    day_and_night(world)
    people = [begun(api, bot) for _ in range(3)]
    with world.runtime.database.transaction() as session:
        session.execute(sa.delete(Delivery))
        session.execute(sa.update(Urn).values(is_following=True, opted_out_at=None))
    body = "Cắt điện để sửa đường dây. " * (32 if is_long else 1)
    number = a_bulletin(
        world, (bot.channel_id,), body=body, valid_until=utc_now() + timedelta(days=2), **with_picture()
    )
    goes_out(world, number)
    kept = world.runtime.blobs.read(bulletin(world, number).picture or "")
    for person in people:
        first, *rest = api.heard(person)
        assert api.client.get(f"/telegram/files/{first['photo'][0]['file_id']}").content == kept
        assert "Cắt điện" in first.get("caption", "")
        assert rest == []
    assert {row.state for row in all_rows(world.runtime, Delivery)} == {DeliveryState.SENT}
    assert len(files_of(api)) == 1
    [upload] = all_rows(world.runtime, Upload)
    assert {api.heard(person)[0]["photo"][0]["file_id"] for person in people} == {upload.handle}


def test_a_picture_that_telegram_does_not_know_is_brought_anew_in_the_same_try(api: BotApi, bot: Bot) -> None:
    world = bot.world
    day_and_night(world)
    person = begun(api, bot)
    with world.runtime.database.transaction() as session:
        session.execute(sa.delete(Delivery))
        session.execute(sa.update(Urn).values(is_following=True, opted_out_at=None))
    until = utc_now() + timedelta(days=2)
    number = a_bulletin(world, (bot.channel_id,), valid_until=until, **with_picture())
    ours = {"commune_id": world.commune_id, "channel_id": bot.channel_id}
    with world.runtime.database.transaction() as session:
        blob = session.get_one(Bulletin, number).picture or ""
        session.add(Upload(**ours, blob=blob, handle="AgAC-of-another-bot", uploaded_at=utc_now()))
    goes_out(world, number)
    [row] = all_rows(world.runtime, Delivery)
    assert (row.state, row.tries) == (DeliveryState.SENT, 1)
    [upload] = all_rows(world.runtime, Upload)
    assert upload.handle == api.heard(person)[0]["photo"][0]["file_id"]


def files_of(api: BotApi) -> list[str]:
    """The files that were handed to the pretend Telegram."""
    with api.box.store.reading() as db:
        return [str(row[0]) for row in db.execute("SELECT file_id FROM bot_files")]
