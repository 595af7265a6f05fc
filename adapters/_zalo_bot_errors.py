"""What the Zalo Bot platform's refusals mean: its published table of six codes, and nothing of the descriptions."""

from __future__ import annotations

import json
from typing import Any

from adapters.errors import (
    ChannelRefused,
    ContactUnreachable,
    MessageRefused,
    OutcomeUnknown,
    SendError,
    TemporarilyRefused,
)
from adapters.http import Answer

TIMED_OUT = "zalo_bot_408"

# Neither the limits nor how long they hold are published; a minute is our guess where no header says more.
USUAL_HOLD, LONGEST_HOLD = 60.0, 3_600.0


def accepted(answer: Answer, *, is_to_person: bool = False) -> Any:
    """The result of a call that was granted; `is_to_person`: it names a chat. Raises SendError."""
    reply = answer.json()
    reply = reply if isinstance(reply, dict) else {}
    if reply.get("ok") is True and answer.is_success:
        return reply.get("result")
    code = reply.get("error_code")
    # A refusal may come with any HTTP status; the code in the body is the platform's own word.
    is_told = reply.get("ok") is False and isinstance(code, int) and not isinstance(code, bool)
    status = int(code) if is_told and code is not None else answer.status
    if status == 404 and is_to_person:
        # The table says only "not found, the request is not valid"; others read it as a chat that is not there. A
        # token that is not valid is 401, so a person is the likeliest thing not to be found.
        raise ContactUnreachable("zalo_bot_404", _GONE)
    raise _refusal(status, answer)


def _refusal(status: int, answer: Answer) -> SendError:
    code = f"zalo_bot_{status}"
    if status == 401:
        return ChannelRefused(code, _REVOKED)
    if status == 404:
        return ChannelRefused(code, _NOT_THERE)
    if status == 429:
        return TemporarilyRefused(code, _FLOOD, retry_after=_hold(answer), whole_channel=True)
    if status in {403, 408} or status >= 500:
        # 403 is "Internal server error" in the table: nothing tells whether the message went out before.
        return OutcomeUnknown(code, UNCLEAR)
    if 300 <= status < 400:
        # The platform never redirects: something in between answered, and nothing came to Zalo.
        return TemporarilyRefused("zalo_bot_redirected", _NOT_SENT, tries=5)
    if 200 <= status < 300:
        return OutcomeUnknown("zalo_bot_unclear", UNCLEAR)
    return MessageRefused(code, _REFUSED)


def _hold(answer: Answer) -> float:
    seconds = answer.headers.get("retry-after", "").strip()
    if seconds.isascii() and seconds.isdecimal() and len(seconds) < 10 and int(seconds) > 0:
        return min(float(seconds), LONGEST_HOLD)
    return USUAL_HOLD


def tellable(body: bytes) -> str:
    """What of an answer may be recorded: whether it was granted, which message it became, and the refusal."""
    try:
        reply = json.loads(body)
    except (ValueError, RecursionError):
        return f"({len(body)} bytes, not JSON)"
    if not isinstance(reply, dict):
        return "(not an object)"
    kept = {name: reply[name] for name in ("ok", "error_code", "description") if name in reply}
    result = reply.get("result")
    if isinstance(result, dict) and isinstance(result.get("message_id"), str | int):
        kept["message_id"] = result["message_id"]
    return json.dumps(kept, ensure_ascii=False)


UNCLEAR = "Zalo không trả lời rõ ràng nên không biết người dân đã nhận chưa. Anh/Chị có thể gọi điện hoặc bấm Gửi lại."
_NOT_SENT = "Chưa gửi được tin tới Zalo. Hệ thống sẽ tự gửi lại, Anh/Chị không cần thao tác."
_FLOOD = "Bot Zalo đã hết lượt gửi lúc này. Hệ thống sẽ tự gửi lại sau ít phút, Anh/Chị không cần thao tác."
_NOT_THERE = "Zalo không có nơi mà kênh bot gọi tới. Người quản trị cần kiểm tra token và địa chỉ api_base của kênh."
_REVOKED = (
    "Kênh bot Zalo tạm dừng gửi: mã truy cập (token) của bot không còn hiệu lực. "
    "Người quản trị cần lấy token mới trong Zalo Bot Creator rồi mở lại kênh."
)
_GONE = (
    "Chưa gửi được: Zalo không tìm thấy cuộc trò chuyện với người dân. Anh/Chị vui lòng gọi điện theo số trong hồ sơ."
)
_REFUSED = "Zalo không nhận tin này. Anh/Chị vui lòng sửa nội dung rồi gửi lại hoặc gọi điện."
