"""What officials decide about a report itself: how urgent it is, and whether it is spam."""

from __future__ import annotations

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from bot.usecases import triage
from bot.web.deeds import back, deed, version
from bot.web.shell import current_official, notice, runtime

pages = Blueprint("triage", __name__)


@pages.post("/tickets/<int:number>/urgency")
@deed("urgency")
def set_urgency(number: int) -> Response:
    """Confirm or correct how urgent it is."""
    triage.set_urgency(
        runtime(), current_official(), number, version=version(), urgency=request.form.get("urgency", "")
    )
    notice("Đã xác nhận mức khẩn.")
    return back(number)


@pages.post("/tickets/<int:number>/spam")
@deed("spam")
def mark_spam(number: int) -> Response:
    """Put it aside without a word to its sender."""
    triage.mark_spam(runtime(), current_official(), number, version=version())
    notice("Đã chuyển vào tin rác. Người gửi không nhận trả lời nào; phản ánh khôi phục được.")
    return redirect("/tickets", 303)


@pages.post("/tickets/<int:number>/restoration")
@deed("restoration")
def restore(number: int) -> Response:
    """Take it back out of spam."""
    triage.restore(runtime(), current_official(), number, version=version())
    notice("Đã khôi phục phản ánh.")
    return back(number)
