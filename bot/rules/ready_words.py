"""Ready words: what is usually missing in a report of a subject, and the lawful reasons not to take one, with the door.

They go to citizens, so they are Vietnamese whatever language the official reads. Officials edit
them before they leave.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.rules.dialogue import ON_SITE


@dataclass(frozen=True)
class Ready:
    """A wording to choose, as the citizen reads it."""

    key: str
    words: str


_WHAT = Ready("what", "cụ thể là việc gì, của ai hay cơ quan nào")
_WHERE = Ready("where", "địa điểm cụ thể: thôn/tổ, tên đường, gần công trình nào")
_PHOTO = Ready("photo", "ảnh chụp chỗ cần xử lý")
_SINCE = Ready("since", "sự việc có từ khi nào, còn tiếp diễn không")
_HOURS = Ready("hours", "thường xảy ra vào giờ nào, ngày nào")
_HOMES = Ready("homes", "bị ở một nhà hay cả khu, từ mấy giờ")
_FILE = Ready("file", "mã hồ sơ hoặc ngày nộp và nơi nộp (không cần gửi ảnh giấy tờ)")
_OF_TOPIC = {
    "tieng-on": (_HOURS,), "o-nhiem": (_HOURS,), "an-toan-giao-thong": (_HOURS,), "an-ninh-trat-tu": (_HOURS,),
    "dien": (_HOMES,), "nuoc-sach": (_HOMES,), "vien-thong": (_HOMES,),
    "thu-tuc-hanh-chinh": (_FILE,), "cu-tru-can-cuoc": (_FILE,), "dat-dai": (_FILE,), "an-sinh-xa-hoi": (_FILE,),
}  # fmt: skip

_DOORS = {
    "dien": "đơn vị quản lý điện trên địa bàn, theo số ghi trên hóa đơn tiền điện",
    "nuoc-sach": "đơn vị cấp nước, theo số ghi trên hóa đơn tiền nước",
    "vien-thong": "nhà mạng đang cung cấp dịch vụ, theo số chăm sóc khách hàng của nhà mạng",
    "cu-tru-can-cuoc": "công an nơi cư trú",
}
_COMPLAINT = Ready(
    "complaint",
    "đây là khiếu nại về một quyết định, hành vi hành chính, không giải quyết qua kênh này. Xin ông/bà gửi đơn đến "
    "chính cơ quan đã ra quyết định trong 90 ngày kể từ ngày biết quyết định đó.",
)
_CIVIL = Ready(
    "civil",
    "đây là tranh chấp giữa các bên, chính quyền không phân xử thay. Xin ông/bà nhờ tổ hòa giải ở cơ sở; hòa giải "
    "không thành thì gửi đơn đến tòa án có thẩm quyền.",
)
_ANSWERED = Ready(
    "answered",
    "việc này đã được trả lời trong phản ánh trước và chưa có tình tiết mới. Khi có thêm thông tin "
    "xin ông/bà nhắn lại.",
)
_UNCLEAR = Ready(
    "unclear",
    "nội dung chưa đủ rõ để xử lý dù đã được hỏi lại. Khi có thêm thông tin xin ông/bà nhắn lại, "
    "chúng tôi sẽ xem ngay.",
)
_NO_MATTER = Ready(
    "no_matter",
    "nội dung không phải là phản ánh, kiến nghị về việc của địa phương.",
)


EVERYTHING_TO_ASK = (_WHAT, _WHERE, _HOURS, _HOMES, _FILE, _PHOTO, _SINCE)


def to_ask(topic: str | None, *, has_place: bool, has_photo: bool) -> list[Ready]:
    """What may be missing, the likeliest first: that one is proposed."""
    found: list[Ready] = []
    if topic is None or topic == "khac":
        found.append(_WHAT)
    if not has_place:
        found.append(_WHERE)
    found += _OF_TOPIC.get(topic or "", ())
    if not has_photo and topic in ON_SITE:
        found.append(_PHOTO)
    found.append(_SINCE)
    return [*found, *(one for one in (_WHERE, _PHOTO, _WHAT) if one not in found)]


def to_decline(topic: str | None) -> list[Ready]:
    """The reasons that may hold, the likeliest first; none is proposed: this is decided by a person."""
    door = _DOORS.get(topic or "", "cơ quan có thẩm quyền")
    elsewhere = Ready(
        "elsewhere",
        f"việc này không thuộc thẩm quyền của địa phương. Xin ông/bà liên hệ {door}.",
    )
    first = [_COMPLAINT, elsewhere] if topic == "khieu-nai" else [elsewhere, _COMPLAINT]
    return [*first, _CIVIL, _ANSWERED, _UNCLEAR, _NO_MATTER]


def composed(ready: Sequence[Ready], chosen: Iterable[str], words: str, *, between: str) -> str:
    """The wordings that were ticked, and behind them what was typed; what was typed already is not said twice."""
    wanted, typed = set(chosen), " ".join(words.split())
    said = [one.words for one in ready if one.key in wanted and one.words not in typed]
    return between.join([*said, *([typed] if typed else [])])
