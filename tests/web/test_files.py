"""Files of citizens are served as what they are, and never as a page of ours."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from PIL import Image

from bot.blobs import digest
from bot.stores import StoreAway
from bot.usecases.playing import make_playable_due
from storage.enums import AttachmentState, Playing
from storage.messages import Attachment, Message
from storage.tickets import Ticket
from tests.builders import COMMUNE_CODE, World
from tests.usecases.test_playing import amr, film
from tests.usecases.test_replies import a_photo
from tests.web.pages import Browser

Reported = Callable[..., Ticket]
Open = Callable[[str], Browser]


@pytest.fixture
def keep(world: World, reported: Reported) -> Callable[..., int]:
    """Keep a file with a citizen's message; gives its number."""

    def keep(data: bytes, mime: str, name: str | None = None, state: AttachmentState = AttachmentState.STORED) -> int:
        reported("Rác chất đống ở Chợ Đình")
        blob = world.runtime.blobs.keep(data)
        with world.runtime.database.transaction() as session:
            message = session.scalars(sa.select(Message).where(Message.direction == "in")).first()
            assert message is not None
            row = Attachment(
                commune_id=world.commune_id,
                message_id=message.id,
                kind="file",
                state=state,
                mime=mime,
                blob=blob,
                name=name,
            )
            session.add(row)
            session.flush()
            return row.id

    return keep


def test_a_picture_opens_in_the_browser_and_can_do_nothing(browser: Open, keep: Callable[..., int]) -> None:
    answer = browser("lan").client.get(f"/files/{keep(a_photo(), 'image/jpeg')}")
    assert answer.mimetype == "image/jpeg"
    with Image.open(io.BytesIO(answer.data)) as shown:
        assert shown.format == "JPEG"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("mime", ["text/html", "image/svg+xml", "application/pdf", "text/plain", "application/zip"])
def test_anything_else_is_only_downloaded(browser: Open, keep: Callable[..., int], mime: str) -> None:
    answer = browser("lan").client.get(f"/files/{keep(b'<script>alert(1)</script>', mime, 'đơn thư.html')}")
    assert answer.mimetype == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''%C4%91")
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")


def test_a_name_cannot_break_out_of_its_header(browser: Open, keep: Callable[..., int]) -> None:
    number = keep(b"x", "text/plain", 'a"; x=\r\nSet-Cookie: a=b')
    answer = browser("lan").client.get(f"/files/{number}")
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert '"' not in answer.headers["Content-Disposition"]


def test_a_thumbnail_is_made_anew(browser: Open, keep: Callable[..., int]) -> None:
    number = keep(a_photo((3000, 2000)) + b"<script>hidden</script>", "image/jpeg")
    answer = browser("lan").client.get(f"/files/{number}/thumbnail")
    assert answer.mimetype == "image/jpeg"
    assert b"hidden" not in answer.data
    assert len(answer.data) < 60_000


def test_what_is_no_picture_has_no_thumbnail(browser: Open, keep: Callable[..., int]) -> None:
    one = browser("lan")
    assert one.client.get(f"/files/{keep(b'%PDF-', 'application/pdf')}/thumbnail").status_code == 404


def test_a_file_we_do_not_hold_is_not_found(world: World, browser: Open, keep: Callable[..., int]) -> None:
    one = browser("lan")
    waiting = keep(b"x", "text/plain", state=AttachmentState.WAITING)
    assert one.client.get(f"/files/{waiting}").status_code == 404
    gone = keep(b"x", "text/plain")
    for path in world.runtime.blobs.store.root.rglob("*"):
        if path.is_file():
            path.unlink()
    assert one.client.get(f"/files/{gone}").status_code == 404


# --- recordings -------------------------------------------------------------------------------------------------------


@pytest.fixture
def record(world: World, keep: Callable[..., int]) -> Callable[..., tuple[int, int]]:
    """Keep a recording with a citizen's message, and have it made playable; gives the numbers of file and ticket."""

    def record(data: bytes, kind: str, mime: str, *, is_looked_at: bool = True) -> tuple[int, int]:
        number = keep(data, mime, "ghi âm.amr")
        with world.runtime.database.transaction() as session:
            row = session.get_one(Attachment, number)
            row.kind, row.playing, row.next_try_at = kind, Playing.WAITING, world.clock()
            ticket = session.get_one(Message, row.message_id).ticket_id
        if is_looked_at:
            make_playable_due(world.runtime)
        return number, ticket or 0

    return record


