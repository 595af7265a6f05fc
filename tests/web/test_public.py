"""Citizens' pages: a form without an account, and the talk that a secret link opens."""

from __future__ import annotations

import io
import json
import re
import secrets

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from adapters.messages import Withdrawal
from bot.usecases import intake, web_form
from bot.usecases.citizens import take_withdrawal
from bot.usecases.communes import commune_book
from bot.usecases.erasing import erase_let_go
from bot.usecases.media import fetch_due
from bot.usecases.replies import Written, reply
from bot.usecases.sending import PERSONAL, send_due
from bot.usecases.setup import add_channel
from bot.usecases.work import Work
from storage.base import Base
from storage.channels import Channel
from storage.contacts import Contact
from storage.deliveries import Delivery
from storage.enums import AttachmentState, DeliveryState
from storage.messages import Attachment, InboundEvent, Message
from storage.tickets import Ticket
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.usecases.looking import BRIBE, FIRE, LIGHT
from tests.usecases.test_replies import a_photo

PAGE = "/phan-anh/duc-hue-online"


@pytest.fixture
def citizen(world: World, app: Flask) -> FlaskClient:
    """A browser that knows nothing of us; the commune has a page."""
    add_channel(
        world.runtime, commune="duc-hue", type="web_form", slug="duc-hue-online", name="Trang", settings={}, secrets={}
    )
    return app.test_client(use_cookies=False)


def written(text: str = LIGHT, **more: object) -> dict[str, object]:
    return {"text": text, "once": secrets.token_urlsafe(12), **more}


def work(world: World) -> None:
    """What workers do: read, answer, send, fetch."""
    intake.drain(world.runtime)
    send_due(world.runtime, PERSONAL)
    fetch_due(world.runtime)


