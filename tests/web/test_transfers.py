"""Transfers as officials see them, and the page of a body without an account."""

from __future__ import annotations

import io
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from bot.usecases.transfer_links import WRONG_AN_HOUR
from storage.contacts import Contact
from storage.deliveries import Delivery
from storage.enums import TicketState, TransferState
from storage.papers import Paper, Transfer, TransferLine
from storage.tickets import Ticket
from tests.builders import World, all_rows
from tests.papers.looking import words_of
from tests.usecases.test_replies import a_photo
from tests.usecases.test_transfers import edit, keep_photo
from tests.web.pages import Browser, Page

Reported = Callable[..., Ticket]
Open = Callable[[str], Browser]
WIRE = "Dây điện đứt ở xóm 5, nguy hiểm lắm, gọi tôi 0912345678"
GIVEN = {"body": "Điện lực Đức Huệ", "by_date": "2026-10-20", "summary": "Dây điện đứt ở xóm 5"}


@pytest.fixture
def ticket(reported: Reported, browser: Open) -> Ticket:
    """A report of a broken wire that is in the book."""
    found = reported(WIRE)
    lan = browser("lan")
    lan.send(lan.open(f"/tickets/{found.id}").form(f"/tickets/{found.id}/reception"))
    return found


@pytest.fixture
def outside(app: Flask) -> FlaskClient:
    """The browser of somebody who has no account, and keeps no cookies."""
    return app.test_client(use_cookies=False)


def hand_over(one: Browser, ticket: Ticket, status: int = 200, **fields: object) -> Page:
    form = one.open(f"/tickets/{ticket.id}").form(f"/tickets/{ticket.id}/transfers")
    return one.send(form, status, **{**GIVEN, **fields})


def path_of(page: Page) -> str:
    """Where the link that a page shows leads."""
    return urlsplit(next(address for address in page.links if "/chuyen/" in address)).path


def the_transfer(world: World) -> Transfer:
    (transfer,) = all_rows(world.runtime, Transfer)
    return transfer


def test_a_paper_is_issued_and_the_citizen_told_in_one_form(world: World, ticket: Ticket, browser: Open) -> None:
    lan = browser("lan")
    page = hand_over(lan, ticket)
    assert "Phiếu chuyển số 1/PC-UBND: Điện lực Đức Huệ" in page.text
    assert "Đã gửi, chưa xác nhận" in page.text
    assert "dự kiến có trả lời trước ngày 20/10/2026" in page.text
    (paper,) = all_rows(world.runtime, Paper)
    address = f"/tickets/{ticket.id}/papers/{paper.id}.pdf"
    assert address in page.links
    answer = lan.client.get(address)
    assert answer.mimetype == "application/pdf"
    assert answer.data == world.runtime.blobs.read(paper.blob)
    assert "0912345678" not in words_of(answer.data)


def test_the_link_is_shown_once(ticket: Ticket, browser: Open) -> None:
    lan = browser("lan")
    path = path_of(hand_over(lan, ticket))
    assert path.rsplit("/", 1)[1] not in lan.open(f"/tickets/{ticket.id}").html


def test_what_is_missing_is_said_and_what_was_typed_stays(world: World, ticket: Ticket, browser: Open) -> None:
    page = hand_over(browser("lan"), ticket, 422, body="", request="Cắt điện trước")
    assert "Cần ghi tên cơ quan" in page.alerts[0]
    assert "Cắt điện trước" in page.html
    assert all_rows(world.runtime, Transfer) == []


def test_forwarding_is_no_mere_change_of_state(ticket: Ticket, browser: Open) -> None:
    page = browser("lan").open(f"/tickets/{ticket.id}")
    states = [form.fields["state"] for form in page.forms if form.action.endswith("/state")]
    assert states
    assert TicketState.FORWARDED.value not in states


def test_a_name_is_offered_only_where_it_may_be_given(world: World, ticket: Ticket, browser: Open) -> None:
    lan = browser("lan")
    assert 'name="identity"' in lan.open(f"/tickets/{ticket.id}").html
    edit(world, Ticket, is_anonymous=True)
    assert 'name="identity"' not in lan.open(f"/tickets/{ticket.id}").html


def test_a_body_does_everything_without_account_cookie_or_script(
    world: World, ticket: Ticket, browser: Open, outside: FlaskClient
) -> None:
    keep_photo(world, a_photo((1600, 1200)))
    path = path_of(hand_over(browser("lan"), ticket))
    seen = outside.get(path)
    assert seen.status_code == 200
    assert "Set-Cookie" not in seen.headers
    assert seen.headers["X-Robots-Tag"] == "noindex"
    assert seen.headers["Referrer-Policy"] == "same-origin"
    for words in (ticket.code, "Dây điện đứt ở xóm 5", "20/10/2026", "Văn phòng HĐND và UBND"):
        assert words in seen.text
    assert "0912345678" not in seen.text
    with Image.open(io.BytesIO(outside.get(f"{path}/anh/0").data)) as shown:
        assert max(shown.size) <= 384
    assert outside.get(f"{path}/phieu.pdf").data.startswith(b"%PDF-")
    assert outside.post(f"{path}/tiep-nhan").status_code == 303
    assert the_transfer(world).state is TransferState.ACKNOWLEDGED
    asked = {"text": "Cột số mấy?", "once": "o" * 17}
    assert outside.post(f"{path}/hoi", data=asked).status_code == 303
    done = {"text": "Đã nối dây.", "author": "Ông Sáu", "once": "p" * 17, "image": (io.BytesIO(a_photo()), "a.jpg")}
    assert outside.post(f"{path}/tra-loi", data=done).status_code == 303
    after = outside.get(path)
    for words in ("Cột số mấy?", "Đã nối dây.", "Ông Sáu", "Đã tiếp nhận."):
        assert words in after.text
    assert "Set-Cookie" not in after.headers
    (_, line) = all_rows(world.runtime, TransferLine)
    assert outside.get(f"{path}/anh-tra-loi/{line.id}").data.startswith(b"\xff\xd8\xff")
    assert outside.get(f"{path}/anh-tra-loi/{line.id + 99}").status_code == 404


