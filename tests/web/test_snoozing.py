"""Putting a report aside from its page, and finding it again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from storage.enums import TicketState, Urgency
from tests.builders import World
from tests.conftest import Clock
from tests.web.pages import Browser
from tests.web.test_inbox import many, shown

Open = Callable[[str], Browser]


def test_put_aside_it_leaves_the_list_and_the_next_report_comes(world: World, browser: Open, clock: Clock) -> None:
    soon = world.clock() + timedelta(days=7)
    first, second = many(world, 2, state=TicketState.NEW, topic="dien", due_at=soon)
    one = browser("lan")
    page = one.open(f"/tickets/{first}?view=new")
    assert "Chiều nay, 13:30" in page.text
    assert "Sáng mai, 07:30" in page.text
    page = one.send(page.form(f"/tickets/{first}/snoozing"), until="tomorrow", reason="Chờ gọi lại 0912 345 678")
    assert "Đã hẹn xem lại lúc 07:30 08/10/2026" in page.text
    assert "PA26-0002" in page.headings[0]
    assert shown(one.open("/tickets?view=new")) == [second]
    page = one.open("/tickets?view=snoozed")
    assert shown(page) == [first]
    assert "hẹn 07:30 08/10/2026" in page.text
    page = browser("mai").open(f"/tickets/{first}")
    assert "Người hẹn: Nguyễn Thị Lan." in page.text
    assert "Chờ gọi lại" in page.text
    assert "0912 345 678" not in page.text
    page = one.send(one.open(f"/tickets/{first}").form(f"/tickets/{first}/waking"))
    assert "trở lại danh sách việc" in page.text
    assert "Thôi hẹn, xem lại ngay." in page.text
    assert sorted(shown(one.open("/tickets?view=new"))) == [first, second]


def test_when_the_moment_comes_the_list_says_so(world: World, browser: Open, clock: Clock) -> None:
    (number,) = many(world, 1, state=TicketState.NEW, topic="dien", due_at=world.clock() + timedelta(days=7))
    one = browser("lan")
    one.send(one.open(f"/tickets/{number}").form(f"/tickets/{number}/snoozing"), until="afternoon")
    clock.move(hours=2)
    page = browser("tuan").open("/tickets?view=new")  # hers is over meanwhile
    assert shown(page) == [number]
    assert "đến giờ xem lại" in page.text
    assert "Đã đến giờ xem lại" in browser("mai").open(f"/tickets/{number}").text


def test_a_refusal_says_why_and_keeps_what_was_typed(world: World, browser: Open) -> None:
    soon = world.clock() + timedelta(days=2)
    calm, urgent = (many(world, 1, state=TicketState.NEW, due_at=soon, urgency=how)[0] for how in (
        Urgency.NORMAL, Urgency.URGENT,
    ))  # fmt: skip
    one = browser("lan")
    form = one.open(f"/tickets/{calm}").form(f"/tickets/{calm}/snoozing")
    page = one.send(form, 422, until="date", day="2026-10-20", reason="Chờ mưa tạnh")
    assert "hạn gần nhất là 12:00 09/10/2026" in page.text
    assert page.form(f"/tickets/{calm}/snoozing").fields["reason"] == "Chờ mưa tạnh"
    assert page.form(f"/tickets/{calm}/snoozing").fields["day"] == "2026-10-20"
    assert not one.open(f"/tickets/{urgent}").has_form(f"/tickets/{urgent}/snoozing")
