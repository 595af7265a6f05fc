"""Channel pages: whether each channel works, pause and resume, and an account's consent."""

from __future__ import annotations

import hmac
from typing import Any

from flask import Blueprint, abort, redirect, request, session
from werkzeug.wrappers import Response

from bot.usecases import channels, outages
from bot.usecases.channels import KEEPERS, ChannelProblem, NoSuchChannel
from bot.usecases.findings import Report
from bot.web.channel_health import health_of
from bot.web.language import N_, gettext
from bot.web.quota_words import quota_words
from bot.web.shell import current_official, notice, render, require, runtime

pages = Blueprint("channels", __name__)

COUNT_WORDS = {
    "accepted": N_("Đã nhận"),
    "duplicate": N_("Gửi trùng (đã bỏ qua)"),
    "forged": N_("Chữ ký sai"),
    "unsigned": N_("Không có chữ ký"),
    "unreadable": N_("Không đọc được"),
    "foreign": N_("Của tài khoản khác"),
    "foreign_address": N_("Gọi từ địa chỉ lạ"),
    "too_large": N_("Quá lớn"),
    "truncated": N_("Bị cắt ngắn"),
    "wrong_type": N_("Sai định dạng"),
    "wrong_method": N_("Sai cách gọi"),
    "probe": N_("Gọi thử"),
    "overloaded": N_("Quá tải, kênh sẽ gửi lại"),
    "not_stored": N_("Chưa lưu được, kênh sẽ gửi lại"),
    "signed_with_previous": N_("Ký bằng khóa cũ"),
}
ALARMING = {"forged", "unsigned", "foreign_address", "unreadable", "overloaded", "not_stored"}
HOUR_WORDS = {
    2: N_("2 giờ trước"),
    24: N_("1 ngày trước"),
    72: N_("3 ngày trước"),
    168: N_("7 ngày trước"),
}
HEALTH_WORDS = {"well": N_("Khỏe"), "look": N_("Cần xem"), "ill": N_("Đang hỏng")}
LEVEL_WORDS = {"ok": N_("Tốt"), "warn": N_("Chú ý"), "FAIL": N_("Lỗi")}


@pages.get("/channels")
@require(*KEEPERS)
def index() -> Response:
    """The commune's channels and how each one is."""
    return _page()


@pages.post("/channels/<int:number>/check")
@require(*KEEPERS)
def check(number: int) -> Response:
    """Ask the channel itself whether everything works."""
    try:
        found = channels.find(runtime(), current_official(), number)
    except NoSuchChannel:
        abort(404)
    return _page(reports={number: channels.check(runtime(), found.channel.slug)})


@pages.post("/channels/<int:number>/pause")
@require(*KEEPERS)
def pause(number: int) -> Response:
    """Send nothing on it for now."""
    reason = request.form.get("reason", "")
    return _done(
        lambda: channels.pause(runtime(), current_official(), number, reason),
        "Đã tạm dừng gửi. Tin của người dân vẫn được tiếp nhận.",
    )


@pages.post("/channels/<int:number>/catch-up")
@require(*KEEPERS)
def catch_up(number: int) -> Response:
    """Ask the channel what was said that did not come."""
    hours = request.form.get("hours", type=int) or 0
    return _done(
        lambda: outages.ask(runtime(), current_official(), number, hours),
        "Đang hỏi lại kênh. Tin còn thiếu sẽ vào hộp thư; kết quả hiện ở đây sau ít phút.",
    )


@pages.post("/channels/<int:number>/resume")
@require(*KEEPERS)
def resume(number: int) -> Response:
    """Send again."""
    return _done(
        lambda: channels.resume(runtime(), current_official(), number),
        "Kênh đã hoạt động lại. Các tin đang chờ sẽ được gửi.",
    )


@pages.get("/channels/<int:number>/consent")
@require(*KEEPERS)
def consent(number: int) -> Response:
    """Go to the channel to grant us permission; what must come back is remembered in the signed cookie.

    A link, not a form: browsers hold a form to our own site, and nothing changes here before somebody comes back.
    """
    try:
        asked = channels.begin_consent(runtime(), current_official(), number)
    except NoSuchChannel:
        abort(404)
    except ChannelProblem as error:
        return _page(error=error)
    session["consent"] = {"channel": number, "state": asked.state, "verifier": asked.verifier}
    return redirect(asked.url, 303)


@pages.get("/channels/zalo/callback")
@require(*KEEPERS)
def callback() -> Response:
    """Back from the channel, with a code if permission was granted."""
    asked = session.pop("consent", None)
    state = request.args.get("state", "")
    if not isinstance(asked, dict) or not hmac.compare_digest(str(asked.get("state")).encode(), state.encode()):
        return _page(
            error=ChannelProblem(
                "Lần cấp quyền này không bắt đầu từ đây hoặc đã quá lâu nên chưa được dùng. Vui lòng bấm Cấp quyền lại."
            )
        )
    code = request.args.get("code", "")
    if not code:
        return _page(
            error=ChannelProblem("Quyền chưa được cấp. Kênh vẫn như cũ; vui lòng bấm Cấp quyền lại khi sẵn sàng.")
        )
    return _done(
        lambda: channels.finish_consent(
            runtime(),
            current_official(),
            int(asked["channel"]),
            verifier=str(asked["verifier"]),
            code=code,
            account=request.args.get("oa_id", ""),
        ),
        "Đã cấp quyền. Kênh gửi được trở lại.",
    )


def _done(act: Any, sentence: str) -> Response:
    try:
        act()
    except NoSuchChannel:
        abort(404)
    except ChannelProblem as error:
        return _page(error=error)
    notice(sentence)
    return redirect("/channels", 303)


def _page(*, error: ChannelProblem | None = None, reports: dict[int, Report] | None = None) -> Response:
    seen = channels.overview(runtime(), current_official())
    return render(
        "channels/index.html",
        status=422 if error else 200,
        seen=seen,
        health={one.channel.id: health_of(one, runtime().now()) for one in seen},
        health_words=HEALTH_WORDS,
        reports=reports or {},
        now=runtime().now(),
        count_words=COUNT_WORDS,
        alarming=ALARMING,
        level_words=LEVEL_WORDS,
        quota_words=quota_words,
        hour_choices=[(hours, gettext(HOUR_WORDS[hours])) for hours in outages.HOURS],
        error=gettext(error.sentence, **error.values) if error else None,
    )
