"""The page of quality: how often the reader was corrected, by topic, and the latest trainings."""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug.wrappers import Response

from bot.usecases.quality import PERIODS, READERS, quality
from bot.web.language import N_
from bot.web.shell import current_official, render, require, runtime
from storage.enums import CorrectionKind

pages = Blueprint("quality", __name__)

KINDS = {
    CorrectionKind.TOPIC.value: N_("lĩnh vực"),
    CorrectionKind.URGENCY.value: N_("mức khẩn"),
    CorrectionKind.SEAL.value: N_("niêm phong"),
    CorrectionKind.SPAM.value: N_("tin rác"),
}
FIGURES = {
    "right topic": N_("đúng lĩnh vực (tin mẫu)"),
    "danger seen": N_("nhận ra nguy hiểm (tin mẫu)"),
    "sealed": N_("nhận ra tố cáo (tin mẫu)"),
    "as officials say": N_("như cán bộ đã sửa"),
}


@pages.get("/quality")
@require(*READERS)
def show() -> Response:
    """The commune's figures of the last 30 or 90 days."""
    days = request.args.get("days", PERIODS[0], type=int)
    if days not in PERIODS:
        days = PERIODS[0]
    found = quality(runtime(), current_official(), days)
    return render("quality/show.html", found=found, periods=PERIODS, kinds=KINDS, figures=FIGURES)
