"""Taking back: the line that offers it wherever the official goes next, and the button behind it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, request, session
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response

from bot.rules.lifecycle import NotAllowed
from bot.rules.undoing import MOST_SECONDS, undo_time
from bot.usecases import undoing
from bot.web.deeds import back, deed
from bot.web.security import wants_fragment
from bot.web.shell import current_commune, current_official, notice, runtime
from storage.undo import UNDONE, Undoable

pages = Blueprint("undoing", __name__)

_UNTIL = "undo_until"


@pages.post("/tickets/<int:number>/sends/<int:send>/undoing")
@deed("undoing")
def create(number: int, send: int) -> Response:
    """Take back what was sent a moment ago."""
    try:
        undoing.undo(runtime(), current_official(), number, send)
    except NotAllowed as refusal:
        if refusal.code != UNDONE:
            raise
        notice(refusal.sentence, "info")
    else:
        notice("Đã hoàn tác. Người dân không nhận được gì; nội dung đã soạn trở lại chỗ cũ.")
    return back(number)


def remember_undo(seconds: int) -> None:
    """For so long the official's next pages ask whether something can still be taken back."""
    session[_UNTIL] = runtime().now().timestamp() + seconds


def sent(sentence: str, at_once: str) -> None:
    """Say that something was sent: that it waits a moment, or `at_once` where the commune wants no waiting."""
    if undo_time(current_commune().settings):
        remember_undo(MOST_SECONDS)
        notice(sentence)
    else:
        notice(at_once)


@pages.app_context_processor
def _still_undoable() -> dict[str, Any]:
    return {"undoable": _found, "undo_code": lambda: g.get("undo_code", ""), "seconds_left": _seconds_left}


def _found() -> Undoable | None:
    """What this official may still take back: its ticket's page knows, others ask for a while after a sending."""
    if g.get("undoable") is not None:
        found: Undoable = g.undoable
        return found
    if g.get("lists_undoable"):
        return None  # the page has a line for each of its own
    is_soon = session.get(_UNTIL, 0) > runtime().now().timestamp()
    if g.signed_in is None or not is_soon or wants_fragment() or request.path.endswith("/undoing"):
        return None
    try:
        latest = undoing.still_undoable(runtime(), current_official())
    except SQLAlchemyError:
        return None  # this stands on pages that say what is wrong, too
    if latest is None:
        return None
    g.undo_code = latest[1]  # on another page it must be said of what
    return latest[0]


def _seconds_left(one: Undoable) -> int:
    return max(1, round((one.until - runtime().now()).total_seconds()))
