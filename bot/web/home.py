"""The first page of each role, and the sign of life for whoever watches the server."""

from __future__ import annotations

import sqlalchemy as sa
from flask import Blueprint, Response, abort, current_app, redirect
from werkzeug.wrappers import Response as AnyResponse

from bot.access import sees_tickets
from bot.web.shell import current_official, render, runtime
from storage.channels import Channel
from storage.enums import Role

pages = Blueprint("home", __name__)


@pages.get("/")
def first() -> AnyResponse:
    """Lead to the work of this official."""
    official = current_official()
    if sees_tickets(official):
        return redirect("/tickets", 303)
    if official.has(Role.AUTHOR, Role.APPROVER) and "announcements" in current_app.blueprints:
        return redirect("/announcements", 303)
    if official.has(Role.ADMIN) and "channels" in current_app.blueprints:
        return redirect("/channels", 303)
    return render("home/nothing.html")


@pages.get("/health")
def health() -> Response:
    """Whether this process answers and reaches its database; says nothing else."""
    try:
        with runtime().database.reading() as session:
            session.execute(sa.text("SELECT 1"))
    except sa.exc.SQLAlchemyError:
        return Response("database\n", status=503, mimetype="text/plain")
    return Response("ok\n", mimetype="text/plain")


@pages.get("/zalo_verifier<code>.html")
def verifier(code: str) -> Response:
    """The page by which Zalo's console knows that this host is ours; `channel add --set verifier=CODE` opens it."""
    if not (code.isascii() and code.isalnum() and len(code) <= 120):
        abort(404)
    with runtime().database.reading() as session:
        known = [str(settings.get("verifier", "")) for settings in session.scalars(sa.select(Channel.settings))]
    if code not in known:
        abort(404)
    return Response(f'<meta name="zalo-platform-site-verification" content="{code}" />\n', mimetype="text/html")
