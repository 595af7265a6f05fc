"""Words for use-case tests: a working morning, and what became of what citizens said."""

from __future__ import annotations

import pytest

from bot.current_reader import CurrentReader
from bot.runtime import Runtime
from nlp.localities import Gazetteer
from nlp.reading import Home, Reading
from tests.builders import World
from tests.conftest import Clock

_gazetteers: list[Gazetteer] = []


@pytest.fixture(autouse=True)
def one_reader(request: pytest.FixtureRequest) -> None:
    """Build the gazetteer once for all tests: it takes a moment."""
    if "runtime" not in request.fixturenames:
        return
    runtime: Runtime = request.getfixturevalue("runtime")
    if not _gazetteers:
        _gazetteers.append(runtime.reader.gazetteer)
    runtime.__dict__["reader"] = CurrentReader(runtime.database, _gazetteers[0])


@pytest.fixture
def morning(world: World, clock: Clock) -> World:
    """Wednesday 7 October 2026, nine o'clock in the morning: the office is open."""
    clock.move(hours=-3)
    return world


class Understanding:
    """A reader that has been told what a text means, and asks the real one about all others."""

    version = "told"

    def __init__(self, real: CurrentReader, told: dict[str, Reading]) -> None:
        self._real = real
        self._told = told

    def read(self, text: str, home: Home) -> Reading:
        """The reading told for this text."""
        return self._told.get(text) or self._real.read(text, home)


@pytest.fixture
def told(runtime: Runtime, one_reader: None) -> dict[str, Reading]:
    """Readings by text, where a test is not about nlp."""
    readings: dict[str, Reading] = {}
    runtime.__dict__["reader"] = Understanding(runtime.reader, readings)
    return readings
