"""Putting a report aside until a moment, and taking it back."""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug.wrappers import Response

from bot.usecases import snoozing
from bot.web import words
from bot.web.deeds import back, day_given, deed, version
from bot.web.shell import current_official, notice, runtime

pages = Blueprint("snoozing", __name__)


@pages.post("/tickets/<int:number>/snoozing")
@deed("snoozing")
def create(number: int) -> Response:
    """Put it aside until then."""
    done = snoozing.snooze(
        runtime(),
        current_official(),
        number,
        version=version(),
        until=request.form.get("until", ""),
        day=day_given("day"),
        reason=request.form.get("reason", ""),
    )
    notice("Đã hẹn xem lại lúc %(luc)s.", luc=words.moment(done.until))
    if done.sooner is not None:
        notice("Nhắc hạn lúc %(luc)s sẽ đưa phản ánh trở lại sớm hơn.", "info", luc=words.moment(done.sooner))
    return back(number)


@pages.post("/tickets/<int:number>/waking")
@deed("waking")
def undo(number: int) -> Response:
    """Take it back into the lists now."""
    snoozing.unsnooze(runtime(), current_official(), number, version=version())
    notice("Phản ánh đã trở lại danh sách việc.")
    return back(number)
