"""Sign-in and sign-out pages."""

from __future__ import annotations

from flask import Blueprint, g, redirect, request
from werkzeug.wrappers import Response

from bot.usecases import sign_in
from bot.usecases.first_setup import is_untouched
from bot.web.language import gettext
from bot.web.security import client_address, cookie_options, forget_browser, own_path, session_cookie
from bot.web.shell import notice, render, runtime
from bot.web.words import clock_time

pages = Blueprint("sign_in", __name__)


@pages.get("/sign-in")
def page() -> Response:
    """The form; who is signed in already goes on to work."""
    if g.signed_in:
        return redirect(own_path(request.args.get("next")), 303)
    if is_untouched(runtime()):
        return redirect("/setup", 303)
    return render("sign_in.html", next=own_path(request.args.get("next")), username="", error=None)


@pages.post("/sign-in")
def create() -> Response:
    """Check name and password and open a session with a new secret."""
    username = request.form.get("username", "")
    target = own_path(request.form.get("next"))
    try:
        secret = sign_in.sign_in(runtime(), username, request.form.get("password", ""), client_address())
    except sign_in.WrongPassword:
        error = gettext("Tên đăng nhập hoặc mật khẩu chưa đúng. Anh/Chị vui lòng kiểm tra và nhập lại.")
        return render("sign_in.html", status=422, next=target, username=username, error=error)
    except sign_in.TooManyTries as wait:
        error = gettext(
            "Đã có nhiều lần nhập sai. Anh/Chị vui lòng thử lại từ %(gio)s. Tài khoản không bị khóa.",
            gio=clock_time(wait.until),
        )
        answer = render("sign_in.html", status=429, next=target, username=username, error=error)
        answer.headers["Retry-After"] = str(max(1, int((wait.until - runtime().now()).total_seconds()) + 1))
        return answer
    former = request.cookies.get(session_cookie())
    if former:
        sign_in.sign_out(runtime(), former, client_address())
    forget_browser()
    answer = redirect(target, 303)
    answer.set_cookie(session_cookie(), secret, **cookie_options())
    return answer


@pages.post("/sign-out")
def delete() -> Response:
    """End the session."""
    sign_in.sign_out(runtime(), request.cookies.get(session_cookie(), ""), client_address())
    forget_browser()
    notice("Anh/Chị đã đăng xuất.")
    answer = redirect("/sign-in", 303)
    answer.delete_cookie(session_cookie(), **cookie_options())
    return answer
