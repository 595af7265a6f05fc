"""The map: tickets near each other are one, and what is chosen opens as a list; without scripts there is a table."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Desk, Rehearsal
from tests.gateway import wait_until

Open = Callable[..., Desk]
NEAR = ((10.8001, 106.3001), (10.8002, 106.3003), (10.8003, 106.3001))


@pytest.fixture(scope="module")
def pinned(rehearsal: Rehearsal) -> Rehearsal:
    """Three neighbours report a lamp each, some steps apart."""
    neighbours = [rehearsal.neighbour() for _ in NEAR]
    for neighbour, (latitude, longitude) in zip(neighbours, NEAR, strict=True):
        rehearsal.say(neighbour, "Đèn đường hỏng ở đây cả tuần nay")
        rehearsal.point(neighbour, latitude, longitude)
    wait_until("everybody got an answer", lambda: all(rehearsal.heard(one) for one in neighbours), 60)
    return rehearsal


def drawn(desk: Desk) -> int:
    """How many tickets the page says are on the map."""
    told = re.search(r"(\d+) có trên bản đồ", desk.page.locator("main").inner_text())
    return int(told[1]) if told else 0


def all_drawn(desk: Desk) -> bool:
    desk.visit("/map")
    return drawn(desk) >= len(NEAR)


def test_a_cluster_and_a_frame_open_as_lists(open_browser: Open, pinned: Rehearsal) -> None:
    desk = open_browser()
    desk.sign_in("lan")
    wait_until("the pins are on the map", lambda: all_drawn(desk), 20)
    page, many = desk.page, drawn(desk)
    bunch = page.locator(".bunch").first
    expect(bunch).to_be_visible()
    expect(page.locator("#still-map")).to_have_attribute("aria-hidden", "true")
    bunch.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#map-chosen h2")).to_have_text(re.compile(r"Đã chọn \d+ phản ánh"))
    page.get_by_role("button", name="Cả địa bàn").click()
    page.get_by_role("button", name="Chọn bằng khung").click()
    box = page.locator("#map").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 70, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 5, box["y"] + box["height"] - 5, steps=4)
    page.mouse.up()
    expect(page.locator("#map-chosen h2")).to_have_text(f"Đã chọn {many} phản ánh")
    page.get_by_role("link", name=f"Mở danh sách {many} phản ánh").click()
    expect(page.locator(".narrowed")).to_contain_text(f"{many} phản ánh đã chọn")
    assert page.locator("#list .row").count() == many


def test_every_ticket_is_drawn_at_every_width(open_browser: Open, pinned: Rehearsal) -> None:
    far = pinned.neighbour()
    pinned.say(far, "Cầu Kênh Ngang gãy lan can")
    pinned.point(far, 10.838, 106.335)  # no neighbour to be bunched with
    desk = open_browser()
    desk.sign_in("lan")
    wait_until("the pins are on the map", lambda: all_drawn(desk) and drawn(desk) > len(NEAR), 20)
    for width in (360, 1000, 1280, 1600):
        desk.page.set_viewport_size({"width": width, "height": 900})
        desk.visit("/map")
        alone, bunched = desk.page.locator("#map .pin"), desk.page.locator("#map .bunch")
        expect(bunched.first).to_be_visible()
        assert alone.count() + sum(map(int, bunched.all_inner_texts())) == drawn(desk), width
        assert width < 1000 or alone.count(), width


def test_without_scripts_there_is_a_picture_and_a_table(open_browser: Open, pinned: Rehearsal) -> None:
    desk = open_browser(javascript=False, width=360, height=740)
    desk.sign_in("lan")
    wait_until("the pins are on the map", lambda: all_drawn(desk), 20)
    page = desk.page
    expect(page.locator("#still-map")).to_be_visible()
    expect(page.locator("#map")).to_be_hidden()
    figure = page.locator("main table tbody tr td a").first
    many = figure.inner_text()
    figure.click()
    expect(page.locator(".narrowed strong")).to_have_text(f"{many} phản ánh")


def test_when_the_data_do_not_come_the_picture_stays(open_browser: Open, pinned: Rehearsal) -> None:
    desk = open_browser()
    desk.sign_in("lan")
    desk.page.route("**/map/tickets.json*", lambda route: route.fulfill(status=200, body="<html>"))
    desk.visit("/map")
    expect(desk.page.locator("#map-problem")).to_contain_text("Chưa tải được bản đồ động")
    expect(desk.page.locator("#still-map")).to_be_visible()
