"""SMS providers at the door: GET and forms, an answer they understand, and the same guards as for everybody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from bot.usecases import intake
from bot.usecases.setup import add_channel
from bot.web.door import Door
from storage.channels import Channel
from storage.communes import Counter
from storage.enums import InboundState
from storage.messages import InboundEvent, Message
from tests.adapters.sms import PAYLOADS, SECRETS, SETTINGS, TOKEN
from tests.builders import World, all_rows
from tests.doors import heard

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def door(world: World) -> Iterator[Door]:
    for provider, settings in SETTINGS.items():
        add_channel(
            world.runtime, commune="duc-hue", type="sms", slug=f"sms-{provider}", name=provider,
            settings={**settings, "number": {"esms": "8088", "kannel": "8188", "vonage": "8288"}.get(provider, "8388")},
            secrets=SECRETS,
        )  # fmt: skip
    built = Door(world.runtime, lambda *_: [])
    yield built
    built.close()


def calls(door: Door, name: str, **environ: Any) -> tuple[str, dict[str, str], bytes]:
    """Send a recorded call through the door."""
    data = json.loads((PAYLOADS / f"{name}.json").read_text())
    request = {
        "PATH_INFO": f"/webhooks/sms-{data['profile']}/{data['path']}",
        "QUERY_STRING": data.get("query", ""),
        "CONTENT_TYPE": data.get("headers", {}).get("content-type"),
        **environ,
    }
    return heard(door, data.get("body", "").encode(), method=data["method"], sign=False, **request)


def kept(world: World) -> list[InboundEvent]:
    return all_rows(world.runtime, InboundEvent)


def counts(world: World, door: Door) -> dict[str, int]:
    door.close()
    with world.runtime.database.reading() as session:
        return dict(session.execute(sa.select(Counter.name, Counter.value)).all())


@pytest.mark.parametrize("name", sorted(path.stem for path in PAYLOADS.glob("*.json")))
def test_every_recorded_call_is_kept_and_handled(world: World, door: Door, name: str) -> None:
    status, headers, _ = calls(door, name)
    assert (status, headers["Cache-Control"]) == ("200 OK", "no-store")
    (row,) = kept(world)
    assert json.loads(row.body)["kind"] in {"message", "part", "receipt"}
    intake.drain(world.runtime)
    assert kept(world)[0].state in {InboundState.DONE, InboundState.IGNORED, InboundState.WAITING}


def test_esms_hears_xml(door: Door) -> None:
    status, headers, said = calls(door, "esms_message")
    assert (status, headers["Content-Type"]) == ("200 OK", "text/xml; charset=utf-8")
    assert said.startswith(b"<ClientResponse>")
    assert headers["Content-Length"] == str(len(said))


def test_a_repeat_hears_the_same_and_is_kept_once(world: World, door: Door) -> None:
    assert calls(door, "esms_message") == calls(door, "esms_message")
    assert len(kept(world)) == 1
    assert counts(world, door) == {"accepted": 1, "duplicate": 1}


def test_raw_letters_of_the_network_survive_the_door(world: World, door: Door) -> None:
    """Kannel without mo-recode: UTF-16 bytes, escaped or not, in a query."""
    text = "Đèn hỏng ở xóm 5"
    raw = text.encode("utf-16-be")
    for number, words in enumerate(["".join(f"%{b:02x}" for b in raw), quote(raw, safe="")]):
        query = f"from=%2B84912345678&to=8188&text={words}&id=x{number}&charset=UTF-16BE"
        assert calls(door, "kannel_message", QUERY_STRING=query)[0] == "200 OK"
    intake.drain(world.runtime)
    assert [m.text for m in all_rows(world.runtime, Message) if m.direction == "in"] == [text, text]


@pytest.mark.parametrize(
    ("label", "environ", "status", "counted"),
    [
        ("a wrong secret", {"PATH_INFO": "/webhooks/sms-esms/a-wrong-token-of-some-length"}, "401", "forged"),
        ("no secret", {"PATH_INFO": "/webhooks/sms-esms"}, "401", "unsigned"),
        ("an unknown channel", {"PATH_INFO": f"/webhooks/sms-nowhere/{TOKEN}"}, "401", "unknown_channel"),
        ("no path is known there", {"PATH_INFO": f"/webhooks/zalo-duc-hue/{TOKEN}"}, "401", "unknown_channel"),
        ("Zalo never asks", {"PATH_INFO": "/webhooks/zalo-duc-hue"}, "401", "wrong_method"),
        ("a changed message", {"QUERY_STRING": "sender=84912345678&content=x&smsid=1&sign=abc"}, "401", "forged"),
        ("a query beyond all measure", {"QUERY_STRING": "a" * 40_000}, "413", "too_large"),
        ("nothing to read", {"PATH_INFO": f"/webhooks/sms-kannel/{TOKEN}", "QUERY_STRING": "a=b"}, "400", "unreadable"),
        ("another method", {"REQUEST_METHOD": "PUT"}, "405", "wrong_method"),
    ],
)
def test_bad_calls_are_refused_counted_and_never_kept(
    world: World, door: Door, label: str, environ: dict[str, Any], status: str, counted: str
) -> None:
    answered, headers, said = calls(door, "esms_message", **environ)
    assert (answered[:3], said, headers["Content-Length"]) == (status, b"", "0"), label
    assert kept(world) == []
    assert counts(world, door) == {counted: 1}


def test_a_form_is_read_only_where_forms_are_expected(world: World, door: Door) -> None:
    assert calls(door, "vonage_first_piece")[0] == "200 OK"
    body = b"event_name=user_send_text"
    for slug in ("zalo-duc-hue", "zalo-nowhere"):
        assert heard(door, body, slug=slug, CONTENT_TYPE=FORM)[0] == "401 Unauthorized"
    assert len(kept(world)) == 1


@pytest.mark.parametrize("path", ["/webhooks/sms-esms", "/webhooks/sms-nowhere", f"/webhooks/sms-esms/{TOKEN}"])
def test_looking_at_an_address_tells_nothing(world: World, door: Door, path: str) -> None:
    assert heard(door, b"", method="HEAD", sign=False, PATH_INFO=path)[0] == "200 OK"
    plain = heard(door, b"", method="GET", sign=False, PATH_INFO=path.rpartition(f"/{TOKEN}")[0] or path)
    assert plain[0] == "200 OK"
    assert kept(world) == []


def test_a_message_for_a_commune_goes_to_its_channel(world: World, door: Door) -> None:
    other = add_channel(
        world.runtime, commune="duc-hue", type="sms", slug="sms-an-binh", name="SMS An Bình",
        settings={**SETTINGS["esms"], "unit": "ANBINH"}, secrets=SECRETS,
    )  # fmt: skip
    world_door = Door(world.runtime, lambda *_: [])
    try:
        assert calls(world_door, "esms_message_to_a_commune")[0] == "200 OK"
        assert calls(world_door, "esms_message")[0] == "200 OK"
    finally:
        world_door.close()
    assert [row.channel_id == other for row in kept(world)] == [True, False]


def test_a_message_for_a_commune_that_is_not_here_is_kept_by_whoever_got_it(world: World, door: Door) -> None:
    assert calls(door, "esms_message_to_a_commune")[0] == "200 OK"
    (row,) = kept(world)
    with world.runtime.database.reading() as session:
        assert session.get_one(Channel, row.channel_id).slug == "sms-esms"


def test_only_the_providers_addresses_may_call(world: World, door: Door) -> None:
    with world.runtime.database.transaction() as session:
        row = session.scalars(sa.select(Channel).where(Channel.slug == "sms-esms")).one()
        row.settings = {**row.settings, "source_addresses": "203.0.113.0/24"}
    pinned = Door(world.runtime, lambda *_: [])
    try:
        assert calls(pinned, "esms_message", REMOTE_ADDR="198.51.100.1")[0] == "401 Unauthorized"
        forwarded = {"REMOTE_ADDR": "198.51.100.1", "HTTP_X_FORWARDED_FOR": "203.0.113.7"}
        assert calls(pinned, "esms_message", **forwarded)[0] == "401 Unauthorized"
        behind_proxy = {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "198.51.100.1, 203.0.113.7"}
        assert calls(pinned, "esms_message", **behind_proxy)[0] == "200 OK"
    finally:
        pinned.close()
