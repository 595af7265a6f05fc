"""The page of charts: what it says, whom it lets open what, and that its links keep their word."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from storage.communes import Place
from storage.enums import TicketState
from tests.builders import World, all_rows
from tests.web.pages import Browser
from tests.web.test_inbox import many

Open = Callable[[str], Browser]
LINK = re.compile(r'<a[^>]*href="(/tickets\?[^"]+)"[^>]*>(\d+)</a>')
BAR = re.compile(r'<a href="(/tickets\?[^"]+)" tabindex="-1" aria-label="[^"]*: (\d+)">')


def some_reports(world: World) -> None:
    place = all_rows(world.runtime, Place)[0]
    many(world, 3, topic="rac-thai", place_id=place.id, due_at=world.clock() + timedelta(days=3))
    done = {"state": TicketState.ANSWERED, "is_open": False, "answered_at": world.clock(), "rating": 3}
    many(world, 2, topic="dien", **done, due_at=world.clock() + timedelta(days=1))
    many(world, 1, topic=None, due_at=world.clock() - timedelta(days=2), opened_at=world.clock() - timedelta(days=8))
    many(world, 1, is_sealed=True, due_at=None, topic="to-cao")
    many(world, 1, topic="dien", is_spam=True, is_open=False)


def test_every_link_of_the_page_opens_as_many_reports_as_it_says(world: World, browser: Open) -> None:
    some_reports(world)
    lan = browser("lan")
    page = lan.open("/reports/charts?month=2026-10")
    links = {
        href.replace("&amp;", "&"): int(many) for href, many in [*LINK.findall(page.html), *BAR.findall(page.html)]
    }
    assert len(links) > 15
    for href, number in links.items():
        assert f"<strong>{number} phản ánh</strong>" in lan.open(href).html, href
    assert "/map?view=all&from=2026-10-01&to=2026-10-31" in page.links
    assert "100,0 %" in page.text  # content, of those who rated
    assert "tỷ lệ đánh giá 100,0 % của số đã từng có kết quả" in page.text
    assert "(đã trả lời + quá hạn chưa trả lời)" in page.text
    assert "Tố cáo" not in page.text


def test_a_time_is_chosen_by_month_closing_or_days(world: World, browser: Open) -> None:
    some_reports(world)
    lan = browser("lan")
    page = lan.open("/reports/charts?month=2026-10&closing=25")
    assert "Từ 12:00 25/09/2026 đến 12:00 25/10/2026" in page.text
    assert "/reports/charts?month=2026-09&closing=25" in page.links
    page = lan.open("/reports/charts?from=2026-08-01&to=2026-10-07")
    assert "Theo tuần" in page.text
    assert page.form("/reports/charts", **{"from": "2026-08-01"}).fields["to"] == "2026-10-07"
    assert "/reports/charts?month=2026-10" in lan.open("/reports").links
    assert "Biểu đồ tháng 10/2026" in lan.open("/reports/charts").headings[0]
    assert "Chưa có phản ánh nào trong thời gian này." in lan.open("/reports/charts?month=2026-02").text


@pytest.mark.parametrize(
    ("asked", "status"),
    [("month=2026-13", 404), ("month=2027-01", 404), ("month=2020-01", 404), ("month=x", 404),
     ("from=2026-10-02", 400), ("from=2026-10-02&to=2026-10-01", 400), ("from=2025-08-01&to=2026-10-01", 400)],
)  # fmt: skip
def test_there_is_no_such_time(browser: Open, asked: str, status: int) -> None:
    browser("lan").open(f"/reports/charts?{asked}", status)


def test_who_administers_sees_figures_that_open_nothing(world: World, browser: Open) -> None:
    some_reports(world)
    page = browser("an").open("/reports/charts")
    assert "không mở được phản ánh" in page.text
    assert not LINK.findall(page.html) + BAR.findall(page.html)
    assert [link for link in page.links if link.startswith("/tickets?")] == []
    browser("hung").open("/reports/charts", 403)
