"""Fixtures for pages: an application, and browsers that inspect what they open."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from bot.usecases import intake
from storage.tickets import Ticket
from tests.builders import World, all_rows
from tests.usecases.conftest import one_reader
from tests.web.pages import Browser, app_on

__all__ = ["one_reader"]


@pytest.fixture
def app(world: World) -> Flask:
    """The application on a world."""
    return app_on(world.runtime)


@pytest.fixture
def browser(world: World, app: Flask) -> Callable[[str], Browser]:
    """A browser in which this official is signed in."""
    return lambda who: Browser(world, app).sign_in(who)


@pytest.fixture
def reported(world: World) -> Callable[..., Ticket]:
    """A citizen writes, and the ticket that comes of it."""

    def report(text: str, *, user: str = "3000000000000000003", **message: object) -> Ticket:
        world.says(text, user=user, **message)
        intake.drain(world.runtime)
        found: list[Ticket] = all_rows(world.runtime, Ticket)
        return max(found, key=lambda t: (t.last_in_at, t.id))

    return report
