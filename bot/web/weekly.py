"""The page of the week's list: what is late and falls due, to read, to print, and to take away."""

from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response

from bot.usecases import weekly
from bot.usecases.weekly import READERS
from bot.web.security import client_address
from bot.web.shell import current_official, render, require, runtime
from bot.web.transfers import pdf

pages = Blueprint("weekly", __name__)


@pages.get("/reports/week")
@require(*READERS)
def show() -> Response:
    """This week's list, as far as it is this official's."""
    official = current_official()
    return render(
        "weekly/show.html", week=weekly.the_week(runtime(), official), sees_all=weekly.may_see_all(official)
    )  # fmt: skip


@pages.get("/reports/week.pdf")
@require(*READERS)
def as_pdf() -> Response:
    """The list to print."""
    week, made = weekly.export(runtime(), current_official(), "pdf", client_address())
    return pdf(made, f"qua-han-tuan-{week.begins.isoformat()}.pdf")


@pages.get("/reports/week.csv")
@require(*READERS)
def as_csv() -> Response:
    """The list for any other program."""
    week, made = weekly.export(runtime(), current_official(), "csv", client_address())
    answer = Response(made, content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f"attachment; filename=qua-han-tuan-{week.begins.isoformat()}.csv"
    return answer
