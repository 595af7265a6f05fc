"""Announcements: when people may be disturbed, and which words exactly were approved."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import cast

from bot.rules.deadlines import VIETNAM
from storage.enums import Importance

TITLE_AT_MOST = 80
TEXT_AT_MOST = 1_000  # of the whole message as it arrives, signature and opt-out line included
A_WEEK = timedelta(days=7)

# What an author must have checked before a second person reads it (domain §13).
CHECKLIST = ("no_advertising", "no_personal_data", "competent_source")


@dataclass(frozen=True)
class Enough:
    """How many announcements of a class one follower gets within a time."""

    most: int
    within: timedelta


# Domain §13; of emergencies there is never enough, but each is written and approved by people.
CAPS = {Importance.ROUTINE: Enough(3, A_WEEK), Importance.PRIORITY: Enough(2, timedelta(days=1))}


@dataclass(frozen=True)
class QuietHours:
    """The part of a day, in local time, in which no announcement is sent; it usually spans midnight."""

    begins: time
    ends: time

    def cover(self, moment: datetime) -> bool:
        """Whether this moment lies in the quiet part of the day."""
        at = moment.astimezone(VIETNAM).time()
        if self.begins <= self.ends:
            return self.begins <= at < self.ends
        return at >= self.begins or at < self.ends


EVERYBODYS_NIGHT = QuietHours(time(22, 0), time(6, 0))  # channels themselves send nothing to all in it
USUAL_QUIET_HOURS = QuietHours(time(21, 0), time(6, 30))


def quiet_hours(settings: dict[str, object]) -> QuietHours | None:
    """A commune's quiet hours: the usual ones unless it set others; None when it switched them off.

    A setting that cannot be read counts as unset: a typing mistake must not wake people at night.
    """
    if "quiet_hours" not in settings:
        return USUAL_QUIET_HOURS
    setting = settings["quiet_hours"]
    if setting is None:
        return None
    try:
        begins, ends = cast("list[str]", setting)
        return QuietHours(time.fromisoformat(begins), time.fromisoformat(ends))
    except (TypeError, ValueError):
        return USUAL_QUIET_HOURS


def not_before(now: datetime, quiet: QuietHours | None = USUAL_QUIET_HOURS) -> datetime:
    """The first moment from now on at which an announcement may be sent."""
    if quiet is None or not quiet.cover(now):
        return now
    local = now.astimezone(VIETNAM)
    day = local.date() if local.time() < quiet.ends else local.date() + timedelta(days=1)
    return datetime.combine(day, quiet.ends, VIETNAM).astimezone(UTC)


def text_hash(
    title: str, body: str, channel_id: int, topic: str = "", place_ids: Sequence[int] = (), more: Sequence[str] = ()
) -> str:
    """The fingerprint of exactly what an approver read: title, body, where it goes, and whom it is for.

    `more`: what a part of a bulletin has besides, in a fixed order.
    """
    words = f"{title}\n{body}\n{channel_id}"
    if topic or place_ids or more:
        words += f"\n{topic}\n{sorted(place_ids)}"
    if more:
        words += "\n" + "\n".join(more)
    return hashlib.sha256(words.encode()).hexdigest()


def masked(urn: str) -> str:
    """An address that tells two people apart without giving either away: its scheme and last four characters."""
    scheme, _, rest = urn.rpartition(":")
    return f"{scheme} …{rest[-4:]}".strip()


def masked_name(name: str) -> str:
    """A name as lists show it: "N. V. Hoa"."""
    *before, last = name.split() or [""]
    return " ".join([*(f"{word[0]}." for word in before), last])
