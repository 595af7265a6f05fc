"""A file is kept once however many name it, stays as long as one does, and then really goes."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

import storage.blobs
from bot.stores import StoreAway
from bot.usecases.erasing import erase_let_go, erase_unnamed
from bot.usecases.media import fetch_due
from bot.usecases.sweep import waiting_jobs
from storage.blobs import Blob, begin_to_erase, let_go, take_hold
from storage.channels import Channel
from storage.contacts import Conversation
from storage.database import Database
from storage.deliveries import Delivery
from storage.enums import AttachmentState, DeliveryKind, InboundState
from storage.messages import Attachment, InboundEvent, Message
from storage.upgrade import upgrade
from tests.adapters.channels import BadChannel, answer, behaving
from tests.builders import OA, World, all_rows, text_event
from tests.conftest import Clock
from tests.usecases.looking import take_in
from tests.usecases.test_media import allow, picture

HOA, BINH = "3000000000000000003", "3000000000000000004"
NAME = hashlib.sha256(picture()).hexdigest()


@pytest.fixture
def cdn(morning: World):
    """A server that gives everybody the same picture."""
    with behaving(answer(picture())) as channel:
        yield channel


def sends(world: World, cdn: BadChannel, user: str) -> None:
    """A citizen sends the photo, and it is fetched."""
    image = {"type": "image", "payload": {"url": allow(world, cdn), "thumbnail": ""}}
    world.event(text_event("", user=user, attachments=[image]) | {"event_name": "user_send_image"})
    take_in(world)
    fetch_due(world.runtime)


def withdraws(world: World, user: str) -> None:
    world.event({"event_name": "user_withdraw", "oa_id": OA, "user_id": user})
    take_in(world)
    erase_let_go(world.runtime)


def files(world: World) -> list[str]:
    """The names of all files on the disk, half-written ones too."""
    root: Path = world.runtime.blobs.store.root  # type: ignore[attr-defined]
    return sorted(path.name for path in root.rglob("*") if path.is_file())


def named(world: World) -> list[str | None]:
    return [row.blob for row in all_rows(world.runtime, Attachment)]


def lets_go(world: World, *names: str) -> None:
    with world.runtime.database.transaction() as session:
        let_go(session, names, world.clock())


def test_the_same_photo_of_two_people_is_kept_once(morning: World, cdn: BadChannel) -> None:
    sends(morning, cdn, HOA)
    sends(morning, cdn, BINH)
    assert named(morning) == [NAME, NAME]
    assert files(morning) == [NAME]


def test_a_photo_stays_for_the_other_who_sent_the_same_one(morning: World, cdn: BadChannel, clock: Clock) -> None:
    sends(morning, cdn, HOA)
    sends(morning, cdn, BINH)
    clock.move(minutes=5)
    withdraws(morning, HOA)
    assert named(morning) == [None, NAME]
    assert morning.runtime.blobs.read(NAME) == picture()
    withdraws(morning, BINH)
    assert named(morning) == [None, None]
    assert files(morning) == []
    assert all_rows(morning.runtime, Blob) == []


def test_a_photo_sent_again_after_it_was_erased_is_kept_again(morning: World, cdn: BadChannel, clock: Clock) -> None:
    sends(morning, cdn, HOA)
    clock.move(minutes=5)
    withdraws(morning, HOA)
    sends(morning, cdn, BINH)
    assert morning.runtime.blobs.read(NAME) == picture()


def test_an_official_picture_that_others_were_promised_outlives_the_first_talk(morning: World, clock: Clock) -> None:
    """The result of a report goes to all who joined it, with the same picture."""
    for user in (HOA, BINH):
        morning.says("Đèn đường xóm 5 tối om", user=user)
    take_in(morning)
    blob = morning.runtime.blobs.keep(picture())
    with morning.runtime.database.transaction() as session:
        for talk in session.scalars(sa.select(Conversation).order_by(Conversation.id)).all():
            session.add(
                Delivery(
                    commune_id=talk.commune_id, key=f"result:{talk.id}", channel_id=talk.channel_id, urn_id=talk.urn_id,
                    conversation_id=talk.id, kind=DeliveryKind.REPLY, image_blob=blob, next_attempt_at=clock.now,
                    created_at=clock.now,
                )
            )  # fmt: skip
    clock.move(minutes=5)
    withdraws(morning, HOA)
    assert [d.image_blob for d in all_rows(morning.runtime, Delivery) if d.key.startswith("result:")] == [None, blob]
    assert morning.runtime.blobs.read(blob) == picture()


@pytest.mark.parametrize("state", [InboundState.WAITING, InboundState.PARKED])
def test_a_file_of_an_event_nobody_has_read_stays(morning: World, clock: Clock, state: InboundState) -> None:
    blob = morning.runtime.blobs.keep(picture())
    with morning.runtime.database.transaction() as session:
        session.add(
            InboundEvent(
                commune_id=morning.commune_id, channel_id=morning.channel_id, key="k", event_name="message",
                conversation_key="web:1", body=json.dumps({"files": [{"blob": f"{blob}.0"}]}).encode(), state=state,
                occurred_at=clock.now, received_at=clock.now, next_try_at=clock.now,
            )
        )  # fmt: skip
    clock.move(hours=3)
    lets_go(morning, blob)
    erase_let_go(morning.runtime)
    assert erase_unnamed(morning.runtime) in {0, 1}
    assert morning.runtime.blobs.read(blob) == picture()
    with morning.runtime.database.transaction() as session:
        session.execute(sa.update(InboundEvent).values(body=b"{}"))
    erase_unnamed(morning.runtime)
    assert files(morning) == []


def test_what_a_crash_left_without_a_row_goes_after_an_hour(morning: World, clock: Clock) -> None:
    blob = morning.runtime.blobs.keep(picture())  # and the process died
    clock.move(minutes=59)
    erase_unnamed(morning.runtime)
    assert files(morning) == [blob]
    clock.move(minutes=2)
    erase_unnamed(morning.runtime)
    assert files(morning) == []


def test_what_was_half_written_goes_too(morning: World, clock: Clock) -> None:
    import os

    half = morning.runtime.blobs.store.root / "parts" / f"{NAME}.0"  # type: ignore[attr-defined]
    half.parent.mkdir(parents=True)
    half.write_bytes(b"ha")
    os.utime(half, (clock.now.timestamp(), clock.now.timestamp()))
    erase_unnamed(morning.runtime)
    assert half.exists()
    clock.move(hours=2)
    erase_unnamed(morning.runtime)
    assert not half.exists()


def test_nobody_erases_what_was_kept_a_moment_ago(morning: World, clock: Clock) -> None:
    """Whoever kept it is about to name it."""
    blob = morning.runtime.blobs.keep(picture())
    lets_go(morning, blob)
    assert erase_let_go(morning.runtime) == 0
    assert files(morning) == [blob]
    clock.move(seconds=61)
    assert "media" in waiting_jobs(morning.runtime)
    assert erase_let_go(morning.runtime) == 1
    assert files(morning) == []
    assert "media" not in waiting_jobs(morning.runtime)


def test_the_same_bytes_kept_while_they_are_being_erased_are_kept_beside(morning: World, clock: Clock) -> None:
    old = morning.runtime.blobs.keep(picture())
    clock.move(minutes=5)
    with morning.runtime.database.transaction() as session:
        assert begin_to_erase(session, old, clock.now)
    with morning.runtime.database.transaction() as session:
        assert not take_hold(session, old)
    new = morning.runtime.blobs.keep(picture())
    assert new != old
    erase_let_go(morning.runtime)
    assert files(morning) == sorted([old, new])  # only one may remove it
    clock.move(minutes=6)
    erase_let_go(morning.runtime)  # the one who began has died; the next finishes
    assert files(morning) == [new]
    assert morning.runtime.blobs.read(new) == picture()


def test_a_photo_whose_bytes_are_being_erased_at_this_moment_is_fetched_again(
    morning: World, cdn: BadChannel, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = morning.runtime.blobs.keep

    def keep_while_another_erases(data: bytes) -> str:
        name = real(data)
        monkeypatch.setattr(morning.runtime.blobs, "keep", real)
        with morning.runtime.database.transaction() as session:
            assert begin_to_erase(session, name, clock.now + timedelta(minutes=2))
        morning.runtime.blobs.remove(name)
        return name

    monkeypatch.setattr(morning.runtime.blobs, "keep", keep_while_another_erases)
    sends(morning, cdn, HOA)
    (row,) = all_rows(morning.runtime, Attachment)
    assert row.state is AttachmentState.STORED
    assert morning.runtime.blobs.read(row.blob or "") == picture()


def test_a_store_that_is_away_is_asked_again_to_erase(
    morning: World, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    blob = morning.runtime.blobs.keep(picture())
    clock.move(minutes=5)
    lets_go(morning, blob)
    real = morning.runtime.blobs.store.remove

    def away(name: str) -> None:
        raise StoreAway("tests")

    monkeypatch.setattr(morning.runtime.blobs.store, "remove", away)
    assert erase_let_go(morning.runtime) == 0
    assert "media" not in waiting_jobs(morning.runtime)  # no hurry: not before a minute
    monkeypatch.setattr(morning.runtime.blobs.store, "remove", real)
    clock.move(minutes=2)
    assert "media" in waiting_jobs(morning.runtime)
    erase_let_go(morning.runtime)
    assert files(morning) == []


def test_many_who_keep_and_let_go_of_the_same_bytes_never_lose_a_named_file(
    morning: World, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the minute of grace: what rows decide must be right by itself."""
    monkeypatch.setattr(storage.blobs, "FRESH", timedelta(0))
    morning.says("Đèn đường xóm 5 tối om")
    take_in(morning)
    (message,) = [m for m in all_rows(morning.runtime, Message) if m.direction == "in"]
    runtime, lost, ended = morning.runtime, [], threading.Event()

    def keeps() -> None:
        for _ in range(25):
            name = runtime.blobs.keep(picture())
            with runtime.database.transaction() as session:
                if not take_hold(session, name):
                    continue
                row = Attachment(
                    commune_id=message.commune_id, message_id=message.id, kind="image", blob=name,
                    state=AttachmentState.STORED,
                )  # fmt: skip
                session.add(row)
                session.flush()
                number = row.id
            if runtime.blobs.read(name) != picture():
                lost.append(number)
            with runtime.database.transaction() as session:
                session.execute(sa.update(Attachment).where(Attachment.id == number).values(blob=None))
                let_go(session, [name], clock.now)

    def erases() -> None:
        while not ended.is_set():
            erase_let_go(runtime)

    keepers, eraser = [threading.Thread(target=keeps) for _ in range(3)], threading.Thread(target=erases)
    for thread in (*keepers, eraser):
        thread.start()
    for thread in keepers:
        thread.join()
    ended.set()
    eraser.join()
    assert lost == []
    erase_let_go(runtime)
    clock.move(hours=2)
    erase_unnamed(runtime)
    erase_let_go(runtime)
    assert files(morning) == []