def test_an_official_tells_the_body_what_it_asked(
    world: World, ticket: Ticket, browser: Open, outside: FlaskClient
) -> None:
    lan = browser("lan")
    path = path_of(hand_over(lan, ticket))
    outside.post(f"{path}/hoi", data={"text": "Cột số mấy?", "once": "o" * 17})
    assert "hỏi thêm về phiếu chuyển" in lan.open("/tickets").text
    number = the_transfer(world).id
    page = lan.open(f"/tickets/{ticket.id}")
    lan.send(page.form(f"/tickets/{ticket.id}/transfers/{number}/lines"), text="Cột số 12.", kind="told")
    assert "Cột số 12." in outside.get(path).text
    assert the_transfer(world).state is TransferState.SENT


def test_the_answer_waits_in_the_reply_form_and_is_sent_by_a_person(
    world: World, ticket: Ticket, browser: Open, outside: FlaskClient
) -> None:
    lan = browser("lan")
    path = path_of(hand_over(lan, ticket))
    owed = len(all_rows(world.runtime, Delivery))
    done = {"text": "Đã nối dây, có điện lúc 15 giờ.", "once": "p" * 17, "image": (io.BytesIO(a_photo()), "a.jpg")}
    outside.post(f"{path}/tra-loi", data=done)
    page = lan.open(f"/tickets/{ticket.id}")
    assert len(all_rows(world.runtime, Delivery)) == owed
    assert "có điện lúc 15 giờ" not in page.form(f"/tickets/{ticket.id}/replies").fields["text"]
    address = next(link for link in page.links if "passing=" in link).partition("#")[0]
    form = lan.open(address).form(f"/tickets/{ticket.id}/replies")
    assert form.fields["text"] == "Đã nối dây, có điện lúc 15 giờ."
    assert form.fields["result"] == "1"
    edit(world, Ticket, agency_id=lan.world.official("lan").agency_id)
    lan.send(form)
    with world.runtime.database.reading() as session:
        assert session.get_one(Ticket, ticket.id).state is TicketState.ANSWERED
    assert [d.text for d in all_rows(world.runtime, Delivery) if "có điện lúc 15 giờ" in d.text and d.image_blob]


def test_a_wrong_link_says_what_to_do(outside: FlaskClient) -> None:
    for path in ("/chuyen/" + "x" * 32, "/chuyen/short"):
        assert outside.get(path).status_code == 404
    assert "có đường dẫn mới" in outside.get("/chuyen/" + "y" * 32).text
    for number in range(WRONG_AN_HOUR):
        outside.get(f"/chuyen/{number:032}")
    assert outside.get("/chuyen/" + "z" * 32).status_code == 429


@pytest.mark.parametrize(
    ("sent", "words"),
    [({"text": " "}, "đang trống"), ({"text": "x" * 4001}, "dài hơn"),
     ({"text": "Xong", "leave_empty": "1"}, "để trống"),
     ({"text": "Xong", "image": "a.svg"}, "JPG")],
)  # fmt: skip
def test_what_cannot_be_taken_is_said_and_kept(
    world: World, ticket: Ticket, browser: Open, outside: FlaskClient, sent: dict[str, object], words: str
) -> None:
    path = path_of(hand_over(browser("lan"), ticket))
    if "image" in sent:
        sent = {**sent, "image": (io.BytesIO(b"<svg/>"), sent["image"])}
    answer = outside.post(f"{path}/tra-loi", data={"once": "p" * 17, **sent})
    assert answer.status_code == 422
    assert words in answer.text
    assert all_rows(world.runtime, TransferLine) == []


def test_it_is_taken_back_by_an_official(world: World, ticket: Ticket, browser: Open, outside: FlaskClient) -> None:
    lan = browser("lan")
    path = path_of(hand_over(lan, ticket))
    url = f"/tickets/{ticket.id}/transfers/{the_transfer(world).id}"
    lan.send(lan.open(f"/tickets/{ticket.id}").form(f"{url}/link"), close="1")
    assert outside.get(path).status_code == 404
    page = lan.send(lan.page.form(f"{url}/link"))
    assert outside.get(path_of(page)).status_code == 200
    page = lan.send(page.form(f"{url}/recall"), words="Gửi nhầm cơ quan khác.")
    assert "Đã thu hồi" in page.text
    assert not page.has_form(f"{url}/link")


def test_a_handler_of_the_ticket_sees_no_name_on_paper(world: World, ticket: Ticket, browser: Open) -> None:
    edit(world, Contact, name="Trần Thị Bưởi", phone="0912345678")
    hand_over(browser("lan"), ticket, identity="1")
    edit(world, Ticket, official_id=world.officials["hung"])
    (paper,) = all_rows(world.runtime, Paper)
    address = f"/tickets/{ticket.id}/papers/{paper.id}.pdf"
    hung = browser("hung")
    assert address not in hung.open(f"/tickets/{ticket.id}").links
    assert hung.client.get(address).status_code == 404
    assert browser("mai").client.get(address).status_code == 200
    assert browser("an").client.get(address).status_code == 403
