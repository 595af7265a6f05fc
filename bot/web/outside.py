"""The page of a body outside: what a one-time link opens, where it says that it has it, asks, and answers.

No account and no cookie; it works without scripts. Whoever holds the link is the body.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from functools import wraps
from types import SimpleNamespace
from typing import Any

from flask import Blueprint, abort, g, redirect, request
from werkzeug.wrappers import Response

from bot.access import NotFound
from bot.rules.lifecycle import NotAllowed
from bot.usecases import transfer_links
from bot.usecases.transfer_links import TooOften
from bot.web.language import LOCALES, gettext
from bot.web.security import client_address, csrf
from bot.web.shell import render, runtime
from bot.web.transfers import jpeg, line_written, pdf
from storage.enums import TransferLineKind

pages = Blueprint("outside", __name__)
csrf.exempt(pages)

_TOKEN = re.compile(r"[0-9A-Za-z_-]{20,64}", re.ASCII)


@pages.before_request
def _language() -> None:
    chosen = request.args.get("locale", "")
    g.locale = chosen if chosen in LOCALES else "vi"


@pages.after_request
def _say_nothing_about_it(answer: Response) -> Response:
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


def guarded(view: Callable[..., Response]) -> Callable[..., Response]:
    """Around every page of a link: what cannot be one opens nothing, and who tries many must wait."""

    @wraps(view)
    def checked(token: str, **more: Any) -> Response:
        if not _TOKEN.fullmatch(token):
            abort(404)
        try:
            return view(token, **more)
        except TooOften:
            abort(429)

    return checked


@pages.get("/chuyen/<token>")
@guarded
def show(token: str) -> Response:
    """What was handed over, and what was said since."""
    return _page(token)


@pages.post("/chuyen/<token>/tiep-nhan")
@guarded
def accept(token: str) -> Response:
    """The body has it."""
    transfer_links.accept(runtime(), token, client_address())
    return redirect(f"/chuyen/{token}", 303)


@pages.post("/chuyen/<token>/hoi")
@guarded
def ask(token: str) -> Response:
    """The body asks the desk."""
    return _say(token, TransferLineKind.QUESTION)


@pages.post("/chuyen/<token>/tra-loi")
@guarded
def answer(token: str) -> Response:
    """The body answers; an official passes it on."""
    return _say(token, TransferLineKind.ANSWER)


@pages.get("/chuyen/<token>/phieu.pdf")
@guarded
def paper(token: str) -> Response:
    """The phiếu chuyển."""
    row, data = transfer_links.paper_file(runtime(), token, client_address())
    return pdf(data, f"phieu-chuyen-{row.number}-{row.year}.pdf")


@pages.get("/chuyen/<token>/anh/<int:number>")
@guarded
def photo(token: str, number: int) -> Response:
    """A photo of the slip."""
    return jpeg(transfer_links.photo(runtime(), token, client_address(), number))


@pages.get("/chuyen/<token>/anh-tra-loi/<int:line>")
@guarded
def answer_photo(token: str, line: int) -> Response:
    """A photo that was sent since."""
    return jpeg(transfer_links.answer_photo(runtime(), token, client_address(), line))


def _say(token: str, kind: TransferLineKind) -> Response:
    if request.form.get("leave_empty"):
        return _page(token, kind=kind, problem=gettext("Ô dành cho máy phải để trống. Anh/Chị xóa nội dung ô ấy."))
    try:
        transfer_links.say(runtime(), token, client_address(), line_written(kind))
    except NotAllowed as refusal:
        return _page(token, kind=kind, problem=gettext(refusal.sentence, **refusal.values))
    return redirect(f"/chuyen/{token}#da-gui", 303)


def _page(token: str, *, kind: TransferLineKind | None = None, problem: str = "") -> Response:
    try:
        found = transfer_links.open_link(runtime(), token, client_address())
    except NotFound:
        return render("outside/closed.html", status=404, page=SimpleNamespace(commune=None))
    return render(
        "outside/show.html",
        status=422 if problem else 200,
        page=SimpleNamespace(commune=found.commune),
        found=found,
        slip=found.slip,
        transfer=found.transfer,
        here=f"/chuyen/{token}",
        once=secrets.token_urlsafe(12),
        written=request.form if problem else {},
        form=kind,
        problem=problem,
    )
