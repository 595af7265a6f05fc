"""Pages of a contact: what is held on a person, its export, and its erasure in two steps."""

from __future__ import annotations

from flask import Blueprint, redirect, request, send_file
from werkzeug.wrappers import Response

from bot.access import OF_WHOLE_COMMUNE
from bot.rules.lifecycle import NotAllowed
from bot.rules.revealing import TO_EXPORT, reason_given
from bot.usecases import contact_erasure, contact_export, groups
from bot.usecases.contact_erasure import may_erase
from bot.usecases.contact_files import due_on, open_file
from bot.web import marked_text
from bot.web.fate import WORDS as FATES
from bot.web.language import gettext
from bot.web.security import client_address
from bot.web.shell import current_official, notice, render, require, row_number, runtime
from bot.web.words import REVEAL_REASONS, reasons, today
from storage.enums import Role

pages = Blueprint("contacts", __name__)


@pages.get("/contacts/<int:number>")
@require(*OF_WHOLE_COMMUNE)
def show(number: int) -> Response:
    """What is held on a person, masked."""
    return _page(number)


@pages.post("/contacts/<int:number>/export")
@require(*OF_WHOLE_COMMUNE)
def export(number: int) -> Response:
    """Everything held on them, to hand over."""
    why, words = request.form.get("why", ""), request.form.get("words", "")
    try:
        found = contact_export.export(
            runtime(), current_official(), number, why=why, words=words, address=client_address()
        )
    except NotAllowed as refusal:
        return _page(number, refusal, "export")
    return send_file(found, "application/zip", as_attachment=True, download_name=f"ho-so-{number}.zip")


@pages.post("/contacts/<int:number>/erasure/preview")
@require(Role.LEADER)
def preview(number: int) -> Response:
    """What would go and what stays, before anything does."""
    try:
        return _preview(number)
    except NotAllowed as refusal:
        return _page(number, refusal, "erasure")


@pages.post("/contacts/<int:number>/erasure")
@require(Role.LEADER)
def erase(number: int) -> Response:
    """Erase it, after a second yes."""
    try:
        if request.form.get("sure") != "1":
            raise NotAllowed("not_sure", "Cần đánh dấu xác nhận trước khi xóa.")
        contact_erasure.erase_contact(
            runtime(),
            current_official(),
            number,
            why=request.form.get("why", ""),
            words=request.form.get("words", ""),
            day=contact_erasure.asked_on(runtime(), request.form.get("asked_on", "")),
            seal=request.form.get("seal", ""),
            address=client_address(),
        )
    except NotAllowed as refusal:
        return _again(number, refusal)
    notice("Đã xóa. Trang này là bằng chứng, in được để trả lời người dân.")
    return redirect(f"/contacts/{number}", 303)


@pages.post("/contacts/<int:number>/groups")
@require(*OF_WHOLE_COMMUNE)
def join(number: int) -> Response:
    """Into a group, as they agreed in person."""
    group_id, reason = row_number(request.form.get("group", "")) or 0, request.form.get("reason", "")
    try:
        groups.put_in(runtime(), current_official(), number, group_id, reason=reason, address=client_address())
    except NotAllowed as refusal:
        return _page(number, refusal, "groups")
    notice("Đã thêm vào nhóm.")
    return redirect(f"/contacts/{number}", 303)


@pages.post("/contacts/<int:number>/groups/<int:group_id>/removal")
@require(*OF_WHOLE_COMMUNE)
def leave(number: int, group_id: int) -> Response:
    """Out of a group."""
    groups.take_out(runtime(), current_official(), number, group_id, address=client_address())
    notice("Đã đưa ra khỏi nhóm.")
    return redirect(f"/contacts/{number}", 303)


def _again(number: int, refusal: NotAllowed) -> Response:
    """The preview once more with what was wrong; without day and reason, which it needs, the form before it."""
    try:
        return _preview(number, refusal)
    except NotAllowed as missing:
        return _page(number, missing, "erasure")


def _preview(number: int, refusal: NotAllowed | None = None) -> Response:
    official = current_official()
    day = contact_erasure.asked_on(runtime(), request.form.get("asked_on", ""))
    reason_given(request.form.get("why", ""), request.form.get("words", ""), TO_EXPORT)
    found = open_file(runtime(), official, number)
    due = due_on(runtime(), official, day)
    return render(
        "contacts/erasure.html",
        status=422 if refusal else 200,
        found=found,
        seal=contact_erasure.seal_of(runtime(), found),
        written=request.form,
        due=due,
        tells_by=contact_erasure.tells_by(runtime(), number),
        is_late=due < runtime().now(),
        error=gettext(refusal.sentence, **refusal.values) if refusal else "",
    )


def _page(number: int, refusal: NotAllowed | None = None, form: str = "") -> Response:
    return render(
        "contacts/show.html",
        status=422 if refusal else 200,
        found=open_file(runtime(), current_official(), number),
        belongings=groups.belongings(runtime(), current_official(), number),
        open_groups=[(one.id, one.name) for one in groups.open_groups(runtime(), current_official())],
        reasons=reasons(TO_EXPORT),
        reason_words=REVEAL_REASONS,
        may_erase=may_erase(current_official()),
        masked_phone=marked_text.masked_phone,
        visible=marked_text.masked,
        fates=FATES,
        today=today(runtime().now()),
        written=request.form,
        form=form,
        error=gettext(refusal.sentence, **refusal.values) if refusal else "",
    )
