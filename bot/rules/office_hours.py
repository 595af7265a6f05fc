"""Office hours and days off as people write them: a week of two shifts a day, and a table of days."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Any

from bot.rules.deadlines import Shifts, WorkingHours

WEEK = range(7)
ROWS_AT_MOST, BYTES_AT_MOST, LONGEST_NAME = 400, 200_000, 120
_HEADS = {
    "day": ("day", "ngay", "ngày", "date"),
    "name": ("name", "ten", "tên", "ten ngay", "tên ngày", "dip", "dịp"),
    "is_worked": ("is_worked", "lam bu", "làm bù", "di lam", "đi làm"),
}
_YES = {"1", "x", "co", "có", "yes", "true"}
_NO = {"", "0", "khong", "không", "no", "false"}


class HoursProblem(Exception):
    """A week that nobody could work; `sentence` says why, `weekday` where."""

    def __init__(self, sentence: str, weekday: int | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.weekday = weekday


@dataclass(frozen=True)
class DayOff:
    """A day off, or a weekend day that is worked instead."""

    day: date
    name: str
    is_worked: bool = False


@dataclass(frozen=True)
class LineProblem:
    """What is wrong with a line of a file; 0: with the file."""

    line: int
    sentence: str
    values: tuple[tuple[str, object], ...] = ()


def read_week(written: Mapping[int, Sequence[str]]) -> WorkingHours:
    """A week from its fields (morning from, to, afternoon from, to; empty: not worked). HoursProblem."""
    days = {weekday: _shifts(written.get(weekday, ()), weekday) for weekday in WEEK}
    worked = {weekday: shifts for weekday, shifts in days.items() if shifts}
    if not worked:
        raise HoursProblem("Cần ít nhất một ngày làm việc trong tuần.")
    usual = Counter(worked.values()).most_common(1)[0][0]
    special = tuple((weekday, shifts) for weekday, shifts in worked.items() if shifts != usual)
    return WorkingHours(usual, frozenset(worked), special)


def written_week(hours: WorkingHours) -> dict[int, tuple[str, str, str, str]]:
    """The fields of a week as they stand in the form."""
    found: dict[int, tuple[str, str, str, str]] = {}
    for weekday in WEEK:
        cells = ["", "", "", ""]
        shifts = hours.shifts_on(weekday) if weekday in hours.weekdays else ()
        for number, (begins, ends) in enumerate(_placed(shifts)):
            if begins is not None and ends is not None:
                cells[number * 2 : number * 2 + 2] = [f"{begins:%H:%M}", f"{ends:%H:%M}"]
        found[weekday] = (cells[0], cells[1], cells[2], cells[3])
    return found


def to_settings(hours: WorkingHours) -> dict[str, Any]:
    """The week as a commune's settings keep it."""
    return {
        "shifts": _plain(hours.shifts),
        "weekdays": sorted(hours.weekdays),
        "special_shifts": {str(weekday): _plain(shifts) for weekday, shifts in hours.special},
    }


def read_days(data: bytes) -> tuple[list[DayOff], list[LineProblem]]:
    """The days of a CSV file (ngày, tên, làm bù; commas, semicolons or tabs) and what is wrong with its lines."""
    rows = _rows(data)
    if isinstance(rows, LineProblem):
        return [], [rows]
    columns = _columns(rows[0]) if rows else None
    if columns is None:
        return [], [LineProblem(1, "Dòng đầu phải là tên cột: ngày, tên, làm bù.")]
    days: dict[date, DayOff] = {}
    problems: list[LineProblem] = []
    for number, cells in enumerate(rows[1:], 2):
        if not any(cell.strip() for cell in cells):
            continue
        found = _day(number, cells, columns)
        if isinstance(found, LineProblem):
            problems.append(found)
        elif found.day in days:
            problems.append(LineProblem(number, "Ngày %(ngay)s có hai dòng.", (("ngay", f"{found.day:%d/%m/%Y}"),)))
        else:
            days[found.day] = found
    if not days and not problems:
        problems.append(LineProblem(0, "Tệp không có ngày nào."))
    return sorted(days.values(), key=lambda one: one.day), problems


