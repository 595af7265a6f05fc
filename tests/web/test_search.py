"""The page of a search: what was understood, where it stands, masked, and what helps when nothing was found."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from bot.usecases import looks, searching
from storage.audit import AuditEntry
from storage.enums import TicketState
from storage.officials import Official
from storage.tickets import Ticket
from tests.builders import World, all_rows
from tests.web.pages import Browser, Page
from tests.web.test_inbox import counted, many, shown

Reported = Callable[..., Ticket]
Open = Callable[[str], Browser]
PHONE = "0912345678"
LONG = "Tôi xin trình bày sự việc như sau để xã biết. " * 8


@pytest.fixture
def told(world: World, reported: Reported) -> list[int]:
    """A long report with a number near its end, and one whose words lack their accents."""
    first = reported(f"{LONG}Ổ gà ở Xóm 5, gọi tôi số {PHONE} nhé, cảm ơn", user="1")
    return [first.id, reported("o ga truoc Cho Dinh", user="2").id]


def marks(page: Page) -> list[str]:
    """What is marked on a page."""
    return [part.split("</mark>")[0] for part in page.html.split("<mark>")[1:]]


def search(one: Browser, text: str, **more: str) -> Page:
    return one.open(f"/tickets?view=all&q={quote(text)}" + "".join(f"&{k}={v}" for k, v in more.items()))


def test_the_words_are_marked_where_they_stand_and_numbers_stay_masked(browser: Open, told: list[int]) -> None:
    page = search(browser("lan"), "ổ gà")
    assert shown(page) == told, "what has the accents that were typed comes first, although it is older"
    assert marks(page) == ["Ổ", "gà", "o", "ga"]
    assert "… " in page.text
    assert PHONE not in page.html
    assert "có đủ các từ: ổ, gà" in page.text
    assert shown(search(browser("lan"), "o ga")) == told[::-1]


def test_a_telephone_number_is_understood_masked_and_written_down_once(
    world: World, browser: Open, told: list[int]
) -> None:
    one = browser("lan")
    page = search(one, PHONE)
    assert shown(page) == told[:1]
    assert "khớp số điện thoại" in page.text
    assert PHONE not in page.text.replace("\n", " ")
    assert shown(search(one, "5678")) == told[:1]
    search(one, "ổ gà")
    one.open(f"/tickets/{told[0]}?view=all&q=5678")
    entries = [e for e in all_rows(world.runtime, AuditEntry) if e.action == looks.SEARCHED]
    assert [(e.data, e.official_id) for e in entries] == [({"found": 1}, world.officials["lan"])] * 2
    assert "Tìm theo số điện thoại" in browser("mai").open("/personal-data/looks").text


def test_whoever_may_not_search_by_numbers_is_told_so(world: World, browser: Open, told: list[int]) -> None:
    with world.runtime.database.transaction() as session:
        agency = session.get_one(Official, world.officials["hung"]).agency_id
        session.execute(sa.update(Ticket).values(agency_id=agency))
    page = search(browser("hung"), "5678")
    assert shown(page) == []
    assert "chỉ tìm được trong những phản ánh giao cho chính Anh/Chị" in page.text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PA26-0001", "mã PA26-0001"),
        ("“Chợ Đình”", "cụm từ “chợ đình”"),
        ("chợ đình", "địa điểm: Chợ Đình"),
        ("rác 10/2026", "nhận từ 01/10/2026 đến hết 31/10/2026"),
        ("ngày 5/10", "nhận ngày 05/10/2026"),
        ("từ 5/10", "nhận từ 05/10/2026"),
        ("%", "chưa có chữ hay số nào"),
        ("ổ gà khủnglong", "Không phản ánh nào Anh/Chị được xem có: khủnglong."),
    ],
)
def test_what_was_understood_is_said(browser: Open, told: list[int], text: str, expected: str) -> None:
    assert expected in search(browser("lan"), text).text


def test_an_empty_result_leads_to_wider_ones(browser: Open, told: list[int]) -> None:
    one = browser("lan")
    page = search(one, "ổ gà khủnglong 10/2026")
    links = [link for link in page.links if "q=" in link and "after" not in link]
    assert shown(one.open(links[0])) == told
    assert "Anh/Chị có thể tìm rộng hơn" in page.text


def test_a_search_is_turned_page_by_page_and_kept_beside_its_tickets(
    world: World, browser: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = many(world, 5, state=TicketState.CLOSED, is_open=False)
    monkeypatch.setattr(searching, "ON_A_PAGE", 2)
    one, met = browser("lan"), []
    page = search(one, "việc")
    while following := next((link for link in page.links if "after=" in link and link.startswith("/tickets?")), ""):
        met += shown(page)
        page = one.open(following)
    assert met + shown(page) == rows[::-1]
    page = one.open(f"/tickets/{rows[3]}?view=all&q=vi%E1%BB%87c")
    assert f"/tickets/{rows[4]}?view=all&q=vi%E1%BB%87c" in page.links
    assert "every 5s" not in page.html, "a search does not ask again by itself"


def test_a_search_asks_few_questions(world: World, browser: Open) -> None:
    many(world, 120, state=TicketState.NEW)
    one = browser("lan")
    with counted(world.runtime) as asked:
        page = search(one, "việc thứ")
    assert len(shown(page)) == 50
    assert len(asked) <= 6, asked


def test_a_page_that_is_none_is_refused_and_markup_is_words(browser: Open, told: list[int]) -> None:
    one = browser("lan")
    assert "<script>alert" not in search(one, "<script>alert(1)</script> gà").html
    one.open("/tickets?q=ga&after=x", 400)
