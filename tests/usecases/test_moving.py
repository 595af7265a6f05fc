"""Files move from a disk into a bucket and back while everything runs, each compared, and whenever one stops."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.blobs import Blobs
from bot.stores import Disk, StoreAway
from bot.usecases.erasing import erase_let_go
from bot.usecases.moving import NothingToMove, check_blobs, move
from storage.blobs import let_go
from storage.enums import AttachmentState
from storage.messages import Attachment, Message
from tests.buckets import BUCKET, S3, an_s3
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.usecases.looking import LIGHT, take_in

PHOTOS = [f"photo {number}".encode() for number in range(5)]


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    with an_s3() as found:
        yield found


@pytest.fixture
def moving(morning: World, s3: S3, clock: Clock, tmp_path: Path) -> World:
    """Five files that rows name lie on the disk; the settings now name a bucket."""
    morning.says(LIGHT)
    take_in(morning)
    names = [morning.runtime.blobs.keep(data) for data in PHOTOS]
    message = all_rows(morning.runtime, Message)[0]
    with morning.runtime.database.transaction() as session:
        for name in names:
            session.add(
                Attachment(
                    commune_id=message.commune_id, message_id=message.id, kind="file", blob=name,
                    state=AttachmentState.STORED,
                )
            )  # fmt: skip
    disk, bucket = morning.runtime.blobs.store, s3.bucket(f"s3://{BUCKET}/{secrets.token_hex(4)}")
    morning.runtime.blobs = Blobs(bucket, morning.runtime.database, clock, disk)
    return morning


def all_are_readable(world: World) -> bool:
    return [world.runtime.blobs.read(row.blob or "") for row in all_rows(world.runtime, Attachment)] == PHOTOS


def test_every_file_moves_and_is_read_meanwhile(moving: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first time the line breaks after two files; the second time the rest goes."""
    store, former = moving.runtime.blobs.store, moving.runtime.blobs.former
    real, put = store.put, []

    def put_two(name: str, data: bytes) -> None:
        if len(put) == 2:
            raise StoreAway("cut by a test")
        put.append(name)
        real(name, data)

    monkeypatch.setattr(store, "put", put_two)
    with pytest.raises(StoreAway):
        move(moving.runtime)
    assert len(list(former.names())) == 3
    assert all_are_readable(moving)
    monkeypatch.setattr(store, "put", real)
    assert move(moving.runtime).files == 3
    assert list(former.names()) == []
    assert sorted(store.names()) == sorted(hashlib.sha256(data).hexdigest() for data in PHOTOS)
    assert all_are_readable(moving)
    assert move(moving.runtime).files == 0


def test_files_move_back_to_a_disk(moving: World, tmp_path: Path, clock: Clock) -> None:
    move(moving.runtime)
    disk = Disk(tmp_path / "another")
    moving.runtime.blobs = Blobs(disk, moving.runtime.database, clock, moving.runtime.blobs.store)
    assert move(moving.runtime).size == sum(map(len, PHOTOS))
    assert len(list(disk.names())) == 5
    assert all_are_readable(moving)


def test_a_file_that_comes_back_otherwise_is_not_removed_where_it_was(
    moving: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, former = moving.runtime.blobs.store, moving.runtime.blobs.former
    real = store.put
    monkeypatch.setattr(store, "put", lambda name, data: real(name, data[:-1]))
    with pytest.raises(StoreAway, match="otherwise than it was put"):
        move(moving.runtime)
    assert len(list(former.names())) == 5


def test_a_half_copy_in_the_new_place_is_put_anew(moving: World) -> None:
    store, name = moving.runtime.blobs.store, hashlib.sha256(PHOTOS[0]).hexdigest()
    store.put(name, PHOTOS[0][:3])
    move(moving.runtime)
    assert store.get(name) == PHOTOS[0]


def test_a_file_taken_back_while_it_moves_lies_nowhere_afterwards(
    moving: World, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    store, former, name = moving.runtime.blobs.store, moving.runtime.blobs.former, hashlib.sha256(PHOTOS[0]).hexdigest()
    real = former.get

    def read_and_then_it_is_taken_back(asked: str) -> bytes | None:
        data = real(asked)
        if asked == name:
            clock.move(minutes=5)
            with moving.runtime.database.transaction() as session:
                row = session.query(Attachment).filter(Attachment.blob == name).one()
                row.blob = None
                let_go(session, [name], clock.now)
            erase_let_go(moving.runtime)
        return data

    monkeypatch.setattr(former, "get", read_and_then_it_is_taken_back)
    move(moving.runtime)
    assert name not in [*store.names(), *former.names()]


def test_what_this_installation_does_not_know_is_left(moving: World) -> None:
    stranger = "ab" * 32
    moving.runtime.blobs.former.put(stranger, b"of another installation")
    assert move(moving.runtime).unknown == 1
    assert list(moving.runtime.blobs.former.names()) == [stranger]


def test_without_a_former_place_nothing_moves(morning: World) -> None:
    with pytest.raises(NothingToMove, match="HAICHIEU_BLOBS_FORMER"):
        move(morning.runtime)


def test_a_check_says_when_several_machines_would_not_see_the_same_files(morning: World, engine_name: str) -> None:
    report = check_blobs(morning.runtime)
    warned = [finding.what for finding in report.findings if finding.level == "warn"]
    embedded = morning.runtime.settings.is_embedded
    assert report.is_fine
    assert warned == ([] if embedded else ["machines"])


def test_a_check_looks_at_both_places(moving: World) -> None:
    report = check_blobs(moving.runtime)
    assert [(f.level, f.what) for f in report.findings if f.level != "warn"] == [
        ("ok", "files"),
        ("ok", "former files"),
    ]
