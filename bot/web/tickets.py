"""Pages of tickets: one ticket, and what officials do with it, each deed a noun to post to."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import date
from functools import wraps
from typing import Any, TypeVar

from flask import Blueprint, abort, g, redirect, render_template, request, session
from werkzeug.wrappers import Response

from bot.access import OF_TICKETS, OF_WHOLE_COMMUNE, may_direct, may_reply, may_reveal, may_unseal, roles_on, sees_names
from bot.rules.clocks import LONGEST_EXTENSION_DAYS
from bot.rules.fallback import best_way
from bot.rules.lifecycle import WITH_REPLY, Given, NotAllowed, may_answer, moves_from
from bot.rules.publishing import ENDED
from bot.rules.results import AFTER_PHOTO, wants_photo
from bot.rules.revealing import TO_REVEAL
from bot.texts import EmptyVariable
from bot.usecases import costs, extending, legal_holds, presence, publishing, slips, tickets, transfers
from bot.usecases.confirming import may_confirm
from bot.usecases.desk import Changed
from bot.usecases.incidents import PART_TIME
from bot.usecases.spots import take
from bot.usecases.ticket_page import Part, TicketPage, changes_since, open_page
from bot.usecases.triage import may_be_restored, may_be_spam
from bot.web import fate, history, marked_text, words
from bot.web.language import N_, gettext
from bot.web.security import client_address, is_poll, wants_fragment
from bot.web.shell import (
    current_commune,
    current_official,
    notice,
    only_news,
    render,
    require,
    row_number,
    runtime,
)
from bot.web.ticket_list import beside, place_of
from bot.web.window_words import plan_words
from nlp.topics import TOPICS
from storage.drafts import DraftKind
from storage.enums import Direction, EventKind, TicketState, Urgency
from storage.publications import is_open

pages = Blueprint("tickets", __name__)

V = TypeVar("V", bound=Callable[..., Response])

REVEALED_SECONDS = 300
MOST_CUES = 6
# Domain §8.2 (5): who is accused must not be the one who reads it.
NOBODY_LEFT = N_(
    "Khi không còn ai ở địa phương được xem phản ánh, người dân cần gửi tố cáo đến Thanh tra tỉnh hoặc Công an tỉnh."
)
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


# ---- one ticket -----------------------------------------------------------------------------------------------------


@pages.get("/tickets/<int:number>")
@require(*OF_TICKETS)
def show(number: int) -> Response:
    """One ticket: what was said, what is known, what may be done."""
    answer = show_ticket(number)
    if not (is_poll() and wants_fragment()):
        return answer
    return only_news(answer, aside=render_template("tickets/_presence.html", is_part=True, **g.beside))


def show_ticket(
    number: int,
    *,
    status: int = 200,
    problem: str = "",
    form: str = "",
    kept: dict[str, str] | None = None,
    priced: costs.Priced | None = None,
    link: str = "",
    asks_anyway: bool = False,
) -> Response:
    """The page of a ticket; after a refusal with the problem named and what was typed kept in the form.

    `link`: the address of a transfer's new link, shown this once. `asks_anyway`: the answer goes once it is ticked.
    """
    official = current_official()
    part = Part(row_number(request.args.get("older", "")), row_number(request.args.get("since", "")))
    page = open_page(runtime(), official, current_commune(), number, address=client_address(), part=part)
    until = session.get("revealed", {}).get(str(number), 0)
    is_revealed = until > runtime().now().timestamp() and may_reveal(official, page.ticket)
    presence.beat(runtime(), official, number, page.was_here)
    g.undoable = page.undoable
    g.beside = {"others": page.others, "masked": marked_text.masked, **_drafts(page)}
    seen = request.args.get("seen", type=int)
    return render(
        "tickets/show.html",
        blocks=("live", "older_part"),
        status=status,
        page=page,
        part=part,
        oldest=page.talk[0].message.id if page.talk else None,
        ticket=page.ticket,
        problem=problem,
        problem_form=form,
        kept=kept or {},
        **g.beside,
        priced=priced,
        is_paid=costs.is_paid(runtime(), page.channel),
        takes_images=costs.takes_images(runtime(), page.channel),
        token=secrets.token_hex(16),
        is_revealed=is_revealed,
        link=link,
        asks_anyway=asks_anyway,
        had_image=bool(request.files.get("image")),
        others_changed=seen is not None and page.last_event_by_official > seen,
        **_rights(page),
        **_hold(page),
        **({} if is_poll() and wants_fragment() else _around(page)),  # the part that refreshes itself has none
        **shown(page, is_revealed=is_revealed),
    )


def _around(page: TicketPage) -> dict[str, Any]:
    return {**_transfers(page), **beside(page.ticket, page.holidays)}


def _drafts(page: TicketPage) -> dict[str, Any]:
    """What the official was writing, by the names of the form's fields, and what colleagues are."""
    mine = {draft.kind: draft for draft, _ in page.drafts if draft.official_id == current_official().id}
    reply, note = mine.get(DraftKind.REPLY), mine.get(DraftKind.NOTE)
    return {
        "own_reply": reply,
        "own_note": note,
        "reply_draft": {**reply.fields, "text": reply.text} if reply else {},
        "note_draft": {"text": note.text} if note else {},
        "colleagues_drafts": [(one, name) for one, name in page.drafts if one.official_id != current_official().id],
    }


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
        "may_confirm": may_confirm(official, ticket),
        "may_approve": ticket.state is TicketState.WAITING_APPROVAL
        and any(m.target is TicketState.ANSWERED for m in moves_from(ticket.state, roles)),
        "may_direct": may_direct(official) and (not ticket.is_sealed or bool(roles)),
        "may_take": not (may_direct(official) or ticket.is_spam)
        and official.agency_id is not None
        and ticket.official_id != official.id,
        "may_unseal": may_unseal(official, ticket),
        "may_publish": is_open(current_commune())
        and ticket.state in ENDED
        and publishing.may_publish(official, ticket),
        "nobody_left": NOBODY_LEFT,
        "may_be_spam": may_be_spam(ticket),
        "may_be_restored": may_be_restored(ticket),
        "may_reveal": may_reveal(official, ticket),
        "sees_names": sees_names(official, ticket),
        "may_part": may_direct(official),
        "wants_photo": not ticket.is_sealed
        and wants_photo(ticket.topic)
        and bool(current_commune().settings.get(AFTER_PHOTO, True)),
        "other_way": best_way(page.other_ways, {page.conversation.urn_id}),
        "may_part_off": may_direct(official)
        and page.joining is not None
        and page.joining.at >= runtime().now() - PART_TIME,
        "may_extend": extending.may_ask(official, ticket, runtime().now()),
        "may_decide": extending.may_decide(official, ticket),
        "may_apologise": extending.may_apologise(official, ticket, runtime().now()),
        "longest_extension": LONGEST_EXTENSION_DAYS,
    }


