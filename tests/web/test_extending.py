"""More time, an apology, and clocks that call, as officials see them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.runtime import Runtime
from bot.usecases.clocks import speak_up
from storage.tickets import Ticket
from tests.builders import World
from tests.conftest import Clock
from tests.web.pages import Browser

Reported = Callable[..., Ticket]
Open = Callable[[str], Browser]
WHY = "Phải chờ bóng đèn mới từ kho của huyện."


@pytest.fixture
def ticket(reported: Reported) -> Ticket:
    return reported("Đèn đường xóm 5 tối om mấy hôm nay")


def test_more_time_is_asked_for_and_granted(ticket: Ticket, browser: Open) -> None:
    lan, mai = browser("lan"), browser("mai")
    page = lan.open(f"/tickets/{ticket.id}")
    wrong = lan.send(page.form(f"/tickets/{ticket.id}/extension"), 422, days="30", reason=WHY)
    assert "từ 1 đến 10 ngày" in wrong.text
    assert WHY in wrong.text
    after = lan.send(wrong.form(f"/tickets/{ticket.id}/extension"), 200, days="3", reason=WHY)
    assert "Hạn cũ vẫn tính" in after.text
    assert not after.has_form(f"/tickets/{ticket.id}/extension-decision")
    assert "chờ lãnh đạo quyết định" in mai.open("/tickets").text
    page = mai.open(f"/tickets/{ticket.id}")
    assert WHY in page.text
    after = mai.send(page.form(f"/tickets/{ticket.id}/extension-decision"), 200, granted="yes")
    assert "đã gia hạn 3 ngày làm việc" in after.text
    assert "Hạn mới" in after.text
    assert not after.has_form(f"/tickets/{ticket.id}/extension")


def test_a_refusal_is_written_down(ticket: Ticket, browser: Open) -> None:
    lan, mai = browser("lan"), browser("mai")
    lan.open(f"/tickets/{ticket.id}")
    lan.send(lan.page.form(f"/tickets/{ticket.id}/extension"), 200, days="3", reason=WHY)
    mai.open(f"/tickets/{ticket.id}")
    after = mai.send(mai.page.form(f"/tickets/{ticket.id}/extension-decision"), 200, granted="no")
    assert "Không đồng ý gia hạn." in after.text


def test_what_is_late_calls_and_is_apologised_for(
    ticket: Ticket, world: World, runtime: Runtime, clock: Clock, browser: Open
) -> None:
    clock.move(days=9)
    speak_up(runtime)
    lan = browser("lan")
    assert "Quá hạn trả lời hơn một ngày làm việc" in browser("mai").open("/tickets").text
    page = lan.open(f"/tickets/{ticket.id}")
    assert not page.has_form(f"/tickets/{ticket.id}/extension")
    wrong = lan.send(page.form(f"/tickets/{ticket.id}/apology"), 422, reason=WHY, by_date="2026-10-01")
    assert "sau hôm nay" in wrong.text
    after = lan.send(wrong.form(f"/tickets/{ticket.id}/apology"), 200, reason=WHY, by_date="2026-10-20")
    assert "Đã hứa lại" in after.text
    assert "cam kết trả lời trước 20/10/2026" in after.text


def test_a_page_tells_the_three_clocks(ticket: Ticket, browser: Open) -> None:
    page = browser("lan").open(f"/tickets/{ticket.id}")
    assert "Hạn tiếp nhận" in page.text
    assert "Hạn làm việc đầu tiên" in page.text
