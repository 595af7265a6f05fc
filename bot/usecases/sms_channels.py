"""What is particular to checking an SMS channel: the address to give the provider, the account, what came last."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from adapters.base import Asked, Linked
from adapters.errors import SendError
from bot.runtime import Runtime
from bot.texts import moment
from bot.usecases.findings import Report
from bot.usecases.gateways import BACKUP, MAIN, Gate, has_backup
from bot.usecases.links import LINK_UNKEPT, link_of
from storage.channels import Channel
from storage.messages import InboundEvent


def callback_address(runtime: Runtime, channel: Channel, config: Any) -> str:
    """What must be given to the provider, the secret part included; "" where there is no such thing."""
    adapter: object = runtime.adapters.get(channel.type)
    if not isinstance(adapter, Asked) or isinstance(adapter, Linked):
        return ""
    return f"{runtime.settings.base_url}/webhooks/{channel.slug}{adapter.callback(config)}"


def check_provider(runtime: Runtime, channel: Channel, config: Any, report: Report) -> None:
    """Ask each gateway about our account, say which one is in use, and what came in last."""
    adapter: Any = runtime.adapters[channel.type]
    if isinstance(adapter, Linked):
        _check_link(runtime, channel, report)
        _check_what_came(runtime, channel, report)
        return
    if not isinstance(adapter, Asked):
        return
    report.add(
        "ok",
        "callback",
        f"{callback_address(runtime, channel, config)} (secret; its receipts: the same with /receipt before any ?)",
        "Địa chỉ để khai với nhà cung cấp SMS (giữ kín): %(url)s",
        url=callback_address(runtime, channel, config),
    )
    names = (MAIN, BACKUP) if has_backup(runtime, channel, config) else (MAIN,)
    for name in names:
        _check_account(runtime, adapter, config, name, report)
    _check_gateway(channel, report, is_double=len(names) > 1)
    _check_what_came(runtime, channel, report)


def _check_link(runtime: Runtime, channel: Channel, report: Report) -> None:
    link = link_of(channel, runtime.now())
    if link is not None and link.is_up and link.since:
        report.add("ok", "link", f"up since {link.since:%Y-%m-%dT%H:%MZ}", "Đường nối tới nhà mạng đang hoạt động.")
    elif link is not None and link.is_kept:
        report.add(
            "FAIL",
            "link",
            f"down ({link.code or 'never up'}); it is tried again by itself; bind_0xd to bind_0xf: check keys",
            link.problem,
        )
    else:
        report.add(
            "FAIL",
            "link",
            f"nobody keeps it; run: haichieu smpp {channel.slug}",
            LINK_UNKEPT,
        )


def _check_what_came(runtime: Runtime, channel: Channel, report: Report) -> None:
    with runtime.database.reading() as session:
        for what, names_of in (("message", ("message", "part")), ("receipt", ("receipt",))):
            _check_last(what, session.scalar(_latest(channel.id, names_of)), report)


def _check_account(runtime: Runtime, adapter: Any, config: Any, name: str, report: Report) -> None:
    gateway = adapter.through(config, name)
    provider = gateway.gateway.profile.name
    try:
        found = adapter.account(runtime.http, gateway)
    except SendError as error:
        report.add(
            "FAIL",
            f"account {name}",
            f"{provider} says {error.code}; check its keys, then that it lets this server's address in",
            "Nhà cung cấp SMS (%(ten)s) không nhận tài khoản hoặc không trả lời. Vui lòng báo người vận hành máy chủ.",
            ten=provider,
        )
        return
    if found is None:
        report.add(
            "ok",
            f"account {name}",
            f"{provider} offers no question about the account; the first message will show",
            "Nhà cung cấp SMS (%(ten)s) không cho hỏi số dư; gửi thử một tin để chắc chắn.",
            ten=provider,
        )
        return
    balance = found.get("balance", "?")
    level = "warn" if balance.strip("0.") == "" else "ok"
    report.add(
        level,
        f"account {name}",
        f"{provider} accepts our keys; balance {balance}",
        "Nhà cung cấp SMS (%(ten)s) nhận tài khoản. Số dư: %(so)s.",
        ten=provider,
        so=balance,
    )


def _check_gateway(channel: Channel, report: Report, *, is_double: bool) -> None:
    if not is_double:
        return
    gate = Gate.of(channel)
    if gate.in_use == MAIN or gate.since is None:
        report.add("ok", "gateway", "main; backup is ready", "Đang gửi qua cổng chính; có cổng dự phòng.")
        return
    shown = {
        "slow": "Đang gửi qua cổng dự phòng từ %(luc)s vì cổng chính trả lời quá chậm. Hệ thống tự thử lại cổng chính.",
        "refused": "Đang gửi qua cổng dự phòng từ %(luc)s vì cổng chính từ chối nhiều lần. "
        "Hệ thống tự thử lại cổng chính.",
    }
    report.add(
        "warn",
        "gateway",
        f"backup since {gate.since:%Y-%m-%dT%H:%MZ}: main was {gate.reason} ({gate.code}); probed by itself",
        shown.get(gate.reason, shown["refused"]),
        luc=moment(gate.since),
    )


def _check_last(what: str, at: datetime | None, report: Report) -> None:
    names = {
        "message": ("Tin gần nhất của người dân: %(luc)s.", "Chưa nhận tin SMS nào của người dân."),
        "receipt": ("Báo nhận gần nhất của nhà mạng: %(luc)s.", "Chưa có báo nhận nào của nhà mạng."),
    }
    told, never = names[what]
    if at is None:
        report.add("warn", f"last {what}", "none received yet", never)
    else:
        report.add("ok", f"last {what}", f"{at:%Y-%m-%dT%H:%MZ}", told, luc=moment(at))


def _latest(channel_id: int, names: tuple[str, ...]) -> sa.Select[tuple[datetime]]:
    matches = [InboundEvent.event_name == name for name in names if name != "part"]
    if "part" in names:
        matches.append(InboundEvent.event_name.like("part %"))
    return (
        sa.select(InboundEvent.received_at)
        .where(InboundEvent.channel_id == channel_id, sa.or_(*matches))
        .order_by(InboundEvent.id.desc())
        .limit(1)
    )
