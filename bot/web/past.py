"""The page of a ticket as it stood at a past minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import Blueprint, request
from werkzeug.wrappers import Response

from bot.access import OF_TICKETS
from bot.rules.deadlines import VIETNAM
from bot.usecases.past import past_page
from bot.web.language import gettext
from bot.web.security import client_address
from bot.web.shell import current_commune, current_official, render, require, runtime
from bot.web.ticket_page import shown

pages = Blueprint("past", __name__)

A_MINUTE = timedelta(minutes=1)


@pages.get("/tickets/<int:number>/past")
@require(*OF_TICKETS)
def show(number: int) -> Response:
    """The ticket as it stood at the end of the minute that is asked for; of now, when none is."""
    now = runtime().now()
    day, clock = request.args.get("day", ""), request.args.get("clock", "")
    asked = _moment(day, clock) if day or clock else now
    problem = gettext("Xin ghi ngày và giờ, phút trong quá khứ.") if asked is None or asked > now else ""
    until = now if problem or asked is None else min(asked + A_MINUTE - timedelta(microseconds=1), now)
    found = past_page(runtime(), current_official(), current_commune(), number, until, address=client_address())
    local = until.astimezone(VIETNAM)
    return render(
        "past/show.html",
        status=422 if problem else 200,
        found=found,
        ticket=found.page.ticket,
        past=found.past,
        day_given=day or f"{local:%Y-%m-%d}",
        clock_given=clock or f"{local:%H:%M}",
        problem=problem,
        **shown(found.page, is_revealed=False),
    )


def _moment(day: str, clock: str) -> datetime | None:
    try:
        return datetime.strptime(f"{day} {clock[:5]}", "%Y-%m-%d %H:%M").replace(tzinfo=VIETNAM).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
