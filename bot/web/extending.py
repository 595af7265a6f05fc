"""More time for a ticket, and an apology when it is late."""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug.wrappers import Response

from bot.usecases import extending
from bot.web.deeds import back, day_given, deed, version
from bot.web.shell import current_official, notice, runtime

pages = Blueprint("extending", __name__)


@pages.post("/tickets/<int:number>/extension")
@deed("extension")
def ask(number: int) -> Response:
    """Ask for more time, once."""
    is_granted = extending.ask(
        runtime(),
        current_official(),
        number,
        version=version(),
        days=request.form.get("days", 0, type=int),
        reason=request.form.get("reason", ""),
    )
    if is_granted:
        notice("Đã gia hạn và báo cho người dân.")
    else:
        notice("Đã đề nghị gia hạn. Hạn cũ vẫn tính cho đến khi lãnh đạo đồng ý.", "info")
    return back(number)


@pages.post("/tickets/<int:number>/extension-decision")
@deed("extension-decision")
def decide(number: int) -> Response:
    """A leader's yes or no."""
    is_granted = request.form.get("granted") == "yes"
    extending.decide(runtime(), current_official(), number, version=version(), is_granted=is_granted)
    if is_granted:
        notice("Đã gia hạn và báo cho người dân.")
    else:
        notice("Đã ghi: không gia hạn. Hạn cũ giữ nguyên.")
    return back(number)


@pages.post("/tickets/<int:number>/apology")
@deed("apology")
def apologise(number: int) -> Response:
    """Tell the citizen that it is late, why, and until when."""
    extending.apologise(
        runtime(),
        current_official(),
        number,
        version=version(),
        reason=request.form.get("reason", ""),
        by_date=day_given("by_date"),
    )
    notice("Đã gửi lời xin lỗi cùng ngày trả lời mới.")
    return back(number)
