"""Conversations from files, on every channel's form: what comes back, and what is stored."""

from __future__ import annotations

import os
import statistics

import pytest

from tests.builders import World
from tests.conftest import Clock
from tests.scenarios.script import CHANNELS, Script, all_scripts
from tests.scenarios.stage import Stage

SCRIPTS = all_scripts()
# All on every channel and both engines: `make scenarios`. Otherwise each once, on its channels in turn.
EVERYTHING = os.environ.get("SCENARIOS") == "all"
ON_POSTGRESQL = 10


def _cases() -> list[object]:
    """Which conversations on which channels and engines."""
    cases = []
    for number, script in enumerate(SCRIPTS):
        for channel in script.channels if EVERYTHING else (script.channels[number % len(script.channels)],):
            engines = ["sqlite"]
            if number % ON_POSTGRESQL == 0 or (EVERYTHING and channel == script.channels[0]):
                engines.append("postgresql")
            for engine in engines:
                marks = [pytest.mark.postgres] if engine == "postgresql" else []
                cases.append(pytest.param(engine, script, channel, id=f"{engine}-{script.name}-{channel}", marks=marks))
    return cases


@pytest.mark.parametrize(("engine_name", "script", "channel"), _cases())
def test_a_conversation_goes_as_written(
    engine_name: str, script: Script, channel: str, morning: World, clock: Clock
) -> None:
    assert engine_name in str(morning.runtime.database.engine.url)
    stage = Stage(morning, clock, channel, script)
    stage.play()
    if script.is_report:
        assert script.turns_to_code in {stage.turns_to_code, None}


def test_there_are_at_least_150_conversations_on_all_channels() -> None:
    assert len([script for script in SCRIPTS if script.channels == CHANNELS]) >= 150


def test_a_report_has_its_code_after_at_most_three_turns() -> None:
    """The median over all reports; playing them shows that each takes as many turns as its script says."""
    turns = [script.turns_to_code for script in SCRIPTS if script.is_report and script.turns_to_code is not None]
    assert len(turns) >= 100
    assert statistics.median(turns) <= 3
