"""An answer's way: a template filled for the report, a leader's thumb on a phone, and the next report like it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, expect

from storage.communes import Commune
from tests.browser.conftest import Desk, Rehearsal, running_rehearsal
from tests.browser.every_page import THEMES, desk_of, problems
from tests.browser.test_desk import report
from tests.gateway import a_gateway, wait_until

Open = Callable[..., Desk]
LAMP = "den duong truoc cua nha o xom 3 hong ca tuan nay, toi om"
LIKE_IT = "Đèn đường đầu xóm 6 hỏng, tối om cả tuần nay, nhờ xã xem giúp"
THUMB = 44


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """A commune where a leader approves each result."""
    folder = tmp_path_factory.mktemp("answers")
    with running_rehearsal(folder) as running:
        let_leaders_approve(folder)
        yield running


def let_leaders_approve(folder: Path) -> None:
    """As `haichieu commune set` does."""
    with a_gateway(folder).runtime().database.transaction() as session:
        commune = session.scalars(sa.select(Commune)).one()
        commune.settings = {**commune.settings, "needs_approval": True, "after_photo": False, "undo_seconds": 10}


def open_report(desk: Desk, code: str) -> Page:
    desk.visit("/tickets?view=all")
    desk.page.get_by_role("link", name=code).first.click()
    expect(desk.page.get_by_role("heading", level=1)).to_contain_text(code)
    return desk.page


def take_shipped_templates(desk: Desk) -> None:
    desk.visit("/answer-templates")
    desk.page.get_by_role("button", name="Lấy bộ mẫu có sẵn").click()
    expect(desk.page.locator(".notice").first).to_contain_text("mẫu có sẵn")


def answer_with_template(desk: Desk, code: str) -> None:
    """Fill the template, put in what only a person knows, and hand the result to the leader."""
    page = open_report(desk, code)
    expect(page.locator(".probable")).to_contain_text("đèn đường trước cửa nhà")
    page.get_by_label("Nội dung gửi cho người dân").fill("Kính gửi ông/bà.")
    page.get_by_label("Mẫu trả lời").select_option(label="Đèn đường: đã thay bóng")
    page.get_by_role("button", name="Điền mẫu").click()
    field = page.get_by_label("Nội dung gửi cho người dân")
    expect(field).to_have_value(re.compile(r"^Kính gửi ông/bà\.\n\n.*\{ngày thay\}", re.DOTALL))
    expect(page.locator("form[data-draft=reply] .draft-status")).to_contain_text("nháp", timeout=5_000)
    words = field.input_value()
    field.fill(re.sub(r"\{[^{}]*\}", "bóng đèn", words, count=1).replace("{ngày thay}", "28/11/2026"))
    page.get_by_label("Đây là kết quả xử lý").check()
    page.get_by_role("button", name="Gửi trả lời").click()
    expect(page.locator(".notice").first).to_contain_text("Đã trình lãnh đạo duyệt")


def hindrances(chromium: Browser, rehearsal: Rehearsal, path: str) -> list[str]:
    """What axe finds on a page of a leader's phone, in both themes."""
    with desk_of(chromium, rehearsal, "mai", "phone") as desk:
        desk.visit(path)
        desk.page.wait_for_load_state("networkidle")
        return [problem for theme in THEMES for problem in problems(desk.page, theme)]


def test_approval_on_a_phone_with_one_thumb_and_no_script(
    open_browser: Open, chromium: Browser, rehearsal: Rehearsal
) -> None:
    code = report(rehearsal, LAMP)
    keeper = open_browser()
    keeper.sign_in("mai")
    take_shipped_templates(keeper)
    desk = open_browser()
    desk.sign_in("lan")
    answer_with_template(desk, code)

    assert hindrances(chromium, rehearsal, "/approvals") == []
    phone = open_browser(javascript=False, width=360, height=740)
    phone.sign_in("mai")
    page = phone.page
    page.get_by_role("link", name=re.compile("Chờ duyệt")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Kết quả chờ duyệt")
    card = page.locator(".approval").filter(has_text=code)
    expect(card).to_contain_text("den duong truoc cua nha")
    expect(card).to_contain_text("ngày 28/11/2026")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    together = page.get_by_role("button", name="Duyệt các mục đã chọn")
    for pressed in (together, card.get_by_role("button", name="Duyệt và gửi"), card.locator(".pick label")):
        box = pressed.bounding_box()
        assert box, pressed
        assert box["height"] >= THUMB, pressed
    at = together.bounding_box()
    assert at, "it is there without scrolling"
    assert 740 / 2 < at["y"] < 740, "it lies at the thumb's end"
    card.get_by_label(re.compile("Chọn để duyệt cùng")).check()
    together.click()
    expect(page.locator(".notice").first).to_contain_text(f"Đã duyệt 1 kết quả: {code}.")
    page.get_by_role("button", name=re.compile("Hoàn tác")).click()
    expect(page.locator(".notice").first).to_contain_text("kết quả lại chờ duyệt")
    page.locator(".approval").filter(has_text=code).get_by_role("button", name="Duyệt và gửi").click()
    expect(page.locator(".empty")).to_contain_text("Không có kết quả nào chờ duyệt")

    like_it = report(rehearsal, LIKE_IT)
    page = open_report(desk, like_it)
    earlier = page.locator("#earlier")
    earlier.scroll_into_view_if_needed()
    expect(earlier).to_contain_text(code)
    expect(earlier).to_contain_text("{ngày}")
    assert hindrances(chromium, rehearsal, page.url.removeprefix(rehearsal.url)) == []
    earlier.get_by_role("button", name=re.compile("Dùng làm bản nháp")).first.click()
    expect(page.get_by_label("Nội dung gửi cho người dân")).to_have_value(re.compile(r"\{ngày\}"))


def test_what_was_approved_reaches_the_citizen(open_browser: Open, rehearsal: Rehearsal) -> None:
    neighbour = rehearsal.neighbour()
    rehearsal.say(neighbour, "Rác ở chợ Đình ba ngày chưa ai lấy")
    code = wait_until("a code", lambda: re.search(r"mã (PA\d\d-\d{4})", " ".join(rehearsal.heard(neighbour))), 20)[1]
    desk = open_browser()
    desk.sign_in("lan")
    page = open_report(desk, code)
    page.get_by_label("Nội dung gửi cho người dân").fill("Tổ thu gom đã dọn sạch chợ Đình sáng nay.")
    page.get_by_label("Đây là kết quả xử lý").check()
    page.get_by_role("button", name="Gửi trả lời").click()
    expect(page.locator(".notice").first).to_contain_text("Đã trình lãnh đạo duyệt")
    assert not any("dọn sạch" in one for one in rehearsal.heard(neighbour))
    leader = open_browser(width=360, height=740)
    leader.sign_in("mai")
    leader.visit("/approvals?all=1")
    leader.page.get_by_role("button", name="Duyệt các mục đã chọn").click()
    wait_until("the result arrives", lambda: any("dọn sạch" in one for one in rehearsal.heard(neighbour)), 30)
