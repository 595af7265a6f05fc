"""What an SMS provider's refusal means for us, and the sentence an official reads."""

from __future__ import annotations

from adapters.errors import (
    ChannelRefused,
    ContactUnreachable,
    MessageRefused,
    OutcomeUnknown,
    QuotaExhausted,
    SendError,
    TemporarilyRefused,
)

UNCLEAR = (
    "Nhà cung cấp SMS không trả lời rõ ràng nên không biết người dân đã nhận chưa. Có thể gọi điện hoặc bấm Gửi lại."
)
NOT_SENT = "Chưa gửi được tin tới nhà cung cấp SMS. Hệ thống sẽ tự gửi lại, không cần thao tác."
THROTTLED_SECONDS, BUSY_SECONDS = 60.0, 30.0

_REFUSED = {
    "template": "Nhà mạng chỉ nhận tin theo mẫu đã đăng ký nên chưa gửi lời này. Vui lòng dùng câu theo mẫu, hoặc gọi "
    "điện cho người dân; mẫu mới đăng ký qua nhà cung cấp SMS.",
    "network": "Tên định danh chưa đăng ký với nhà mạng của người dân nên chưa gửi. Vui lòng gọi điện, và nhờ nhà cung "
    "cấp SMS đăng ký thêm nhà mạng.",
    "repeated": "Nhà mạng không nhận tin giống hệt tin vừa gửi tới số này. Vui lòng sửa lời rồi gửi lại sau ít phút.",
    "too_long": "Tin quá dài, nhà cung cấp SMS không nhận. Vui lòng rút ngắn hoặc chia thành nhiều lần trả lời.",
    "unicode": "Nhà cung cấp SMS không nhận tin có dấu hoặc ký tự lạ. Vui lòng viết lại, bỏ ký tự lạ, rồi gửi lại.",
    "refused": "Nhà cung cấp SMS không nhận tin này. Vui lòng viết lại hoặc gọi điện cho người dân.",
    "id_taken": "Nhà cung cấp SMS cho rằng tin này đã gửi từ trước nên không nhận. Vui lòng gọi điện để chắc chắn.",
}
_UNREACHABLE = {
    "unreachable": "Số của người dân đang chặn tin SMS của đơn vị. Vui lòng gọi điện hoặc chọn kênh khác.",
    "number": "Số điện thoại này không nhận được SMS. Vui lòng kiểm tra số hoặc gọi điện.",
}
_ACCOUNT = (
    "Nhà cung cấp SMS từ chối tài khoản của địa phương (khóa, tên định danh hoặc địa chỉ máy chủ). Các tin đang chờ "
    "được giữ lại. Vui lòng báo người vận hành máy chủ."
)
_BALANCE = "Tài khoản SMS đã hết tiền. Các tin đang chờ được giữ và tự gửi lại; vui lòng nạp thêm tiền cho tài khoản."


def refusal(provider: str, outcome: str, code: str = "") -> SendError:
    """The error for what a provider answered; `outcome` is a word of the profiles, `code` the provider's own."""
    name = f"{provider[:20]}_{code[:24] or outcome}"
    if outcome in _UNREACHABLE:
        return ContactUnreachable(name, _UNREACHABLE[outcome])
    if outcome == "balance":
        return QuotaExhausted(name, _BALANCE)
    if outcome == "account":
        return ChannelRefused(name, _ACCOUNT)
    if outcome == "throttled":
        return TemporarilyRefused(name, NOT_SENT, retry_after=THROTTLED_SECONDS, whole_channel=True)
    if outcome == "busy":
        return TemporarilyRefused(name, NOT_SENT, retry_after=BUSY_SECONDS)
    if outcome == "unknown":
        return OutcomeUnknown(name, UNCLEAR)
    return MessageRefused(name, _REFUSED.get(outcome, _REFUSED["refused"]))
