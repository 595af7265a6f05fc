"""The week's list: whom it calls, when, and what stands in it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from bot.rules.deadlines import VIETNAM
from bot.usecases import alerts, weekly
from storage.agencies import Agency
from storage.alerts import Alert
from storage.audit import AuditEntry
from storage.communes import Holiday
from storage.enums import AlertKind, TicketState, TransferState
from storage.papers import Paper, Transfer
from storage.tickets import Ticket
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.papers.looking import words_of
from tests.usecases.test_month_book import SECRET, a_ticket
from tests.web.pages import Browser, app_on

S = TicketState
MONDAY = datetime(2026, 10, 12, 7, 30, tzinfo=VIETNAM)
FRIDAY = datetime(2026, 10, 9, 9, 0, tzinfo=VIETNAM)


@pytest.fixture
def app(world: World) -> Flask:
    return app_on(world.runtime)


def at(clock: Clock, moment: datetime) -> None:
    clock.move(seconds=(moment - clock()).total_seconds())


def unit(world: World, slug: str) -> int:
    with world.runtime.database.reading() as session:
        return session.scalars(sa.select(Agency.id).where(Agency.slug == slug)).one()


@pytest.fixture
def monday(world: World, clock: Clock) -> dict[str, int]:
    """Monday 12 October, half past seven: two late, one due on Thursday, one of next week, and what does not count."""
    economy, hung = unit(world, "kinh-te"), world.officials["hung"]
    made: dict[str, dict[str, Any]] = {
        "late": {"state": S.IN_PROGRESS, "due_at": FRIDAY, "agency_id": economy, "official_id": hung},
        "nobody's": {"due_at": FRIDAY - timedelta(days=1)},
        "due": {"due_at": MONDAY + timedelta(days=3), "agency_id": economy,
                "extension": {"days": 3, "state": "granted"}},
        "waiting": {"state": S.WAITING_CITIZEN, "paused_at": FRIDAY, "due_at": FRIDAY, "agency_id": economy},
        "next week": {"due_at": MONDAY + timedelta(days=7)},
        "answered": {"state": S.ANSWERED, "answered_at": FRIDAY, "due_at": FRIDAY - timedelta(days=1)},
        "spam": {"is_spam": True, "due_at": FRIDAY},
        "sealed": {"is_sealed": True, "due_at": None, "summary": SECRET},
    }  # fmt: skip
    ids = {name: a_ticket(world, **values) for name, values in made.items()}
    at(clock, MONDAY)
    return ids


def codes(world: World, lines: tuple[Any, ...]) -> list[str]:
    return [line.code for line in lines]


def called(world: World) -> dict[str, tuple[int, int]]:
    rows = [a for a in all_rows(world.runtime, Alert) if a.kind is AlertKind.WEEK]
    return {row.audience.split(":")[0]: (row.data["late"], row.data["due_this_week"]) for row in rows}


def test_each_leader_and_unit_is_called_once_on_monday_morning(
    world: World, clock: Clock, monday: dict[str, int]
) -> None:
    at(clock, MONDAY - timedelta(minutes=1))
    assert weekly.call_for_week(world.runtime) == 0
    at(clock, MONDAY)
    assert weekly.call_for_week(world.runtime) == 2
    assert called(world) == {"official": (2, 2), "agency": (1, 2)}
    for days in (0, 1, 4):
        clock.move(days=days)
        assert weekly.call_for_week(world.runtime) == 0
    at(clock, MONDAY + timedelta(days=7))
    assert weekly.call_for_week(world.runtime) == 2


def test_a_monday_off_is_called_on_tuesday(world: World, clock: Clock, monday: dict[str, int]) -> None:
    with world.runtime.database.transaction() as session:
        session.add(Holiday(day=date(2026, 10, 12), commune_id=world.commune_id, name="Nghỉ bù", is_worked=False))
    clock.move(hours=6)
    assert weekly.call_for_week(world.runtime) == 0
    at(clock, MONDAY + timedelta(days=1))
    assert weekly.call_for_week(world.runtime) == 2


def test_nothing_to_tell_calls_nobody(world: World, clock: Clock) -> None:
    at(clock, MONDAY)
    assert weekly.call_for_week(world.runtime) == 0


def test_each_hears_their_own_call(world: World, monday: dict[str, int]) -> None:
    weekly.call_for_week(world.runtime)

    def hears(who: str) -> list[int]:
        return [
            call.alert.data["late"]
            for call in alerts.unseen(world.runtime, world.official(who))
            if call.alert.kind is AlertKind.WEEK
        ]

    assert hears("mai") == [2]
    assert hears("hung") == [1]
    assert hears("lan") == []
    assert hears("an") == []


@pytest.mark.parametrize(
    ("who", "late", "due", "sealed"),
    [("mai", ["nobody's", "late"], ["due", "waiting"], 1), ("lan", ["nobody's", "late"], ["due", "waiting"], None),
     ("hung", ["late"], ["due", "waiting"], None)],
)  # fmt: skip
def test_the_list_is_what_the_official_may_see(
    world: World, monday: dict[str, int], who: str, late: list[str], due: list[str], sealed: int | None
) -> None:
    week = weekly.the_week(world.runtime, world.official(who))
    assert {line.ticket_id for line in week.late} == {monday[name] for name in late}
    assert {line.ticket_id for line in week.due} == {monday[name] for name in due}
    assert week.sealed == sealed
    assert SECRET not in repr(week)
    assert "0912345678" not in repr(week)


def test_lateness_and_reasons_are_told(world: World, clock: Clock, monday: dict[str, int]) -> None:
    at(clock, MONDAY + timedelta(hours=4))
    with world.runtime.database.transaction() as session:
        paper = Paper(
            commune_id=world.commune_id, kind="PC", year=2026, number=1, ticket_id=monday["late"], facts={},
            issued_at=FRIDAY, issued_by_id=world.officials["lan"],
        )  # fmt: skip
        session.add(paper)
        session.flush()
        session.add(
            Transfer(
                commune_id=world.commune_id, ticket_id=monday["late"], body="Điện lực Đức Huệ", paper_id=paper.id,
                state=TransferState.SENT, expected_on=date(2026, 10, 20), sent_at=FRIDAY,
                sent_by_id=world.officials["lan"],
            )
        )  # fmt: skip
    week = weekly.the_week(world.runtime, world.official("mai"))
    told = {line.ticket_id: (line.late_days, line.why) for line in (*week.late, *week.due)}
    # Friday from 9:00 (six hours) and Monday's first shift (four hours) of days of seven and a half.
    assert told[monday["late"]] == ("1,3", "chờ Điện lực Đức Huệ trả lời")
    assert told[monday["due"]] == ("", "đã gia hạn 3 ngày")
    assert told[monday["waiting"]] == ("", "chờ người dân bổ sung, đang dừng tính hạn")
    assert [(one.name, one.late, one.due) for one in week.units] == [("Phòng Kinh tế", 1, 2), ("Chưa phân công", 1, 0)]
    assert ("Trần Văn Hùng (Phòng Kinh tế)", 1, 0) in [(one.name, one.late, one.due) for one in week.officials]


def test_the_page_is_read_printed_and_taken_away(world: World, app: Flask, monday: dict[str, int]) -> None:
    weekly.call_for_week(world.runtime)
    mai = Browser(world, app).sign_in("mai")
    assert "/reports/week" in mai.open("/tickets").links
    page = mai.open("/reports/week")
    assert "Quá hạn: 2" in page.text
    assert "Phản ánh niêm phong đang mở: 1" in page.text
    code = next(t.code for t in all_rows(world.runtime, Ticket) if t.id == monday["late"])
    made = mai.client.get("/reports/week.pdf")
    assert code in words_of(made.data)
    assert "DANH SÁCH PHẢN ÁNH QUÁ HẠN" in words_of(made.data)
    table = mai.client.get("/reports/week.csv")
    assert code in table.text
    taken = [e.data["kind"] for e in all_rows(world.runtime, AuditEntry) if e.action == "week.exported"]
    assert taken == ["pdf", "csv"]
    hung = Browser(world, app).sign_in("hung")
    assert "Quá hạn: 1" in hung.open("/reports/week").text
    assert Browser(world, app).sign_in("an").client.get("/reports/week").status_code == 403