def read_day(words: str) -> date | None:
    """A date as a field or a person writes it: 2027-02-05 or 05/02/2027; None when it is none."""
    words = words.strip()
    try:
        return date.fromisoformat(words)
    except ValueError:
        pass
    parts = words.replace("-", "/").replace(".", "/").split("/")
    try:
        day, month, year = (int(part) for part in parts)
        return date(year, month, day)
    except ValueError:
        return None


def _shifts(cells: Sequence[str], weekday: int) -> Shifts:
    padded = [*(cell.strip() for cell in cells), "", "", "", ""][:4]
    found: list[tuple[time, time]] = []
    for begins, ends in ((padded[0], padded[1]), (padded[2], padded[3])):
        if not begins and not ends:
            continue
        try:
            shift = (_hour(begins), _hour(ends))
        except ValueError:
            raise HoursProblem("Mỗi ca cần cả giờ bắt đầu và giờ kết thúc, ví dụ 07:30 và 11:30.", weekday) from None
        if shift[0] >= shift[1]:
            raise HoursProblem("Giờ kết thúc phải sau giờ bắt đầu.", weekday)
        if found and shift[0] < found[-1][1]:
            raise HoursProblem("Ca chiều phải bắt đầu sau khi ca sáng kết thúc.", weekday)
        found.append(shift)
    return tuple(found)


def _hour(words: str) -> time:
    """07:30, 7:30, 7h30, 7g30, 7h: as people write it. ValueError."""
    hour, _, minute = words.lower().replace("h", ":").replace("g", ":").replace(".", ":").partition(":")
    return time(int(hour), int(minute or 0))


def _placed(shifts: Shifts) -> list[tuple[time | None, time | None]]:
    """One shift that begins at noon or later stands in the afternoon's fields."""
    if len(shifts) == 1 and shifts[0][0] >= time(12):
        return [(None, None), shifts[0]]
    return [*shifts[:2]]


def _plain(shifts: Shifts) -> list[list[str]]:
    return [[f"{begins:%H:%M}", f"{ends:%H:%M}"] for begins, ends in shifts]


def _rows(data: bytes) -> list[list[str]] | LineProblem:
    if len(data) > BYTES_AT_MOST:
        return LineProblem(0, "Tệp lớn hơn 200 KB. Một lịch nghỉ không dài như vậy; Anh/Chị xem lại tệp.")
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        return LineProblem(0, "Không đọc được chữ trong tệp. Vui lòng lưu lại ở dạng CSV UTF-8 rồi tải lên.")
    heading = text.lstrip().splitlines()[0] if text.strip() else ""
    try:
        rows = list(csv.reader(io.StringIO(text.lstrip("\n")), delimiter=max(",;\t", key=heading.count)))
    except csv.Error:
        return LineProblem(0, "Không đọc được bảng trong tệp. Vui lòng lưu lại ở dạng CSV UTF-8 rồi tải lên.")
    if len(rows) > ROWS_AT_MOST + 1:
        return LineProblem(0, "Tệp có hơn %(n)s dòng.", (("n", ROWS_AT_MOST),))
    return rows


def _columns(heading: Sequence[str]) -> dict[str, int] | None:
    said = [cell.strip().lower() for cell in heading]
    found = {name: next((said.index(w) for w in words if w in said), -1) for name, words in _HEADS.items()}
    return found if found["day"] >= 0 and found["name"] >= 0 else None


def _day(number: int, cells: Sequence[str], columns: Mapping[str, int]) -> DayOff | LineProblem:
    def cell(name: str) -> str:
        at = columns[name]
        return " ".join(cells[at].split()) if 0 <= at < len(cells) else ""

    day = read_day(cell("day"))
    if day is None:
        return LineProblem(number, "“%(chu)s” không phải ngày. Viết 05/02/2027 hoặc 2027-02-05.",
                           (("chu", cell("day")[:40]),))  # fmt: skip
    if not 0 < len(cell("name")) <= LONGEST_NAME:
        return LineProblem(number, "Thiếu tên ngày nghỉ, hoặc tên dài hơn %(n)s ký tự.", (("n", LONGEST_NAME),))
    worked = cell("is_worked").lower()
    if worked not in _YES | _NO:
        return LineProblem(number, "Cột làm bù ghi x nếu đi làm, để trống nếu nghỉ; không ghi “%(chu)s”.",
                           (("chu", worked[:40]),))  # fmt: skip
    return DayOff(day, cell("name"), worked in _YES)
