"""Journeys of real people through real pages."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.announcing import approve, own_phone, write
from tests.browser.conftest import Desk, Rehearsal
from tests.gateway import wait_until

REPORT = "duong vao xom 5 o ga nhieu qua"
Open = Callable[..., Desk]


def pick_up_phone(desk: Desk, user_id: str) -> Page:
    desk.page.goto(f"{desk.rehearsal.url}/sandbox/phone/{user_id}")
    return desk.page


def ticket_code(rehearsal: Rehearsal, user_id: str) -> str:
    """The code that the citizen was told."""

    def told() -> str | None:
        found = re.search(r"mã (PA\d\d-\d{4})", " ".join(rehearsal.heard(user_id)))
        return found[1] if found else None

    return str(wait_until("the acknowledgement arrives", told, 15))


def test_a_report_is_seen_within_five_seconds_and_its_answer_reaches_the_phone(
    open_browser: Open, rehearsal: Rehearsal
) -> None:
    neighbour = rehearsal.neighbour()
    official, citizen = open_browser(), open_browser(width=360, height=740)
    official.sign_in("lan")
    phone = pick_up_phone(citizen, neighbour)

    phone.get_by_label("Tin nhắn").fill(REPORT)
    phone.get_by_role("button", name="Gửi", exact=True).click()
    # Nobody reloads: an empty list brings it by itself, one that shows something tells of it and does not move.
    code = ticket_code(rehearsal, neighbour)
    row, pill = official.page.get_by_role("link", name=code).first, official.page.locator("#list-update")
    expect(row.or_(pill).first).to_be_visible(timeout=5_000)
    if pill.is_visible():
        pill.click()
    expect(row).to_be_visible(timeout=5_000)
    row.click()
    expect(official.page.get_by_role("heading", level=1)).to_contain_text(code)
    expect(official.page.locator("main")).to_contain_text("Xóm 5")
    official.page.get_by_label("Nội dung gửi cho người dân").fill("Xã đã cử cán bộ xuống xóm 5 kiểm tra sáng mai.")
    official.page.get_by_role("button", name="Gửi trả lời").click()

    expect(phone.get_by_text("Xã đã cử cán bộ xuống xóm 5")).to_be_visible(timeout=40_000)


def test_the_same_works_for_an_official_without_javascript(open_browser: Open, rehearsal: Rehearsal) -> None:
    neighbour = rehearsal.neighbour()
    rehearsal.say(neighbour, REPORT)
    code = ticket_code(rehearsal, neighbour)
    official = open_browser(javascript=False)
    official.sign_in("lan")
    page = official.page

    page.get_by_role("link", name=code).first.click()
    page.get_by_role("button", name="Đúng", exact=True).click()
    expect(page.locator("main")).to_contain_text(f"{code}: đã xác nhận")
    page.get_by_label("Ghi chú cho đồng nghiệp").fill("Nhờ anh Hùng xem")
    page.get_by_role("button", name="Lưu ghi chú").click()
    expect(page.locator("main")).to_contain_text("Nhờ anh Hùng xem")
    page.get_by_label("Nội dung gửi cho người dân").fill("Đã dặm vá xong ổ gà.")
    page.get_by_label("Đây là kết quả xử lý").check()
    page.get_by_label("Lý do không có ảnh sau xử lý").fill("Vá xong lúc trời tối, mai chụp bổ sung.")
    page.get_by_role("button", name="Gửi trả lời").click()
    expect(page.locator("main")).to_contain_text("Đã dặm vá xong ổ gà.")

    wait_until("the answer arrives", lambda: any("Đã dặm vá xong" in t for t in rehearsal.heard(neighbour)), 40)
    assert not any("Nhờ anh Hùng" in told for told in rehearsal.heard(neighbour))
    page.reload()
    expect(page.locator("main")).to_contain_text(re.compile("Đã (trả lời|có kết quả)"))


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_what_was_sent_is_taken_back_after_a_reload(open_browser: Open, rehearsal: Rehearsal, javascript: bool) -> None:
    neighbour = rehearsal.neighbour()
    rehearsal.say(neighbour, REPORT)
    code = ticket_code(rehearsal, neighbour)
    official = open_browser(javascript=javascript)
    official.sign_in("lan")
    page = official.page
    page.get_by_role("link", name=code).first.click()
    page.get_by_label("Nội dung gửi cho người dân").fill("Gửi nhầm người mất rồi.")
    page.get_by_role("button", name="Gửi trả lời").click()
    expect(page.locator("form.undo")).to_contain_text(re.compile(r"Sẽ gửi sau \d+ giây"))
    page.reload()
    page.get_by_role("button", name="Hoàn tác").click()

    expect(page.locator("main")).to_contain_text("Đã hoàn tác. Người dân không nhận được gì")
    expect(page.get_by_label("Nội dung gửi cho người dân")).to_have_value("Gửi nhầm người mất rồi.")
    expect(page.locator(".said-out")).to_have_count(0)
    page.get_by_label("Nội dung gửi cho người dân").fill("Xã đã nhận, mai xuống xem.")
    page.get_by_role("button", name="Gửi trả lời").click()
    wait_until("the answer arrives", lambda: any("mai xuống xem" in t for t in rehearsal.heard(neighbour)), 40)
    assert not any("Gửi nhầm" in told for told in rehearsal.heard(neighbour))


def test_what_one_official_writes_is_kept_and_seen_by_a_colleague(open_browser: Open, rehearsal: Rehearsal) -> None:
    neighbour = rehearsal.neighbour()
    rehearsal.say(neighbour, REPORT)
    code = ticket_code(rehearsal, neighbour)
    lan, mai = open_browser(), open_browser()
    lan.sign_in("lan")
    lan.page.get_by_role("link", name=code).first.click()
    reply, note = lan.page.get_by_label("Nội dung gửi cho người dân"), lan.page.get_by_label("Ghi chú cho đồng nghiệp")
    reply.press_sequentially("Xã mời ông/bà chiều mai", delay=10)
    expect(lan.page.locator(".draft-status").first).to_contain_text("Đã lưu nháp", timeout=2_000)
    note.fill("Nhờ anh Hùng xem")
    expect(lan.page.locator(".draft-status").last).to_contain_text("Đã lưu nháp", timeout=2_000)
    lan.page.reload()
    expect(reply).to_have_value("Xã mời ông/bà chiều mai")
    expect(note).to_have_value("Nhờ anh Hùng xem")

    mai.sign_in("mai")
    mai.visit(lan.page.url.removeprefix(rehearsal.url))
    words = mai.page.get_by_text("Xã mời ông/bà chiều mai")
    expect(words).not_to_be_visible()
    mai.page.get_by_text(re.compile(r"đang soạn trả lời, \d\d:\d\d")).click()
    expect(words).to_be_visible()
    mine = mai.page.get_by_label("Nội dung gửi cho người dân")
    expect(mine).to_have_value("")
    mine.focus()

    # Nobody reloads: who writes is named, and what is folded open goes on.
    reply.press("End")
    reply.press_sequentially(", ở trụ sở", delay=10)
    expect(mai.page.get_by_text("Xã mời ông/bà chiều mai, ở trụ sở")).to_be_visible(timeout=8_000)
    expect(mai.page.locator("#presence")).to_contain_text(re.compile("Lan .*đang soạn"))
    expect(mine).to_be_focused()
    expect(lan.page.locator("#presence")).to_contain_text(re.compile("Mai .*đang xem"))

    reply.fill("")
    expect(lan.page.locator(".draft-status").first).to_have_text("", timeout=2_500)
    mai.page.reload()
    expect(words).to_have_count(0)


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_an_announcement_needs_two_people_and_reaches_its_followers(
    open_browser: Open, rehearsal: Rehearsal, javascript: bool
) -> None:
    neighbour = rehearsal.neighbour()
    wait_until("the follower is greeted", lambda: rehearsal.heard(neighbour), 15)
    title = f"Lịch cắt điện {'sáng' if javascript else 'chiều'} thứ Bảy"
    author, approver = open_browser(javascript=javascript), open_browser(javascript=javascript)

    author.sign_in("lan")
    own_phone(author, rehearsal)
    address = write(author, title)
    approver.sign_in("mai")
    approve(approver, address)
    wait_until("the announcement arrives", lambda: any(title in t for t in rehearsal.heard(neighbour)), 20)
    assert sum(title in told for told in rehearsal.heard(neighbour)) == 1
    approver.visit(address)
    expect(approver.page.locator("main")).to_contain_text("Đã gửi")


def test_a_citizen_who_stops_gets_no_announcement(open_browser: Open, rehearsal: Rehearsal) -> None:
    neighbour = rehearsal.neighbour()
    phone = pick_up_phone(open_browser(width=360, height=740), neighbour)
    phone.get_by_label("Tin nhắn").fill("DUNG")
    phone.get_by_role("button", name="Gửi", exact=True).click()
    expect(phone.get_by_text("đã ngừng nhận thông báo")).to_be_visible(timeout=10_000)


def test_an_official_answers_with_the_keyboard_alone(open_browser: Open, rehearsal: Rehearsal) -> None:
    neighbour = rehearsal.neighbour()
    rehearsal.say(neighbour, "den duong xom 7 hong may hom nay")
    code = ticket_code(rehearsal, neighbour)
    official = open_browser()
    page = official.page
    page.goto(rehearsal.url)
    expect(page.get_by_label("Tên đăng nhập")).to_be_visible()
    reach(page, "Tên đăng nhập")
    page.keyboard.type("lan")
    page.keyboard.press("Tab")
    page.keyboard.type(rehearsal.password)
    page.keyboard.press("Enter")
    page.wait_for_url("**/tickets**")
    reach(page, code)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(code)
    reach(page, "Đến nội dung chính")
    page.keyboard.press("Enter")
    reach(page, "Nội dung gửi cho người dân")
    page.keyboard.type("Chiều nay xã thay bóng đèn.")
    reach(page, "Gửi trả lời")
    page.keyboard.press("Enter")
    wait_until("the answer arrives", lambda: any("thay bóng đèn" in t for t in rehearsal.heard(neighbour)), 40)


def reach(page: Page, name: str) -> None:
    """Press Tab until the focused element bears this name, as a person without a mouse does."""
    for _ in range(120):
        page.keyboard.press("Tab")
        label = page.evaluate(
            "() => { const e = document.activeElement; const l = e.labels && e.labels[0];"
            " return ((l ? l.innerText : '') + ' ' + (e.getAttribute('aria-label') || '') + ' ' + e.innerText).trim() }"
        )
        if name in label:
            return
    raise AssertionError(f"{name!r} cannot be reached with the keyboard")


@pytest.mark.parametrize(
    "path",
    [
        "/tickets",
        "/tickets?view=all",
        "/announcements",
        "/channels",
        "/faq",
        "/faq/new",
        "/places",
        "/places/new",
        "/places/upload",
        "/quality",
        "/sandbox/phone/",
        "/sandbox/sms/",
        "/sandbox/sms/84900000001",
    ],
)
def test_no_page_is_wider_than_a_small_phone(open_browser: Open, rehearsal: Rehearsal, path: str) -> None:
    official = open_browser(width=360, height=740)
    official.sign_in("mai")
    official.visit(path)
    assert official.page.evaluate("document.documentElement.scrollWidth") <= 360


def test_everything_of_a_rehearsal_says_so(open_browser: Open, rehearsal: Rehearsal) -> None:
    neighbour = rehearsal.neighbour()
    rehearsal.say(neighbour, REPORT)
    code = ticket_code(rehearsal, neighbour)
    official = open_browser()
    official.sign_in("mai")
    for path in ("/tickets", "/announcements", "/channels"):
        official.visit(path)
        expect(official.page.locator("body")).to_contain_text(re.compile("TẬP DƯỢT"))
    official.visit("/tickets?view=all")
    official.page.get_by_role("link", name=code).first.click()
    expect(official.page.locator("main")).to_contain_text("KÊNH TẬP DƯỢT")
    expect(pick_up_phone(official, neighbour).locator("body")).to_contain_text(re.compile("TẬP DƯỢT"))


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_citizen_without_an_account_reports_on_the_page_and_reads_the_answer_there(
    open_browser: Open, rehearsal: Rehearsal, javascript: bool
) -> None:
    citizen, official = open_browser(javascript=javascript, width=360, height=740), open_browser()
    page = citizen.page
    citizen.visit("/phan-anh/tap-duot")
    assert page.get_by_role("button", name="Gửi kèm vị trí của tôi").is_visible() is javascript
    page.get_by_label("Việc gì, ở đâu?").fill("Nước sạch xóm 7 yếu cả tuần nay")
    page.get_by_role("button", name="Gửi phản ánh").click()
    expect(page.locator("main")).to_contain_text(re.compile(r"PA\d\d-\d{4}"), timeout=20_000)
    found = re.search(r"mã (PA\d\d-\d{4})", page.inner_text("main"))
    assert found

    official.sign_in("lan")
    official.page.get_by_role("link", name=found[1]).first.click()
    official.page.get_by_label("Nội dung gửi cho người dân").fill("Nhà máy nước đang sửa, chiều nay có nước lại.")
    official.page.get_by_role("button", name="Gửi trả lời").click()
    expect(official.page.locator("main")).to_contain_text("chiều nay có nước lại")
    if not javascript:
        wait_until("the answer stands on the page", lambda: _reloaded(page, "chiều nay có nước lại"), 40)
    expect(page.locator("main")).to_contain_text("chiều nay có nước lại", timeout=40_000)
    assert page.locator("main").bounding_box()["width"] <= 360  # type: ignore[index]


def _reloaded(page: Page, words: str) -> bool:
    page.reload()
    return words in page.inner_text("main")
