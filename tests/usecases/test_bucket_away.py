"""Files in a bucket: the whole way there and back, and nothing lost while it is away."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from bot.blobs import Blobs
from bot.rules.lifecycle import NotAllowed
from bot.stores import StoreAway
from bot.usecases import web_form
from bot.usecases.media import fetch_due
from bot.usecases.replies import Written as Answer
from bot.usecases.replies import reply
from bot.usecases.sending import PERSONAL, send_due
from bot.usecases.setup import add_channel
from bot.usecases.web_form import FormProblem, SentFile, Written
from storage.deliveries import Delivery
from storage.enums import AttachmentState, DeliveryState
from storage.messages import Attachment, InboundEvent, Message
from tests.adapters.channels import BadChannel, answer, behaving
from tests.buckets import BUCKET, S3, an_s3
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.usecases.looking import LIGHT, take_in, the_ticket
from tests.usecases.test_erasing import BINH, HOA, NAME, sends, withdraws
from tests.usecases.test_media import picture
from tests.usecases.test_replies import a_photo


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    with an_s3() as found:
        yield found


@pytest.fixture
def cdn() -> Iterator[BadChannel]:
    with behaving(answer(picture())) as channel:
        yield channel


@pytest.fixture
def bucketed(morning: World, s3: S3, clock: Clock) -> World:
    """A morning whose files lie in a bucket."""
    store = s3.bucket(f"s3://{BUCKET}/{secrets.token_hex(4)}")
    morning.runtime.blobs = Blobs(store, morning.runtime.database, clock)
    return morning


class Line:
    """The line to the store, which a test cuts and mends."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_cut = False
        store = world.runtime.blobs.store
        for verb in ("put", "get", "has", "remove"):
            monkeypatch.setattr(store, verb, self._through(getattr(store, verb)))

    def _through(self, real):
        def ask(*words):
            if self.is_cut:
                raise StoreAway("cut by a test")
            return real(*words)

        return ask


@pytest.fixture
def line(bucketed: World, monkeypatch: pytest.MonkeyPatch) -> Line:
    return Line(bucketed, monkeypatch)


def test_photos_are_kept_once_and_erased_in_a_bucket_too(bucketed: World, cdn: BadChannel, clock: Clock) -> None:
    sends(bucketed, cdn, HOA)
    sends(bucketed, cdn, BINH)
    store = bucketed.runtime.blobs.store
    assert list(store.names()) == [NAME]
    assert bucketed.runtime.blobs.read(NAME) == picture()
    clock.move(minutes=5)
    withdraws(bucketed, HOA)
    assert list(store.names()) == [NAME]
    withdraws(bucketed, BINH)
    assert list(store.names()) == []


def test_a_photo_waits_as_long_as_the_store_is_away(bucketed: World, cdn: BadChannel, line: Line, clock: Clock) -> None:
    line.is_cut = True
    sends(bucketed, cdn, HOA)
    for _ in range(20):  # far more often than a file that is not there would be tried
        clock.move(minutes=2)
        fetch_due(bucketed.runtime)
    (row,) = all_rows(bucketed.runtime, Attachment)
    assert (row.state, row.missing_code, row.tries) == (AttachmentState.WAITING, "store_away", 0)
    line.is_cut = False
    clock.move(minutes=2)
    fetch_due(bucketed.runtime)
    (row,) = all_rows(bucketed.runtime, Attachment)
    assert (row.state, row.missing_code) == (AttachmentState.STORED, None)


def test_a_form_with_a_photo_is_refused_whole_while_the_store_is_away(bucketed: World, line: Line) -> None:
    add_channel(
        bucketed.runtime, commune="duc-hue", type="web_form", slug="trang", name="Trang", settings={}, secrets={}
    )
    page = web_form.page_of(bucketed.runtime, "trang")
    assert page is not None
    line.is_cut = True
    link, form = web_form.new_link(), {"once": secrets.token_urlsafe(12), "text": LIGHT}
    with pytest.raises(FormProblem, match="gửi ngay bằng lời"):
        web_form.write(bucketed.runtime, page, link, Written(**form, files=[SentFile("a.jpg", a_photo())]))
    assert all_rows(bucketed.runtime, InboundEvent) == []
    web_form.write(bucketed.runtime, page, link, Written(**form))  # words alone need no store
    assert len(all_rows(bucketed.runtime, InboundEvent)) == 1


def test_a_reply_with_a_picture_is_refused_in_words_while_the_store_is_away(bucketed: World, line: Line) -> None:
    bucketed.says(LIGHT)
    take_in(bucketed)
    ticket = the_ticket(bucketed)
    line.is_cut = True
    with pytest.raises(NotAllowed, match="store_away"):
        say(bucketed, image=a_photo())
    assert [m for m in all_rows(bucketed.runtime, Message) if m.author_id] == []
    assert the_ticket(bucketed).version == ticket.version


def say(world: World, **more: object) -> bool:
    ticket = the_ticket(world)
    words = Answer("Ảnh sau xử lý.", **more)  # type: ignore[arg-type]
    return reply(
        world.runtime,
        world.official("lan"),
        ticket.id,
        version=ticket.version,
        token=secrets.token_hex(8),
        written=words,
    )


def test_an_answer_waits_for_its_picture(bucketed: World, line: Line, clock: Clock) -> None:
    """Nothing has left us, so it is not unknown, and not refused either."""
    bucketed.says(LIGHT)
    take_in(bucketed)
    say(bucketed, image=a_photo())
    with bucketed.runtime.database.transaction() as session:  # what the bot says would go first
        session.execute(sa.delete(Delivery).where(Delivery.image_blob.is_(None)))
    line.is_cut = True
    send_due(bucketed.runtime, PERSONAL)
    (answer_,) = [d for d in all_rows(bucketed.runtime, Delivery) if d.image_blob]
    assert (answer_.state, answer_.code) == (DeliveryState.WAITING, "store_away")
    assert answer_.next_attempt_at > clock.now


def test_photos_are_found_where_they_were_before(bucketed: World, tmp_path, clock: Clock) -> None:
    """Between changing the setting and moving the files both places are read, and erased from."""
    from bot.stores import Disk

    former = Disk(tmp_path / "blobs")
    former.put(NAME, picture())
    blobs = Blobs(bucketed.runtime.blobs.store, bucketed.runtime.database, clock, former)
    assert blobs.read(NAME) == picture()
    blobs.remove(NAME)
    assert former.get(NAME) is None
