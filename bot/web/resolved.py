"""The public list of resolved reports: for everybody, for search engines and feed readers. No cookie, no script."""

from __future__ import annotations

import hashlib
from typing import Any

from flask import Blueprint, abort, g, request
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from werkzeug.wrappers import Response

from bot.usecases import published
from bot.usecases.web_form import Page
from bot.web import public
from bot.web.language import LOCALES
from bot.web.security import csrf
from bot.web.shell import LARGEST_NUMBER, render, runtime
from nlp.topics import TOPICS

pages = Blueprint("resolved", __name__)
csrf.exempt(pages)
for _error in (OperationalError, InterfaceError, NoConnection):
    pages.register_error_handler(_error, public.away)


@pages.before_request
def choose_language() -> None:
    """The address alone chooses: what one reader gets is what all get."""
    chosen = request.args.get("locale", "")
    g.locale = chosen if chosen in LOCALES else "vi"


@pages.get("/phan-anh/<slug:slug>/da-giai-quyet")
def index(slug: str) -> Response:
    """A page of the list."""
    page = published.open_list(runtime(), slug)
    topic, place, before = request.args.get("linh-vuc", ""), _number("thon"), _number("truoc")
    if topic and topic not in TOPICS:
        abort(404)
    shelf = published.listing(runtime(), page, topic=topic, place_id=place, before=before)
    return open_page("resolved/index.html", page, shelf=shelf, topic=topic, place=place, is_first=before is None)


@pages.get("/phan-anh/<slug:slug>/da-giai-quyet/<int:number>")
def show(slug: str, number: int) -> Response:
    """One result."""
    page = published.open_list(runtime(), slug)
    return open_page("resolved/show.html", page, one=published.one(runtime(), page, number))


@pages.get("/phan-anh/<slug:slug>/da-giai-quyet/<int:number>/anh")
def photo(slug: str, number: int) -> Response:
    """The photo of afterwards."""
    page = published.open_list(runtime(), slug)
    answer = Response(published.photo(runtime(), page, number), mimetype="image/jpeg")
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return _checked_again(answer)


@pages.get("/phan-anh/<slug:slug>/da-giai-quyet.atom")
def feed(slug: str) -> Response:
    """The latest results for readers of feeds."""
    page = published.open_list(runtime(), slug)
    answer = open_page("resolved/feed.xml", page, entries=published.latest(runtime(), page))
    answer.headers["Content-Type"] = "application/atom+xml; charset=utf-8"
    return answer


@pages.get("/robots.txt")
def robots() -> Response:
    """What search engines may read: the public lists, nothing else."""
    lines = ["User-agent: *", "Allow: /phan-anh/*/da-giai-quyet", "Allow: /phan-anh/*/hoi-dap"]
    lines += ["Allow: /static/", "Disallow: /"]
    lines.append(f"Sitemap: {runtime().settings.base_url}/sitemap.xml")
    return _checked_again(Response("\n".join(lines) + "\n", mimetype="text/plain"))


@pages.get("/sitemap.xml")
def sitemap() -> Response:
    """Where the public lists are; a rehearsal is not named."""
    answer = render("resolved/sitemap.xml", lists=published.open_lists(runtime()), base=runtime().settings.base_url)
    answer.headers["Content-Type"] = "application/xml; charset=utf-8"
    return _checked_again(answer)


def open_page(template: str, page: Page, folder: str = "da-giai-quyet", **values: Any) -> Response:
    """A page for everybody; `folder`: the list it belongs to."""
    answer = render(
        template,
        page=page,
        base=runtime().settings.base_url,
        here=f"/phan-anh/{page.channel.slug}/{folder}",
        duty_phone=dict(page.commune.settings).get("duty_phone"),
        **values,
    )
    if page.commune.is_demo:
        answer.headers["X-Robots-Tag"] = "noindex"
    return _checked_again(answer)


def _checked_again(answer: Response) -> Response:
    """Whoever kept a copy asks first whether it still holds, so that what was taken down is gone everywhere at once."""
    answer.headers["Cache-Control"] = "public, no-cache"
    answer.set_etag(hashlib.sha256(answer.get_data()).hexdigest()[:24])
    return answer.make_conditional(request.environ)


def _number(name: str) -> int | None:
    raw = request.args.get(name, "")
    if not raw:
        return None
    if not (raw.isascii() and raw.isdecimal() and int(raw[:19]) <= LARGEST_NUMBER):
        abort(404)
    return int(raw)
