"""What citizens attached is fetched and kept, or it is said why not."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image

from adapters.http import MediaUnavailable
from bot.usecases import media
from bot.usecases.erasing import erase_let_go
from bot.usecases.media import NotWhatItSays, check, fetch_due, kind_of
from storage.enums import AttachmentState
from storage.messages import Attachment
from tests.adapters.channels import BadChannel, Behaviour, answer, behaving
from tests.builders import OA, World, all_rows, text_event
from tests.conftest import Clock
from tests.usecases.looking import take_in

MP4 = b"\0\0\0\x18ftypmp42"


def picture(kind: str = "JPEG", size: tuple[int, int] = (8, 8)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "#446655").save(out, kind)
    return out.getvalue()


def attached(world: World, url: str, *, kind: str = "image", **payload: object) -> None:
    """A citizen sends one file, and the event is taken in."""
    attachment = {"type": kind, "payload": {"url": url, "thumbnail": "", **payload}}
    event = text_event("", attachments=[attachment]) | {"event_name": f"user_send_{kind}"}
    world.event(event)
    take_in(world)


def the_file(world: World) -> Attachment:
    (row,) = all_rows(world.runtime, Attachment)
    return row


@pytest.fixture
def cdn() -> Iterator[BadChannel]:
    """A server that gives a picture, and counts how often."""
    with behaving(answer(picture())) as channel:
        yield channel


def allow(world: World, channel: BadChannel) -> str:
    """Let the channel fetch from this server; gives a file's address."""
    return allow_port(world, channel.port)


def allow_port(world: World, port: int) -> str:
    from storage.channels import Channel

    with world.runtime.database.transaction() as session:
        row = session.get_one(Channel, world.channel_id)
        row.settings = {**row.settings, "extra_media_hosts": [f"127.0.0.1:{port}"]}
    return f"http://127.0.0.1:{port}/a.jpg"


def test_a_photo_is_fetched_once_and_kept(morning: World, cdn: BadChannel) -> None:
    attached(morning, allow(morning, cdn))
    assert fetch_due(morning.runtime) == 1
    row = the_file(morning)
    assert (row.state, row.mime, row.size) == (AttachmentState.STORED, "image/jpeg", len(picture()))
    assert morning.runtime.blobs.read(row.blob or "") == picture()
    assert fetch_due(morning.runtime) == 0
    assert len(cdn.requests) == 1


def test_nothing_waits_after_a_fetch(morning: World, cdn: BadChannel) -> None:
    attached(morning, allow(morning, cdn))
    fetch_due(morning.runtime)
    assert (the_file(morning).lease_until, the_file(morning).missing_code) == (None, None)


@pytest.mark.parametrize(
    ("label", "behaviour", "code"),
    [
        ("not a picture", answer(b"<html>not a picture</html>"), "wrong_type"),
        ("a program", answer(b"\x7fELF\0\0"), "wrong_type"),
        ("half a picture's name", answer(b"\xff\xd8\xff"), "wrong_type"),
        ("elsewhere", answer(b"", "302 Found", "Location: http://127.0.0.1/"), "not_allowed"),
    ],
)
def test_a_file_that_will_never_be_good_is_given_up_at_once(
    label: str, behaviour: Behaviour, code: str, morning: World
) -> None:
    with behaving(behaviour) as channel:
        attached(morning, allow(morning, channel))
        fetch_due(morning.runtime)
    row = the_file(morning)
    assert (row.state, row.missing_code, row.blob) == (AttachmentState.MISSING, code, None), label


@pytest.mark.parametrize("behaviour", [answer(b""), answer(b"", "404 Not Found"), answer(b"", "503 Busy")])
def test_a_file_that_is_not_there_yet_is_tried_again(behaviour: Behaviour, morning: World, clock: Clock) -> None:
    with behaving(behaviour) as channel:
        attached(morning, allow(morning, channel))
        tries = []
        for _ in range(10):
            fetch_due(morning.runtime)
            tries.append(the_file(morning).tries)
            clock.move(minutes=10)
    assert tries == [1, 2, 3, 4, 5, 6, 6, 6, 6, 6]
    assert the_file(morning).state is AttachmentState.MISSING


def test_a_file_that_comes_late_is_kept(morning: World, clock: Clock) -> None:
    with behaving(answer(b"")) as channel:
        attached(morning, allow(morning, channel))
        fetch_due(morning.runtime)
    assert (the_file(morning).state, the_file(morning).missing_code) == (AttachmentState.WAITING, "empty")
    clock.move(minutes=1)
    with behaving(answer(picture())) as channel:
        url = allow(morning, channel)
        with morning.runtime.database.transaction() as session:
            session.get_one(Attachment, the_file(morning).id).url = url
        fetch_due(morning.runtime)
    assert the_file(morning).state is AttachmentState.STORED


def test_a_file_from_a_host_that_is_not_zalos_is_never_asked_for(morning: World, cdn: BadChannel) -> None:
    attached(morning, f"http://127.0.0.1:{cdn.port}/a.jpg")
    fetch_due(morning.runtime)
    assert the_file(morning).missing_code == "not_allowed"
    assert cdn.requests == []


