"""Which messages belong to which ticket, however they arrive."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.rules.threading import ADDING, OPENING, Group, Said, place_all

NOON = datetime(2026, 10, 7, 5, 0, tzinfo=UTC)
BURST = timedelta(seconds=90)


def said(number: int, after: float, intent: str = "feedback", **more: Any) -> Said:
    """Message `number`, said so many seconds after noon."""
    return Said(number, NOON + timedelta(seconds=after), f"key{number:04d}", intent, **more)


def about(number: int, after: float, topic: str, **more: Any) -> Said:
    """A report of which we are sure what it is about."""
    return said(number, after, topic=topic, is_sure=True, **more)


def grouped(*messages: Said, known: tuple[Group, ...] = ()) -> list[list[int]]:
    return [g.message_ids for g in place_all(messages, known, BURST) if g.message_ids]


@pytest.mark.parametrize(
    ("label", "messages", "groups"),
    [
        ("one report", [said(1, 0)], [[1]]),
        ("a greeting opens nothing", [said(1, 0, "greeting")], []),
        ("thanks open nothing", [said(1, 0, "thanks")], []),
        ("a photo alone opens a ticket", [said(1, 0, "add_info", has_evidence=True)], [[1]]),
        ("words that only add open nothing", [said(1, 0, "add_info")], []),
        ("a burst is one report", [said(1, 0), said(2, 40), said(3, 80)], [[1, 2, 3]]),
        ("a burst may last longer than 90 seconds in all", [said(1, 0), said(2, 89), said(3, 178)], [[1, 2, 3]]),
        ("exactly 90 seconds is still the burst", [about(1, 0, "dien"), about(2, 90, "rac-thai")], [[1, 2]]),
        ("another topic after it is another report", [about(1, 0, "dien"), about(2, 91, "rac-thai")], [[1], [2]]),
        ("the same topic later adds", [about(1, 0, "dien"), about(2, 4000, "dien")], [[1, 2]]),
        ("an unsure topic later adds", [about(1, 0, "dien"), said(2, 4000, topic="rac-thai")], [[1, 2]]),
        ("no topic later adds", [about(1, 0, "dien"), said(2, 4000, "add_info")], [[1, 2]]),
        (
            "a third message goes to its own topic",
            [about(1, 0, "dien"), about(2, 300, "rac-thai"), about(3, 900, "dien")],
            [[1, 3], [2]],
        ),
        ("a greeting inside a report stays out", [said(1, 0), said(2, 10, "greeting"), said(3, 20)], [[1, 3]]),
        (
            "another place the same day adds",
            [about(1, 0, "dien", place="place:1"), about(2, 4000, "dien", place="place:2")],
            [[1, 2]],
        ),
        (
            "another place days later is another report",
            [about(1, 0, "dien", place="place:1"), about(2, 90_001, "dien", place="place:2")],
            [[1], [2]],
        ),
        (
            "the same place days later adds",
            [about(1, 0, "dien", place="place:1"), about(2, 90_001, "dien", place="place:1")],
            [[1, 2]],
        ),
        ("a denunciation stands alone", [about(1, 0, "dien"), said(2, 10, "denunciation", is_sealed=True)], [[1], [2]]),
        (
            "what follows a denunciation at once is sealed with it",
            [said(1, 0, "denunciation", is_sealed=True), said(2, 10, "add_info")],
            [[1, 2]],
        ),
        (
            "an ordinary report after a denunciation is not hidden in it",
            [said(1, 0, "denunciation", is_sealed=True), about(2, 400, "dien")],
            [[1], [2]],
        ),
    ],
)
def test_messages_find_their_report(label: str, messages: list[Said], groups: list[list[int]]) -> None:
    assert grouped(*messages) == groups, label


@pytest.mark.parametrize("intent", sorted(OPENING))
def test_these_wishes_open_a_ticket(intent: str) -> None:
    assert grouped(said(1, 0, intent)) == [[1]]


@pytest.mark.parametrize(
    "intent", [*sorted(ADDING), "greeting", "thanks", "praise", "status_lookup", "spam", "abuse", "chitchat", ""]
)
def test_these_open_none(intent: str) -> None:
    assert grouped(said(1, 0, intent)) == []


def test_a_quote_brings_a_message_to_the_ticket_it_speaks_of() -> None:
    old = Group(ticket_id=7, topics={"dien"}, last_at=NOON - timedelta(days=20))
    newer = Group(ticket_id=8, topics={"rac-thai"}, last_at=NOON - timedelta(seconds=10))
    place_all([about(1, 0, "rac-thai", quoted_ticket=7)], [old, newer], BURST)
    assert (old.message_ids, newer.message_ids) == ([1], [])


def test_a_denunciation_that_quotes_an_open_ticket_does_not_enter_it() -> None:
    old = Group(ticket_id=7, topics={"dien"}, last_at=NOON - timedelta(hours=1))
    groups = place_all([said(1, 0, "denunciation", is_sealed=True, quoted_ticket=7)], [old], BURST)
    assert old.message_ids == []
    assert groups[1].is_sealed


def test_a_message_filed_under_a_ticket_people_work_on_stays_there() -> None:
    worked_on = Group(ticket_id=7)
    place_all([about(1, 0, "dien", fixed_ticket=7), about(2, 4000, "dien")], [worked_on], BURST)
    assert worked_on.message_ids == [1, 2]


def test_a_closed_ticket_takes_no_more() -> None:
    closed = Group(ticket_id=7, topics={"dien"}, last_at=NOON - timedelta(hours=2), ended_at=NOON - timedelta(hours=1))
    groups = place_all([about(1, 0, "dien")], [closed], BURST)
    assert [g.message_ids for g in groups] == [[], [1]]


def test_what_was_said_before_a_ticket_closed_still_belongs_to_it() -> None:
    closed = Group(ticket_id=7, topics={"dien"}, last_at=NOON - timedelta(hours=2), ended_at=NOON + timedelta(hours=1))
    assert grouped(about(1, 0, "dien"), known=(closed,)) == [[1]]


@pytest.mark.parametrize("intent", ["emergency", "feedback", "add_info"])
def test_spam_takes_nothing_more_whenever_it_was_said(intent: str) -> None:
    spam = Group(7, last_at=NOON - timedelta(hours=2), ended_at=NOON + timedelta(hours=1), is_put_aside=True)
    place_all([said(1, 0, intent), said(2, 10, "emergency", quoted_ticket=7)], [spam], BURST)
    assert spam.message_ids == []


def test_an_emergency_is_never_added_to_what_has_ended() -> None:
    closed = Group(7, topics={"dien"}, last_at=NOON - timedelta(minutes=1), ended_at=NOON + timedelta(hours=1))
    groups = place_all([said(1, 0, "emergency"), said(2, 10, "emergency", quoted_ticket=7)], [closed], BURST)
    assert [g.message_ids for g in groups] == [[], [1, 2]]


def test_a_report_is_never_added_to_a_ticket_that_began_after_it() -> None:
    later = Group(ticket_id=7, topics={"dien"}, last_at=NOON + timedelta(hours=1))
    place_all([about(1, 0, "dien")], [later], BURST)
    assert later.message_ids == []


topics = st.sampled_from([None, "dien", "rac-thai", "cay-xanh"])
wishes = st.sampled_from(["feedback", "add_info", "greeting", "denunciation", "question", "thanks"])


@st.composite
def conversations(draw: st.DrawFn) -> list[Said]:
    """What one citizen said in a few days, at times that sometimes coincide."""
    seconds = draw(st.lists(st.sampled_from([0, 30, 30, 80, 120, 300, 4_000, 90_000, 90_050, 200_000]), max_size=9))
    messages = []
    for number, after in enumerate(seconds, 1):
        intent = draw(wishes)
        sealed = intent == "denunciation"
        topic = None if sealed else draw(topics)
        messages.append(
            said(
                number,
                after,
                intent,
                topic=topic,
                is_sure=draw(st.booleans()),
                place=draw(st.sampled_from([None, "place:1", "place:2"])),
                is_sealed=sealed,
                has_evidence=draw(st.booleans()),
            )
        )
    return messages


@settings(max_examples=300, deadline=None)
@given(conversations().flatmap(lambda c: st.tuples(st.just(c), st.permutations(c))))
def test_the_order_of_arrival_changes_nothing(case: tuple[list[Said], list[Said]]) -> None:
    in_order, as_arrived = case
    assert grouped(*as_arrived) == grouped(*in_order)


@settings(max_examples=200, deadline=None)
@given(conversations())
def test_no_message_is_in_two_tickets(messages: list[Said]) -> None:
    placed = [number for group in grouped(*messages) for number in group]
    assert len(placed) == len(set(placed))


@settings(max_examples=200, deadline=None)
@given(conversations())
def test_a_denunciation_is_only_ever_in_a_sealed_ticket(messages: list[Said]) -> None:
    sealed = {m.message_id for m in messages if m.is_sealed}
    for group in place_all(messages, [], BURST):
        # Sealed from its first message on: nobody read it before the denunciation came.
        assert not (sealed & set(group.message_ids)) or group.message_ids[0] in sealed


@settings(max_examples=200, deadline=None)
@given(conversations())
def test_every_report_has_a_ticket(messages: list[Said]) -> None:
    placed = {number for group in grouped(*messages) for number in group}
    assert {m.message_id for m in messages if m.intent in OPENING or m.has_evidence} <= placed
