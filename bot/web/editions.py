"""Pages of "Hỏi – đáp cùng bà con": what a week proposes, made good by an author, and the bulletin made of it."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, request
from werkzeug.wrappers import Response

from bot.rules.editions import LEAST, MOST
from bot.rules.publishing import LONGEST_RESULT, LONGEST_SUMMARY
from bot.usecases import edition_reading, editions
from bot.usecases.announcing import READERS, AnnouncementError, NoSuchAnnouncement
from bot.usecases.edition_reading import PROPOSED, Look
from bot.usecases.editions import Worded
from bot.web.bulletin_forms import said
from bot.web.bulletin_words import STANDING_BADGES, STANDINGS
from bot.web.language import N_
from bot.web.shell import current_official, notice, render, require, runtime
from bot.web.weekly_answers import day_in
from storage.enums import Role

pages = Blueprint("editions", __name__)

HERE = "/announcements/editions"
WORDS = {**STANDINGS, PROPOSED: N_("Đề xuất")}
BADGES = {**STANDING_BADGES, PROPOSED: "badge-none"}


@pages.get(HERE)
@require(*READERS)
def index() -> Response:
    """The weeks, the latest first, and why there is nothing where there is not."""
    shelf = edition_reading.listing(runtime(), current_official(), before=day_in(request.args.get("before", "")))
    return render("editions/index.html", shelf=shelf, words=WORDS, badges=BADGES, is_first="before" not in request.args)


@pages.get(f"{HERE}/<int:number>")
@require(*READERS)
def show(number: int) -> Response:
    """One week: its questions and answers, and how they read on each medium."""
    return _page(number)


@pages.post(f"{HERE}/<int:number>")
@require(Role.AUTHOR)
def update(number: int) -> Response:
    """Keep what was changed."""
    look = _look(number)
    worded = [_worded(entry.item.id) for entry in look.entries if f"question_{entry.item.id}" in request.form]
    try:
        editions.edit(runtime(), current_official(), number, version=_version(), worded=worded)
    except AnnouncementError as error:
        return _page(number, error)
    notice("Đã lưu.")
    return redirect(f"{HERE}/{number}", 303)


@pages.post(f"{HERE}/<int:number>/proposal")
@require(Role.AUTHOR)
def propose(number: int) -> Response:
    """Choose again from what is public now."""
    _look(number)
    try:
        editions.propose_anew(runtime(), current_official(), number, version=_version())
    except AnnouncementError as error:
        return _page(number, error)
    notice("Đã đề xuất lại từ các kết quả đang công khai.")
    return redirect(f"{HERE}/{number}", 303)


@pages.post(f"{HERE}/<int:number>/bulletin")
@require(Role.AUTHOR)
def make(number: int) -> Response:
    """Make a bulletin of it, whose channels and hours are chosen next."""
    _look(number)
    try:
        made = editions.make_bulletin(runtime(), current_official(), number, version=_version())
    except AnnouncementError as error:
        return _page(number, error)
    notice("Đã soạn bản tin. Vui lòng chọn kênh, thời hạn rồi lưu.")
    return redirect(f"/announcements/bulletins/{made}/edit", 303)


def _page(number: int, error: AnnouncementError | None = None) -> Response:
    look, who = _look(number), current_official()
    bulletin = look.bulletin
    has_bulletin = bulletin is not None and bulletin.state.value != "stopped"
    may_write = who.has(Role.AUTHOR) and look.is_newest
    is_draft = has_bulletin and bulletin is not None and bulletin.state.value == "draft"
    is_own_draft = is_draft and bulletin is not None and bulletin.author_id == who.id
    return render(
        "editions/show.html",
        status=422 if error else 200,
        look=look,
        words=WORDS,
        badges=BADGES,
        has_bulletin=has_bulletin,
        may_edit=may_write and (is_own_draft or not has_bulletin),
        may_make=may_write and not has_bulletin,
        typed=request.form if error and "version" in request.form else {},
        least=LEAST,
        most=MOST,
        longest_question=LONGEST_SUMMARY,
        longest_answer=LONGEST_RESULT,
        error=said(error),
    )


def _look(number: int) -> Look:
    try:
        return edition_reading.look_at(runtime(), current_official(), number)
    except NoSuchAnnouncement:
        abort(404)


def _worded(item_id: int) -> Worded:
    form = request.form
    position = form.get(f"position_{item_id}", type=int) or 0
    return Worded(
        item_id,
        form.get(f"question_{item_id}", ""),
        form.get(f"answer_{item_id}", ""),
        max(0, min(position, 99)),
        is_kept=f"keep_{item_id}" in form,
    )


def _version() -> int:
    return request.form.get("version", type=int) or 0
