"""One emergency, written once: on Zalo, Telegram and by SMS, from loudspeakers, on the board; and what comes back."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from bot.rules.deadlines import VIETNAM
from tests.browser.announcing import own_phone, submit, try_out
from tests.browser.conftest import Desk, Rehearsal
from tests.gateway import wait_until

Open = Callable[..., Desk]
TITLE = "Nước lũ đang lên"
TEXT = (
    "Từ 19h30 ngày 30/11, nước sông lên báo động 3. Bà con xóm 5 và xóm 7 chuyển đến Trường THCS. "
    "Gọi 112 hoặc trực ban 0272 3851 234."
)
NUMBER = "8088"


def look(page: Page, name: str) -> None:
    """Keep a picture of the page where somebody wants to look: TEST_PICTURES=/a/folder."""
    if folder := os.environ.get("TEST_PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def followers(rehearsal: Rehearsal) -> dict[str, str]:
    """A follower on each channel, who has been greeted there."""
    chat = rehearsal.tell("telegram/people", name="Anh Ba (tập dượt)")["chat_id"]
    rehearsal.tell("telegram/say", chat_id=chat, text="/start")
    number = rehearsal.tell("sms/people", name="Bà Tư (tập dượt)")["number"]
    rehearsal.tell("sms/say", number=number, text="NHAN", to=NUMBER)
    return {"zalo": rehearsal.neighbour(), "telegram": str(chat), "sms": number}


def told(rehearsal: Rehearsal, who: dict[str, str]) -> dict[str, str]:
    """What each of them has been told so far."""
    chat = rehearsal.ask(f"telegram/talk/{who['telegram']}")["messages"]
    phone = rehearsal.ask(f"sms/talk/{who['sms']}")["messages"]
    return {
        "zalo": "\n".join(rehearsal.heard(who["zalo"])),
        "telegram": "\n".join(m.get("text", "") for m in chat),
        "sms": "\n".join(m.get("text", "") for m in phone),
    }


@pytest.mark.timeout(400)
def test_an_emergency_goes_by_all_five_media_and_its_answers_come_back(
    open_browser: Open, rehearsal: Rehearsal
) -> None:
    who = followers(rehearsal)
    wait_until("all are greeted", lambda: all(told(rehearsal, who).values()), 30)
    clusters = rehearsal.ask("loudspeakers/clusters")["rows"]
    well = [one for one in clusters if one["fate"] == "well"]
    assert 0 < len(well) < len(clusters)  # one is broken, as in life
    author, leader = open_browser(), open_browser()
    author.sign_in("lan")
    own_phone(author, rehearsal)
    write(author)
    previewed(author.page)
    look(author.page, "1-previews")
    try_out(author)
    address = submit(author)

    leader.sign_in("mai")
    leader.visit(address)
    leader.page.get_by_label("Việc gì đang xảy ra").fill("Nước sông vượt báo động 3.")
    look(leader.page, "2-approval")
    leader.page.get_by_role("button", name="Duyệt và gửi").click()
    wait_until(
        "every follower has it",
        lambda: all(TITLE_SEEN[name] in words for name, words in told(rehearsal, who).items()),
        40,
    )
    arrived(rehearsal, who)
    expect_played(leader, address, f"Đã phát {len(well)}/{len(clusters)} cụm loa.")
    look(leader.page, "3-results")

    rehearsal.say(who["zalo"], "Nhà tôi an toàn")
    rehearsal.tell("sms/say", number=who["sms"], text="CAN GIUP", to=NUMBER)
    leader.visit(f"{address}/board")
    board = leader.page.locator("main")

    def both_are_there() -> bool:
        leader.page.reload()
        words = board.inner_text()
        return "PA" in words and "An toàn" in words

    wait_until("both answers are on the board", both_are_there, 40)
    look(leader.page, "4-board")
    pictures_of_phones(open_browser, rehearsal, who)


TITLE_SEEN: dict[str, Any] = {"zalo": TITLE, "telegram": TITLE, "sms": "Nuoc lu dang len"}


def write(author: Desk) -> None:
    page = author.page
    author.visit("/announcements/bulletins/new")
    page.get_by_label("Tiêu đề").fill(TITLE)
    page.get_by_label("Nội dung", exact=True).fill(TEXT)
    page.get_by_label("Loa truyền thanh tập dượt").check()
    page.get_by_label("Khẩn cấp", exact=True).check()
    page.get_by_label("Tin khẩn cấp: hỏi người dân AN TOÀN hay CẦN GIÚP").check()
    until = datetime.now(VIETNAM) + timedelta(hours=8)
    page.get_by_label("Hết hiệu lực lúc").fill(f"{until:%Y-%m-%dT%H:%M}")
    page.get_by_role("button", name="Lưu bản nháp").click()


def previewed(page: Page) -> None:
    """Each medium shows its own form of the same text before anything is sent."""
    main = page.locator("main")
    for words in ("Nuoc lu dang len", "mười chín giờ ba mươi", "trung học cơ sở", "không hai bảy hai"):
        expect(main).to_contain_text(words, ignore_case=True)


def arrived(rehearsal: Rehearsal, who: dict[str, str]) -> None:
    heard = told(rehearsal, who)
    assert "19h30 ngày 30/11" in heard["zalo"]
    assert "19h30 ngày 30/11" in heard["telegram"]
    assert "tu 19h30 ngay 30/11" in heard["sms"].lower()
    [aloud] = rehearsal.ask("loudspeakers/bulletins")["rows"]
    assert "mười chín giờ ba mươi" in str(aloud).lower()
    [board] = rehearsal.ask("loudspeakers/boards")["rows"]
    assert "nước lũ" in str(board).lower()


def expect_played(leader: Desk, address: str, words: str) -> None:
    """The play log comes back: every cluster but the broken one."""

    def is_told() -> bool:
        leader.visit(address)
        return words in leader.page.locator("main").inner_text()

    wait_until(words, is_told, 60)


def pictures_of_phones(open_browser: Open, rehearsal: Rehearsal, who: dict[str, str]) -> None:
    """What people hold in their hands, where somebody wants to look."""
    phone = open_browser(width=360, height=740)
    paths = {
        "zalo": f"phone/{who['zalo']}",
        "telegram": f"telegram/{who['telegram']}",
        "sms": f"sms/{who['sms']}",
        "loa": "loa/",
    }
    for name, path in paths.items():
        phone.page.goto(f"{rehearsal.url}/sandbox/{path}")
        assert TITLE_SEEN.get(name, TITLE) in phone.page.locator("main").inner_text()
        look(phone.page, f"5-{name}")
