"""Numbers that no row has, in addresses and forms, are unknown and never an error of ours."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from storage.tickets import Ticket
from tests.builders import World
from tests.web.pages import Browser

Open = Callable[[str], Browser]
LARGEST = 10**18 - 1
HUGE = "9" * 25


@pytest.mark.parametrize("number", [str(LARGEST), str(LARGEST + 1), HUGE, "9" * 5_000])
@pytest.mark.parametrize(
    ("who", "path"),
    [
        ("an", "/places/{}/edit"),
        ("lan", "/tickets/{}"),
        ("lan", "/files/{}"),
        ("tuan", "/announcements/{}"),
        ("an", "/channels/{}/consent"),
    ],
)
def test_a_page_of_a_row_that_cannot_be_is_not_found(browser: Open, who: str, path: str, number: str) -> None:
    assert browser(who).client.get(path.format(number)).status_code == 404


@pytest.mark.parametrize("number", [str(LARGEST), HUGE, "9" * 5_000, "-1", "x", "²"])
@pytest.mark.parametrize(("noun", "field"), [("place", "place"), ("assignment", "agency"), ("assignment", "official")])
def test_a_form_that_names_no_row_is_refused(
    world: World, browser: Open, reported: Callable[..., Ticket], noun: str, field: str, number: str
) -> None:
    ticket = reported("Đường xóm 7 có ổ gà to")
    lan = browser("lan")
    where = f"/tickets/{ticket.id}/{noun}"
    page = lan.send(lan.open(f"/tickets/{ticket.id}").form(where), status=422, **{field: number})
    assert any(sentence.startswith("Không có") for sentence in page.alerts)


@pytest.mark.parametrize("after", [f"1.x.{HUGE}", f"{HUGE}.x.1", "1.x.-1", f"1.{HUGE}.1", f"1.x.{'9' * 5_000}"])
def test_a_place_in_the_list_that_cannot_be_is_refused(browser: Open, after: str) -> None:
    assert browser("lan").client.get(f"/tickets?after={after}").status_code == 400


@pytest.mark.parametrize("number", [str(LARGEST), HUGE])
def test_announcements_are_asked_for_with_any_number(world: World, browser: Open, number: str) -> None:
    tuan = browser("tuan")
    assert tuan.client.get(f"/announcements?before={number}").status_code == 200
    form = tuan.open("/announcements/bulletins/new").form("/announcements/bulletins")
    typed = {**form.fields, "title": "Lịch cắt điện", "channel": number}
    assert tuan.client.post(form.action, data=typed).status_code == 422
