"""Replying: whether a message answers an announcement, and which of the questions about one are the same question."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.rules.threading import SURE

WINDOW = timedelta(hours=48)  # what is written later, without quoting it, is no answer to it
FIRST_HOUR = timedelta(hours=1)
# What says nothing about the announcement and needs no ticket.
COURTESIES = frozenset({"thanks", "praise", "greeting", "test", "spam", "abuse", "chitchat"})
_OF_THEIR_OWN = frozenset(
    {"spam", "abuse", "greeting", "test", "subscribe", "unsubscribe", "status_lookup", "data_request", "withdraw",
     "rating", "denunciation", "human_handoff"}
)  # fmt: skip
_ALIKE = 0.5
_WORD = re.compile(r"[a-z0-9]+")
_SAYS_NOTHING = frozenset({
    "a", "ad", "anh", "ba", "ban", "cac", "can", "cam", "chao", "cho", "chi", "chu", "con", "cua", "da", "dang",
    "day", "de", "den", "di", "do", "duoc", "em", "gi", "ha", "ho", "hoi", "la", "lai", "lam", "luc", "ma", "minh",
    "nay", "nha", "nhe", "nhi", "nua", "o", "oi", "on", "ong", "qua", "roi", "sao", "se", "thi", "thoi", "toi",
    "tui", "va", "van", "vang", "ve", "vay", "voi", "xa", "xin", "the", "nhu", "moi", "bac", "co", "bo", "rang",
    "neu", "nhung", "tren", "theo", "tai", "tu", "khong", "ko", "k", "u", "uh", "cung",
})  # fmt: skip


@dataclass(frozen=True)
class Told:
    """An announcement somebody got: when, about which subject ("" none), in which folded words."""

    at: datetime
    topic: str
    folded: str


@dataclass(frozen=True)
class Said:
    """A message that quotes nothing, as far as this looks; `topic`: its likeliest subject, and how sure that is."""

    at: datetime
    intent: str
    folded: str
    topic: str | None = None
    chance: float = 0.0
    is_in_talk: bool = False


def answers(said: Said, told: Told, window: timedelta = WINDOW) -> bool:
    """Whether a message that follows an announcement is about it, unless it is clearly about something else."""
    is_late = not told.at <= said.at <= told.at + window
    if is_late or said.is_in_talk or said.intent in _OF_THEIR_OWN:
        return False
    if said.topic is None or said.chance < SURE:
        return True
    if told.topic:
        return said.topic == told.topic
    return bool(content(said.folded) & content(told.folded))


def content(folded: str) -> frozenset[str]:
    """The words of a text that say what it is about."""
    return frozenset(word for word in _WORD.findall(folded) if word not in _SAYS_NOTHING)


@dataclass(frozen=True)
class Asked:
    """One message about an announcement; `faq_key`: the frequent question it asks, if that is known."""

    id: int
    folded: str
    faq_key: str | None = None


@dataclass
class Group:
    """Messages that ask the same; the first of `ids` was asked first."""

    words: frozenset[str]
    faq_key: str | None = None
    ids: list[int] = field(default_factory=list)


def grouped(questions: Iterable[Asked], most: int) -> Sequence[Group]:
    """The most frequent questions, those asked most often first.

    Each joins the first group whose first question has half of its telling words in common; an index of words keeps
    that from comparing everything with everything.
    """
    groups: list[Group] = []
    by_word: dict[str, list[int]] = {}
    by_key: dict[str, int] = {}
    for asked in questions:
        words = content(asked.folded)
        if not words:
            continue
        number = by_key.get(asked.faq_key) if asked.faq_key else _like(words, groups, by_word)
        if number is None:
            number = len(groups)
            groups.append(Group(words, asked.faq_key))
            for word in words:
                by_word.setdefault(word, []).append(number)
            if asked.faq_key:
                by_key[asked.faq_key] = number
        groups[number].ids.append(asked.id)
    return sorted(groups, key=lambda group: -len(group.ids))[:most]


def _like(words: frozenset[str], groups: list[Group], by_word: dict[str, list[int]]) -> int | None:
    shared = Counter(number for word in words for number in by_word.get(word, ()))
    best = max(shared, key=lambda number: (_dice(words, groups[number].words), -number), default=None)
    return best if best is not None and _dice(words, groups[best].words) >= _ALIKE else None


def _dice(one: frozenset[str], other: frozenset[str]) -> float:
    return 2 * len(one & other) / (len(one) + len(other))
