"""The weeks' "Hỏi – đáp cùng bà con" on the commune's page: for everybody, for feed readers. No cookie, no script."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, abort, request
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from werkzeug.wrappers import Response

from bot.usecases import edition_reading, published
from bot.usecases.edition_reading import OF_FEED, PAGE
from bot.web import public, resolved
from bot.web.security import csrf
from bot.web.shell import runtime

pages = Blueprint("weekly_answers", __name__)
csrf.exempt(pages)
for _error in (OperationalError, InterfaceError, NoConnection):
    pages.register_error_handler(_error, public.away)
pages.before_request(resolved.choose_language)

FOLDER = "hoi-dap"


@pages.get("/phan-anh/<slug:slug>/hoi-dap")
def index(slug: str) -> Response:
    """The weeks, the latest first."""
    page = published.open_list(runtime(), slug)
    before = day_in(request.args.get("truoc", ""))
    told = edition_reading.told(runtime(), page, before=before)
    return resolved.open_page(
        "weekly_answers/index.html",
        page,
        FOLDER,
        told=[one for one in told[:PAGE] if one.entries],
        next_before=told[PAGE - 1].week if len(told) > PAGE else None,
        is_first=before is None,
    )


@pages.get("/phan-anh/<slug:slug>/hoi-dap/<week>")
def show(slug: str, week: str) -> Response:
    """One week."""
    page = published.open_list(runtime(), slug)
    one = edition_reading.told_in(runtime(), page, day_in(week) or date.min)
    return resolved.open_page("weekly_answers/show.html", page, FOLDER, one=one)


@pages.get("/phan-anh/<slug:slug>/hoi-dap.atom")
def feed(slug: str) -> Response:
    """The latest weeks for readers of feeds."""
    page = published.open_list(runtime(), slug)
    told = edition_reading.told(runtime(), page, limit=OF_FEED)[:OF_FEED]
    answer = resolved.open_page("weekly_answers/feed.xml", page, FOLDER, told=[one for one in told if one.entries])
    answer.headers["Content-Type"] = "application/atom+xml; charset=utf-8"
    return answer


def day_in(words: str) -> date | None:
    """A day in an address; none for no words, 404 for what is none."""
    if not words:
        return None
    try:
        return date.fromisoformat(words)
    except ValueError:
        abort(404)
