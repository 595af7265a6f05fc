"""Put aside until a moment: gone from the work, not from the clocks, and back for whatever must be seen."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.rules.lifecycle import NotAllowed
from bot.usecases import clocks, snoozing, tickets, triage
from bot.usecases.desk import Changed
from bot.usecases.ticket_list import listing
from storage.communes import Commune
from storage.enums import EventKind, TicketState
from storage.tickets import Ticket, TicketEvent, View
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.usecases.looking import FIRE, OTHER, POTHOLE, history, take_in, the_ticket
from tests.usecases.looking import tickets as all_tickets


@pytest.fixture
def ticket(morning: World) -> Ticket:
    """A report of a pothole that the desk has taken in."""
    morning.says(POTHOLE)
    take_in(morning)
    tickets.receive(
        morning.runtime, morning.official("lan"), the_ticket(morning).id, version=the_ticket(morning).version
    )
    return the_ticket(morning)


def snooze(world: World, until: str = "monday", who: str = "lan", **more: object) -> snoozing.Snoozed:
    one = the_ticket(world)
    return snoozing.snooze(world.runtime, world.official(who), one.id, version=one.version, until=until, **more)  # type: ignore[arg-type]


def counts(world: World, who: str = "lan") -> dict[str, int]:
    commune = all_rows(world.runtime, Commune)[0]
    found = listing(world.runtime, world.official(who), commune, View.SNOOZED)
    assert len(found.rows) == found.counts[View.SNOOZED]
    return {view.value: number for view, number in found.counts.items()}


def woken(world: World) -> list[str | None]:
    return [e.data.get("why") for e in all_rows(world.runtime, TicketEvent) if e.kind is EventKind.WOKEN]


def test_it_leaves_the_work_of_all_until_the_moment_comes(morning: World, ticket: Ticket, clock: Clock) -> None:
    before, theirs = counts(morning), counts(morning, "hung")
    assert (before["nobody"], theirs["mine"], before["snoozed"]) == (1, 1, 0)
    done = snooze(morning, reason="Chờ  đội thi công trả lời")
    after = counts(morning)
    assert (after["nobody"], counts(morning, "hung")["mine"], after["snoozed"], after["all"]) == (0, 0, 1, 1)
    assert history(morning, ticket)[-1] == "snoozed"
    assert [e.note for e in all_rows(morning.runtime, TicketEvent)][-1] == "Chờ đội thi công trả lời"
    assert the_ticket(morning).due_at == ticket.due_at
    clock.now = done.until
    assert counts(morning) == before


@pytest.mark.parametrize("way", ["a word of the citizen", "a clock", "an alarm", "another agency", "an official"])
def test_what_must_be_seen_wakes_it(morning: World, ticket: Ticket, clock: Clock, way: str) -> None:
    done = snooze(morning)
    lan, number = morning.official("lan"), ticket.id
    if way == "a word of the citizen":
        clock.move(minutes=5)
        morning.says("Có người vừa ngã ở đó, xã xem sớm giúp")
        take_in(morning)
    elif way == "a clock":
        assert done.sooner is not None
        clock.now = done.sooner - timedelta(seconds=1)
        assert clocks.speak_up(morning.runtime) == 0
        clock.move(seconds=1)
        assert clocks.speak_up(morning.runtime) == 1
    elif way == "an alarm":
        triage.set_urgency(morning.runtime, lan, number, version=the_ticket(morning).version, urgency="khan")
    elif way == "another agency":
        agency = morning.official("hung").agency_id
        assert agency is not None
        tickets.assign(
            morning.runtime, lan, number, version=the_ticket(morning).version, agency_id=agency, official_id=None
        )
    else:
        snoozing.unsnooze(morning.runtime, lan, number, version=the_ticket(morning).version)
    assert the_ticket(morning).snoozed_until is None
    assert counts(morning)["snoozed"] == 0
    said = {"a word of the citizen": ["citizen"], "a clock": ["clock"], "an alarm": ["urgency"], "an official": [None]}
    assert woken(morning) == said.get(way, [])


def test_a_word_of_the_citizen_after_the_moment_is_no_early_return(
    morning: World, ticket: Ticket, clock: Clock
) -> None:
    clock.now = snooze(morning, "afternoon").until
    morning.says("Đường vẫn chưa ai sửa")
    take_in(morning)
    assert woken(morning) == []


def test_who_was_too_late_or_asks_for_what_cannot_be_changes_nothing(
    morning: World, ticket: Ticket, clock: Clock
) -> None:
    for who, until, code in (("hung", "monday", "not_yours"), ("lan", "date", "no_moment"), ("lan", "x", "no_moment")):
        with pytest.raises(NotAllowed) as refused:
            snooze(morning, until, who)
        assert refused.value.code == code
    with pytest.raises(Changed):
        snoozing.snooze(
            morning.runtime, morning.official("lan"), ticket.id, version=ticket.version - 1, until="tomorrow"
        )
    with pytest.raises(NotAllowed) as awake:
        snoozing.unsnooze(morning.runtime, morning.official("lan"), ticket.id, version=ticket.version)
    assert awake.value.code == "awake"
    clock.move(days=30)
    with pytest.raises(NotAllowed) as late:
        snooze(morning)
    assert late.value.code == "late"
    assert the_ticket(morning).snoozed_until is None
    assert the_ticket(morning).version == ticket.version


def test_an_emergency_is_never_put_aside(morning: World) -> None:
    morning.says(FIRE, user=OTHER)
    take_in(morning)
    (one,) = all_tickets(morning)
    with pytest.raises(NotAllowed) as refused:
        snoozing.snooze(morning.runtime, morning.official("lan"), one.id, version=one.version, until="tomorrow")
    assert refused.value.code == "urgent"


def test_a_step_of_the_lifecycle_ends_it(morning: World, ticket: Ticket) -> None:
    snooze(morning)
    one = the_ticket(morning)
    triage.mark_spam(morning.runtime, morning.official("lan"), one.id, version=one.version)
    triage.restore(morning.runtime, morning.official("lan"), one.id, version=the_ticket(morning).version)
    assert (the_ticket(morning).state, the_ticket(morning).snoozed_until) == (TicketState.RECEIVED, None)
