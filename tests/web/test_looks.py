"""Masked data is shown for a reason, and leaders read who looked, when and for what."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.usecases.looks import AT_ONCE, looks, reveal
from storage.audit import AuditEntry
from storage.tickets import Ticket
from tests.builders import World, all_rows
from tests.web.pages import Browser

Reported = Callable[..., Ticket]
Open = Callable[[str], Browser]
HOLE = "Ổ gà to trên đường Xóm 5, gọi 0912345678"
DENUNCIATION = "Tôi tố cáo cán bộ địa chính nhận hối lộ mười triệu đồng, gọi 0912345678"


def looked(world: World) -> list[dict[str, object]]:
    return [row.data for row in all_rows(world.runtime, AuditEntry) if row.action == "contact.revealed"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"why": ""}, "Cần chọn lý do"),
        ({"why": "to_mo"}, "Cần chọn lý do"),
        ({"why": "viec_khac", "words": "xem"}, "cần ghi rõ là việc gì"),
    ],
)
def test_nothing_is_shown_without_a_reason(
    browser: Open, world: World, reported: Reported, given: dict[str, str], told: str
) -> None:
    ticket = reported(HOLE)
    one = browser("lan")
    page = one.open(f"/tickets/{ticket.id}")
    page = one.send(page.form(f"/tickets/{ticket.id}/revealing"), 422, **given)
    assert told in page.text
    assert "0912345678" not in page.html
    assert looked(world) == []


def test_the_reason_is_written_down_without_numbers(browser: Open, world: World, reported: Reported) -> None:
    ticket = reported(HOLE)
    one = browser("lan")
    page = one.open(f"/tickets/{ticket.id}")
    words = "đối chiếu với số 0987654321"
    page = one.send(page.form(f"/tickets/{ticket.id}/revealing"), why="viec_khac", words=words)
    assert "0912345678" in page.text
    (data,) = looked(world)
    assert data["why"] == "viec_khac"
    assert str(data["words"]).startswith("đối chiếu với số 09")
    assert "0987654321" not in str(data)


def test_a_leader_reads_who_looked_when_and_for_what(browser: Open, world: World, reported: Reported) -> None:
    ticket = reported(HOLE)
    for who in ("lan", "mai"):
        reveal(world.runtime, world.official(who), ticket.id, why="goi_lai", words="", address="10.0.0.1")
        world.clock.move(days=1)  # type: ignore[attr-defined]
    one = browser("mai")
    page = one.open("/personal-data/looks")
    assert page.text.count("Gọi lại cho người dân") == 2
    assert f"/tickets/{ticket.id}" in page.links
    rows = page.html.split("<ol", 1)[1]
    assert "Nguyễn Thị Lan" in rows
    page = one.open(f"/personal-data/looks?who={world.officials['mai']}")
    assert "Nguyễn Thị Lan" not in page.html.split("<ol", 1)[1]
    day = (world.clock() - timedelta(days=2)).date().isoformat()
    page = one.open(f"/personal-data/looks?on={day}")
    assert page.html.count('id="look-') == 1
    assert "Không có lượt xem nào khớp" in one.open("/personal-data/looks?on=2020-01-01").text
    one.open("/personal-data/looks?on=hom-qua", 400)


def test_looks_at_what_is_sealed_are_told_to_its_readers_only(browser: Open, world: World, reported: Reported) -> None:
    ticket = reported(DENUNCIATION)
    assert ticket.is_sealed
    browser("mai").open(f"/tickets/{ticket.id}")
    reveal(world.runtime, world.official("mai"), ticket.id, why="goi_lai", words="", address="10.0.0.1")
    assert ticket.code in browser("mai").open("/personal-data/looks").text
    page = browser("an").open("/personal-data/looks")
    assert ticket.code not in page.text
    assert "Chưa ai xem dữ liệu cá nhân" in page.text


def test_who_administers_sees_that_somebody_looked_but_no_way_to_the_report(
    browser: Open, world: World, reported: Reported
) -> None:
    ticket = reported(HOLE)
    reveal(world.runtime, world.official("lan"), ticket.id, why="goi_lai", words="", address="10.0.0.1")
    page = browser("an").open("/personal-data/looks")
    assert ticket.code in page.text
    assert f"/tickets/{ticket.id}" not in page.links


@pytest.mark.parametrize("who", ["lan", "hung", "hoa"])
def test_others_do_not_read_it(browser: Open, who: str) -> None:
    browser(who).open("/personal-data/looks", 403)


def test_the_list_goes_on_page_by_page(world: World, reported: Reported) -> None:
    ticket = reported(HOLE)
    for _ in range(AT_ONCE + 3):
        reveal(world.runtime, world.official("lan"), ticket.id, why="goi_lai", words="", address="10.0.0.1")
    mai = world.official("mai")
    first = looks(world.runtime, mai)
    rest = looks(world.runtime, mai, before=first.next)
    assert (len(first.rows), len(rest.rows), rest.next) == (AT_ONCE, 3, None)
    assert len({row.id for row in (*first.rows, *rest.rows)}) == AT_ONCE + 3
