"""The desk: a list that stays still, a proposal agreed with in one key, and a keyboard that knows when to be silent."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Desk, Rehearsal, running_rehearsal
from tests.gateway import wait_until

Open = Callable[..., Desk]
SAID = (
    "duong vao xom {n} o ga nhieu qua",
    "Đèn đường xóm {n} hỏng cả tuần nay",
    "Rác đổ trộm ở xóm {n} ba ngày chưa ai lấy",
    "Cống nghẹt ngập đường xóm {n}",
    "Loa xóm {n} ồn quá lúc 5 giờ sáng",
)


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """A commune of its own: what others do would be news in its list."""
    with running_rehearsal(tmp_path_factory.mktemp("desk")) as running:
        yield running


def report(rehearsal: Rehearsal, words: str) -> str:
    """Somebody reports this; gives the code they were told."""
    neighbour = rehearsal.neighbour()
    rehearsal.say(neighbour, words)

    def told() -> str | None:
        found = re.search(r"mã (PA\d\d-\d{4})", " ".join(rehearsal.heard(neighbour)))
        return found[1] if found else None

    return str(wait_until("the acknowledgement arrives", told, 20))


def opened(open_browser: Open, code: str) -> Page:
    """The page of this report, as its receiver came to it from the list of all."""
    desk = open_browser()
    desk.sign_in("lan")
    desk.visit("/tickets?view=all")
    desk.page.get_by_role("link", name=code).first.click()
    expect(desk.page.get_by_role("heading", level=1)).to_contain_text(code)
    return desk.page


def places_of_rows(page: Page) -> dict[str, float]:
    """Where each row stands on the screen, by its ticket."""
    rows = page.locator("#list .row").all()
    return {str(row.get_attribute("data-ticket")): (row.bounding_box() or {"y": -1.0})["y"] for row in rows}


def test_the_morning_queue_by_keyboard_two_keys_a_report(open_browser: Open, rehearsal: Rehearsal) -> None:
    """An official who reads only the proposal: Enter agrees and brings the next one."""
    codes = {report(rehearsal, SAID[n % len(SAID)].format(n=n % 8 + 1)) for n in range(10)}
    desk = open_browser()
    desk.sign_in("lan")
    desk.visit("/tickets?view=new")
    page = desk.page
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    keys, done = 2, set()
    while len(done) < len(codes) and keys < 60:
        page.wait_for_url(re.compile(r"/tickets/\d+\?view=new"))
        code = page.get_by_role("heading", level=1).inner_text().split(":")[0]
        expect(page.locator(".proposal")).to_be_visible()
        page.keyboard.press("Enter")
        keys += 1
        done.add(code)
        expect(page.locator(".notice").first).to_contain_text(re.compile(f"{code}: đã xác nhận|hết việc"))
    assert done == codes
    assert keys <= 2 * len(codes)
    desk.visit("/tickets?view=new")
    expect(page.locator(".empty")).to_contain_text("Không có phản ánh mới")


def test_nothing_moves_under_the_hand_when_something_new_arrives(open_browser: Open, rehearsal: Rehearsal) -> None:
    report(rehearsal, "Đèn đường xóm 3 hỏng")
    desk = open_browser()
    desk.sign_in("lan")
    desk.visit("/tickets?view=new")
    page = desk.page
    before = places_of_rows(page)
    report(rehearsal, "Cháy nhà ở chợ Đình, lửa lớn lắm!")  # would stand first
    expect(page.locator("#list-update")).to_contain_text("1 phản ánh mới", timeout=8_000)
    assert places_of_rows(page) == before
    expect(page.locator("#late-calls")).to_contain_text("KHẨN CẤP")  # yet danger is told at once
    expect(page.locator("#view-new .count")).to_have_text(str(len(before) + 1))
    page.locator("#list-update").click()
    expect(page.locator("#list .row").first).to_contain_text("Cháy nhà")
    expect(page.locator("#list-update")).to_have_count(0)


def test_three_panes_on_a_desk_one_on_a_phone(open_browser: Open, rehearsal: Rehearsal) -> None:
    first, second = report(rehearsal, "Ổ gà ở xóm 2"), report(rehearsal, "Ổ gà ở xóm 6")
    desk = open_browser(width=1366, height=768)
    desk.sign_in("lan")
    desk.visit("/tickets?view=all")
    page = desk.page
    page.get_by_role("link", name=second).first.click()
    expect(page.locator(".list-pane .row.is-open")).to_contain_text(second)
    page.keyboard.press("j")
    expect(page.get_by_role("heading", level=1)).to_contain_text(first)
    page.keyboard.press("k")
    expect(page.get_by_role("heading", level=1)).to_contain_text(second)
    phone = open_browser(width=360, height=740)
    phone.sign_in("lan")
    phone.visit(page.url.removeprefix(rehearsal.url))
    expect(phone.page.locator(".list-pane")).to_be_hidden()
    phone.page.get_by_role("link", name="Việc sau").click()
    expect(phone.page.get_by_role("heading", level=1)).to_contain_text(first)
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 360


def test_keys_are_silent_while_somebody_writes_or_composes_or_wants_none(
    open_browser: Open, rehearsal: Rehearsal
) -> None:
    code = report(rehearsal, "Cống nghẹt ở xóm 4")
    page = opened(open_browser, code)
    page.keyboard.press("r")
    expect(page.get_by_label("Nội dung gửi cho người dân")).to_be_focused()
    page.keyboard.type("jknrtap?/")
    expect(page.get_by_label("Nội dung gửi cho người dân")).to_have_value("jknrtap?/")
    page.get_by_label("Nội dung gửi cho người dân").fill("")
    page.keyboard.press("Escape")
    # A Vietnamese input method composes: the letter is its own, not a key of ours.
    page.evaluate(
        "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'n', bubbles: true, isComposing: true}))"
    )
    expect(page.get_by_label("Ghi chú cho đồng nghiệp")).not_to_be_focused()
    page.keyboard.press("n")
    expect(page.get_by_label("Ghi chú cho đồng nghiệp")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    page.get_by_label("Tắt phím tắt trên máy này").check()
    page.get_by_role("button", name="Đóng").click()
    page.reload()
    page.keyboard.press("n")
    expect(page.get_by_label("Ghi chú cho đồng nghiệp")).not_to_be_focused()


def test_the_command_bar_understands_words_without_accents(open_browser: Open, rehearsal: Rehearsal) -> None:
    code = report(rehearsal, "Rác ở xóm 7")
    page = opened(open_browser, code)
    page.keyboard.press("Control+k")
    page.keyboard.type("dia diem")
    page.keyboard.press("Enter")
    expect(page.locator("#f-place")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.keyboard.type("khong co viec nay")
    expect(page.locator("#command-none")).to_be_visible()
    page.locator("#command-words").fill("thong bao")
    page.keyboard.press("Enter")
    page.wait_for_url("**/announcements")
