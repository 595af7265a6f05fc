"""Loudspeakers: in which steps a bulletin goes, when it may be heard, what was played, and which cluster needs help."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from bot.rules.audience import QuietHours
from bot.rules.deadlines import VIETNAM
from storage.enums import SourceStep

ORDINARY, PRIORITY, EMERGENCY = "thong_thuong", "uu_tien", "khan_cap"
CLASSES = (ORDINARY, PRIORITY, EMERGENCY)
WORDS_A_MINUTE = 130  # read out slowly, domain §13: 120 to 150
LEAST_SECONDS = 5
MOST_DAYS, MOST_SLOTS = 31, 10
SILENT_AFTER = timedelta(minutes=30)
CALL_AFTER = timedelta(minutes=10)
_SATURDAY = 5
WELL, PLAYING, BROKEN, CUT_OFF = "well", "playing", "broken", "cut_off"

Slot = tuple[time, time]


def reading_seconds(script: str) -> int:
    """How long it takes to read a script out."""
    return max(LEAST_SECONDS, round(len(script.split()) * 60 / WORDS_A_MINUTE))


def step_after(step: SourceStep, urgency: str, *, has_lines: bool) -> SourceStep | None:
    """What the source system is told next; an emergency has no schedule, it is played as it comes."""
    steps = [SourceStep.HAND_OVER]
    if urgency != EMERGENCY:
        steps.append(SourceStep.SCHEDULE)
    if has_lines:
        steps.append(SourceStep.SHOW)
    if step not in steps or step is steps[-1]:
        return None
    return steps[steps.index(step) + 1]


def schedule_problem(days: Sequence[date], slots: Sequence[Slot], now: datetime, quiet: QuietHours | None) -> str:
    """What is wrong with a schedule; "" when it is fine: "missing", "many", "backwards", "past" or "quiet"."""
    if not days or not slots:
        return "missing"
    if len(days) > MOST_DAYS or len(slots) > MOST_SLOTS:
        return "many"
    if any(begin >= end for begin, end in slots):
        return "backwards"
    if any(datetime.combine(min(days), begin, VIETNAM) < now for begin, _ in slots):
        return "past"
    if quiet is not None and any(_is_heard(quiet, min(days), slot) for slot in slots):
        return "quiet"
    return ""


@dataclass(frozen=True)
class Limits:
    """How much a commune lets loudspeakers speak: sessions a day (0: any number), minutes each, and on which days."""

    sessions: int = 0
    minutes: int = 45
    weekdays_only: bool = False


# Of a commune's settings. Domain §13: 45 minutes in the countryside; inner wards of Hanoi 2 times 15, no weekends.
SESSIONS, MINUTES, WEEKDAYS_ONLY = "loudspeaker_sessions", "loudspeaker_minutes", "loudspeaker_weekdays"


def limits_of(settings: Mapping[str, object]) -> Limits:
    """A commune's limits: the usual ones unless it set others."""
    usual = Limits()
    sessions, minutes = settings.get(SESSIONS), settings.get(MINUTES)
    return Limits(
        sessions if isinstance(sessions, int) else usual.sessions,
        minutes if isinstance(minutes, int) else usual.minutes,
        settings.get(WEEKDAYS_ONLY) is True,
    )


def limit_problem(
    days: Sequence[date], slots: Sequence[Slot], taken: Mapping[date, Sequence[Slot]], limits: Limits
) -> str:
    """Which limit a schedule breaks beside what is `taken` already; "" when none: "weekend", "long" or "many".

    What is read without a pause in between is one session.
    """
    if limits.weekdays_only and any(day.weekday() >= _SATURDAY for day in days):
        return "weekend"
    for day in days:
        sessions = _sessions([*slots, *taken.get(day, ())])
        own = [one for one in sessions if any(one[0] <= begin < one[1] for begin, _ in slots)]
        if any(_minutes(one) > limits.minutes for one in own):
            return "long"
        if limits.sessions and len(sessions) > limits.sessions:
            return "many"
    return ""


def _sessions(slots: Sequence[Slot]) -> list[Slot]:
    joined: list[Slot] = []
    for begin, end in sorted(slots):
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((begin, end))
    return joined


def _minutes(slot: Slot) -> float:
    begin, end = (moment.hour * 60 + moment.minute + moment.second / 60 for moment in slot)
    return end - begin


def _is_heard(quiet: QuietHours, day: date, slot: Slot) -> bool:
    begin, end = (datetime.combine(day, moment, VIETNAM) for moment in slot)
    return quiet.cover(begin) or quiet.cover(end - timedelta(seconds=1))


@dataclass(frozen=True)
class Said:
    """What a cluster reported of a bulletin."""

    cluster: str
    is_success: bool
    reason: str = ""


@dataclass(frozen=True)
class Tally:
    """Which clusters played it, which could not and why, and which have not said anything."""

    played: frozenset[str]
    failed: dict[str, str]
    quiet: frozenset[str]

    @property
    def total(self) -> int:
        """How many clusters it was for."""
        return len(self.played) + len(self.failed) + len(self.quiet)


def tally(wanted: Collection[str], said: Iterable[Said]) -> Tally:
    """Who played it at least once, in whatever order they say so; who was not asked counts too when they speak."""
    told = list(said)
    played = frozenset(one.cluster for one in told if one.is_success)
    failed = {one.cluster: one.reason for one in told if one.cluster not in played}
    return Tally(played, failed, frozenset(wanted) - played - set(failed))


def condition(state: str, heard_at: datetime, now: datetime, *, is_connected: bool) -> str:
    """How a cluster is: WELL, PLAYING, BROKEN or CUT_OFF."""
    if not is_connected or now - heard_at > SILENT_AFTER:
        return CUT_OFF
    return state if state in {BROKEN, PLAYING} else WELL


def is_out(how: str) -> bool:
    """Whether somebody must go there."""
    return how in {BROKEN, CUT_OFF}
