"""Pages of "Hỏi – đáp cùng bà con": officials' and everybody's."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from storage.bulletins import Bulletin
from storage.enums import BulletinState
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.usecases.editions import ANSWERS, has_list, made, proposed, the_edition
from tests.web.pages import Browser, Page
from tests.web.test_public import PAGE, citizen

__all__ = ["citizen"]

Open = Callable[[str], Browser]
HERE = "/announcements/editions"
QUESTION, ANSWER = ANSWERS["giao-thong-duong-sa"]


@pytest.fixture(autouse=True)
def friday(clock: Clock) -> None:
    """An hour after proposals are made."""
    clock.now = datetime(2026, 10, 9, 3, tzinfo=UTC)


def approved(world: World) -> None:
    made(world)
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Bulletin).values(state=BulletinState.APPROVED, approved_at=world.clock()))


def test_the_list_says_why_there_is_nothing(world: World, browser: Open) -> None:
    tuan = browser("tuan")
    assert HERE in tuan.open("/announcements").links
    assert "chưa mở danh sách công khai" in tuan.open(HERE).text
    has_list(world, editions_day=0)
    assert "đã tắt đề xuất" in tuan.open(HERE).text
    has_list(world, editions_day=8)
    assert "đề xuất lúc 11/10" in tuan.open(HERE).text.replace("09:00 ", "")
    has_list(world, editions_day=6)
    from bot.usecases.editions import propose_due

    propose_due(world.runtime)
    sentence = "Tuần này chưa có phản ánh nào được bà con đồng ý công khai"
    assert sentence in tuan.open(HERE).text
    assert sentence in tuan.open(f"{HERE}/{the_edition(world).id}").text


def test_an_author_edits_a_proposal_and_makes_a_bulletin_whose_words_stand_there(world: World, browser: Open) -> None:
    edition = proposed(world)
    tuan, here = browser("tuan"), f"{HERE}/{edition.id}"
    page = tuan.open(here)
    assert "chưa gửi cho ai" in page.text
    assert "Giọng 2: Đáp:" in page.text.replace(" :", ":")
    form = page.form(here)
    name = next(name for name, value in form.fields.items() if value == QUESTION)
    page = tuan.send(form, 422, **{name: "Gọi 0912 345 678 hỏi đường?"})
    assert any("chỉ đến một người" in alert for alert in page.alerts)
    assert page.form(here).fields[name] == "Gọi 0912 345 678 hỏi đường?"
    page = tuan.send(page.form(here), **{name: "Bao giờ vá đường vào thôn?"})
    assert "Bao giờ vá đường vào thôn?" in page.text
    page = tuan.send(page.form(f"{here}/bulletin"))
    number = all_rows(world.runtime, Bulletin)[0].id
    form = page.form(f"/announcements/bulletins/{number}")
    assert "body" not in form.fields
    assert here in page.links
    tuan.send(form, title="Tiêu đề khác", body="Lời khác hẳn, không qua trang hỏi đáp.")
    bulletin = all_rows(world.runtime, Bulletin)[0]
    assert "Bao giờ vá đường vào thôn?" in bulletin.body
    assert "Lời khác hẳn" not in bulletin.body
    assert "Tiêu đề khác" not in bulletin.title
    assert f"/announcements/bulletins/{number}" in tuan.open(here).links


def test_who_may_only_read_gets_no_form(world: World, browser: Open) -> None:
    edition = proposed(world)
    hoa, here = browser("hoa"), f"{HERE}/{edition.id}"
    page = hoa.open(here)
    assert QUESTION in page.text
    assert [form.action for form in page.forms if form.action.startswith(HERE)] == []
    for path in (here, f"{here}/bulletin", f"{here}/proposal"):
        answer = hoa.client.post(path, data={"csrf_token": page.form("/sign-out").fields["csrf_token"], "version": "1"})
        assert answer.status_code == 403
    assert browser("hung").client.get(here).status_code == 403
    assert browser("tuan").client.get(f"{HERE}/999").status_code == 404


def seen(client: FlaskClient, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, answer.text
    assert status != 200 or "Set-Cookie" not in answer.headers
    if status == 200 and answer.mimetype == "text/html":
        Page(answer.text).inspect()
        assert "<script" not in answer.text
        assert len(answer.data) < 40_000
    return answer.text


def test_everybody_reads_what_was_approved_and_a_feed_tells_of_it(world: World, citizen: FlaskClient) -> None:
    edition = proposed(world)
    here, week = f"{PAGE}/hoi-dap", f"{PAGE}/hoi-dap/{edition.week}"
    assert here in seen_links(citizen, PAGE)
    assert "Chưa có tuần nào" in seen(citizen, here)
    seen(citizen, week, 404)
    approved(world)
    assert QUESTION in seen(citizen, here)
    text = seen(citizen, week)
    assert QUESTION in text
    assert ANSWER in text
    feed = ET.fromstring(seen(citizen, f"{here}.atom"))
    [entry] = feed.findall("{http://www.w3.org/2005/Atom}entry")
    assert QUESTION in (entry.findtext("{http://www.w3.org/2005/Atom}summary") or "")
    assert "/hoi-dap</loc>" in seen(citizen, "/sitemap.xml")
    assert "/hoi-dap" in seen(citizen, "/robots.txt")
    for wrong in ("2026-13-01", "x", "2026-01-05"):
        seen(citizen, f"{here}/{wrong}", 404)
    seen(citizen, f"{here}?truoc=x", 404)


def test_what_is_withdrawn_is_gone_from_the_page_with_the_next_look(world: World, citizen: FlaskClient) -> None:
    edition = proposed(world)
    approved(world)
    week = f"{PAGE}/hoi-dap/{edition.week}"
    etag = citizen.get(week).headers["ETag"]
    assert citizen.get(week, headers={"If-None-Match": etag}).status_code == 304
    with world.runtime.database.transaction() as session:
        session.execute(sa.text("UPDATE publicities SET answer = 'refused'"))
    answer = citizen.get(week, headers={"If-None-Match": etag})
    assert answer.status_code == 200
    assert QUESTION not in answer.text
    assert "không còn được công khai" in answer.text
    has_list(world, on=False)
    seen(citizen, week, 404)


def seen_links(client: FlaskClient, address: str) -> list[str]:
    return Page(client.get(address).text).links
