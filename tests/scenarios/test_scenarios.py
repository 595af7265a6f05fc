"""Conversations from files, on every channel's form: what comes back, and what is stored."""

from __future__ import annotations

import pytest

from tests.builders import World
from tests.conftest import Clock
from tests.scenarios.script import CHANNELS, Script, all_scripts
from tests.scenarios.stage import Stage

SCRIPTS = all_scripts()
_turns: dict[str, int] = {}


def _cases() -> list[object]:
    """Every conversation on each of its channels; on PostgreSQL on one of them."""
    return [
        pytest.param(script, channel, id=f"{script.name}-{channel}")
        for script in SCRIPTS
        for channel in script.channels
    ]


@pytest.mark.parametrize(("script", "channel"), _cases())
def test_a_conversation_goes_as_written(
    script: Script, channel: str, morning: World, clock: Clock, engine_name: str
) -> None:
    if engine_name == "postgresql" and channel != script.channels[0]:
        pytest.skip("the form of a channel is the same on both engines")
    stage = Stage(morning, clock, channel, script)
    stage.play()


def test_there_are_at_least_150_conversations_on_all_channels() -> None:
    assert len(SCRIPTS) >= 150
    assert {channel for script in SCRIPTS for channel in script.channels} == set(CHANNELS)
