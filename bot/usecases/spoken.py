"""Spoken: what loudspeaker and board make of a text; None as long as nobody here can read aloud.

`bot.rules.read_aloud` gives `script_of(title, body, commune)` and `board_lines(title, body)`. Whoever has that file may
put a plain import in the place of `_reader`.
"""

from __future__ import annotations

import importlib
from typing import Any, Protocol

_RULES = "bot.rules.read_aloud"


class Script(Protocol):
    """What is read out: the words, those whose reading is unsure, and how long they are."""

    @property
    def text(self) -> str:
        """The words as they are spoken."""

    @property
    def unsure(self) -> Any:
        """What a person should listen to first."""

    @property
    def syllables(self) -> int:
        """How many syllables it has."""


def script_for(title: str, body: str, commune: str) -> Script | None:
    """What the loudspeaker says."""
    reader = _reader()
    script: Script | None = reader.script_of(title, body, commune) if reader else None
    return script


def board_for(title: str, body: str) -> list[str] | None:
    """What stands on the board."""
    reader = _reader()
    return list(reader.board_lines(title, body)) if reader else None


def _reader() -> Any:
    try:
        return importlib.import_module(_RULES)
    except ModuleNotFoundError as error:
        if error.name != _RULES:
            raise
        return None
