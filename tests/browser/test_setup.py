"""The first set-up in a real browser: from an empty database to an answered test message."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.every_page import THEMES, problems
from tests.gateway import Process, a_gateway, wait_until


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """`haichieu up` on an empty folder with the pretend channels: where it is, and the code it printed."""
    folder: Path = tmp_path_factory.mktemp("empty")
    gateway = a_gateway(folder)
    up = gateway.processes[0]
    gateway.processes = [Process(up.command, {**up.env, "HAICHIEU_SANDBOX": "1"}, folder / "up.log")]
    gateway.start()
    found = wait_until("the code is printed", lambda: re.search(r"mã: (\w{4}-\w{4})", (folder / "up.log").read_text()))
    yield gateway.url, str(found[1])
    gateway.stop()


def test_a_newcomer_sets_the_commune_up_and_sees_the_test_message_come_and_go(
    chromium: Browser, empty: tuple[str, str]
) -> None:
    url, code = empty
    without = chromium.new_context(java_script_enabled=False, viewport={"width": 360, "height": 740})
    page = without.new_page()
    page.set_default_timeout(15_000)
    page.goto(url)
    page.get_by_label("Mã thiết lập").fill(code)
    page.get_by_role("button", name="Bắt đầu").click()
    page.get_by_label("Tên địa phương").fill("duc hue")
    page.get_by_role("button", name="Tìm").click()
    page.get_by_label("Đức Huệ").first.check()
    page.get_by_label("Tên như người dân đọc").fill("UBND xã Đức Huệ")
    page.get_by_label("Số trực ban").fill("0272 3 111 222")
    page.get_by_role("button", name="Chọn địa phương này").click()
    page.get_by_label("Họ và tên").fill("Đặng Văn An")
    page.get_by_label("Tên đăng nhập").fill("an.dang")
    page.get_by_label("Mật khẩu", exact=True).fill("mot-cau-de-nho")
    page.get_by_label("Nhập lại mật khẩu").fill("mot-cau-de-nho")
    page.get_by_role("button", name="Lưu và làm tiếp").click()
    page.get_by_role("button", name="Lưu và làm tiếp").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thiết lập: Đơn vị")
    page.get_by_role("button", name="Lưu và làm tiếp").click()
    page.get_by_role("button", name="Để sau").click()
    page.get_by_role("button", name="Mở kênh và làm tiếp").click()
    expect(page.locator("#test-state")).to_contain_text("Chờ tin tới.")
    state = without.storage_state()
    without.close()

    # The same person at a desk: the page looks by itself while the message is written in another tab.
    desk = chromium.new_context(storage_state=state, viewport={"width": 1280, "height": 900}, bypass_csp=True)
    page, citizen = desk.new_page(), desk.new_page()
    page.goto(f"{url}/setup")
    citizen.goto(url + str(page.get_by_role("link", name="Trang phản ánh").get_attribute("href")))
    citizen.get_by_label("Việc gì").first.fill("Thử máy: đèn đường trước trụ sở bị hỏng")
    citizen.get_by_role("button", name="Gửi phản ánh").click()
    expect(citizen.locator("main")).to_contain_text("đèn đường trước trụ sở")
    page.bring_to_front()
    expect(page.locator("#test-state")).to_contain_text("Hai chiều đã thông", timeout=40_000)
    expect(page.locator("#test-state")).to_contain_text(re.compile(r"PA\d\d-\d{4}"))
    wrong = [problem for theme in THEMES for problem in problems(page, theme)]
    assert not wrong
    page.get_by_role("button", name="Kết thúc thiết lập").click()
    page.get_by_label("Tên đăng nhập").fill("an.dang")
    page.get_by_label("Mật khẩu").fill("mot-cau-de-nho")
    page.get_by_role("button", name="Đăng nhập").click()
    expect(page.locator("main")).to_contain_text("đèn đường trước trụ sở")
    answer = page.goto(f"{url}/setup")
    assert answer is not None
    assert answer.status == 404
    desk.close()
