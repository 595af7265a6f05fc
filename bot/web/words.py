"""Words: how states, times and people read on officials' screens; filters and names for templates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from flask import Flask, g

from adapters.messages import Echo
from bot.access import sees_tickets
from bot.rules.deadlines import VIETNAM, WorkingHours, minutes_between
from bot.rules.dialogue import lacks_place
from bot.rules.revealing import Why
from bot.rules.snoozing import Choice, Until
from bot.rules.window import Window
from bot.usecases.administering import KEEPERS as ADMINS
from bot.usecases.faq_list import KEEPERS as FAQ_KEEPERS
from bot.usecases.heads import KEEPERS as HEAD_KEEPERS
from bot.usecases.looks import READERS as LOOK_READERS
from bot.usecases.month_book import READERS as REPORT_READERS
from bot.usecases.places import KEEPERS as PLACE_KEEPERS
from bot.usecases.quality import READERS as QUALITY_READERS
from bot.usecases.routing import KEEPERS as ROUTING_KEEPERS
from bot.web.language import LOCALES, N_, gettext, locale
from bot.web.shell import runtime
from nlp.topics import TOPICS
from storage.enums import Direction, Origin, Playing, Role, TicketState, TransferState, Urgency
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
TRANSFER_STATES = {
    TransferState.SENT: N_("Đã gửi, chưa xác nhận"),
    TransferState.ACKNOWLEDGED: N_("Đã tiếp nhận"),
    TransferState.ANSWERED: N_("Đã trả lời"),
    TransferState.RECALLED: N_("Đã thu hồi"),
}
URGENCIES = {
    Urgency.EMERGENCY: N_("KHẨN CẤP"),
    Urgency.URGENT: N_("Khẩn"),
    Urgency.NORMAL: N_("Thường"),
}
REVEAL_REASONS = {
    Why.CALL: N_("Gọi lại cho người dân"),
    Why.SITE: N_("Đến hiện trường"),
    Why.IDENTITY: N_("Xác minh danh tính"),
    Why.OTHER: N_("Việc khác"),
    Why.CITIZEN: N_("Người dân yêu cầu"),
    Why.AUTHORITY: N_("Cơ quan có thẩm quyền yêu cầu"),
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
    "store_away": N_("Nơi lưu tệp đang không dùng được. Hệ thống sẽ tự thử lại, tệp không mất."),
    "erased": N_("Tệp đã xóa theo yêu cầu của người dân."),
    "expired": N_("Tệp đã xóa vì hết thời hạn lưu giữ."),
}
CHANNEL_APPS = {"zalo": "Zalo OA", "viber": "Viber"}
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
    "withheld": N_("Tin thuộc loại không đọc được ở đây"),
}


def install(app: Flask) -> None:
    """Give templates the filters and names they use."""
    app.jinja_env.filters.update(
        moment=moment,
        day=day,
        clock=clock_time,
        state=state_word,
        urgency=urgency_word,
        topic=topic_word,
        of_today=of_today,
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
        "sees_routing": bool(official and official.has(*ROUTING_KEEPERS)),
        "sees_heads": bool(official and official.has(*HEAD_KEEPERS)),
        "sees_reports": bool(official and official.has(*REPORT_READERS)),
        "sees_looks": bool(official and official.has(*LOOK_READERS)),
        "sees_faq": bool(official and official.has(*FAQ_KEEPERS)),
        "sees_administration": bool(official and official.has(*ADMINS)),
    }


def is_placeless(ticket: Ticket) -> bool:
    """Whether officials must go there and nobody has said where."""
    return ticket.is_open and not ticket.is_sealed and lacks_place(ticket.topic, has_place=ticket.has_place)


def moment(at: datetime) -> str:
    """An hour and date in Vietnam."""
    return at.astimezone(VIETNAM).strftime("%H:%M %d/%m/%Y")


def to_the_second(at: datetime) -> str:
    """A moment of today in Vietnam, for what is over in seconds."""
    return at.astimezone(VIETNAM).strftime("%H:%M:%S")


def of_today(at: datetime) -> str:
    """The hour of a moment in Vietnam, with its date where that is not today."""
    is_today = day(at) == day(runtime().now())
    return at.astimezone(VIETNAM).strftime("%H:%M") if is_today else moment(at)


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


def reasons(among: Iterable[Why]) -> list[tuple[str, str]]:
    """The reasons to choose from, in words."""
    return [(why.value, gettext(REVEAL_REASONS[why])) for why in among]


def because(reasons: Iterable[Mapping[str, Any]], places: Mapping[int, str]) -> str:
    """What speaks for one matter, in a line: "cùng lĩnh vực Thoát nước, cách 60 m, cùng chữ “trạm bơm”"."""
    return ", ".join(filter(None, (_reason(reason, places) for reason in reasons)))


def _reason(reason: Mapping[str, Any], places: Mapping[int, str]) -> str:
    kind = reason.get("kind")
    if kind == "topic":
        return gettext("cùng lĩnh vực %(topic)s", topic=topic_word(reason["topic"]))
    if kind == "near":
        return gettext("cách %(n)s m", n=int(reason["metres"]))
    if kind == "place":
        return gettext("cùng nơi: %(place)s", place=places[reason["id"]]) if reason["id"] in places else ""
    if kind == "words":
        return gettext("cùng chữ %(words)s", words=", ".join(f"“{word}”" for word in reason["words"]))
    return ""


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


def snooze_word(choice: Choice) -> str:
    """A moment to put a report aside until, as people here say it, with the hour."""
    at = choice.at.astimezone(VIETNAM)
    hour, weekday = f"{at:%H:%M}", gettext(_WEEKDAYS[at.weekday()])
    if choice.until is Until.AFTERNOON:
        return gettext("Chiều nay, %(gio)s", gio=hour)
    if choice.until is Until.TOMORROW and choice.is_next_day:
        return gettext("Sáng mai, %(gio)s", gio=hour)
    return gettext("%(thu)s %(ngay)s, %(gio)s", thu=weekday, ngay=f"{at:%d/%m}", gio=hour)


_WEEKDAYS = (
    N_("Thứ Hai"), N_("Thứ Ba"), N_("Thứ Tư"), N_("Thứ Năm"), N_("Thứ Sáu"), N_("Thứ Bảy"), N_("Chủ Nhật"),
)  # fmt: skip


def clock_words(clock: str, level: str) -> str:
    """What a clock says of a ticket: which promise, and how far it is."""
    promise = gettext(_CLOCKS[clock])
    return gettext(_LEVELS[level], promise=promise)


_CLOCKS = {
    "accept": N_("tiếp nhận"),
    "action": N_("việc làm đầu tiên"),
    "answer": N_("trả lời"),
    "promise": N_("trả lời theo lời hứa mới"),
}
_LEVELS = {
    "near": N_("Sắp hết hạn %(promise)s:"),
    "due": N_("Đã hết hạn %(promise)s:"),
    "late": N_("Quá hạn %(promise)s hơn một ngày làm việc:"),
}


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
        return gettext("Tài khoản của địa phương")
    if origin is Origin.ANNOUNCEMENT:
        return gettext("Thông báo")
    return gettext("Trả lời tự động")


def written_elsewhere(channel_type: str, echo: Echo | None) -> str:
    """Where and by whom a message was written that our account sent, but not from here."""
    name = CHANNEL_APPS.get(channel_type)
    if echo is None or not echo.by_person:
        return gettext("gửi ngoài hệ thống này")
    if not name:
        return gettext("đồng nghiệp gửi từ ứng dụng của kênh")
    if not echo.author:
        return gettext("đồng nghiệp gửi từ ứng dụng %(app)s", app=name)
    return gettext("đồng nghiệp (quản trị viên số …%(tail)s) gửi từ ứng dụng %(app)s", app=name, tail=echo.author[-4:])


def length_word(seconds: int) -> str:
    """How long a recording is."""
    if seconds < 60:
        return gettext("%(n)s giây", n=seconds)
    return gettext("%(phut)s phút %(giay)s giây", phut=seconds // 60, giay=seconds % 60)


def playing_word(playing: Playing, kind: str) -> str:
    """Why a recording does not play on the page, and what to do."""
    if playing is Playing.WAITING:
        return gettext("đang chuẩn bị để mở được ngay tại đây…")
    if playing is Playing.TOO_LONG:
        return gettext("dài hơn 10 phút nên không phát tại đây. Tải bản gốc về máy để nghe.")
    if kind == "video":
        return gettext("trình duyệt không phát được định dạng này (hay gặp ở iPhone). Tải bản gốc về máy để xem.")
    return gettext("không phát được tại đây. Tải bản gốc về máy để nghe.")


def missing_word(code: str | None) -> str:
    """Why we do not hold the bytes of an attachment."""
    if code is not None and code.startswith("http_"):
        code = "unreachable"
    return gettext(MISSING.get(code or "", N_("Chưa tải được tệp từ kênh.")))
