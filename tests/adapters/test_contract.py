"""What every adapter promises, tested over all of them: a new channel is tested before anyone remembers to."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters import ADAPTERS
from adapters.base import Adapter, Consenting, Paid, StandingToken
from adapters.errors import DoorError, SendError
from adapters.http import Http
from adapters.messages import Ignored, OutboundMessage, WebhookRequest
from adapters.secret import Secret
from adapters.text import length, split
from tests.adapters import sms

PAYLOADS = Path(__file__).parent / "payloads"
SETTINGS: dict[str, dict[str, Any]] = {
    "zalo": {"app_id": "1000000000000000001", "oa_id": "2000000000000000002"},
    "sms": sms.SETTINGS["esms"] | {"backup_profile": "kannel"},
    "smpp": {"host": "127.0.0.1", "system_id": "xa", "number": "8088", "keyword": "PA"},
    "web_form": {"account": "trang-phan-anh"},
    "telegram": {},
    "viber": {"account": "xaduchue", "sender": "UBND xã Đức Huệ"},
    "zalo_bot": {},
    "source_system": {
        "base_url": "https://httttn.example.vn",
        "username": "xa-duc-hue",
        "profile": "epoch",
        "source_id": "H24.18",
        "source_name": "UBND xã Đức Huệ",
        "area_id": "27925",
        "area_name": "Xã Đức Huệ",
    },
}
# Secrets of a channel that wants them in a certain form; all of them begin so that a test can look for them.
SECRETS = {"token": "7000000001:example-token-not-real-00000"}
# Channels whose answers stand on a page of ours, go over a link that another process keeps, or reach no single citizen.
WITHOUT_CALLS = {"web_form", "smpp", "source_system"}
SOMEBODY = {
    "zalo": "zalo:5000000005",
    "zalo_bot": "zalo_bot:b800000000000001",
    "telegram": "telegram:5000000005",
    "viber": "viber:01234567890A=",
    "sms": "tel:+84900000005",
    "smpp": "tel:+84900000005",
    "web_form": "web:0123456789abcdef0123456789abcdef",
    "source_system": "tel:+84900000005",
}
EVERY = pytest.mark.parametrize("adapter", ADAPTERS.values(), ids=ADAPTERS)


def config_of(adapter: Adapter) -> Any:
    made_up = {name: f"example-{name.replace('_', '-')}" for name in adapter.secret_fields}
    secrets = {
        name: SECRETS.get(name, value[:8] if adapter.type == "smpp" else value) for name, value in made_up.items()
    }
    return adapter.config(SETTINGS[adapter.type], secrets)


@dataclass(frozen=True)
class Recording:
    """A recorded call: as it would come without its proof, and what of a proven one is stored."""

    name: str
    unproven: WebhookRequest
    stored: bytes


def as_posted(name: str, body: bytes) -> Recording:
    """A channel that signs the JSON it posts: what comes is what is stored."""
    return Recording(name, WebhookRequest("POST", {}, body), body)


def as_called(name: str, body: bytes) -> Recording:
    """An SMS provider's call, proven by the secret in the address; what is stored is made of it."""
    config, request = sms.recorded(name)
    stored = sms.sms.admit(request, config).body or b""
    return Recording(name, sms.request(json.loads(body), path=""), stored)


# How a recorded file of a channel is read, where it is not simply the JSON that was posted.
READERS = {"sms": as_called}


def recorded(adapter: Adapter) -> Iterator[Recording]:
    found = sorted((PAYLOADS / adapter.type).glob("[a-z]*.json"))
    assert found, "every channel has recorded payloads"
    for path in found:
        yield READERS.get(adapter.type, as_posted)(path.stem, path.read_bytes())


@EVERY
def test_an_adapter_is_listed_under_its_own_name(adapter: Adapter) -> None:
    assert ADAPTERS[adapter.type] is adapter


@EVERY
def test_an_adapter_holds_no_state(adapter: Adapter) -> None:
    assert vars(adapter) == {}


@EVERY
def test_a_configuration_names_the_account_it_speaks_for(adapter: Adapter) -> None:
    assert config_of(adapter).account


@EVERY
def test_an_empty_configuration_is_refused_with_every_field(adapter: Adapter) -> None:
    with pytest.raises(ValueError, match=adapter.type):
        adapter.config({}, {})


