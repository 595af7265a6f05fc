"""The calendar: computed where nobody has entered it, and put right from a file."""

from __future__ import annotations

from datetime import date

import pytest

from bot.runtime import Runtime
from bot.usecases.holidays import Day, computed, fill_ahead, listing, read_table, replace
from bot.usecases.setup import SetupError
from storage.communes import Holiday
from tests.builders import World, all_rows
from tests.conftest import Clock

# Mùng 1 Tết and Giỗ Tổ, computed for UTC+7 (2030 differs from China's calendar).
TET = {2026: (2, 17), 2027: (2, 6), 2028: (1, 26), 2029: (2, 13), 2030: (2, 2)}
HUNG_KINGS = {2026: (4, 26), 2027: (4, 16), 2028: (4, 4), 2029: (4, 23), 2030: (4, 12)}


@pytest.mark.parametrize("year", TET)
def test_lunar_days_are_those_of_vietnam(year: int) -> None:
    days = {day.day for day in computed(year) if not day.is_worked}
    assert date(year, *TET[year]) in days
    assert date(year, *HUNG_KINGS[year]) in days
    assert {date(year, 1, 1), date(year, 4, 30), date(year, 5, 1), date(year, 9, 2)} <= days
    assert len([d for d in days if abs((d - date(year, *TET[year])).days) <= 5]) >= 5


def test_a_saturday_that_is_worked_for_a_bridge_is_among_them() -> None:
    assert Day(date(2026, 8, 22), "Làm bù", is_worked=True) in computed(2026)


def test_years_ahead_are_filled_once_and_what_people_entered_stays(
    world: World, runtime: Runtime, clock: Clock
) -> None:
    with runtime.database.transaction() as session:
        session.query(Holiday).delete()
        session.add(Holiday(day=date(2027, 2, 5), name="Tết, theo công văn", is_worked=False))
    assert fill_ahead(runtime) > 20
    assert fill_ahead(runtime) == 0
    assert [d.name for d in listing(runtime, 2027)] == ["Tết, theo công văn"]
    assert date(2028, 1, 26) in {d.day for d in listing(runtime, 2028)}
    clock.move(days=400)
    assert fill_ahead(runtime) > 5


def test_a_file_takes_the_place_of_its_years(world: World, runtime: Runtime) -> None:
    days = read_table(["day,name,is_worked", "2027-02-04,Tết Nguyên đán,0", " 2027-02-13 ,Làm bù Tết,1"])
    assert replace(runtime, days) == [2027]
    assert [(d.day, d.is_worked) for d in listing(runtime, 2027)] == [
        (date(2027, 2, 4), False),
        (date(2027, 2, 13), True),
    ]
    assert listing(runtime, 2026)


def test_a_communes_own_day_counts_for_it_alone(world: World, runtime: Runtime) -> None:
    before = len(all_rows(runtime, Holiday))
    replace(runtime, read_table(["day,name,is_worked", "2026-11-24,Ngày hội làng,1"]), "duc-hue")
    assert [d for d in listing(runtime, 2026, "duc-hue") if d.day == date(2026, 11, 24)] == [
        Day(date(2026, 11, 24), "Ngày hội làng", is_worked=True)
    ]
    assert not next(d for d in listing(runtime, 2026) if d.day == date(2026, 11, 24)).is_worked
    assert len(all_rows(runtime, Holiday)) == before + 1
    with pytest.raises(SetupError, match="no commune"):
        listing(runtime, 2026, "elsewhere")


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["ngay,ten"], "the first line must be day,name,is_worked"),
        ([], "the first line must be"),
        (["day,name,is_worked"], "no days in it"),
        (["day,name,is_worked", "04/02/2027,Tết,0"], "line 2: day must be written 2027-02-05, not '04/02/2027'"),
        (["day,name,is_worked", "2027-02-04,Tết,yes"], "line 2: is_worked must be 0 or 1"),
        (["day,name,is_worked", "2027-02-04,,0"], "line 2: name must have"),
        (["day,name,is_worked", "2027-02-04,Tết,0", "2027-02-04,Tết,0"], "line 3: 2027-02-04 stands there twice"),
        (["day,name,is_worked", "2027-02-30,Tết,0", "x,Tết,0"], "line 2: .*; line 3: "),
    ],
)
def test_every_wrong_line_is_named(lines: list[str], told: str) -> None:
    with pytest.raises(SetupError, match=told):
        read_table(lines)
