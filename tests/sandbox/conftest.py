"""A listener and a running sandbox for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.running import Listener, Running, listening, running


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A server that takes webhooks in."""
    with listening() as found:
        yield found


@pytest.fixture
def zalo(tmp_path: Path, listener: Listener) -> Iterator[Running]:
    """A pretend Zalo whose webhooks go to the listener."""
    with running(tmp_path, webhook_url=listener.url) as found:
        yield found
