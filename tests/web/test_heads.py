"""Village heads: a personal link with two fields, given and taken back by officials."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask

from bot.usecases import intake
from bot.usecases.sending import PERSONAL, send_due
from storage.communes import Place
from storage.contacts import Contact
from storage.heads import VillageHead
from storage.messages import InboundEvent
from storage.tickets import Ticket
from tests.builders import World, all_rows
from tests.web.pages import Browser

Open = Callable[[str], Browser]


def place_id(world: World, name: str) -> int:
    with world.runtime.database.reading() as session:
        return session.scalars(sa.select(Place.id).where(Place.name == name)).one()


def link(world: World, lan: Browser) -> str:
    """A head of Xóm 7 is written down; gives the path of the link."""
    form = lan.open("/village-heads").form("/village-heads")
    page = lan.send(form, name="Ông Bảy", phone="0900 000 007", place_id=place_id(world, "Xóm 7"), consent="1")
    return urlsplit(next(address for address in page.links if "/phan-anh/" in address)).path


def test_a_head_reports_in_two_fields_and_reads_the_answer(world: World, browser: Open, app: Flask) -> None:
    path = link(world, browser("lan"))
    client = app.test_client(use_cookies=False)
    assert "Báo việc của Xóm 7" in client.get(path).text
    said = {"text": "Cống nghẹt, nước tràn ra đường", "where": "trước nhà văn hóa", "once": secrets.token_urlsafe(12)}
    assert client.post(path, data=said).status_code == 303
    intake.drain(world.runtime)
    send_due(world.runtime, PERSONAL)
    (ticket,) = all_rows(world.runtime, Ticket)
    assert "Xóm 7" in (ticket.place_text or "")
    (contact,) = all_rows(world.runtime, Contact)
    assert (contact.name, contact.phone, contact.consent) == ("Ông Bảy", "0900 000 007", "given")
    assert ticket.code in client.get(path).text


def test_the_link_is_shown_once_and_kept_nowhere(world: World, browser: Open) -> None:
    lan = browser("lan")
    path = link(world, lan)
    secret = path.rsplit("/", 1)[1]
    assert secret not in lan.open("/village-heads").html
    with world.runtime.database.reading() as session:
        assert secret not in str(session.execute(sa.select(VillageHead.__table__)).all())


def test_a_link_that_was_taken_back_opens_nothing(world: World, browser: Open, app: Flask) -> None:
    lan = browser("lan")
    path = link(world, lan)
    (head,) = all_rows(world.runtime, VillageHead)
    page = lan.open("/village-heads")
    page = lan.send(page.form(f"/village-heads/{head.id}/revocation"))
    assert "Đã thu hồi" in page.html
    client = app.test_client(use_cookies=False)
    assert client.get(path).status_code == 404
    said = {"text": "x", "once": "y" * 12}
    assert client.post(path, data=said).status_code == 404
    page_of_all, secret = path.rsplit("/", 1)
    assert client.post(page_of_all, data={**said, "link": secret}).status_code == 404
    assert all_rows(world.runtime, InboundEvent) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [({"name": " "}, "họ tên"), ({"consent": ""}, "đồng ý"), ({"place_id": "999999"}, "danh sách địa danh")],
)
def test_what_is_missing_is_said(world: World, browser: Open, change: dict[str, str], words: str) -> None:
    lan = browser("lan")
    form = lan.open("/village-heads").form("/village-heads")
    known = {"name": "Ông Bảy", "place_id": str(place_id(world, "Xóm 7")), "consent": "1"}
    page = lan.send(form, 422, **{**known, **change})
    assert words in page.alerts[0]
    assert all_rows(world.runtime, VillageHead) == []


@pytest.mark.parametrize(("who", "status"), [("lan", 200), ("mai", 200), ("an", 200), ("hung", 403), ("hoa", 403)])
def test_who_keeps_the_links(browser: Open, who: str, status: int) -> None:
    assert browser(who).client.get("/village-heads").status_code == status
