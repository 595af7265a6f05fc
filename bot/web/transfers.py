"""Handing a ticket to a body outside, as officials do it: the phiếu chuyển, its link, and how far the body is."""

from __future__ import annotations

import re
import secrets
from urllib.parse import quote

from flask import Blueprint, abort, request
from werkzeug.wrappers import Response

from bot.access import OF_TICKETS
from bot.usecases import papers, transfer_progress, transfers
from bot.usecases.transfer_progress import Line
from bot.usecases.transfers import Wish
from bot.web.deeds import back, day_given, deed, version
from bot.web.files import KEY_LOST
from bot.web.security import client_address
from bot.web.shell import current_official, notice, require, row_number, runtime
from bot.web.ticket_page import show_ticket
from storage.enums import TransferLineKind
from storage.sealing import KeyLost

pages = Blueprint("transfers", __name__)

_ONCE = re.compile(r"[0-9A-Za-z_-]{8,40}", re.ASCII)


@pages.post("/tickets/<int:number>/transfers")
@deed("transfers")
def send(number: int) -> Response:
    """Issue a phiếu chuyển and hand the ticket over."""
    receiver = request.form.get("receiver", "")
    kind, _, which = receiver.partition("-")
    wish = Wish(
        agency_id=row_number(which) if kind == "agency" else None,
        commune_id=row_number(which) if kind == "commune" else None,
        body=request.form.get("body", ""),
        by_date=day_given("by_date"),
        summary=request.form.get("summary", ""),
        request=request.form.get("request", ""),
        has_identity="identity" in request.form,
        has_photos="photos" in request.form,
        has_link="link" in request.form,
        has_consent="consent" in request.form,
    )
    sent = transfers.send(runtime(), current_official(), number, version=version(), wish=wish)
    notice("Đã lập phiếu chuyển số %(sign)s và báo người dân.", sign=sent.sign)
    return show_ticket(number, link=sent.address) if sent.address else back(number)


@pages.get("/tickets/<int:number>/papers/<int:paper>.pdf")
@require(*OF_TICKETS)
def paper(number: int, paper: int) -> Response:
    """The paper as it was issued."""
    row, data = papers.open_paper(runtime(), current_official(), number, paper, client_address())
    return pdf(data, f"phieu-chuyen-{row.number}-{row.year}.pdf")


@pages.get("/tickets/<int:number>/transfer-photos/<int:line>")
@require(*OF_TICKETS)
def photo(number: int, line: int) -> Response:
    """The photo with a body's answer."""
    return jpeg(photo_of_body(number, line))


def photo_of_body(number: int, line: int) -> bytes:
    """The photo that came with a line of a body outside."""
    try:
        return transfer_progress.photo_of(runtime(), current_official(), number, line, client_address())
    except KeyLost:
        abort(503, KEY_LOST)


@pages.post("/tickets/<int:number>/transfers/<int:transfer>/acknowledgement")
@deed("transfer")
def acknowledge(number: int, transfer: int) -> Response:
    """The body said that it has it."""
    transfer_progress.acknowledge(runtime(), current_official(), number, transfer, version=version())
    notice("Đã ghi: cơ quan nhận đã tiếp nhận.")
    return back(number)


@pages.post("/tickets/<int:number>/transfers/<int:transfer>/lines")
@deed("transfer")
def write_down(number: int, transfer: int) -> Response:
    """Our word to the body, or its answer written down."""
    kind = TransferLineKind.ANSWER if request.form.get("kind") == "answer" else TransferLineKind.TOLD
    transfer_progress.write_down(
        runtime(), current_official(), number, transfer, version=version(), line=line_written(kind)
    )
    if kind is TransferLineKind.ANSWER:
        notice("Đã ghi trả lời của cơ quan nhận. Người dân chưa được báo: Anh/Chị soạn trả lời rồi gửi.")
    else:
        notice("Đã ghi. Cơ quan nhận thấy khi mở đường dẫn.")
    return back(number)


@pages.post("/tickets/<int:number>/transfers/<int:transfer>/recall")
@deed("transfer")
def recall(number: int, transfer: int) -> Response:
    """Take it back from a body."""
    transfer_progress.recall(
        runtime(), current_official(), number, transfer, version=version(), reason=request.form.get("words", "")
    )
    notice("Đã thu hồi. Đường dẫn của cơ quan nhận không còn mở được.")
    return back(number)


@pages.post("/tickets/<int:number>/transfers/<int:transfer>/link")
@deed("transfer")
def link(number: int, transfer: int) -> Response:
    """A new link, shown this once, or none any more."""
    if request.form.get("close"):
        transfers.close_link(runtime(), current_official(), number, transfer, version=version())
        notice("Đã đóng đường dẫn của cơ quan nhận.")
        return back(number)
    address = transfers.renew_link(runtime(), current_official(), number, transfer, version=version())
    return show_ticket(number, link=address)


def line_written(kind: TransferLineKind) -> Line:
    """What the form of this request says about a transfer."""
    once = request.form.get("once", "")
    image = request.files.get("image")
    return Line(
        kind,
        request.form.get("text", ""),
        once if _ONCE.fullmatch(once) else secrets.token_urlsafe(12),
        request.form.get("author", ""),
        image.read() if image and image.filename else None,
    )


def pdf(data: bytes, name: str) -> Response:
    """A PDF to look at or keep; ours, so the browser may show it."""
    answer = Response(data, mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f"inline; filename*=UTF-8''{quote(name, safe='')}"
    return answer


def jpeg(data: bytes) -> Response:
    """A picture made anew by us, and nothing that could run."""
    if not data.startswith(b"\xff\xd8\xff"):
        abort(404)
    answer = Response(data, mimetype="image/jpeg")
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return answer
