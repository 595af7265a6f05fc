"""The accessibility statement: the standard, how it was tested, what is known to be missing, and whom to tell."""

from __future__ import annotations

import sqlalchemy as sa
from flask import Blueprint
from werkzeug.wrappers import Response

from bot.web.shell import render, runtime
from storage.communes import Commune

pages = Blueprint("accessibility", __name__)


@pages.get("/accessibility")
def show() -> Response:
    """Open to everybody; where one commune is served, it is named as whom to tell."""
    query = sa.select(Commune).where(Commune.is_demo.is_(False)).order_by(Commune.id).limit(2)
    with runtime().database.reading() as session:
        found = session.scalars(query).all()
    only = found[0] if len(found) == 1 else None
    return render("accessibility.html", whose=only, reception=only.settings.get("reception") if only else None)
