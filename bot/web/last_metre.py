"""Pages of the last metre: whom no channel reached, village by village, a sheet to print, a tick for each person."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, request
from werkzeug.wrappers import Response

from bot.access import NotFound
from bot.rules.lifecycle import NotAllowed
from bot.rules.revealing import TO_REVEAL
from bot.usecases import last_metre
from bot.usecases.announcing import AnnouncementError
from bot.usecases.last_metre import ON_A_PAGE, ON_A_SHEET, READERS, Finding, of_audience, of_bulletin
from bot.web import marked_text
from bot.web.bulletin_forms import said
from bot.web.language import N_, gettext
from bot.web.security import client_address
from bot.web.shell import current_official, notice, render, require, row_number, runtime
from bot.web.words import reasons
from storage.last_metre import NO_CHANNEL, NOT_SENT, REFUSED, STOPPED, UNKNOWN, UNREACHABLE, WINDOW

pages = Blueprint("last_metre", __name__)

WHY = {
    UNKNOWN: N_("Không rõ đã nhận chưa"),
    REFUSED: N_("Kênh không cho gửi"),
    STOPPED: N_("Dừng hoặc hết hạn trước khi gửi"),
    WINDOW: N_("Lâu chưa liên hệ nên kênh không cho gửi"),
    UNREACHABLE: N_("Đã chặn hoặc không còn dùng kênh"),
    NOT_SENT: N_("Theo dõi kênh khác hoặc đã hết lượt nhận loại tin này"),
    NO_CHANNEL: N_("Không theo dõi kênh nào"),
}
OF_BULLETIN = "/announcements/bulletins/<int:number>/last-metre"
OF_AUDIENCE = "/announcements/audiences/<int:number>/last-metre"


@pages.get(OF_BULLETIN)
@require(*READERS)
def show(number: int) -> Response:
    """How many an approved bulletin did not reach."""
    return _overview(number, of_bulletin)


@pages.get(f"{OF_BULLETIN}/<int:place_id>")
@require(*READERS)
def village(number: int, place_id: int) -> Response:
    """The people of one village."""
    return _sheet(number, place_id, of_bulletin)


@pages.get(f"{OF_BULLETIN}/<int:place_id>/sheet")
@require(*READERS)
def printed(number: int, place_id: int) -> Response:
    """The same to print and take along."""
    return _sheet(number, place_id, of_bulletin, is_printed=True)


@pages.post(f"{OF_BULLETIN}/<int:place_id>/revealing")
@require(*READERS)
def reveal(number: int, place_id: int) -> Response:
    """The sheet with telephone numbers, for a reason that is written down."""
    return _revealed(number, place_id, of_bulletin)


@pages.post(f"{OF_BULLETIN}/<int:place_id>/tellings")
@require(*READERS)
def tell(number: int, place_id: int) -> Response:
    """Somebody was told, or was not after all."""
    contact = row_number(request.form.get("contact", "")) or 0
    is_undone = request.form.get("undo") == "1"
    act = last_metre.untell if is_undone else last_metre.tell
    try:
        act(runtime(), current_official(), number, contact)
    except NotFound:
        abort(404)
    except AnnouncementError as error:
        return _problem(number, error)
    if is_undone:
        notice("Đã bỏ đánh dấu.")
    else:
        notice("Đã ghi Anh/Chị báo cho người này.")
    after = row_number(request.form.get("after", "")) or 0
    return redirect(
        f"/announcements/bulletins/{number}/last-metre/{place_id}" + (f"?after={after}" if after else ""), 303
    )


@pages.get(OF_AUDIENCE)
@require(*READERS)
def show_audience(number: int) -> Response:
    """How many of a saved audience cannot be reached now."""
    return _overview(number, of_audience)


@pages.get(f"{OF_AUDIENCE}/<int:place_id>")
@require(*READERS)
def audience_village(number: int, place_id: int) -> Response:
    """The people of one village."""
    return _sheet(number, place_id, of_audience)


@pages.get(f"{OF_AUDIENCE}/<int:place_id>/sheet")
@require(*READERS)
def printed_audience(number: int, place_id: int) -> Response:
    """The same to print."""
    return _sheet(number, place_id, of_audience, is_printed=True)


@pages.post(f"{OF_AUDIENCE}/<int:place_id>/revealing")
@require(*READERS)
def reveal_audience(number: int, place_id: int) -> Response:
    """The sheet with telephone numbers."""
    return _revealed(number, place_id, of_audience)


def _overview(number: int, finding: Finding) -> Response:
    try:
        found = last_metre.overview(runtime(), current_official(), number, finding)
    except NotFound:
        abort(404)
    except AnnouncementError as error:
        return _problem(number, error)
    return render("last_metre/overview.html", found=found, back=_back(number, finding), here=_here(number, finding))


def _sheet(
    number: int, place_id: int, finding: Finding, *, is_printed: bool = False, refusal: NotAllowed | None = None
) -> Response:
    after = row_number(request.values.get("after", "")) or 0
    limit = ON_A_SHEET if is_printed else ON_A_PAGE
    try:
        found = last_metre.sheet(
            runtime(), current_official(), number, place_id, after=after, limit=limit, finding=finding
        )
    except NotFound:
        abort(404)
    except AnnouncementError as error:
        return _problem(number, error)
    return _page(number, finding, found, after=after, is_printed=is_printed, refusal=refusal)


def _revealed(number: int, place_id: int, finding: Finding) -> Response:
    after = row_number(request.form.get("after", "")) or 0
    try:
        found = last_metre.reveal(
            runtime(), current_official(), number, place_id,
            why=request.form.get("why", ""), words=request.form.get("words", ""), address=client_address(),
            after=after, limit=ON_A_SHEET, finding=finding,
        )  # fmt: skip
    except NotFound:
        abort(404)
    except AnnouncementError as error:
        return _problem(number, error)
    except NotAllowed as refusal:
        return _sheet(number, place_id, finding, is_printed=True, refusal=refusal)
    return _page(number, finding, found, after=after, is_printed=True)


def _page(
    number: int, finding: Finding, found: last_metre.Sheet, *, after: int, is_printed: bool,
    refusal: NotAllowed | None = None,
) -> Response:  # fmt: skip
    return render(
        "last_metre/sheet.html" if is_printed else "last_metre/village.html",
        status=422 if refusal else 200,
        found=found,
        here=f"{_here(number, finding)}/{found.village.id}",
        back=_here(number, finding),
        after=after,
        is_ticked=finding is of_bulletin,
        why_words=WHY,
        visible=marked_text.masked,
        masked_phone=marked_text.masked_phone,
        reasons=reasons(TO_REVEAL),
        written=request.form,
        error=gettext(refusal.sentence, **refusal.values) if refusal else "",
    )


def _problem(number: int, error: AnnouncementError) -> Response:
    notice(said(error) or "", "problem")
    return redirect(f"/announcements/bulletins/{number}", 303)


def _back(number: int, finding: Finding) -> str:
    return f"/announcements/{'bulletins' if finding is of_bulletin else 'audiences'}/{number}"


def _here(number: int, finding: Finding) -> str:
    return f"{_back(number, finding)}/last-metre"
