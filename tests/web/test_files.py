"""Files of citizens are served as what they are, and never as a page of ours."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from PIL import Image

from storage.enums import AttachmentState
from storage.messages import Attachment, Message
from storage.tickets import Ticket
from tests.builders import World
from tests.usecases.test_replies import a_photo
from tests.web.pages import Browser

Reported = Callable[..., Ticket]
Open = Callable[[str], Browser]


@pytest.fixture
def keep(world: World, reported: Reported) -> Callable[..., int]:
    """Keep a file with a citizen's message; gives its number."""

    def keep(data: bytes, mime: str, name: str | None = None, state: AttachmentState = AttachmentState.STORED) -> int:
        reported("Rác chất đống ở Chợ Đình")
        with world.runtime.database.transaction() as session:
            message = session.scalars(sa.select(Message).where(Message.direction == "in")).first()
            assert message is not None
            row = Attachment(
                commune_id=world.commune_id,
                message_id=message.id,
                kind="file",
                state=state,
                mime=mime,
                blob=world.runtime.blobs.keep(data),
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
    for path in world.runtime.blobs.root.rglob("*"):
        if path.is_file():
            path.unlink()
    assert one.client.get(f"/files/{gone}").status_code == 404
