"""The page of the routing table: who gets what, tried out on the latest reports before it is kept."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from bot.usecases import routing
from bot.usecases.routing import KEEPERS, RoutingProblem, Trial, Wish
from bot.web.language import gettext
from bot.web.shell import current_official, notice, render, require, row_number, runtime
from bot.web.words import today, topic_word
from nlp.topics import TOPICS

pages = Blueprint("routing", __name__)


@pages.get("/routing")
@require(*KEEPERS)
def index() -> Response:
    """Who gets what, today and on days to come."""
    return _page()


@pages.post("/routing/trial")
@require(*KEEPERS)
def trial() -> Response:
    """What a change would have done to the latest reports."""
    try:
        return _page(trial=routing.try_out(runtime(), current_official(), _wish()))
    except RoutingProblem as error:
        return _page(error=error)


@pages.post("/routing")
@require(*KEEPERS)
def keep() -> Response:
    """Keep the change that was looked at."""
    try:
        routing.keep(runtime(), current_official(), _wish(), request.form.get("seal", ""))
    except RoutingProblem as error:
        return _page(error=error)
    notice("Đã lưu phân công. Phản ánh mới đi theo bảng này; phản ánh đang có giữ nguyên đơn vị.")
    return redirect("/routing", 303)


def _wish() -> Wish:
    try:
        begins = date.fromisoformat(request.form.get("valid_from", ""))
    except ValueError:
        raise RoutingProblem("Ngày bắt đầu chưa đúng. Anh/Chị vui lòng chọn ngày.") from None
    agency = row_number(request.form.get("agency", ""))
    if agency is None and request.form.get("agency") != "":
        raise RoutingProblem("Chưa chọn đơn vị. Anh/Chị vui lòng chọn trong danh sách.")
    return Wish(request.form.get("topic", ""), row_number(request.form.get("place", "")), agency, begins)


def _page(*, trial: Trial | None = None, error: RoutingProblem | None = None) -> Response:
    return render(
        "routing/index.html",
        status=422 if error else 200,
        book=routing.overview(runtime(), current_official()),
        topics=[(slug, topic_word(slug)) for slug in TOPICS],
        trial=trial,
        written=request.form,
        today=today(runtime().now()),
        error=gettext(error.sentence, **error.values) if error else None,
    )
