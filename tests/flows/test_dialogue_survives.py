"""A dialogue lives in the database: kill -9 in its middle, and the next message goes on; what is left is seen."""

from __future__ import annotations

import json
import time
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from bot.runtime import Runtime
from bot.web.words import is_placeless
from storage.contacts import Contact
from storage.messages import Message
from storage.tickets import Ticket
from tests.builders import World, text_event
from tests.conftest import Clock
from tests.day import headers
from tests.gateway import Gateway, a_gateway, fresh_postgres, make_world, wait_until
from tests.servers import postgres_or_skip, redis_or_skip
from tests.usecases.conftest import morning, one_reader  # noqa: F401 - fixtures
from tests.usecases.looking import take_in, the_ticket

DARK = "Đèn đường tối om mấy hôm nay không ai sửa"


def knock(gateway: Gateway, words: str) -> None:
    payload = {"app_id": "1000000000000000001", **text_event(words)}
    body = json.dumps({**payload, "timestamp": str(int(time.time() * 1000))}, ensure_ascii=False).encode()
    answer = httpx.post(f"{gateway.url}/webhooks/zalo-duc-hue", content=body, headers=headers(body), trust_env=False)
    assert answer.status_code == 200


def told(runtime: Runtime) -> list[str]:
    with runtime.database.reading() as session:
        said = session.scalars(sa.select(Message.template).where(Message.direction == "out").order_by(Message.id))
        return [key for template in said for key in (template or "").split("+")]


@pytest.mark.parametrize(
    "engine", ["sqlite", pytest.param("postgresql", marks=[pytest.mark.postgres, pytest.mark.redis])]
)
def test_whatever_dies_between_two_messages_the_talk_goes_on(engine: str, tmp_path: Path) -> None:
    if engine == "sqlite":
        _goes_on(a_gateway(tmp_path))
        return
    postgres_or_skip()
    redis_url = redis_or_skip(9)
    with fresh_postgres() as url:
        _goes_on(a_gateway(tmp_path, database_url=url, redis_url=redis_url))


def _goes_on(gateway: Gateway) -> None:
    world = make_world(gateway, "http://127.0.0.1:9")
    try:
        for words, answered in (
            (DARK, ["ack", "ask_where"]),
            ("xóm 5", ["where_noted", "ask_consent"]),
            ("đồng ý", ["consent_noted", "ask_identity"]),
            ("Nguyễn Văn Bình, xóm 5", ["identity_noted"]),
        ):
            gateway.start()
            knock(gateway, words)
            wait_until(f"{answered} after {words!r}", lambda want=answered: set(want) <= set(told(world.runtime)))
            gateway.kill()
        with world.runtime.database.reading() as session:
            ticket, contact = session.scalars(sa.select(Ticket)).one(), session.scalars(sa.select(Contact)).one()
        assert ticket.place_text == "Xóm 5"
        assert contact.name == "Nguyễn Văn Bình"
    finally:
        gateway.kill()
        world.runtime.database.close()


def test_a_report_nobody_finished_is_seen_by_triage_and_marked(morning: World, clock: Clock) -> None:  # noqa: F811
    morning.says(DARK)
    take_in(morning)
    clock.move(hours=24)
    ticket = the_ticket(morning)
    assert ticket.is_open
    assert is_placeless(ticket)
