"""What a screen reader has to say: Chromium's accessibility tree of the three main pages, walked as it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Desk, Rehearsal, running_rehearsal
from tests.browser.test_desk import opened, report

Open = Callable[..., Desk]
# Whoever meets one of these must hear what it is for.
NAMED = frozenset({
    "button", "checkbox", "combobox", "dialog", "DisclosureTriangle", "image", "link", "listbox", "navigation", "radio",
    "region", "searchbox", "spinbutton", "textbox",
})  # fmt: skip


@dataclass(frozen=True)
class Heard:
    """One thing as it is read: what it is, its name, the level of a heading."""

    role: str
    name: str
    level: int = 0


def heard(page: Page) -> list[Heard]:
    """The accessibility tree in the order of reading, without what is left out of it."""
    nodes = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    by_id = {node["nodeId"]: node for node in nodes}

    def walk(node: dict) -> Iterator[Heard]:
        if not node["ignored"]:
            levels = [p["value"]["value"] for p in node.get("properties", []) if p["name"] == "level"]
            name = str(node.get("name", {}).get("value", "")).strip()
            yield Heard(str(node["role"]["value"]), name, int(levels[0]) if levels else 0)
        for child in node.get("childIds", []):
            if child in by_id:
                yield from walk(by_id[child])

    return list(walk(nodes[0]))


def headings(said: list[Heard]) -> list[Heard]:
    """By what somebody goes through a page."""
    return [one for one in said if one.role == "heading"]


def is_in_order(names: list[str], wanted: list[str]) -> bool:
    """Whether these are met one after another, whatever stands between them."""
    left = iter(names)
    return all(any(want in name for name in left) for want in wanted)


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """A commune of its own, with two reports."""
    with running_rehearsal(tmp_path_factory.mktemp("aloud")) as running:
        yield running


@pytest.fixture(scope="module")
def code(rehearsal: Rehearsal) -> str:
    """A report among others."""
    report(rehearsal, "Rác đổ trộm ở xóm 3 ba ngày chưa ai lấy")
    return report(rehearsal, "den duong xom 5 hong ca tuan nay")


def the_list(open_browser: Open, _code: str) -> Page:
    desk = open_browser()
    desk.sign_in("lan")
    desk.visit("/tickets?view=all")
    return desk.page


def an_announcement(open_browser: Open, _code: str) -> Page:
    desk = open_browser()
    desk.sign_in("lan")
    desk.visit("/announcements/bulletins/new")
    return desk.page


PAGES: dict[str, Callable[[Open, str], Page]] = {"list": the_list, "ticket": opened, "announcement": an_announcement}


@pytest.mark.parametrize("name", PAGES)
def test_everything_has_a_name_and_the_page_an_outline(
    open_browser: Open, rehearsal: Rehearsal, code: str, name: str
) -> None:
    page = PAGES[name](open_browser, code)
    said = heard(page)
    assert [one for one in said if one.role in NAMED and not one.name] == []
    assert sum(one.role == "main" for one in said) == 1
    levels = [one.level for one in headings(said)]
    assert levels.count(1) == 1
    steps = [
        after - before for before, after in zip(levels[levels.index(1) :], levels[levels.index(1) + 1 :], strict=False)
    ]
    assert max(steps, default=0) <= 1, [(one.level, one.name) for one in headings(said)]
    regions = [(one.role, one.name) for one in said if one.role in {"navigation", "region"}]
    assert len(regions) == len(set(regions)), "two parts of a page sound alike"
    assert any(one.role == "status" for one in said), "what happens by itself is told"
    first = next(one for one in said if one.role == "link")
    assert first.name == "Đến nội dung chính"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_the_list_is_heard_row_by_row(open_browser: Open, rehearsal: Rehearsal, code: str) -> None:
    page = the_list(open_browser, code)
    said = heard(page)
    names = [one.name for one in said]
    assert is_in_order(names, [f"Chọn {code}", code, "den duong xom 5 hong", "Xóm 5", "Mới"]), names
    current = [one.name for one in said if one.role == "link" and one.name.startswith("Tất cả")]
    assert current, "a view says how many it holds"
    assert current[0].split()[-1] == str(page.locator("#list .row").count())


def test_a_ticket_is_gone_through_by_its_headings(open_browser: Open, rehearsal: Rehearsal, code: str) -> None:
    said = heard(opened(open_browser, code))
    order = [code, "Trao đổi với người dân", "Trả lời người dân", "Ghi chú nội bộ"]
    assert is_in_order([one.name for one in headings(said)], order), headings(said)
    fields = [one.name for one in said if one.role == "textbox"]
    # Whoever does not see the frame around them must not take the one for the other.
    assert "Nội dung gửi cho người dân" in " ".join(fields)
    assert "người dân không thấy" in " ".join(fields)
    buttons = [one.name for one in said if one.role == "button"]
    assert {"Đúng, sang việc tiếp", "Gửi trả lời", "Lưu ghi chú"} <= set(buttons)


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_the_morning_queue_on_a_small_phone(open_browser: Open, rehearsal: Rehearsal, javascript: bool) -> None:
    """A thumb, 360 px: agree and go on, put right what is wrong, answer; nothing is too small or off the screen."""
    codes = [report(rehearsal, f"Cống nghẹt ngập đường xóm {n}") for n in (2, 6)]
    desk = open_browser(width=360, height=740, javascript=javascript)
    desk.sign_in("lan")
    desk.visit("/tickets?view=new")
    page = desk.page
    page.get_by_role("link", name=codes[0]).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(codes[0])
    agree = page.get_by_role("button", name="Đúng, sang việc tiếp")
    box = agree.bounding_box()
    assert box is not None
    assert box["height"] >= 44
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 360
    agree.click()
    page.wait_for_load_state()
    desk.visit(f"/tickets?view=new&q={codes[0]}")
    page.get_by_role("link", name=codes[0]).first.click()
    expect(page.locator("main")).to_contain_text("Phân công cho")
    page.get_by_label("Nội dung gửi cho người dân").fill("Chiều nay đội thoát nước xuống thông cống.")
    page.get_by_role("button", name="Gửi trả lời").click()
    expect(page.locator("main")).to_contain_text("Chiều nay đội thoát nước xuống thông cống.")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
