"""The pages of the first set-up: a code, then step by step; each works without scripts and can be left and resumed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, redirect, request, session
from werkzeug.wrappers import Response

from bot.access import NotFound
from bot.rules.deadlines import WorkingHours
from bot.rules.office_hours import WEEK, HoursProblem, read_week, written_week
from bot.rules.place_list import BYTES_AT_MOST
from bot.usecases import first_setup, office_hours, places
from bot.usecases.administering import AdminProblem
from bot.usecases.communes import working_hours
from bot.usecases.first_setup import STEPS
from bot.usecases.officials import SHORTEST_PASSWORD, USERNAME, OfficialError
from bot.usecases.problems import Problem
from bot.web.language import N_, gettext
from bot.web.office_hours import WEEKDAYS
from bot.web.security import is_poll
from bot.web.shell import notice, render, row_number, runtime
from storage.setups import Setup

pages = Blueprint("setup", __name__)

TITLES = {
    "commune": N_("Địa phương"),
    "admin": N_("Người quản trị đầu tiên"),
    "hours": N_("Giờ làm việc"),
    "agencies": N_("Đơn vị"),
    "places": N_("Địa danh"),
    "channel": N_("Kênh"),
    "test": N_("Nhắn thử"),
}


@pages.get("/setup")
def begin() -> Response:
    """The field for the code, or the step that comes next; nothing once it is over."""
    begun = first_setup.current(runtime())
    if not _is_unlocked(begun):
        return render("setup/code.html", error="")
    return redirect(f"/setup/{first_setup.next_step(begun)}", 303)


@pages.post("/setup")
def unlock() -> Response:
    """Let in whoever knows the code."""
    try:
        session["setup"] = first_setup.unlock(runtime(), request.form.get("code", ""))
    except AdminProblem as error:
        return render("setup/code.html", status=422, error=gettext(error.sentence, **error.values))
    return redirect("/setup", 303)


@pages.get("/setup/<step>")
def show(step: str) -> Response:
    """One step as it stands."""
    begun = _begun(step)
    if isinstance(begun, Response):
        return begun
    if step == "test" and is_poll() and request.args.get("seen") == _mark(first_setup.tested(runtime(), begun)):
        return Response(status=204)  # nothing new: who reads or listens is left in peace
    return _page(begun, step)


@pages.post("/setup/<step>")
def do(step: str) -> Response:
    """Do a step, or put it off."""
    begun = _begun(step)
    if isinstance(begun, Response):
        return begun
    try:
        if request.form.get("later") == "1" and step in _LATER:
            first_setup.finish_step(runtime(), step)
        else:
            _DEEDS[step](begun)
    except Problem as error:
        return _page(begun, step, gettext(error.sentence, **error.values))
    if step == "test":
        session.pop("setup", None)
        notice("Đã thiết lập xong. Anh/Chị đăng nhập để bắt đầu làm việc.")
        return redirect("/sign-in", 303)
    return redirect("/setup", 303)


def _begun(step: str) -> Setup | Response:
    """The set-up, for who was let in; steps that need an earlier one lead there."""
    begun = first_setup.current(runtime())
    if step not in STEPS:
        raise NotFound
    if not _is_unlocked(begun):
        return redirect("/setup", 303)
    if begun.commune_id is None and step != "commune":
        return redirect("/setup/commune", 303)
    if begun.official_id is None and step not in {"commune", "admin"}:
        return redirect("/setup/admin", 303)
    return begun


def _is_unlocked(begun: Setup) -> bool:
    return bool(session.get("setup") == begun.id)


def _commune(_begun: Setup) -> None:
    form = request.form
    first_setup.choose_commune(
        runtime(), form.get("code", ""), form.get("name", ""), form.get("duty_phone", "")
    )  # fmt: skip


def _admin(_begun: Setup) -> None:
    form = request.form
    if form.get("password") != form.get("again"):
        raise AdminProblem("Hai lần nhập mật khẩu chưa giống nhau. Anh/Chị vui lòng nhập lại.")
    if not USERNAME.fullmatch(form.get("username", "").strip().lower()):
        raise AdminProblem("Tên đăng nhập cần 3–80 ký tự: chữ không dấu, số, dấu chấm, gạch ngang hoặc @.")
    try:
        first_setup.add_admin(
            runtime(), username=form.get("username", ""), name=form.get("name", ""),
            password=form.get("password", ""), leads="leads" in form, receives="receives" in form,
        )  # fmt: skip
    except OfficialError:
        raise AdminProblem(
            "Mật khẩu cần ít nhất %(n)s ký tự, khác nhau và không quá dễ đoán; tên đăng nhập chưa ai dùng.",
            n=SHORTEST_PASSWORD,
        ) from None


def _hours(begun: Setup) -> None:
    try:
        hours = read_week({weekday: request.form.getlist(f"w{weekday}") for weekday in WEEK})
    except HoursProblem as problem:
        where = f"{gettext(WEEKDAYS[problem.weekday])}: " if problem.weekday is not None else ""
        raise AdminProblem(where.replace("%", "%%") + gettext(problem.sentence)) from None
    by = first_setup.admin_of(runtime(), begun)
    wish = office_hours.Wish(hours=hours)
    office_hours.keep(runtime(), by, wish, office_hours.look(runtime(), by, wish).seal)
    first_setup.finish_step(runtime(), "hours")


def _agencies(begun: Setup) -> None:
    form = request.form
    names = {number: name for key, name in form.items()
             if key.startswith("name-") and (number := row_number(key.removeprefix("name-")))}  # fmt: skip
    used = {number for one in form.getlist("used") if (number := row_number(one))}
    first_setup.keep_agencies(runtime(), begun, names, used)


def _places(begun: Setup) -> None:
    file = request.files.get("file")
    if file is None or not file.filename:
        raise AdminProblem("Chưa chọn tệp. Vui lòng chọn tệp CSV, hoặc bấm Để sau.")
    by = first_setup.admin_of(runtime(), begun)
    seen = places.preview(runtime(), by, file.stream.read(BYTES_AT_MOST + 1))
    file.close()
    if seen.table.problems:
        first = seen.table.problems[0]
        where = gettext("Dòng %(n)s:", n=first.line) + " " if first.line else ""
        raise AdminProblem(f"{where}{gettext(first.sentence, **first.values)}".replace("%", "%%"))
    done = places.confirm(runtime(), by, places.packed(seen.table.entries), seen=seen.seen, retire_missing=False)
    first_setup.finish_step(runtime(), "places")
    notice("Đã lưu danh sách: thêm %(moi)s, sửa %(sua)s.", moi=len(done.new), sua=len(done.changed))


def _channel(begun: Setup) -> None:
    first_setup.open_page(runtime(), begun)
    if "practice" in request.form and runtime().settings.sandbox:
        from bot.web.demo import connect_practice  # which serves this application

        connect_practice(runtime(), first_setup.commune_of(runtime(), begun).slug)
    first_setup.finish_step(runtime(), "channel")


def _test(_begun: Setup) -> None:
    first_setup.finish_step(runtime(), "test")
    first_setup.finish(runtime())


_LATER = {"hours", "places"}
_DEEDS: dict[str, Callable[[Setup], None]] = {
    "commune": _commune, "admin": _admin, "hours": _hours, "agencies": _agencies, "places": _places,
    "channel": _channel, "test": _test,
}  # fmt: skip


def _page(begun: Setup, step: str, error: str = "") -> Response:
    values: dict[str, Any] = _SHOWN[step](begun)
    return render(
        f"setup/{step}.html",
        blocks=("test_state",) if step == "test" else (),
        status=422 if error else 200,
        step=step,
        steps=[(name, gettext(TITLES[name]), name in begun.done) for name in STEPS],
        title=gettext(TITLES[step]),
        error=error,
        written=request.form,
        own=first_setup.commune_of(runtime(), begun) if begun.commune_id is not None else None,
        **values,
    )


def _shown_commune(begun: Setup) -> dict[str, Any]:
    words = request.args.get("q", "").strip()[:80] or request.form.get("q", "")
    province = request.args.get("province", "")[:8] or request.form.get("province", "")
    return {
        "is_chosen": begun.commune_id is not None,
        "provinces": first_setup.provinces(runtime()),
        "words": words,
        "province": province,
        "found": first_setup.find_communes(runtime(), words, province),
        "is_asked": bool(words or province),
    }


def _shown_hours(begun: Setup) -> dict[str, Any]:
    week: dict[int, Any] = dict(written_week(WorkingHours()))
    own = first_setup.commune_of(runtime(), begun)
    if own.settings.get("shifts"):
        week = dict(written_week(working_hours(own.settings)))
    if "w0" in request.form:
        week = {weekday: [*request.form.getlist(f"w{weekday}"), "", "", "", ""][:4] for weekday in WEEK}
    return {"week": week, "weekdays": WEEKDAYS}


def _shown_channel(begun: Setup) -> dict[str, Any]:
    return {"has_sandbox": runtime().settings.sandbox, "channels": first_setup.channels(runtime(), begun)}


def _mark(state: first_setup.Tested) -> str:
    return f"{state.is_heard:d}{bool(state.code):d}{state.is_answered:d}"


def _shown_test(begun: Setup) -> dict[str, Any]:
    state = first_setup.tested(runtime(), begun)
    channels = first_setup.channels(runtime(), begun)
    return {
        "pages": [f"/phan-anh/{one.slug}" for one in channels if one.type == "web_form"],
        "has_phone": any(one.is_sandbox for one in channels) and runtime().settings.sandbox,
        "state": state,
        "mark": _mark(state),
    }


_SHOWN: dict[str, Callable[[Setup], dict[str, Any]]] = {
    "commune": _shown_commune,
    "admin": lambda begun: {"is_chosen": begun.official_id is not None, "least": SHORTEST_PASSWORD},
    "hours": _shown_hours,
    "agencies": lambda begun: {"agencies": first_setup.agencies(runtime(), begun)},
    "places": lambda _begun: {},
    "channel": _shown_channel,
    "test": _shown_test,
}
