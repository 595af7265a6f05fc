"""Bulletins from above: how followers read whose they are and how urgent, without a word of theirs being changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.rules.audience import TITLE_AT_MOST
from storage.enums import Importance

NOBODY_NAMED = "cơ quan cấp trên"
_LABELS = {
    Importance.ROUTINE: "Tin của {nguon}",
    Importance.PRIORITY: "Tin ưu tiên của {nguon}",
    Importance.EMERGENCY: "KHẨN CẤP: tin của {nguon}",
}
_OVER = "HẾT HIỆU LỰC: tin của {nguon}"
_ELLIPSIS = "…"


@dataclass(frozen=True)
class Handed:
    """A revision of a bulletin from above; `title` and `text` are its own words."""

    urgency: Importance
    source: str
    title: str
    text: str
    revision: int = 1
    is_cancelled: bool = False
    reason: str = ""


def heading(handed: Handed) -> str:
    """The title that followers read: whose bulletin it is, its class, and which revision, within the usual length."""
    template = _OVER if handed.is_cancelled else _LABELS[handed.urgency]
    tail = f" (bản {handed.revision})" if handed.revision > 1 and not handed.is_cancelled else ""
    room = TITLE_AT_MOST - len(template.format(nguon="")) - len(tail)
    source = handed.source or NOBODY_NAMED
    return template.format(nguon=source if len(source) <= room else source[: room - 1].rstrip() + _ELLIPSIS) + tail


def words(handed: Handed) -> str:
    """The text that followers read: their title and text as they are, or that it holds no more."""
    if handed.is_cancelled:
        why = f" {handed.reason}" if handed.reason and handed.reason != handed.title else ""
        return f"“{handed.title}” không còn hiệu lực.{why}"
    return handed.text if handed.text.startswith(handed.title) else f"{handed.title}\n\n{handed.text}"


def still_holds(valid_until: datetime | None, now: datetime) -> bool:
    """Whether what it says is true yet; without an end it is."""
    return valid_until is None or valid_until > now
