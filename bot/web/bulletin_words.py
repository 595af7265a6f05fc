"""How the choices and states of bulletins read on officials' screens."""

from __future__ import annotations

from bot.rules.bulletins import BOARD, RADIO
from bot.usecases.bulletin_results import PAUSED, SCHEDULED, SENDING, SENT
from bot.web.language import N_
from storage.enums import BulletinKind, BulletinState, Importance

STANDINGS = {
    BulletinState.DRAFT.value: N_("Bản nháp"),
    BulletinState.SUBMITTED.value: N_("Chờ duyệt"),
    BulletinState.APPROVED.value: N_("Đã duyệt, chuẩn bị gửi"),
    SCHEDULED: N_("Đã duyệt, chờ đến giờ gửi"),
    SENDING: N_("Đang gửi"),
    PAUSED: N_("Đang tạm dừng"),
    SENT: N_("Đã gửi xong"),
    BulletinState.STOPPED.value: N_("Đã dừng"),
}
STANDING_BADGES = {
    BulletinState.DRAFT.value: "badge-none",
    BulletinState.SUBMITTED.value: "badge-soon",
    BulletinState.APPROVED.value: "badge-unread",
    SCHEDULED: "badge-unread",
    SENDING: "badge-unread",
    PAUSED: "badge-soon",
    SENT: "badge-calm",
    BulletinState.STOPPED.value: "badge-closed",
}
IMPORTANCE = {
    Importance.ROUTINE: N_("Thông thường"),
    Importance.PRIORITY: N_("Ưu tiên"),
    Importance.EMERGENCY: N_("Khẩn cấp"),
}
IMPORTANCE_HINTS = {
    Importance.ROUTINE: N_("Mỗi người nhận nhiều nhất 3 tin một tuần; không gửi từ 21:00 đến 6:30."),
    Importance.PRIORITY: N_("Mỗi người nhận nhiều nhất 2 tin một ngày, trước tin thường; không gửi từ 21:00 đến 6:30."),
    Importance.EMERGENCY: N_(
        "Thiên tai, cháy, dịch bệnh, cứu nạn. Gửi ngay cả ban đêm, đi trước mọi tin, đến cả người đã ngừng nhận tin."
    ),
}
IMPORTANCE_BADGES = {
    Importance.ROUTINE: "badge-none",
    Importance.PRIORITY: "badge-soon",
    Importance.EMERGENCY: "badge-late",
}
MEDIUM_WORDS = {
    "zalo": N_("Zalo"),
    "telegram": N_("Telegram"),
    "sms": N_("Tin nhắn SMS"),
    "viber": N_("Viber"),
    "web_form": N_("Trang phản ánh"),
    RADIO: N_("Loa truyền thanh"),
    BOARD: N_("Bảng tin điện tử"),
}
KIND_WORDS = {
    BulletinKind.CORRECTION: N_("Đính chính"),
    BulletinKind.RECALL: N_("Thu hồi"),
    BulletinKind.END: N_("Hết hiệu lực"),
}
