"""Triage by key and in bulk: fifty reports by one who reads only the proposal, many in one go, and back again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Desk, Rehearsal, running_rehearsal
from tests.browser.test_desk import SAID, opened, report
from tests.gateway import wait_until

Open = Callable[..., Desk]
MANY = 50
FIRST_LOAD = 200_000  # bytes
# What stands on the screen in the first frame after a key, and how long after it; kept for the page that comes.
FIRST_FRAME = """
  document.addEventListener("keydown", key => {
    const seen = () => (document.querySelector(".coming-title, h1") || {}).textContent;
    const before = seen();
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => {
        const frame = { title: seen(), changed: seen() !== before, took: performance.now() - key.timeStamp };
        const all = JSON.parse(sessionStorage.getItem("frames") || "[]");
        sessionStorage.setItem("frames", JSON.stringify([...all, frame]));
      };
      channel.port2.postMessage("painted");
    });
  }, true);
"""


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """A commune of its own: what others do would be news in its list."""
    with running_rehearsal(tmp_path_factory.mktemp("triage")) as running:
        yield running


def seed(rehearsal: Rehearsal, many: int) -> None:
    """So many people report something, each something else."""
    people = rehearsal.neighbours(many)
    for n, one in enumerate(people):
        rehearsal.say(one, SAID[n % len(SAID)].format(n=n % 8 + 1))
    wait_until("everybody got a code", lambda: all("mã PA" in " ".join(rehearsal.heard(one)) for one in people), 60)


def transferred(page: Page, path: str) -> dict[str, int]:
    """What comes over the line for a page when nothing is in any cache: bytes by address."""
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    line.send("Network.clearBrowserCache")
    line.send("Network.setCacheDisabled", {"cacheDisabled": True})
    names: dict[str, str] = {}
    sizes: dict[str, int] = {}

    def named(event: dict[str, Any]) -> None:
        names[event["requestId"]] = event["request"]["url"].split("?")[0].rsplit("/", 1)[-1]

    def arrived(event: dict[str, Any]) -> None:
        sizes[names[event["requestId"]]] = int(event["encodedDataLength"])

    line.on("Network.requestWillBeSent", named)
    line.on("Network.loadingFinished", arrived)
    page.goto(path, wait_until="load")
    page.evaluate("document.fonts.ready")
    page.wait_for_function("document.querySelectorAll('#list .row').length > 0")
    line.detach()
    return sizes


@pytest.mark.timeout(600)
def test_fifty_reports_by_one_who_reads_only_the_proposal(
    open_browser: Open, rehearsal: Rehearsal, capsys: pytest.CaptureFixture[str]
) -> None:
    seed(rehearsal, MANY)
    desk = open_browser()
    desk.sign_in("lan")
    page = desk.page
    sizes = transferred(page, f"{rehearsal.url}/tickets?view=new")
    assert page.locator("#list .row").count() == MANY
    assert any(name.endswith(".woff2") for name in sizes), "fonts count, too"
    assert sum(sizes.values()) < FIRST_LOAD, sizes
    page.add_init_script(FIRST_FRAME)
    page.reload()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    keys, titles, until_seen = 2, list[str](), list[float]()
    while len(titles) < MANY:
        page.wait_for_url(re.compile(r"/tickets/\d+\?view=new"))
        titles.append(page.get_by_role("heading", level=1).inner_text())
        expect(page.locator(".proposal")).to_be_visible()
        here = page.url
        page.keyboard.press("Enter")
        keys += 1
        page.wait_for_url(lambda url, here=here: url != here)
        expect(page.locator(".notice").first).to_be_visible()
        until_seen.append(painted(page))
    assert keys <= 2 * MANY
    expect(page.locator(".empty")).to_contain_text("Không có phản ánh mới")
    assert len({one.split(":")[0] for one in titles}) == MANY
    frames = page.evaluate("JSON.parse(sessionStorage.getItem('frames'))")[2:]
    assert [one["title"] for one in frames if one["changed"]] == titles[1:], "the next report stands there at once"
    with capsys.disabled():
        total, pages = sum(sizes.values()), sizes.get("tickets", 0)
        print(f"\nfirst load of /tickets with {MANY} rows: {total} bytes, of them the page {pages}")
        print(f"keys: {keys} for {MANY} reports")
        print(f"from the key to its code and first words: {spread([one['took'] for one in frames])}")
        print(f"from the key to the whole next report: {spread(until_seen)}")


def spread(milliseconds: list[float]) -> str:
    """Median and 95th percentile in words."""
    found = sorted(milliseconds)
    return f"median {found[len(found) // 2]:.0f} ms, p95 {found[int(len(found) * 0.95)]:.0f} ms"


def painted(page: Page) -> float:
    """Milliseconds from when this page was asked for to when something of it was on the screen."""
    asked = "(performance.getEntriesByName('first-contentful-paint')[0] || {}).startTime"
    page.wait_for_function(asked)
    return float(page.evaluate(asked))


# Nothing is asked for while this flag is up: as on a line that has gone dead.
DEAD_LINE = """
  ["click", "submit"].forEach(what => window.addEventListener(what, event => {
    if (window.deadLine && (what === "submit" || event.target.closest("a"))) { event.preventDefault(); }
  }));
