"""Pages for citizens: a form without an account, and the talk that a secret link opens. They work without scripts.

A form carries no sign-in that another site could misuse, so it needs no token against that; a link is all there is.
"""

from __future__ import annotations

import re
import secrets

import structlog
from flask import Blueprint, abort, g, redirect, request
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from werkzeug.wrappers import Response

from bot.usecases import heads, web_form
from bot.usecases.heads import Holder
from bot.usecases.web_form import FormProblem, Page, SentFile, Written
from bot.web.language import LOCALES, gettext
from bot.web.security import client_address, csrf
from bot.web.shell import render, runtime

log = structlog.get_logger()

pages = Blueprint("public", __name__)
csrf.exempt(pages)

_LINK = re.compile(r"[0-9A-Za-z_-]{20,64}", re.ASCII)
_ONCE = re.compile(r"[0-9A-Za-z_-]{8,40}", re.ASCII)
_DEGREES = re.compile(r"-?\d{1,3}(?:\.\d{1,15})?", re.ASCII)


@pages.before_request
def choose_language() -> None:
    """The language that the address asks for."""
    chosen = request.args.get("locale", "")
    if chosen in LOCALES:
        g.locale = chosen


@pages.after_request
def may_ask_where(answer: Response) -> Response:
    """A page may ask where its reader is, and no search engine keeps it."""
    answer.headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=(self)"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


@pages.errorhandler(OperationalError)
@pages.errorhandler(InterfaceError)
@pages.errorhandler(NoConnection)
def away(error: Exception) -> Response:
    """The database cannot be asked: whoever has just sent something must not believe that we have it."""
    log.error("page.database_away", error=type(error).__name__)
    answer = render("public/away.html", status=503, is_sent=request.method == "POST")
    answer.headers["Retry-After"] = "60"
    return answer


@pages.get("/phan-anh/<slug:slug>")
def form(slug: str) -> Response:
    """An empty form."""
    return _form(_open_page(slug))


@pages.post("/phan-anh/<slug:slug>")
def send(slug: str) -> Response:
    """Keep what was written and lead to its page."""
    page = _open_page(slug)
    request.max_content_length = web_form.MOST_BYTES
    link = request.form.get("link", "")
    link = link if _LINK.fullmatch(link) else web_form.new_link()
    problem = _kept(page, link, holder_of_link(page, link))
    return _form(page, problem, link) if problem else redirect(_address(page, link), 303)


@pages.get("/phan-anh/<slug:slug>/<link>")
def talk(slug: str, link: str) -> Response:
    """What was said under this link."""
    return _talk(page_of(slug), link)


@pages.post("/phan-anh/<slug:slug>/<link>")
def add(slug: str, link: str) -> Response:
    """Keep what was added, or the answer that was chosen."""
    page = page_of(slug)
    request.max_content_length = web_form.MOST_BYTES
    holder = holder_of_link(page, link)
    if holder is None and web_form.read(runtime(), page, link) is None:
        abort(404)
    problem = _kept(page, link, holder)
    return _talk(page, link, problem) if problem else redirect(f"{_address(page, link)}#end", 303)


@pages.get("/phan-anh/<slug:slug>/<link>/photos/<int:number>")
def photo(slug: str, link: str, number: int) -> Response:
    """The photo that came with an answer."""
    page = page_of(slug)
    holder_of_link(page, link)
    data = web_form.picture(runtime(), page, link, number)
    if data is None:
        abort(404)
    answer = Response(data, mimetype="image/jpeg")
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return answer


def page_of(slug: str) -> Page:
    """The commune's page of this name; 404 for none."""
    page = web_form.page_of(runtime(), slug)
    if page is None:
        abort(404)
    return page


def _open_page(slug: str) -> Page:
    page = page_of(slug)
    if page.channel.settings.get(web_form.CLOSED):
        abort(404)
    return page


def _address(page: Page, link: str) -> str:
    return f"/phan-anh/{page.channel.slug}/{link}"


def holder_of_link(page: Page, link: str) -> Holder | None:
    """The village head whose link this is; 404 for what is no link, and for one that was taken back."""
    holder = heads.holder_of(runtime(), page, link) if _LINK.fullmatch(link) else None
    if not _LINK.fullmatch(link) or (holder is not None and not holder.is_valid):
        abort(404)
    return holder


def _kept(page: Page, link: str, holder: Holder | None = None) -> FormProblem | None:
    """Write down what was sent; the reason when it could not be."""
    if request.form.get("leave_empty"):
        return FormProblem("Ô dành cho máy phải để trống. Ông/bà vui lòng xóa nội dung ô ấy rồi gửi lại.")
    try:
        written = form_written()
        if holder is not None and "choice" not in request.form:
            written = heads.said_by(holder, written, request.form.get("where", ""))
        web_form.write(runtime(), page, link, written, address=client_address())
    except FormProblem as problem:
        return problem
    return None


def form_written() -> Written:
    """What the form of this request says."""
    once = request.form.get("once", "")
    return Written(
        once=once if _ONCE.fullmatch(once) else secrets.token_urlsafe(12),
        text=request.form.get("choice") or request.form.get("text", ""),
        files=[SentFile(one.filename or "", one.read()) for one in request.files.getlist("photos") if one.filename],
        pin=_pin(),
        name=request.form.get("name", "").strip(),
        phone=request.form.get("phone", "").strip(),
        has_consented=request.form.get("consent") == "1",
    )


def _pin() -> tuple[float, float] | None:
    latitude, longitude = request.form.get("latitude", ""), request.form.get("longitude", "")
    if not (_DEGREES.fullmatch(latitude) and _DEGREES.fullmatch(longitude)):
        return None
    return float(latitude), float(longitude)


def _form(page: Page, problem: FormProblem | None = None, link: str = "") -> Response:
    return render(
        "public/form.html",
        status=422 if problem else 200,
        page=page,
        link=link or web_form.new_link(),
        once=_once(problem),
        written=request.form,
        problem=gettext(problem.sentence, **problem.values) if problem else None,
        duty_phone=dict(page.commune.settings).get("duty_phone"),
        most_files=web_form.MOST_FILES,
    )


def _talk(page: Page, link: str, problem: FormProblem | None = None) -> Response:
    holder = holder_of_link(page, link)
    found = web_form.read(runtime(), page, link)
    if found is None:
        if holder is None:
            abort(404)
        found = web_form.Talk(page)
    return render(
        "public/talk.html",
        blocks=("talk",),
        status=422 if problem else 200,
        page=page,
        here=_address(page, link),
        talk=found,
        holder=holder,
        once=_once(problem),
        written=request.form if problem else {},
        problem=gettext(problem.sentence, **problem.values) if problem else None,
        duty_phone=dict(page.commune.settings).get("duty_phone"),
        most_files=web_form.MOST_FILES,
    )


def _once(problem: FormProblem | None) -> str:
    """What makes this form one: kept when it is shown again, so that a second try is no second report."""
    given = request.form.get("once", "") if problem else ""
    return given if _ONCE.fullmatch(given) else secrets.token_urlsafe(12)
