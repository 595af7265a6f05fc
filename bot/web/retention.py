"""Pages of retention: the rules with a dry run before they are kept, the proof of what went, and holds."""

from __future__ import annotations

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from bot.access import OF_SEALED
from bot.rules import spreadsheet
from bot.rules.lifecycle import NotAllowed
from bot.rules.retention import LIMITS, Kind
from bot.usecases import legal_holds, retention
from bot.usecases.retention import AT_ONCE, KEEPERS, Line
from bot.web.deeds import back, deed
from bot.web.language import N_, gettext
from bot.web.shell import current_official, notice, render, require, row_number, runtime
from bot.web.words import moment
from storage.enums import Role

pages = Blueprint("retention", __name__)

MOST_IN_FILE = 10_000
KINDS = {
    Kind.WORDS: N_("Lời và giấy tờ của phản ánh đã kết thúc"),
    Kind.FILES: N_("Ảnh, ghi âm, tệp của phản ánh đã kết thúc"),
    Kind.LOOSE: N_("Tin nhắn ngoài phản ánh (chào hỏi, hỏi đáp)"),
    Kind.SEALED: N_("Phản ánh niêm phong đã kết thúc"),
    Kind.SEALED_LOOSE: N_("Tin niêm phong ngoài phản ánh"),
    Kind.CONTACTS: N_("Họ tên, số điện thoại, địa chỉ của người không còn phản ánh nào"),
    Kind.EVENTS: N_("Bản gốc từng tin do kênh chuyển đến"),
    Kind.EXCHANGES: N_("Nhật ký kỹ thuật các lần gửi"),
    Kind.RECEIPTS: N_("Báo nhận từng đoạn tin SMS"),
    Kind.SIGN_INS: N_("Các lần đăng nhập của cán bộ"),
    Kind.SESSIONS: N_("Phiên đăng nhập của cán bộ"),
    Kind.PLAYED: N_("Nhật ký phát loa và bảng tin"),
    Kind.SPOKEN: N_("Lời đọc trên loa đã hết hiệu lực"),
    Kind.ABOVE: N_("Tin của cấp trên đã hết hiệu lực"),
    Kind.CLUSTERS: N_("Cụm loa không còn báo về"),
    Kind.FEEDBACK: N_("Trạng thái đã báo về ứng dụng trung ương"),
    Kind.HANDED_IN: N_("Thống kê đã gửi tỉnh"),
}
REASONS = {
    Kind.WORDS: N_("Lưu trữ: phản ánh 5 năm. Mã, trạng thái, lịch sử xử lý còn mãi để thống kê."),
    Kind.FILES: N_("Luật Bảo vệ dữ liệu cá nhân: không giữ lâu hơn mục đích. Ảnh giấy tờ là dữ liệu nhạy cảm."),
    Kind.LOOSE: N_("Trò chuyện 24 tháng; không phải hồ sơ xử lý."),
    Kind.SEALED: N_(
        "Luật Tố cáo: giữ kín và đủ lâu để giải quyết. Chỉ lãnh đạo đặt được, không theo quy định nào khác."
    ),
    Kind.CONTACTS: N_("Luật Bảo vệ dữ liệu cá nhân: hết mục đích thì xóa. Người còn phản ánh niêm phong thì giữ."),
    Kind.EVENTS: N_("Chỉ cần để đối chiếu khi tin đến sai; nội dung đã nằm trong phản ánh."),
    Kind.EXCHANGES: N_("Chỉ cần để tìm lỗi gửi tin."),
    Kind.RECEIPTS: N_("Chỉ cần để đối chiếu cước với nhà mạng."),
    Kind.SIGN_INS: N_("Luật An ninh mạng: đủ để tra cứu sự cố; nhật ký việc làm của cán bộ được giữ riêng, không xóa."),
    Kind.PLAYED: N_("Lưu trữ bản tin theo quy định của tỉnh; không có dữ liệu cá nhân."),
}


@pages.get("/personal-data/retention")
@require(*KEEPERS)
def index() -> Response:
    """How long the commune keeps what."""
    return _page()


@pages.post("/personal-data/retention/trial")
@require(*KEEPERS)
def trial() -> Response:
    """What would go by these rules, before they are kept."""
    try:
        days = _days()
        lines = retention.dry_run(runtime(), current_official(), days)
    except NotAllowed as refusal:
        return _page(refusal=refusal)
    return _page(lines=lines, days=days)


