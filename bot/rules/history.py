"""Where a ticket stands, or stood at some moment, told by its history alone: the state in its row must be the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from storage.enums import THEN, EventKind, TicketState, Urgency

Fact = tuple[EventKind, dict[str, Any]]
Told = tuple[datetime, EventKind, dict[str, Any]]


@dataclass(frozen=True)
class Past:
    """How a ticket stood. `is_whole`: all is known; otherwise only the state and what older events happen to say.

    `agency_name`: an agency that an older event names. `place_words`: what officials had written, where they had.
    """

    state: TicketState
    is_whole: bool = False
    topic: str | None = None
    urgency: Urgency | None = None
    agency_id: int | None = None
    agency_name: str | None = None
    official_id: int | None = None
    place_id: int | None = None
    place_words: str | None = None
    due: datetime | None = None
    promised: datetime | None = None
    paused: datetime | None = None
    is_sealed: bool = False
    is_spam: bool = False


def state_after(history: Iterable[Fact]) -> TicketState:
    """The state that these events, in their order, lead to."""
    state, put_aside = TicketState.NEW, False
    for kind, data in history:
        if kind is EventKind.STATE_CHANGED:
            state = TicketState(data["to"])
        elif kind is EventKind.MERGED and "into" in data:
            state = TicketState.MERGED
        elif kind in {EventKind.PARTED, EventKind.UNDONE} and "to" in data:
            state = TicketState(data["to"])
        elif kind is EventKind.MARKED_SPAM:
            state, put_aside = TicketState.CLOSED, True
        elif kind is EventKind.RESTORED:
            state, put_aside = TicketState(data["to"]), False
        elif kind is EventKind.WITHDRAWN and (data.get("by") == "citizen" or state.is_open or put_aside):
            # Data that were withdrawn end what was still open; what had ended stays as it was.
            state, put_aside = TicketState.WITHDRAWN, False
    return state


def deed_of(data: dict[str, Any]) -> int | None:
    """Which deed an event is part of: the version of the ticket that it made; None of events before this was noted."""
    version: int | None = data.get(THEN, {}).get("version")
    return version


def past_at(history: Iterable[Told], until: datetime) -> Past | None:
    """How the ticket stood at this moment, its events in their order; None when it was not there yet."""
    told = [(kind, data) for at, kind, data in history if at <= until]
    if not told:
        return None
    words = _place_words(told)
    then = next((data[THEN] for _, data in reversed(told) if THEN in data), None)
    if then is None or THEN not in told[-1][1]:
        return _from_older(told, words)
    return Past(
        state=TicketState(then["state"]),
        is_whole=True,
        topic=then.get("topic"),
        urgency=Urgency(then["urgency"]) if "urgency" in then else None,
        agency_id=then.get("agency"),
        official_id=then.get("official"),
        place_id=then.get("place"),
        place_words=words,
        due=_moment(then.get("due")),
        promised=_moment(then.get("promised")),
        paused=_moment(then.get("paused")),
        is_sealed=bool(then.get("sealed")),
        is_spam=bool(then.get("spam")),
    )


def _from_older(told: list[Fact], words: str | None) -> Past:
    """What events from before they said all: the state surely, and what was last named."""
    topic = agency_id = agency_name = due = None
    for kind, data in told:
        if kind is EventKind.OPENED:
            topic, agency_id = data.get("topic"), data.get("agency_id")
        elif kind is EventKind.TOPIC_CHANGED:
            topic = data.get("to")
        elif kind is EventKind.ASSIGNED or data.get("agency"):
            agency_name, agency_id = data.get("agency"), None
        elif kind is EventKind.EXTENDED and data.get("due"):
            due = datetime.fromisoformat(data["due"])
    state = state_after(told)
    return Past(state, topic=topic, agency_id=agency_id, agency_name=agency_name, place_words=words, due=due)


def _place_words(told: list[Fact]) -> str | None:
    changes = [data.get("to") for kind, data in told if kind is EventKind.PLACE_CHANGED]
    return changes[-1] if changes else None


def _moment(seconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None else None
