"""Asking for more and not taking a report, with ready words: as ticked, or edited."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from storage.enums import TicketState
from storage.messages import Message
from storage.tickets import Ticket
from tests.builders import World, all_rows
from tests.web.pages import Browser

Open = Callable[[str], Browser]
Reported = Callable[..., Ticket]


def newest(world: World) -> str:
    return str(all_rows(world.runtime, Message)[-1].text)


def test_a_new_report_is_asked_about_in_one_deed_with_what_is_missing(
    world: World, browser: Open, reported: Reported
) -> None:
    ticket = reported("Đèn đường tối om mấy hôm nay")
    one = browser("lan")
    form = one.open(f"/tickets/{ticket.id}").form(f"/tickets/{ticket.id}/state", state="cho_bo_sung")
    assert form.fields["ready"] == "where"
    page = one.send(form)
    assert "Đã chuyển trạng thái" in page.text
    assert "xin ông/bà bổ sung: địa điểm cụ thể: thôn/tổ, tên đường, gần công trình nào." in newest(world)
    found = all_rows(world.runtime, Ticket)[-1]
    assert (found.state, found.accepted_at) == (TicketState.WAITING_CITIZEN, world.clock())


@pytest.mark.parametrize(
    ("ready", "words", "status", "said"),
    [
        (["civil"], "", 200, "đây là tranh chấp giữa các bên"),
        (["elsewhere", "no_matter"], "Xin cảm ơn.", 200, "hóa đơn tiền điện. nội dung không phải là phản ánh"),
        ([], "Việc này của xã bên, xin báo xã bên.", 200, "Việc này của xã bên"),
        ([], "ngắn", 422, None),
    ],
)
def test_a_leader_says_why_a_report_is_not_taken(
    world: World, browser: Open, reported: Reported, ready: list[str], words: str, status: int, said: str | None
) -> None:
    ticket = reported("Điện lực cắt điện xóm 5 cả ngày")
    one = browser("mai")
    form = one.open(f"/tickets/{ticket.id}").form(f"/tickets/{ticket.id}/state", state="khong_tiep_nhan")
    assert "ready" not in form.fields, "nothing is proposed: a person decides"
    page = one.send(form, status, ready=ready or None, words=words)
    if said is None:
        assert page.form(f"/tickets/{ticket.id}/state", state="khong_tiep_nhan").fields["words"] == words
        return
    assert said in newest(world)