def said(client: FlaskClient, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.text


def report(world: World, client: FlaskClient, text: str = LIGHT, **more: object) -> str:
    """A report is sent and read; gives the address of its talk."""
    answer = client.post(PAGE, data=written(text, **more))
    assert answer.status_code == 303, answer.text
    work(world)
    return answer.headers["Location"]


def test_a_report_is_sent_without_an_account_and_answered_on_its_page(world: World, citizen: FlaskClient) -> None:
    assert "Việc gì, ở đâu?" in said(citizen, PAGE)
    address = report(world, citizen)
    (ticket,) = all_rows(world.runtime, Ticket)
    assert ticket.place_text == "Xóm 5"
    talk = said(citizen, address)
    assert LIGHT in talk
    assert ticket.code in talk
    reply(
        world.runtime,
        world.official("mai"),
        ticket.id,
        version=ticket.version,
        token=secrets.token_hex(16),
        written=Written("Chiều nay thay bóng."),
    )
    assert "Chiều nay thay bóng." not in said(citizen, address)
    work(world)
    assert "Chiều nay thay bóng." in said(citizen, address)


def test_what_stands_on_an_open_page_has_been_read(world: World, citizen: FlaskClient) -> None:
    address = report(world, citizen)
    assert {d.state for d in all_rows(world.runtime, Delivery)} == {DeliveryState.SENT}
    said(citizen, address)
    assert {d.state for d in all_rows(world.runtime, Delivery)} == {DeliveryState.READ}


def test_before_it_is_read_the_page_says_that_it_was_received(world: World, citizen: FlaskClient) -> None:
    address = citizen.post(PAGE, data=written()).headers["Location"]
    talk = said(citizen, address)
    assert "Đã nhận được" in talk
    assert 'http-equiv="refresh"' in talk
    work(world)
    assert 'http-equiv="refresh"' not in said(citizen, address)


def test_a_form_sent_twice_is_one_report(world: World, citizen: FlaskClient) -> None:
    form = written(link=web_form.new_link())
    first, again = citizen.post(PAGE, data=form), citizen.post(PAGE, data=form)
    assert first.headers["Location"] == again.headers["Location"]
    work(world)
    assert len(all_rows(world.runtime, InboundEvent)) == len(all_rows(world.runtime, Ticket)) == 1


def test_photos_of_a_form_sent_twice_are_kept_once(world: World, citizen: FlaskClient) -> None:
    link, once = web_form.new_link(), secrets.token_urlsafe(12)
    for _ in range(2):
        form = written(link=link, once=once, photos=(io.BytesIO(a_photo()), "anh.jpg"))
        assert citizen.post(PAGE, data=form).status_code == 303
    work(world)
    kept = [path for path in world.runtime.blobs.store.root.rglob("*") if path.is_file()]
    assert [path.name for path in kept] == [row.blob for row in all_rows(world.runtime, Attachment)]


def test_a_photo_nobody_has_looked_at_yet_goes_with_the_data_of_who_sent_it(
    world: World, citizen: FlaskClient, clock: Clock
) -> None:
    citizen.post(PAGE, data=written(photos=(io.BytesIO(a_photo()), "anh.jpg")))
    intake.drain(world.runtime)
    (event,) = all_rows(world.runtime, InboundEvent)
    (kept,) = [path for path in world.runtime.blobs.store.root.rglob("*") if path.is_file()]
    with world.runtime.database.transaction() as session:
        row, channel = session.get_one(InboundEvent, event.id), session.get_one(Channel, event.channel_id)
        work_ = Work(
            world.runtime, session, channel, commune_book(session, world.commune_id), row, world.clock(), set()
        )
        assert take_withdrawal(work_, Withdrawal(event.conversation_key, world.clock())) == "erased"
    clock.move(minutes=2)
    erase_let_go(world.runtime)
    assert not kept.exists()


def test_buttons_and_more_words_go_on_with_the_talk(world: World, citizen: FlaskClient) -> None:
    address = report(world, citizen)
    assert 'name="choice" value="Đồng ý"' in said(citizen, address)
    citizen.post(address, data={"choice": "Đồng ý", "once": secrets.token_urlsafe(12)})
    work(world)
    (contact,) = all_rows(world.runtime, Contact)
    assert contact.consent == "given"
    citizen.post(address, data=written("Nguyễn Văn Bình"))
    work(world)
    assert all_rows(world.runtime, Contact)[0].name == "Nguyễn Văn Bình"
    assert len(all_rows(world.runtime, Ticket)) == 1


def test_a_name_needs_consent_and_what_was_typed_stays(world: World, citizen: FlaskClient) -> None:
    form = written(name="Trần Thị Bưởi", phone="0900 000 001")
    answer = citizen.post(PAGE, data=form)
    assert answer.status_code == 422
    assert "chưa đánh dấu đồng ý" in answer.text
    assert LIGHT in answer.text
    assert str(form["once"]) in answer.text
    assert all_rows(world.runtime, InboundEvent) == []
    report(world, citizen, name="Trần Thị Bưởi", phone="0900 000 001", consent="1")
    (contact,) = all_rows(world.runtime, Contact)
    assert (contact.name, contact.phone, contact.consent) == ("Trần Thị Bưởi", "0900 000 001", "given")
    assert "ask_consent" not in {m.template for m in all_rows(world.runtime, Message)}


def test_a_photo_comes_with_the_report_and_tells_where_it_was_taken(world: World, citizen: FlaskClient) -> None:
    report(world, citizen, photos=(io.BytesIO(a_photo_at(10.8044, 106.3172)), "IMG_0001.jpg"))
    (row,) = all_rows(world.runtime, Attachment)
    assert (row.kind, row.state, row.name) == ("image", AttachmentState.STORED, "IMG_0001.jpg")
    assert (round(row.latitude, 3), round(row.longitude, 3)) == (10.804, 106.317)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("tro-choi.jpg", b"MZ" * 400, "không phải ảnh"),
        ("trang.jpg", b"<svg onload=alert(1)>", "không phải ảnh"),
        ("to.jpg", b"\xff\xd8\xff" + b"x" * 8_000_001, "lớn hơn 8 MB"),
    ],
)
def test_what_is_no_photo_is_refused_in_words(
    world: World, citizen: FlaskClient, name: str, data: bytes, words: str
) -> None:
    answer = citizen.post(PAGE, data=written(photos=(io.BytesIO(data), name)))
    assert answer.status_code == 422
    assert words in answer.text
    assert all_rows(world.runtime, InboundEvent) == []


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"text": "  "}, "Chưa có nội dung"),
        ({"text": "x" * 4001}, "dài hơn"),
        ({"text": "a", "phone": "12", "consent": "1"}, "Số điện thoại chưa đúng"),
        ({"text": "a", "leave_empty": "http://spam"}, "phải để trống"),
    ],
)
def test_a_form_that_cannot_be_taken_says_why(citizen: FlaskClient, form: dict[str, str], words: str) -> None:
    answer = citizen.post(PAGE, data=form)
    assert answer.status_code == 422
    assert words in answer.text


def test_a_machine_that_writes_without_an_end_is_stopped(
    world: World, citizen: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_form, "MOST_AN_HOUR", 2)
    told = [citizen.post(PAGE, data=written(f"tin {n}")).status_code for n in range(4)]
    assert told == [303, 303, 422, 422]
    assert len(all_rows(world.runtime, InboundEvent)) == 2


