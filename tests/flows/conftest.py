"""A front door for pretend platforms, and a commune behind it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from adapters.http import Http
from bot.runtime import Runtime
from bot.usecases.sign_in import sign_in
from bot.web.door import Door
from bot.web.sandbox import sandbox_server
from storage.communes import Commune
from storage.enums import Role
from storage.officials import Official
from tests.builders import PASSWORD, a_world
from tests.flows.commune import Hall
from tests.flows.rigs import MovedClock, rigs_by_name
from tests.usecases.conftest import one_reader
from tests.web.pages import Browser, app_on

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

__all__ = ["one_reader"]


class Street:
    """The address that platforms bring their events to; the door behind it is each test's own."""

    def __init__(self) -> None:
        self.door: Door | None = None
        self.url = ""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        assert self.door is not None, "an event comes to a test that is over"
        return self.door(environ, start_response)


@pytest.fixture(scope="session")
def street() -> Iterator[Street]:
    """A server of this test process's own."""
    street = Street()
    server = sandbox_server(street)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    street.url = f"http://127.0.0.1:{server.server_port}"
    yield street
    server.shutdown()
    server.server_close()


@pytest.fixture
def hall(runtime: Runtime, street: Street, tmp_path: Path) -> Iterator[Callable[[str], Hall]]:
    """Open the commune on the channel of this name; whoever looks at its screens may do everything."""
    with ExitStack() as stack:

        def open_on(name: str) -> Hall:
            clock = MovedClock()
            runtime.now = clock
            runtime.http.close()
            runtime.http = Http(connect_seconds=2, read_seconds=1.0, call_seconds=4)
            world = a_world(runtime, clock)
            with runtime.database.transaction() as session:
                session.execute(sa.update(Commune).values(settings={"quiet_hours": None, "undo_seconds": 0}))
                may_all = sa.update(Official).where(Official.username == "lan")
                session.execute(may_all.values(roles=[role.value for role in Role]))
            app = app_on(runtime)
            street.door = Door(runtime, app)
            stack.callback(_close, street)
            rig = stack.enter_context(rigs_by_name()[name](tmp_path / "platform", world, street.url))
            browser = Browser(world, app)
            browser.client.set_cookie("haichieu_session", sign_in(runtime, "lan", PASSWORD, "127.0.0.1"))
            return Hall(world, rig, clock, browser)

        yield open_on


def _close(street: Street) -> None:
    assert street.door is not None
    street.door.close()
    street.door = None
