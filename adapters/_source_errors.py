"""What a source system's refusal means for us, and the sentence an official reads."""

from __future__ import annotations

from adapters.errors import ChannelRefused, MessageRefused, OutcomeUnknown, SendError, TemporarilyRefused, TokenRejected

BUSY_SECONDS, THROTTLED_SECONDS, LONGEST_WAIT = 15.0, 60.0, 3600.0

NOT_SENT = "Chưa chuyển được tới hệ thống thông tin nguồn. Hệ thống tự gửi lại, không cần thao tác."
UNCLEAR = (
    "Hệ thống thông tin nguồn không trả lời rõ ràng nên không biết bản tin đã vào chưa. "
    "Anh/Chị xem trên hệ thống của tỉnh, hoặc gọi người phụ trách đài truyền thanh."
)
ACCOUNT = (
    "Hệ thống thông tin nguồn không nhận tài khoản của địa phương. Bản tin được giữ lại. "
    "Anh/Chị báo người quản trị kiểm tra tên đăng nhập và mật khẩu ở trang Kênh."
)
REFUSED = (
    "Hệ thống thông tin nguồn không nhận bản tin này. Anh/Chị kiểm tra nội dung và lịch phát rồi gửi lại, "
    "hoặc liên hệ bộ phận quản lý hệ thống của tỉnh."
)


def refusal(meaning: str, code: str, *, may_repeat: bool, wait: float | None = None) -> SendError:
    """The error for what was answered; `meaning` is a word of the profiles, `code` the system's own."""
    name = f"source_{code[:24] or meaning}"
    if meaning == "token":
        return TokenRejected(name, ACCOUNT)
    if meaning == "account":
        return ChannelRefused(name, ACCOUNT)
    if meaning in {"throttled", "busy"}:
        usual = THROTTLED_SECONDS if meaning == "throttled" else BUSY_SECONDS
        return TemporarilyRefused(name, NOT_SENT, retry_after=min(wait or usual, LONGEST_WAIT), tries=40)
    if meaning == "unknown":
        return OutcomeUnknown(name, UNCLEAR, may_repeat=may_repeat)
    return MessageRefused(name, REFUSED)
