"""The page of loudspeakers: how each cluster is, and how far each bulletin is, in words."""

from __future__ import annotations

from flask import Blueprint, abort
from werkzeug.wrappers import Response

from bot.access import NotFound
from bot.rules.loudspeakers import BROKEN, CUT_OFF, EMERGENCY, ORDINARY, PLAYING, PRIORITY, WELL
from bot.usecases import loudspeaker_page
from bot.usecases.loudspeaker_page import MAY_LOOK
from bot.usecases.loudspeakers import Progress
from bot.web.language import N_, gettext
from bot.web.shell import current_official, render, require, runtime
from storage.enums import SourceState

pages = Blueprint("loudspeakers", __name__)

HOW_WORDS = {
    WELL: N_("Sẵn sàng"),
    PLAYING: N_("Đang phát"),
    BROKEN: N_("Hỏng loa"),
    CUT_OFF: N_("Mất liên lạc"),
}
CLASS_WORDS = {ORDINARY: N_("Thông thường"), PRIORITY: N_("Ưu tiên"), EMERGENCY: N_("Khẩn cấp")}
STATE_WORDS = {
    SourceState.WAITING: N_("Đang chờ gửi tới hệ thống thông tin nguồn"),
    SourceState.SENDING: N_("Đang gửi tới hệ thống thông tin nguồn"),
    SourceState.SENT: N_("Hệ thống thông tin nguồn đã nhận"),
    SourceState.UNKNOWN: N_("Chưa rõ hệ thống thông tin nguồn đã nhận chưa"),
    SourceState.REFUSED: N_("Hệ thống thông tin nguồn không nhận"),
    SourceState.EXPIRED: N_("Hết hạn trước khi gửi được"),
    SourceState.RECALLED: N_("Đã thu hồi"),
}
UNKNOWN_TOTAL = N_("Chưa biết có bao nhiêu cụm loa.")
BADGES = {
    SourceState.SENT: "open",
    SourceState.UNKNOWN: "late",
    SourceState.REFUSED: "late",
    SourceState.EXPIRED: "soon",
}


@pages.get("/channels/<int:number>/loudspeakers")
@require(*MAY_LOOK)
def show(number: int) -> Response:
    """The clusters and the latest bulletins of one channel."""
    try:
        found = loudspeaker_page.page(runtime(), current_official(), number)
    except NotFound:
        abort(404)
    return render(
        "channels/loudspeakers.html",
        channel=found.channel,
        speakers=found.speakers,
        bulletins=found.bulletins,
        how_words=HOW_WORDS,
        class_words=CLASS_WORDS,
        state_words=STATE_WORDS,
        badges=BADGES,
        progress_words=progress_words,
    )


def progress_words(found: Progress) -> str:
    """How far a bulletin is, in a sentence: the account of loudspeakers that an announcement's page shows."""
    total, failed, quiet = found.tally.total, len(found.tally.failed), len(found.tally.quiet)
    if not found.played and not failed:
        if found.bulletin.recalled_at is not None:
            return gettext("Thu hồi trước khi phát.")
        return gettext("Chưa phát (%(tong)s cụm loa).", tong=total) if total else gettext(UNKNOWN_TOTAL)
    words = gettext("Đã phát %(n)s/%(tong)s cụm loa.", n=found.played, tong=total)
    if failed:
        words += " " + gettext("%(n)s cụm báo không phát được.", n=failed)
    if quiet:
        words += " " + gettext("%(n)s cụm chưa báo.", n=quiet)
    return words
