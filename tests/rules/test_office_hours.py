"""Office hours and days off as people write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from bot.rules.deadlines import VIETNAM, WorkingHours, add_minutes, is_working_time
from bot.rules.office_hours import (
    DayOff,
    HoursProblem,
    read_day,
    read_days,
    read_week,
    to_settings,
    written_week,
)
from bot.usecases.communes import hours_in_words, working_hours

FULL = ["07:30", "11:30", "13:30", "17:00"]
MORNING = ["07:30", "11:30", "", ""]
WEEK = dict.fromkeys(range(5), FULL) | {5: MORNING, 6: []}


def test_a_saturday_morning_is_worked_beside_full_days() -> None:
    hours = read_week(WEEK)
    assert hours.weekdays == {0, 1, 2, 3, 4, 5}
    assert hours.special == ((5, ((time(7, 30), time(11, 30)),)),)
    saturday = datetime(2026, 10, 10, tzinfo=VIETNAM)
    assert is_working_time(saturday.replace(hour=9), hours, {})
    assert not is_working_time(saturday.replace(hour=14), hours, {})
    # Friday 16:00: an hour that day, the rest on Saturday morning.
    friday = datetime(2026, 10, 9, 16, 0, tzinfo=VIETNAM)
    assert add_minutes(friday, 120, hours, {}) == datetime(2026, 10, 10, 8, 30, tzinfo=VIETNAM).astimezone(UTC)


def test_what_was_written_comes_back_from_the_settings() -> None:
    hours = read_week({**WEEK, 4: ["", "", "13:00", "17:00"]})
    kept = working_hours(to_settings(hours))
    assert kept == hours
    written = written_week(kept)
    assert written[5] == ("07:30", "11:30", "", "")
    assert written[4] == ("", "", "13:00", "17:00")
    assert written[6] == ("", "", "", "")
    assert hours_in_words(read_week(WEEK)) == "07:30–11:30, 13:30–17:00; thứ Bảy 07:30–11:30"
    assert hours_in_words(WorkingHours()) == "07:30–11:30, 13:30–17:00"


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (["07:30", "", "", ""], "cả giờ bắt đầu"),
        (["11:30", "07:30", "", ""], "sau giờ bắt đầu"),
        (["07:30", "12:00", "11:00", "17:00"], "Ca chiều"),
        (["bảy giờ", "11:30", "", ""], "cả giờ bắt đầu"),
    ],
)
def test_a_shift_that_nobody_could_work_is_refused_with_its_day(cells: list[str], told: str) -> None:
    with pytest.raises(HoursProblem) as refused:
        read_week({**WEEK, 2: cells})
    assert told in refused.value.sentence
    assert refused.value.weekday == 2


def test_a_week_without_work_is_refused() -> None:
    with pytest.raises(HoursProblem):
        read_week({})


@pytest.mark.parametrize("words", ["2027-02-05", "05/02/2027", "5.2.2027", " 05-02-2027 "])
def test_a_day_is_read_as_people_write_it(words: str) -> None:
    assert read_day(words) == date(2027, 2, 5)


@pytest.mark.parametrize("words", ["", "31/02/2027", "mai", "2/2027"])
def test_what_is_no_day_is_none(words: str) -> None:
    assert read_day(words) is None


def test_a_file_is_read_whatever_its_commas() -> None:
    for text in (
        "ngày;tên;làm bù\n05/02/2027;Tết;\n13/02/2027;Làm bù;x\n",
        "day,name,is_worked\n2027-02-05,Tết,0\n2027-02-13,Làm bù,1",
    ):
        days, problems = read_days(text.encode("utf-8-sig"))
        assert problems == []
        assert days == [DayOff(date(2027, 2, 5), "Tết"), DayOff(date(2027, 2, 13), "Làm bù", is_worked=True)]


def test_every_wrong_line_is_named() -> None:
    text = "ngày,tên,làm bù\n32/01/2027,Tết,\n05/02/2027,,\n06/02/2027,Tết,có thể\n07/02/2027,Tết,\n07/02/2027,Tết,\n"
    days, problems = read_days(text.encode())
    assert [one.line for one in problems] == [2, 3, 4, 6]
    assert [one.day for one in days] == [date(2027, 2, 7)]


@pytest.mark.parametrize("data", [b"", b"\xff\x00\xfe", b"a,b\n1,2\n", b"x" * 200_001, "ngày,tên\n".encode()])
def test_a_file_that_is_no_list_of_days_is_refused(data: bytes) -> None:
    days, problems = read_days(data)
    assert days == []
    assert len(problems) == 1


def test_hours_are_read_as_people_write_them() -> None:
    hours = read_week({0: ["7h30", "11.30", "13g30", "17h"]})
    assert hours.shifts == ((time(7, 30), time(11, 30)), (time(13, 30), time(17, 0)))
