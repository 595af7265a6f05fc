"""Stopping in good order: what was in hand is finished and written down."""

from __future__ import annotations

from pathlib import Path

import httpx

from tests.day import a_day, headers
from tests.flows.test_recorded_day import _counts
from tests.gateway import a_gateway, make_world


def test_what_the_door_counted_is_written_down_when_it_is_told_to_stop(tmp_path: Path) -> None:
    gateway = a_gateway(tmp_path)
    world = make_world(gateway, "http://127.0.0.1:9")
    gateway.start()
    with httpx.Client(trust_env=False) as client:
        for body in a_day(20, 5, 1) * 2:
            answer = client.post(f"{gateway.url}/webhooks/zalo-duc-hue", content=body, headers=headers(body))
            assert answer.status_code == 200
    gateway.stop()
    assert _counts(world) == {"accepted": 20, "duplicate": 20}
    world.runtime.database.close()
