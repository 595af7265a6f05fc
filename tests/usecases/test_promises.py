"""Promises: what is late, apologised for, kept and broken, and the reports behind each figure."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from bot.rules.deadlines import VIETNAM
from bot.usecases import promises
from bot.usecases.promises import By, Figure
from storage.enums import EventKind, TicketState
from storage.tickets import Ticket, TicketEvent
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.usecases.test_month_book import DUE, a_ticket
from tests.web.pages import Browser, app_on

S, F = TicketState, Figure
LATER = DUE + timedelta(days=3)  # Friday 9 October
PROMISED = date(2026, 10, 9)


@pytest.fixture
def app(world: World) -> Flask:
    return app_on(world.runtime)


def promised(world: World, at: datetime = DUE + timedelta(hours=2), day: date = PROMISED, **changes: Any) -> int:
    """A late report that was apologised for with a new day."""
    number = a_ticket(world, **changes)
    with world.runtime.database.transaction() as session:
        session.add(
            TicketEvent(
                commune_id=world.commune_id, ticket_id=number, kind=EventKind.APOLOGISED, at=at,
                data={"by_date": day.isoformat()},
            )
        )  # fmt: skip
    return number


def figures(world: World) -> dict[Figure, int]:
    found = promises.sheet(world.runtime, world.official("lan"), 2026, 10).total.figures
    return {figure: many for figure, many in found.items() if many}


@pytest.mark.parametrize(
    ("changes", "is_promised", "days", "expected"),
    [
        ({"state": S.ANSWERED, "answered_at": DUE}, False, 0, {F.DUE: 1, F.IN_TIME: 1}),
        ({"state": S.DECLINED, "closed_at": DUE}, False, 0, {F.DUE: 1, F.IN_TIME: 1}),
        ({"state": S.ANSWERED, "answered_at": DUE + timedelta(hours=1)}, False, 0, {F.DUE: 1, F.LATE: 1, F.SILENT: 1}),
        ({"state": S.IN_PROGRESS}, False, 0, {F.DUE: 1, F.LATE: 1, F.SILENT: 1}),
        ({"state": S.WAITING_CITIZEN, "paused_at": DUE}, False, 0, {}),
        ({"state": S.IN_PROGRESS, "due_at": DUE + timedelta(days=9)}, False, 0, {}),
        ({"state": S.MERGED, "closed_at": DUE}, False, 0, {}),
        ({"state": S.IN_PROGRESS}, True, 0, {F.DUE: 1, F.LATE: 1, F.APOLOGISED: 1, F.WAITING: 1}),
        ({"state": S.IN_PROGRESS}, True, 3, {F.DUE: 1, F.LATE: 1, F.APOLOGISED: 1, F.BROKEN: 1}),
        ({"state": S.CLOSED, "answered_at": LATER + timedelta(hours=14)}, True, 9,
         {F.DUE: 1, F.LATE: 1, F.APOLOGISED: 1, F.KEPT: 1}),
        ({"state": S.ANSWERED, "answered_at": LATER + timedelta(hours=17)}, True, 9,
         {F.DUE: 1, F.LATE: 1, F.APOLOGISED: 1, F.BROKEN: 1}),
        ({"is_sealed": True}, True, 9, {}),
        ({"is_spam": True}, True, 9, {}),
    ],
)  # fmt: skip
def test_what_a_promise_counts_as(
    world: World, clock: Clock, changes: dict[str, Any], is_promised: bool, days: int, expected: dict[Figure, int]
) -> None:
    clock.move(days=days)
    (promised if is_promised else a_ticket)(world, **changes)
    assert figures(world) == expected


def test_the_first_day_promised_counts_and_an_apology_for_an_earlier_deadline_does_not(
    world: World, clock: Clock
) -> None:
    number = promised(world, state=S.ANSWERED, answered_at=LATER + timedelta(days=4))
    with world.runtime.database.transaction() as session:
        session.add(
            TicketEvent(
                commune_id=world.commune_id, ticket_id=number, kind=EventKind.APOLOGISED, at=LATER + timedelta(days=1),
                data={"by_date": "2026-10-14"},
            )
        )  # fmt: skip
    clock.move(days=9)
    assert figures(world)[F.BROKEN] == 1
    promised(world, at=DUE - timedelta(days=1), state=S.ANSWERED, answered_at=DUE + timedelta(hours=1))
    assert figures(world)[F.SILENT] == 1


def test_they_are_told_apart_by_unit_topic_and_class_and_add_up(world: World) -> None:
    a_ticket(world, state=S.IN_PROGRESS)
    a_ticket(world, state=S.IN_PROGRESS, topic="dat-dai")
    a_ticket(world, state=S.ANSWERED, answered_at=DUE, topic="dat-dai")
    sheet = promises.sheet(world.runtime, world.official("lan"), 2026, 10)
    assert {row.name for row in sheet.tables[By.CLASS]} == {"S2", "S4"}
    assert len(sheet.tables[By.TOPIC]) == 2
    for by in By:
        for figure in Figure:
            assert sum(row.figures[figure] for row in sheet.tables[by]) == sheet.total.figures[figure]
    assert promises.sheet(world.runtime, world.official("lan"), 2026, 9).total.figures[F.DUE] == 0


def test_each_figure_opens_its_reports(world: World, app: Flask) -> None:
    a_ticket(world, state=S.IN_PROGRESS)
    promised(world, state=S.IN_PROGRESS, topic="dat-dai")
    late, sorry = all_rows(world.runtime, Ticket)
    lan = Browser(world, app).sign_in("lan")
    assert "/reports/2026/10/promises" in lan.open("/reports/2026/10").links
    page = lan.open("/reports/2026/10/promises")
    assert "trễ mà không xin lỗi" in page.text, "what it means stands beside the number"
    for link in {one for one in page.links if "/promises/" in one}:
        lan.open(link)
    page = lan.open("/reports/2026/10/promises/silent")
    assert late.code in page.text
    assert sorry.code not in page.text
    shown = lan.open("/reports/2026/10/promises/late?by=class&name=S4").text
    assert sorry.code in shown
    assert late.code not in shown
    assert "09/10/2026" in shown
    assert lan.client.get("/reports/2026/10/promises/nothing").status_code == 404
    assert lan.client.get("/reports/2026/10/promises/late?by=x").status_code == 404
    assert lan.client.get("/reports/2026/13/promises").status_code == 404


def test_who_administers_sees_figures_only(world: World, app: Flask) -> None:
    a_ticket(world, state=S.IN_PROGRESS)
    (ticket,) = all_rows(world.runtime, Ticket)
    an = Browser(world, app).sign_in("an")
    page = an.open("/reports/2026/10/promises")
    assert not [link for link in page.links if "/promises/" in link]
    assert ticket.code not in an.open("/reports/2026/10/promises/late").text
    assert Browser(world, app).sign_in("hung").client.get("/reports/2026/10/promises").status_code == 403


def test_the_end_of_the_promised_day_is_vietnams(world: World, clock: Clock) -> None:
    clock.move(days=9)
    last = datetime(2026, 10, 9, 23, 59, tzinfo=VIETNAM)
    promised(world, state=S.ANSWERED, answered_at=last)
    promised(world, state=S.ANSWERED, answered_at=last + timedelta(minutes=1))
    assert (figures(world)[F.KEPT], figures(world)[F.BROKEN]) == (1, 1)
