"""Aloud: hours as people type them, days, and until when a reading lasts."""

from __future__ import annotations

from datetime import date, time

import pytest

from bot.rules.aloud import NOT_ALOUD, Aloud, aloud_of


@pytest.mark.parametrize(
    ("typed", "hours"),
    [
        ("6h45", ["06:45"]),
        ("17h00, 6h45", ["06:45", "17:00"]),
        ("6:45; 17g", ["06:45", "17:00"]),
        ("6 giờ 45\n17 giờ", ["06:45", "17:00"]),
        ("06.45, 6h45", ["06:45"]),
        ("", []),
    ],
)
def test_hours_are_read_as_people_type_them(typed: str, hours: list[str]) -> None:
    assert [f"{one:%H:%M}" for one in Aloud((1,), hours=typed).times] == hours


@pytest.mark.parametrize("typed", ["sáng sớm", "25h", "6h99", "6h45 17h"])
def test_what_is_no_hour_is_refused(typed: str) -> None:
    with pytest.raises(ValueError):
        _ = Aloud((1,), hours=typed).times


@pytest.mark.parametrize(
    ("begins", "ends", "many"),
    [(None, None, 0), (date(2026, 12, 1), None, 1), (date(2026, 12, 1), date(2026, 12, 3), 3),
     (date(2026, 12, 3), date(2026, 12, 1), 0), (date(2026, 1, 1), date(9999, 1, 1), 400)],
)  # fmt: skip
def test_days_from_the_first_to_the_last(begins: date | None, ends: date | None, many: int) -> None:
    assert len(Aloud((1,), begins, ends).days) == many


def test_a_reading_ends_with_a_whole_minute_of_the_same_day() -> None:
    slots = Aloud((1,), hours="6h45, 23h58").slots(61)
    assert slots == ((time(6, 45), time(6, 48)), (time(23, 58), time(23, 59)))


def test_it_is_kept_and_found_again() -> None:
    aloud = Aloud((2, 1), date(2026, 12, 1), None, "6h45")
    assert aloud_of(aloud.data()) == Aloud((1, 2), date(2026, 12, 1), None, "6h45")
    assert aloud_of(NOT_ALOUD.data()) == NOT_ALOUD
