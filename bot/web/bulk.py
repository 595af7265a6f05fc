"""Many reports in one go: what would happen, doing it, what became of each, and taking it back."""

from __future__ import annotations

import re
import secrets
from typing import Any

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from bot.access import OF_TICKETS, may_direct
from bot.rules.bulk import MOST
from bot.rules.lifecycle import NotAllowed
from bot.usecases import bulk, bulk_page, bulk_preview, bulk_undo
from bot.usecases.bulk_preview import Preview, Wish
from bot.web import marked_text, words
from bot.web.deeds import day_given
from bot.web.language import N_, gettext
from bot.web.shell import current_official, notice, render, require, row_number, runtime
from bot.web.ticket_list import place_of
from nlp.topics import TOPICS
from storage.bulk import BulkItem
from storage.enums import BulkDeed, ItemState
from storage.officials import Official

pages = Blueprint("bulk", __name__)

DEEDS = {
    BulkDeed.RECEIVE: N_("Tiếp nhận"),
    BulkDeed.ASSIGN: N_("Phân công"),
    BulkDeed.TOPIC: N_("Đổi lĩnh vực"),
    BulkDeed.SNOOZE: N_("Hẹn xem lại"),
    BulkDeed.JOIN: N_("Ghép thành một vụ việc"),
    BulkDeed.SPAM: N_("Chuyển vào tin rác"),
}
_MANY = {
    BulkDeed.RECEIVE: N_("Tiếp nhận %(n)s phản ánh"),
    BulkDeed.ASSIGN: N_("Phân công %(n)s phản ánh"),
    BulkDeed.TOPIC: N_("Đổi lĩnh vực %(n)s phản ánh"),
    BulkDeed.SNOOZE: N_("Hẹn xem lại %(n)s phản ánh"),
    BulkDeed.JOIN: N_("Ghép %(n)s phản ánh thành một vụ việc"),
    BulkDeed.SPAM: N_("Chuyển %(n)s phản ánh vào tin rác"),
}
_TOKEN = re.compile(r"[0-9a-f]{16,64}")


def deeds_of(official: Official) -> dict[BulkDeed, str]:
    """What this official may do with many reports at once."""
    return DEEDS if may_direct(official) else {BulkDeed.SNOOZE: DEEDS[BulkDeed.SNOOZE]}


@pages.post("/tickets/bulk/preview")
@require(*OF_TICKETS)
def preview() -> Response:
    """Say of each report what would happen; nothing is done."""
    return _preview_page()


@pages.post("/tickets/bulk")
@require(*OF_TICKETS)
def create() -> Response:
    """Do it, once for this form."""
    wish, token = _wish(), request.form.get("token", "")
    if wish is None or not _TOKEN.fullmatch(token):
        return _preview_page()
    try:
        number = bulk.begin(runtime(), current_official(), token, wish, _versions())
    except NotAllowed as refusal:
        return _preview_page(refusal)
    bulk.carry_on(runtime(), current_official(), number)
    return redirect(f"/tickets/bulk/{number}?{place_of(request.form).query}", 303)


@pages.get("/tickets/bulk/<int:number>")
@require(*OF_TICKETS)
def show(number: int) -> Response:
    """What became of each."""
    page = bulk_page.open_run(runtime(), current_official(), number)
    left = (page.run.until - runtime().now()).total_seconds() if page.run.until else 0
    groups = [
        (gettext(title, n=len(page.of(state))), page.of(state), state)
        for state, title in (
            (ItemState.WAITING, N_("Chưa làm xong: %(n)s")),
            (ItemState.KEPT, N_("Giữ nguyên, không hoàn tác: %(n)s")),
            (ItemState.UNDONE, N_("Đã hoàn tác: %(n)s")),
            (ItemState.DONE, N_("Đã làm: %(n)s")),
            (ItemState.LEFT_OUT, N_("Bỏ qua: %(n)s")),
        )
        if page.of(state)
    ]
    return render(
        "tickets/bulk_run.html",
        page=page,
        groups=groups,
        what=_what(page),
        why=_why,
        bulk_left=max(1, round(left)),
        place=place_of(request.args),
        row_summary=marked_text.summary,
    )


@pages.post("/tickets/bulk/<int:number>/continuation")
@require(*OF_TICKETS)
def carry_on(number: int) -> Response:
    """Do what a crash left undone."""
    bulk.carry_on(runtime(), current_official(), number)
    return _back(number)


@pages.post("/tickets/bulk/<int:number>/undoing")
@require(*OF_TICKETS)
def undo(number: int) -> Response:
    """Take it back, where nobody has gone on since."""
    try:
        bulk_undo.undo(runtime(), current_official(), number)
    except NotAllowed as refusal:
        notice(refusal.sentence, "problem")
    else:
        notice("Đã hoàn tác. Kết quả từng phản ánh ở bên dưới.")
    return _back(number)


def _back(number: int) -> Response:
    return redirect(f"/tickets/bulk/{number}?{place_of(request.form).query}", 303)


