"""The page of a one-time link, where an official chooses their password."""

from __future__ import annotations

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from bot.usecases import invitations
from bot.usecases.officials import LONGEST_PASSWORD, SHORTEST_PASSWORD, OfficialError
from bot.web.language import gettext
from bot.web.security import client_address
from bot.web.shell import notice, render, runtime

pages = Blueprint("welcome", __name__)


@pages.get("/welcome/<link>")
def show(link: str) -> Response:
    """Whom the link is for, and two fields; a link that was used or is over leads nowhere."""
    return _page(link)


@pages.post("/welcome/<link>")
def choose(link: str) -> Response:
    """Keep the password and lead to signing in."""
    password = request.form.get("password", "")
    if password != request.form.get("again", ""):
        return _page(link, gettext("Hai lần nhập mật khẩu chưa giống nhau. Anh/Chị vui lòng nhập lại."))
    try:
        username = invitations.accept(runtime(), link, password, client_address())
    except OfficialError:
        return _page(link, _said(password))
    notice("Đã lưu mật khẩu. Anh/Chị đăng nhập bằng tên %(ten)s.", ten=username)
    return redirect("/sign-in", 303)


def _page(link: str, error: str = "") -> Response:
    found = invitations.find_invited(runtime(), link)
    return render(
        "administration/welcome.html", status=422 if error else 200, found=found, link=link, error=error,
        least=SHORTEST_PASSWORD, most=LONGEST_PASSWORD,
    )  # fmt: skip


def _said(password: str) -> str:
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        return gettext("Mật khẩu cần từ %(least)s đến %(most)s ký tự.", least=SHORTEST_PASSWORD, most=LONGEST_PASSWORD)
    return gettext("Mật khẩu này quá dễ đoán. Vui lòng chọn mật khẩu khác.")
