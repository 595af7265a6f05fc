"""While an official answers in person the bot is silent; danger breaks the silence, and nobody is forgotten."""

from __future__ import annotations

import pytest

from bot.access import Forbidden, NotFound
from bot.usecases import holding, sweep
from bot.usecases.holding import HOLDING_TIME
from storage.contacts import Conversation
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.usecases.looking import (
    BRIBE,
    FIRE,
    LIGHT,
    history,
    messages_of,
    said_to_citizens,
    take_in,
    texts_of,
    the_ticket,
)


def taken(world: World, who: str = "lan") -> None:
    """A report whose writer an official talks to."""
    world.says(LIGHT)
    take_in(world)
    ticket = the_ticket(world)
    holding.take_over(world.runtime, world.official(who), ticket.id, version=ticket.version)


def held(world: World) -> Conversation:
    (conversation,) = all_rows(world.runtime, Conversation)
    return conversation


def test_the_citizen_hears_who_answers_and_the_bot_falls_silent(morning: World, clock: Clock) -> None:
    taken(morning)
    assert said_to_citizens(morning) == ["ack", "held"]
    assert "Nguyễn Thị Lan" in texts_of(morning, "held")[0]
    for words in ("xóm 5 nhé", "tra cứu", "cảm ơn", "rút phản ánh"):
        clock.move(minutes=3)
        morning.says(words)
        take_in(morning)
    assert said_to_citizens(morning) == ["ack", "held"]
    assert "xóm 5 nhé" in messages_of(morning, the_ticket(morning))
    assert held(morning).asked is None


def test_danger_is_answered_all_the_same(morning: World, clock: Clock) -> None:
    taken(morning)
    clock.move(minutes=5)
    morning.says(FIRE)
    take_in(morning)
    assert said_to_citizens(morning)[-1] == "emergency_placed"


def test_it_is_handed_back_by_hand_and_the_citizen_is_told(morning: World, clock: Clock) -> None:
    taken(morning)
    clock.move(minutes=5)
    ticket = the_ticket(morning)
    holding.hand_back(morning.runtime, morning.official("lan"), ticket.id, version=ticket.version)
    assert said_to_citizens(morning) == ["ack", "held", "handed_back"]
    morning.says("tra cứu")
    take_in(morning)
    assert said_to_citizens(morning)[-1] == "status"
    assert [kind for kind in history(morning, ticket) if kind in {"held", "handed_back"}] == ["held", "handed_back"]


def test_what_is_forgotten_is_handed_back_by_itself(morning: World, clock: Clock) -> None:
    taken(morning)
    clock.move(seconds=HOLDING_TIME.total_seconds() - 1)
    sweep.sweep(morning.runtime)
    assert held(morning).held_since is not None
    clock.move(seconds=2)
    sweep.sweep(morning.runtime)
    assert held(morning).held_since is None
    assert said_to_citizens(morning) == ["ack", "held", "handed_back"]
    sweep.sweep(morning.runtime)
    assert said_to_citizens(morning) == ["ack", "held", "handed_back"]


def test_another_colleague_who_takes_over_is_named_too(morning: World, clock: Clock) -> None:
    taken(morning)
    clock.move(minutes=1)
    ticket = the_ticket(morning)
    holding.take_over(morning.runtime, morning.official("mai"), ticket.id, version=ticket.version)
    clock.move(minutes=1)
    ticket = the_ticket(morning)
    holding.take_over(morning.runtime, morning.official("mai"), ticket.id, version=ticket.version)
    assert [("Lan" in text, "Mai" in text) for text in texts_of(morning, "held")] == [(True, False), (False, True)]


def test_only_who_may_speak_to_the_citizen_takes_over(morning: World) -> None:
    morning.says(BRIBE)
    take_in(morning)
    ticket = the_ticket(morning)
    with pytest.raises(NotFound):
        holding.take_over(morning.runtime, morning.official("lan"), ticket.id, version=ticket.version)
    with pytest.raises((NotFound, Forbidden)):
        holding.take_over(morning.runtime, morning.official("hoa"), ticket.id, version=ticket.version)
