"""The list of tickets: a page of its own, and beside the ticket that was opened from it; it never moves by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, abort, render_template, request
from werkzeug.wrappers import Response

from bot.access import OF_TICKETS, OF_WHOLE_COMMUNE, may_direct
from bot.usecases import alerts, looks
from bot.usecases.searching import Findings, Hit, Phones
from bot.usecases.ticket_list import Listing, listing
from bot.web import filters, marked_text, words
from bot.web.language import N_, gettext
from bot.web.security import client_address, is_poll, wants_fragment
from bot.web.shell import (
    LARGEST_NUMBER,
    current_commune,
    current_official,
    notice,
    only_news,
    render,
    require,
    row_number,
    runtime,
)
from storage.figures import NO_FILTERS, Filters
from storage.tickets import Cursor, Ticket, View

pages = Blueprint("ticket_list", __name__)

LONG_NUMBER = 8  # digits of what is a telephone number rather than the end of one

VIEWS = {
    View.NEW: N_("Mới"),
    View.REVIEW: N_("Cần người xem"),
    View.DUE: N_("Sắp đến hạn"),
    View.MINE: N_("Việc của tôi"),
    View.NOBODY: N_("Chưa tới ai"),
    View.URGENT: N_("Khẩn"),
    View.SNOOZED: N_("Hẹn xem lại"),
    View.ALL: N_("Tất cả"),
    View.SPAM: N_("Tin rác"),
}
MEANINGS = {
    View.REVIEW: N_("Máy chưa chắc, chưa ai xem lĩnh vực và đơn vị xử lý."),
    View.SNOOZED: N_("Để sau đến giờ hẹn; tự hiện lại sớm hơn khi người dân nhắn hoặc sắp đến hạn."),
    View.NOBODY: N_("Đã vào sổ nhưng chưa có người nào của đơn vị nhận việc."),
}


@dataclass(frozen=True)
class Place:
    """From which list a ticket is opened: a view, a search, what it is narrowed to, a page."""

    view: View
    search: str = ""
    after: str = ""
    filters: Filters = NO_FILTERS

    @cached_property
    def query(self) -> str:
        """The same as part of an address."""
        given = {"view": self.view.value, "q": self.search, **filters.fields(self.filters), "after": self.after}
        return urlencode({name: value for name, value in given.items() if value}, safe=",:")

    @property
    def narrowed(self) -> str:
        """What it is narrowed to, as part of an address; nothing for a whole view."""
        return urlencode(filters.fields(self.filters), safe=",:")

    def of_ticket(self, number: int) -> str:
        """The address of a ticket that is opened from here."""
        return f"/tickets/{number}?{self.query}"

    def after_deed(self, number: int, form: Mapping[str, str]) -> str:
        """Where to go when something was done with a ticket: it stays, or the next one comes if that was wished."""
        if form.get("then") != "next":
            return self.of_ticket(number) if "view" in form else f"/tickets/{number}"
        following = row_number(form.get("next", ""))
        if following:
            return self.of_ticket(following)
        notice("Đã hết việc trong danh sách này.", "info")
        return f"/tickets?{self.query}"


def place_of(given: Mapping[str, str]) -> Place:
    """The list that an address or a form speaks of; without any, where the official's work is."""
    usual = View.NEW if may_direct(current_official()) else View.MINE
    try:
        view = View(given.get("view") or usual)
    except ValueError:
        view = usual
    # A ticket's forms have a topic and a place of their own.
    narrowed = dict(parse_qsl(given.get("list", "")[:2_000])) if request.method == "POST" else given
    return Place(view, given.get("q", "")[:200], given.get("after", "")[:60], filters.filters_of(narrowed))


@pages.get("/tickets")
@require(*OF_TICKETS)
def index() -> Response:
    """The list, in one of its views; to a page that refreshes itself, what has come since."""
    try:
        view = View(request.args.get("view", View.NEW))
    except ValueError:
        abort(404)
    place = Place(view, request.args.get("q", ""), request.args.get("after", ""), filters.filters_of(request.args))
    try:
        found = _listing(place)
    except _BadCursor:
        abort(400)
    _write_down_number(found, is_first=not place.after)
    late = _late_calls() if is_poll() and wants_fragment() else ""
    if is_poll() and wants_fragment() and _is_older(found):
        return only_news(_news(place, found), aside=late)
    answer = render(
        "tickets/index.html",
        blocks=("list",),
        for_the_province=found.for_the_province,
        may_enter=current_official().has(*OF_WHOLE_COMMUNE),
        calls=alerts.unseen(runtime(), current_official()),
        clock_words=words.clock_words,
        open_ticket=request.args.get("open", type=int),
        may_tick="open" not in request.args,
        may_direct=may_direct(current_official()),
        **_shown(place, found),
    )
    return only_news(answer, aside=late)


@pages.get("/tickets/narrowing")
@require(*OF_TICKETS)
def narrowing() -> Response:
    """The form with which a list is narrowed: a page of its own, as the list is asked for every few seconds."""
    place = place_of(request.args)
    return render("tickets/narrowing.html", place=place, view=place.view, **filters.form_values(place.filters))


def beside(ticket: Ticket, holidays: Mapping[date, bool]) -> dict[str, Any]:
    """What the page of a ticket needs of the list it was opened from: the list, and the ticket before and after."""
    place = place_of(request.form if "view" in request.form else request.args)
    try:
        found = _listing(place, holidays)
    except _BadCursor:
        place = Place(place.view, place.search, filters=place.filters)
        found = _listing(place, holidays)
    numbers = [row.ticket.id for row in found.rows]
    at = numbers.index(ticket.id) if ticket.id in numbers else None
    if at is None:
        before, following = None, numbers[0] if numbers else None
    else:
        before = numbers[at - 1] if at else None
        following = numbers[at + 1] if at + 1 < len(numbers) else None
    return {
        "open_ticket": ticket.id,
        "ticket_before": before,
        "ticket_after": following,
        **_shown(place, found),
    }


