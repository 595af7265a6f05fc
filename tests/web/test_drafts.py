"""Drafts: what an official writes is kept, comes back, and colleagues see it before they write the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from werkzeug.test import TestResponse

from bot.usecases.tickets import add_note, seal
from storage.drafts import Draft, DraftKind
from storage.tickets import Ticket
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.usecases.looking import BRIBE, take_in
from tests.usecases.test_citizens import does
from tests.web.pages import Browser, Page
from tests.web.test_ticket_page import POTHOLE, now, reply

Reported = Callable[..., Ticket]
Open = Callable[[str], Browser]


@pytest.fixture
def ticket(reported: Reported) -> Ticket:
    """A report of a pothole that nobody has looked at."""
    return reported(POTHOLE)


def composer(page: Page, ticket: Ticket, kind: str = "reply") -> dict[str, str]:
    noun = {"reply": "replies", "note": "notes"}[kind]
    return page.form(f"/tickets/{ticket.id}/{noun}").fields


def types(one: Browser, ticket: Ticket, text: str, kind: str = "reply", **fields: str) -> TestResponse:
    """The page saves by itself what is typed into its form as it stands there."""
    data = {**composer(one.page, ticket, kind), "text": text, "kind": kind, **fields}
    return one.client.post(f"/tickets/{ticket.id}/drafts", data=data, headers={"HX-Request": "true"})


def saves(one: Browser, ticket: Ticket, text: str, kind: str = "reply", status: int = 200) -> Page:
    """Press the button, as people without scripts do."""
    form = one.page.form(f"/tickets/{ticket.id}/{'replies' if kind == 'reply' else 'notes'}")
    form.action = f"/tickets/{ticket.id}/drafts"
    return one.send(form, status, text=text, kind=kind)


def drafts(world: World) -> list[tuple[DraftKind, str]]:
    return [(draft.kind, draft.text) for draft in all_rows(world.runtime, Draft)]


def at_ticket(one: Browser, ticket: Ticket) -> Browser:
    one.open(f"/tickets/{ticket.id}")
    return one


def test_what_is_typed_is_kept_and_said_to_be(world: World, browser: Open, ticket: Ticket) -> None:
    one = at_ticket(browser("lan"), ticket)
    assert types(one, ticket, "Xã đang xem").text == "Đã lưu nháp 12:00"
    page = one.open(f"/tickets/{ticket.id}")
    assert composer(page, ticket)["text"] == "Xã đang xem"
    assert "Đã lưu nháp 12:00" in page.text


def test_the_same_works_with_a_button(world: World, browser: Open, ticket: Ticket) -> None:
    page = saves(at_ticket(browser("lan"), ticket), ticket, "Xã đang xem")
    assert page.text.count("Đã lưu nháp 12:00") == 2
    assert composer(page, ticket)["text"] == "Xã đang xem"


def test_a_result_keeps_what_belongs_to_it(world: World, browser: Open, ticket: Ticket) -> None:
    one = at_ticket(browser("mai"), ticket)
    types(one, ticket, "Đã vá.", result="1", next_step="theo dõi sau mưa.")
    fields = composer(one.open(f"/tickets/{ticket.id}"), ticket)
    assert (fields["result"], fields["next_step"]) == ("1", "theo dõi sau mưa.")


def test_reply_and_note_are_kept_apart(world: World, browser: Open, ticket: Ticket) -> None:
    one = at_ticket(browser("lan"), ticket)
    types(one, ticket, "Kính gửi ông")
    types(one, ticket, "Nhờ anh Hùng", "note")
    page = one.open(f"/tickets/{ticket.id}")
    assert composer(page, ticket)["text"] == "Kính gửi ông"
    assert composer(page, ticket, "note")["text"] == "Nhờ anh Hùng"


def test_writing_on_changes_the_one_draft(world: World, browser: Open, ticket: Ticket, clock: Clock) -> None:
    one = at_ticket(browser("lan"), ticket)
    types(one, ticket, "Xã")
    clock.move(minutes=3)
    assert types(one, ticket, "Xã đang xem").text == "Đã lưu nháp 12:03"
    assert drafts(world) == [(DraftKind.REPLY, "Xã đang xem")]


def test_what_was_emptied_is_gone(world: World, browser: Open, ticket: Ticket) -> None:
    one = at_ticket(browser("lan"), ticket)
    types(one, ticket, "Xã")
    assert types(one, ticket, "  \n").text == ""
    assert drafts(world) == []


def test_a_colleague_sees_it_folded_with_numbers_masked(world: World, browser: Open, ticket: Ticket) -> None:
    types(at_ticket(browser("mai"), ticket), ticket, "Đã gọi 0912345678, chờ ông trả lời")
    page = browser("lan").open(f"/tickets/{ticket.id}")
    assert "Lê Thị Mai đang soạn trả lời, 12:00" in page.text
    assert "chờ ông trả lời" in page.text
    assert "0912345678" not in page.html.split('id="colleagues"')[1].split("</details>")[0]
    assert composer(page, ticket)["text"] == ""


def test_who_does_not_see_the_report_keeps_no_draft_of_it(world: World, browser: Open, reported: Reported) -> None:
    mine = reported(POTHOLE)
    one = at_ticket(browser("lan"), mine)
    secret = reported(BRIBE, user="9")
    data = {**composer(one.page, mine), "text": "x", "kind": "reply"}
    assert one.client.post(f"/tickets/{secret.id}/drafts", data=data).status_code == 404
    assert drafts(world) == []


def test_sending_forgets_the_draft_though_the_page_saves_once_more(world: World, browser: Open, ticket: Ticket) -> None:
    one = at_ticket(browser("lan"), ticket)
    types(one, ticket, "Xã đang xem")
    late = {**composer(one.page, ticket), "text": "Xã đang xem", "kind": "reply"}
    reply(one, ticket, text="Xã đang xem")
    assert drafts(world) == []
    one.client.post(f"/tickets/{ticket.id}/drafts", data=late, headers={"HX-Request": "true"})
    assert drafts(world) == []


def test_a_note_that_was_left_forgets_its_draft(world: World, browser: Open, ticket: Ticket) -> None:
    one = at_ticket(browser("lan"), ticket)
    types(one, ticket, "Nhờ anh Hùng", "note")
    late = {**composer(one.page, ticket, "note"), "text": "Nhờ anh Hùng", "kind": "note"}
    add_note(world.runtime, world.official("lan"), ticket.id, version=now(world, ticket).version, text="Nhờ anh Hùng")
    assert drafts(world) == []
    one.client.post(f"/tickets/{ticket.id}/drafts", data=late, headers={"HX-Request": "true"})
    assert drafts(world) == []


def test_a_refused_reply_keeps_what_was_typed_and_not_what_was_saved_before(
    world: World, browser: Open, ticket: Ticket
) -> None:
    one = at_ticket(browser("lan"), ticket)
    types(one, ticket, "Kính gửi")
    page = reply(one, ticket, 422, text="Kính gửi {ten}")
    assert composer(page, ticket)["text"] == "Kính gửi {ten}"


def test_an_overlong_draft_is_refused_and_stands_in_the_form(world: World, browser: Open, ticket: Ticket) -> None:
    page = saves(at_ticket(browser("lan"), ticket), ticket, "x" * 6_001, status=422)
    assert composer(page, ticket)["text"] == "x" * 6_001
    assert drafts(world) == []


def test_saving_is_no_change_of_the_report(world: World, browser: Open, ticket: Ticket) -> None:
    types(at_ticket(browser("lan"), ticket), ticket, "Xã")
    assert now(world, ticket).version == ticket.version


def test_drafts_of_sealed_reports_are_locked(world: World, browser: Open, reported: Reported) -> None:
    secret = reported(BRIBE)
    types(at_ticket(browser("mai"), secret), secret, "Chúng tôi đang xác minh.")
    (draft,) = all_rows(world.runtime, Draft)
    assert (draft.sealed is not None, draft.text) == (True, "Chúng tôi đang xác minh.")
    page = browser("mai").open(f"/tickets/{secret.id}")
    assert composer(page, secret)["text"] == "Chúng tôi đang xác minh."


def test_sealing_locks_drafts_and_hides_them_from_who_wrote_them(world: World, browser: Open, ticket: Ticket) -> None:
    one = at_ticket(browser("lan"), ticket)
    types(one, ticket, "Xã đang xem")
    seal(world.runtime, world.official("mai"), ticket.id, version=now(world, ticket).version, reason="Có tố cáo ở đó.")
    assert all_rows(world.runtime, Draft)[0].sealed is not None
    assert types(one, ticket, "Xã đang xem kỹ").status_code == 404


def test_withdrawing_ones_data_takes_the_drafts_along(world: World, browser: Open, ticket: Ticket) -> None:
    types(at_ticket(browser("lan"), ticket), ticket, "Kính gửi ông Nam ở xóm 7")
    does(world, "user_withdraw")
    take_in(world)
    assert drafts(world) == []
