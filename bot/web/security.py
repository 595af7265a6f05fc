"""Security of pages: who is signed in, what browsers are told, and where redirects may lead."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from flask import Flask, current_app, g, redirect, request, session
from flask_wtf.csrf import CSRFProtect  # type: ignore[import-untyped]
from werkzeug.wrappers import Response

from bot.runtime import Runtime
from bot.usecases.sign_in import signed_in
from bot.web.peer import peer_address

# The only pages for people who are not signed in; a test walks all routes.
OPEN = frozenset({
    "static", "sign_in.page", "sign_in.create", "language.switch", "home.health", "home.verifier",
    "public.form", "public.send", "public.talk", "public.add", "public.photo",
    "tracking.form", "tracking.find", "tracking.own", "tracking.photo",
    "resolved.index", "resolved.show", "resolved.photo", "resolved.feed", "resolved.robots", "resolved.sitemap",
    "weekly_answers.index", "weekly_answers.show", "weekly_answers.feed",
    "outside.show", "outside.accept", "outside.ask", "outside.answer", "outside.paper", "outside.photo",
    "outside.answer_photo",
    "setup.begin", "setup.unlock", "setup.show", "setup.do", "welcome.show", "welcome.choose", "accessibility.show",
})  # fmt: skip
# Public pages of which anybody may keep a copy, if they ask each time whether it still holds.
ASKED_AGAIN = frozenset({
    "resolved.index", "resolved.show", "resolved.photo", "resolved.feed", "resolved.robots", "resolved.sitemap",
    "weekly_answers.index", "weekly_answers.show", "weekly_answers.feed",
})  # fmt: skip
MAX_BODY = 9_000_000  # a photo of 8 MB and the words around it

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

csrf = CSRFProtect()


def install(app: Flask, runtime: Runtime) -> None:
    """Cookies, cross-site protection, sign-in on every page, and headers on every answer."""
    is_https = runtime.settings.is_https
    app.config.update(
        SECRET_KEY=runtime.flask_key(),
        MAX_CONTENT_LENGTH=MAX_BODY,
        SESSION_COOKIE_NAME="__Host-haichieu_form" if is_https else "haichieu_form",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SECURE=is_https,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        WTF_CSRF_TIME_LIMIT=None,  # the token lives as long as the session that signs it
    )
    app.before_request(_identify)
    csrf.init_app(app)
    app.after_request(_protect)


def session_cookie() -> str:
    """The name of the cookie that holds the secret of a sign-in session."""
    return "__Host-haichieu_session" if _runtime().settings.is_https else "haichieu_session"


def cookie_options() -> dict[str, Any]:
    """How every cookie of ours is set."""
    return {"httponly": True, "samesite": "Lax", "secure": _runtime().settings.is_https, "path": "/"}


def own_path(wanted: str | None) -> str:
    """A path of this site to go to; anything that could lead elsewhere becomes the first page."""
    if not wanted or not wanted.startswith("/") or wanted.startswith(("//", "/\\")):
        return "/"
    if any(c <= " " or c in "\\\x7f" for c in wanted):
        return "/"
    return wanted


def client_address() -> str:
    """Where the request comes from."""
    return peer_address(request.remote_addr or "", request.headers.get("X-Forwarded-For", ""))


def is_poll() -> bool:
    """Whether a timer of the page asks, not a person: such a request does not keep a session alive."""
    return request.args.get("poll") == "1"


def wants_fragment() -> bool:
    """Whether htmx asks for a part of a page."""
    return request.headers.get("HX-Request") == "true"


def _identify() -> Response | None:
    g.signed_in = None
    secret = request.cookies.get(session_cookie())
    if secret and request.endpoint != "static":
        g.signed_in = signed_in(_runtime(), secret, is_active=not is_poll())
    if g.signed_in or request.endpoint is None or request.endpoint in OPEN:
        return None
    return _ask_to_sign_in()


def _ask_to_sign_in() -> Response:
    if wants_fragment() and is_poll():
        from bot.web.shell import expired_notice

        return expired_notice()
    here = request.full_path.rstrip("?") if request.method == "GET" else "/"
    where = "/sign-in" if here == "/" else f"/sign-in?next={quote(here, safe='/')}"
    if wants_fragment():
        return Response(status=401, headers={"HX-Redirect": where})
    return redirect(where, 303)


def _protect(answer: Response) -> Response:
    headers = answer.headers
    headers.setdefault("Content-Security-Policy", CONTENT_POLICY)
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "same-origin"
    headers["X-Frame-Options"] = "DENY"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
    if request.endpoint == "static":
        headers["Cache-Control"] = "public, max-age=3600"
    elif request.endpoint not in ASKED_AGAIN or "ETag" not in headers:
        headers["Cache-Control"] = "no-store"
    if _runtime().settings.is_https:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return answer


def forget_browser() -> None:
    """Drop what the form cookie knows, so that a new session begins with a new form token."""
    session.clear()


def _runtime() -> Runtime:
    runtime: Runtime = current_app.extensions["runtime"]
    return runtime
