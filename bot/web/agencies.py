"""Pages of units: names, heads, telephones, and how one ends."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from bot.usecases import agency_list
from bot.usecases.administering import KEEPERS, AdminProblem
from bot.usecases.agency_list import NEEDED, About, Closing
from bot.web.language import gettext
from bot.web.shell import current_official, notice, render, require, row_number, runtime
from bot.web.words import day, today
from storage.agencies import Agency

pages = Blueprint("agencies", __name__)

PATH = "/administration/agencies"


@pages.get(PATH)
@require(*KEEPERS)
def index() -> Response:
    """The commune's units and bodies outside."""
    units = agency_list.overview(runtime(), current_official())
    return render("administration/agencies.html", units=units, here=PATH)


@pages.get(f"{PATH}/new")
@require(*KEEPERS)
def new() -> Response:
    """An empty form."""
    return _form(None)


@pages.post(PATH)
@require(*KEEPERS)
def create() -> Response:
    """Add a unit."""
    try:
        agency_list.add(runtime(), current_official(), _written())
    except AdminProblem as error:
        return _form(None, error)
    notice("Đã thêm đơn vị.")
    return redirect(PATH, 303)


@pages.get(f"{PATH}/<int:number>")
@require(*KEEPERS)
def show(number: int) -> Response:
    """The form with a unit as it stands."""
    return _form(agency_list.find(runtime(), current_official(), number))


@pages.post(f"{PATH}/<int:number>")
@require(*KEEPERS)
def update(number: int) -> Response:
    """Keep what was changed."""
    agency = agency_list.find(runtime(), current_official(), number)
    try:
        agency_list.change(runtime(), current_official(), number, _written())
    except AdminProblem as error:
        return _form(agency, error)
    notice("Đã lưu đơn vị. Phản ánh của đơn vị giữ nguyên.")
    return redirect(PATH, 303)


@pages.get(f"{PATH}/<int:number>/closing")
@require(*KEEPERS)
def closing(number: int) -> Response:
    """When a unit ends and who goes on with its work."""
    return _closing(number)


@pages.post(f"{PATH}/<int:number>/closing/preview")
@require(*KEEPERS)
def look(number: int) -> Response:
    """What would follow."""
    try:
        return _closing(number, agency_list.preview(runtime(), current_official(), number, *_wish()))
    except AdminProblem as error:
        return _closing(number, error=error)


@pages.post(f"{PATH}/<int:number>/closing")
@require(*KEEPERS)
def close(number: int) -> Response:
    """Let it end, as it was shown."""
    seen = row_number(request.form.get("seen", "")) or 0
    try:
        heir, on = _wish()
        is_over = agency_list.close(runtime(), current_official(), number, heir, on, seen=seen)
    except AdminProblem as error:
        return _closing(number, error=error)
    if is_over:
        notice("Đơn vị đã kết thúc. Việc đang mở, người và phân công đã chuyển sang đơn vị nhận.")
    else:
        notice("Đã ghi ngày kết thúc %(ngay)s. Đến ngày đó hệ thống tự chuyển việc.", ngay=day(on))
    return redirect(PATH, 303)


@pages.post(f"{PATH}/<int:number>/keeping")
@require(*KEEPERS)
def keep(number: int) -> Response:
    """Call an end off."""
    try:
        agency_list.keep_open(runtime(), current_official(), number)
    except AdminProblem as error:
        notice(error.sentence, "problem", **error.values)
    else:
        notice("Đã bỏ ngày kết thúc; đơn vị hoạt động tiếp.")
    return redirect(PATH, 303)


def _wish() -> tuple[int, date]:
    try:
        on = date.fromisoformat(request.form.get("on", ""))
    except ValueError:
        raise AdminProblem("Ngày kết thúc chưa đúng. Anh/Chị vui lòng chọn ngày.") from None
    heir = row_number(request.form.get("heir", ""))
    if not heir:
        raise AdminProblem("Cần chọn một đơn vị khác đang hoạt động để nhận việc.")
    return heir, on


def _closing(number: int, found: Closing | None = None, error: AdminProblem | None = None) -> Response:
    agency = agency_list.find(runtime(), current_official(), number)
    return render(
        "administration/agency_closing.html",
        status=422 if error else 200,
        agency=agency,
        found=found,
        heirs=agency_list.heirs(runtime(), current_official(), number),
        chosen=request.form.get("heir", ""),
        on=request.form.get("on") or today(runtime().now()),
        is_needed=agency.slug in NEEDED,
        here=PATH,
        error=gettext(error.sentence, **error.values) if error else "",
    )


def _form(agency: Agency | None, error: AdminProblem | None = None) -> Response:
    names = ("name", "head", "phone", "code")
    if error is not None:
        written = {name: request.form.get(name, "") for name in names}
    elif agency is not None:
        found = (agency.name, agency.contact_name, agency.phone, agency.official_code)
        written = dict(zip(names, (one or "" for one in found), strict=True))
    else:
        written = dict.fromkeys(names, "")
    return render(
        "administration/agency.html", status=422 if error else 200, agency=agency, written=written, here=PATH,
        is_outside=request.form.get("is_external") == "1" or request.args.get("kind") == "outside",
        is_needed=agency is not None and agency.slug in NEEDED,
        error=gettext(error.sentence, **error.values) if error else "",
    )  # fmt: skip


def _written() -> About:
    said = {name: request.form.get(name, "") for name in ("name", "head", "phone", "code")}
    return About(**said, is_external=request.form.get("is_external") == "1")
