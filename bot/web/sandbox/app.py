"""Builds the sandbox as a web application of its own, to run alone or mounted under a prefix."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import flask
from werkzeug.exceptions import HTTPException

from bot.web.sandbox import api, approved, articles, control, guard, handset, lookups, media, oauth, phone
from bot.web.sandbox.answers import as_json
from bot.web.sandbox.bots.control import control_pages
from bot.web.sandbox.bots.phone import phone_pages
from bot.web.sandbox.bots.platform import Platform
from bot.web.sandbox.loudspeakers import api as loudspeaker_api
from bot.web.sandbox.loudspeakers import control as loudspeaker_control
from bot.web.sandbox.loudspeakers import exchange, square
from bot.web.sandbox.platforms import PLATFORMS
from bot.web.sandbox.sandbox import Sandbox
from bot.web.sandbox.settings import SandboxSettings
from bot.web.sandbox.sms import api as sms_api
from bot.web.sandbox.sms import control as sms_control
from bot.web.sandbox.sms import phone as sms_phone
from bot.web.sandbox.telegram import api as telegram_api
from bot.web.sandbox.zalo_bot import api as zalo_bot_api

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

BOT_APIS = (telegram_api.pages, zalo_bot_api.pages)
MOST_BYTES = 64_000_000


def create_sandbox(settings: SandboxSettings) -> flask.Flask:
    """A pretend Zalo; `app.extensions["sandbox"].stop()` ends its threads."""
    app = flask.Flask("bot.web.sandbox")
    app.config["MAX_CONTENT_LENGTH"] = MOST_BYTES
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    sandbox = Sandbox(settings)
    app.extensions["sandbox"] = sandbox
    bots = [made(platform) for platform in PLATFORMS.values() for made in (control_pages, phone_pages)]
    zalo = [room.pages for room in (api, approved, articles, control, lookups, media, oauth, phone)]
    loudspeakers = [room.pages for room in (loudspeaker_api, exchange, loudspeaker_control, square)]
    for pages in (*zalo, *bots, *BOT_APIS, sms_api.pages, sms_control.pages, sms_phone.pages, *loudspeakers):
        app.register_blueprint(pages)
    app.add_url_rule("/", "home", lambda: flask.redirect(flask.url_for("phone.people_list")))
    app.before_request(guard.refuse_foreign_forms)
    app.after_request(guard.harden)
    app.register_error_handler(HTTPException, _explain)
    always = {
        "accounts_of_sandbox": settings.accounts,
        "platforms": _platforms(settings),
        "numbers": settings.sms,
        "villages": settings.villages,
    }
    app.context_processor(lambda: {"may_control": guard.may_control(), **always})
    app.add_template_filter(handset.clock, "clock")
    app.add_template_filter(handset.linked, "linked")
    app.add_template_filter(square.moment, "village_moment")
    if settings.public_prefix:
        app.wsgi_app = _Mounted(app.wsgi_app, settings.public_prefix)  # type: ignore[method-assign]
    if settings.deliver_webhooks:
        sandbox.start()
    return app


def _platforms(settings: SandboxSettings) -> list[Platform]:
    """The platforms on which there is a bot to write to."""
    return [platform for platform in PLATFORMS.values() if settings.bots_of(platform.name)]


class _Mounted:
    """Makes links right under the public prefix, whether or not whoever is in front of us has taken it off."""

    def __init__(self, app: WSGIApplication, prefix: str) -> None:
        self._app = app
        self._prefix = "/" + prefix.strip("/")

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not environ.get("SCRIPT_NAME", "").endswith(self._prefix):
            path = environ.get("PATH_INFO", "")
            if path == self._prefix or path.startswith(self._prefix + "/"):
                environ["PATH_INFO"] = path.removeprefix(self._prefix) or "/"
            environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + self._prefix
        return self._app(environ, start_response)


def _explain(error: HTTPException) -> flask.typing.ResponseReturnValue:
    path = flask.request.path
    if path.startswith(("/v2.0/", "/v3.0/", "/message/", "/v4/oa/access_token")):
        return as_json({"error": 404, "message": "Empty api"}), error.code or 500
    if path.startswith("/control/") and flask.request.is_json:
        return as_json({"error": error.code, "message": error.description}), error.code or 500
    return flask.render_template("sandbox/error.html", error=error), error.code or 500