"""


def test_the_next_report_stands_there_before_the_server_has_answered(open_browser: Open, rehearsal: Rehearsal) -> None:
    for n in range(3):
        report(rehearsal, SAID[n].format(n=n + 4))
    desk = open_browser()
    desk.sign_in("lan")
    page = desk.page
    page.add_init_script(DEAD_LINE)
    desk.visit("/tickets?view=new")
    page.locator("#list .row .code").first.click()
    page.wait_for_url(re.compile(r"/tickets/\d+\?view=new"))
    here, opened_row = page.get_by_role("heading", level=1), page.locator("#list .row.is-open .code")
    first = here.inner_text()
    following = page.locator("#list .row").nth(1)
    code, topic = following.locator(".code").inner_text(), following.get_attribute("data-topic")
    words = following.locator(".first-words").inner_text().strip()
    page.evaluate("window.deadLine = true")
    for key in ("Enter", "j"):
        page.keyboard.press(key)
        expect(page.locator(".coming-title")).to_have_text(f"{code}: {topic}")
        expect(page.locator(".coming-words")).to_have_text(words)
        expect(here).to_be_hidden()
        expect(opened_row).to_have_text(code)
        page.keyboard.press("Escape")  # the page that was is there again
        expect(here).to_have_text(first)
        expect(page.locator(".coming")).to_have_count(0)
        expect(opened_row).to_have_text(first.split(":")[0])
        page.evaluate("document.activeElement.blur()")
    page.evaluate("window.deadLine = false")
    page.keyboard.press("Enter")
    expect(here).to_have_text(f"{code}: {topic}")
    expect(page.locator(".coming")).to_have_count(0)


def test_who_stays_with_unsaved_words_keeps_the_page(open_browser: Open, rehearsal: Rehearsal) -> None:
    for n in range(2):
        report(rehearsal, SAID[n].format(n=n + 6))
    desk = open_browser()
    desk.sign_in("lan")
    desk.visit("/tickets?view=all")
    page = desk.page
    page.locator("#list .row .code").first.click()
    page.wait_for_url(re.compile(r"/tickets/\d+\?view=all"))
    here = page.get_by_role("heading", level=1)
    first = here.inner_text()
    page.route("**/drafts*", lambda route: route.abort())  # nothing is saved
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_label("Nội dung gửi cho người dân").fill("Kính gửi bà con")
    page.locator("#ticket-after").click()
    expect(here).to_have_text(first)
    expect(page.locator(".coming")).to_have_count(0)
    expect(page.get_by_label("Nội dung gửi cho người dân")).to_have_value("Kính gửi bà con")


def test_many_in_one_go_by_keyboard_and_back_again(open_browser: Open, rehearsal: Rehearsal) -> None:
    codes = [report(rehearsal, SAID[n].format(n=n + 1)) for n in range(4)]
    desk = open_browser()
    desk.sign_in("lan")
    desk.visit("/tickets?view=new")
    page = desk.page
    before = page.locator("#list .row").count()
    assert before >= len(codes)
    for key in ("j", "x", "j", "j", "Shift+X"):
        page.keyboard.press(key)
    expect(page.locator("#bulk-count")).to_have_text("· đã chọn 3")
    page.keyboard.press("b")
    expect(page.locator("#bulk-receive")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Sẽ làm: 3")).to_be_visible()
    page.get_by_role("button", name="Tiếp nhận 3 phản ánh").click()
    expect(page.get_by_role("heading", name="Đã làm: 3")).to_be_visible()
    page.reload()  # undo outlives it
    page.get_by_role("button", name="Hoàn tác tất cả").click()
    expect(page.get_by_role("heading", name="Đã hoàn tác: 3")).to_be_visible()
    page.get_by_role("link", name="Về danh sách").click()
    expect(page.locator("#list .row")).to_have_count(before)


def test_many_in_one_go_without_scripts_on_a_phone(open_browser: Open, rehearsal: Rehearsal) -> None:
    code = report(rehearsal, "Rác ở xóm 3 lại đầy")
    desk = open_browser(javascript=False, width=360, height=740)
    desk.sign_in("lan")
    desk.visit("/tickets?view=all")
    page = desk.page
    page.get_by_label(f"Chọn {code}").check()
    page.get_by_text("Làm với nhiều phản ánh").click()
    page.get_by_role("button", name="Hẹn xem lại…").click()
    page.get_by_label("Đến khi nào").select_option(index=1)  # which moments there are depends on the day
    page.get_by_role("button", name="Xem trước").click()
    page.get_by_role("button", name="Hẹn xem lại 1 phản ánh").click()
    expect(page.get_by_role("heading", name="Đã làm: 1")).to_be_visible()
    page.goto(f"{rehearsal.url}/tickets?view=snoozed")
    expect(page.locator("#list .row")).to_contain_text(code)


def test_each_triage_key_leads_to_what_it_does(open_browser: Open, rehearsal: Rehearsal) -> None:
    code = report(rehearsal, "Cột đèn ở xóm 2 tối om")
    page = opened(open_browser, code)
    page.keyboard.press("m")
    expect(page.locator("#f-ask-1")).to_be_focused()
    asked = page.get_by_label("Cần ông/bà bổ sung điều gì")
    first = asked.input_value()
    assert first  # what is likeliest missing, to be edited
    page.keyboard.press("Space")
    expect(asked).to_have_value("")
    page.keyboard.press("Space")
    expect(asked).to_have_value(first)
    page.keyboard.press("z")
    expect(page.locator("#f-snooze-1")).to_be_focused()
    page.keyboard.press("m")
    page.keyboard.press("Enter")
    expect(page.locator(".notice").first).to_contain_text("Chờ bổ sung")
    page.keyboard.press("?")
    for one in ("hẹn xem lại", "hỏi thêm người dân", "trùng:", "làm với các phản ánh đã chọn"):
        expect(page.locator("#keys-help")).to_contain_text(one)
