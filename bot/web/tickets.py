"""Pages of tickets: the list, one ticket, and what officials do with it, each deed a noun to post to."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import wraps
from typing import Any, TypeVar

from flask import Blueprint, abort, redirect, request, session
from werkzeug.wrappers import Response

from bot.access import OF_TICKETS, OF_WHOLE_COMMUNE, may_direct, may_reply, may_reveal, may_unseal, roles_on, sees_names
from bot.rules.lifecycle import WITH_REPLY, Given, NotAllowed, may_answer, moves_from
from bot.texts import EmptyVariable
from bot.usecases import alerts, costs, tickets
from bot.usecases.desk import Changed
from bot.usecases.ticket_list import listing
from bot.usecases.ticket_page import TicketPage, changes_since, open_page
from bot.usecases.triage import may_be_restored, may_be_spam
from bot.web import fate, history, marked_text, words
from bot.web.language import N_, gettext
from bot.web.security import client_address, is_poll, wants_fragment
from bot.web.shell import (
    LARGEST_NUMBER,
    current_commune,
    current_official,
    notice,
    render,
    require,
    row_number,
    runtime,
)
from nlp.topics import TOPICS
from storage.enums import TicketState, Urgency
from storage.tickets import Cursor, View

pages = Blueprint("tickets", __name__)

V = TypeVar("V", bound=Callable[..., Response])

VIEWS = {
    View.NEW: N_("Mới"),
    View.MINE: N_("Việc của tôi"),
    View.DUE: N_("Sắp đến hạn"),
    View.URGENT: N_("Khẩn"),
    View.ALL: N_("Tất cả"),
    View.SPAM: N_("Tin rác"),
}
FORM_TOKEN = re.compile(rb'name="csrf_token" value="[^"]*"')
REVEALED_SECONDS = 300
# Goes to the citizen, so it is not translated.
DEFAULT_NEXT_STEP = "nếu sự việc còn tái diễn, xin ông/bà nhắn lại tại đây để chúng tôi kiểm tra tiếp."
EMPTY_WORDS = {
    "donvi": N_("đơn vị xử lý"),
    "nguoi": N_("người phụ trách của đơn vị"),
    "dt": N_("số điện thoại của đơn vị"),
    "han": N_("hạn trả lời"),
    "tieptheo": N_("việc tiếp theo"),
    "ketqua": N_("nội dung kết quả"),
    "can": N_("điều cần bổ sung"),
    "lydo": N_("lý do"),
    "coquan": N_("cơ quan nhận"),
}


# ---- the list -------------------------------------------------------------------------------------------------------


@pages.get("/tickets")
@require(*OF_TICKETS)
def index() -> Response:
    """The list, in one of its views."""
    try:
        view = View(request.args.get("view", View.NEW))
    except ValueError:
        abort(404)
    search = request.args.get("q", "")
    after = _cursor(request.args.get("after", ""))
    found = listing(runtime(), current_official(), current_commune(), view, search=search, after=after)
    now = runtime().now()
    answer = render(
        "tickets/index.html",
        blocks=("list",),
        view=view,
        views=VIEWS,
        search=search,
        rows=found.rows,
        counts=found.counts,
        is_first=after is None,
        may_enter=current_official().has(*OF_WHOLE_COMMUNE),
        next=_cursor_words(found.next) if found.next else None,
        deadline=lambda t: words.deadline(t.due_at if t.is_open else None, now, found.hours, found.holidays),
        summary=marked_text.summary,
        visible=marked_text.visible,
        calls=alerts.unseen(runtime(), current_official()),
    )
    return _only_news(answer)


def _only_news(answer: Response) -> Response:
    """To a page that refreshes itself: nothing (204) while nothing changed, so that nobody's place is lost."""
    if not (is_poll() and wants_fragment() and answer.status_code == 200):
        return answer
    # A form token is new every second without meaning anything new.
    mark = hashlib.sha256(FORM_TOKEN.sub(b"", answer.get_data())).hexdigest()[:16]
    if request.headers.get("X-Seen") == mark:
        return Response(status=204)
    answer.headers["X-Seen"] = mark
    return answer