def _write_down_number(found: Listing, *, is_first: bool) -> None:
    """A search by a telephone number is a look at personal data."""
    findings = found.findings
    if findings is not None and is_first and findings.phones in {Phones.ALL, Phones.OWN}:
        looks.searched(runtime(), current_official(), len(findings.hits), client_address())


class _BadCursor(Exception):
    """An address names no page of a list."""


def _listing(place: Place, holidays: Mapping[date, bool] | None = None) -> Listing:
    after = _cursor(place.after)
    who, where = current_official(), current_commune()
    return listing(
        runtime(), who, where, place.view, search=place.search, filters=place.filters, after=after, holidays=holidays
    )  # fmt: skip


def _shown(place: Place, found: Listing) -> dict[str, Any]:
    now = runtime().now()
    return {
        "place": place,
        "view": place.view,
        "views": VIEWS,
        "meanings": MEANINGS,
        "search": place.search,
        "rows": found.rows,
        "alike": found.alike,
        "joined": found.joined,
        "counts": found.counts,
        "chips": filters.chips(place.view.value, place.filters),
        "many": found.many,
        "is_first": not place.after,
        "next": _cursor_words(found.next) if found.next else None,
        "row_deadline": lambda t: words.deadline(t.due_at if t.is_open else None, now, found.hours, found.holidays),
        "now": now,
        "row_summary": marked_text.summary,
        "row_visible": marked_text.masked,
        **_searched(found),
    }


@dataclass(frozen=True)
class _Seen:
    """How a ticket that was found is shown: its words and its place with what was looked for marked in them."""

    words: list[marked_text.Piece]
    place: list[marked_text.Piece]
    by_number: bool


def _searched(found: Listing) -> dict[str, Any]:
    """What was understood of a search, and where it stands in each ticket."""
    findings = found.findings
    if findings is None:
        return {"findings": None, "found": {}}
    return {
        "findings": findings,
        "found": {hit.row.ticket.id: _seen(hit, findings) for hit in findings.hits if not hit.row.ticket.is_sealed},
        "wider": findings.query.wider(findings.nowhere),
        "number_shown": lambda number: number if len(number) < LONG_NUMBER else marked_text.masked_phone(number),
    }


def _seen(hit: Hit, findings: Findings) -> _Seen:
    marks, ticket = findings.query.marks, hit.row.ticket
    words_ = marked_text.found(hit.said or ticket.summary, marks, around=180, is_exact=hit.is_exact)
    place = marked_text.found(ticket.place_text or "", marks, is_exact=hit.is_exact)
    is_seen = any(piece.kind == "found" for piece in (*words_, *place))
    is_code = any(ticket.code.endswith(number.lstrip("0")) for number in findings.query.numbers)
    is_dialled = bool(findings.query.numbers) and findings.phones is not Phones.NONE
    return _Seen(words_, place, is_dialled and not is_seen and not is_code)


# ---- what has come since --------------------------------------------------------------------------------------------


def _numbers(header: str) -> list[int]:
    words_ = request.headers.get(header, "")[:2_000].split(",")
    return [int(one) for one in words_ if one.isascii() and one.isdecimal() and len(one) < 19]


def _is_older(found: Listing) -> bool:
    """Whether the page shows rows, and other ones than there are now: nothing may move under somebody's hand."""
    shown = _numbers("X-Rows")
    return bool(shown) and shown != [row.ticket.id for row in found.rows]


def _late_calls() -> str:
    """What has to be called out on a page that stands still, whatever list it shows: nothing when all is there."""
    called = set(_numbers("X-Calls"))
    calls = [call for call in alerts.unseen(runtime(), current_official()) if call.alert.id not in called]
    more = {"row_visible": marked_text.masked, "clock_words": words.clock_words}
    return render_template("tickets/_late_calls.html", calls=calls, **more) if calls else ""


def _news(place: Place, found: Listing) -> Response:
    """The counts as they are now, and how many rows are new."""
    shown = set(_numbers("X-Rows"))
    fresh = sum(row.ticket.id not in shown for row in found.rows)
    pill = gettext("%(n)s phản ánh mới · Hiện", n=fresh) if fresh else gettext("Danh sách đã thay đổi · Cập nhật")
    answer = render(
        "tickets/_news.html",
        pill=pill,
        open_ticket=request.args.get("open", type=int),
        **_shown(place, found),
    )
    answer.headers["HX-Retarget"] = "#list-news"
    answer.headers["HX-Reswap"] = "innerHTML"
    return answer


# ---- pages ----------------------------------------------------------------------------------------------------------


def _cursor(words_: str) -> Cursor | None:
    if not words_:
        return None
    try:
        rank, due, number = words_.split(".")
        due_at = None if due == "x" else datetime.fromtimestamp(int(due) / 1_000_000, UTC)
        cursor = Cursor(int(rank), due_at, int(number))
    except (ValueError, OverflowError, OSError):
        raise _BadCursor from None
    if cursor.rank not in {0, 1} or not 0 <= cursor.id <= LARGEST_NUMBER:
        raise _BadCursor
    return cursor


def _cursor_words(cursor: Cursor) -> str:
    due = "x" if cursor.due_at is None else str(round(cursor.due_at.timestamp() * 1_000_000))
    return f"{cursor.rank}.{due}.{cursor.id}"
