"""Pages of village heads: who has a personal link, a new one, and taking one back."""

from __future__ import annotations

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from bot.usecases import heads
from bot.usecases.heads import KEEPERS, HeadProblem
from bot.web.language import gettext
from bot.web.shell import current_commune, current_official, notice, render, require, row_number, runtime

pages = Blueprint("heads", __name__)


@pages.get("/village-heads")
@require(*KEEPERS)
def index() -> Response:
    """The list, and the form for one more."""
    return _page()


@pages.post("/village-heads")
@require(*KEEPERS)
def create() -> Response:
    """Write one down and show the link, this once."""
    try:
        address = heads.add(
            runtime(),
            current_official(),
            current_commune(),
            name=request.form.get("name", ""),
            phone=request.form.get("phone", ""),
            place_id=row_number(request.form.get("place_id", "")) or 0,
            has_consented=request.form.get("consent") == "1",
        )
    except HeadProblem as problem:
        return _page(problem)
    return _page(address=address)


@pages.post("/village-heads/<int:number>/revocation")
@require(*KEEPERS)
def revoke(number: int) -> Response:
    """Let the link open nothing any more."""
    heads.revoke(runtime(), current_official(), number)
    notice("Đã thu hồi đường dẫn. Các phản ánh đã gửi vẫn còn nguyên.")
    return redirect("/village-heads", 303)


def _page(problem: HeadProblem | None = None, address: str = "") -> Response:
    return render(
        "heads/index.html",
        status=422 if problem else 200,
        heads=heads.listing(runtime(), current_official()),
        villages=[(place.id, place.name) for place in heads.villages(runtime(), current_official())],
        written=request.form if problem else {},
        address=address,
        error=gettext(problem.sentence, **problem.values) if problem else None,
    )
