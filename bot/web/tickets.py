"""One ticket, and what officials do with it, each deed a noun to post to."""

from __future__ import annotations

from flask import Blueprint, g, redirect, render_template, request
from werkzeug.wrappers import Response

from bot.access import OF_TICKETS, OF_WHOLE_COMMUNE
from bot.rules.lifecycle import Given, NotAllowed
from bot.usecases import tickets
from bot.usecases.spots import take
from bot.web import words
from bot.web.deeds import back, day_given, deed, version
from bot.web.ready_words import words_given
from bot.web.security import is_poll, wants_fragment
from bot.web.shell import current_official, notice, only_news, require, row_number, runtime
from bot.web.ticket_page import show_ticket
from storage.enums import TicketState

pages = Blueprint("tickets", __name__)


@pages.get("/tickets/<int:number>")
@require(*OF_TICKETS)
def show(number: int) -> Response:
    """One ticket: what was said, what is known, what may be done."""
    answer = show_ticket(number)
    if not (is_poll() and wants_fragment()):
        return answer
    return only_news(answer, aside=render_template("tickets/_presence.html", is_part=True, **g.beside))


@pages.post("/tickets/<int:number>/reception")
@deed("reception")
def receive(number: int) -> Response:
    """Take a new ticket into the book."""
    if tickets.receive(runtime(), current_official(), number, version=version()):
        notice("Đã tiếp nhận phản ánh.")
    else:
        notice("Phản ánh này đã được tiếp nhận trước đó.", "info")
    return back(number)


@pages.post("/tickets/<int:number>/state")
@deed("state")
def change_state(number: int) -> Response:
    """Take a step of the lifecycle."""
    try:
        target = TicketState(request.form.get("state", ""))
    except ValueError:
        raise NotAllowed("no_state", "Anh/Chị chưa chọn trạng thái mới.") from None
    given = Given(
        words=words_given(target),
        body=request.form.get("body", ""),
        by_date=day_given("by_date"),
        agency_id=row_number(request.form.get("agency", "")),
        target_code=request.form.get("target", ""),
    )
    tickets.change_state(runtime(), current_official(), number, version=version(), target=target, given=given)
    notice("Đã chuyển trạng thái: %(state)s.", state=words.state_word(target))
    return back(number)


@pages.post("/tickets/<int:number>/assignment")
@deed("assignment")
def assign(number: int) -> Response:
    """Give the ticket to an agency or a person."""
    agency = row_number(request.form.get("agency", ""))
    if agency is None:
        raise NotAllowed("needs_agency", "Cần chọn đơn vị xử lý.")
    tickets.assign(
        runtime(),
        current_official(),
        number,
        version=version(),
        agency_id=agency,
        official_id=row_number(request.form.get("official", "")),
        tell_citizen="tell" in request.form,
    )
    notice("Đã phân công.")
    return back(number)


@pages.post("/tickets/<int:number>/topic")
@deed("topic")
def set_topic(number: int) -> Response:
    """Confirm or correct the topic."""
    tickets.set_topic(runtime(), current_official(), number, version=version(), topic=request.form.get("topic", ""))
    notice("Đã xác nhận lĩnh vực.")
    return back(number)


@pages.post("/tickets/<int:number>/place")
@deed("place")
def set_place(number: int) -> Response:
    """Say where it is."""
    tickets.set_place(
        runtime(),
        current_official(),
        number,
        version=version(),
        place_id=row_number(request.form.get("place", "")),
        words=request.form.get("words", ""),
    )
    notice("Đã ghi địa điểm.")
    return back(number)


@pages.post("/tickets/<int:number>/spot")
@deed("spot")
def take_spot(number: int) -> Response:
    """Take the position that a photo or a pin tells as the ticket's."""
    attachment = row_number(request.form.get("attachment", "")) or 0
    take(runtime(), current_official(), number, version=version(), attachment_id=attachment)
    notice("Đã lấy vị trí. Đơn vị xử lý thấy vị trí này trên phản ánh.")
    return back(number)


@pages.post("/tickets/<int:number>/notes")
@deed("notes")
def add_note(number: int) -> Response:
    """Write something for colleagues."""
    tickets.add_note(runtime(), current_official(), number, version=version(), text=request.form.get("text", ""))
    notice("Đã lưu ghi chú nội bộ.")
    return back(number)


@pages.post("/tickets/<int:number>/unsealing")
@deed("unsealing")
def unseal(number: int) -> Response:
    """A leader, or whom they trust with what is sealed, opens a ticket to the desk."""
    official = current_official()
    tickets.unseal(runtime(), official, number, version=version(), reason=request.form.get("words", ""))
    notice("Đã mở niêm phong. Cán bộ tiếp nhận thấy phản ánh này từ bây giờ.")
    return back(number) if official.has(*OF_WHOLE_COMMUNE) else redirect("/tickets", 303)


@pages.post("/tickets/<int:number>/sealing")
@deed("sealing")
def seal(number: int) -> Response:
    """Close a ticket to all but the leader and whom they trust."""
    tickets.seal(runtime(), current_official(), number, version=version(), reason=request.form.get("words", ""))
    notice("Đã niêm phong. Chỉ người được giao mật xem được phản ánh này.")
    return redirect("/tickets", 303)
