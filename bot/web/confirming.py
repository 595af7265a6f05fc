"""Agreeing with what the machine proposes of a report, and going on to the next."""

from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response

from bot.usecases.confirming import confirm
from bot.web import words
from bot.web.deeds import back, deed, version
from bot.web.shell import current_official, notice, runtime

pages = Blueprint("confirming", __name__)


@pages.post("/tickets/<int:number>/confirmation")
@deed("confirmation")
def create(number: int) -> Response:
    """The proposal is right: the report is taken in and its agency has it."""
    code, state = confirm(runtime(), current_official(), number, version=version())
    notice("%(code)s: đã xác nhận, %(state)s.", code=code, state=words.state_word(state).lower())
    return back(number)
