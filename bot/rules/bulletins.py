"""Bulletins: what one text becomes on each medium, what must be in order before it is handed on, and its digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.rules.aloud import NOT_ALOUD, Aloud
from bot.rules.audience import CHECKLIST
from storage.enums import BulletinKind, Importance

RADIO, BOARD = "radio", "board"
BOARD_LINES, BOARD_LINE = 2, 60
# Channels whose followers read the same words on the same kind of screen; each other channel is a medium of its own.
_MEDIUM_OF = {"zalo_bot": "zalo", "smpp": "sms"}
MEDIA = ("zalo", "telegram", "sms", RADIO, BOARD)  # for which words of their own may be written

PREFIXES = {BulletinKind.FIRST: "", BulletinKind.CORRECTION: "ĐÍNH CHÍNH: ", BulletinKind.RECALL: "THU HỒI: "}

# What an author must have checked before a second person reads it (domain §13).
FULL_CHECKLIST = (*CHECKLIST, "essential", "third_party", "no_rumours", "written_by_a_person")
LONGEST_VALIDITY = timedelta(days=366)


@dataclass(frozen=True)
class Words:
    """What was written: a title, the text, and words of their own for some media."""

    title: str
    body: str
    texts: Mapping[str, str] = field(default_factory=dict)
    kind: BulletinKind = BulletinKind.FIRST

    @property
    def headline(self) -> str:
        """The title as people read it: what puts right or takes back says so first."""
        return PREFIXES[self.kind] + self.title

    def on(self, medium: str) -> str:
        """The text on this medium."""
        return self.texts.get(medium) or self.body

    @property
    def digest(self) -> str:
        """By which a test is recognised as one of these words."""
        return _digest([self.headline, self.body, dict(self.texts)])


@dataclass(frozen=True)
class Plan:
    """Everything that is approved: the words, and to whom, where, when, how urgently and at what prices they go.

    `narrowing`: whom it is only for, as it is kept; `prices`: in đồng, by channel, where somebody has said.
    """

    words: Words
    importance: Importance
    channel_ids: Sequence[int]
    topic: str
    place_ids: Sequence[int]
    valid_until: datetime | None
    send_at: datetime | None = None
    corrects_id: int | None = None
    aloud: Aloud = NOT_ALOUD
    narrowing: Mapping[str, Any] = field(default_factory=dict)
    prices: Mapping[str, int] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """What an approver of it as it stands would approve."""
        moments = [at.isoformat() if at else "" for at in (self.valid_until, self.send_at)]
        audience = [sorted(self.channel_ids), self.topic, sorted(self.place_ids), self.corrects_id or 0]
        more: list[object] = [dict(part) for part in (self.narrowing, self.prices)]
        return _digest([self.words.digest, self.importance.value, audience, moments, self.aloud.data(), *more])


def medium_of(channel_type: str) -> str:
    """The medium a type of channel is."""
    return _MEDIUM_OF.get(channel_type, channel_type)


def timing_problem(now: datetime, valid_until: datetime | None, send_at: datetime | None) -> str:
    """What is wrong with when it goes and how long it holds, in a sentence; "" when nothing is."""
    if valid_until is None:
        return "Chưa có thời hạn hiệu lực. Vui lòng chọn ngày giờ hết hiệu lực."
    if valid_until <= (send_at or now):
        return "Thời hạn hiệu lực phải sau lúc gửi. Vui lòng chọn lại."
    if valid_until > now + LONGEST_VALIDITY:
        return "Thời hạn hiệu lực dài nhất là một năm. Vui lòng chọn lại."
    return ""


def _digest(parts: list[object]) -> str:
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
