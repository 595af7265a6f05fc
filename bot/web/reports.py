"""The page of the monthly book: its figures, and the book itself as PDF, workbook or CSV."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, request
from werkzeug.wrappers import Response

from bot.papers.book import SUMS
from bot.rules.deadlines import VIETNAM
from bot.usecases import month_book
from bot.usecases.month_book import FIRST_YEAR, READERS
from bot.web.language import N_
from bot.web.security import client_address
from bot.web.shell import current_official, render, require, runtime
from bot.web.transfers import pdf

pages = Blueprint("reports", __name__)

# As the paper has them, marked for translation.
COLUMNS = {
    "Tiếp nhận": N_("Tiếp nhận"),
    "Đúng hạn": N_("Đúng hạn"),
    "Quá hạn": N_("Quá hạn"),
    "Đang xử lý": N_("Đang xử lý"),
    "Không phải trả lời": N_("Không phải trả lời"),
}
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pages.get("/reports")
@require(*READERS)
def index() -> Response:
    """The month of today, or the one that was chosen."""
    year, dash, month = request.args.get("month", "").partition("-")
    if dash and year.isascii() and year.isdecimal() and month.isascii() and month.isdecimal():
        return redirect(f"/reports/{int(year[:4])}/{int(month[:2])}", 303)
    today = runtime().now().astimezone(VIETNAM)
    return show(today.year, today.month)


@pages.get("/reports/<int:year>/<int:month>")
@require(*READERS)
def show(year: int, month: int) -> Response:
    """The figures of a month."""
    _must_be_a_month(year, month)
    found = month_book.month_book(runtime(), current_official(), year, month)
    return render(
        "reports/show.html",
        book=found,
        columns=[COLUMNS[name] for name in SUMS],
        before=_step(year, month, -1),
        after=_step(year, month, 1),
        sees_lines=month_book.sees_lines(current_official()),
    )


@pages.get("/reports/<int:year>/<int:month>/book.pdf")
@require(*READERS)
def as_pdf(year: int, month: int) -> Response:
    """The book to print."""
    return pdf(_export(year, month, "pdf"), _name(year, month, "pdf"))


@pages.get("/reports/<int:year>/<int:month>/book.xlsx")
@require(*READERS)
def as_workbook(year: int, month: int) -> Response:
    """The book for Excel."""
    return _download(_export(year, month, "xlsx"), _XLSX, _name(year, month, "xlsx"))


@pages.get("/reports/<int:year>/<int:month>/book.csv")
@require(*READERS)
def as_csv(year: int, month: int) -> Response:
    """The lines of the book for any other program."""
    return _download(_export(year, month, "csv"), "text/csv; charset=utf-8", _name(year, month, "csv"))


def _export(year: int, month: int, kind: str) -> bytes:
    _must_be_a_month(year, month)
    return month_book.export(runtime(), current_official(), year, month, kind, client_address())


def _download(data: bytes, mime: str, name: str) -> Response:
    answer = Response(data, content_type=mime)
    answer.headers["Content-Disposition"] = f"attachment; filename={name}"
    return answer


def _name(year: int, month: int, kind: str) -> str:
    return f"so-theo-doi-{year}-{month:02}.{kind}"


def _must_be_a_month(year: int, month: int) -> None:
    if not FIRST_YEAR <= year <= runtime().now().astimezone(VIETNAM).year or not 1 <= month <= 12:
        abort(404)


def _step(year: int, month: int, by: int) -> str | None:
    """The month before or after, in an address; None where there is no book."""
    at = year * 12 + month - 1 + by
    now = runtime().now().astimezone(VIETNAM)
    return f"{at // 12}/{at % 12 + 1}" if FIRST_YEAR * 12 <= at <= now.year * 12 + now.month - 1 else None
