"""Agreeing with a proposal: subject, place and agency in one deed, and a lesson for the reader."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from bot.rules.lifecycle import NotAllowed
from bot.usecases import tickets
from bot.usecases.confirming import confirm, may_confirm
from bot.usecases.desk import Changed
from storage.agencies import Agency
from storage.corrections import Correction
from storage.enums import CorrectionKind, EventKind, TicketState
from storage.tickets import Ticket, TicketEvent
from tests.builders import World, all_rows
from tests.usecases.looking import BRIBE, POTHOLE, take_in, the_ticket

S = TicketState


@pytest.fixture
def ticket(morning: World) -> Ticket:
    """A report of a pothole that nobody has looked at."""
    morning.says(POTHOLE)
    take_in(morning)
    return the_ticket(morning)


def change(world: World, **values: object) -> Ticket:
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Ticket).values(**values))
    return the_ticket(world)


def agency_id(world: World, slug: str) -> int:
    return next(a.id for a in all_rows(world.runtime, Agency) if a.slug == slug and a.commune_id == world.commune_id)


def agree(world: World, who: str = "lan") -> tuple[str, TicketState]:
    now = the_ticket(world)
    return confirm(world.runtime, world.official(who), now.id, version=now.version)


def test_one_deed_takes_it_in_and_gives_it_to_the_agency_that_was_proposed(morning: World, ticket: Ticket) -> None:
    assert agree(morning) == (ticket.code, S.ASSIGNED)
    now = the_ticket(morning)
    assert (now.topic, now.topic_is_confirmed, now.agency_id) == (ticket.topic, True, ticket.agency_id)
    assert now.version == ticket.version + 1
    assert now.accepted_at is not None
    kinds = [e.kind for e in all_rows(morning.runtime, TicketEvent) if e.official_id]
    assert kinds == [EventKind.TOPIC_CHANGED, EventKind.STATE_CHANGED, EventKind.ASSIGNED, EventKind.STATE_CHANGED]


def test_agreeing_teaches_what_was_right(morning: World, ticket: Ticket) -> None:
    agree(morning)
    said = {c.kind: (c.before, c.after) for c in all_rows(morning.runtime, Correction)}
    assert said[CorrectionKind.TOPIC] == (ticket.topic, ticket.topic)
    assert said[CorrectionKind.PLACE][0] == said[CorrectionKind.PLACE][1]


def test_what_the_machine_was_unsure_of_stays_with_the_desk(morning: World, ticket: Ticket) -> None:
    change(morning, agency_id=agency_id(morning, "van-phong"))
    assert agree(morning)[1] is S.RECEIVED
    assert the_ticket(morning).topic_is_confirmed


def test_without_a_subject_there_is_nothing_to_agree_with(morning: World, ticket: Ticket) -> None:
    now = change(morning, topic=None)
    assert not may_confirm(morning.official("lan"), now)
    with pytest.raises(NotAllowed, match="no_topic"):
        agree(morning)
    assert the_ticket(morning).state is S.NEW


@pytest.mark.parametrize(
    "values", [{"is_spam": True}, {"state": S.IN_PROGRESS}, {"state": S.RECEIVED, "topic_is_confirmed": True}]
)
def test_what_was_sorted_is_not_sorted_again(morning: World, ticket: Ticket, values: dict[str, object]) -> None:
    change(morning, **values)
    with pytest.raises(NotAllowed, match="sorted_already"):
        agree(morning)


def test_a_handler_does_not_sort(morning: World, ticket: Ticket) -> None:
    assert not may_confirm(morning.official("hung"), ticket)
    with pytest.raises(NotAllowed, match="not_yours"):
        agree(morning, "hung")


def test_a_sealed_report_is_not_sorted_by_one_key(morning: World) -> None:
    morning.says(BRIBE)
    take_in(morning)
    assert not may_confirm(morning.official("mai"), the_ticket(morning))


def test_the_second_of_two_hears_that_it_changed(morning: World, ticket: Ticket) -> None:
    tickets.receive(morning.runtime, morning.official("tuan"), ticket.id, version=ticket.version)
    with pytest.raises(Changed):
        confirm(morning.runtime, morning.official("lan"), ticket.id, version=ticket.version)
    assert not the_ticket(morning).topic_is_confirmed
