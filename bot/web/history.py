"""History: each fact in a ticket's life as a sentence."""

from __future__ import annotations

from datetime import date

from bot.web.language import gettext
from bot.web.words import day, ratings, state_word, topic_word, urgency_word
from storage.enums import EventKind, TicketState, Urgency
from storage.tickets import TicketEvent


def told(event: TicketEvent) -> str:
    """The event as a sentence; its note is shown beside it."""
    data = event.data
    if sentence := _by_citizen(event):
        return sentence
    if event.kind is EventKind.STATE_CHANGED:
        return _moved(event)
    if event.kind is EventKind.ASSIGNED:
        if data.get("official"):
            return gettext("Phân công cho %(agency)s, %(official)s.", agency=data["agency"], official=data["official"])
        return gettext("Phân công cho %(agency)s.", agency=data.get("agency", ""))
    if event.kind is EventKind.TOPIC_CHANGED:
        if data.get("from") == data.get("to"):
            return gettext("Xác nhận lĩnh vực: %(topic)s.", topic=topic_word(data.get("to")))
        return gettext("Đổi lĩnh vực thành: %(topic)s.", topic=topic_word(data.get("to")))
    if event.kind is EventKind.PLACE_CHANGED:
        return gettext("Ghi địa điểm: %(place)s.", place=data.get("to") or "")
    if event.kind is EventKind.URGENCY_CHANGED:
        word = urgency_word(Urgency(data["to"]))
        if data.get("from") == data["to"]:
            return gettext("Xác nhận mức khẩn: %(urgency)s.", urgency=word)
        return gettext("Đổi mức khẩn thành: %(urgency)s.", urgency=word)
    if event.kind is EventKind.REPLIED:
        return _replied(event)
    if event.kind is EventKind.MERGED:
        return gettext("Ghép vào phản ánh %(code)s vì cùng một lời kể.", code=data.get("into", ""))
    return {
        EventKind.OPENED: gettext("Phản ánh được mở từ tin nhắn của người dân."),
        EventKind.MESSAGE_ADDED: gettext("Người dân nhắn thêm."),
        EventKind.ROUTED: gettext("Hệ thống chuyển đơn vị xử lý."),
        EventKind.NOTED: gettext("Ghi chú nội bộ."),
        EventKind.SEALED: gettext("Niêm phong."),
        EventKind.UNSEALED: gettext("Mở niêm phong."),
        EventKind.MARKED_SPAM: gettext("Chuyển vào tin rác."),
        EventKind.RESTORED: gettext("Khôi phục từ tin rác."),
        EventKind.SPLIT: gettext("Tách ra từ một tin có hai việc, theo ý người dân."),
        EventKind.HELD: gettext("Trực tiếp trả lời; trả lời tự động tạm dừng."),
        EventKind.HANDED_BACK: gettext("Trả lại cho trả lời tự động."),
        EventKind.WITHDRAWN: gettext("Người dân rút dữ liệu."),
    }.get(event.kind, event.kind.value)


def _by_citizen(event: TicketEvent) -> str | None:
    """What the citizen did about the report by a word in the chat."""
    data, kind = event.data, event.kind
    if kind is EventKind.RATED:
        return gettext("Người dân đánh giá: %(words)s.", words=ratings().get(data.get("rating", 0), ""))
    if kind is EventKind.ANONYMITY_CHANGED:
        return gettext("Người dân xin ẩn danh.") if data.get("is_anonymous") else gettext("Người dân thôi ẩn danh.")
    if kind is EventKind.NOTED and "agreed" in data:
        return gettext("Người dân trả lời.")
    if data.get("by") != "citizen":
        return None
    if kind is EventKind.MERGED and data.get("from"):
        return gettext("Phản ánh %(code)s được người gửi ghép vào đây.", code=data["from"])
    if kind is EventKind.MERGED:
        return gettext("Người dân ghép vào phản ánh %(code)s.", code=data.get("into", ""))
    if kind is EventKind.WITHDRAWN:
        return gettext("Người dân rút phản ánh.")
    if kind is EventKind.STATE_CHANGED and data.get("to") == TicketState.REOPENED.value:
        return gettext("Người dân chưa đồng ý; phản ánh được mở lại.")
    return None


def _moved(event: TicketEvent) -> str:
    data = event.data
    target = TicketState(data["to"])
    if target is TicketState.FORWARDED and data.get("body"):
        return gettext(
            "Chuyển %(body)s, dự kiến có kết quả trước %(day)s.",
            body=data["body"],
            day=day(date.fromisoformat(data["by_date"])),
        )
    if target is TicketState.ASSIGNED and data.get("agency"):
        return gettext("Chuyển %(agency)s xử lý.", agency=data["agency"])
    if target is TicketState.MERGED and data.get("into"):
        return gettext("Ghép vào phản ánh %(code)s.", code=data["into"])
    if data.get("approved"):
        return gettext("Duyệt và gửi kết quả.")
    return gettext("Chuyển trạng thái: %(state)s.", state=state_word(target))


def _replied(event: TicketEvent) -> str:
    if event.data.get("is_held"):
        return gettext("Trình kết quả chờ duyệt.")
    if event.data.get("is_result"):
        return gettext("Trả lời kết quả cho người dân.")
    return gettext("Trả lời người dân.")
