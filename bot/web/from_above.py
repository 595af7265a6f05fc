"""Pages of bulletins from above: what the province and the centre handed down, and passing it on."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, request
from werkzeug.wrappers import Response

from bot.access import NotFound
from bot.usecases import from_above
from bot.usecases.announcing import READERS, AnnouncementError
from bot.usecases.from_above import PAGE
from bot.web.bulletin_forms import said
from bot.web.bulletin_words import IMPORTANCE, IMPORTANCE_BADGES
from bot.web.shell import current_official, notice, render, require, row_number, runtime
from storage.enums import Role

pages = Blueprint("from_above", __name__)

HERE = "/announcements/from-above"


@pages.get(HERE)
@require(*READERS)
def index() -> Response:
    """The bulletins from above as they hold now, the latest first."""
    before = row_number(request.args.get("before", ""))
    lines = from_above.listing(runtime(), current_official(), before=before)
    return render(
        "from_above/index.html",
        lines=lines[:PAGE],
        older=lines[PAGE - 1].notice.id if len(lines) > PAGE else None,
        is_first_page=before is None,
        is_offered=from_above.is_offered(runtime(), current_official()),
        importance_words=IMPORTANCE,
        importance_badges=IMPORTANCE_BADGES,
    )


@pages.get(f"{HERE}/<int:number>")
@require(*READERS)
def show(number: int) -> Response:
    """One of them with every revision."""
    return _page(number)


@pages.post(f"{HERE}/<int:number>/passing-on")
@require(Role.AUTHOR)
def pass_on(number: int) -> Response:
    """Begin a bulletin that says it word for word."""
    try:
        made = from_above.pass_on(runtime(), current_official(), number)
    except NotFound:
        abort(404)
    except AnnouncementError as error:
        return _page(number, error)
    notice("Đã tạo bản nháp đúng nguyên văn. Anh/Chị chọn gửi cho ai, khi nào, rồi trình duyệt.")
    return redirect(f"/announcements/bulletins/{made}/edit", 303)


def _page(number: int, error: AnnouncementError | None = None) -> Response:
    try:
        look = from_above.look_at(runtime(), current_official(), number)
    except NotFound:
        abort(404)
    return render(
        "from_above/show.html",
        status=422 if error else 200,
        look=look,
        may_write=current_official().has(Role.AUTHOR),
        importance_words=IMPORTANCE,
        importance_badges=IMPORTANCE_BADGES,
        error=said(error),
    )
