"""Earlier answers beside the composer: looked for when it is seen, put into the field when an official says so."""

from __future__ import annotations

from flask import Blueprint, make_response, render_template, request
from werkzeug.wrappers import Response

from bot.rules.lifecycle import NotAllowed
from bot.usecases import earlier_answers
from bot.web import words
from bot.web.answer_templates import filled
from bot.web.deeds import deed, kept_words
from bot.web.language import gettext
from bot.web.security import wants_fragment
from bot.web.shell import current_official, row_number, runtime
from bot.web.ticket_page import show_ticket

pages = Blueprint("earlier_answers", __name__)


@pages.post("/tickets/<int:number>/earlier-answers")
@deed("replies")
def look(number: int) -> Response:
    """Which earlier answers fit, or with one chosen: put it behind what stands in the field; nothing is sent."""
    if "earlier" in request.form:
        return _use(number)
    found = earlier_answers.offered(runtime(), current_official(), number)
    if wants_fragment():
        shown = {"earlier": found, "ticket_id": number, "rating_words": words.ratings(), "is_part": True}
        return make_response(render_template("tickets/_earlier.html", **shown))
    return show_ticket(number, form="replies", kept=kept_words(), earlier=found)


def _use(number: int) -> Response:
    typed = request.form.get("text", "")
    chosen = row_number(request.form["earlier"])
    try:
        text = earlier_answers.use(runtime(), current_official(), number, chosen, typed)
    except NotAllowed as refusal:
        if not wants_fragment():
            raise
        return filled(number, typed, gettext(refusal.sentence, **refusal.values))
    return filled(number, text)
