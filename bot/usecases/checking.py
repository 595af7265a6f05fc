"""Checking a channel that speaks for itself: whose its token is, and whether events really come."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from adapters.base import Bringing, Fetching
from adapters.errors import ChannelRefused, SendError
from bot.runtime import Runtime
from bot.texts import moment
from bot.usecases.findings import Report
from bot.usecases.polling import CONFLICT, is_asked
from storage.channels import Channel, ChannelPoll

ASKED_LATELY = timedelta(minutes=2)
LONG_QUEUE = 100
FAILED_LATELY = timedelta(hours=1)


def check_speaking(
    runtime: Runtime, adapter: Fetching, channel: Channel, config: Any, webhook_url: str, report: Report
) -> None:
    """Note what the account says about its token and about where events go."""
    try:
        account = adapter.account_of(runtime.http, config)
    except SendError as error:
        shown = error.shown if isinstance(error, ChannelRefused) else SILENT_SHOWN
        report.add("FAIL", "token", error.code, shown)
        return
    report.add("ok", "token", f"works, @{account.name}", "Quyền truy cập còn hiệu lực.")
    if account.id != channel.account:
        report.add(
            "FAIL",
            "account",
            f"token is of {account.id}, not {channel.account}",
            "Quyền được cấp là của tài khoản khác, không phải %(account)s. "
            "Vui lòng chọn đúng tài khoản của địa phương.",
            account=channel.account,
        )
        return
    try:
        found = adapter.bringing(runtime.http, config)
    except SendError as error:
        report.add("FAIL", "events", error.code, SILENT_SHOWN)
        return
    if is_asked(runtime, channel, config):
        _check_asking(runtime, channel, found, report)
    else:
        _check_bringing(runtime, adapter, channel, found, webhook_url, report)


def _check_asking(runtime: Runtime, channel: Channel, found: Bringing, report: Report) -> None:
    with runtime.database.reading() as session:
        poll = session.scalar(sa.select(ChannelPoll).where(ChannelPoll.channel_id == channel.id))
    if found.url:
        report.add(
            "FAIL",
            "polling",
            f"events are brought to {found.url}, so nobody may ask; run: haichieu channel connect {channel.slug}",
            "Tin đang được chuyển tới một địa chỉ khác. Vui lòng báo người vận hành máy chủ nối lại kênh.",
        )
    elif poll is not None and poll.error == CONFLICT:
        report.add(
            "FAIL",
            "polling",
            "another program asks for this bot's events (409); stop it, or take a new token from @BotFather",
            CONFLICT_SHOWN,
        )
    elif poll is not None and poll.error:
        report.add("FAIL", "polling", poll.error, "Lần hỏi tin gần nhất không được. Hệ thống tự hỏi lại.")
    elif poll is None or poll.polled_at is None or runtime.now() - poll.polled_at > ASKED_LATELY:
        at = f"last at {poll.polled_at:%Y-%m-%dT%H:%MZ}" if poll and poll.polled_at else "never yet"
        report.add(
            "warn",
            "polling",
            f"nobody asks, {at}; is haichieu up or haichieu worker inbox running?",
            "Chưa có tiến trình nào hỏi tin của kênh. Vui lòng báo người vận hành máy chủ.",
        )
    else:
        report.add(
            "ok",
            "polling",
            f"last at {poll.polled_at:%Y-%m-%dT%H:%M:%SZ}, {found.waiting} updates wait there",
            "Hệ thống đang hỏi tin đều, lần gần nhất %(luc)s.",
            luc=moment(poll.polled_at),
        )


def _check_bringing(
    runtime: Runtime, adapter: Fetching, channel: Channel, found: Bringing, webhook_url: str, report: Report
) -> None:
    again = f"run: haichieu channel connect {channel.slug}"
    if not runtime.settings.is_https and not channel.is_sandbox:
        report.add(
            "FAIL",
            "webhook",
            f"{webhook_url} is not https; set HAICHIEU_PUBLIC_URL, or receive=polling",
            "Địa chỉ nhận sự kiện chưa phải https nên kênh không gửi tới được. Vui lòng báo người vận hành máy chủ.",
        )
    elif found.url != webhook_url:
        report.add(
            "FAIL",
            "webhook",
            f"events go to {found.url or 'nowhere'}, not {webhook_url}; {again}",
            "Tin đang được chuyển tới một địa chỉ khác. Vui lòng báo người vận hành máy chủ nối lại kênh.",
        )
    elif found.kinds and set(found.kinds) != set(adapter.event_kinds):
        report.add(
            "warn",
            "webhook",
            f"asks for {', '.join(found.kinds)}, not {', '.join(adapter.event_kinds)}; {again}",
            "Kênh chưa chuyển đủ các loại sự kiện. Vui lòng báo người vận hành máy chủ nối lại kênh.",
        )
    else:
        report.add("ok", "webhook", webhook_url, "Địa chỉ nhận sự kiện hợp lệ.")
    if found.failed_at is not None and runtime.now() - found.failed_at < FAILED_LATELY:
        report.add(
            "warn",
            "delivery",
            f"last failed at {found.failed_at:%Y-%m-%dT%H:%MZ}: {found.failure}",
            "Lần chuyển tin gần nhất không được, lúc %(luc)s. Kênh tự chuyển lại.",
            luc=moment(found.failed_at),
        )
    if found.waiting >= LONG_QUEUE:
        report.add(
            "warn", "queue", f"{found.waiting} updates wait there", "Nhiều tin đang chờ ở kênh, sẽ được nhận dần."
        )


SILENT_SHOWN = "Kênh không trả lời. Vui lòng thử lại sau ít phút."
CONFLICT_SHOWN = (
    "Có chương trình khác đang nhận tin của tài khoản này nên tin có thể không tới đây. "
    "Vui lòng báo người vận hành máy chủ."
)
