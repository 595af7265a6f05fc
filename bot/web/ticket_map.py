"""The map of tickets: a picture and a table that need no script, and the data of the map that one can move."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from typing import Any

from flask import Blueprint, request
from werkzeug.wrappers import Response

from bot.access import OF_TICKETS
from bot.usecases.ticket_map import MOST_PINS, Look, PlaceSum, TicketMap, ticket_map
from bot.web import filters, words
from bot.web.drawing import WIDTH, Plane
from bot.web.filters import MOST_IDS
from bot.web.language import N_, gettext
from bot.web.shell import current_commune, current_official, render, require, runtime
from bot.web.ticket_list import VIEWS
from storage.figures import Figure, Filters
from storage.outlines import Outline
from storage.tickets import View

pages = Blueprint("ticket_map", __name__)

SHOWN = (View.ALL, View.NEW, View.DUE, View.MINE, View.NOBODY, View.URGENT)
LOOKS = {
    Look.EMERGENCY: N_("Khẩn cấp"),
    Look.LATE: N_("Quá hạn"),
    Look.URGENT: N_("Khẩn"),
    Look.OPEN: N_("Đang mở"),
    Look.ENDED: N_("Đã xong"),
}


@pages.get("/map")
@require(*OF_TICKETS)
def show() -> Response:
    """The map as a picture, with a table by place beneath; scripts put a map that moves in the picture's place."""
    view, chosen = _asked()
    found = _found(view, chosen)
    plane = Plane(found.surroundings.view) if found.surroundings else None
    return render(
        "map/index.html",
        found=found,
        plane=plane,
        dots=plane.dots(found.pins) if plane else [],
        width=WIDTH,
        view=view,
        views=[(one, VIEWS[one]) for one in SHOWN],
        looks=LOOKS,
        chips=filters.chips(view.value, chosen, "/map"),
        query=filters.address(view.value, chosen, "").removeprefix("?"),
        list_address=filters.address(view.value, chosen),
        is_open_only=chosen == Filters(figure=Figure.OPEN),
        opens=lambda **more: filters.address(view.value, replace(chosen, **more)),
        of_ids=lambda ids: filters.address(View.ALL.value, Filters(ids=tuple(ids))) if len(ids) <= MOST_IDS else "",
        late=Figure.LATE_OPEN,
        loud=Figure.LOUD,
        place_name=_place_name,
        most_ids=MOST_IDS,
        most_pins=MOST_PINS,
        narrow_action="/map",
        **filters.form_values(chosen),
    )


@pages.get("/map/tickets.json")
@require(*OF_TICKETS)
def tickets() -> Response:
    """The same for the script: borders, names, and each ticket in a few numbers."""
    view, chosen = _asked()
    data = json.dumps(_data(_found(view, chosen)), ensure_ascii=False, separators=(",", ":")).encode()
    answer = Response(data, content_type="application/json; charset=utf-8")
    answer.headers["Vary"] = "Accept-Encoding"
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        answer.set_data(gzip.compress(data, 6, mtime=0))
        answer.headers["Content-Encoding"] = "gzip"
    return answer


def _asked() -> tuple[View, Filters]:
    """What is shown: what is open, unless a view or a filter says otherwise."""
    given = request.args
    view = View(given["view"]) if given.get("view") in SHOWN else View.ALL
    chosen = filters.filters_of(given)
    return view, chosen if chosen or "view" in given else Filters(figure=Figure.OPEN)


def _found(view: View, chosen: Filters) -> TicketMap:
    return ticket_map(runtime(), current_official(), current_commune(), view, chosen)


def _data(found: TicketMap) -> dict[str, Any]:
    topics = sorted({pin.topic or "" for pin in found.pins})
    states = sorted({pin.state for pin in found.pins})
    looks = list(Look)
    around = found.surroundings
    return {
        "own": _rings(around.own) if around else [],
        "around": [[one.name, _rings(one)] for one in around.around] if around else [],
        "view": [around.view.south, around.view.west, around.view.north, around.view.east] if around else [],
        "names": [list(name) for name in found.names],
        "topics": [words.topic_word(topic or None) for topic in topics],
        "states": [words.state_word(state) for state in states],
        "looks": [gettext(LOOKS[look]) for look in looks],
        "pins": [
            [pin.id, pin.code, _unit(pin.latitude), _unit(pin.longitude), looks.index(pin.look),
             topics.index(pin.topic or ""), states.index(pin.state), int(pin.is_rough)]
            for pin in found.pins
        ],
    }  # fmt: skip


def _rings(outline: Outline) -> list[list[list[float]]]:
    return [[[y, x] for x, y in ring] for ring in outline.rings]


def _unit(degrees: float) -> int:
    return round(degrees * 10_000)


def _place_name(one: PlaceSum) -> str:
    return one.name or gettext("Chưa rõ nơi")