def _cursor(words_: str) -> Cursor | None:
    if not words_:
        return None
    try:
        rank, due, number = words_.split(".")
        due_at = None if due == "x" else datetime.fromtimestamp(int(due) / 1_000_000, UTC)
        cursor = Cursor(int(rank), due_at, int(number))
    except (ValueError, OverflowError, OSError):
        abort(400)
    if cursor.rank not in {0, 1} or not 0 <= cursor.id <= LARGEST_NUMBER:
        abort(400)
    return cursor


def _cursor_words(cursor: Cursor) -> str:
    due = "x" if cursor.due_at is None else str(round(cursor.due_at.timestamp() * 1_000_000))
    return f"{cursor.rank}.{due}.{cursor.id}"


# ---- one ticket -----------------------------------------------------------------------------------------------------


@pages.get("/tickets/<int:number>")
@require(*OF_TICKETS)
def show(number: int) -> Response:
    """One ticket: what was said, what is known, what may be done."""
    answer = show_ticket(number)
    return _only_news(answer)


def show_ticket(
    number: int,
    *,
    status: int = 200,
    problem: str = "",
    form: str = "",
    kept: dict[str, str] | None = None,
    priced: costs.Priced | None = None,
) -> Response:
    """The page of a ticket; after a refusal with the problem named and what was typed kept in the form."""
    official = current_official()
    page = open_page(runtime(), official, current_commune(), number, address=client_address())
    until = session.get("revealed", {}).get(str(number), 0)
    is_revealed = until > runtime().now().timestamp() and may_reveal(official, page.ticket)
    seen = request.args.get("seen", type=int)
    return render(
        "tickets/show.html",
        blocks=("live",),
        status=status,
        page=page,
        ticket=page.ticket,
        problem=problem,
        problem_form=form,
        kept=kept or {},
        priced=priced,
        is_paid=costs.is_paid(runtime(), page.channel),
        takes_images=costs.takes_images(runtime(), page.channel),
        token=secrets.token_hex(16),
        is_revealed=is_revealed,
        others_changed=seen is not None and page.last_event_by_official > seen,
        **_rights(page),
        **_shown(page, is_revealed=is_revealed),
    )


def _rights(page: TicketPage) -> dict[str, Any]:
    official, ticket = current_official(), page.ticket
    roles = roles_on(official, ticket)
    moves = [m for m in moves_from(ticket.state, roles) if m.target not in WITH_REPLY and not ticket.is_spam]
    return {
        "moves": [m for m in moves if m.source is not TicketState.NEW or m.target is not TicketState.RECEIVED],
        "may_receive": any(m.target is TicketState.RECEIVED and ticket.state is TicketState.NEW for m in moves),
        "may_reply": may_reply(official, ticket),
        "may_hold": may_reply(official, ticket) and not page.contact.erased_at,
        "may_answer": may_answer(ticket.state, roles),
        "may_approve": ticket.state is TicketState.WAITING_APPROVAL
        and any(m.target is TicketState.ANSWERED for m in moves_from(ticket.state, roles)),
        "may_direct": may_direct(official) and (not ticket.is_sealed or bool(roles)),
        "may_take": not (may_direct(official) or ticket.is_spam)
        and official.agency_id is not None
        and ticket.official_id != official.id,
        "may_unseal": may_unseal(official, ticket),
        "may_be_spam": may_be_spam(ticket),
        "may_be_restored": may_be_restored(ticket),
        "may_reveal": may_reveal(official, ticket),
        "sees_names": sees_names(official, ticket),
    }


