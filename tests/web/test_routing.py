"""The page of the routing table."""

from __future__ import annotations

from collections.abc import Callable

from bot.rules.deadlines import VIETNAM
from storage.agencies import Agency
from storage.tickets import Ticket
from tests.builders import World, all_rows
from tests.web.pages import Browser

Reported = Callable[..., Ticket]
Open = Callable[[str], Browser]


def test_a_rule_is_tried_out_and_kept(world: World, reported: Reported, browser: Open) -> None:
    ticket = reported("Đèn đường xóm 5 tối om mấy hôm nay")
    mai = browser("mai")
    page = mai.open("/routing")
    assert "Chưa đặt riêng lĩnh vực nào" in page.text
    police = next(a.id for a in all_rows(world.runtime, Agency) if a.slug == "cong-an")
    today = world.clock().astimezone(VIETNAM).date().isoformat()
    wish = {"topic": "chieu-sang", "agency": str(police), "valid_from": today}
    tried = mai.send(page.form("/routing/trial"), 200, **wish)
    assert "1 phản ánh lẽ ra đi nơi khác" in tried.text
    assert ticket.code in tried.text
    assert "Công an" in tried.text
    kept = mai.send(tried.form("/routing"), 200)
    assert "Đã lưu phân công" in kept.text
    assert "Chiếu sáng công cộng" in kept.text


def test_a_wrong_day_is_named_and_what_was_chosen_stays(world: World, browser: Open) -> None:
    mai = browser("mai")
    page = mai.open("/routing")
    wrong = mai.send(page.form("/routing/trial"), 422, topic="chieu-sang", agency="", valid_from="2020-01-01")
    assert "Ngày bắt đầu phải từ hôm nay" in wrong.text
    assert wrong.form("/routing/trial").fields["topic"] == "chieu-sang"
    assert "Ngày bắt đầu chưa đúng" in mai.send(wrong.form("/routing/trial"), 422, topic="dien", valid_from="mai").text


def test_the_desk_does_not_change_who_handles_what(browser: Open) -> None:
    lan = browser("lan")
    lan.client.get("/routing")
    assert lan.client.get("/routing").status_code == 403
    assert "/routing" not in lan.open("/tickets").html
