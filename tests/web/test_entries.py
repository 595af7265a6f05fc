"""Entry by staff: what somebody says at the counter or on the phone."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import pypdfium2
import pytest
import segno
import sqlalchemy as sa
from flask import Flask

from bot.usecases.sending import PERSONAL, send_due
from storage.channels import Channel
from storage.contacts import Contact
from storage.messages import InboundEvent
from storage.tickets import Ticket, TicketEvent
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.papers.looking import words_of
from tests.usecases.looking import BRIBE, LIGHT
from tests.web.pages import Browser

Open = Callable[[str], Browser]
ENTRY = {"text": LIGHT, "how": "phone", "name": "Trần Thị Bưởi", "phone": "0900 000 001", "consent": "1"}


def test_a_call_becomes_a_ticket_in_one_form(world: World, browser: Open, app: Flask) -> None:
    lan = browser("lan")
    form = lan.open("/tickets/new").form("/tickets/new")
    page = lan.send(form, **ENTRY)
    (ticket,) = all_rows(world.runtime, Ticket)
    assert (ticket.place_text, ticket.topic) == ("Xóm 5", "chieu-sang")
    assert ticket.code in page.html
    (contact,) = all_rows(world.runtime, Contact)
    assert (contact.name, contact.phone, contact.consent) == ("Trần Thị Bưởi", "0900 000 001", "given")
    notes = [e for e in all_rows(world.runtime, TicketEvent) if e.kind == "noted"]
    assert [(e.official_id, "gọi lại" in (e.note or "")) for e in notes] == [(world.officials["lan"], True)]
    send_due(world.runtime, PERSONAL)
    link = next(word for word in page.html.split() if "/phan-anh/" in word).rstrip("<.")
    talk = app.test_client(use_cookies=False).get(urlsplit(link).path.split("<")[0])
    assert talk.status_code == 200
    assert ticket.code in talk.text


def test_several_photos_may_be_chosen(browser: Open) -> None:
    assert 'accept="image/*" multiple' in browser("lan").open("/tickets/new").html


def test_the_counters_page_is_not_open_to_all(world: World, browser: Open, app: Flask) -> None:
    lan = browser("lan")
    lan.send(lan.open("/tickets/new").form("/tickets/new"), **ENTRY)
    with world.runtime.database.reading() as session:
        slug = session.scalars(sa.select(Channel.slug).where(Channel.type == "web_form")).one()
    client = app.test_client(use_cookies=False)
    assert client.get(f"/phan-anh/{slug}").status_code == 404
    assert client.post(f"/phan-anh/{slug}", data={"text": "abc"}).status_code == 404
    lan.send(lan.open("/tickets/new").form("/tickets/new"), **ENTRY)
    assert len(all_rows(world.runtime, Channel)) == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [({"text": " "}, "Chưa có nội dung"), ({"how": ""}, "Chưa chọn"), ({"consent": ""}, "chưa đánh dấu đồng ý")],
)
def test_what_is_missing_is_said_and_nothing_is_lost(
    world: World, browser: Open, change: dict[str, str], words: str
) -> None:
    lan = browser("lan")
    page = lan.send(lan.open("/tickets/new").form("/tickets/new"), 422, **{**ENTRY, **change})
    assert words in page.alerts[0]
    assert "0900 000 001" in page.html
    assert all_rows(world.runtime, InboundEvent) == []


def test_what_is_sealed_is_not_shown_to_who_entered_it(world: World, browser: Open) -> None:
    lan = browser("lan")
    page = lan.send(lan.open("/tickets/new").form("/tickets/new"), **{**ENTRY, "text": BRIBE})
    (ticket,) = all_rows(world.runtime, Ticket)
    assert ticket.is_sealed
    assert f"/tickets/{ticket.id}" not in page.html
    assert "bảo mật" in page.html


def test_a_slip_leads_to_the_citizens_page(world: World, browser: Open, clock: Clock) -> None:
    lan = browser("lan")
    page = lan.send(lan.open("/tickets/new").form("/tickets/new"), **ENTRY)
    (ticket,) = all_rows(world.runtime, Ticket)
    address = next(word for word in page.html.split() if "/phan-anh/" in word).partition("<")[0]
    assert "/tickets/new/slip.pdf" in page.links
    answer = lan.client.get("/tickets/new/slip.pdf")
    words = words_of(answer.data)
    for part in (f"Mã số: {ticket.code}", "Điện thoại trực: 113", "07:30–11:30", "Hạn trả lời"):
        assert part in words
    assert address in words.replace(" ", "")
    expected = [[bool(dark) for dark in row] for row in segno.make(address, error="m", micro=False).matrix]
    assert scanned(answer.data, len(expected)) == expected
    clock.move(minutes=11)
    assert lan.client.get("/tickets/new/slip.pdf").status_code == 404
    assert "/tickets/new/slip.pdf" not in lan.open(f"/tickets/{ticket.id}").links


def test_a_slip_is_printed_only_where_it_was_entered(browser: Open) -> None:
    lan = browser("lan")
    lan.send(lan.open("/tickets/new").form("/tickets/new"), **ENTRY)
    assert browser("tuan").client.get("/tickets/new/slip.pdf").status_code == 404


def test_the_slip_of_what_is_sealed_tells_nothing_of_it(world: World, browser: Open) -> None:
    lan = browser("lan")
    lan.send(lan.open("/tickets/new").form("/tickets/new"), **{**ENTRY, "text": BRIBE})
    (ticket,) = all_rows(world.runtime, Ticket)
    words = words_of(lan.client.get("/tickets/new/slip.pdf").data)
    assert ticket.code in words
    assert "hối lộ" not in words
    assert "Hạn trả lời" not in words


def scanned(data: bytes, size: int) -> list[list[bool]]:
    """The squares of the QR code on a slip, so many a side, as a scanner sees them."""
    document = pypdfium2.PdfDocument(data)
    bounds = [one.get_bounds() for one in document[0].get_objects()]
    (left, bottom, right, top) = max(bounds, key=lambda b: b[3] - b[1])
    height, zoom, side = document[0].get_height(), 4, (right - left) / size
    assert top - bottom == pytest.approx(right - left, abs=0.1)
    picture = document[0].render(scale=zoom).to_pil().convert("L")
    document.close()
    across = [int(zoom * (left + (n + 0.5) * side)) for n in range(size)]
    down = [int(zoom * (height - top + (n + 0.5) * side)) for n in range(size)]
    return [[picture.getpixel((x, y)) < 128 for x in across] for y in down]


@pytest.mark.parametrize(("who", "status"), [("lan", 200), ("mai", 200), ("tuan", 200), ("hung", 403), ("an", 403)])
def test_only_who_receives_for_the_whole_commune_enters(browser: Open, who: str, status: int) -> None:
    assert browser(who).client.get("/tickets/new").status_code == status
