"""Words: how states, times and people read on officials' screens; filters and names for templates."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from flask import Flask, g

from bot.access import sees_tickets
from bot.rules.deadlines import VIETNAM, WorkingHours, minutes_between
from bot.rules.dialogue import lacks_place
from bot.rules.window import Window
from bot.usecases.faq_list import KEEPERS as FAQ_KEEPERS
from bot.usecases.heads import KEEPERS as HEAD_KEEPERS
from bot.usecases.places import KEEPERS as PLACE_KEEPERS
from bot.usecases.quality import READERS as QUALITY_READERS
from bot.web.language import LOCALES, N_, gettext, locale
from nlp.topics import TOPICS
from storage.enums import Direction, Origin, Role, TicketState, Urgency
from storage.tickets import Ticket

STATES = {
    TicketState.NEW: N_("Mới"),
    TicketState.RECEIVED: N_("Đã tiếp nhận"),
    TicketState.WAITING_CITIZEN: N_("Chờ bổ sung"),
    TicketState.ASSIGNED: N_("Đã chuyển"),
    TicketState.IN_PROGRESS: N_("Đang xử lý"),
    TicketState.WAITING_APPROVAL: N_("Chờ duyệt"),
    TicketState.ANSWERED: N_("Đã trả lời"),
    TicketState.CLOSED: N_("Đã đóng"),
    TicketState.REOPENED: N_("Mở lại"),
    TicketState.DECLINED: N_("Không tiếp nhận"),
    TicketState.FORWARDED: N_("Đã chuyển cấp trên"),
    TicketState.MERGED: N_("Đã ghép"),
    TicketState.WITHDRAWN: N_("Người dân đã rút"),
}
URGENCIES = {
    Urgency.EMERGENCY: N_("KHẨN CẤP"),
    Urgency.URGENT: N_("Khẩn"),
    Urgency.NORMAL: N_("Thường"),
}
MISSING = {
    "too_large": N_("Tệp lớn hơn mức cho phép nên không tải về được."),
    "wrong_type": N_("Nội dung tệp không đúng loại mà kênh báo nên không lưu."),
    "unreachable": N_("Chưa tải được tệp từ kênh."),
    "not_allowed": N_("Địa chỉ của tệp nằm ngoài kênh nên không tải về."),
    "empty": N_("Tệp rỗng."),
    "checksum": N_("Tệp tải về không khớp với tệp người dân gửi nên không lưu."),
    "too_many_pixels": N_("Ảnh có kích thước quá lớn nên không lưu."),
    "no_address": N_("Kênh không cho biết địa chỉ của tệp."),
    "erased": N_("Tệp đã xóa theo yêu cầu của người dân."),
}
ATTACHMENTS = {
    "image": N_("Ảnh"),
    "gif": N_("Ảnh động"),
    "audio": N_("Ghi âm"),
    "video": N_("Video"),
    "sticker": N_("Nhãn dán"),
    "file": N_("Tệp"),
    "link": N_("Liên kết"),
    "location": N_("Vị trí"),
    "contact": N_("Danh thiếp"),
}


def install(app: Flask) -> None:
    """Give templates the filters and names they use."""
    app.jinja_env.filters.update(
        moment=moment, day=day, clock=clock_time, state=state_word, urgency=urgency_word, topic=topic_word
    )
    app.jinja_env.tests["placeless"] = is_placeless
    app.context_processor(_frame)


def _frame() -> dict[str, Any]:
    signed_in = g.get("signed_in")
    official = signed_in.official if signed_in else None
    return {
        "locale": locale(),
        "locales": LOCALES,
        "official": official,
        "commune": signed_in.commune if signed_in else None,
        "sees_tickets": bool(official and sees_tickets(official)),
        "sees_announcements": bool(official and official.has(Role.AUTHOR, Role.APPROVER, Role.LEADER, Role.ADMIN)),
        "sees_channels": bool(official and official.has(Role.ADMIN, Role.LEADER)),
        "sees_quality": bool(official and official.has(*QUALITY_READERS)),
        "sees_places": bool(official and official.has(*PLACE_KEEPERS)),
        "sees_heads": bool(official and official.has(*HEAD_KEEPERS)),
        "sees_faq": bool(official and official.has(*FAQ_KEEPERS)),
    }


def is_placeless(ticket: Ticket) -> bool:
    """Whether officials must go there and nobody has said where."""
    return ticket.is_open and not ticket.is_sealed and lacks_place(ticket.topic, has_place=ticket.has_place)


def moment(at: datetime) -> str:
    """An hour and date in Vietnam."""
    return at.astimezone(VIETNAM).strftime("%H:%M %d/%m/%Y")


def day(at: datetime | date) -> str:
    """A date in Vietnam."""
    return (at.astimezone(VIETNAM) if isinstance(at, datetime) else at).strftime("%d/%m/%Y")


def today(now: datetime) -> str:
    """Today's date in Vietnam as date fields want it."""
    return now.astimezone(VIETNAM).date().isoformat()