def _shown(page: TicketPage, *, is_revealed: bool) -> dict[str, Any]:
    now = runtime().now()
    due = page.ticket.due_at if page.ticket.is_open else None
    return {
        "deadline": words.deadline(due, now, page.hours, page.holidays),
        "window": words.window_words(page.window, now),
        "urgencies": [(one.value, words.urgency_word(one)) for one in Urgency],
        "topics": [(slug, words.topic_word(slug)) for slug in TOPICS],
        "pieces": lambda said: marked_text.marked(said.message.text, said.reading, is_revealed=is_revealed),
        "has_masked": any(marked_text.has_masked(s.message.text, s.reading) for s in page.talk),
        "masked_phone": marked_text.masked_phone,
        "visible": marked_text.visible,
        "speaker": words.speaker,
        "rating_words": words.ratings(),
        "missing_word": words.missing_word,
        "attachment_words": words.ATTACHMENTS,
        "fate": fate.fate,
        "told": history.told,
        "next_step": DEFAULT_NEXT_STEP,
        "today": words.today(now),
    }


# ---- deeds ----------------------------------------------------------------------------------------------------------


def deed(form: str) -> Callable[[V], V]:
    """Around every deed: its refusals become the ticket's page with the problem named and the words kept."""

    def decorate(view: V) -> V:
        @wraps(view)
        def done(number: int) -> Response:
            try:
                return view(number)
            except NotAllowed as refusal:
                return show_ticket(
                    number,
                    status=422,
                    problem=gettext(refusal.sentence, **refusal.values),
                    form=form,
                    kept=kept_words(),
                )
            except EmptyVariable as empty:
                problem = gettext(
                    "Chưa gửi được vì còn thiếu: %(what)s. Nội dung đã soạn vẫn còn; Anh/Chị bổ sung rồi gửi lại.",
                    what=gettext(EMPTY_WORDS.get(empty.variable, empty.variable)),
                )
                return show_ticket(number, status=422, problem=problem, form=form, kept=kept_words())
            except Changed:
                return _conflict(number)

        return require(*OF_TICKETS)(done)  # type: ignore[return-value]

    return decorate


def kept_words() -> dict[str, str]:
    """What was typed, to stand in the form again."""
    return {name: value for name, value in request.form.items() if name not in {"csrf_token", "version", "token"}}


def _conflict(number: int) -> Response:
    changes = changes_since(runtime(), current_official(), number, request.form.get("seen", 0, type=int))
    page = open_page(runtime(), current_official(), current_commune(), number, address=client_address())
    return render(
        "tickets/conflict.html",
        status=409,
        page=page,
        ticket=page.ticket,
        changes=changes,
        told=history.told,
        kept=kept_words(),
        had_image=bool(request.files.get("image")),
        action=request.path,
        token=request.form.get("token", ""),
    )


def version() -> int:
    """The version of the ticket that the official saw when the form was made."""
    found = request.form.get("version", type=int)
    if found is None:
        abort(400)
    return found


def back(number: int) -> Response:
    """To the ticket's page."""
    return redirect(f"/tickets/{number}", 303)


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
        words=request.form.get("words", ""),
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
    notice("Đã niêm phong. Chỉ lãnh đạo và người được giao mật xem được phản ánh này.")
    return redirect("/tickets", 303)


@pages.post("/tickets/<int:number>/revealing")
@require(*OF_TICKETS)
def reveal(number: int) -> Response:
    """Show masked numbers for a few minutes; it is written down."""
    tickets.reveal(runtime(), current_official(), number, client_address())
    now = runtime().now().timestamp()
    former = {key: until for key, until in session.get("revealed", {}).items() if until > now}
    session["revealed"] = {**former, str(number): int(now) + REVEALED_SECONDS}
    return back(number)


def day_given(name: str) -> date | None:
    """A date field of the form, or None when it is empty or no date."""
    try:
        return date.fromisoformat(request.form.get(name, ""))
    except ValueError:
        return None