def test_a_file_with_a_name_of_before_is_read_and_goes_with_its_row(morning: World, cdn: BadChannel) -> None:
    old = "0f" * 16
    morning.runtime.blobs.store.put(old, b"old bytes")
    sends(morning, cdn, HOA)
    with morning.runtime.database.transaction() as session:
        session.execute(sa.update(Attachment).values(blob=old))
    assert morning.runtime.blobs.read(old) == b"old bytes"
    withdraws(morning, HOA)
    assert old not in files(morning)


@pytest.mark.parametrize("name", ["", "../secret.key", "a" * 64 + "/..", "parts", "A" * 64])
def test_a_name_that_is_none_reads_nothing(morning: World, name: str) -> None:
    assert morning.runtime.blobs.read(name) is None


def test_files_of_before_are_known_after_the_upgrade(tmp_path: Path) -> None:
    path = tmp_path / "used.db"
    database = Database(f"sqlite:///{path}")
    upgrade(database, "0011")
    database.close()
    old = sqlite3.connect(path)  # without foreign keys: the rows around them do not matter here
    for number, kind in ((1, "audio"), (2, "image")):
        columns = "(id, commune_id, message_id, position, kind, state, blob, tries)"
        values = (number, 1, 1, 0, kind, "stored", f"blob{kind}", 6)
        old.execute(f"INSERT INTO attachments {columns} VALUES ({', '.join('?' * len(values))})", values)
    moment = "2026-10-01 05:00:00"
    delivery = {
        "commune_id": 1, "key": "k", "channel_id": 1, "urn_id": 1, "kind": "reply", "priority": 5, "part": 1,
        "parts": 1, "text": "", "image_blob": "blobimage", "state": "sent", "tries": 1, "resends": 0,
        "next_attempt_at": moment, "created_at": moment,
    }  # fmt: skip
    names = ", ".join(delivery)
    old.execute(f"INSERT INTO deliveries ({names}) VALUES (:{names.replace(', ', ', :')})", delivery)
    old.commit()
    old.close()
    upgrade(database)
    with database.reading() as session:
        kept = sorted(session.scalars(sa.select(Blob.name)))
        waiting = sorted(session.execute(sa.select(Attachment.kind, Attachment.playing, Attachment.tries)).all())
    database.close()
    assert kept == ["blobaudio", "blobimage"]
    assert waiting == [("audio", "waiting", 0), ("image", "none", 6)]


def test_no_other_channel_can_name_a_file_by_its_bytes(morning: World) -> None:
    """A portal that signs its own events knows the sum of a file it has; that is no right to the one we keep."""
    from bot.usecases.form_files import name_of, reference_to

    blob = morning.runtime.blobs.keep(picture())
    mine = morning.channel
    other = Channel(id=mine.id + 1)
    reference = reference_to(morning.runtime, mine, blob)
    assert name_of(morning.runtime, mine, reference) == blob
    assert name_of(morning.runtime, other, reference) is None
    assert name_of(morning.runtime, mine, blob) is None
    assert name_of(morning.runtime, mine, f"{blob}.{'0' * 32}") is None
    assert name_of(morning.runtime, mine, "0f" * 16) == "0f" * 16  # from before, and nobody guesses it
