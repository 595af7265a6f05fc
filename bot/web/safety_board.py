"""The board of an emergency: villages' answers as they come, who needs help, and the lists behind each figure."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, abort, redirect, request, session
from werkzeug.wrappers import Response

from bot.access import sees_tickets
from bot.rules.lifecycle import NotAllowed
from bot.rules.revealing import TO_REVEAL
from bot.usecases import bulletin_following, safety_board
from bot.usecases.announcing import AnnouncementError, NoSuchAnnouncement
from bot.usecases.safety_board import PEOPLE_ON_A_PAGE, READERS
from bot.web.bulletin_forms import said
from bot.web.language import N_, gettext
from bot.web.looks import REVEALED_SECONDS
from bot.web.security import client_address
from bot.web.shell import current_official, notice, only_news, render, require, row_number, runtime
from bot.web.words import reasons
from storage.enums import Role
from storage.safety_board import FIGURES, HELP, NOWHERE, REACHED, SAFE, SILENT, TOLD, Person

pages = Blueprint("safety_board", __name__)

HERE = "/announcements/bulletins"
FIGURE_WORDS = {
    TOLD: N_("Người nhận"),
    REACHED: N_("Đã gửi"),
    SAFE: N_("An toàn"),
    HELP: N_("Cần giúp"),
    SILENT: N_("Chưa trả lời"),
}
_HOUR, _DAY = 60, 24 * 60


@pages.get(f"{HERE}/<int:number>/board")
@require(*READERS)
def show(number: int) -> Response:
    """How everybody is who was told."""
    try:
        board = safety_board.board(runtime(), current_official(), number)
    except NoSuchAnnouncement:
        abort(404)
    return only_news(
        render(
            "bulletins/board.html",
            blocks=("board",),
            board=board,
            figures=[(figure, gettext(FIGURE_WORDS[figure])) for figure in FIGURES],
            name_of=lambda person: safety_board.shown_name(person, is_revealed=False),
            since=lambda person: _since(board.now.timestamp() - person.at.timestamp()) if person.at else "",
            opens_tickets=sees_tickets(current_official()),
            opens_bulletin=current_official().has(Role.AUTHOR, Role.APPROVER, Role.LEADER),
        )
    )


@pages.get(f"{HERE}/<int:number>/people")
@require(*READERS)
def people(number: int) -> Response:
    """Those whom a figure of the board counts, masked until somebody says what for."""
    return _people_page(number)


@pages.post(f"{HERE}/<int:number>/people")
@require(*READERS)
def reveal(number: int) -> Response:
    """Show names and numbers for a few minutes; it is written down."""
    why, words = request.form.get("why", ""), request.form.get("words", "")
    try:
        safety_board.reveal(runtime(), current_official(), number, why=why, words=words, address=client_address())
    except NoSuchAnnouncement:
        abort(404)
    except NotAllowed as refusal:
        return _people_page(number, refusal)
    now = runtime().now().timestamp()
    former = {key: until for key, until in session.get("revealed", {}).items() if until > now}
    session["revealed"] = {**former, f"bulletin:{number}": int(now) + REVEALED_SECONDS}
    return redirect(request.full_path.rstrip("?"), 303)


@pages.post(f"{HERE}/<int:number>/repeats")
@require(Role.AUTHOR)
def repeats(number: int) -> Response:
    """Ask for the same emergency once more."""
    only_silent = request.form.get("whom") == "silent"
    try:
        made = bulletin_following.repeat(runtime(), current_official(), number, only_silent=only_silent)
    except NoSuchAnnouncement:
        abort(404)
    except AnnouncementError as error:
        notice(said(error) or "", "problem")
        return redirect(f"{HERE}/{number}", 303)
    notice("Đã trình lần nhắc lại. Người duyệt thấy trong danh sách; chưa duyệt thì chưa gửi cho ai.")
    return redirect(f"{HERE}/{made}", 303)


def _people_page(number: int, refusal: NotAllowed | None = None) -> Response:
    figure, wanted = request.args.get("figure", TOLD), request.args.get("place", "")
    place_id = NOWHERE if wanted == "0" else row_number(wanted)
    after = row_number(request.args.get("after", "")) or 0
    if place_id == 0 and wanted != "0":
        abort(404)
    try:
        found = safety_board.people(runtime(), current_official(), number, figure, place_id=place_id, after=after)
    except NoSuchAnnouncement:
        abort(404)
    is_revealed = session.get("revealed", {}).get(f"bulletin:{number}", 0) > runtime().now().timestamp()
    rows = found.rows[:PEOPLE_ON_A_PAGE]
    return render(
        "bulletins/people.html",
        status=422 if refusal else 200,
        found=found,
        rows=rows,
        title=gettext(FIGURE_WORDS.get(found.figure, FIGURE_WORDS[TOLD])),
        next_after=rows[-1].urn_id if len(found.rows) > len(rows) else None,
        is_revealed=is_revealed,
        name_of=_namer(is_revealed=is_revealed),
        number_of=safety_board.number_of,
        answers={"safe": gettext(FIGURE_WORDS[SAFE]), "help": gettext(FIGURE_WORDS[HELP])},
        opens_tickets=sees_tickets(current_official()),
        reveal_reasons=reasons(TO_REVEAL),
        problem=gettext(refusal.sentence, **refusal.values) if refusal else None,
        wanted=wanted,
    )


def _namer(*, is_revealed: bool) -> Callable[[Person], str]:
    return lambda person: safety_board.shown_name(person, is_revealed=is_revealed)


def _since(seconds: float) -> str:
    minutes = max(0, int(seconds // 60))
    if not minutes:
        return gettext("vừa xong")
    if minutes < _HOUR:
        return gettext("%(n)s phút trước", n=minutes)
    if minutes < _DAY:
        return gettext("%(n)s giờ trước", n=minutes // _HOUR)
    return gettext("%(n)s ngày trước", n=minutes // _DAY)
