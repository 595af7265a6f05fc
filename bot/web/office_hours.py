"""The pages of hours and holidays: the week, the days of a year, a file of them, and what a change moves."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from bot.rules.office_hours import (
    BYTES_AT_MOST,
    LONGEST_NAME,
    WEEK,
    DayOff,
    HoursProblem,
    LineProblem,
    read_day,
    read_days,
    read_week,
    to_settings,
    written_week,
)
from bot.rules.spreadsheet import table
from bot.usecases import office_hours
from bot.usecases.administering import KEEPERS, AdminProblem
from bot.usecases.communes import working_hours
from bot.usecases.office_hours import SHOWN, Look, Wish
from bot.web.language import N_, gettext
from bot.web.shell import current_official, notice, render, require, runtime

pages = Blueprint("office_hours", __name__)

PATH = "/administration/hours"
WEEKDAYS = (
    N_("Thứ Hai"), N_("Thứ Ba"), N_("Thứ Tư"), N_("Thứ Năm"), N_("Thứ Sáu"), N_("Thứ Bảy"), N_("Chủ nhật"),
)  # fmt: skip


@pages.get(PATH)
@require(*KEEPERS)
def index() -> Response:
    """The week and the days of a year."""
    return _page()


@pages.post(f"{PATH}/week")
@require(*KEEPERS)
def week() -> Response:
    """What other hours would move."""
    try:
        hours = read_week({weekday: request.form.getlist(f"w{weekday}") for weekday in WEEK})
    except HoursProblem as problem:
        where = f"{gettext(WEEKDAYS[problem.weekday])}: " if problem.weekday is not None else ""
        return _page(week_error=where + gettext(problem.sentence))
    return _looked(lambda: Wish(hours=hours))


@pages.post(f"{PATH}/days")
@require(*KEEPERS)
def days() -> Response:
    """What a further day off, or one that is worked, would move."""
    return _looked(lambda: Wish(days=(_written_day(),)))


@pages.post(f"{PATH}/days/removal")
@require(*KEEPERS)
def removal() -> Response:
    """What taking one of the commune's own days out would move."""
    day = read_day(request.form.get("day", ""))
    return _looked(lambda: Wish(removed=(day,)) if day else Wish())


@pages.post(f"{PATH}/file")
@require(*KEEPERS)
def file() -> Response:
    """What the days of a file would move, or what is wrong with its lines."""
    given = request.files.get("file")
    if given is None or not given.filename:
        return _page(file_problems=[LineProblem(0, "Chưa chọn tệp. Vui lòng chọn tệp CSV.")])
    found, problems = read_days(given.stream.read(BYTES_AT_MOST + 1))
    given.close()
    if problems:
        return _page(file_problems=problems)
    years = tuple(sorted({one.day.year for one in found}))
    return _looked(lambda: Wish(days=tuple(found), years=years))


@pages.post(PATH)
@require(*KEEPERS)
def keep() -> Response:
    """Change the calendar as it was shown."""
    try:
        wish = _unpacked(request.form.get("wish", ""))
        moved = office_hours.keep(runtime(), current_official(), wish, request.form.get("seal", ""))
    except AdminProblem as error:
        return _page(error=gettext(error.sentence, **error.values))
    notice("Đã lưu. Số phản ánh đổi hạn: %(n)s.", n=moved)
    return redirect(PATH, 303)


@pages.get(f"{PATH}/template.csv")
@require(*KEEPERS)
def template() -> Response:
    """A file to start from: the days of the year that is shown."""
    found = office_hours.overview(runtime(), current_official(), request.args.get("year", type=int))
    rows = [(f"{one.day:%d/%m/%Y}", one.name, "x" if one.is_worked else "") for one in found.lines]
    return Response(
        table([("ngày", "tên", "làm bù"), *rows]),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="ngay-nghi-{found.year}.csv"'},
    )


def _written_day() -> DayOff:
    day = read_day(request.form.get("day", ""))
    name = " ".join(request.form.get("name", "").split())
    if day is None:
        raise AdminProblem("Ngày chưa đúng. Anh/Chị vui lòng chọn ngày.")
    if not 0 < len(name) <= LONGEST_NAME:
        raise AdminProblem("Cần ghi tên ngày, ví dụ Giỗ Tổ Hùng Vương, tối đa %(n)s ký tự.", n=LONGEST_NAME)
    return DayOff(day, name, request.form.get("kind") == "worked")


def _looked(wish: Callable[[], Wish]) -> Response:
    try:
        found = office_hours.look(runtime(), current_official(), wish())
    except AdminProblem as error:
        return _page(error=gettext(error.sentence, **error.values))
    return render(
        "administration/hours_preview.html", found=found, packed=_packed(found), shown=SHOWN, here=PATH,
        week=written_week(found.wish.hours) if found.wish.hours else None, weekdays=WEEKDAYS,
    )  # fmt: skip


def _packed(found: Look) -> str:
    wish = found.wish
    return json.dumps(
        {
            "hours": to_settings(wish.hours) if wish.hours else None,
            "days": [[one.day.isoformat(), one.name, one.is_worked] for one in wish.days],
            "removed": [one.isoformat() for one in wish.removed],
            "years": list(wish.years),
        },
        ensure_ascii=False,
    )


def _unpacked(words: str) -> Wish:
    """The wish of a preview; it was sealed, so anything else was not made there. AdminProblem."""
    try:
        said: dict[str, Any] = json.loads(words)
        return Wish(
            hours=working_hours(said["hours"]) if said["hours"] else None,
            days=tuple(DayOff(date.fromisoformat(d), str(n)[:LONGEST_NAME], bool(w)) for d, n, w in said["days"]),
            removed=tuple(date.fromisoformat(one) for one in said["removed"]),
            years=tuple(int(one) for one in said["years"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise AdminProblem("Bản xem trước không còn nguyên nên chưa lưu gì. Anh/Chị xem trước lại rồi lưu.") from None


def _page(*, error: str = "", week_error: str = "", file_problems: list[LineProblem] | None = None) -> Response:
    found = office_hours.overview(runtime(), current_official(), request.args.get("year", type=int))
    written = written_week(found.hours)
    if week_error:
        written = {weekday: (*request.form.getlist(f"w{weekday}"), "", "", "", "")[:4] for weekday in WEEK}  # type: ignore[misc]
    return render(
        "administration/hours.html",
        status=422 if error or week_error or file_problems else 200,
        found=found,
        week=written,
        weekdays=WEEKDAYS,
        day={name: request.form.get(name, "") for name in ("day", "name", "kind")},
        here=PATH,
        error=error,
        week_error=week_error,
        problems=[(one.line, gettext(one.sentence, **dict(one.values))) for one in file_problems or ()],
        this_year=runtime().now().year,
    )
