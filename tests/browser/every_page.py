"""Every page of a rehearsal commune in which something happened: found by following links, as each official sees it.

python -m tests.browser.every_page screenshots/
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.announcing import approve, own_phone, write
from tests.browser.conftest import FLAGS, Desk, Rehearsal, chromium_or_none, running_rehearsal
from tests.gateway import wait_until

OFFICIALS = ("lan", "hung", "mai")
SAID = (
    "duong vao xom 5 o ga nhieu qua",
    "Đèn đường xóm 3 hỏng cả tuần nay, tối om, nhờ xã xem giúp. Số tôi 0912 345 678",
    "Cháy nhà ở chợ Đình, lửa lớn lắm!",
    "Tôi tố cáo cán bộ địa chính xã nhận tiền của dân khi làm sổ đỏ",
    "Rác ở cầu Kênh Ngang ba ngày chưa ai lấy, hôi quá",
    "rác ở Cầu Kênh Ngang nhiều quá xã ơi",
)
# Where a link leads to something that is no page, or out of the room.
NO_PAGES = re.compile(r"\.(pdf|csv|xlsx|zip)$|/files/|/consent|/sandbox/|/sign-out|^/zalo|/photos/|/anh")
PUBLIC = ("/phan-anh/tap-duot", "/sign-in", "/accessibility", "/no-such-page")
NARROWED = ("/tickets", "/tickets/narrowing", "/map")
FILTERS = {"topic", "place", "agency", "channel", "from", "to", "on", "figure", "ids"}
SIZES = {"desk": (1280, 900), "phone": (360, 740)}
THEMES = ("light", "dark")
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"


@dataclass(frozen=True)
class Seen:
    """A page that one official sees: its path, and its kind (the path without numbers)."""

    username: str
    path: str

    @property
    def kind(self) -> str:
        """The same for all pages that are made by one template of one thing or another."""
        path, _, query = self.path.partition("?")
        is_ticket = re.fullmatch(r"/tickets/\d+", path)  # from whichever list it is opened
        named = set(re.findall(r"([\w-]+)=", query))
        if path in NARROWED and named & FILTERS:  # by whatever it is narrowed
            named = named - FILTERS | {"narrowed"}
        asked = "" if is_ticket else "&".join(sorted(named))
        path = re.sub(r"(?<=^/faq/)[\w-]+(?=/edit)|(?<=^/texts/)\w+/[\w-]+|\d+", "N", path)
        return path + (f"?{asked}" if asked else "")

    @property
    def file_name(self) -> str:
        """For a picture of it."""
        return re.sub(r"[^\w-]+", "_", f"{self.username}{self.kind}").strip("_")


def fill(rehearsal: Rehearsal, desk: Desk) -> None:
    """Let something happen, so that pages have something to show; the desk's official is a receiver."""
    neighbours = [rehearsal.neighbour() for _ in SAID]
    for neighbour, words in zip(neighbours, SAID, strict=True):
        rehearsal.say(neighbour, words)
    rehearsal.point(neighbours[0], 10.8001, 106.3001)  # so that there is something on the map
    wait_until("everybody got an answer", lambda: all(rehearsal.heard(one) for one in neighbours), 60)
    page = desk.page
    page.goto(f"{rehearsal.url}/tickets?view=all")
    page.locator(".rows a.code, .rows .code a").last.click()
    page.get_by_label("Nội dung gửi cho người dân").fill("Xã đã cử cán bộ xuống xóm 5 kiểm tra sáng mai.")
    page.get_by_role("button", name="Gửi trả lời").click()
    page.wait_for_load_state()
    _in_bulk(rehearsal, page)
    page.goto(f"{rehearsal.url}/answer-templates")
    page.get_by_role("button", name="Lấy bộ mẫu có sẵn").click()
    page.wait_for_load_state()
    own_phone(desk, rehearsal)
    _announced(rehearsal, desk)


