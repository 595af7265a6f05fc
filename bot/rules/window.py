"""Until when a channel lets us write to a citizen, at what price, and what is left when it does not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


@dataclass(frozen=True)
class Window:
    """Whether a reply may go out now; `closes_at` is None on a channel without windows."""

    is_open: bool
    closes_at: datetime | None
    is_free: bool
    free_until: datetime | None


def window(
    last_interaction_at: datetime | None, now: datetime, *, hours: float | None, free_hours: float | None
) -> Window:
    """The window that the citizen's last interaction opened; `hours` None: the channel has none."""
    if hours is None:
        return Window(is_open=True, closes_at=None, is_free=True, free_until=None)
    if last_interaction_at is None:
        return Window(is_open=False, closes_at=None, is_free=False, free_until=None)
    closes = last_interaction_at + timedelta(hours=hours)
    free = last_interaction_at + timedelta(hours=free_hours) if free_hours is not None else closes
    return Window(is_open=now < closes, closes_at=closes, is_free=now < free, free_until=free)


class Way(StrEnum):
    """How a citizen can be reached on a channel now."""

    FREE = "free"
    PAID = "paid"
    TEMPLATE = "template"
    CLOSED = "closed"


class Why(StrEnum):
    """What is in the way of a free answer in the citizen's own chat."""

    NOTHING = ""
    NOT_FREE = "not_free"
    TOO_LONG_AGO = "too_long_ago"
    NEVER_THERE = "never_there"
    REFUSED = "refused"
    BLOCKED = "blocked"


@dataclass(frozen=True)
class Plan:
    """The best way there is now, why it is no better, and until when; `until` None: for as long as nothing happens."""

    way: Way
    why: Why
    until: datetime | None = None
    then_until: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether the official's own words can go out."""
        return self.way in {Way.FREE, Way.PAID}


def plan(seen: Window, *, refusal: Why = Why.NOTHING, may_pay: bool = True, has_form: bool = False) -> Plan:
    """What is possible for this citizen now.

    `refusal`: the channel has said no since they were last there: REFUSED, or BLOCKED when they want nothing from us.
    `may_pay`: the commune pays at all. `has_form`: there is an approved message for them. `then_until` of a free way:
    until when it could still be answered for money.
    """
    if refusal is Why.BLOCKED:
        return Plan(Way.CLOSED, Why.BLOCKED)
    if refusal is Why.NOTHING and seen.is_open and seen.is_free:
        return Plan(Way.FREE, Why.NOTHING, seen.free_until, seen.closes_at if may_pay else None)
    if refusal is Why.NOTHING and seen.is_open and may_pay:
        return Plan(Way.PAID, Why.NOT_FREE, seen.closes_at)
    why = refusal or _why_closed(seen)
    return Plan(Way.TEMPLATE if has_form else Way.CLOSED, why)


def _why_closed(seen: Window) -> Why:
    if seen.is_open:
        return Why.NOT_FREE
    return Why.TOO_LONG_AGO if seen.closes_at else Why.NEVER_THERE


def refused_code(found: Plan, *, pays: bool) -> str | None:
    """Why a message of one's own words may not go out by this plan, as a code; None when it may."""
    if found.way is Way.FREE or (found.way is Way.PAID and pays):
        return None
    if found.way is Way.PAID or found.why is Why.NOT_FREE:
        return "window_paid"
    return "blocked" if found.why is Why.BLOCKED else "window_closed"
