"""Many reports in one go, as forms: choose, look, do, see what became of each, take it back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import sqlalchemy as sa

from storage.bulk import BulkRun
from storage.enums import TicketState, Urgency
from storage.tickets import Ticket
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.web.pages import Browser, Form
from tests.web.test_approvals import with_settings
from tests.web.test_inbox import many
from tests.web.test_ticket_list import agency

Open = Callable[[str], Browser]
PREVIEW = "/tickets/bulk/preview"


def states(world: World) -> list[TicketState]:
    return [one.state for one in all_rows(world.runtime, Ticket)]


def doing(one: Browser) -> Form:
    """The form under the preview that does it, with all its tickets (a form here keeps one value a name)."""
    return one.page.form("/tickets/bulk")


def tokens(one: Browser) -> list[str]:
    html = one.page.html.split('action="/tickets/bulk"')[1].split("</form>")[0]
    return [part.split('"')[0] for part in html.split('name="ticket" value="')[1:]]


def test_chosen_looked_at_done_and_taken_back(world: World, browser: Open) -> None:
    first, second = many(world, 2, state=TicketState.NEW, topic="dien")
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Ticket).values(summary="Cột điện nghiêng, gọi 0912 345 678"))
    (done,) = many(world, 1, state=TicketState.RECEIVED, topic="dien")
    one = browser("lan")
    form = one.open("/tickets?view=all&q=PA26").form(PREVIEW)
    page = one.send(form, deed="receive", ticket=[first, second, done])
    assert "Sẽ làm: 2" in page.text
    assert "Bỏ qua: 1" in page.text
    assert "Đã tiếp nhận trước đó." in page.text
    assert "0912 345 678" not in page.text
    assert states(world)[:2] == [TicketState.NEW] * 2, "a preview does nothing"
    form = doing(one)
    page = one.send(form, ticket=tokens(one))
    assert page.headings == ["Kết quả làm hàng loạt"]
    assert "Đã làm: 2" in page.text
    assert states(world) == [TicketState.RECEIVED] * 3
    again = one.send(form, ticket=tokens_of(first, second))  # an impatient second press of the same form
    assert "Đã làm: 2" in again.text
    assert len(all_rows(world.runtime, BulkRun)) == 1
    run = all_rows(world.runtime, BulkRun)[0]
    page = one.send(again.form(f"/tickets/bulk/{run.id}/undoing"))
    assert "Đã hoàn tác: 2" in page.text
    assert not page.has_form(f"/tickets/bulk/{run.id}/undoing")
    assert states(world) == [TicketState.NEW, TicketState.NEW, TicketState.RECEIVED]
    assert "Hoàn tác việc làm hàng loạt." in one.open(f"/tickets/{first}").text
    assert "/tickets?view=all&q=PA26" in one.open(f"/tickets/bulk/{run.id}?view=all&q=PA26").links
    assert browser("mai").client.get(f"/tickets/bulk/{run.id}").status_code == 404


def tokens_of(*numbers: int) -> list[str]:
    return [f"{number}:1" for number in numbers]


def test_what_needs_more_is_asked_before_the_preview(world: World, browser: Open, clock: Clock) -> None:
    soon, economy = world.clock() + timedelta(days=7), agency(world, "kinh-te")
    calm = many(world, 2, state=TicketState.NEW, topic="dien", due_at=soon)
    loud = many(world, 1, state=TicketState.NEW, topic="dien", due_at=soon, urgency=Urgency.URGENT)
    one = browser("lan")
    for deed, more, said, left in (
        ("assign", {"agency": economy}, "Chuyển từ chưa có đơn vị sang Phòng Kinh tế.", 0),
        ("topic", {"topic": "rac-thai"}, "Lĩnh vực: Điện lực → Rác thải, vệ sinh môi trường", 0),
        ("snooze", {"until": "tomorrow"}, "Hẹn xem lại lúc 07:30 08/10/2026.", 1),
        ("snooze", {"until": "date", "day": "2026-10-20"}, "hạn gần nhất là", 3),
        ("join", {}, "Là phản ánh chính", 0),
        ("spam", {}, "Đóng, không trả lời người gửi", 1),
    ):
        page = one.send(one.open("/tickets").form(PREVIEW), deed=deed, ticket=[*calm, *loud])
        if more:
            assert not page.has_form("/tickets/bulk"), "nothing to do before it is said what"
            page = one.send(page.form(PREVIEW), ticket=[*calm, *loud], **more)
        assert said in page.text, deed
        assert (f"Bỏ qua: {left}" in page.text) is (left > 0), deed
        assert page.has_form("/tickets/bulk")
    assert states(world) == [TicketState.NEW] * 3


def test_a_form_with_nothing_or_nonsense_in_it_is_told_what_is_missing(world: World, browser: Open) -> None:
    (number,) = many(world, 1, state=TicketState.NEW)
    one = browser("lan")
    form = one.open("/tickets").form(PREVIEW)
    for fields, said in (
        ({"deed": "receive"}, "chưa chọn phản ánh nào"),
        ({"deed": "x", "ticket": [number]}, "chưa chọn việc cần làm"),
        ({"deed": "receive", "ticket": list(range(1, 103))}, "tối đa 100"),
        ({"deed": "assign", "ticket": [number], "agency": "99999"}, "Không có đơn vị này"),
    ):
        assert said in one.send(form, 422, **fields).alerts[0]
    assert "không còn trong phần" in one.send(form, deed="receive", ticket=[999_999, number]).text
    assert "Không có phản ánh nào làm được" in one.send(form, deed="join", ticket=[number]).text


def test_a_handler_may_put_aside_and_no_more(world: World, browser: Open) -> None:
    soon, economy = world.clock() + timedelta(days=7), agency(world, "kinh-te")
    (number,) = many(world, 1, state=TicketState.ASSIGNED, topic="dien", agency_id=economy, due_at=soon)
    one = browser("hung")
    page = one.open("/tickets?view=mine")
    assert 'value="snooze"' in page.html
    assert 'value="spam"' not in page.html
    page = one.send(page.form(PREVIEW), deed="spam", ticket=[number])
    assert "không được phép" in page.text


def test_what_is_sealed_has_no_box(world: World, browser: Open) -> None:
    (number,) = many(world, 1, state=TicketState.NEW, is_sealed=True, due_at=None)
    page = browser("mai").open("/tickets?view=all")
    assert f'id="ticket-{number}"' in page.html
    assert f'id="pick-{number}"' not in page.html


def test_what_became_of_it_is_shown_beside_an_answer_that_may_still_be_taken_back(
    world: World, browser: Open, reported: Callable[..., Ticket]
) -> None:
    with_settings(world, undo_seconds=10)
    answered = reported("Đèn đường hỏng cả tuần nay ở xóm 5")
    (other,) = many(world, 1, state=TicketState.NEW, topic="dien")
    one = browser("lan")
    one.send(
        one.open(f"/tickets/{answered.id}").form(f"/tickets/{answered.id}/replies"), text="Chiều nay xã thay bóng."
    )
    one.send(one.open("/tickets").form(PREVIEW), deed="receive", ticket=[other])
    page = one.send(doing(one), ticket=tokens(one))
    assert page.headings == ["Kết quả làm hàng loạt"]
    assert "Sẽ gửi sau 10 giây." in page.text
    assert "Còn hoàn tác được trong 30 giây" in page.text
