"""The page of figures for the source system: what was handed in of which month, when, and what it said to that."""

from __future__ import annotations

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from bot.rules.deadlines import VIETNAM
from bot.usecases import source_reports
from bot.usecases.announcing import AnnouncementError
from bot.usecases.month_book import READERS
from bot.web.bulletin_forms import said
from bot.web.language import N_
from bot.web.shell import current_official, notice, render, require, row_number, runtime
from storage.enums import ReportState

pages = Blueprint("source_reports", __name__)

HERE = "/reports/handed-in"
STATE_WORDS = {
    ReportState.WAITING: N_("Đang chờ gửi"),
    ReportState.SENDING: N_("Đang gửi"),
    ReportState.SENT: N_("Đã gửi"),
    ReportState.UNKNOWN: N_("Không rõ đã đến chưa"),
    ReportState.REFUSED: N_("Không được nhận"),
}
BADGES = {
    ReportState.SENT: "badge-calm",
    ReportState.UNKNOWN: "badge-late",
    ReportState.REFUSED: "badge-late",
}
SUM_WORDS = {
    "received": N_("Tiếp nhận"),
    "in_time": N_("Đúng hạn"),
    "late": N_("Quá hạn"),
    "running": N_("Trong hạn"),
    "declined": N_("Không tiếp nhận"),
    "forwarded": N_("Chuyển cấp trên"),
    "rated": N_("Được đánh giá"),
    "content": N_("Hài lòng"),
}


@pages.get(HERE)
@require(*READERS)
def index() -> Response:
    """What was handed in, the latest first."""
    return _page()


@pages.post(HERE)
@require(*READERS)
def ask() -> Response:
    """Hand a month in now."""
    year, _, month = request.form.get("month", "").partition("-")
    try:
        source_reports.ask_for(
            runtime(),
            current_official(),
            row_number(request.form.get("channel", "")) or 0,
            row_number(year) or 0,
            row_number(month) or 0,
        )
    except AnnouncementError as error:
        return _page(error)
    notice("Đã lập thống kê. Hệ thống gửi ngay; kết quả hiện ở trang này.")
    return redirect(HERE, 303)


def _page(error: AnnouncementError | None = None) -> Response:
    today = runtime().now().astimezone(VIETNAM)
    channels = source_reports.channels(runtime(), current_official())
    return render(
        "reports/handed_in.html",
        status=422 if error else 200,
        reports=source_reports.listing(runtime(), current_official()),
        channels=channels,
        channel_options=[(channel.id, channel.name) for channel in channels],
        month=f"{today:%Y-%m}",
        state_words=STATE_WORDS,
        report_badges=BADGES,
        sum_words=SUM_WORDS,
        error=said(error),
    )
