"""The page on which officials decide about publishing a result: the citizen's word, the words, a preview, and back."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from bot.access import OF_TICKETS
from bot.rules.lifecycle import NotAllowed
from bot.rules.publishing import LONGEST_RESULT, LONGEST_SUMMARY
from bot.texts import EmptyVariable
from bot.usecases import publishing
from bot.usecases.desk import Changed
from bot.usecases.publishing import Edited
from bot.web import history
from bot.web.deeds import version
from bot.web.language import gettext
from bot.web.shell import current_official, notice, render, require, row_number, runtime

pages = Blueprint("publications", __name__)

V = TypeVar("V", bound=Callable[..., Response])


def explained(view: V) -> V:
    """Around what may be refused: the page again, with the problem named and the words kept."""

    @wraps(view)
    def done(number: int) -> Response:
        try:
            return view(number)
        except NotAllowed as refusal:
            return _page(number, problem=gettext(refusal.sentence, **refusal.values))
        except EmptyVariable:
            return _page(number, problem=gettext("Chưa hỏi được người dân vì lời nhắn còn thiếu thông tin."))
        except Changed:
            return _page(number, problem=gettext("Phản ánh vừa thay đổi. Anh/Chị xem lại rồi thực hiện lần nữa."))

    return require(*OF_TICKETS)(done)  # type: ignore[return-value]


@pages.get("/tickets/<int:number>/publication")
@require(*OF_TICKETS)
def edit(number: int) -> Response:
    """What may be published, and how it stands."""
    return _page(number)


@pages.post("/tickets/<int:number>/publication")
@explained
def update(number: int) -> Response:
    """Show how it would stand on the list, ask the citizen, or publish what was shown."""
    what, edited = request.form.get("what", ""), _edited()
    if what == "publish":
        sign = request.form.get("sign", "")
        publishing.publish(runtime(), current_official(), number, version=version(), edited=edited, sign=sign)
        notice("Đã công khai. Gỡ xuống được bất cứ lúc nào.")
        return redirect(f"/tickets/{number}/publication", 303)
    if what == "ask":
        publishing.ask(runtime(), current_official(), number, version=version(), edited=edited)
        notice("Đã hỏi ý kiến người dân trên kênh của họ.")
        return redirect(f"/tickets/{number}/publication", 303)
    kept, sign, place = publishing.preview(runtime(), current_official(), number, edited)
    return _page(number, previewed=kept, sign=sign, place=place)


@pages.post("/tickets/<int:number>/publication/withdrawal")
@explained
def withdraw(number: int) -> Response:
    """Take it from the list."""
    publishing.withdraw(runtime(), current_official(), number, version=version())
    notice("Đã gỡ khỏi danh sách công khai.")
    return redirect(f"/tickets/{number}/publication", 303)


@pages.post("/tickets/<int:number>/publication/consent")
@explained
def consent(number: int) -> Response:
    """Write down what the citizen said."""
    has_agreed, how = request.form.get("agreed") == "yes", request.form.get("how", "")
    publishing.note_answer(
        runtime(), current_official(), number, version=version(), has_agreed=has_agreed, how=how
    )  # fmt: skip
    notice("Đã ghi ý kiến của người dân.")
    return redirect(f"/tickets/{number}/publication", 303)


def _edited() -> Edited:
    return Edited(
        request.form.get("summary", ""),
        request.form.get("result", ""),
        row_number(request.form.get("place", "")),
        request.form.get("photo") == "1",
    )


def _page(
    number: int, *, problem: str = "", previewed: Edited | None = None, sign: str = "", place: str | None = None
) -> Response:  # fmt: skip
    found = publishing.desktop(runtime(), current_official(), number)
    is_kept = problem and "summary" in request.form
    return render(
        "publications/edit.html",
        status=422 if problem else 200,
        found=found,
        ticket=found.ticket,
        draft=previewed or (_edited() if is_kept else found.draft),
        previewed=previewed,
        sign=sign,
        place=place,
        problem=problem,
        refusal=gettext(found.refusal.sentence, **found.refusal.values) if found.refusal else "",
        told=history.told,
        longest_summary=LONGEST_SUMMARY,
        longest_result=LONGEST_RESULT,
    )
