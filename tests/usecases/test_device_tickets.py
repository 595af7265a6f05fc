"""Clusters that stay out: one report each, routed like others, noted when they are well, not opened twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.runtime import utc_now
from bot.usecases import device_tickets, intake
from storage.enums import EventKind, TicketState, Urgency
from storage.loudspeakers import LoudspeakerCluster
from storage.tickets import Ticket, TicketEvent
from tests.builders import World, all_rows
from tests.loudspeakers import connect, listen_again
from tests.sandbox.villages import Villages, villages


@pytest.fixture
def loa(tmp_path: Path) -> Iterator[Villages]:
    """A pretend source system with seven clusters, all of them well."""
    with villages(tmp_path, clusters=7, broken=()) as found:
        yield found


@pytest.fixture
def heard(world: World, loa: Villages) -> World:
    """The commune, which has heard of its clusters."""
    connect(world, loa)
    listen_again(world.runtime)
    return world


def breaks(world: World, loa: Villages, number: int = 5, fate: str = "broken") -> None:
    """A cluster has been out for so long that people are called."""
    loa.control("clusters", ids=[f"86{number:013d}"], fate=fate)
    listen_again(world.runtime)
    hour_ago = utc_now() - timedelta(hours=1)
    with world.runtime.database.transaction() as session:
        session.execute(
            sa.update(LoudspeakerCluster).where(LoudspeakerCluster.out_since.is_not(None)).values(out_since=hour_ago)
        )
    listen_again(world.runtime)


def carry(world: World, rounds: int = 3) -> None:
    for _ in range(rounds):
        device_tickets.carry(world.runtime)
        intake.drain(world.runtime)


def notes(world: World) -> list[str]:
    return [event.note or "" for event in all_rows(world.runtime, TicketEvent) if event.kind is EventKind.NOTED]


def test_a_cluster_that_stays_out_becomes_one_report(heard: World, loa: Villages) -> None:
    breaks(heard, loa)
    carry(heard)
    [ticket] = all_rows(heard.runtime, Ticket)
    assert ticket.topic == "thong-tin-co-so"
    assert (ticket.state, ticket.urgency, ticket.is_sealed) == (TicketState.NEW, Urgency.NORMAL, False)
    assert ticket.place_id is not None  # Xóm 5
    assert ticket.agency_id is not None
    assert "Cụm loa số 5" in ticket.summary
    assert len(notes(heard)) == 1
    assert "Hệ thống tự mở: Cụm loa số 5" in notes(heard)[0]


def test_one_that_is_only_out_for_a_moment_is_no_report(heard: World, loa: Villages) -> None:
    loa.control("clusters", ids=["860000000000005"], fate="broken")
    listen_again(heard.runtime)
    carry(heard)
    assert all_rows(heard.runtime, Ticket) == []


def test_it_is_noted_when_it_is_well_and_out_again(heard: World, loa: Villages) -> None:
    breaks(heard, loa)
    carry(heard)
    loa.control("clusters", ids=["860000000000005"], fate="well")
    listen_again(heard.runtime)
    carry(heard)
    assert "hoạt động lại lúc" in notes(heard)[-1]
    breaks(heard, loa, fate="silent")
    carry(heard)
    assert "lại không hoạt động từ" in notes(heard)[-1]
    assert len(all_rows(heard.runtime, Ticket)) == 1
    assert len(notes(heard)) == 3


def test_after_the_report_is_over_another_time_is_another_report(heard: World, loa: Villages) -> None:
    breaks(heard, loa)
    carry(heard)
    loa.control("clusters", ids=["860000000000005"], fate="well")
    listen_again(heard.runtime)
    with heard.runtime.database.transaction() as session:
        session.execute(sa.update(Ticket).values(state=TicketState.CLOSED, is_open=False, closed_at=utc_now()))
    carry(heard)
    breaks(heard, loa)
    carry(heard)
    assert [ticket.is_open for ticket in all_rows(heard.runtime, Ticket)] == [False, True]


def test_each_cluster_has_its_own(heard: World, loa: Villages) -> None:
    breaks(heard, loa, 5)
    breaks(heard, loa, 7, "silent")
    carry(heard)
    assert sorted(ticket.summary.split(" không")[0] for ticket in all_rows(heard.runtime, Ticket)) == [
        "Loa truyền thanh hỏng: Cụm loa số 5", "Loa truyền thanh hỏng: Cụm loa số 7",
    ]  # fmt: skip