@EVERY
def test_secrets_stay_out_of_a_printed_configuration(adapter: Adapter) -> None:
    shown = f"{config_of(adapter)!r} {config_of(adapter)}"
    assert "example-" not in shown


@EVERY
def test_a_request_without_a_signature_is_not_let_in(adapter: Adapter) -> None:
    for recording in recorded(adapter):
        with pytest.raises(DoorError):
            adapter.admit(recording.unproven, config_of(adapter))


@EVERY
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 5_000, b"{}" * 2, b"1e999", b'"x"'])
def test_garbage_is_refused_at_the_door_and_ignored_inside(adapter: Adapter, body: bytes) -> None:
    with pytest.raises(DoorError):
        adapter.admit(WebhookRequest("POST", {}, body), config_of(adapter))
    assert all(isinstance(event, Ignored) for event in adapter.parse(body))


@EVERY
def test_an_event_nobody_knows_is_ignored(adapter: Adapter) -> None:
    body = json.dumps({"event_name": "something_new", "timestamp": "1791000001000", "something_new": {}}).encode()
    assert [type(event) for event in adapter.parse(body)] == [Ignored]


@EVERY
def test_reading_twice_says_the_same(adapter: Adapter) -> None:
    for recording in recorded(adapter):
        if adapter.type != "zalo" or '"timestamp"' in recording.stored.decode():
            assert adapter.parse(recording.stored) == adapter.parse(recording.stored), recording.name


@EVERY
def test_every_recording_says_something(adapter: Adapter) -> None:
    for recording in recorded(adapter):
        assert adapter.parse(recording.stored), recording.name


@EVERY
def test_the_limits_make_sense(adapter: Adapter) -> None:
    limits = adapter.limits
    assert limits.text > 0
    assert length("ữ", limits.text_units) == 1
    assert limits.default_rate > 0
    if limits.window_hours is not None:
        assert limits.free_window_hours is None or limits.free_window_hours <= limits.window_hours


@EVERY
@settings(max_examples=50, deadline=None)
@given(st.text(max_size=50).map(lambda text: text * 100))
def test_parts_fit_the_channel(adapter: Adapter, text: str) -> None:
    limits = adapter.limits
    parts = adapter.pieces({}, text) if isinstance(adapter, Paid) else split(text, limits.text, limits.text_units)
    for part in parts:
        assert length(part, limits.text_units) <= limits.text


@EVERY
@pytest.mark.parametrize("urn", ["", "nobody", "another-channel:1"])
def test_an_address_of_another_channel_is_a_send_error(adapter: Adapter, urn: str) -> None:
    http = Http()
    with pytest.raises(SendError):
        adapter.send(http, config_of(adapter), Secret("example-token"), OutboundMessage(urn, "xin chào"))
    http.close()


@EVERY
def test_an_account_is_opened_in_one_way(adapter: Adapter) -> None:
    assert isinstance(adapter, StandingToken) != isinstance(adapter, Consenting)


@EVERY
@pytest.mark.parametrize("status", [200, 400, 401, 429, 500])
@respx.mock
def test_no_secret_is_recorded_of_a_call(adapter: Adapter, status: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    config = config_of(adapter)
    token = adapter.standing_token(config) if isinstance(adapter, StandingToken) else Secret("example-access-token")
    respx.route().mock(return_value=httpx.Response(status, json={"seen": token.reveal()}))
    http = Http()
    with http.recording() as exchanges, contextlib.suppress(SendError):
        adapter.send(http, config, token, OutboundMessage(SOMEBODY[adapter.type], "lời nhắn của cán bộ"))
    http.close()
    assert bool(exchanges) is (adapter.type not in WITHOUT_CALLS)
    kept = f"{exchanges} {caplog.text} {[record.args for record in caplog.records]}"
    assert "example-" not in kept
    assert "lời nhắn" not in kept


@EVERY
@pytest.mark.parametrize(
    "url",
    ["", "file:///etc/passwd", "http://127.0.0.1/", "https://169.254.169.254/", "javascript:alert(1)", "https://["],
)
def test_media_are_not_fetched_from_inside(adapter: Adapter, url: str) -> None:
    assert not adapter.may_fetch(url, config_of(adapter))
