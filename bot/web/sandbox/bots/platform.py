"""A platform of bots as this sandbox pretends it: what its events look like and what its citizens can do."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.web.sandbox.impossible import ImpossibleAct

ChatId = int | str


@dataclass(frozen=True)
class Deed:
    """Something a citizen does: words, files, a button, an edit; `base_url` is where this sandbox serves files."""

    kind: str
    text: str = ""
    files: tuple[tuple[str, bytes], ...] = ()
    message_id: int = 0
    latitude: float = 0.0
    longitude: float = 0.0
    base_url: str = ""


Act = Callable[[sqlite3.Connection, sqlite3.Row, Deed], list[int]]


@dataclass(frozen=True)
class Shape:
    """How a platform writes things: each a function from plain facts to its JSON.

    `message`: of a person's row, whether the bot said it, a number that grows, and epoch milliseconds; `update`: of its
    number, its kind and what it carries; `brought`: an update as the body of a webhook.
    """

    chat_id: Callable[[int], ChatId]
    message: Callable[[sqlite3.Row, bool, int, int], dict[str, Any]]
    update: Callable[[int, str, dict[str, Any]], dict[str, Any]]
    brought: Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True)
class Platform:
    """One platform; `name` stands in settings and addresses, `on_phone` are the acts a visitor's form may ask for."""

    name: str
    title: str
    secret_header: str
    shape: Shape
    acts: Mapping[str, Act]
    on_phone: frozenset[str]
    done: Mapping[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """Under which its phones are."""
        return "/" + self.name.replace("_", "-")


def do(db: sqlite3.Connection, platform: Platform, found: sqlite3.Row | None, deed: Deed) -> list[int]:
    """Let a citizen do something; gives the numbers of the updates it made. Raises ImpossibleAct."""
    if found is None:
        raise ImpossibleAct("bad_nobody")
    act = platform.acts.get(deed.kind)
    if act is None:
        raise ImpossibleAct("bad_kind")
    return act(db, found, deed)