def _transfers(page: TicketPage) -> dict[str, Any]:
    """What was handed to bodies outside, what may be, and the answer that is being passed on."""
    official, ticket = current_official(), page.ticket
    was_handed = any(event.kind is EventKind.TRANSFER_SENT for event, _ in page.events)
    handed = transfers.handed(runtime(), official, ticket) if was_handed else []
    chosen = request.args.get("passing", type=int)
    passed = next((one for one in handed if one.transfer.id == chosen and one.answer), None)
    answer = passed.answer if passed else None
    may_transfer = transfers.may_send(official, ticket)
    bodies, neighbours = transfers.receivers(runtime(), official) if may_transfer else ([], [])
    return {
        "handed": handed,
        "may_transfer": may_transfer,
        "may_name": transfers.may_name(official, ticket),
        "bodies": bodies,
        "neighbours": neighbours,
        "slip_summary": slips.masked(ticket.summary) if may_transfer else "",
        "transfer_states": words.TRANSFER_STATES,
        "passing": {"text": answer.text, "body": passed.transfer.body, "line": answer.id if answer.image_blob else None}
        if passed and answer
        else None,
    }


def _hold(page: TicketPage) -> dict[str, Any]:
    """Whether the ticket must stay, and who may say so."""
    official = current_official()
    return {
        "hold": page.hold if legal_holds.may_hold(official, page.ticket) else None,
        "may_hold_back": legal_holds.may_hold(official, page.ticket),
        "may_release": legal_holds.may_release(official),
    }


