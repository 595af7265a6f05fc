"""Named readers: who reads what is sealed, named and withdrawn by leaders and administrators after a yes."""

from __future__ import annotations

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from bot.rules.lifecycle import NotAllowed
from bot.usecases import sealed_readers
from bot.usecases.sealed_readers import MOST_READERS, NAMERS
from bot.web.language import gettext
from bot.web.security import client_address
from bot.web.shell import current_official, notice, render, require, row_number, runtime

pages = Blueprint("sealed_readers", __name__)

PATH = "/personal-data/sealed-readers"


@pages.get(PATH)
@require(*NAMERS)
def index() -> Response:
    """Who reads what is sealed, since when and by whose word."""
    return _page()


@pages.post(PATH)
@require(*NAMERS)
def name() -> Response:
    """Name somebody, after a yes."""
    number = row_number(request.form.get("official", ""))
    try:
        if number is None:
            raise NotAllowed("nobody", "Cần chọn một cán bộ.")
        _must_be_sure()
        sealed_readers.name(runtime(), current_official(), number, client_address())
    except NotAllowed as refusal:
        return _page(refusal, "naming")
    notice("Đã giao mật. Từ nay người này đọc được phản ánh niêm phong; mỗi lần mở đều được ghi lại.")
    return redirect(PATH, 303)


@pages.post(f"{PATH}/<int:number>/withdrawal")
@require(*NAMERS)
def withdraw(number: int) -> Response:
    """Take it back, after a yes."""
    try:
        _must_be_sure()
        sealed_readers.withdraw(runtime(), current_official(), number, client_address())
    except NotAllowed as refusal:
        return _page(refusal, str(number))
    notice("Đã thôi giao mật. Từ nay người này không thấy phản ánh niêm phong.")
    return redirect(PATH, 303)


def _must_be_sure() -> None:
    if request.form.get("sure") != "1":
        raise NotAllowed("not_sure_reader", "Cần đánh dấu xác nhận trước.")


def _page(refusal: NotAllowed | None = None, form: str = "") -> Response:
    return render(
        "looks/sealed_readers.html",
        status=422 if refusal else 200,
        found=sealed_readers.open_readers(runtime(), current_official()),
        most=MOST_READERS,
        here=PATH,
        chosen=request.form.get("official", ""),
        form=form,
        error=gettext(refusal.sentence, **refusal.values) if refusal else "",
    )
