"""Drafts on the page: saved while one writes, or by a button without scripts."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, abort, make_response, render_template, request
from werkzeug.wrappers import Response

from bot.rules.lifecycle import NotAllowed
from bot.usecases import drafts
from bot.web.deeds import back, deed, kept_words
from bot.web.language import gettext
from bot.web.security import wants_fragment
from bot.web.shell import current_official, notice, runtime
from bot.web.ticket_page import show_ticket
from bot.web.words import of_today
from storage.drafts import DraftKind

pages = Blueprint("drafts", __name__)

_FORMS = {DraftKind.REPLY: "replies", DraftKind.NOTE: "notes"}
_FIELDS = ("result", "everyone", "checked_on", "exemption", "next_step")


@pages.post("/tickets/<int:number>/drafts")
@deed("drafts")
def save(number: int) -> Response:
    """Keep what stands in a composer: one line for a page that saves by itself, the whole page without scripts."""
    try:
        kind = DraftKind(request.form.get("kind", ""))
    except ValueError:
        abort(400)
    fields = {name: request.form[name] for name in _FIELDS if request.form.get(name)}
    text, token = request.form.get("text", ""), request.form.get("token", "")
    try:
        saved_at = drafts.save(runtime(), current_official(), number, kind, text=text, fields=fields, token=token)
    except NotAllowed as refusal:
        problem = gettext(refusal.sentence, **refusal.values)
        return show_ticket(number, status=422, problem=problem, form=_FORMS[kind], kept=kept_words())
    if wants_fragment():
        return make_response(render_template("tickets/_saved.html", saved_at=saved_at))
    _say(saved_at)
    return back(number)


def _say(saved_at: datetime | None) -> None:
    if saved_at is None:
        notice("Không có gì để lưu nháp.", "info")
    else:
        notice("Đã lưu nháp %(at)s", at=of_today(saved_at))
