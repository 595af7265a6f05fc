"""Personal data shown: the click that unmasks a ticket, after a reason, and the page of who looked at what."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, abort, request, session
from werkzeug.wrappers import Response

from bot.usecases import looks
from bot.web.deeds import back, deed
from bot.web.language import N_
from bot.web.security import client_address
from bot.web.shell import current_official, render, require, row_number, runtime
from bot.web.words import REVEAL_REASONS

pages = Blueprint("looks", __name__)

REVEALED_SECONDS = 300

ACTIONS = {
    looks.REVEALED: N_("Xem số đã che"),
    looks.EXPORTED: N_("Xuất hồ sơ người dân"),
    looks.SEARCHED: N_("Tìm theo số điện thoại"),
    looks.ERASED: N_("Xóa dữ liệu theo yêu cầu"),
    looks.OF_SEALED[0]: N_("Mở phản ánh niêm phong"),
    looks.OF_SEALED[1]: N_("Mở tệp niêm phong"),
}


@pages.post("/tickets/<int:number>/revealing")
@deed("revealing")
def reveal(number: int) -> Response:
    """Show masked data for a few minutes, to whoever says what for; it is written down."""
    looks.reveal(
        runtime(),
        current_official(),
        number,
        why=request.form.get("why", ""),
        words=request.form.get("words", ""),
        address=client_address(),
    )
    now = runtime().now().timestamp()
    former = {key: until for key, until in session.get("revealed", {}).items() if until > now}
    session["revealed"] = {**former, str(number): int(now) + REVEALED_SECONDS}
    return back(number)


@pages.get("/personal-data/looks")
@require(*looks.READERS)
def index() -> Response:
    """Who had personal data shown, when and for what."""
    who = row_number(request.args.get("who", ""))
    wanted = request.args.get("on", "")
    try:
        on = date.fromisoformat(wanted) if wanted else None
    except ValueError:
        abort(400)
    before = row_number(request.args.get("before", ""))
    found = looks.looks(runtime(), current_official(), who=who, on=on, before=before)
    return render("looks/index.html", found=found, who=who, on=on, actions=ACTIONS, reasons=REVEAL_REASONS)
