"""The page of what a commune may set about itself: each field with its meaning, its usual value and its check."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from bot.usecases.administering import KEEPERS
from bot.usecases.commune_settings import PHONE, SETTINGS, YES_OR_NO, NotAccepted, Number, change_by, settings_of
from bot.web.language import N_, gettext
from bot.web.shell import current_commune, current_official, notice, render, require, runtime

pages = Blueprint("commune_settings", __name__)

PATH = "/administration/settings"
# Name of the field and what it does; the groups are the page's order.
GROUPS: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        N_("Liên hệ"),
        (
            ("duty_phone", N_("Số trực ban"), N_("Nói với người dân trong việc khẩn cấp. Cần số có người trực 24/7.")),
            ("reception", N_("Nơi tiếp công dân"), N_("Nơi và giờ tiếp, viết như trong câu: “… mời ông/bà đến …”.")),
        ),
    ),
    (
        N_("Trả lời người dân"),
        (
            ("needs_approval", N_("Lãnh đạo duyệt từng kết quả"),
             N_("Chọn Có thì kết quả chỉ gửi đi sau khi một lãnh đạo duyệt.")),
            ("after_photo", N_("Cần ảnh sau xử lý"),
             N_("Việc làm tại chỗ phải kèm ảnh sau khi xong, hoặc lý do không có.")),
            ("undo_seconds", N_("Số giây được hoàn tác"),
             N_("Sau khi bấm gửi, trong số giây này còn lấy lại được. 0: gửi ngay.")),
            ("public_list", N_("Trang kết quả công khai"),
             N_("Chọn Có thì kết quả được đưa lên trang công khai khi người dân đồng ý.")),
            ("editions_day", N_("Ngày đề xuất Hỏi – đáp cùng bà con"),
             N_("Từ 2 (thứ hai) đến 8 (chủ nhật). 0: không đề xuất. Máy chỉ đề xuất, không tự gửi.")),
            ("editions_hour", N_("Giờ đề xuất Hỏi – đáp cùng bà con"), N_("Từ 0 đến 23 giờ.")),
        ),
    ),
    (
        N_("Kênh thay thế và im lặng"),
        (
            ("fallback_wait_minutes", N_("Số phút chờ trước khi đổi kênh"),
             N_("Trả lời chưa gửi được thì sau số phút này đi kênh khác của người dân. 0: chờ mãi.")),
            ("fallback_unseen_hours", N_("Số giờ chưa thấy tới trước khi đổi kênh"),
             N_("Đã gửi mà không có dấu hiệu tới nơi. 0: chờ mãi.")),
            ("silence_hours", N_("Số giờ kênh im lặng thì báo"),
             N_("Giờ làm việc không có sự kiện nào từ kênh thì gọi người phụ trách. 0: không báo.")),
        ),
    ),
    (
        N_("Loa truyền thanh"),
        (
            ("loudspeaker_sessions", N_("Số buổi phát loa mỗi ngày"),
             N_("Bản tin phát liền nhau là một buổi. Tin khẩn cấp không tính. 0: không giới hạn.")),
            ("loudspeaker_minutes", N_("Số phút mỗi buổi phát loa"), N_("Buổi dài hơn không được duyệt.")),
            ("loudspeaker_weekdays", N_("Chỉ phát loa từ thứ Hai đến thứ Sáu"), N_("Tin khẩn cấp vẫn phát mọi lúc.")),
        ),
    ),
    (
        N_("Văn bản và lưu giữ"),
        (
            ("signer_office", N_("Cơ quan ban hành"),
             N_("Ghi ở đầu phiếu chuyển; các dòng cách nhau bằng dấu chấm phẩy.")),
            ("signer_name", N_("Người ký"), N_("Họ tên dưới chỗ ký. Để trống thì viết tay.")),
            ("transfer_link_days", N_("Số ngày liên kết của cơ quan ngoài"),
             N_("Cơ quan nhận phiếu chuyển mở được liên kết trong số ngày này.")),
        ),
    ),
)  # fmt: skip


# About the commune's own leaders: whoever leads may not change them.
OF_OPERATOR_WORDS = {
    "province_inspectorate": N_("Thanh tra tỉnh, nói với người tố cáo lãnh đạo địa phương"),
    "province_police": N_("Công an tỉnh, nói với người tố cáo lãnh đạo địa phương"),
    "leaders_days": N_("Số ngày giữ lời tố cáo lãnh đạo; không ai ở địa phương mở được"),
}


@pages.get(PATH)
@require(*KEEPERS)
def index() -> Response:
    """Everything that is set, or usual."""
    return _page({})


@pages.post(PATH)
@require(*KEEPERS)
def update() -> Response:
    """Keep what was written; nothing, where anything is wrong."""
    given = {name: request.form[name] for name in SETTINGS if name in request.form}
    problems = change_by(runtime(), current_official(), given)
    if problems:
        return _page(problems)
    notice("Đã lưu cài đặt.")
    return redirect(PATH, 303)


def _page(problems: dict[str, NotAccepted]) -> Response:
    own = settings_of(runtime(), current_commune().slug)
    return render(
        "administration/settings.html",
        status=422 if problems else 200,
        here=PATH,
        groups=[(title, [_field(name, label, hint, own, problems) for name, label, hint in fields])
                for title, fields in GROUPS],
        of_operator=[(gettext(words), own.get(name, SETTINGS[name].usual))
                     for name, words in OF_OPERATOR_WORDS.items()],
        has_problems=bool(problems),
    )  # fmt: skip


def _field(name: str, label: str, hint: str, own: dict[str, Any], problems: dict[str, NotAccepted]) -> dict[str, Any]:
    setting = SETTINGS[name]
    value = own.get(name)
    shown = {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else "" if value is None else value
    problem = problems.get(name)
    return {
        "name": name,
        "label": gettext(label),
        "hint": gettext(hint),
        "value": request.form.get(name, shown) if problems else shown,
        "usual": _usual(setting.usual),
        "kind": "choice" if setting.read is YES_OR_NO else "number" if isinstance(setting.read, Number)
        else "tel" if setting.read is PHONE else "text",
        "error": gettext(problem.sentence, **problem.values) if problem else "",
    }  # fmt: skip


def _usual(words: str) -> str:
    """What holds while nothing is set, in the page's language."""
    return gettext(_USUAL.get(words, words)) if words in _USUAL else words


_USUAL = {
    "yes": N_("Có"),
    "no": N_("Không"),
    "the commune's seat": N_("trụ sở Ủy ban nhân dân"),
    "nobody: the name is written": N_("để trống, viết tay"),
}
