"""History: each fact in a ticket's life as a sentence."""

from __future__ import annotations

import itertools
from datetime import date, datetime
from typing import Any

from bot.rules.history import deed_of
from bot.web.language import N_, gettext
from bot.web.marked_text import masked
from bot.web.words import day, moment, ratings, state_word, topic_word, urgency_word
from storage.enums import EventKind, TicketState, Urgency
from storage.tickets import TicketEvent


def deeds(events: list[tuple[TicketEvent, str | None]]) -> list[list[tuple[TicketEvent, str | None]]]:
    """Events with who caused them, those of one deed together; of what was taken back only that it was."""
    undone = {event.data.get("deed") for event, _ in events if event.kind is EventKind.UNDONE}
    events = [one for one in events if deed_of(one[0].data) not in undone or deed_of(one[0].data) is None]
    keys = itertools.count(-1, -1)
    return [list(group) for _, group in itertools.groupby(events, lambda one: deed_of(one[0].data) or next(keys))]


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
        return gettext("Ghi địa điểm: %(place)s.", place=masked(data.get("to")))
    if event.kind is EventKind.URGENCY_CHANGED:
        word = urgency_word(Urgency(data["to"]))
        if data.get("from") == data["to"]:
            return gettext("Xác nhận mức khẩn: %(urgency)s.", urgency=word)
        return gettext("Đổi mức khẩn thành: %(urgency)s.", urgency=word)
    if event.kind is EventKind.REPLIED:
        return _replied(event)
    if event.kind in {EventKind.MERGED, EventKind.PARTED, EventKind.DIFFERED}:
        return _together(event)
    return {
        EventKind.OPENED: gettext("Phản ánh được mở từ tin nhắn của người dân."),
        EventKind.MESSAGE_ADDED: gettext("Người dân nhắn thêm."),
        EventKind.ROUTED: gettext("Hệ thống chuyển đơn vị xử lý."),
        EventKind.NOTED: gettext("Ghi chú nội bộ."),
        EventKind.SNOOZED: _snoozed(data),
        EventKind.WOKEN: gettext(_WOKEN.get(data.get("why", ""), _WOKEN[""])),
        EventKind.UNDONE: gettext("Hoàn tác việc làm hàng loạt.")
        if data.get("what") == "bulk"
        else gettext("Đã hoàn tác trước khi gửi; người dân không nhận được tin."),
        EventKind.SEALED: gettext("Niêm phong."),
        EventKind.UNSEALED: gettext("Mở niêm phong."),
        EventKind.ACCUSED: gettext(
            "Ghi đơn vị bị tố cáo: %(agency)s.", agency=data.get("agency") or gettext("không có")
        ),
        EventKind.MARKED_SPAM: gettext("Chuyển vào tin rác."),
        EventKind.RESTORED: gettext("Khôi phục từ tin rác."),
        EventKind.SPLIT: gettext("Tách ra từ một tin có hai việc, theo ý người dân."),
        EventKind.HELD: gettext("Trực tiếp trả lời; trả lời tự động tạm dừng."),
        EventKind.HANDED_BACK: gettext("Trả lại cho trả lời tự động."),
        EventKind.WITHDRAWN: gettext("Người dân rút dữ liệu."),
        EventKind.EXTENSION_ASKED: gettext("Đề nghị gia hạn %(n)s ngày làm việc.", n=data.get("days", "")),
        EventKind.EXTENDED: gettext("Gia hạn %(n)s ngày làm việc; đã báo người dân.", n=data.get("days", "")),
        EventKind.EXTENSION_REFUSED: gettext("Không đồng ý gia hạn."),
        EventKind.PUBLISHED: gettext("Đưa kết quả vào danh sách công khai."),
        EventKind.UNPUBLISHED: gettext("Gỡ khỏi danh sách công khai."),
        EventKind.PUBLICITY: _publicity(data),
        EventKind.CALENDAR_MOVED: gettext("Hạn trả lời đổi theo giờ làm việc hoặc ngày nghỉ mới."),
        EventKind.APOLOGISED: gettext("Xin lỗi người dân vì quá hạn, kèm ngày trả lời mới."),
        **_of_transfer(data),
    }.get(event.kind, event.kind.value)


_WOKEN = {
    "": N_("Thôi hẹn, xem lại ngay."),
    "citizen": N_("Người dân nhắn thêm nên phản ánh trở lại danh sách trước giờ hẹn."),
    "clock": N_("Sắp đến hạn nên phản ánh trở lại danh sách trước giờ hẹn."),
    "body": N_("Cơ quan ngoài đã hồi âm nên phản ánh trở lại danh sách trước giờ hẹn."),
    "urgency": N_("Mức khẩn tăng nên phản ánh trở lại danh sách trước giờ hẹn."),
    "incident": N_("Có phản ánh ghép vào nên phản ánh trở lại danh sách trước giờ hẹn."),
}


def _snoozed(data: dict[str, Any]) -> str:
    """Until when it was put aside."""
    if "until" not in data:
        return gettext("Hẹn xem lại.")
    return gettext("Hẹn xem lại lúc %(luc)s.", luc=moment(datetime.fromisoformat(data["until"])))


