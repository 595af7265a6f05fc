"""Files: what citizens and colleagues attached, served only to those who may see the ticket, and never trusted."""

from __future__ import annotations

import threading
from collections import OrderedDict
from urllib.parse import quote

from flask import Blueprint, abort, request
from werkzeug.wrappers import Response

from bot.access import OF_TICKETS, attachment_for, audit
from bot.usecases.photos import clean, thumbnail
from bot.usecases.sealed_files import read
from bot.web.security import client_address
from bot.web.shell import current_official, require, runtime
from storage.enums import AttachmentState
from storage.messages import Attachment
from storage.sealing import KeyLost, open_words

pages = Blueprint("files", __name__)

SHOWN = frozenset({"image/gif", "video/mp4"})
SANDBOX = "sandbox; default-src 'none'; frame-ancestors 'none'"
KEPT_THUMBNAILS = 300
KEY_LOST = "Không mở được tệp niêm phong: máy chủ không có khóa niêm phong đã dùng. Cần khôi phục khóa."

_thumbnails: OrderedDict[str, bytes] = OrderedDict()
_lock = threading.Lock()


@pages.get("/files/<int:number>")
@require(*OF_TICKETS)
def show(number: int) -> Response:
    """Pictures, made anew, and films open in the browser; everything else is downloaded as it was sent."""
    row, data = _stored(number)
    mime = row.mime or "application/octet-stream"
    if mime.startswith("image/") and mime != "image/gif":
        made = clean(data)
        if made is not None:
            return _answer(made, "image/jpeg", row, "inline")
    is_shown = mime in SHOWN
    return _answer(data, mime if is_shown else "application/octet-stream", row, "inline" if is_shown else "attachment")


@pages.get("/files/<int:number>/thumbnail")
@require(*OF_TICKETS)
def small(number: int) -> Response:
    """A picture made small; made anew, so nothing but the picture is in it."""
    row = _row(number)
    made = thumbnail(_bytes(row.blob or "")) if row.sealed is not None else _thumbnail(row.blob or "")
    if made is None:
        abort(404)
    return _answer(made, "image/jpeg", row, "inline")


@pages.get("/files/<int:number>/sound")
@require(*OF_TICKETS)
def sound(number: int) -> Response:
    """A recording as every browser plays it; made anew, so nothing but the sound is in it."""
    row = _row(number)
    if not row.sound_blob:
        abort(404)
    return _answer(_bytes(row.sound_blob), "audio/mpeg", row, "inline")


def _stored(number: int) -> tuple[Attachment, bytes]:
    row = _row(number)
    return row, _bytes(row.blob or "")


def _row(number: int) -> Attachment:
    """The file's row, for an official who may see its ticket; to look at what is sealed is written down."""
    official = current_official()
    with runtime().database.reading() as session:
        row, ticket = attachment_for(session, official, number)
        if ticket.is_sealed:
            open_words(session)
    if row.state is not AttachmentState.STORED or not row.blob:
        abort(404)
    if ticket.is_sealed:
        with runtime().database.transaction() as session:
            audit(session, official, "file.sealed_viewed", f"attachment:{number}", runtime().now(), client_address())
    return row


def _bytes(blob: str) -> bytes:
    try:
        data = read(runtime(), blob)
    except KeyLost:
        abort(503, KEY_LOST)
    if data is None:
        abort(404)
    return data


def _answer(data: bytes, mime: str, row: Attachment, disposition: str) -> Response:
    answer = Response(data, mimetype=mime)
    name = quote(row.name or f"tep-{row.id}", safe="")
    answer.headers["Content-Disposition"] = f"{disposition}; filename*=UTF-8''{name}"
    answer.headers["Content-Security-Policy"] = SANDBOX
    # Safari plays nothing that it cannot ask for in pieces.
    answer.make_conditional(request.environ, accept_ranges=True, complete_length=len(data))
    return answer


def _thumbnail(blob: str) -> bytes | None:
    with _lock:
        if blob in _thumbnails:
            _thumbnails.move_to_end(blob)
            return _thumbnails[blob]
    made = thumbnail(_bytes(blob))
    if made is not None:
        with _lock:
            _thumbnails[blob] = made
            while len(_thumbnails) > KEPT_THUMBNAILS:
                _thumbnails.popitem(last=False)
    return made
