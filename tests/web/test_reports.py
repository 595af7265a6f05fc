"""The page of the monthly book."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from storage.tickets import Ticket
from tests.builders import World
from tests.papers.looking import words_of
from tests.usecases.looking import LIGHT
from tests.web.pages import Browser

Reported = Callable[..., Ticket]
Open = Callable[[str], Browser]


def test_the_month_is_shown_and_taken_away(reported: Reported, browser: Open) -> None:
    ticket = reported(LIGHT)
    lan = browser("lan")
    page = lan.open("/reports")
    assert "Sổ theo dõi tháng 10/2026" in page.text
    assert "/reports" in page.links
    for kind, mime in (("pdf", "application/pdf"), ("csv", "text/csv"), ("xlsx", "application/vnd.openxml")):
        address = f"/reports/2026/10/book.{kind}"
        assert address in page.links
        answer = lan.client.get(address)
        assert answer.content_type.startswith(mime)
        if kind == "pdf":
            assert ticket.code in words_of(answer.data)
        else:
            assert f"so-theo-doi-2026-10.{kind}" in answer.headers["Content-Disposition"]


def test_another_month_is_chosen(browser: Open) -> None:
    lan = browser("lan")
    page = lan.open("/reports/2026/9")
    assert "/reports/2026/10" in page.links
    assert "/reports/2026/8" in page.links
    assert "/reports/2026/11" not in lan.open("/reports/2026/10").links
    answer = lan.client.get("/reports?month=2026-02")
    assert answer.headers["Location"].endswith("/reports/2026/2")


@pytest.mark.parametrize("path", ["/reports/2026/13", "/reports/2026/0", "/reports/2024/5", "/reports/2099/1/book.pdf"])
def test_there_is_no_such_month(browser: Open, path: str) -> None:
    assert browser("lan").client.get(path).status_code == 404


@pytest.mark.parametrize(("who", "status"), [("lan", 200), ("mai", 200), ("an", 200), ("hung", 403), ("hoa", 403)])
def test_who_reads_the_book(world: World, browser: Open, who: str, status: int) -> None:
    one = browser(who)
    assert one.client.get("/reports").status_code == status
    assert one.client.get("/reports/2026/10/book.xlsx").status_code == status


def test_who_administers_is_told_that_it_is_sums_only(reported: Reported, browser: Open) -> None:
    ticket = reported(LIGHT)
    an = browser("an")
    assert "chỉ tải được số liệu tổng hợp" in an.open("/reports").text
    assert ticket.code not in an.client.get("/reports/2026/10/book.csv").text