def test_a_real_channel_fetches_nothing_from_inside(morning: World, cdn: BadChannel) -> None:
    from storage.channels import Channel

    url = allow(morning, cdn)
    attached(morning, url)
    with morning.runtime.database.transaction() as session:
        session.get_one(Channel, morning.channel_id).is_sandbox = False
    fetch_due(morning.runtime)
    assert the_file(morning).missing_code == "not_allowed"
    assert cdn.requests == []


def test_a_file_being_fetched_is_left_alone_until_its_lease_is_over(
    morning: World, cdn: BadChannel, clock: Clock
) -> None:
    attached(morning, allow(morning, cdn))
    assert media._claim(morning.runtime) is not None
    assert fetch_due(morning.runtime) == 0
    clock.move(seconds=91)
    assert fetch_due(morning.runtime) == 1
    assert the_file(morning).state is AttachmentState.STORED


def test_a_photo_that_arrives_after_a_withdrawal_is_not_kept(
    morning: World, cdn: BadChannel, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    attached(morning, allow(morning, cdn))
    real = morning.runtime.http.get_media

    def meanwhile(*args: Any, **more: Any) -> bytes:
        data = real(*args, **more)
        morning.event({"event_name": "user_withdraw", "oa_id": OA, "user_id": "3000000000000000003"})
        take_in(morning)
        return data

    monkeypatch.setattr(morning.runtime.http, "get_media", meanwhile)
    fetch_due(morning.runtime)
    row = the_file(morning)
    assert (row.state, row.missing_code, row.blob) == (AttachmentState.MISSING, "erased", None)
    clock.move(minutes=2)
    erase_let_go(morning.runtime)
    assert not [path for path in morning.runtime.blobs.store.root.rglob("*") if path.is_file()]


def test_a_slow_failure_does_not_undo_what_another_worker_stored(
    morning: World, cdn: BadChannel, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    attached(morning, allow(morning, cdn))
    slow = media._claim(morning.runtime)
    assert slow is not None
    clock.move(seconds=91)
    fetch_due(morning.runtime)
    monkeypatch.setattr(
        morning.runtime.http, "get_media", lambda *_a, **_k: (_ for _ in ()).throw(MediaUnavailable("too_large"))
    )
    media._fetch(morning.runtime, slow)
    assert the_file(morning).state is AttachmentState.STORED


def test_a_document_must_have_the_checksum_it_declared(morning: World) -> None:
    data = b"%PDF-1.4 don de nghi"
    with behaving(answer(data)) as channel:
        attached(morning, allow(morning, channel), kind="file", checksum="0" * 32, name="a.pdf", type="pdf")
        fetch_due(morning.runtime)
    assert the_file(morning).missing_code == "checksum"


# --- what bytes are ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "mime"),
    [
        (picture("JPEG"), "image/jpeg"),
        (picture("PNG"), "image/png"),
        (picture("GIF"), "image/gif"),
        (picture("WEBP"), "image/webp"),
        (b"#!AMR\n<", "audio/amr"),
        (b"ID3\x03", "audio/mpeg"),
        (b"\xff\xf1\x60\x40", "audio/aac"),
        (b"RIFF\0\0\0\0WAVEfmt ", "audio/wav"),
        (b"OggS\0", "audio/ogg"),
        (MP4, "video/mp4"),
        (b"%PDF-1.7", "application/pdf"),
        (b"PK\x03\x04\x14", "application/zip"),
        (b"\xd0\xcf\x11\xe0\xa1", "application/msword"),
        (b"ho ten,dia chi\n", "text/plain"),
        ("họ tên,địa chỉ\nNguyễn Văn Mẫu".encode(), "text/plain"),
        (("đ" * 4_000).encode()[1:-1], None),
        (("x" + "đ" * 4_000).encode(), "text/plain"),
        (b"\0\0\0\0", None),
        (b"\x7fELF", None),
        ("chữ\0".encode(), None),
        (b"\xff\xfe\x00\x01", None),
    ],
    ids=str,
)
def test_bytes_tell_what_they_are(data: bytes, mime: str | None) -> None:
    assert kind_of(data) == mime


@pytest.mark.parametrize(
    ("data", "kind", "mime"),
    [
        (picture("PNG"), "image", "image/png"),
        (picture("GIF"), "gif", "image/gif"),
        (b"#!AMR\n<", "audio", "audio/amr"),
        (MP4, "audio", "video/mp4"),
        (MP4, "video", "video/mp4"),
        (b"PK\x03\x04\x14", "file", "application/zip"),
        (picture("JPEG"), "file", "image/jpeg"),
    ],
)
def test_honest_bytes_are_welcome(data: bytes, kind: str, mime: str) -> None:
    assert check(data, kind, hashlib.md5(data).hexdigest().upper()) == mime
    assert check(data, kind, None) == mime


@pytest.mark.parametrize(
    ("data", "kind", "code"),
    [
        (b"%PDF-1.7", "image", "wrong_type"),
        (picture(), "audio", "wrong_type"),
        (picture(), "sticker", "wrong_type"),
        (b"plain words", "image", "wrong_type"),
        (picture()[:20], "image", "wrong_type"),
        (picture("PNG", (9_000, 9_000)), "image", "too_many_pixels"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bytes_that_pretend_are_not(data: bytes, kind: str, code: str) -> None:
    with pytest.raises(NotWhatItSays) as caught:
        check(data, kind, None)
    assert caught.value.code == code


def test_a_checksum_that_is_none_is_not_compared() -> None:
    assert check(picture(), "image", "not-a-checksum") == "image/jpeg"
