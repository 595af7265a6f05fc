"""The pages of retention: rules are tried, then kept; what went is proven; a ticket can be held."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from bot.usecases.retention import run_all
from storage.retention import Hold, RetentionRule
from storage.tickets import Ticket
from tests.builders import World, all_rows
from tests.usecases.looking import BRIBE, LIGHT
from tests.web.pages import Browser

Reported = Callable[..., Ticket]
Open = Callable[[str], Browser]
PAGE, TRIAL, PROOF = "/personal-data/retention", "/personal-data/retention/trial", "/personal-data/retention/proof"


def ended_long_ago(world: World, ticket: Ticket) -> None:
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Ticket).where(Ticket.id == ticket.id).values(is_open=False))
    world.clock.move(days=2_000)  # type: ignore[attr-defined]


def test_rules_are_tried_before_they_are_kept(world: World, browser: Open, reported: Reported) -> None:
    ended_long_ago(world, reported(LIGHT))
    one = browser("an")
    page = one.open(PAGE)
    assert "Chưa áp dụng" in page.text
    page = one.send(page.form(TRIAL), words="400", files="300")
    assert "Chạy thử: chưa xóa gì" in page.text
    assert all_rows(world.runtime, RetentionRule) == []
    page = one.send(page.form(PAGE))
    assert "Đã lưu" in page.text
    rules = {row.kind: row.days for row in all_rows(world.runtime, RetentionRule)}
    assert (rules["words"], rules["files"]) == (400, 300)
    assert "sealed" not in rules
    run_all(world.runtime, world.commune_id)
    page = one.open(PROOF)
    assert "Lời và giấy tờ của phản ánh đã kết thúc" in page.text
    table = one.client.get(f"{PROOF}.csv")
    assert table.text.startswith("\ufeff")
    assert "Lời và giấy tờ" in table.text


def test_a_rule_changed_after_the_trial_is_not_kept(world: World, browser: Open) -> None:
    one = browser("an")
    page = one.open(PAGE)
    page = one.send(page.form(TRIAL))
    page = one.send(page.form(PAGE), 422, words="400")
    assert "chạy thử lại" in page.text
    assert all_rows(world.runtime, RetentionRule) == []


@pytest.mark.parametrize(
    ("given", "told"),
    [({"words": "5"}, "Số ngày phải từ"), ({"words": "năm"}, "bằng chữ số"), ({"files": "3000"}, "Tệp không thể giữ")],
)
def test_what_is_wrong_is_said_beside_its_field(browser: Open, given: dict[str, str], told: str) -> None:
    one = browser("an")
    page = one.send(one.open(PAGE).form(TRIAL), 422, **given)
    assert told in page.text
    assert 'class="field field-wrong"' in page.html
    (name, value) = next(iter(given.items()))
    assert page.form(TRIAL).fields[name] == value


def test_the_rule_of_what_is_sealed_is_the_leaders(world: World, browser: Open, reported: Reported) -> None:
    ended_long_ago(world, reported(BRIBE))
    admin = browser("an")
    page = admin.open(PAGE)
    assert "sealed" not in page.form(TRIAL).fields
    page = admin.send(page.form(TRIAL), sealed="365")
    assert "niêm phong" not in page.html.split("<table", 1)[1].split("</table>", 1)[0]
    leader = browser("mai")
    page = leader.open(PAGE)
    assert set(page.form(TRIAL).fields) - {"csrf_token"} == {"sealed"}
    page = leader.send(page.form(TRIAL))
    leader.send(page.form(PAGE))
    run_all(world.runtime, world.commune_id)
    assert "niêm phong" in leader.open(PROOF).text
    assert "Chưa xóa gì" in admin.open(PROOF).text
    assert "niêm phong" not in admin.client.get(f"{PROOF}.csv").text


@pytest.mark.parametrize("who", ["lan", "hung", "hoa", "tuan"])
def test_others_neither_see_nor_set_rules(browser: Open, who: str) -> None:
    one = browser(who)
    for path in (PAGE, PROOF, f"{PROOF}.csv"):
        assert one.client.get(path).status_code == 403


def test_a_report_is_held_with_a_reason_and_released_by_a_leader(
    world: World, browser: Open, reported: Reported
) -> None:
    ticket = reported(LIGHT)
    desk = browser("lan")
    page = desk.open(f"/tickets/{ticket.id}")
    page = desk.send(page.form(f"/tickets/{ticket.id}/hold"), 422, words="x")
    assert "Cần nêu lý do" in page.text
    page = desk.send(page.form(f"/tickets/{ticket.id}/hold"), words="Thanh tra yêu cầu giữ, gọi 0912345678")
    assert "Thanh tra yêu cầu giữ" in page.text
    assert "0912345678" not in page.html
    assert not page.has_form(f"/tickets/{ticket.id}/hold-release")
    leader = browser("mai")
    page = leader.open(f"/tickets/{ticket.id}")
    leader.send(page.form(f"/tickets/{ticket.id}/hold-release"))
    (row,) = all_rows(world.runtime, Hold)
    assert row.released_by_id == world.officials["mai"]
