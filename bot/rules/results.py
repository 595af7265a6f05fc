"""What a result must have before a citizen hears that something is done: who, when, what, what next, and a photo."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from bot.rules.dialogue import ON_SITE
from bot.rules.lifecycle import SHORTEST_REASON, NotAllowed

AFTER_PHOTO = "after_photo"  # of the commune: whether what is on site needs a photo of afterwards; usual: yes
# Names nobody: "đã chuyển cơ quan chức năng", and the like, is no result.
_PASSED_ON = re.compile(
    r"\bda (?:chuyen|bao|kien nghi|bao cao|phan anh)(?: (?:den|toi|len|cho|qua|sang))?(?: cac| nhung)? "
    r"(?:co quan|don vi|bo phan|nganh|cap)(?: co)?(?: lien quan| chuc nang| chuyen mon| tham quyen| tren)\b"
)


@dataclass(frozen=True)
class Result:
    """What an official is about to say is done. `folded`: the words without accents."""

    topic: str | None
    owner: str
    folded: str
    next_step: str
    checked_on: date
    opened_on: date
    today: date
    has_photo: bool = False
    exemption: str = ""


def wants_photo(topic: str | None) -> bool:
    """Whether what was done can be seen on site."""
    return topic in ON_SITE


def check_result(result: Result, *, asks_for_photo: bool) -> None:
    """NotAllowed where something is missing that the citizen is owed; a photo may be spared with a reason."""
    if not result.owner.strip():
        raise NotAllowed("no_owner", "Phản ánh chưa có đơn vị xử lý. Anh/Chị phân công trước khi trả lời kết quả.")
    if not result.folded.strip():
        raise NotAllowed("no_result", "Cần ghi kết quả xử lý.")
    if not result.next_step.strip():
        raise NotAllowed("no_next_step", "Cần ghi việc tiếp theo, kể cả khi không còn việc gì.")
    if not result.opened_on <= result.checked_on <= result.today:
        raise NotAllowed("wrong_day", "Ngày kiểm tra phải từ ngày nhận phản ánh đến hôm nay.")
    if _PASSED_ON.search(result.folded):
        raise NotAllowed(
            "names_nobody", "Cần ghi rõ đã chuyển đơn vị nào; “cơ quan chức năng” chưa phải là kết quả cho người dân."
        )
    is_owed = asks_for_photo and wants_photo(result.topic) and not result.has_photo
    if is_owed and len(" ".join(result.exemption.split())) < SHORTEST_REASON:
        raise NotAllowed(
            "needs_photo",
            "Việc ở hiện trường cần ảnh sau xử lý. Anh/Chị kèm ảnh, hoặc ghi lý do không có ảnh (từ %(least)s ký tự).",
            least=SHORTEST_REASON,
        )
