"""Links: whether the process that keeps a channel's link to its operator is at work, and how the link is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from adapters import ADAPTERS
from adapters.base import Linked
from storage.channels import Channel

# What an SMSC answers to a bind whose account it does not know: ESME_RBINDFAIL, RINVPASWD, RINVSYSID.
KEYS_REFUSED = frozenset({"bind_0xd", "bind_0xe", "bind_0xf"})
LINK_UNKEPT = "Đường nối tới nhà mạng chưa chạy. Vui lòng báo người vận hành máy chủ."
LINK_REFUSED = "Nhà mạng không nhận tài khoản của đường nối. Vui lòng báo người vận hành máy chủ."
LINK_DOWN = "Đường nối tới nhà mạng đang mất; hệ thống tự nối lại. Nếu kéo dài, vui lòng báo người vận hành máy chủ."


@dataclass(frozen=True)
class LinkState:
    """As it stands in the channel's row. `is_kept`: a process holds it, or tries to; `code`: why it is down."""

    is_kept: bool
    is_up: bool
    code: str = ""
    since: datetime | None = None

    @property
    def problem(self) -> str:
        """Why nothing goes out, in a sentence for officials; empty while the link is up."""
        if self.is_up:
            return ""
        if not self.is_kept:
            return LINK_UNKEPT
        return LINK_REFUSED if self.code in KEYS_REFUSED else LINK_DOWN


def link_of(channel: Channel, now: datetime) -> LinkState | None:
    """How the channel's link is; None where there is none to keep."""
    if not isinstance(ADAPTERS.get(channel.type), Linked):
        return None
    known: dict[str, Any] = dict(channel.gateway or {})
    until = datetime.fromisoformat(known["lease_until"]) if known.get("lease_until") else None
    since = datetime.fromisoformat(known["since"]) if known.get("since") else None
    is_kept = until is not None and until > now
    is_up = is_kept and bool(known.get("is_up"))
    return LinkState(is_kept, is_up, "" if is_up else str(known.get("code") or ""), since)
