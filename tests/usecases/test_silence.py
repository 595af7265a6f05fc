"""Silence of a channel: called for once, and only where silence says something."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from bot.usecases import alerts
from bot.usecases.silence import BUSY_A_WEEK, call_for_silent
from storage.channels import Channel
from storage.communes import Commune
from tests.builders import World
from tests.conftest import Clock


def busy(world: World, clock: Clock, times: int = BUSY_A_WEEK) -> None:
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(Channel).values(is_sandbox=False))
    for number in range(times):
        world.says(f"tin {number}")
        clock.move(minutes=1)


def called(world: World, who: str = "lan") -> list[str]:
    return [str(call.alert.data["channel"]) for call in alerts.unseen(world.runtime, world.official(who))]


def test_a_busy_channel_that_falls_silent_is_called_for_once(morning: World, clock: Clock) -> None:
    busy(morning, clock)
    clock.move(hours=3)
    assert call_for_silent(morning.runtime) == 0
    clock.move(days=1, hours=3)
    assert call_for_silent(morning.runtime) == 1
    assert call_for_silent(morning.runtime) == 0
    assert called(morning) == [morning.channel.name]
    assert called(morning, "hung") == []


def test_a_new_silence_is_called_for_anew(morning: World, clock: Clock) -> None:
    busy(morning, clock)
    clock.move(days=2)
    assert call_for_silent(morning.runtime) == 1
    morning.says("lại có tin")
    assert call_for_silent(morning.runtime) == 0
    clock.move(days=4)  # over the weekend
    assert call_for_silent(morning.runtime) == 1


def test_nights_and_weekends_are_no_silence(morning: World, clock: Clock) -> None:
    clock.move(days=2, hours=7)  # Friday at four
    busy(morning, clock)
    clock.move(days=2, hours=18)  # Monday at ten
    assert call_for_silent(morning.runtime) == 0


@pytest.mark.parametrize("events", [0, BUSY_A_WEEK - 1])
def test_a_channel_that_is_seldom_used_may_be_quiet(morning: World, clock: Clock, events: int) -> None:
    busy(morning, clock, events)
    clock.move(days=3)
    assert call_for_silent(morning.runtime) == 0


@pytest.mark.parametrize("switch", ["commune", "sandbox", "closed"])
def test_what_was_switched_off_calls_nobody(morning: World, clock: Clock, switch: str) -> None:
    busy(morning, clock)
    with morning.runtime.database.transaction() as session:
        if switch == "commune":
            commune = session.get_one(Commune, morning.commune_id)
            commune.settings = {**commune.settings, "silence_hours": 0}
        else:
            values = {"is_sandbox": True} if switch == "sandbox" else {"is_active": False}
            session.execute(sa.update(Channel).values(**values))
    clock.move(days=3)
    assert call_for_silent(morning.runtime) == 0