# ---- the form -------------------------------------------------------------------------------------------------------


def _wish() -> Wish | None:
    try:
        deed = BulkDeed(request.form.get("deed", ""))
    except ValueError:
        return None
    topic = request.form.get("topic", "")
    return Wish(
        deed,
        tuple(number for one in request.form.getlist("ticket") if (number := row_number(one.partition(":")[0]))),
        agency_id=row_number(request.form.get("agency", "")),
        topic=topic if topic in TOPICS else None,
        until=request.form.get("until", "")[:20],
        day=day_given("day"),
    )


def _versions() -> dict[int, int]:
    pairs = (one.partition(":") for one in request.form.getlist("ticket"))
    return {row_number(number) or 0: row_number(version) or 0 for number, _, version in pairs}


def _preview_page(refusal: NotAllowed | None = None) -> Response:
    wish, seen = _wish(), None
    if wish is None:
        refusal = NotAllowed("no_deed", "Anh/Chị chưa chọn việc cần làm.")
    else:
        try:
            seen = bulk_preview.preview(runtime(), current_official(), wish)
        except NotAllowed as found:
            refusal = found
    return render(
        "tickets/bulk_preview.html",
        status=422 if refusal else 200,
        problem=gettext(refusal.sentence, **refusal.values) if refusal else "",
        wish=wish,
        seen=seen,
        heading=gettext(DEEDS[wish.deed]) if wish else gettext("Làm với nhiều phản ánh"),
        button=gettext(_MANY[wish.deed], n=seen.many) if wish and seen else "",
        token=secrets.token_hex(16),
        place=place_of(request.form),
        most=MOST,
        will=(lambda one: _will(wish, seen, one)) if wish and seen else None,
        refused=lambda one: gettext(one.refusal.sentence, **one.refusal.values),
        row_summary=marked_text.summary,
        **(_choices(wish) if wish else {}),
    )


def _choices(wish: Wish) -> dict[str, Any]:
    return {
        "agencies": bulk_preview.agencies(runtime(), current_official()) if wish.deed is BulkDeed.ASSIGN else [],
        "topics": [(slug, words.topic_word(slug)) for slug in TOPICS],
        "moments": [
            (one.until.value, words.snooze_word(one)) for one in bulk_preview.moments(runtime(), current_official())
        ],
    }


def _will(wish: Wish, seen: Preview, one: bulk_preview.Foreseen) -> str:
    """What will happen to one report."""
    ticket, lead = one.ticket, seen.lead
    if wish.deed is BulkDeed.RECEIVE:
        return gettext("Được tiếp nhận vào sổ.")
    if wish.deed is BulkDeed.ASSIGN:
        if one.agency is not None and one.agency == seen.agency:
            return gettext("Giao cho %(agency)s như hệ thống đề xuất.", agency=one.agency)
        before = one.agency or gettext("chưa có đơn vị")
        return gettext("Chuyển từ %(before)s sang %(after)s.", before=before, after=seen.agency or "")
    if wish.deed is BulkDeed.TOPIC:
        before, after = words.topic_word(ticket.topic), words.topic_word(wish.topic)
        if ticket.topic == wish.topic:
            return gettext("Xác nhận lĩnh vực: %(topic)s.", topic=after)
        return gettext("Lĩnh vực: %(before)s → %(after)s; hạn tính lại theo lĩnh vực.", before=before, after=after)
    if wish.deed is BulkDeed.SNOOZE and seen.until is not None:
        return gettext("Hẹn xem lại lúc %(luc)s.", luc=words.moment(seen.until))
    if wish.deed is BulkDeed.SPAM:
        return gettext("Đóng, không trả lời người gửi; khôi phục được.")
    if one.is_lead or lead is None:
        return gettext("Là phản ánh chính; các phản ánh khác ghép vào đây.")
    return gettext("Ghép vào %(code)s; người gửi được báo và nhận kết quả chung.", code=lead.code)


def _what(page: bulk_page.RunPage) -> str:
    """What was wished, in a sentence."""
    deed, given = page.run.deed, page.run.given
    if deed is BulkDeed.ASSIGN:
        return gettext("Phân công cho %(agency)s.", agency=page.agency or "")
    if deed is BulkDeed.TOPIC:
        return gettext("Đổi lĩnh vực thành: %(topic)s.", topic=words.topic_word(given.get("topic")))
    until = bulk_page.until_of(page.run)
    if until is not None:
        return gettext("Hẹn xem lại lúc %(luc)s.", luc=words.moment(until))
    if deed is BulkDeed.JOIN:
        return gettext("Ghép thành một vụ việc, phản ánh chính: %(code)s.", code=page.lead or "…")
    return gettext(DEEDS[deed])


def _why(item: BulkItem) -> str:
    """Why a report was left out, or kept as it is."""
    if item.state not in {ItemState.LEFT_OUT, ItemState.KEPT}:
        return ""
    why: str = item.why.get("sentence", N_("Không còn trong phần Anh/Chị được xem."))
    return gettext(why, **item.why.get("values", {}))