def clock_time(at: datetime) -> str:
    """The time of day in Vietnam, to the second."""
    return at.astimezone(VIETNAM).strftime("%H:%M:%S")


def state_word(state: TicketState) -> str:
    """A ticket's state in an official's words."""
    return gettext(STATES[state])


def urgency_word(urgency: Urgency) -> str:
    """An urgency in words."""
    return gettext(URGENCIES[urgency])


def topic_word(slug: str | None) -> str:
    """The label of a topic in the language of the page."""
    if not slug:
        return gettext("Chưa rõ lĩnh vực")
    topic = TOPICS.get(slug)
    if topic is None:
        return slug
    return topic.label_en if locale() == "en" else topic.label_vi


def ratings() -> dict[int, str]:
    """How content a citizen is, in words, by number."""
    return {1: gettext("không hài lòng"), 2: gettext("chấp nhận"), 3: gettext("hài lòng")}


def deadline(
    due_at: datetime | None, now: datetime, hours: WorkingHours, holidays: Mapping[date, bool]
) -> tuple[str, str]:
    """The deadline in words and how pressing it is: "none", "calm", "soon" or "late"."""
    if due_at is None:
        return gettext("Không có hạn"), "none"
    minutes = minutes_between(now, due_at, hours, holidays)
    if due_at < now:
        return gettext("quá hạn %(dai)s", dai=_working_time(-minutes, hours)), "late"
    kind = "soon" if minutes <= hours.minutes_a_day else "calm"
    return gettext("còn %(dai)s", dai=_working_time(minutes, hours)), kind


def _working_time(minutes: int, hours: WorkingHours) -> str:
    if minutes < 60:
        return gettext("%(n)s phút làm việc", n=max(minutes, 0))
    if minutes < hours.minutes_a_day:
        return gettext("%(n)s giờ làm việc", n=minutes // 60)
    return gettext("%(n)s ngày làm việc", n=minutes // max(1, hours.minutes_a_day))


def window_words(window: Window, now: datetime) -> tuple[str, str]:
    """The channel's window in words and its kind: "open", "paid" or "closed"."""
    if window.closes_at is None:
        if window.is_open:
            return gettext("Kênh không giới hạn giờ trả lời"), "open"
        return gettext("Người dân chưa nhắn trong thời gian kênh cho phép trả lời"), "closed"
    if not window.is_open:
        return gettext("Đã hết thời gian kênh cho phép trả lời"), "closed"
    if window.is_free and window.free_until is not None:
        return gettext("còn %(n)s giờ · miễn phí", n=_hours(window.free_until, now)), "open"
    return gettext("còn %(n)s giờ · có thể tính phí", n=_hours(window.closes_at, now)), "paid"


def _hours(until: datetime, now: datetime) -> int:
    return max(0, int((until - now).total_seconds() // 3600))


def speaker(direction: Direction, origin: Origin, author: str | None) -> str:
    """Who said a message."""
    if direction is Direction.IN:
        return gettext("Người dân")
    if origin is Origin.OFFICIAL:
        return author or gettext("Cán bộ")
    if origin is Origin.CHANNEL_APP:
        return gettext("Đồng nghiệp trong ứng dụng của kênh")
    if origin is Origin.ANNOUNCEMENT:
        return gettext("Thông báo")
    return gettext("Trả lời tự động")


def missing_word(code: str | None) -> str:
    """Why we do not hold the bytes of an attachment."""
    if code is not None and code.startswith("http_"):
        code = "unreachable"
    return gettext(MISSING.get(code or "", N_("Chưa tải được tệp từ kênh.")))
