"""A month for the source system: the sums of its book, handed in once, again when asked for, and nobody's words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.rules.periods import month_of
from bot.usecases import intake, month_book, source_reports
from bot.usecases.source_reports import ReportError
from storage.enums import ReportState, TicketState
from storage.exchange import SourceReport
from storage.tickets import Ticket
from tests.builders import World, all_rows
from tests.loudspeakers import connect
from tests.sandbox.villages import Villages, villages
from tests.web.test_announcements import Browser

FIRST_WORKING = datetime(2026, 11, 2, 0, 30, tzinfo=UTC)  # a Monday, 7:30 in Vietnam; the first is a Sunday


@pytest.fixture
def loa(tmp_path: Path) -> Iterator[Villages]:
    """A pretend source system."""
    with villages(tmp_path) as found:
        yield found


@pytest.fixture
def month(world: World, loa: Villages) -> World:
    """October 2026: six reports on Zalo, of which one is sealed, one put aside as spam and one refused."""
    clock = world.runtime.now
    connect(world, loa)
    world.runtime.now = clock
    said = (
        "Rác ở cầu Kênh Ngang ba ngày chưa ai lấy", "Đường vào xóm 5 ổ gà nhiều quá", "Đèn đường xóm 7 hỏng",
        "Tôi tố cáo cán bộ địa chính xã nhận hối lộ khi làm sổ đỏ", "Rác chợ Đình hôi quá", "Rác đầu xóm 5 nhiều quá",
    )  # fmt: skip
    for number, words in enumerate(said):
        world.says(words, user=f"{number:019d}")
    intake.drain(world.runtime)
    found = [ticket for ticket in all_rows(world.runtime, Ticket) if not ticket.is_sealed]
    now = world.clock()
    set_to(world, found[0], state=TicketState.CLOSED, is_open=False, answered_at=now, closed_at=now, rating=3)
    set_to(world, found[1], state=TicketState.FORWARDED)
    set_to(world, found[2], state=TicketState.DECLINED, is_open=False, closed_at=now)
    set_to(world, found[3], is_spam=True, is_open=False)
    set_to(world, found[4], due_at=now - timedelta(hours=1))
    return world


def set_to(world: World, ticket: Ticket, **values: Any) -> None:
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Ticket).where(Ticket.id == ticket.id).values(**values))


def figures(world: World) -> dict[str, Any]:
    with world.runtime.database.reading() as session:
        return source_reports.counted(session, world.commune_id, month_of(2026, 10), world.clock())


def the_reports(world: World) -> list[SourceReport]:
    return all_rows(world.runtime, SourceReport)


def hand_in(world: World, rounds: int = 1) -> None:
    for _ in range(rounds):
        with world.runtime.database.transaction() as session:
            session.execute(sa.update(SourceReport).values(next_try_at=world.clock()))
        source_reports.hand_in_due(world.runtime)


def channel_of(world: World) -> int:
    return source_reports.channels(world.runtime, world.official("mai"))[0].id


def test_its_sums_are_those_of_the_months_book(month: World) -> None:
    found = figures(month)
    book = month_book.month_book(month.runtime, month.official("mai"), 2026, 10)
    assert found["total"] == {
        "received": 4, "in_time": 2, "late": 1, "running": 1, "declined": 1, "forwarded": 1, "rated": 1, "content": 1,
    }  # fmt: skip
    same = [found["total"][name] for name in ("received", "in_time", "late", "running")]
    assert same == [book.total.received, book.total.in_time, book.total.late, book.total.running]
    assert found["sealed"] == book.sealed == 1
    assert sum(one["received"] for one in found["topics"].values()) == 4
    assert set(found["channels"]) == {"zalo"}


def test_it_is_handed_in_once_on_the_first_working_day(month: World, loa: Villages) -> None:
    month.clock.now = FIRST_WORKING - timedelta(minutes=1)
    assert source_reports.file_due(month.runtime) == 0
    month.clock.now = FIRST_WORKING
    assert [source_reports.file_due(month.runtime) for _ in range(3)] == [1, 0, 0]
    hand_in(month, 2)
    [row] = the_reports(month)
    assert (row.state, row.answer) == (ReportState.SENT, "Đã nhận thống kê tháng 10/2026")
    assert row.sent_at is not None
    assert loa.accepted("statistics") == [row.key]


def test_it_tells_nothing_about_a_person(month: World, loa: Villages) -> None:
    month.clock.now = FIRST_WORKING
    source_reports.file_due(month.runtime)
    hand_in(month)
    [row] = loa.rows("statistics")
    told = json.loads(row["body"])
    assert told["TongHop"]["TiepNhan"] == 4
    assert told["SoHanChe"] == 1
    assert "to-cao-tham-nhung" not in row["body"]
    assert all(word not in row["body"] for word in ("Kênh Ngang", "PA26-", "hối lộ"))


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drop", "when": "after"}, {"kind": "drop"}, {"kind": "malformed"}, {"kind": "status", "status": 500},
        {"kind": "busy"}, {"kind": "expired"}, {"kind": "token"}, {"kind": "account"},
    ],
    ids=str,
)  # fmt: skip
def test_whatever_breaks_it_is_taken_once(month: World, loa: Villages, fault: dict[str, Any]) -> None:
    source_reports.ask_for(month.runtime, month.official("mai"), channel_of(month), 2026, 10)
    loa.fault(applies_to="statistics", **fault)
    hand_in(month, 3)
    [row] = the_reports(month)
    assert row.state is ReportState.SENT
    assert loa.accepted("statistics") == [row.key]


def test_a_refusal_is_shown(month: World, loa: Villages) -> None:
    source_reports.ask_for(month.runtime, month.official("mai"), channel_of(month), 2026, 10)
    loa.fault("error", applies_to="statistics", code=1)
    hand_in(month, 2)
    [row] = the_reports(month)
    assert (row.state, row.code) == (ReportState.REFUSED, "source_1")
    page = Browser(month, "mai").get("/reports/handed-in").text
    assert "Không được nhận" in page


def test_asked_for_again_it_takes_the_place_of_the_one_before(month: World, loa: Villages) -> None:
    for _ in range(2):
        source_reports.ask_for(month.runtime, month.official("mai"), channel_of(month), 2026, 10)
        hand_in(month)
    first, second = the_reports(month)
    assert loa.accepted("statistics") == [first.key, second.key]
    assert source_reports.statistics_of(second).replaces == first.key


@pytest.mark.parametrize(("year", "month_"), [(2026, 11), (2024, 5), (2026, 13), (2027, 1)])
def test_a_month_that_has_not_begun_is_not_handed_in(month: World, year: int, month_: int) -> None:
    with pytest.raises(ReportError):
        source_reports.ask_for(month.runtime, month.official("mai"), channel_of(month), year, month_)


def test_another_channel_takes_no_figures(month: World) -> None:
    with pytest.raises(ReportError):
        source_reports.ask_for(month.runtime, month.official("mai"), month.channel_id, 2026, 10)


@pytest.mark.parametrize(
    ("who", "status"), [("an", 200), ("mai", 200), ("lan", 200), ("tuan", 200), ("hung", 403), ("hoa", 403)]
)
def test_who_may_see_what_was_handed_in(month: World, who: str, status: int) -> None:
    assert Browser(month, who).get("/reports/handed-in").status_code == status


def test_the_page_hands_a_month_in_and_shows_the_answer(month: World, loa: Villages) -> None:
    browser = Browser(month, "mai")
    assert 'href="/reports/handed-in"' in browser.get("/reports/2026/10").text
    assert browser.post("/reports/handed-in", channel=channel_of(month), month="2026-10").status_code == 303
    hand_in(month)
    page = browser.get("/reports/handed-in").text
    for words in ("Tháng 10/2026", "Đã gửi", "Đã nhận thống kê tháng 10/2026", "Rác thải"):
        assert words in page
    assert browser.post("/reports/handed-in", channel=channel_of(month), month="rác").status_code == 422
