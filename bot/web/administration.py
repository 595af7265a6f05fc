"""The first page of administration: everything that is set up and kept for the commune, with a sentence to each."""

from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response

from bot.usecases import agency_list, official_list
from bot.usecases.administering import KEEPERS
from bot.web.shell import current_official, render, require, runtime

pages = Blueprint("administration", __name__)


@pages.get("/administration")
@require(*KEEPERS)
def index() -> Response:
    """Where to find what."""
    people = official_list.overview(runtime(), current_official())
    units = agency_list.overview(runtime(), current_official())
    return render("administration/index.html", people=people, units=units)
