"""The pages on which citizens see where their report stands: by code and telephone number, or by their private link.

No cookie, no script; what was asked for stands in the body of the request, never in an address.
"""

from __future__ import annotations

import re

from flask import Blueprint, abort, request
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from werkzeug.wrappers import Response

from bot.access import NotFound
from bot.texts import Voice
from bot.usecases import tracking
from bot.usecases.tracking import TooOften, Tracked
from bot.usecases.web_form import Page, new_link
from bot.web import public
from bot.web.language import N_, gettext, locale
from bot.web.security import client_address, csrf
from bot.web.shell import render, runtime
from storage.enums import TicketState

pages = Blueprint("tracking", __name__)
csrf.exempt(pages)
pages.before_request(public.choose_language)
pages.after_request(public.may_ask_where)
for _error in (OperationalError, InterfaceError, NoConnection):
    pages.register_error_handler(_error, public.away)

_SIGN = re.compile(r"\d{1,18}-\d{10,12}-[0-9a-f]{32}", re.ASCII)
_FOUR = re.compile(r"\d{4}", re.ASCII)
# What comes next, as far as the state tells it.
NEXT = {
    TicketState.NEW: N_("Cán bộ sẽ tiếp nhận và báo mã, hạn trả lời cho ông/bà."),
    TicketState.RECEIVED: N_("Phản ánh đang được chuyển cho đơn vị xử lý."),
    TicketState.WAITING_CITIZEN: N_(
        "Ông/bà bổ sung điều được hỏi, trên kênh đã gửi phản ánh; có bổ sung thì hạn tính tiếp."
    ),
    TicketState.ASSIGNED: N_("Đơn vị được giao sẽ kiểm tra và trả lời."),
    TicketState.IN_PROGRESS: N_("Đơn vị đang làm; có kết quả sẽ báo ngay cho ông/bà."),
    TicketState.WAITING_APPROVAL: N_("Trả lời đã soạn xong, đang chờ lãnh đạo duyệt."),
    TicketState.ANSWERED: N_("Ông/bà cho biết đã hài lòng chưa. Nếu việc chưa xong, xin nhắn “chưa xong” kèm mã."),
    TicketState.CLOSED: N_("Việc đã kết thúc. Trong 30 ngày, nếu việc chưa xong, xin nhắn “chưa xong” kèm mã."),
    TicketState.REOPENED: N_("Lãnh đạo đang xem xét lại và sẽ trả lời ông/bà."),
    TicketState.DECLINED: N_("Nếu cần trao đổi thêm, xin gọi số điện thoại trực."),
    TicketState.FORWARDED: N_("Cơ quan nhận sẽ trả lời; chúng tôi vẫn theo dõi và báo lại cho ông/bà."),
    TicketState.MERGED: N_("Có kết quả chung sẽ báo cho ông/bà."),
    TicketState.WITHDRAWN: N_("Không còn việc gì. Ông/bà gửi phản ánh mới bất cứ lúc nào."),
}


@pages.get("/phan-anh/<slug:slug>/tra-cuu")
def form(slug: str) -> Response:
    """Where code and number are filled in."""
    return _form(public.page_of(slug))


@pages.post("/phan-anh/<slug:slug>/tra-cuu")
def find(slug: str) -> Response:
    """Where the report of this code stands."""
    page = public.page_of(slug)
    code, four = request.form.get("code", "").strip()[:20], request.form.get("four", "").strip()
    if not code or not _FOUR.fullmatch(four):
        return _form(page, gettext("Xin ghi mã phản ánh (ví dụ PA26-0342) và đúng bốn số cuối điện thoại."), 422)
    try:
        found = tracking.look_up(runtime(), page, code, four, client_address())
    except NotFound:
        problem = gettext("Không có phản ánh nào khớp cả mã và số điện thoại này. Ông/bà xem lại, hoặc gọi số trực.")
        return _form(page, problem, 404)
    except TooOften:
        problem = gettext("Đã tra cứu nhiều lần quá. Ông/bà vui lòng thử lại sau, hoặc hỏi trên kênh đã gửi phản ánh.")
        return _form(page, problem, 429)
    return _shown(page, [found], f"/phan-anh/{slug}/tra-cuu")


@pages.get("/phan-anh/<slug:slug>/<link>/tien-do")
def own(slug: str, link: str) -> Response:
    """Where the reports of this private link stand, and what their writer may say about the results."""
    page = public.page_of(slug)
    public.holder_of_link(page, link)
    try:
        found = tracking.of_link(runtime(), page, link)
    except NotFound:
        abort(404)
    return _shown(page, found, f"/phan-anh/{slug}/{link}", link=link)


@pages.get("/phan-anh/<slug:slug>/tra-cuu/anh/<sign>")
def photo(slug: str, sign: str) -> Response:
    """A photo that such a page has just named."""
    if not _SIGN.fullmatch(sign):
        abort(404)
    answer = Response(tracking.photo(runtime(), public.page_of(slug), sign), mimetype="image/jpeg")
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return answer


def _form(page: Page, problem: str = "", status: int = 200) -> Response:
    return render(
        "tracking/form.html",
        status=status,
        page=page,
        written=request.form if problem else {},
        problem=problem or None,
        duty_phone=dict(page.commune.settings).get("duty_phone"),
    )


def _shown(page: Page, found: list[Tracked], here: str, *, link: str = "") -> Response:
    voice = Voice(locale())
    return render(
        "tracking/show.html",
        page=page,
        found=found,
        here=here,
        link=link,
        once=new_link()[:24],
        state_words=voice.state,
        next_words=lambda one: gettext(NEXT[one.state]),
        photos_at=f"/phan-anh/{page.channel.slug}/tra-cuu/anh",
        duty_phone=dict(page.commune.settings).get("duty_phone"),
    )
