"""Pages of whom announcements are for: saved questions with their counts and prices, groups, and prices of channels."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, abort, redirect, request
from werkzeug.wrappers import Response

from bot.access import NotFound
from bot.usecases import groups, last_metre, prices, saved_audiences
from bot.usecases.announcements import channels_for
from bot.usecases.announcing import READERS, AnnouncementError
from bot.usecases.saved_audiences import Asked
from bot.web.audience_forms import choices, typed_about, typed_channels
from bot.web.audience_words import in_words
from bot.web.bulletin_forms import said
from bot.web.shell import current_official, notice, render, require, row_number, runtime
from storage.audiences import About
from storage.enums import Role
from storage.saved_audiences import SavedAudience

pages = Blueprint("audiences", __name__)

HERE, GROUPS, PRICES = "/announcements/audiences", "/announcements/groups", "/announcements/prices"
OF_GROUPS = (Role.AUTHOR, Role.LEADER)
OF_PRICES = (Role.ADMIN, Role.LEADER)


@pages.get(HERE)
@require(*READERS)
def index() -> Response:
    """The saved questions, in words."""
    rows = saved_audiences.listing(runtime(), current_official())
    words = _words()
    return render(
        "audiences/index.html",
        rows=[(one, words(one.about)) for one in rows],
        may_write=current_official().has(Role.AUTHOR),
    )


@pages.get(f"{HERE}/new")
@require(Role.AUTHOR)
def new() -> Response:
    """An empty question on all channels."""
    return _form(None)


@pages.post(HERE)
@require(Role.AUTHOR)
def create() -> Response:
    """Keep a question."""
    try:
        number = saved_audiences.save(runtime(), current_official(), _typed())
    except AnnouncementError as error:
        return _form(None, error)
    notice("Đã lưu đối tượng nhận tin.")
    return redirect(f"{HERE}/{number}", 303)


@pages.get(f"{HERE}/<int:number>")
@require(*READERS)
def show(number: int) -> Response:
    """How many it is now on each channel, and what writing to them costs."""
    found = _counted(number)
    return render(
        "audiences/show.html",
        found=found,
        words=_words()(found.saved.about),
        may_write=current_official().has(Role.AUTHOR),
        may_tell=current_official().has(*last_metre.READERS),
        **choices(),
    )


@pages.get(f"{HERE}/<int:number>/edit")
@require(Role.AUTHOR)
def edit(number: int) -> Response:
    """The question to be changed."""
    return _form(_counted(number).saved)


@pages.post(f"{HERE}/<int:number>")
@require(Role.AUTHOR)
def update(number: int) -> Response:
    """Keep what was changed."""
    version = row_number(request.form.get("version", "")) or 0
    try:
        saved_audiences.change(runtime(), current_official(), number, _typed(), version=version)
    except NotFound:
        abort(404)
    except AnnouncementError as error:
        return _form(_counted(number).saved, error)
    notice("Đã lưu đối tượng nhận tin.")
    return redirect(f"{HERE}/{number}", 303)


@pages.post(f"{HERE}/<int:number>/removal")
@require(Role.AUTHOR)
def remove(number: int) -> Response:
    """Forget the question."""
    try:
        saved_audiences.delete(runtime(), current_official(), number)
    except NotFound:
        abort(404)
    notice("Đã xóa đối tượng nhận tin. Bản tin đã soạn giữ bản riêng nên không đổi.")
    return redirect(HERE, 303)


@pages.get(GROUPS)
@require(*READERS)
def show_groups() -> Response:
    """The commune's groups."""
    return _groups()


@pages.post(GROUPS)
@require(*OF_GROUPS)
def add_group() -> Response:
    """A new group."""
    name = request.form.get("name", "")
    return _with_groups(lambda: groups.add(runtime(), current_official(), name), "Đã lập nhóm.")


@pages.post(f"{GROUPS}/<int:number>")
@require(*OF_GROUPS)
def rename_group(number: int) -> Response:
    """Another name."""
    name = request.form.get("name", "")
    return _with_groups(lambda: groups.rename(runtime(), current_official(), number, name), "Đã đổi tên nhóm.")


@pages.post(f"{GROUPS}/<int:number>/end")
@require(*OF_GROUPS)
def end_group(number: int) -> Response:
    """The group is no more."""
    return _with_groups(
        lambda: groups.end(runtime(), current_official(), number), "Đã bỏ nhóm và danh sách người trong nhóm."
    )


@pages.get(PRICES)
@require(*READERS)
def show_prices() -> Response:
    """What channels charge."""
    return _prices()


@pages.post(f"{PRICES}/<int:number>")
@require(*OF_PRICES)
def set_price(number: int) -> Response:
    """Say what one message costs."""
    typed = request.form.get("dong", "").strip().replace(".", "")
    amount = None if not typed else int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 10 else -1
    try:
        prices.set_price(runtime(), current_official(), number, amount)
    except NotFound:
        abort(404)
    except AnnouncementError as error:
        return _prices(error)
    notice("Đã lưu đơn giá. Bản tin đang chờ duyệt được tính lại theo giá này.")
    return redirect(PRICES, 303)


def _form(saved: SavedAudience | None, error: AnnouncementError | None = None) -> Response:
    channels = channels_for(runtime(), current_official())
    if request.method == "POST":
        asked = _typed()
    elif saved is not None:
        asked = Asked(saved.name, tuple(saved.channel_ids), saved.about)
    else:
        asked = Asked("", tuple(channel.id for channel in channels), About())
    return render(
        "audiences/form.html",
        status=422 if error else 200,
        saved=saved,
        asked=asked,
        channels=channels,
        version=request.form.get("version") or (saved.version if saved else 0),
        error=said(error),
        **choices(),
    )


def _typed() -> Asked:
    return Asked(request.form.get("name", ""), typed_channels(), typed_about())


def _counted(number: int) -> saved_audiences.Counted:
    try:
        return saved_audiences.look_at(runtime(), current_official(), number)
    except NotFound:
        abort(404)


def _words() -> Callable[[About], str]:
    offered = choices()
    villages = {place.id: place.name for place in offered["villages"]}
    names = {group.id: group.name for group in offered["groups"]}
    return lambda about: in_words(about, [villages[n] for n in about.place_ids if n in villages], names)


def _groups(error: AnnouncementError | None = None) -> Response:
    return render(
        "audiences/groups.html",
        status=422 if error else 200,
        rows=groups.listing(runtime(), current_official()),
        may_write=current_official().has(*OF_GROUPS),
        longest=groups.LONGEST_NAME,
        error=said(error),
    )


def _with_groups(act: Callable[[], object], sentence: str) -> Response:
    try:
        act()
    except NotFound:
        abort(404)
    except AnnouncementError as error:
        return _groups(error)
    notice(sentence)
    return redirect(GROUPS, 303)


def _prices(error: AnnouncementError | None = None) -> Response:
    return render(
        "audiences/prices.html",
        status=422 if error else 200,
        rows=prices.listing(runtime(), current_official()),
        may_write=current_official().has(*OF_PRICES),
        error=said(error),
    )