def _publicity(data: dict[str, Any]) -> str:
    """What the citizen said to publishing, or that they were asked."""
    if data.get("answer") == "agreed":
        return gettext("Người dân đồng ý công khai kết quả.")
    if data.get("answer") == "refused":
        return gettext("Người dân không đồng ý công khai kết quả.")
    return gettext("Hỏi người dân có đồng ý công khai kết quả không.")


def _of_transfer(data: dict[str, Any]) -> dict[EventKind, str]:
    """What was done about a body outside."""
    body = data.get("body", "")
    return {
        EventKind.TRANSFER_SENT: gettext(
            "Gửi phiếu chuyển số %(sign)s đến %(body)s.", sign=data.get("sign", ""), body=body
        ),
        EventKind.TRANSFER_ACKNOWLEDGED: gettext("%(body)s đã tiếp nhận phiếu chuyển.", body=body),
        EventKind.TRANSFER_ASKED: gettext("%(body)s hỏi thêm.", body=body),
        EventKind.TRANSFER_TOLD: gettext("Trao đổi với %(body)s.", body=body),
        EventKind.TRANSFER_ANSWERED: gettext("%(body)s đã trả lời; chờ cán bộ báo người dân.", body=body),
        EventKind.TRANSFER_RECALLED: gettext("Thu hồi phiếu chuyển gửi %(body)s.", body=body),
    }


def _by_citizen(event: TicketEvent) -> str | None:
    """What the citizen did about the report by a word in the chat."""
    data, kind = event.data, event.kind
    if kind is EventKind.RATED:
        return _rated(event)
    if kind is EventKind.ANONYMITY_CHANGED:
        return gettext("Người dân xin ẩn danh.") if data.get("is_anonymous") else gettext("Người dân thôi ẩn danh.")
    if kind is EventKind.NOTED and "agreed" in data:
        return gettext("Người dân trả lời.")
    if data.get("by") == "clock":
        return _by_clock(event)
    if data.get("by") != "citizen":
        return None
    if kind is EventKind.MERGED and data.get("from"):
        return gettext("Phản ánh %(code)s được người gửi ghép vào đây.", code=data["from"])
    if kind is EventKind.MERGED:
        return gettext("Người dân ghép vào phản ánh %(code)s.", code=data.get("into", ""))
    if kind is EventKind.WITHDRAWN:
        return gettext("Người dân rút phản ánh.")
    return _moved_by_citizen(event) if kind is EventKind.STATE_CHANGED else None


def _rated(event: TicketEvent) -> str:
    words, joined = ratings().get(event.data.get("rating", 0), ""), event.data.get("joined")
    if joined:
        return gettext("Người gửi %(code)s đánh giá: %(words)s.", code=joined, words=words)
    return gettext("Người dân đánh giá: %(words)s.", words=words)


def _by_clock(event: TicketEvent) -> str:
    if event.data.get("to") == TicketState.RECEIVED.value:
        return gettext("Hết thời gian chờ bổ sung; vì còn người khác cùng phản ánh nên xử lý tiếp.")
    return gettext("Hết thời gian chờ bổ sung; hệ thống kết thúc và báo người dân.")


def _moved_by_citizen(event: TicketEvent) -> str | None:
    data = event.data
    if data.get("to") == TicketState.REOPENED.value:
        if data.get("joined"):
            return gettext("Người gửi %(code)s chưa đồng ý; vụ việc được mở lại.", code=data["joined"])
        return gettext("Người dân chưa đồng ý; phản ánh được mở lại.")
    if data.get("from") == TicketState.WAITING_CITIZEN.value:
        return gettext("Người dân đã bổ sung; hạn tính tiếp.")
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
    if data.get("returned"):
        return gettext("Đơn vị trả lại lần %(n)s.", n=data["returned"])
    if data.get("approved"):
        return gettext("Duyệt và gửi kết quả.")
    return gettext("Chuyển trạng thái: %(state)s.", state=state_word(target))


def _together(event: TicketEvent) -> str:
    """What officials, or a late message, made one or took apart."""
    data = event.data
    if event.kind is EventKind.DIFFERED:
        return gettext("Không phải cùng một việc với %(codes)s.", codes=", ".join(data.get("codes", ())))
    if event.kind is EventKind.MERGED and data.get("from"):
        return gettext("Ghép phản ánh %(code)s vào đây.", code=data["from"])
    if event.kind is EventKind.MERGED:
        return gettext("Ghép vào phản ánh %(code)s vì cùng một lời kể.", code=data.get("into", ""))
    if data.get("ticket"):
        return gettext("Tách phản ánh %(code)s ra xử lý riêng.", code=data["ticket"])
    return gettext("Tách khỏi phản ánh %(code)s, xử lý riêng.", code=data.get("from", ""))


def _replied(event: TicketEvent) -> str:
    if event.data.get("is_held"):
        return gettext("Trình kết quả chờ duyệt.")
    if event.data.get("is_result"):
        return gettext("Trả lời kết quả cho người dân.")
    return gettext("Trả lời người dân.")
