"""Answering: replies to citizens, a leader's approval, and sending again what did not arrive."""

from __future__ import annotations

from flask import Blueprint, abort, make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from bot.access import OF_TICKETS
from bot.rules.reply_checks import GRAVE, Concern
from bot.usecases import costs, fallback, parting, replies, tickets
from bot.usecases.handing_over import Consent
from bot.usecases.replies import Written
from bot.usecases.reply_concerns import concerns_of
from bot.usecases.ticket_page import ask_window, open_page
from bot.web.deeds import back, day_given, deed, kept_words, version
from bot.web.language import N_, gettext
from bot.web.security import client_address, wants_fragment
from bot.web.shell import current_commune, current_official, notice, require, row_number, runtime
from bot.web.ticket_page import DEFAULT_NEXT_STEP, show_ticket
from bot.web.transfers import photo_of_body
from bot.web.undoing import sent
from bot.web.window_words import plan_words

pages = Blueprint("replies", __name__)

CONCERNS = {
    Concern.OTHERS_DATA: N_(
        "Có số điện thoại, số giấy tờ hoặc biển số mà người dân này chưa nêu: có phải của người khác không?"
    ),
    Concern.EMPTY: N_("Trả lời mới nói là đã nhận và sẽ xem xét; người dân chưa biết ai làm gì, khi nào."),
    Concern.NO_NEXT_STEP: N_("Chưa nói đã làm gì hoặc việc tiếp theo là gì."),
    Concern.NO_DATE: N_("Có việc sẽ làm nhưng chưa nói ngày nào."),
    Concern.BLANK: N_("Còn chỗ trống chưa điền."),
}


@pages.post("/tickets/<int:number>/replies")
@deed("replies")
def create(number: int) -> Response:
    """Answer the citizen, in words and with a picture."""
    token = request.form.get("token", "")
    if not 8 <= len(token) <= 64:
        abort(400)
    image = request.files.get("image")
    written = _written(image.read() if image and image.filename else _photo_of_body(number))
    if "anyway" not in request.form:
        grave = [one for one in concerns_of(runtime(), current_official(), number, written) if one in GRAVE]
        if grave:
            problem = " ".join(gettext(CONCERNS[one]) for one in grave)
            return show_ticket(number, status=422, form="replies", kept=kept_words(), problem=problem, asks_anyway=True)
    is_sent = replies.reply(runtime(), current_official(), number, version=version(), token=token, written=written)
    if is_sent:
        sent(
            N_("Đã nhận trả lời. Tình trạng gửi hiện dưới tin nhắn."),
            N_("Đã chuyển trả lời cho kênh. Tình trạng gửi hiện dưới tin nhắn."),
        )
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


@pages.post("/tickets/<int:number>/reply-concerns")
@deed("replies")
def concerns(number: int) -> Response:
    """What may be wrong with the answer as it stands: a part of the page while it is written."""
    found = concerns_of(runtime(), current_official(), number, _written(None))
    if wants_fragment():
        return make_response(render_template("tickets/_concerns.html", concerns=[CONCERNS[one] for one in found]))
    problem = " ".join(gettext(CONCERNS[one]) for one in found)
    return show_ticket(number, form="replies", kept=kept_words(), problem=problem)


@pages.post("/tickets/<int:number>/window")
@deed("replies")
def window(number: int) -> Response:
    """Ask the channel when the citizen was last there: a part of the page for htmx, the whole page without scripts."""
    is_told = ask_window(runtime(), current_official(), number)
    problem = "" if is_told else gettext("Kênh chưa trả lời. Thông tin dưới đây theo ghi nhận của hệ thống.")
    if wants_fragment():
        return _show_window(number, problem)
    return show_ticket(number, form="replies", kept=kept_words(), problem=problem)


@pages.post("/tickets/<int:number>/approval")
@deed("approval")
def approve(number: int) -> Response:
    """A leader lets the result go out."""
    replies.approve(runtime(), current_official(), number, version=version(), consent=_consent())
    sent(N_("Đã duyệt kết quả."), N_("Đã duyệt và gửi kết quả cho người dân."))
    return back(number)


@pages.post("/deliveries/<int:number>/resending")
@require(*OF_TICKETS)
def resend(number: int) -> Response:
    """Send again what was refused, cancelled or of unknown fate."""
    ticket_id = tickets.resend(runtime(), current_official(), number, pays="pays" in request.form)
    notice("Đã xếp hàng gửi lại.")
    return redirect(f"/tickets/{ticket_id}", 303)


@pages.post("/tickets/<int:number>/deliveries/<int:delivery>/elsewhere")
@deed("elsewhere")
def elsewhere(number: int, delivery: int) -> Response:
    """Send what did not arrive on another channel of the citizen."""
    fallback.send_elsewhere(runtime(), current_official(), delivery, request.form.get("urn", 0, type=int))
    notice("Đã chuyển tin sang kênh khác của người dân.")
    return back(number)


@pages.post("/tickets/<int:number>/links/<int:link>/undoing")
@deed("links")
def part(number: int, link: int) -> Response:
    """Part a channel that does not belong to this citizen."""
    parting.undo(runtime(), current_official(), number, link)
    notice("Đã bỏ liên kết. Người dân được báo ở cả hai kênh.")
    return back(number)


def _photo_of_body(number: int) -> bytes | None:
    """The photo that came with the answer of a body outside, when the official wants it to go on."""
    line = row_number(request.form.get("transfer_line", ""))
    if line is None or "transfer_photo" not in request.form:
        return None
    return photo_of_body(number, line)


def _written(image: bytes | None) -> Written:
    return Written(
        text=request.form.get("text", ""),
        is_result="result" in request.form,
        is_for_all="everyone" in request.form,
        next_step=request.form.get("next_step", DEFAULT_NEXT_STEP),
        checked_on=day_given("checked_on"),
        exemption=request.form.get("exemption", ""),
        image=image,
        consent=_consent(),
    )


def _show_window(number: int, problem: str) -> Response:
    page = open_page(runtime(), current_official(), current_commune(), number, address=client_address())
    lines = plan_words(page.ways, page.channel, has_phone=bool(page.contact.phone))
    more = {"kept": kept_words(), "window_problem": problem, "window_lines": lines}
    form_name = "approval" if request.args.get("of") == "approval" else "reply"
    part = render_template("tickets/_window.html", page=page, ticket=page.ticket, form_name=form_name, **more)
    return make_response(part)


def _consent() -> Consent:
    return Consent(pays="pays" in request.form, form="as_form" in request.form)
