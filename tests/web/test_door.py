"""The door: what is let in, what is answered, and what is never kept."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.usecases import intake
from bot.usecases.ingest import Writer
from bot.web.door import Door
from storage.channels import Channel
from storage.communes import Counter
from storage.messages import InboundEvent, Message
from tests.builders import APP, OA, World, all_rows, text_event
from tests.doors import knock

PAYLOADS = Path(__file__).parents[1] / "adapters" / "payloads" / "zalo"
NAMES = sorted(p.stem for p in PAYLOADS.glob("*.json") if not p.stem.startswith("_"))


@pytest.fixture
def door(world: World) -> Iterator[Door]:
    """The door of Đức Huệ; everything that is not a webhook is answered with a teapot."""

    def teapot(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("418 I'm a teapot", [])
        return [b""]

    built = Door(world.runtime, teapot)
    yield built
    built.close()


def a_body(world: World, text: str = "đường hỏng", **changes: Any) -> bytes:
    payload = {"app_id": APP, "timestamp": str(int(world.clock().timestamp() * 1000)), **text_event(text), **changes}
    return json.dumps(payload, ensure_ascii=False).encode()


def events(world: World) -> list[InboundEvent]:
    return all_rows(world.runtime, InboundEvent)


def counted(world: World, door: Door) -> dict[str, int]:
    door.close()
    with world.runtime.database.reading() as session:
        return dict(session.execute(sa.select(Counter.name, Counter.value).where(Counter.scope != "x")).all())


def test_a_signed_event_is_durable_before_it_is_acknowledged(world: World, door: Door) -> None:
    body = a_body(world)
    assert knock(door, body) == "200 OK"
    (row,) = events(world)
    assert bytes(row.body) == body
    assert (row.channel_id, row.commune_id, row.event_name) == (world.channel_id, world.commune_id, "user_send_text")


def test_a_repeat_is_acknowledged_but_kept_once(world: World, door: Door) -> None:
    body = a_body(world)
    assert [knock(door, body) for _ in range(3)] == ["200 OK"] * 3
    assert len(events(world)) == 1
    assert counted(world, door) == {"accepted": 1, "duplicate": 2}


@pytest.mark.parametrize(
    ("label", "change", "status", "count"),
    [
        ("a forged signature", {"secret": "not-the-secret"}, "401 Unauthorized", "forged"),
        ("no signature", {"sign": False}, "401 Unauthorized", "unsigned"),
        ("an unknown channel", {"slug": "zalo-nowhere"}, "401 Unauthorized", "unknown_channel"),
        ("a truncated body", {"CONTENT_LENGTH": "9999"}, "400 Bad Request", "truncated"),
        ("a length that is no number", {"CONTENT_LENGTH": "12a"}, "400 Bad Request", "unreadable"),
        ("another media type", {"CONTENT_TYPE": "text/html"}, "415 Unsupported Media Type", "wrong_type"),
        ("a compressed body", {"HTTP_CONTENT_ENCODING": "gzip"}, "415 Unsupported Media Type", "wrong_type"),
        ("another method", {"method": "PUT"}, "405 Method Not Allowed", "wrong_method"),
    ],
)
def test_bad_requests_are_refused_counted_and_never_kept(
    world: World, door: Door, label: str, change: dict[str, Any], status: str, count: str
) -> None:
    assert knock(door, a_body(world), **change) == status, label
    assert events(world) == []
    assert counted(world, door) == {count: 1}


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b"[1,2]", b'"text"', b"{", b"\xff\xfe", b"null", b"{}"])
def test_a_body_that_is_no_event_is_never_an_error_of_ours(world: World, door: Door, body: bytes) -> None:
    assert knock(door, body).split()[0] in {"400", "401"}
    assert events(world) == []


def test_ten_megabytes_are_refused_before_they_are_read(world: World, door: Door) -> None:
    class Unread:
        def read(self, _size: int) -> bytes:
            raise AssertionError("the body must not be read")

    big = str(10_000_000)
    assert knock(door, b"", CONTENT_LENGTH=big, **{"wsgi.input": Unread()}) == "413 Content Too Large"
    assert counted(world, door) == {"too_large": 1}


def test_a_long_body_without_a_length_is_read_no_further_than_the_limit(world: World, door: Door) -> None:
    body = b"x" * (world.runtime.settings.webhook_max_bytes + 10)
    assert knock(door, body, CONTENT_LENGTH=None) == "413 Content Too Large"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_console_may_look_at_the_address(door: Door, method: str) -> None:
    assert knock(door, b"", method=method) == "200 OK"
    assert knock(door, b"", method=method, slug="zalo-nowhere") == "200 OK"


def test_everything_else_goes_to_the_application(door: Door) -> None:
    assert knock(door, b"", PATH_INFO="/tickets", method="GET") == "418 I'm a teapot"


def test_an_event_of_another_account_of_the_same_app_goes_to_its_own_channel(world: World, door: Door) -> None:
    from bot.usecases.setup import add_channel
    from tests.builders import APP_SECRET, OA_SECRET

    other = add_channel(
        world.runtime,
        commune="duc-hue",
        type="zalo",
        slug="zalo-two",
        name="OA thứ hai",
        settings={"app_id": APP, "oa_id": "2000000000000000009"},
        secrets={"app_secret": APP_SECRET, "oa_secret": OA_SECRET},
    )
    assert knock(door, a_body(world, recipient={"id": "2000000000000000009"})) == "200 OK"
    assert [e.channel_id for e in events(world)] == [other]


def test_an_event_of_an_account_nobody_serves_is_acknowledged_but_not_kept(world: World, door: Door) -> None:
    assert knock(door, a_body(world, recipient={"id": "2000000000000000777"})) == "200 OK"
    assert events(world) == []
    assert counted(world, door) == {"foreign": 1}


def test_a_lenient_channel_acknowledges_a_forged_event_without_keeping_it(world: World, door: Door) -> None:
    _configure(world, signature_mode="drop")
    assert knock(door, a_body(world), secret="not-the-secret") == "200 OK"
    assert events(world) == []


def test_bootstrap_ends_at_its_hour(world: World, door: Door) -> None:
    until = world.clock() + timedelta(hours=1)
    _configure(world, signature_mode="bootstrap", bootstrap_until=until.isoformat())
    assert knock(door, a_body(world), sign=False) == "200 OK"
    world.clock.move(hours=2)  # type: ignore[attr-defined]
    assert knock(door, a_body(world), sign=False) == "401 Unauthorized"
    assert events(world) == []


def test_when_nothing_can_be_stored_the_channel_is_asked_to_come_back(
    world: World, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise OSError("disk full")

    knock(door, a_body(world))
    monkeypatch.setattr("storage.ingest.Ingest._write", broken)
    assert knock(door, a_body(world)) == "503 Service Unavailable"
    monkeypatch.undo()
    assert knock(door, a_body(world)) == "200 OK"
    assert len(events(world)) == 2


def test_one_row_the_database_refuses_does_not_sink_its_neighbours(world: World, door: Door) -> None:
    writer: Writer = door.writer
    from storage.ingest import NewEvent

    def row(key: str, channel_id: int) -> NewEvent:
        at = world.clock()
        return NewEvent(world.commune_id, channel_id, key, "user_send_text", "zalo:1", b"{}", at, at)

    results: dict[str, bool] = {}
    pairs = [("a", world.channel_id), ("bad", 999_999), ("b", world.channel_id), ("c", world.channel_id)]
    threads = [
        threading.Thread(target=lambda k=key, c=channel: results.__setitem__(k, writer.store(row(k, c), 10)))
        for key, channel in pairs
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {"a": True, "bad": False, "b": True, "c": True}
    assert sorted(e.key for e in events(world)) == ["a", "b", "c"]


@pytest.mark.parametrize("name", NAMES)
def test_every_recorded_payload_is_acknowledged_and_handled(world: World, door: Door, name: str) -> None:
    """What the documentation of the channel says of each: kept and understood, or acknowledged only."""
    body = (PAYLOADS / f"{name}.json").read_bytes()
    status = knock(door, body)
    outcome, messages = EXPECTED[name]
    door.close()
    while intake.drain_batch(world.runtime):
        pass
    rows = events(world)
    if outcome.startswith("refused:"):
        assert (status, rows) == (outcome.removeprefix("refused:"), [])
        return
    assert status == "200 OK"
    assert [f"{r.state.value} {r.outcome}" for r in rows] == ([] if outcome == "not kept" else [outcome])
    assert len(all_rows(world.runtime, Message)) == messages


@pytest.mark.parametrize("name", NAMES)
def test_every_recorded_payload_is_refused_when_forged(world: World, door: Door, name: str) -> None:
    body = (PAYLOADS / f"{name}.json").read_bytes()
    assert knock(door, body, secret="not-the-secret") == "401 Unauthorized"
    assert events(world) == []


# What becomes of each when it comes alone: how the event ends, and how many messages stand in the conversation. Events
# of the Bot platform are signed in another way and belong to another adapter; probes of the console are answered and
# counted, not kept; "unsupported" events are known and kept, and nothing is done on them.
EXPECTED: dict[str, tuple[str, int]] = {
    "add_user_to_tag": ("ignored ignored:unsupported", 0),
    "anonymous_send_file": ("done message:opened", 1),
    "anonymous_send_image": ("done message:opened", 1),
    "anonymous_send_text": ("done message:opened", 1),
    "bot_message_image_received": ("refused:401 Unauthorized", 0),
    "bot_message_sticker_received": ("refused:401 Unauthorized", 0),
    "bot_message_text_received": ("refused:401 Unauthorized", 0),
    "bot_message_text_received_group_unwrapped": ("refused:401 Unauthorized", 0),
    "bot_message_unsupported_received": ("refused:401 Unauthorized", 0),
    "change_oa_daily_quota": ("done notice:change_oa_daily_quota", 0),
    "change_template_quality": ("done notice:change_template_quality", 0),
    "change_template_status": ("done notice:change_template_status", 0),
    "console_test_oa_send_list": ("not kept", 0),
    "console_test_user_send_file": ("not kept", 0),
    "console_test_user_send_image": ("not kept", 0),
    "console_test_user_send_text": ("not kept", 0),
    "create_group": ("ignored ignored:unsupported", 0),
    "event_journey_time_out": ("ignored ignored:unsupported", 0),
    "extension_purchased": ("done notice:extension_purchased", 0),
    "follow": ("done followed", 0),
    "no_event_name": ("not kept", 0),
    "oa_reacted_message": ("ignored ignored:unsupported", 0),
    "oa_send_anonymous_text": ("done echo:other_app", 1),
    "oa_send_consent": ("ignored ignored:unsupported", 0),
    "oa_send_file": ("done echo:other_app", 1),
    "oa_send_gif": ("done echo:other_app", 1),
    "oa_send_image": ("done echo:other_app", 1),
    "oa_send_list": ("done echo:other_app", 1),
    "oa_send_sticker": ("done echo:other_app", 1),
    "oa_send_template": ("done echo:other_app", 1),
    "oa_send_text": ("done echo:other_app", 1),
    "oa_send_text_admin": ("done echo:colleague", 1),
    "permission_revoked": ("done notice:permission_revoked", 0),
    "remove_tag": ("ignored ignored:unsupported", 0),
    "remove_user_from_tag": ("ignored ignored:unsupported", 0),
    "shop_has_order": ("ignored ignored:unsupported", 0),
    "unfollow": ("done unfollowed", 0),
    "unknown_event": ("ignored ignored:unknown", 0),
    "update_user_info": ("ignored ignored:unsupported", 0),
    "user_asking_product": ("ignored ignored:unsupported", 0),
    "user_call_oa": ("ignored ignored:unsupported", 0),
    "user_click_chatnow": ("done interaction:user_click_chatnow", 0),
    "user_click_response_button": ("ignored ignored:unsupported", 0),
    "user_feedback": ("ignored ignored:unsupported", 0),
    "user_join_group": ("ignored ignored:unsupported", 0),
    "user_reacted_message": ("done reaction", 0),
    "user_received_message": ("done receipt:unmatched", 0),
    "user_received_message_zns": ("done receipt:unmatched", 0),
    "user_reply_consent": ("ignored ignored:unsupported", 0),
    "user_seen_message": ("done receipt:unmatched", 0),
    "user_send_audio": ("done message:opened", 1),
    "user_send_business_card": ("done message:nothing_to_do", 1),
    "user_send_file": ("done message:opened", 1),
    "user_send_gif": ("done message:opened", 1),
    "user_send_group_text": ("ignored ignored:unsupported", 0),
    "user_send_image": ("done message:opened", 1),
    "user_send_image_multi": ("done message:opened", 1),
    "user_send_link": ("done message:opened", 1),
    "user_send_location": ("done message:opened", 1),
    "user_send_sticker": ("done message:nothing_to_do", 1),
    "user_send_text": ("done message:opened", 1),
    "user_send_text_button_payload": ("done message:status_lookup", 1),
    "user_send_text_emoji_only": ("done message:thanks", 1),
    "user_send_text_numeric_timestamp": ("done message:add_info", 1),
    "user_send_text_quote": ("done message:add_info", 1),
    "user_send_video": ("done message:opened", 1),
    "user_submit_info": ("done profile", 0),
    "user_submit_info_legacy": ("done profile", 0),
    "user_withdraw": ("done withdrawal:nobody", 0),
    "widget_failed_to_sync_user_external_id": ("ignored ignored:unsupported", 0),
    "widget_interaction_accepted": ("done interaction:widget_interaction_accepted", 0),
}


def _configure(world: World, **settings: Any) -> None:
    with world.runtime.database.transaction() as session:
        channel = session.get_one(Channel, world.channel_id)
        channel.settings = {**channel.settings, **settings}


def test_the_fixtures_speak_to_the_channel_of_these_tests() -> None:
    assert json.loads((PAYLOADS / "user_send_text.json").read_text())["recipient"]["id"] == OA
