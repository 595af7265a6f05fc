"""Practice pages: the guided shift, and the guide to print."""

from __future__ import annotations

from flask import Blueprint, redirect
from werkzeug.wrappers import Response

from bot.access import OF_TICKETS
from bot.usecases import practising
from bot.usecases.practising import PracticeProblem
from bot.usecases.problems import Problem
from bot.web.language import N_, gettext
from bot.web.shell import current_official, notice, only_news, render, require, runtime

pages = Blueprint("training", __name__)

# Task → what to do, and how.
GUIDE = {
    "confirm": (
        N_("Xác nhận đề xuất"),
        N_("Người dân nhắn không dấu. Mở phản ánh, xem lĩnh vực và địa điểm hệ thống đề xuất; đúng thì bấm Đúng."),
    ),
    "correct": (
        N_("Sửa lĩnh vực"),
        N_("Mở phản ánh và đổi lĩnh vực sang lĩnh vực khác. Hệ thống học từ mỗi lần sửa."),
    ),
    "assign": (
        N_("Giao cho đơn vị"),
        N_("Chọn đơn vị xử lý, hoặc một người của đơn vị. Mỗi phản ánh luôn có đúng một đơn vị."),
    ),
    "ask": (
        N_("Hỏi thêm người dân"),
        N_("Tin này thiếu địa điểm. Chọn Cần bổ sung và hỏi rõ ở đâu; đồng hồ dừng trong lúc chờ."),
    ),
    "answer": (
        N_("Trả lời kèm kết quả"),
        N_("Viết ai đã kiểm tra, làm gì, khi nào; đánh dấu Đây là kết quả xử lý rồi gửi."),
    ),
    "undo": (
        N_("Hoàn tác tin vừa gửi"),
        N_("Gửi một trả lời rồi bấm Hoàn tác ngay: người dân không nhận được gì, lời còn trong bản nháp."),
    ),
    "emergency": (
        N_("Việc khẩn cấp"),
        N_("Phản ánh đứng đầu danh sách. Gọi số trực trước, rồi ghi chú đã gọi ai, lúc nào."),
    ),
    "sealed": (
        N_("Phản ánh niêm phong"),
        N_(
            "Tố cáo được niêm phong ngay khi tới: không có trong danh sách, tìm kiếm hay báo cáo, "
            "chỉ người được giao mật đọc được. Anh/Chị không nhắc lại lời tố cáo và không tìm xem ai gửi."
        ),
    ),
}  # fmt: skip


@pages.get("/training")
@require(*OF_TICKETS)
def index() -> Response:
    """The shift as it stands; looks by itself whether something was done."""
    return only_news(
        render(
            "training/index.html",
            blocks=("training_tasks",),
            shift=practising.shift_of(runtime(), current_official()),
            guide=GUIDE,
        )
    )


@pages.post("/training")
@require(*OF_TICKETS)
def begin() -> Response:
    """Begin, or begin anew."""
    try:
        practising.begin(runtime(), current_official())
    except PracticeProblem as error:
        notice(error.sentence, "problem", **error.values)
    except Problem:
        notice("Vừa tập nhiều lần liền nhau. Anh/Chị nghỉ một lát rồi bắt đầu lại.", "problem")
    else:
        notice("Ca tập dượt bắt đầu: tám người dân giả đang nhắn tới.")
    return redirect("/training", 303)


@pages.post("/training/sealed")
@require(*OF_TICKETS)
def understand() -> Response:
    """What sealing means has been read."""
    practising.understand(runtime(), current_official())
    return redirect("/training", 303)


@pages.post("/training/end")
@require(*OF_TICKETS)
def end() -> Response:
    """The shift is over."""
    practising.end(runtime(), current_official())
    notice("Đã kết thúc ca tập dượt.")
    return redirect("/training", 303)


@pages.get("/training/guide")
@require(*OF_TICKETS)
def guide() -> Response:
    """One page to print and lay beside the keyboard."""
    steps = [(gettext(title), gettext(how)) for title, how in GUIDE.values()]
    return render("training/guide.html", steps=steps)