@pages.post("/personal-data/retention")
@require(*KEEPERS)
def keep() -> Response:
    """Keep the rules that were tried."""
    try:
        retention.keep(runtime(), current_official(), _days(), request.form.get("seal", ""))
    except NotAllowed as refusal:
        return _page(refusal=refusal)
    notice("Đã lưu. Từ hôm nay dữ liệu quá hạn được xóa dần mỗi ngày; mỗi lần xóa có biên bản ở trang này.")
    return redirect("/personal-data/retention", 303)


@pages.get("/personal-data/retention/proof")
@require(*KEEPERS)
def proof() -> Response:
    """What went, when and by which rule; to print."""
    found = retention.runs(runtime(), current_official(), before=row_number(request.args.get("before", "")))
    return render("retention/proof.html", runs=found, kinds=KINDS, next=found[-1].id if len(found) == AT_ONCE else None)


@pages.get("/personal-data/retention/proof.csv")
@require(*KEEPERS)
def proof_table() -> Response:
    """The same for other programs."""
    heads = ("Số", "Loại dữ liệu", "Giữ (ngày)", "Bắt đầu", "Kết thúc", "Số dòng", "Cũ nhất", "Mới nhất", "SHA-256")
    rows = [
        (
            run.id, KINDS[Kind(run.kind)], run.days, moment(run.began_at), moment(run.ended_at) if run.ended_at else "",
            run.count, moment(run.oldest_at) if run.oldest_at else "", moment(run.newest_at) if run.newest_at else "",
            run.digest,
        )
        for run in retention.runs(runtime(), current_official(), most=MOST_IN_FILE)
    ]  # fmt: skip
    answer = Response(spreadsheet.table([heads, *rows]), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = "attachment; filename=bien-ban-xoa.csv"
    return answer


@pages.post("/tickets/<int:number>/hold")
@deed("hold")
def hold(number: int) -> Response:
    """Say that a ticket must stay."""
    if legal_holds.hold(runtime(), current_official(), number, reason=request.form.get("words", "")):
        notice("Đã giữ lại. Phản ánh này không bị xóa, kể cả khi hết hạn hoặc người dân xin xóa, cho đến khi bỏ giữ.")
    else:
        notice("Phản ánh này đang được giữ lại rồi.", "info")
    return back(number)


@pages.post("/tickets/<int:number>/hold-release")
@deed("hold-release")
def release(number: int) -> Response:
    """Let it go by the rules again."""
    if legal_holds.release(runtime(), current_official(), number):
        notice("Đã bỏ giữ lại. Phản ánh lại theo thời hạn lưu chung.")
    else:
        notice("Phản ánh này không bị giữ lại.", "info")
    return back(number)


def _days() -> dict[Kind, int]:
    """The rules in the form that the official may change."""
    found = {}
    for kind in LIMITS:
        written = request.form.get(kind.value)
        if written is None or not retention.may_change(current_official(), kind):
            continue
        if not (written.isascii() and written.isdecimal() and len(written) < 6):
            raise NotAllowed(f"days:{kind.value}", "Cần ghi số ngày bằng chữ số.")
        found[kind] = int(written)
    if not found:
        raise NotAllowed("nothing", "Chưa có quy định nào để lưu.")
    return found


def _page(
    *, lines: list[Line] | None = None, days: dict[Kind, int] | None = None, refusal: NotAllowed | None = None
) -> Response:
    code = refusal.code if refusal else ""
    return render(
        "retention/index.html",
        status=422 if refusal else 200,
        rules=retention.rules(runtime(), current_official()),
        limits=LIMITS,
        kinds=KINDS,
        leaders_days=retention.days_of_leaders(runtime(), current_official()),
        reasons=REASONS,
        lines=lines,
        days=days or {},
        seal=retention.seal_of(runtime(), days) if days else "",
        written=request.form,
        error=gettext(refusal.sentence, **refusal.values) if refusal else "",
        wrong=code.removeprefix("days:") if code.startswith("days:") else "",
        sees_sealed=current_official().has(*OF_SEALED),
        is_admin=current_official().has(Role.ADMIN),
    )
