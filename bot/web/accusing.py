"""Which unit a sealed report accuses: marked by a named reader."""

from __future__ import annotations

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from bot.usecases.accusing import accuse
from bot.web.deeds import back, deed, version
from bot.web.shell import current_official, notice, row_number, runtime
from bot.web.ticket_page import NOBODY_LEFT

pages = Blueprint("accusing", __name__)


@pages.post("/tickets/<int:number>/accusation")
@deed("accusation")
def mark(number: int) -> Response:
    """Mark the unit, or none; who belongs to it does not see the report any more, the marking official included."""
    official, agency_id = current_official(), row_number(request.form.get("agency", ""))
    left = accuse(runtime(), official, number, version=version(), agency_id=agency_id)
    if left:
        notice("Đã ghi đơn vị bị tố cáo. Người của đơn vị đó không còn thấy phản ánh này.")
    else:
        notice(NOBODY_LEFT, "info")
    is_mine = agency_id is not None and agency_id == official.agency_id
    return redirect("/tickets", 303) if is_mine else back(number)
