"""Place pages: the commune's own list of names, its form, and tables that come in and go out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from bot.rules.place_list import BYTES_AT_MOST, KIND_AT_MOST, NAME_AT_MOST, RowProblem
from bot.usecases import places
from bot.usecases.places import KEEPERS, PAGE, PlaceProblem, Preview
from bot.web.language import N_, gettext
from bot.web.shell import current_official, notice, render, require, runtime
from storage.communes import Place

pages = Blueprint("places", __name__)

SHOWN_AT_MOST = 200
# Flask reads no field longer than half a million letters.
PIECE = 400_000


@pages.get("/places")
@require(*KEEPERS)
def index() -> Response:
    """The list, a page of it at a time, searched without regard to accents."""
    search = request.args.get("search", "").strip()[:NAME_AT_MOST]
    is_retired = request.args.get("view") == "retired"
    page = min(max(request.args.get("page", 1, type=int), 1), 1000)
    seen = places.listing(runtime(), current_official(), search=search, is_retired=is_retired, page=page)
    return render(
        "places/index.html",
        seen=seen,
        search=search,
        is_retired=is_retired,
        page=page,
        has_more=page * PAGE < seen.found,
    )


@pages.get("/places/new")
@require(*KEEPERS)
def new() -> Response:
    """An empty form."""
    return _form(None)


@pages.post("/places")
@require(*KEEPERS)
def create() -> Response:
    """Add a place."""
    return _saved(None, lambda: places.add(runtime(), current_official(), **_written()), N_("Đã thêm địa danh."))


@pages.get("/places/<int:number>/edit")
@require(*KEEPERS)
def edit(number: int) -> Response:
    """The form with a place as it stands."""
    return _form(places.find(runtime(), current_official(), number))


@pages.post("/places/<int:number>")
@require(*KEEPERS)
def update(number: int) -> Response:
    """Keep what was corrected."""
    place = places.find(runtime(), current_official(), number)
    seen = request.form.get("seen", "")
    return _saved(
        place,
        lambda: places.edit(runtime(), current_official(), number, seen=seen, **_written()),
        N_("Đã lưu địa danh."),
    )


@pages.post("/places/<int:number>/retirement")
@require(*KEEPERS)
def retire(number: int) -> Response:
    """No longer read messages as naming it."""
    places.set_active(runtime(), current_official(), number, is_active=False)
    notice("Đã ngừng dùng địa danh. Phản ánh cũ vẫn giữ địa danh này.")
    return redirect("/places", 303)


@pages.post("/places/<int:number>/restoration")
@require(*KEEPERS)
def restore(number: int) -> Response:
    """Use it again."""
    try:
        places.set_active(runtime(), current_official(), number, is_active=True)
    except PlaceProblem as error:
        notice(error.sentence, "problem", **error.values)
        return redirect("/places?view=retired", 303)
    notice("Địa danh đã được dùng lại.")
    return redirect("/places", 303)


@pages.get("/places/upload")
@require(*KEEPERS)
def upload() -> Response:
    """Where a table comes in."""
    return render("places/upload.html", error=None)


@pages.post("/places/upload")
@require(*KEEPERS)
def show_preview() -> Response:
    """What the table would change, or what is wrong with it; nothing is saved."""
    file = request.files.get("file")
    if file is None or not file.filename:
        return render("places/upload.html", status=422, error=gettext("Chưa chọn tệp. Vui lòng chọn tệp CSV."))
    data = file.stream.read(BYTES_AT_MOST + 1)
    file.close()
    return _preview_page(places.preview(runtime(), current_official(), data))


@pages.post("/places/upload/confirmation")
@require(*KEEPERS)
def confirm() -> Response:
    """Make the list what was shown."""
    try:
        done = places.confirm(
            runtime(),
            current_official(),
            "".join(request.form.getlist("rows")),
            seen=request.form.get("seen", ""),
            retire_missing="retire_missing" in request.form,
        )
    except PlaceProblem as error:
        return render("places/upload.html", status=422, error=gettext(error.sentence, **error.values))
    notice("Đã lưu danh sách: thêm %(moi)s, sửa %(sua)s.", moi=len(done.new), sua=len(done.changed))
    return redirect("/places", 303)


@pages.get("/places/places.csv")
@require(*KEEPERS)
def export() -> Response:
    """The list in use, as a table."""
    return _table(places.export(runtime(), current_official()), "dia-danh.csv")


@pages.get("/places/template.csv")
@require(*KEEPERS)
def template() -> Response:
    """A table to start from."""
    return _table(places.template(), "dia-danh-mau.csv")


def _table(made: str, name: str) -> Response:
    return Response(
        made,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _saved(place: Place | None, act: Callable[[], object], sentence: str) -> Response:
    try:
        act()
    except PlaceProblem as error:
        return _form(place, error=error)
    notice(sentence)
    return redirect("/places", 303)


def _form(place: Place | None, error: PlaceProblem | None = None) -> Response:
    if request.method == "POST":
        written: dict[str, Any] = _written()
        seen = request.form.get("seen", "")
    elif place is not None:
        written = {"name": place.name, "kind": place.kind, "aliases": "\n".join(place.aliases), "parent": place.parent}
        seen = places.state_of(place)
    else:
        written = dict.fromkeys(("name", "kind", "aliases", "parent"), "")
        seen = ""
    return render(
        "places/form.html",
        status=422 if error else 200,
        place=place,
        written=written,
        seen=seen,
        name_at_most=NAME_AT_MOST,
        kind_at_most=KIND_AT_MOST,
        error=gettext(error.sentence, **error.values) if error else None,
    )


def _written() -> dict[str, str]:
    return {name: request.form.get(name, "") for name in ("name", "kind", "aliases", "parent")}


def _preview_page(seen: Preview) -> Response:
    rows = places.packed(seen.table.entries)
    return render(
        "places/preview.html",
        status=422 if seen.table.problems else 200,
        seen=seen,
        changes=seen.comparison,
        problems=[(problem.line, _said(problem)) for problem in seen.table.problems],
        pieces=[rows[at : at + PIECE] for at in range(0, len(rows), PIECE)],
        shown_at_most=SHOWN_AT_MOST,
    )


def _said(problem: RowProblem) -> str:
    return gettext(problem.sentence, **problem.values)
