"""Pages of officials: who works here, what each may do, links to choose a password, and leaving."""

from __future__ import annotations

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from bot.usecases import official_list
from bot.usecases.administering import KEEPERS, AdminProblem
from bot.usecases.official_list import GIVEN_HERE, About
from bot.web.language import N_, gettext
from bot.web.security import client_address
from bot.web.shell import current_official, notice, render, require, row_number, runtime
from storage.enums import Role
from storage.officials import Official

pages = Blueprint("officials", __name__)

PATH = "/administration/officials"
ROLES = {
    Role.RECEIVER: N_("Tiếp nhận"),
    Role.HANDLER: N_("Xử lý"),
    Role.LEADER: N_("Lãnh đạo"),
    Role.SEALED_READER: N_("Được giao mật"),
    Role.AUTHOR: N_("Soạn thông báo"),
    Role.APPROVER: N_("Duyệt thông báo"),
    Role.ADMIN: N_("Quản trị"),
}
MAY = {
    Role.RECEIVER: N_("Thấy mọi phản ánh thường của địa phương; phân loại, giao việc và trả lời người dân."),
    Role.HANDLER: N_("Chỉ thấy phản ánh của đơn vị mình; xử lý và trả lời, không thấy tên người gửi."),
    Role.LEADER: N_("Như người tiếp nhận, thêm duyệt kết quả, gia hạn và xem sổ theo dõi."),
    Role.SEALED_READER: N_("Đọc phản ánh niêm phong. Giao ở trang Người được giao mật."),
    Role.AUTHOR: N_("Soạn thông báo gửi nhiều người; không tự duyệt tin mình soạn."),
    Role.APPROVER: N_("Đọc và duyệt thông báo người khác soạn trước khi gửi."),
    Role.ADMIN: N_("Cán bộ, đơn vị, giờ làm việc, kênh và cài đặt; không vì thế mà đọc phản ánh."),
}
WARNINGS = {
    "no_tiep_nhan": N_("Chưa ai có vai trò Tiếp nhận: phản ánh mới không có người phân loại."),
    "no_lanh_dao": N_("Chưa ai có vai trò Lãnh đạo: không ai duyệt kết quả hay gia hạn."),
    "no_second_person": N_("Có người soạn thông báo nhưng không có người thứ hai để duyệt, nên chưa gửi được."),
    "one_admin": N_("Chỉ có một người quản trị. Nên có người thứ hai, phòng khi mất mật khẩu."),
}


@pages.get(PATH)
@require(*KEEPERS)
def index() -> Response:
    """Who works here, and who did."""
    people = official_list.overview(runtime(), current_official())
    return render("administration/officials.html", people=people, here=PATH, roles=ROLES, warnings=WARNINGS,
                  now=runtime().now())  # fmt: skip


@pages.get(f"{PATH}/new")
@require(*KEEPERS)
def new() -> Response:
    """An empty form."""
    return _form(None)


@pages.post(PATH)
@require(*KEEPERS)
def create() -> Response:
    """Add a person; the link to choose a password is shown once."""
    username = request.form.get("username", "")
    try:
        number, secret = official_list.add(runtime(), current_official(), username, _written(), client_address())
    except AdminProblem as error:
        return _form(None, error)
    return _link(number, secret)


@pages.get(f"{PATH}/<int:number>")
@require(*KEEPERS)
def show(number: int) -> Response:
    """The form with an official as they are."""
    return _form(official_list.find(runtime(), current_official(), number))


@pages.post(f"{PATH}/<int:number>")
@require(*KEEPERS)
def update(number: int) -> Response:
    """Keep what was changed."""
    official = official_list.find(runtime(), current_official(), number)
    try:
        returned = official_list.change(runtime(), current_official(), number, _written(), client_address())
    except AdminProblem as error:
        return _form(official, error)
    if returned:
        notice("Đã lưu. %(n)s phản ánh của đơn vị cũ đã trả về đơn vị đó.", n=returned)
    else:
        notice("Đã lưu thông tin cán bộ.")
    return redirect(PATH, 303)


@pages.post(f"{PATH}/<int:number>/link")
@require(*KEEPERS)
def reset(number: int) -> Response:
    """A new link for somebody who lost the password."""
    official = official_list.find(runtime(), current_official(), number)
    try:
        secret = official_list.reset(runtime(), current_official(), number, client_address())
    except AdminProblem as error:
        return _form(official, error)
    return _link(number, secret)


@pages.get(f"{PATH}/<int:number>/leaving")
@require(*KEEPERS)
def leaving(number: int) -> Response:
    """What must be handed over before somebody leaves."""
    return _leaving(number)


@pages.post(f"{PATH}/<int:number>/leaving")
@require(*KEEPERS)
def leave(number: int) -> Response:
    """Somebody works here no longer."""
    try:
        count = official_list.switch_off(
            runtime(), current_official(), number,
            heir_id=row_number(request.form.get("heir", "")),
            seen=row_number(request.form.get("seen", "")) or 0,
            address=client_address(),
        )  # fmt: skip
    except AdminProblem as error:
        return _leaving(number, error)
    notice("Đã ngừng tài khoản. Số phản ánh đã bàn giao: %(n)s.", n=count)
    return redirect(PATH, 303)


@pages.post(f"{PATH}/<int:number>/return")
@require(*KEEPERS)
def come_back(number: int) -> Response:
    """Somebody works here again."""
    try:
        secret = official_list.switch_on(runtime(), current_official(), number, client_address())
    except AdminProblem as error:
        notice(error.sentence, "problem", **error.values)
        return redirect(PATH, 303)
    return _link(number, secret)


def _link(number: int, secret: str) -> Response:
    person = official_list.find(runtime(), current_official(), number)
    address = f"{runtime().settings.base_url}/welcome/{secret}"
    return render("administration/official_link.html", person=person, address=address, here=PATH)


def _leaving(number: int, error: AdminProblem | None = None) -> Response:
    found = official_list.leaving(runtime(), current_official(), number)
    return render(
        "administration/official_leaving.html", status=422 if error else 200, found=found, here=PATH,
        chosen=request.form.get("heir", ""), error=gettext(error.sentence, **error.values) if error else "",
    )  # fmt: skip


def _form(person: Official | None, error: AdminProblem | None = None) -> Response:
    if request.method == "POST" and error is not None and "name" in request.form:
        written: dict[str, object] = {
            **{name: request.form.get(name, "") for name in ("username", "name", "phone", "agency")},
            "roles": request.form.getlist("roles"),
        }
    elif person is not None:
        written = {"username": person.username, "name": person.name, "phone": person.phone or "",
                   "agency": person.agency_id or "", "roles": person.roles}  # fmt: skip
    else:
        written = {"username": "", "name": "", "phone": "", "agency": "", "roles": []}
    return render(
        "administration/official.html",
        status=422 if error else 200,
        person=person,
        written=written,
        agencies=official_list.choices(runtime(), current_official()),
        roles=[(role.value, gettext(ROLES[role]), gettext(MAY[role])) for role in GIVEN_HERE],
        here=PATH,
        is_self=person is not None and person.id == current_official().id,
        is_reader=person is not None and person.has(Role.SEALED_READER),
        error=gettext(error.sentence, **error.values) if error else "",
    )


def _written() -> About:
    known = {role.value: role for role in Role}
    given = request.form.getlist("roles")
    return About(
        name=request.form.get("name", ""),
        phone=request.form.get("phone", ""),
        agency_id=row_number(request.form.get("agency", "")),
        roles=tuple(known[one] for one in given if one in known),
    )
