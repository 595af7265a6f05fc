"""Entry pages: what somebody says at the counter or on the phone, written down by an official in half a minute."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from flask import Blueprint, abort, redirect, request, session
from werkzeug.wrappers import Response

from bot.access import OF_WHOLE_COMMUNE
from bot.usecases import counter, web_form
from bot.usecases.counter import Entered
from bot.usecases.web_form import FormProblem
from bot.web.language import N_, gettext
from bot.web.public import form_written
from bot.web.shell import current_commune, current_official, notice, render, require, runtime
from bot.web.transfers import pdf

pages = Blueprint("entries", __name__)

SLIP_SECONDS = 600
HOW = {"desk": N_("Đến trực tiếp"), "phone": N_("Gọi điện")}


@pages.get("/tickets/new")
@require(*OF_WHOLE_COMMUNE)
def new() -> Response:
    """A form for what somebody says at the counter or on the phone."""
    return _entry_form()


@pages.post("/tickets/new")
@require(*OF_WHOLE_COMMUNE)
def enter() -> Response:
    """Write it down for them, and show its ticket."""
    request.max_content_length = web_form.MOST_BYTES
    how = request.form.get("how", "")
    try:
        if how not in HOW:
            raise FormProblem("Chưa chọn người dân đến trực tiếp hay gọi điện. Vui lòng chọn một.")
        entered = counter.enter(runtime(), current_official(), current_commune(), form_written(), how)
    except FormProblem as problem:
        return _entry_form(problem)
    _remember(entered)
    if entered.ticket is None:
        notice(
            "Đã nhận. Ít giây nữa có trong danh sách; trang theo dõi: %(trang)s",
            trang=entered.address,
        )
        return redirect("/tickets", 303)
    code = entered.ticket.code
    if not entered.is_open_to_all:
        notice("Đã lập %(ma)s; nội dung được bảo mật, chỉ người có thẩm quyền xem.", ma=code)
        return redirect("/tickets", 303)
    notice("Đã lập phản ánh %(ma)s. Trang theo dõi cho người dân: %(trang)s", ma=code, trang=entered.address)
    return redirect(f"/tickets/{entered.ticket.id}", 303)


@pages.get("/tickets/new/slip.pdf")
@require(*OF_WHOLE_COMMUNE)
def slip() -> Response:
    """The slip of the latest entry, for a few minutes: nobody keeps the link that is on it."""
    kept = _remembered()
    if kept is None:
        abort(404)
    due = datetime.fromisoformat(kept["due"]) if kept["due"] else None
    data = counter.slip(runtime(), current_commune(), code=kept["code"], due_at=due, address=kept["address"])
    return pdf(data, f"phieu-tiep-nhan-{kept['code'] or 'moi'}.pdf".lower())


@pages.app_context_processor
def _slip_ready() -> dict[str, Any]:
    """Which report's slip may still be printed in this browser."""
    return {"printable": _remembered}


def _remember(entered: Entered) -> None:
    ticket = entered.ticket
    session["slip"] = {
        "code": ticket.code if ticket else "",
        "due": ticket.due_at.isoformat() if ticket and ticket.due_at else "",
        "address": entered.address,
        "until": int(runtime().now().timestamp()) + SLIP_SECONDS,
    }


def _remembered() -> dict[str, Any] | None:
    kept: dict[str, Any] | None = session.get("slip")
    return kept if kept is not None and kept["until"] > runtime().now().timestamp() else None


def _entry_form(problem: FormProblem | None = None) -> Response:
    once = request.form.get("once", "")
    return render(
        "tickets/new.html",
        status=422 if problem else 200,
        how=HOW,
        written=request.form,
        once=once if problem and once else secrets.token_urlsafe(12),
        error=gettext(problem.sentence, **problem.values) if problem else None,
        most_files=web_form.MOST_FILES,
    )
