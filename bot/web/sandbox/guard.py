"""Who may use which page, and the headers that keep pages to themselves."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

import flask

from bot.web.sandbox.platforms import PLATFORMS
from bot.web.sandbox.sandbox import current

POLICY = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'self'; "
    "form-action {form_action}; img-src 'self'; media-src 'self'; style-src 'self'; script-src 'self'"
)

_BOTS = tuple(f"{platform.address}/" for platform in PLATFORMS.values())
_FORMS = ("/phone", *_BOTS, "/sms/", "/loa/", "/control", "/v4/oa/permission")


def refuse_foreign_forms() -> None:
    """A form of another site may not act here; the API itself is guarded by its tokens."""
    if flask.request.method != "POST" or not flask.request.path.startswith(_FORMS):
        return
    site = flask.request.headers.get("Sec-Fetch-Site")
    if site == "same-origin":
        return
    origin = flask.request.headers.get("Origin")
    hosts = {flask.request.host, urlsplit(current().settings.public_url).netloc} - {""}
    if site in {"cross-site", "same-site"} or (origin is not None and urlsplit(origin).netloc not in hosts):
        flask.abort(403, "this form belongs to another site")


def may_control() -> bool:
    """Whether this visitor may pull the strings: from this machine itself, or anybody if the settings say so."""
    if current().settings.allow_control:
        return True
    # A proxy on this machine also connects from the loopback address, on behalf of anybody.
    if "X-Forwarded-For" in flask.request.headers or "Forwarded" in flask.request.headers:
        return False
    try:
        return ip_address(flask.request.remote_addr or "").is_loopback
    except ValueError:
        return False


def only_from_here() -> None:
    """Strangers may chat, not pull strings."""
    if not may_control():
        flask.abort(403, "the control pages answer this machine only, unless the settings allow more")


def harden(response: flask.Response) -> flask.Response:
    """Every page loads only what this sandbox serves, and no other site can frame it."""
    policy = POLICY.format(form_action=flask.g.get("form_action", "'self'"))
    response.headers.setdefault("Content-Security-Policy", policy)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    if response.mimetype == "text/html":
        response.headers.setdefault("Cache-Control", "no-store")
    return response
