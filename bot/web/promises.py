"""The page of promises: how many answers of a month came late, were apologised for, and whether the new day held."""

from __future__ import annotations

from flask import Blueprint, abort, request
from werkzeug.wrappers import Response

from bot.rules.deadlines import VIETNAM
from bot.usecases import promises
from bot.usecases.month_book import FIRST_YEAR, READERS, sees_lines
from bot.usecases.promises import By, Figure
from bot.web.language import N_
from bot.web.shell import current_official, render, require, runtime

pages = Blueprint("promises", __name__)

# Each figure with what it means, as the page says it beside the numbers.
FIGURES = {
    Figure.DUE: (N_("Đến hạn"), N_("hạn trả lời (kể cả gia hạn đã duyệt) rơi trong tháng và đã qua, hoặc đã trả lời")),
    Figure.IN_TIME: (N_("Đúng hạn"), N_("người dân có kết quả hoặc lời từ chối trước hạn")),
    Figure.LATE: (
        N_("Trễ"),
        N_("trả lời sau hạn, hoặc chưa trả lời mà đã qua hạn; không kể lúc chờ người dân bổ sung"),
    ),
    Figure.APOLOGISED: (N_("Đã xin lỗi"), N_("trễ, đã xin lỗi người dân kèm ngày trả lời mới")),
    Figure.SILENT: (N_("Chưa xin lỗi"), N_("trễ mà không xin lỗi")),
    Figure.KEPT: (N_("Giữ lời"), N_("trả lời không muộn hơn ngày hứa lần đầu")),
    Figure.BROKEN: (N_("Lỡ lời"), N_("qua ngày hứa lần đầu mới trả lời, hoặc vẫn chưa trả lời")),
    Figure.WAITING: (N_("Chưa đến ngày hứa"), N_("đã xin lỗi, ngày hứa còn ở phía trước")),
}
TABLES = {By.UNIT: N_("Theo đơn vị xử lý"), By.TOPIC: N_("Theo lĩnh vực"), By.CLASS: N_("Theo mức cam kết (S0–S4)")}


@pages.get("/reports/<int:year>/<int:month>/promises")
@require(*READERS)
def show(year: int, month: int) -> Response:
    """The figures of a month."""
    _must_be_a_month(year, month)
    return render(
        "promises/show.html",
        sheet=promises.sheet(runtime(), current_official(), year, month),
        figures=FIGURES,
        titles=TABLES,
    )


@pages.get("/reports/<int:year>/<int:month>/promises/<figure>")
@require(*READERS)
def behind(year: int, month: int, figure: str) -> Response:
    """The reports behind a figure."""
    _must_be_a_month(year, month)
    by, name = request.args.get("by", ""), request.args.get("name", "")
    if figure not in list(Figure) or (by and by not in list(By)):
        abort(404)
    found = promises.behind(
        runtime(), current_official(), year, month, Figure(figure), By(by) if by else None, name
    )  # fmt: skip
    return render(
        "promises/behind.html",
        found=found,
        year=year,
        month=month,
        name=name,
        words=FIGURES[Figure(figure)],
        sees_lines=sees_lines(current_official()),
    )


def _must_be_a_month(year: int, month: int) -> None:
    now = runtime().now().astimezone(VIETNAM)
    if not FIRST_YEAR <= year <= now.year or not 1 <= month <= 12:
        abort(404)
