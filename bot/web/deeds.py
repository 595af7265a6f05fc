"""Around every deed on a ticket: refusals become its page again, with the problem named and the words kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import wraps
from typing import TypeVar

from flask import abort, redirect, request
from werkzeug.wrappers import Response

from bot.access import OF_TICKETS
from bot.rules.lifecycle import NotAllowed
from bot.texts import EmptyVariable
from bot.usecases.desk import Changed
from bot.usecases.ticket_page import changes_since, open_page
from bot.web import fate, history, marked_text, words
from bot.web.language import N_, gettext
from bot.web.security import client_address
from bot.web.shell import current_commune, current_official, render, require, runtime
from bot.web.ticket_list import place_of
from bot.web.ticket_page import show_ticket

V = TypeVar("V", bound=Callable[..., Response])

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


def day_given(name: str) -> date | None:
    """A date field of the form, or None when it is empty or no date."""
    try:
        return date.fromisoformat(request.form.get(name, ""))
    except ValueError:
        return None
