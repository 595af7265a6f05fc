"""Stores: a disk and a bucket keep the same promises, and say in words what an operator must mend."""

from __future__ import annotations

import hashlib
import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.secret import Secret
from bot.bucket import Bucket, BucketAccess
from bot.stores import Disk, Store, StoreAway, StoreUnusable
from tests.adapters.channels import answer, behaving
from tests.buckets import BUCKET, KEY_ID, S3, SECRET_KEY, an_s3

DATA = b"\xff\xd8\xff a photo"
NAME = hashlib.sha256(DATA).hexdigest()
OLD = "0f" * 16


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    with an_s3() as found:
        yield found


@pytest.fixture(params=["disk", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty store of each kind."""
    if request.param == "disk":
        return Disk(tmp_path / "blobs")
    return request.getfixturevalue("s3").bucket(f"s3://{BUCKET}/{tmp_path.name}")


def test_what_was_put_is_there_until_it_is_removed(store: Store) -> None:
    assert store.get(NAME) is None
    assert not store.has(NAME, len(DATA))
    store.put(NAME, DATA)
    store.put(NAME, DATA)
    assert store.get(NAME) == DATA
    assert store.has(NAME, len(DATA))
    assert not store.has(NAME, len(DATA) - 1)
    store.remove(NAME)
    store.remove(NAME)
    assert store.get(NAME) is None


def test_names_are_those_of_our_files_only(store: Store) -> None:
    store.put(NAME, DATA)
    store.put(OLD, b"")
    assert sorted(store.names()) == sorted([OLD, NAME])
    assert store.get(OLD) == b""


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "a/b", "Z" * 64, NAME + "0", "none"])
def test_no_other_name_leads_anywhere(store: Store, name: str) -> None:
    assert store.get(name) is None
    assert not store.has(name, 0)
    store.remove(name)


def test_a_check_leaves_nothing_behind(store: Store) -> None:
    store.check()
    assert list(store.names()) == []


def test_many_files_are_all_named(s3: S3) -> None:
    store = s3.bucket(f"s3://{BUCKET}/many")
    names = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(1_005)]  # a page holds 1,000
    for name in names:
        store.put(name, b"x")
    assert sorted(store.names()) == sorted(names)


def test_two_prefixes_of_one_bucket_do_not_see_each_other(s3: S3) -> None:
    one, other = s3.bucket(f"s3://{BUCKET}/one"), s3.bucket(f"s3://{BUCKET}/one-more")
    one.put(NAME, DATA)
    assert other.get(NAME) is None
    assert list(other.names()) == []
    assert f"one/{NAME[:2]}/{NAME}" in s3.objects()


# --- what is wrong, in words ------------------------------------------------------------------------------------------


def test_a_bucket_that_is_not_there_is_named(s3: S3) -> None:
    with pytest.raises(StoreUnusable, match="there is no bucket no-such-bucket; create it"):
        s3.bucket("s3://no-such-bucket/files").check()


def test_reading_from_a_bucket_that_is_not_there_is_no_missing_file(s3: S3) -> None:
    with pytest.raises(StoreUnusable):
        s3.bucket("s3://no-such-bucket").get(NAME)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("AccessDenied", "widen its rights"),
        ("InvalidAccessKeyId", "HAICHIEU_BLOBS_KEY_ID"),
        ("SignatureDoesNotMatch", "HAICHIEU_BLOBS_SECRET_KEY"),
    ],
)
def test_a_key_that_is_refused_is_explained(code: str, words: str) -> None:
    body = f"<Error><Code>{code}</Code><Message>{KEY_ID}</Message></Error>".encode()
    with behaving(answer(body, "403 Forbidden", "Content-Type: application/xml")) as server:
        store = Bucket(f"s3://{BUCKET}", _access(server.port))
        with pytest.raises(StoreUnusable, match=words) as caught:
            store.check()
    assert SECRET_KEY not in str(caught.value) + repr(caught.value)


def test_a_store_that_does_not_listen_is_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(StoreAway, match="EndpointConnectionError") as caught:
        Bucket(f"s3://{BUCKET}", _access(port)).put(NAME, DATA)
    assert not isinstance(caught.value, StoreUnusable)


def test_a_store_with_a_fault_of_its_own_is_asked_three_times_and_then_away() -> None:
    body = b"<Error><Code>InternalError</Code></Error>"
    with behaving(answer(body, "500 Internal Server Error", "Content-Type: application/xml")) as server:
        with pytest.raises(StoreAway, match="InternalError"):
            Bucket(f"s3://{BUCKET}", _access(server.port)).get(NAME)
        assert len(server.requests) == 3


def test_no_secret_stands_in_anything_that_is_printed(s3: S3, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        store = s3.bucket()
        store.put(NAME, DATA)
        store.remove(NAME)
    told = " ".join([repr(s3.access), repr(store), repr(vars(store)), caplog.text])
    assert SECRET_KEY not in told
    assert "Signature=" not in told


def test_without_the_library_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(StoreUnusable, match=r"haichieu\[s3\]"):
        Bucket(f"s3://{BUCKET}", BucketAccess())


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "blobs"
    blocked.write_text("a file where the folder should be")
    with pytest.raises(StoreUnusable, match=str(blocked)):
        Disk(blocked).check()
    with pytest.raises(StoreAway):
        Disk(blocked).put(NAME, DATA)


def test_a_full_disk_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    disk = Disk(tmp_path)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreAway, match="No space left"):
        disk.put(NAME, DATA)
    assert disk.get(NAME) is None
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def _access(port: int) -> BucketAccess:
    return BucketAccess(f"http://127.0.0.1:{port}", "us-east-1", KEY_ID, Secret(SECRET_KEY))
