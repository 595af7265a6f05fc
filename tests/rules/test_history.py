"""History: how a ticket stood at a moment, wholly since events say so, and no more than older ones tell."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.rules.history import past_at
from storage.enums import EventKind, TicketState, Urgency

NINE = datetime(2026, 10, 7, 2, 0, tzinfo=UTC)


def later(minutes: int) -> datetime:
    return NINE + timedelta(minutes=minutes)


def test_before_it_was_opened_there_was_none() -> None:
    assert past_at([(NINE, EventKind.OPENED, {})], later(-1)) is None
    assert past_at([], NINE) is None


def test_the_last_event_until_then_says_how_it_stood() -> None:
    new = {"state": "moi", "topic": "chieu-sang", "urgency": "thuong", "agency": 4, "due": int(later(900).timestamp())}
    history = [
        (NINE, EventKind.OPENED, {"then": new}),
        (later(5), EventKind.PLACE_CHANGED, {"to": "Xóm 5", "then": {**new, "place": 9}}),
        (later(9), EventKind.SEALED, {"then": {"state": "moi", "urgency": "khan", "sealed": 1}}),
    ]
    past = past_at(history, later(8))
    assert past is not None
    assert (past.state, past.topic, past.agency_id, past.place_id) == (TicketState.NEW, "chieu-sang", 4, 9)
    assert (past.place_words, past.due, past.is_whole, past.is_sealed) == ("Xóm 5", later(900), True, False)
    sealed = past_at(history, later(9))
    assert sealed is not None
    assert (sealed.is_sealed, sealed.due, sealed.agency_id, sealed.urgency) == (True, None, None, Urgency.URGENT)


def test_older_events_tell_the_state_and_what_they_name() -> None:
    history = [
        (NINE, EventKind.OPENED, {"topic": "rac-thai", "agency_id": 3}),
        (later(1), EventKind.STATE_CHANGED, {"from": "moi", "to": "da_tiep_nhan"}),
        (later(2), EventKind.ASSIGNED, {"agency": "Phòng Kinh tế", "official": None}),
        (later(3), EventKind.TOPIC_CHANGED, {"from": "rac-thai", "to": "o-nhiem"}),
        (later(4), EventKind.EXTENDED, {"days": 3, "due": later(99).isoformat()}),
    ]
    first = past_at(history, later(1))
    assert first is not None
    assert (first.state, first.topic, first.agency_id, first.is_whole) == (TicketState.RECEIVED, "rac-thai", 3, False)
    last = past_at(history, later(9))
    assert last is not None
    assert (last.topic, last.agency_id, last.agency_name, last.due) == ("o-nhiem", None, "Phòng Kinh tế", later(99))
    assert (last.urgency, last.official_id, last.place_id) == (None, None, None)
