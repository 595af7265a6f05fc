"""Steps of an announcement through its pages: own telephone, writing, trying, submitting, approving."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from playwright.sync_api import expect

from bot.rules.deadlines import VIETNAM
from tests.browser.conftest import Desk, Rehearsal
from tests.gateway import wait_until

TEXT = "Điện lực cắt điện xóm 5 từ 8 giờ đến 11 giờ để sửa đường dây."


def own_phone(author: Desk, rehearsal: Rehearsal) -> None:
    """The author's own telephone follows the channel and is known as theirs: a code of their page was said from it."""
    phone = rehearsal.neighbour()
    author.visit("/announcements/bulletins/testers")
    author.page.get_by_role("button", name="Lấy mã").click()
    code = re.search(r"THU \d{4} \d{4}", author.page.locator("main").inner_text())
    assert code
    rehearsal.say(phone, code[0])

    def is_known() -> bool:
        author.visit("/announcements/bulletins/testers")
        return "đã có máy nhận tin thử" in author.page.locator("main").inner_text()

    wait_until("the telephone is known", is_known, 20)


def write(author: Desk, title: str) -> str:
    """The author writes, tries it on their own telephone and submits it; gives the path of its page."""
    page = author.page
    author.visit("/announcements")
    page.locator("main").get_by_role("link", name="Viết bản tin").first.click()
    page.get_by_label("Tiêu đề").fill(title)
    page.get_by_label("Nội dung", exact=True).fill(TEXT)
    until = datetime.now(VIETNAM) + timedelta(days=2)
    page.get_by_label("Hết hiệu lực lúc").fill(f"{until:%Y-%m-%dT%H:%M}")
    page.get_by_role("button", name="Lưu bản nháp").click()
    try_out(author)
    return submit(author)


def try_out(author: Desk) -> None:
    """The author, who is on the page of their draft, sends it to their own telephone."""
    page = author.page
    page.get_by_role("button", name=re.compile("^Gửi thử qua")).first.click()

    def is_tried() -> bool:
        page.reload()
        return "trước khi trình duyệt" not in page.locator("main").inner_text()

    wait_until("the test arrives", is_tried, 20)


def submit(author: Desk) -> str:
    """They tick what they have checked and hand it over; gives the path of its page."""
    page = author.page
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.get_by_role("button", name="Trình duyệt").click()
    expect(page.get_by_role("button", name=re.compile("^Duyệt"))).to_have_count(0)
    return page.url.removeprefix(author.rehearsal.url)


def approve(approver: Desk, address: str) -> None:
    """A second person approves it."""
    approver.visit(address)
    approver.page.get_by_role("button", name=re.compile("^Duyệt")).click()
