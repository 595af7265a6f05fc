"""The page of results that wait for a leader: made for one thumb, each card for itself or several at once."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from flask import Blueprint, g, redirect, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response

from bot.rules.lifecycle import LEADERS, SHORTEST_REASON, NotAllowed
from bot.rules.undoing import MOST_SECONDS, undo_time
from bot.usecases import alerts, approvals, undoing
from bot.usecases.approvals import SHOWN_AT_MOST, Outcome
from bot.usecases.communes import holidays_of, working_hours
from bot.usecases.desk import Changed
from bot.web import marked_text, words
from bot.web.language import gettext
from bot.web.shell import current_commune, current_official, notice, render, require, row_number, runtime
from bot.web.undoing import remember_undo
from nlp.reading import Reading
from storage.undo import UNDONE

pages = Blueprint("approvals", __name__)


@pages.get("/approvals")
@require(*LEADERS)
def index() -> Response:
    """The cards, the most pressing first."""
    return _page()


@pages.post("/approvals")
@require(*LEADERS)
def approve() -> Response:
    """Approve what was ticked, or the one whose button was pressed; each is told for itself."""
    one = request.form.get("one")
    chosen = [pair for value in ([one] if one else request.form.getlist("chosen")) if (pair := _pair(value))]
    if not chosen:
        return _page(status=422, problem=gettext("Anh/Chị chưa chọn kết quả nào để duyệt."))
    outcomes = approvals.approve_all(runtime(), current_official(), chosen[:SHOWN_AT_MOST])
    _tell(outcomes)
    return redirect("/approvals", 303)


@pages.post("/approvals/returns")
@require(*LEADERS)
def send_back() -> Response:
    """Return one to whoever works on it, with a note."""
    pair, note = _pair(request.form.get("one", "")), request.form.get("words", "")
    if pair is None:
        return _page(status=422, problem=gettext("Phản ánh không còn chờ duyệt."))
    try:
        approvals.send_back(runtime(), current_official(), pair[0], version=pair[1], words=note)
    except NotAllowed as refusal:
        problem = gettext(refusal.sentence, **refusal.values)
        return _page(status=422, problem=problem, problem_of=pair[0], note=note)
    except Changed:
        problem = gettext("Phản ánh vừa có thay đổi. Anh/Chị đọc lại rồi duyệt.")
        return _page(status=409, problem=problem, problem_of=pair[0], note=note)
    notice("Đã trả lại để sửa. Người dân chưa nhận được gì.")
    return redirect("/approvals", 303)


@pages.post("/approvals/undoing")
@require(*LEADERS)
def undo() -> Response:
    """Take one back that was approved a moment ago; it waits here again."""
    ticket, send = row_number(request.form.get("ticket", "")) or 0, row_number(request.form.get("send", "")) or 0
    try:
        undoing.undo(runtime(), current_official(), ticket, send)
    except NotAllowed as refusal:
        notice(refusal.sentence, "info" if refusal.code == UNDONE else "problem", **refusal.values)
    else:
        notice("Đã hoàn tác. Người dân không nhận được gì; kết quả lại chờ duyệt.")
    return redirect("/approvals", 303)


@pages.app_context_processor
def _of_navigation() -> dict[str, Any]:
    return {"approvals_waiting": _count}


def _count() -> int | None:
    """How many wait for this official, for the link; None for whom nothing ever waits."""
    if g.signed_in is None or not approvals.may_approve(g.signed_in.official):
        return None
    try:
        return approvals.count(runtime(), g.signed_in.official)
    except SQLAlchemyError:
        return None  # the link stands on pages that say what is wrong, too


def _page(*, status: int = 200, problem: str = "", problem_of: int = 0, note: str = "") -> Response:
    official, commune, now = current_official(), current_commune(), runtime().now()
    cards, many = approvals.waiting(runtime(), official)
    hours = working_hours(dict(commune.settings))
    with runtime().database.reading() as session:
        holidays = holidays_of(session, commune.id)
    g.lists_undoable = True
    waits = undo_time(commune.settings)
    return render(
        "approvals/index.html",
        status=status,
        cards=cards,
        many=many,
        all_chosen=request.args.get("all") == "1",
        chosen=set(request.form.getlist("chosen")),
        problem=problem,
        problem_of=problem_of,
        note=note,
        calls=alerts.unseen(runtime(), official),
        undoables=undoing.all_undoable(runtime(), official, most=SHOWN_AT_MOST) if waits else [],
        deadline=lambda due_at: words.deadline(due_at, now, hours, holidays),
        masked=marked_text.masked,
        pieces=_pieces,
        clock_words=words.clock_words,
        row_visible=marked_text.masked,
        seconds=int(waits.total_seconds()) if waits else 0,
        shortest=SHORTEST_REASON,
    )


def _pieces(message: Any) -> list[marked_text.Piece]:
    reading = Reading.from_json(message.reading) if message.reading else None
    return marked_text.marked(message.text, reading, is_revealed=False)


def _tell(outcomes: list[Outcome]) -> None:
    """What was approved in one line, what was not by its reason: nothing is passed over in silence."""
    done = [one.code for one in outcomes if one.refusal is None]
    if done and undo_time(current_commune().settings):
        remember_undo(MOST_SECONDS)
    if done:
        notice("Đã duyệt %(n)s kết quả: %(ma)s.", n=len(done), ma=", ".join(done))
    refused: dict[str, list[str]] = defaultdict(list)
    for one in outcomes:
        if one.refusal is not None:
            refused[gettext(one.refusal.sentence, **one.refusal.values)].append(one.code or f"#{one.ticket_id}")
    for reason, codes in refused.items():
        notice("Chưa duyệt %(ma)s: %(lydo)s", "problem", ma=", ".join(codes), lydo=reason)


def _pair(value: str) -> tuple[int, int] | None:
    """The number of a ticket and the version that was read."""
    number, _, version = value.partition(":")
    found = row_number(number), row_number(version)
    return (found[0], found[1]) if found[0] and found[1] else None