def test_a_voice_note_plays_on_the_page(browser: Open, record: Callable[..., tuple[int, int]]) -> None:
    number, ticket = record(amr(3), "audio", "audio/amr")
    one = browser("lan")
    page = one.open(f"/tickets/{ticket}")
    assert f'<audio controls preload="none" src="/files/{number}/sound"' in page.html
    assert "3 giây" in page.text
    assert f'href="/files/{number}" download' in page.html
    sound = one.client.get(f"/files/{number}/sound")
    assert (sound.mimetype, sound.headers["Accept-Ranges"]) == ("audio/mpeg", "bytes")
    assert sound.headers["Content-Security-Policy"].startswith("sandbox")
    original = one.client.get(f"/files/{number}")
    assert original.data == amr(3)
    assert original.headers["Content-Disposition"].startswith("attachment")


def test_a_sound_can_be_asked_for_in_pieces(browser: Open, record: Callable[..., tuple[int, int]]) -> None:
    """Safari plays nothing else."""
    number, _ = record(amr(3), "audio", "audio/amr")
    client = browser("lan").client
    whole = client.get(f"/files/{number}/sound").data
    piece = client.get(f"/files/{number}/sound", headers={"Range": "bytes=0-1"})
    assert (piece.status_code, piece.data) == (206, whole[:2])
    assert piece.headers["Content-Range"] == f"bytes 0-1/{len(whole)}"


@pytest.mark.parametrize(
    ("label", "data", "kind", "mime", "words"),
    [
        ("broken", b"#!AMR\n", "audio", "audio/amr", "không phát được tại đây"),
        ("long", amr(601), "audio", "audio/amr", "dài hơn 10 phút"),
        ("iPhone", b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "video", "video/quicktime", "hay gặp ở iPhone"),
    ],
)
def test_what_does_not_play_is_said_so_with_a_way_to_the_original(
    browser: Open, record: Callable[..., tuple[int, int]], label: str, data: bytes, kind: str, mime: str, words: str
) -> None:
    number, ticket = record(data, kind, mime)
    one = browser("lan")
    page = one.open(f"/tickets/{ticket}")
    assert words in page.text, label
    assert f'href="/files/{number}" download' in page.html
    assert "<audio" not in page.html
    assert "<video" not in page.html
    assert one.client.get(f"/files/{number}/sound").status_code == 404
    assert one.client.get(f"/files/{number}").data == data


def test_a_recording_nobody_has_looked_at_yet_can_be_downloaded(
    browser: Open, record: Callable[..., tuple[int, int]]
) -> None:
    number, ticket = record(amr(1), "audio", "audio/amr", is_looked_at=False)
    page = browser("lan").open(f"/tickets/{ticket}")
    assert "đang chuẩn bị" in page.text
    assert f'href="/files/{number}" download' in page.html


def test_a_film_plays_on_the_page(browser: Open, record: Callable[..., tuple[int, int]]) -> None:
    number, ticket = record(film("libx264"), "video", "video/mp4")
    one = browser("lan")
    assert f'<video controls preload="none" src="/files/{number}"' in one.open(f"/tickets/{ticket}").html
    shown = one.client.get(f"/files/{number}", headers={"Range": "bytes=4-7"})
    assert (shown.status_code, shown.mimetype, shown.data) == (206, "video/mp4", b"ftyp")


def test_a_sound_of_another_commune_is_not_found(browser: Open, record: Callable[..., tuple[int, int]]) -> None:
    """The way to a file is its row; its sum, which anybody who has the same file knows, opens nothing."""
    number, _ = record(amr(1), "audio", "audio/amr")
    client = browser("lan").client
    assert client.get(f"/files/{number + 1}/sound").status_code == 404
    assert client.get(f"/files/{digest(amr(1))}").status_code == 404
    assert browser("hoa").client.get(f"/files/{number}/sound").status_code == 403


def test_a_store_that_is_away_is_explained(
    world: World, browser: Open, keep: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    number = keep(a_photo(), "image/jpeg")

    def away(name: str) -> bytes | None:
        raise StoreAway("tests")

    monkeypatch.setattr(world.runtime.blobs.store, "get", away)
    answer = browser("lan").client.get(f"/files/{number}")
    assert answer.status_code == 503
    assert "Tệp không mất" in answer.get_data(as_text=True)


# --- where a photo was taken ------------------------------------------------------------------------------------------


def test_the_position_of_a_photo_is_taken_with_one_click(world: World, browser: Open, keep: Callable[..., int]) -> None:
    number = keep(a_photo(), "image/jpeg")
    with world.runtime.database.transaction() as session:
        row = session.get_one(Attachment, number)
        row.kind, row.latitude, row.longitude, row.locality_code = "image", 10.94, 106.31, COMMUNE_CODE
        ticket = session.get_one(Message, row.message_id).ticket_id
    one = browser("lan")
    page = one.open(f"/tickets/{ticket}")
    assert "Ảnh chụp tại: 10.94000, 106.31000 (xã Đức Huệ)" in " ".join(page.text.split())
    page = one.send(page.form(f"/tickets/{ticket}/spot"))
    assert "Đã lấy vị trí" in page.text
    assert "Lấy vị trí này" not in page.text
    assert 'href="geo:10.940000,106.310000"' in page.html
