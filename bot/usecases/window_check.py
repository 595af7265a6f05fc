"""Checking a channel that closes: signature, package, permissions, prices and the approved message, each in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.base import CatchingUp, Publishing, Windowed
from adapters.errors import SendError, TokenRefreshFailed
from bot.rules.deadlines import VIETNAM
from bot.runtime import Runtime
from bot.usecases.findings import Report
from bot.usecases.tokens import NoToken, access_for
from storage.channels import Channel

UNSIGNED = ("forged", "unsigned")
ENDS_SOON = timedelta(days=14)
PRICES = {
    "ask": "Trả lời ngoài 48 giờ: cán bộ đồng ý trả phí từng tin.",
    "always": "Trả lời ngoài 48 giờ: hệ thống tự trả phí.",
    "never": "Trả lời ngoài 48 giờ: không gửi, vì kênh không trả phí.",
}


def check_window(
    runtime: Runtime, channel: Channel, config: Any, account: dict[str, str], counts: dict[str, int], report: Report
) -> None:
    """Note what a channel with windows needs besides a token; `account`: as it presents itself, if it did."""
    adapter: object = runtime.adapters.get(channel.type)
    if not isinstance(adapter, Windowed):
        return
    _check_signature(config, counts, report)
    if account:
        _check_package(account, runtime.now(), report)
        _check_permission(runtime, channel, config, adapter, report)
    price = adapter.paid_replies(config)
    report.add("ok", "paid replies", price, PRICES[price])
    form = adapter.form(config)
    if form is None:
        report.add(
            "warn",
            "template",
            "none; haichieu channel set NAME template_id=… template_text=… template_fields=@fields.json",
            "Chưa có tin mẫu: quá 7 ngày người dân không liên hệ thì không báo được là đã có trả lời.",
        )
    else:
        way = "phone" if form.by_phone else "uid"
        report.add("ok", "template", f"{form.id} by {way}", "Tin mẫu báo có trả lời: %(so)s.", so=form.id)
    if isinstance(adapter, Publishing):
        most = adapter.broadcasts_a_month(config)
        report.add("ok", "articles", f"{most} a month", "Bài viết cho mọi người: %(n)s bài mỗi tháng.", n=most)


def _check_signature(config: Any, counts: dict[str, int], report: Report) -> None:
    bad = sum(counts.get(name, 0) for name in UNSIGNED)
    mode = getattr(config, "signature_mode", "strict")
    if bad and not counts.get("accepted"):
        report.add(
            "FAIL",
            "signature",
            f"{bad} webhooks today, none signed with our OA secret; copy the OA Secret Key of the webhook page",
            "Hôm nay không sự kiện nào có chữ ký đúng. Vui lòng báo người vận hành kiểm tra OA Secret Key.",
        )
    elif bad:
        report.add("warn", "signature", f"{bad} wrong today", "Hôm nay có %(n)s sự kiện sai chữ ký.", n=bad)
    elif mode != "strict":
        report.add(
            "warn",
            "signature",
            f"signature_mode is {mode}; set it to strict when the console has saved the address",
            "Chữ ký chưa được kiểm tra nghiêm ngặt. Vui lòng báo người vận hành máy chủ.",
        )
    elif counts.get("signed_with_previous"):
        report.add("warn", "signature", "some with the previous secret", "Còn sự kiện ký bằng khóa cũ.")
    elif counts.get("accepted"):
        report.add("ok", "signature", f"{counts['accepted']} good today", "Chữ ký của các sự kiện hôm nay đều đúng.")
    else:
        report.add("ok", "signature", "none to judge today", "Hôm nay chưa có sự kiện nào để kiểm tra chữ ký.")


def _check_package(account: dict[str, str], now: datetime, report: Report) -> None:
    name, until = account.get("package_name", ""), account.get("package_valid_through_date", "")
    ends = _day(until)
    if ends is not None and ends < now:
        report.add("FAIL", "package", f"{name or '?'} ended {until}", "Gói OA đã hết hạn ngày %(ngay)s.", ngay=until)
    elif ends is not None and ends - now < ENDS_SOON:
        report.add("warn", "package", f"{name or '?'} ends {until}", "Gói OA sắp hết hạn: %(ngay)s.", ngay=until)
    else:
        report.add("ok", "package", f"{name or '?'} until {until or '?'}", "Gói OA: %(goi)s.", goi=name or "?")
    if account.get("is_verified") in {"False", "false", "0"}:
        report.add("warn", "verified", "the OA is not verified", "OA chưa xác thực nên Zalo giới hạn nhiều chức năng.")
    if "linked_ZCA" in account and not account["linked_ZCA"]:
        report.add(
            "warn",
            "wallet",
            "no ZCA wallet is linked",
            "Chưa liên kết ví ZCA: tin mất phí và tin mẫu có thể bị từ chối.",
        )


def _day(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%d/%m/%Y").replace(tzinfo=VIETNAM).astimezone(UTC) + timedelta(days=1)
    except ValueError:
        return None


def _check_permission(runtime: Runtime, channel: Channel, config: Any, adapter: object, report: Report) -> None:
    """Reading conversations is a permission of its own, and the one that catching up needs."""
    if not isinstance(adapter, CatchingUp):
        return
    try:
        adapter.recent_chats(runtime.http, config, access_for(runtime, channel).token, 0)
    except (SendError, NoToken, TokenRefreshFailed) as error:
        report.add(
            "warn",
            "permissions",
            f"conversations cannot be read ({getattr(error, 'code', 'no token')}); tick it at developers.zalo.me",
            "Ứng dụng chưa có quyền xem lại hội thoại nên không lấy lại được tin đã lỡ. Vui lòng cấp thêm quyền.",
        )
        return
    report.add("ok", "permissions", "conversations can be read", "Có quyền xem lại hội thoại để lấy tin đã lỡ.")
