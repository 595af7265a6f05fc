"""The application for browsers: the inbox of a commune's officials, rendered on the server."""

from __future__ import annotations

import structlog
from flask import Flask
from flask_wtf.csrf import CSRFError  # type: ignore[import-untyped]
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from bot.access import Forbidden, NotFound
from bot.runtime import Runtime
from bot.stores import StoreAway
from bot.web import (
    accessibility,
    accusing,
    administration,
    agencies,
    announcements,
    answer_templates,
    approvals,
    audiences,
    bulk,
    bulletins,
    calls,
    channels,
    charts,
    commune_settings,
    confirming,
    contacts,
    drafts,
    earlier_answers,
    editions,
    entries,
    extending,
    faq,
    files,
    from_above,
    heads,
    home,
    incidents,
    language,
    last_metre,
    looks,
    loudspeakers,
    office_hours,
    officials,
    outside,
    packing,
    past,
    places,
    promises,
    public,
    publications,
    quality,
    replies,
    reports,
    resolved,
    retention,
    routing,
    safety_board,
    sealed_readers,
    security,
    setup,
    sign_in,
    snoozing,
    source_reports,
    ticket_list,
    ticket_map,
    tickets,
    tracking,
    training,
    transfers,
    triage,
    undoing,
    weekly,
    weekly_answers,
    welcome,
    wordings,
    words,
)
from bot.web.shell import RowNumber, Slug, render

log = structlog.get_logger()

PARTS = (
    home, sign_in, ticket_list, tickets, confirming, replies, extending, files,
    announcements, bulletins, safety_board, from_above, source_reports, channels, loudspeakers, places, faq, triage,
    calls, quality, audiences, last_metre,
    wordings, public, entries, heads, routing, transfers, outside, reports, incidents, looks, retention, contacts,
    tracking, publications, resolved, past, weekly, promises, accusing, sealed_readers, undoing, drafts,
    snoozing, bulk, editions, weekly_answers,
    answer_templates, earlier_answers, approvals,
    charts, ticket_map,
    accessibility, training, setup, administration, officials, agencies, welcome, office_hours, commune_settings,
)  # fmt: skip
EXPLAINED = frozenset({400, 401, 403, 404, 405, 413, 429, 503})


def create_app(runtime: Runtime) -> Flask:
    """Build the application around a runtime."""
    app = Flask(__name__)
    app.extensions["runtime"] = runtime
    app.url_map.converters["int"] = RowNumber
    app.url_map.converters["slug"] = Slug
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    security.install(app, runtime)
    language.install(app)
    words.install(app)
    packing.install(app)
    for part in PARTS:
        app.register_blueprint(part.pages)
    app.register_error_handler(NotFound, lambda _: error_page(404))
    app.register_error_handler(Forbidden, lambda _: error_page(403))
    app.register_error_handler(CSRFError, lambda _: error_page(400, is_stale_form=True))
    app.register_error_handler(StoreAway, _store_away)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)
    return app


def error_page(status: int, *, is_stale_form: bool = False) -> Response:
    """A page that says what happened, what to do and what is safe."""
    code = status if status in EXPLAINED else 500 if status >= 500 else 400
    return render("error.html", status=status, code=code, is_stale_form=is_stale_form)


def _store_away(error: StoreAway) -> Response:
    """Files cannot be read now; everything else works."""
    log.error("page.store_away", code=error.code)
    return error_page(503)


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400:
        return error.get_response()
    answer = error_page(status)
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After"}:
            answer.headers[name] = value
    return answer


def _unexpected(error: Exception) -> Response:
    log.error("page.failed", exc_info=(type(error), error, error.__traceback__))
    return error_page(500)