def shown(page: TicketPage, *, is_revealed: bool) -> dict[str, Any]:
    """The words and helpers that templates of a ticket use."""
    now = runtime().now()
    due = page.ticket.due_at if page.ticket.is_open else None
    return {
        "deadline": words.deadline(due, now, page.hours, page.holidays),
        "window": words.window_words(page.window, now),
        "window_lines": plan_words(page.ways, page.channel, has_phone=bool(page.contact.phone)),
        "urgencies": [(one.value, words.urgency_word(one)) for one in Urgency],
        "topics": [(slug, words.topic_word(slug)) for slug in TOPICS],
        "pieces": lambda said: marked_text.marked(said.message.text, said.reading, is_revealed=is_revealed),
        "proposed_words": _cues(page),
        "has_masked": any(marked_text.has_masked(s.message.text, s.reading) for s in page.talk),
        "masked_phone": marked_text.masked_phone,
        "visible": marked_text.visible if is_revealed else marked_text.masked,
        "written_elsewhere": words.written_elsewhere,
        "speaker": words.speaker,
        "rating_words": words.ratings(),
        "missing_word": words.missing_word,
        "playing_word": words.playing_word,
        "length_word": words.length_word,
        "attachment_words": words.ATTACHMENTS,
        "fate": fate.fate,
        "summary": marked_text.summary,
        "because": words.because,
        "told": history.told,
        "deeds": history.deeds,
        "next_step": DEFAULT_NEXT_STEP,
        "today": words.today(now),
        "reveal_reasons": words.reasons(TO_REVEAL),
    }


def _cues(page: TicketPage) -> list[str]:
    """The words the reader went by, each once, the first few."""
    pieces = (
        piece.text.strip()
        for said in page.talk
        if said.message.direction is Direction.IN
        for piece in marked_text.marked(said.message.text, said.reading, is_revealed=False)
        if piece.kind == "evidence"
    )
    return list({piece.casefold(): piece for piece in pieces if piece}.values())[:MOST_CUES]


# ---- deeds ----------------------------------------------------------------------------------------------------------


def deed(form: str) -> Callable[[V], V]:
    """Around every deed: its refusals become the ticket's page with the problem named and the words kept."""

    def decorate(view: V) -> V:
        @wraps(view)
        def done(number: int, **more: int) -> Response:
            if "answered" in request.form and "confirmed" not in request.form:
                return _conflict(number, is_unconfirmed=True)
            try:
                return view(number, **more)
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


_NOT_KEPT = frozenset({"csrf_token", "version", "token", "then", "anyway", "answered", "confirmed", "kind"})


def kept_words() -> dict[str, str]:
    """What was typed, to stand in the form again."""
    return {name: value for name, value in request.form.items() if name not in _NOT_KEPT}


def _conflict(number: int, *, is_unconfirmed: bool = False) -> Response:
    """What happened meanwhile beside what was typed; who would answer a second time must say that they mean to."""
    seen = request.form.get("answered" if is_unconfirmed else "seen", 0, type=int)
    changes = changes_since(runtime(), current_official(), number, seen)
    page = open_page(runtime(), current_official(), current_commune(), number, address=client_address())
    said = {event.data.get("message_id") or event.data.get("approved") for event, _ in changes}
    return render(
        "tickets/conflict.html",
        status=409,
        page=page,
        ticket=page.ticket,
        changes=changes,
        answers=[one for one in page.talk if one.message.id in said] if request.path.endswith("/replies") else [],
        is_unconfirmed=is_unconfirmed,
        seen=seen,
        fate=fate.fate,
        speaker=words.speaker,
        told=history.told,
        visible=marked_text.masked,
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
    """To the ticket's page, or on to the next ticket of the list it was opened from, as the official wished."""
    return redirect(place_of(request.form).after_deed(number, request.form), 303)


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


def day_given(name: str) -> date | None:
    """A date field of the form, or None when it is empty or no date."""
    try:
        return date.fromisoformat(request.form.get(name, ""))
    except ValueError:
        return None