def _announced(rehearsal: Rehearsal, desk: Desk) -> None:
    """One announcement has gone out, so that there are pages of each channel's part."""
    browser = desk.page.context.browser
    assert browser is not None
    address = write(desk, "Lịch cắt điện")
    with desk_of(browser, rehearsal, "mai") as leader:
        approve(leader, address)


def _in_bulk(rehearsal: Rehearsal, page: Page) -> None:
    """Two reports are received in one go, and it is taken back: there is a page of what became of them."""
    page.goto(f"{rehearsal.url}/tickets?view=new")
    for box in page.locator(".pick input").all()[:2]:
        box.check()
    page.locator("#bulk-receive").click()
    page.locator("#bulk-do").click()
    page.locator("#bulk-undo").click()
    page.get_by_role("heading", name="Đã hoàn tác: 2").wait_for()


def found(desk: Desk, username: str, most: int = 80) -> list[Seen]:
    """The pages that this official reaches by following links, one of each kind."""
    kinds: set[str] = set()
    pages: list[Seen] = []
    waiting = ["/", *(["/tickets/bulk/1"] if username == "lan" else [])]  # which only a form leads to
    while waiting and len(pages) < most:
        seen = Seen(username, waiting.pop(0))
        if seen.kind in kinds:
            continue
        kinds.add(seen.kind)
        answer = desk.page.goto(desk.rehearsal.url + seen.path)
        if answer is None or not answer.ok or "text/html" not in answer.headers.get("content-type", ""):
            raise AssertionError(f"{username} is led to {seen.path}, which answers {answer and answer.status}")
        pages.append(seen)
        waiting += [path for path in _links(desk.page) if not NO_PAGES.search(path.split("?")[0])]
    return pages


def _links(page: Page) -> list[str]:
    own = urlsplit(page.url).netloc
    links = [
        urlsplit(urljoin(page.url, href)) for href in page.eval_on_selector_all("a[href]", "a => a.map(x => x.href)")
    ]
    return [link.path + (f"?{link.query}" if link.query else "") for link in links if link.netloc == own]


def problems(page: Page, theme: str) -> list[str]:
    """What axe finds wrong with the page as it stands, in this theme."""
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    result = page.evaluate("() => axe.run({resultTypes: ['violations']})")
    return [
        f"{theme} {v['id']}: {v['help']}: {node['html'][:160]} {node.get('failureSummary', '')[:200]}"
        for v in result["violations"]
        for node in v["nodes"][:3]
    ]


@contextmanager
def desk_of(browser: Browser, rehearsal: Rehearsal, username: str, size: str = "desk") -> Iterator[Desk]:
    """An official who is signed in, or with no name somebody who is not."""
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height}, locale="vi-VN", bypass_csp=True)
    context.set_default_timeout(15_000)
    desk = Desk(context.new_page(), rehearsal, [])
    if username:
        desk.sign_in(username)
    yield desk
    context.close()


def main() -> int:
    """Take a picture of every page: desk and phone, light and dark."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    path = chromium_or_none()
    if path is None:
        sys.stderr.write("There is no Chromium here: apt install chromium\n")
        return 1
    count = 0
    with (
        tempfile.TemporaryDirectory() as home,
        running_rehearsal(Path(home)) as rehearsal,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        with desk_of(browser, rehearsal, "lan") as desk:
            fill(rehearsal, desk)
        for username in ("", *OFFICIALS):
            with desk_of(browser, rehearsal, username) as desk:
                pages = found(desk, username) if username else [Seen("", one) for one in PUBLIC]
            for size in SIZES:
                with desk_of(browser, rehearsal, username, size) as desk:
                    for seen in pages:
                        desk.page.goto(rehearsal.url + seen.path)
                        for theme in THEMES:
                            desk.page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
                            name = f"{seen.file_name}-{size}-{theme}.png"
                            desk.page.screenshot(path=folder / name, full_page=True)
                            count += 1
        browser.close()
    sys.stdout.write(f"{count} pictures in {folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