def test_nobody_reads_a_talk_without_its_link(world: World, citizen: FlaskClient) -> None:
    address = report(world, citizen)
    for guess in (web_form.new_link(), "x", "a" * 70, address.rsplit("/", 1)[1][:-1]):
        assert citizen.get(f"{PAGE}/{guess}").status_code == 404
        assert citizen.post(f"{PAGE}/{guess}", data=written()).status_code == 404
    assert citizen.get("/phan-anh/khong-co").status_code == 404


def test_the_link_stands_in_no_row(world: World, citizen: FlaskClient) -> None:
    link = report(world, citizen).rsplit("/", 1)[1]
    with world.runtime.database.reading() as session:
        for table in Base.metadata.sorted_tables:
            assert link not in str(session.execute(sa.select(table)).all()), table.name


def test_a_denunciation_is_sealed_and_danger_comes_first(world: World, citizen: FlaskClient) -> None:
    report(world, citizen, BRIBE)
    address = report(world, citizen, FIRE)
    sealed, fire = all_rows(world.runtime, Ticket)
    assert sealed.is_sealed
    assert not fire.is_sealed
    talk = said(citizen, address)
    assert talk.index("KHẨN CẤP") < talk.index(fire.code)


def test_an_answers_photo_is_shown_to_the_holder_of_the_link_only(world: World, citizen: FlaskClient) -> None:
    address = report(world, citizen)
    (ticket,) = all_rows(world.runtime, Ticket)
    reply(
        world.runtime,
        world.official("mai"),
        ticket.id,
        version=ticket.version,
        token=secrets.token_hex(16),
        written=Written("Đã xong.", image=a_photo()),
    )
    work(world)
    found = re.search(rf"{re.escape(address)}/photos/\d+", said(citizen, address))
    assert found
    assert citizen.get(found[0]).mimetype == "image/jpeg"
    other = report(world, citizen, "Rác ở chợ Đình chất đống, hôi lắm")
    assert citizen.get(found[0].replace(address, other)).status_code == 404


def test_the_page_is_small_and_runs_no_foreign_code(citizen: FlaskClient) -> None:
    answers = [citizen.get(PAGE), citizen.get("/static/public.css"), citizen.get("/static/public.js")]
    assert sum(len(answer.data) for answer in answers) < 40_000
    assert "unsafe" not in answers[0].headers["Content-Security-Policy"]
    assert "vendor" not in answers[0].text
    assert "geolocation=(self)" in answers[0].headers["Permissions-Policy"]


def test_the_page_speaks_english(citizen: FlaskClient) -> None:
    assert "What is wrong, and where?" in citizen.get(f"{PAGE}?locale=en").text


@pytest.mark.parametrize("official", [0, 987_654])
def test_another_portal_may_send_what_it_signs(world: World, citizen: FlaskClient, official: int) -> None:
    from adapters.secret import Secret
    from adapters.web_form import signature
    from bot.web.door import Door

    with world.runtime.database.reading() as session:
        channel = session.scalars(sa.select(Channel).where(Channel.slug == "duc-hue-online")).one()
    key = Secret(json.loads(world.runtime.vault.open(channel.secrets))["signing_key"])
    body = json.dumps(
        {
            "event": "message",
            "account": "duc-hue-online",
            "id": "cong-tinh-000123",
            "visitor": "0123456789abcdef0123456789abcdef",
            "at": int(world.clock().timestamp() * 1000),
            "text": LIGHT,
            **({"by": official, "how": "desk"} if official else {}),
        }
    ).encode()
    door = Door(world.runtime, lambda _environ, _start: [])
    assert knocked(door, body, {"HTTP_X_HAICHIEU_SIGNATURE": signature(body, key)}) == "200 OK"
    assert knocked(door, body, {"HTTP_X_HAICHIEU_SIGNATURE": "0" * 64}) == "401 Unauthorized"
    door.close()
    work(world)
    assert len(all_rows(world.runtime, Ticket)) == 1


def knocked(door: object, body: bytes, headers: dict[str, str]) -> str:
    told: list[str] = []
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/webhooks/duc-hue-online",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        **headers,
    }
    door(environ, lambda status, _headers: told.append(status))  # type: ignore[operator]
    return told[0]


def a_photo_at(latitude: float, longitude: float) -> bytes:
    """A photo that says where it was taken."""
    picture, exif, out = Image.new("RGB", (64, 48), "green"), Image.Exif(), io.BytesIO()
    exif.get_ifd(0x8825).update({1: "N", 2: degrees(latitude), 3: "E", 4: degrees(longitude)})
    picture.save(out, "JPEG", exif=exif)
    return out.getvalue()


def degrees(value: float) -> tuple[float, float, float]:
    whole = int(value)
    minutes = int((value - whole) * 60)
    return float(whole), float(minutes), round((value - whole - minutes / 60) * 3600, 3)
