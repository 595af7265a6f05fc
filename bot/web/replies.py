"""Answering: replies to citizens, a leader's approval, and sending again what did not arrive."""

from __future__ import annotations

from flask import Blueprint, abort, make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from bot.access import OF_TICKETS
from bot.usecases import costs, replies, tickets
from bot.usecases.replies import Written
from bot.web.security import wants_fragment
from bot.web.shell import current_official, notice, require, runtime
from bot.web.tickets import DEFAULT_NEXT_STEP, back, day_given, deed, kept_words, show_ticket, version

pages = Blueprint("replies", __name__)


@pages.post("/tickets/<int:number>/replies")
@deed("replies")
def create(number: int) -> Response:
    """Answer the citizen, in words and with a picture."""
    token = request.form.get("token", "")
    if not 8 <= len(token) <= 64:
        abort(400)
    image = request.files.get("image")
    written = _written(image.read() if image and image.filename else None)
    is_sent = replies.reply(runtime(), current_official(), number, version=version(), token=token, written=written)
    if is_sent:
        notice("Đã chuyển trả lời cho kênh. Tình trạng gửi hiện dưới tin nhắn.")
    else:
        notice("Đã trình lãnh đạo duyệt. Trả lời chưa gửi cho người dân.", "info")
    return back(number)


@pages.post("/tickets/<int:number>/reply-cost")
@deed("replies")
def cost(number: int) -> Response:
    """What the answer would cost, without sending it: a part of the page for htmx, the whole page without scripts."""
    priced = costs.reply_cost(runtime(), current_official(), number, _written(None))
    if wants_fragment():
        return make_response(render_template("tickets/_sms_cost.html", priced=priced))
    return show_ticket(number, form="replies", kept=kept_words(), priced=priced)


@pages.post("/tickets/<int:number>/approval")
@deed("approval")
def approve(number: int) -> Response:
    """A leader lets the result go out."""
    replies.approve(runtime(), current_official(), number, version=version())
    notice("Đã duyệt và gửi kết quả cho người dân.")
    return back(number)


@pages.post("/deliveries/<int:number>/resending")
@require(*OF_TICKETS)
def resend(number: int) -> Response:
    """Send again what was refused, cancelled or of unknown fate."""
    ticket_id = tickets.resend(runtime(), current_official(), number)
    notice("Đã xếp hàng gửi lại.")
    return redirect(f"/tickets/{ticket_id}", 303)


def _written(image: bytes | None) -> Written:
    return Written(
        text=request.form.get("text", ""),
        is_result="result" in request.form,
        next_step=request.form.get("next_step", DEFAULT_NEXT_STEP),
        checked_on=day_given("checked_on"),
        image=image,
    )
