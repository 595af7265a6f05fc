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

PREFIXES = {
    BulletinKind.FIRST: "",
    BulletinKind.CORRECTION: "ĐÍNH CHÍNH: ",
    BulletinKind.RECALL: "THU HỒI: ",
    BulletinKind.END: "HẾT HIỆU LỰC: ",
}
# What an emergency may ask below its words, wherever people can answer.
ASKS_SAFETY = "Ông/bà trả lời: AN TOÀN hoặc CẦN GIÚP."

# What an author must have checked before a second person reads it (domain §13).
FULL_CHECKLIST = (*CHECKLIST, "essential", "third_party", "no_rumours", "written_by_a_person")
LONGEST_VALIDITY = timedelta(days=366)


@dataclass(frozen=True)
class Words:
    """What was written: a title, the text, and words of their own for some media.

    `picture`: the file that goes with it where a channel carries pictures, named by its bytes; `picture_words`: what is
    seen on it.
    """

    title: str
    body: str
    texts: Mapping[str, str] = field(default_factory=dict)
    kind: BulletinKind = BulletinKind.FIRST
    picture: str = ""
    picture_words: str = ""
    asks_safety: bool = False

    @property
    def headline(self) -> str:
        """The title as people read it: what puts right or takes back says so first."""
        return PREFIXES[self.kind] + self.title

    def on(self, medium: str) -> str:
        """The text on this medium; where it can be answered, with the question whether people are safe."""
        words = self.texts.get(medium) or self.body
        return f"{words}\n\n{ASKS_SAFETY}" if self.asks_safety and words and medium not in {RADIO, BOARD} else words

    @property
    def digest(self) -> str:
        """By which a test is recognised as one of these words."""
        seen: list[object] = [self.picture, self.picture_words] if self.picture else []
        asked: list[object] = [ASKS_SAFETY] if self.asks_safety else []
        return _digest([self.headline, self.body, dict(self.texts), *seen, *asked])


@dataclass(frozen=True)
class Repeats:
    """How often something goes out by itself, so many days apart; once, or as an emergency, a person decides.

    `of_id`: the emergency that this is once more; `is_for_silent`: only for those who have not answered that one.
    """

    times: int = 1
    days: int = 0
    of_id: int | None = None
    is_for_silent: bool = False

    def moments(self, begins: datetime) -> list[datetime]:
        """When it goes out, in order."""
        return [begins + timedelta(days=self.days * number) for number in range(self.times)]

    def problem(self, importance: Importance, begins: datetime | None, valid_until: datetime | None) -> str:
        """What is wrong with the repeats, in a sentence; "" when nothing is."""
        if self.times == 1:
            return ""
        if importance is Importance.EMERGENCY:
            return "Tin khẩn cấp không tự lặp lại. Sau khi gửi, cán bộ bấm “Nhắc lại” khi cần."
        if begins is None:
            return "Chưa chọn giờ gửi lần đầu. Vui lòng hẹn giờ gửi để biết các ngày lặp lại."
        if valid_until is not None and self.moments(begins)[-1] >= valid_until:
            return "Lần lặp cuối sau thời hạn hiệu lực. Vui lòng giảm số lần hoặc kéo dài thời hạn."
        return ""


ONCE = Repeats()
MOST_REPEATS = 60


@dataclass(frozen=True)
class Plan:
    """Everything that is approved: the words, and to whom, where, when, how urgently and at what prices they go.

    `notice_id`: the bulletin from above that it passes on word for word. `narrowing`: whom it is only for, as it is
    kept; `prices`: in đồng, by channel, where somebody has said.
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
    repeats: Repeats = ONCE
    notice_id: int | None = None
    narrowing: Mapping[str, Any] = field(default_factory=dict)
    prices: Mapping[str, int] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """What an approver of it as it stands would approve; with the days of its repeats."""
        moments = [at.isoformat() if at else "" for at in (self.valid_until, self.send_at)]
        audience = [sorted(self.channel_ids), self.topic, sorted(self.place_ids), self.corrects_id or 0]
        again = [] if self.repeats == ONCE else [self._repeated()]
        passed_on = [] if self.notice_id is None else [self.notice_id]
        more = [self.aloud.data(), *again, *passed_on, dict(self.narrowing), dict(self.prices)]
        return _digest([self.words.digest, self.importance.value, audience, moments, *more])

    def _repeated(self) -> list[object]:
        dates = [at.isoformat() for at in self.repeats.moments(self.send_at)] if self.send_at else []
        return [self.repeats.times, self.repeats.days, self.repeats.of_id or 0, self.repeats.is_for_silent, dates]


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
