"""The list beside a ticket: where "next" leads, what a list that must not move is told, and its further views."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from storage.agencies import Agency
from storage.enums import TicketState
from storage.tickets import Ticket
from tests.builders import World, all_rows
from tests.web.pages import Browser
from tests.web.test_inbox import many, shown

Reported = Callable[..., Ticket]
Open = Callable[[str], Browser]


def agency(world: World, slug: str) -> int:
    return next(a.id for a in all_rows(world.runtime, Agency) if a.slug == slug and a.commune_id == world.commune_id)


def poll(one: Browser, rows: list[int], *, calls: str = "", seen: str = "") -> TestResponse:
    headers = {"X-Rows": ",".join(map(str, rows)), "X-Calls": calls, **({"X-Seen": seen} if seen else {})}
    return one.fragment("/tickets?view=new&poll=1", "list", **headers)


# ---- where the work is ----------------------------------------------------------------------------------------------


def test_what_the_reader_was_unsure_of_waits_for_a_look(world: World, browser: Open) -> None:
    soon = world.clock() + timedelta(days=30)
    desk, economy = agency(world, "van-phong"), agency(world, "kinh-te")
    unsure = many(world, 2, state=TicketState.NEW, topic="dien", agency_id=desk, due_at=soon)
    unsure += many(world, 1, state=TicketState.RECEIVED, topic=None, agency_id=economy, due_at=soon)
    many(world, 1, state=TicketState.NEW, topic="dien", agency_id=economy, due_at=soon)
    many(world, 1, state=TicketState.RECEIVED, topic="dien", topic_is_confirmed=True, agency_id=desk, due_at=soon)
    many(world, 1, state=TicketState.NEW, is_sealed=True, due_at=None)
    page = browser("lan").open("/tickets?view=review")
    assert sorted(shown(page)) == sorted(unsure)


def test_what_no_person_has_taken_is_with_nobody(world: World, browser: Open) -> None:
    soon, economy = world.clock() + timedelta(days=30), agency(world, "kinh-te")
    nobody = many(world, 2, state=TicketState.ASSIGNED, agency_id=economy, due_at=soon)
    many(world, 1, state=TicketState.ASSIGNED, agency_id=economy, official_id=world.officials["hung"], due_at=soon)
    many(world, 1, state=TicketState.NEW, agency_id=economy, due_at=soon)
    many(world, 1, state=TicketState.WAITING_CITIZEN, agency_id=economy, due_at=soon)
    page = browser("lan").open("/tickets?view=nobody")
    assert sorted(shown(page)) == sorted(nobody)


# ---- beside a ticket ------------------------------------------------------------------------------------------------


def test_a_ticket_knows_the_one_before_and_after_in_the_list_it_was_opened_from(world: World, browser: Open) -> None:
    first, second, third = many(world, 3, state=TicketState.NEW, topic="dien")
    one = browser("lan")
    page = one.open(f"/tickets/{second}?view=new")
    assert {f"/tickets/{first}?view=new", f"/tickets/{third}?view=new"} <= set(page.links)
    assert 'rel="prev"' not in one.open(f"/tickets/{first}?view=new").html
    assert 'rel="next"' not in one.open(f"/tickets/{third}?view=new").html
    # By number the newest stands first.
    assert (
        f'id="ticket-after" rel="next" href="/tickets/{first}?view=all"' in one.open(f"/tickets/{second}?view=all").html
    )


def test_agreeing_leads_to_the_next_of_the_same_list_and_at_its_end_to_the_list(world: World, browser: Open) -> None:
    economy = agency(world, "kinh-te")
    first, second = many(world, 2, state=TicketState.NEW, topic="dien", agency_id=economy)
    one = browser("lan")
    form = one.open(f"/tickets/{first}?view=new").form(f"/tickets/{first}/confirmation")
    page = one.send(form, then="next")
    assert f"PA26-{2:04d}" in page.headings[0]
    assert "đã xác nhận" in page.text
    page = one.send(page.form(f"/tickets/{second}/confirmation"), then="next")
    assert "hết việc" in page.text
    assert page.headings[0].startswith("Phản ánh: Mới")


def test_without_that_wish_the_ticket_stays_and_its_list_too(world: World, browser: Open) -> None:
    (number,) = many(world, 1, state=TicketState.NEW, topic="dien")
    one = browser("lan")
    page = one.send(one.open(f"/tickets/{number}?view=urgent").form(f"/tickets/{number}/notes"), text="Đã gọi")
    assert "Đã gọi" in page.text
    assert "/tickets?view=urgent" in page.links


def test_a_handler_finds_their_own_work_beside_a_ticket(world: World, browser: Open) -> None:
    economy = agency(world, "kinh-te")
    mine, _ = many(world, 2, state=TicketState.ASSIGNED, agency_id=economy, official_id=world.officials["hung"])
    page = browser("hung").open(f"/tickets/{mine}")
    assert 'id="view-mine" href="/tickets?view=mine" aria-current="page"' in page.html


@pytest.mark.parametrize("query", ["view=nowhere", "after=x", "view=new&after=9.9.9", "q=" + "a" * 500])
def test_an_address_of_no_list_still_opens_the_ticket(world: World, browser: Open, query: str) -> None:
    (number,) = many(world, 1, state=TicketState.NEW)
    assert "PA26-0001" in browser("lan").open(f"/tickets/{number}?{query}").text


# ---- nothing moves --------------------------------------------------------------------------------------------------


def test_a_list_that_shows_other_rows_is_told_how_many_are_new(world: World, browser: Open) -> None:
    rows = many(world, 2, state=TicketState.NEW)
    one = browser("lan")
    many(world, 3, state=TicketState.NEW)
    answer = poll(one, rows)
    assert answer.headers["HX-Retarget"] == "#list-news"
    assert "3 phản ánh mới" in answer.text
    assert shown(answer.text) == []
    assert '<span class="count">5</span>' in answer.text
    mark = answer.headers["X-Seen"]
    assert poll(one, rows, seen=mark).status_code == 204


def test_a_list_from_which_something_went_says_that_it_changed(world: World, browser: Open) -> None:
    rows = many(world, 2, state=TicketState.NEW)
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Ticket).where(Ticket.id == rows[0]).values(state=TicketState.RECEIVED))
    assert "Danh sách đã thay đổi" in poll(browser("lan"), rows).text


def test_the_same_rows_are_brought_up_to_date_where_they_stand(world: World, browser: Open) -> None:
    rows = many(world, 2, state=TicketState.NEW)
    answer = poll(browser("lan"), rows)
    assert "HX-Retarget" not in answer.headers
    assert shown(answer.text) == rows


def test_an_empty_list_fills_by_itself(world: World, browser: Open) -> None:
    rows = many(world, 1, state=TicketState.NEW)
    assert shown(poll(browser("lan"), []).text) == rows


def test_danger_is_told_beside_a_list_that_stands_still_and_once(
    world: World, browser: Open, reported: Reported
) -> None:
    rows = [reported("Đèn đường Xóm 5 không sáng", user="1").id]
    reported("Cháy lớn ở Chợ Đình, có người mắc kẹt")
    one = browser("lan")
    answer = poll(one, rows)
    assert "KHẨN CẤP" in answer.text
    (call,) = [part.split('"')[0] for part in answer.text.split('data-call="')[1:]]
    assert "KHẨN CẤP" not in poll(one, rows, calls=call).text


def test_danger_is_told_on_whatever_list_is_open(world: World, browser: Open, reported: Reported) -> None:
    one = browser("lan")
    mine = [reported("Đèn đường Xóm 5 không sáng", user="1").id]
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Ticket).values(state=TicketState.RECEIVED, official_id=world.officials["lan"]))
    mark = one.fragment("/tickets?view=mine&poll=1", "list", **{"X-Rows": str(mine[0])}).headers["X-Seen"]
    reported("Cháy lớn ở Chợ Đình, có người mắc kẹt")
    headers = {"X-Rows": str(mine[0]), "X-Seen": mark}
    answer = one.fragment("/tickets?view=mine&poll=1", "list", **headers)
    assert "KHẨN CẤP" in answer.text
    assert 'id="late-calls"' in answer.text
    assert answer.headers.get("HX-Retarget", "#list-news") == "#list-news"


@pytest.mark.parametrize("rows", ["x", "1,,2", "-1", "9" * 30, ",".join(["1"] * 5000)])
def test_rubbish_in_what_a_page_says_it_shows_is_no_trouble(world: World, browser: Open, rows: str) -> None:
    many(world, 1, state=TicketState.NEW)
    answer = browser("lan").fragment("/tickets?view=new&poll=1", "list", **{"X-Rows": rows})
    assert answer.status_code == 200
