"""What Zalo's error numbers mean, as a table: numbers are per service, so (service, code) decides, never the text."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any

from adapters.errors import (
    ChannelRefused,
    ContactUnreachable,
    MessageRefused,
    NotNow,
    OutcomeUnknown,
    PaymentRefused,
    QuotaExhausted,
    SendError,
    TemporarilyRefused,
    TokenRefreshFailed,
    TokenRejected,
    UploadExpired,
    WindowClosed,
)

VIETNAM = timezone(timedelta(hours=7))  # one zone, no summer time
NIGHT_ENDS_AT = 6


@dataclass(frozen=True)
class Meaning:
    """Which error a number is, what an official reads, and what else the error carries."""

    kind: type[SendError]
    shown: str
    more: Mapping[str, Any] = field(default_factory=dict)


_TOKEN = Meaning(TokenRejected, "Zalo chưa chấp nhận quyền truy cập. Hệ thống sẽ tự làm mới rồi gửi lại.")
_WINDOW = Meaning(
    WindowClosed,
    "Chưa gửi được: người dân chưa nhắn tin cho kênh Zalo trong 7 ngày qua. "
    "Gửi được lại khi người dân nhắn tin; có thể gọi điện theo số trong hồ sơ.",
)
_BLOCKED = Meaning(
    ContactUnreachable,
    "Chưa gửi được: người dân đã chặn hoặc hạn chế tin từ kênh Zalo. Vui lòng gọi điện theo số trong hồ sơ.",
)
_WALLET = Meaning(
    PaymentRefused,
    "Zalo không gửi tin mất phí: ví ZCA chưa liên kết hoặc đã hết tiền. "
    "Người quản trị cần kiểm tra ví tại oa.zalo.me; trong khi chờ, có thể gọi điện theo số trong hồ sơ.",
)
_NO_PACKAGE = Meaning(
    PaymentRefused,
    "Zalo không gửi tin mất phí: gói dịch vụ OA chưa có quyền này. "
    "Người quản trị cần mua hoặc nâng gói tại oa.zalo.me; trong khi chờ, có thể gọi điện theo số trong hồ sơ.",
)
_NO_TEMPLATE = Meaning(
    MessageRefused,
    "Zalo không nhận tin mẫu này: mẫu chưa được duyệt hoặc chưa bật gửi theo người dùng OA. "
    "Người quản trị cần kiểm tra mẫu tại zalo.cloud; trong khi chờ, có thể gọi điện theo số trong hồ sơ.",
)
_NIGHT = Meaning(NotNow, "Zalo không cho gửi tin này từ 22 giờ đến 6 giờ. Hệ thống sẽ tự gửi lúc 6 giờ sáng.")
_QUOTA = Meaning(
    QuotaExhausted,
    "Chưa gửi được: kênh Zalo đã dùng hết hạn mức tin. Hệ thống sẽ thử lại; người quản trị có thể mua thêm hạn mức.",
)
_GONE = Meaning(
    ChannelRefused,
    "Kênh Zalo tạm dừng gửi: tài khoản OA bị khóa hoặc không còn. "
    "Người quản trị cần kiểm tra tại oa.zalo.me rồi mở lại kênh.",
)
_APP = Meaning(
    ChannelRefused,
    "Kênh Zalo tạm dừng gửi: ứng dụng chưa kích hoạt hoặc chưa được cấp quyền gửi tin. "
    "Người quản trị cần kiểm tra tại developers.zalo.me, cấp quyền lại rồi mở lại kênh.",
)
_PACKAGE = Meaning(
    ChannelRefused,
    "Kênh Zalo tạm dừng gửi: OA chưa xác thực hoặc gói dịch vụ không có quyền gửi loại tin này. "
    "Người quản trị cần kiểm tra gói tại oa.zalo.me rồi mở lại kênh.",
)
_REFUSED = Meaning(
    MessageRefused, "Zalo không nhận tin này vì nội dung không hợp lệ. Vui lòng sửa nội dung hoặc gọi điện."
)
_UNSUPPORTED = Meaning(MessageRefused, "Zalo không nhận loại tin này. Vui lòng gửi lại bằng chữ hoặc gọi điện.")

_NO_ACCOUNT = Meaning(
    MessageRefused, "Số điện thoại trong hồ sơ không nhận được tin Zalo. Vui lòng gọi điện hoặc nhắn SMS."
)
_UNWANTED = Meaning(
    MessageRefused, "Người dân đã từ chối loại tin này trên Zalo. Vui lòng gọi điện theo số trong hồ sơ."
)

ERRORS: dict[tuple[str, int], Meaning] = {
    ("oa", -32): Meaning(
        TemporarilyRefused,
        "Kênh Zalo đang quá tải lượt gửi. Hệ thống sẽ tự gửi lại sau ít phút, không cần thao tác.",
        {"whole_channel": True},
    ),
    ("oa", -100): Meaning(
        UploadExpired,
        "Ảnh kèm theo đã hết hạn trên Zalo. Hệ thống sẽ tự tải lên và gửi lại.",
        {"retry_after": 5.0, "tries": 2},
    ),
    ("oa", -200): Meaning(
        TemporarilyRefused,
        "Zalo báo gửi không thành công. Hệ thống sẽ tự thử lại vài lần; nếu vẫn không được, vui lòng gọi điện.",
        {"retry_after": 60.0, "tries": 3},
    ),
    ("oa", -201): _REFUSED,
    ("oa", -202): _APP,
    ("oa", -204): _GONE,
    ("oa", -205): _GONE,
    ("oa", -209): _APP,
    ("oa", -210): Meaning(
        MessageRefused, "Zalo không nhận tin này vì quá dài hoặc tệp quá lớn. Vui lòng rút ngắn rồi gửi lại."
    ),
    ("oa", -211): _QUOTA,
    ("oa", -212): _APP,
    ("oa", -213): _WINDOW,
    ("oa", -214): Meaning(
        TemporarilyRefused, "Zalo đang xử lý nội dung. Hệ thống sẽ tự gửi lại sau ít phút.", {"retry_after": 30.0}
    ),
    ("oa", -215): _APP,
    ("oa", -216): _TOKEN,
    ("oa", -217): _BLOCKED,
    ("oa", -218): Meaning(
        QuotaExhausted,
        "Chưa gửi được: hôm nay người dân này đã nhận đủ số tin Zalo cho phép. Vui lòng gửi lại vào ngày mai.",
        {"for_contact": True},
    ),
    ("oa", -219): _APP,
    ("oa", -220): _TOKEN,
    ("oa", -221): _PACKAGE,
    ("oa", -223): _APP,
    ("oa", -224): _NO_PACKAGE,
    ("oa", -227): Meaning(
        ContactUnreachable,
        "Chưa gửi được: tài khoản Zalo của người dân bị khóa hoặc lâu không hoạt động. Vui lòng gọi điện.",
    ),
    ("oa", -230): _WINDOW,
    ("oa", -232): _WINDOW,
    ("oa", -233): _UNSUPPORTED,
    ("oa", -133): _NIGHT,
    ("oa", -234): _NIGHT,
    ("oa", -235): _PACKAGE,
    ("oa", -237): _UNSUPPORTED,
    ("oa", -238): _QUOTA,
    ("oa", -240): _UNSUPPORTED,
    ("oa", -241): _QUOTA,
    ("oa", -242): Meaning(
        ChannelRefused,
        "Kênh Zalo tạm dừng gửi: thiếu hoặc sai appsecret_proof. "
        "Người quản trị cần kiểm tra khóa bí mật của ứng dụng rồi mở lại kênh.",
    ),
    ("oa", -244): _BLOCKED,
    ("oa", -248): Meaning(
        MessageRefused, "Zalo từ chối tin này vì cho rằng nội dung vi phạm quy định. Vui lòng xem lại nội dung."
    ),
    ("oa", -249): _NO_TEMPLATE,
    ("oa", -305): _WINDOW,
    ("oa", -311): _QUOTA,
    ("oa", -320): _WALLET,
    ("oa", -321): _WALLET,
    ("oa", -403): _UNSUPPORTED,
    ("oa", -1340): _REFUSED,
    ("oa", -1341): _REFUSED,
    ("oa", -124): _TOKEN,
    ("oa", 216): _TOKEN,
    ("oa", -401): _TOKEN,
    ("oa", 401): _TOKEN,
    # Messages to a telephone number: another service, whose numbers mean other things.
    ("zbs", -32): Meaning(
        TemporarilyRefused,
        "Kênh Zalo đang quá tải lượt gửi. Hệ thống sẽ tự gửi lại sau ít phút, không cần thao tác.",
        {"whole_channel": True},
    ),
    ("zbs", -100): Meaning(
        OutcomeUnknown, "Zalo báo lỗi không rõ nên không biết người dân đã nhận chưa. Có thể gọi điện."
    ),
    ("zbs", -108): Meaning(
        MessageRefused, "Zalo không nhận số điện thoại trong hồ sơ. Vui lòng kiểm tra số hoặc gọi điện."
    ),
    ("zbs", -114): _NO_ACCOUNT,
    ("zbs", -115): _QUOTA,
    ("zbs", -118): _NO_ACCOUNT,
    ("zbs", -119): _NO_ACCOUNT,
    ("zbs", -124): _TOKEN,
    ("zbs", -1241): Meaning(
        ChannelRefused,
        "Kênh Zalo tạm dừng gửi: thiếu hoặc sai appsecret_proof. "
        "Người quản trị cần kiểm tra khóa bí mật của ứng dụng rồi mở lại kênh.",
    ),
    ("zbs", -131): _NO_TEMPLATE,
    ("zbs", -133): _NIGHT,
    ("zbs", -135): _NO_PACKAGE,
    ("zbs", -1351): _NO_PACKAGE,
    ("zbs", -136): _WALLET,
    ("zbs", -137): _WALLET,
    ("zbs", -139): _UNWANTED,
    ("zbs", -141): _UNWANTED,
    ("zbs", -144): _QUOTA,
    ("zbs", -1441): _QUOTA,
    ("zbs", -146): _NO_TEMPLATE,
    ("zbs", -147): _QUOTA,
}
BLOCKED_CODES = frozenset(f"zalo_{code}" for (_, code), found in ERRORS.items() if found.kind is ContactUnreachable)

_CONSENT = "Quyền truy cập Zalo không còn hiệu lực. Người quản trị cần mở trang Kênh và cấp quyền lại."
CONSENT_ERRORS: dict[tuple[str, int], str] = {
    ("oauth", -118): _CONSENT,
    ("oauth", -14014): _CONSENT,
    ("oauth", -14002): "Zalo không nhận mã ứng dụng. Người quản trị cần kiểm tra app_id và trạng thái ứng dụng.",
    ("oauth", -14003): "Zalo không nhận địa chỉ trả về. Địa chỉ phải giống hệt địa chỉ đã khai tại developers.zalo.me.",
}


def send_error(code: int, now: datetime | None = None, *, service: str = "oa") -> SendError:
    """The error that a non-zero number of this service stands for; an unknown number refuses the message."""
    now = now or datetime.now(UTC)
    meaning = ERRORS.get((service, code), _REFUSED)
    more = dict(meaning.more)
    if meaning.kind is NotNow:
        more["not_before"] = next_morning(now)
    if more.get("whole_channel"):
        more["retry_after"] = until_next_minute(now)
    name = "zalo" if service == "oa" else f"zalo_{service}"
    return meaning.kind(f"{name}_{code}"[:60], meaning.shown, **more)


def rate_limited(retry_after: str | None, now: datetime | None = None) -> TemporarilyRefused:
    """HTTP 429: nobody sends on this channel until the named moment, or the next minute."""
    now = now or datetime.now(UTC)
    seconds = _seconds(retry_after, now) or until_next_minute(now)
    return TemporarilyRefused("zalo_http_429", ERRORS["oa", -32].shown, retry_after=seconds, whole_channel=True)


def needs_consent(code: int | None) -> TokenRefreshFailed:
    """The OAuth service said no: only an administrator of the account can help."""
    name = "zalo_oauth_refused" if code is None else f"zalo_oauth_{code}"[:60]
    shown = CONSENT_ERRORS.get(("oauth", code or 0), _CONSENT)
    return TokenRefreshFailed(name, shown, needs_consent=True)


def next_morning(now: datetime) -> datetime:
    """The next 6 o'clock in Vietnam, when Zalo's night ends."""
    local = now.astimezone(VIETNAM)
    morning = local.replace(hour=NIGHT_ENDS_AT, minute=0, second=0, microsecond=0)
    return (morning if local < morning else morning + timedelta(days=1)).astimezone(UTC)


def until_next_minute(now: datetime) -> float:
    """Seconds until Zalo's counters start anew, and a little more so that not everybody comes back at once."""
    return 60.0 - now.second + random.uniform(0.5, 5.0)


def _seconds(retry_after: str | None, now: datetime) -> float | None:
    value = (retry_after or "").strip()
    if value.isascii() and value.isdecimal():
        return float(max(1, min(int(value[:6]), 3600)))
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(1.0, min((moment - now).total_seconds(), 3600.0))
