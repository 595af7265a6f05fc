"""What Telegram's refusals mean: the HTTP status decides, and the description where one status has several causes."""

from __future__ import annotations

import json
from typing import Any

from adapters.errors import (
    AskedElsewhere,
    ChannelRefused,
    ContactUnreachable,
    MessageRefused,
    OutcomeUnknown,
    SendError,
    TemporarilyRefused,
    UploadExpired,
)
from adapters.http import Answer
from adapters.text import printable

LONGEST_HOLD = 3_600.0
TOO_BIG = "telegram_too_big"  # the Bot API gives no file of more than 20 MB

# Descriptions of 400 that speak of the citizen, not of the message; Telegram publishes no list.
_NOBODY = ("chat not found", "user not found", "peer_id_invalid", "user is deactivated", "bot can't initiate")


def accepted(answer: Answer) -> Any:
    """The result of a call that Telegram granted. Raises SendError."""
    reply = answer.json()
    error = _refusal(answer.status, reply if isinstance(reply, dict) else {})
    if error is not None:
        raise error
    if not isinstance(reply, dict) or reply.get("ok") is not True:
        raise OutcomeUnknown("telegram_unclear", UNCLEAR)
    return reply.get("result")


def _refusal(status: int, reply: dict[str, Any]) -> SendError | None:
    if 200 <= status < 300 and reply.get("ok") is False and isinstance(reply.get("error_code"), int):
        status = reply["error_code"]
    code = f"telegram_{status}"
    if status == 429:
        return TemporarilyRefused(code, _FLOOD, retry_after=_hold(reply), whole_channel=True)
    if status >= 500:
        return OutcomeUnknown(code, UNCLEAR)
    if status in {401, 404}:
        return ChannelRefused(code, _REVOKED)
    if status == 403:
        return ContactUnreachable(code, _BLOCKED)
    if status == 409:
        return AskedElsewhere(code, _CONFLICT)
    if status == 400:
        return _bad_request(reply)
    if status >= 400:
        return MessageRefused(code, _REFUSED)
    if status >= 300:
        # Telegram never redirects: something in between answered, and nothing came to Telegram.
        return TemporarilyRefused("telegram_redirected", _NOT_SENT, tries=5)
    return None


def _bad_request(reply: dict[str, Any]) -> SendError:
    words = printable(reply.get("description"), 300).lower()
    parameters = reply.get("parameters")
    if isinstance(parameters, dict) and "migrate_to_chat_id" in parameters:
        return ContactUnreachable("telegram_chat_migrated", _GROUP)
    if "wrong file identifier" in words or "wrong remote file" in words:
        return UploadExpired("telegram_picture_unknown", _REFUSED, retry_after=5.0, tries=2)
    if any(known in words for known in _NOBODY):
        return ContactUnreachable("telegram_chat_not_found", _GONE)
    return MessageRefused(TOO_BIG if "too big" in words else "telegram_400", _REFUSED)


def _hold(reply: dict[str, Any]) -> float:
    parameters = reply.get("parameters")
    seconds = parameters.get("retry_after") if isinstance(parameters, dict) else None
    if isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds > 0:
        return min(float(seconds), LONGEST_HOLD)
    return 30.0


def tellable(body: bytes) -> str:
    """What of an answer may be recorded: whether it was granted, which message it became, and the refusal.

    An answer repeats the citizen's name and what was said to them.
    """
    try:
        reply = json.loads(body)
    except (ValueError, RecursionError):
        return f"({len(body)} bytes, not JSON)"
    if not isinstance(reply, dict):
        return "(not an object)"
    kept = {name: reply[name] for name in ("ok", "error_code", "description") if name in reply}
    result = reply.get("result")
    if isinstance(result, dict) and isinstance(result.get("message_id"), int):
        kept["message_id"] = result["message_id"]
    parameters = reply.get("parameters")
    if isinstance(parameters, dict) and "retry_after" in parameters:
        kept["retry_after"] = parameters["retry_after"]
    return json.dumps(kept, ensure_ascii=False)


UNCLEAR = "Telegram không trả lời rõ ràng nên không biết người dân đã nhận chưa. Có thể gọi điện hoặc bấm Gửi lại."
_NOT_SENT = "Chưa gửi được tin tới Telegram. Hệ thống sẽ tự gửi lại, không cần thao tác."
_FLOOD = "Telegram yêu cầu gửi chậm lại. Hệ thống sẽ tự gửi lại sau ít phút, không cần thao tác."
_REVOKED = (
    "Kênh Telegram tạm dừng gửi: mã truy cập (token) của bot không còn hiệu lực. "
    "Người quản trị cần lấy token mới từ @BotFather rồi mở lại kênh."
)
_BLOCKED = "Chưa gửi được: người dân đã chặn kênh Telegram. Vui lòng gọi điện theo số trong hồ sơ."
_GONE = (
    "Chưa gửi được: không tìm thấy người dân trên Telegram, hoặc tài khoản không còn. "
    "Vui lòng gọi điện theo số trong hồ sơ."
)
_GROUP = "Chưa gửi được: địa chỉ Telegram này là một nhóm, không phải của riêng người dân. Vui lòng gọi điện."
_CONFLICT = (
    "Có chương trình khác đang nhận tin của bot Telegram này. "
    "Người quản trị cần tắt chương trình đó, hoặc lấy token mới từ @BotFather."
)
_REFUSED = "Telegram không nhận tin này vì nội dung không hợp lệ. Vui lòng sửa nội dung hoặc gọi điện."
