"""The outgoing client, against a server that misbehaves; and what it refuses to fetch."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from adapters.errors import ChannelError, OutcomeUnknown, TemporarilyRefused
from adapters.http import Answer, Http, MediaUnavailable, is_public, redacted
from tests.adapters.channels import Behaviour, answer, behaving, flood, free_port, reset, say, trickle

HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 4096\r\n\r\n{"


@pytest.fixture
def http() -> Iterator[Http]:
    client = Http(connect_seconds=1, read_seconds=0.4, call_seconds=0.8, media_seconds=0.8, max_answer_bytes=50_000)
    yield client
    client.close()


def ask(http: Http, behaviour: Behaviour, **more: Any) -> Answer:
    with behaving(behaviour) as channel:
        return http.call("POST", channel.url, json={"a": 1}, **more)


# --- calls ------------------------------------------------------------------------------------------------------------


def test_an_answer_is_what_the_other_side_said(http: Http) -> None:
    found = ask(http, answer(b'{"error": 0}', "201 Created", "X-RateLimit-Remain: 7"))
    assert (found.status, found.json(), found.is_success) == (201, {"error": 0}, True)
    assert found.headers["x-ratelimit-remain"] == "7"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[" * 200_000, b"\xff\xfe"])
def test_what_is_not_json_is_none(body: bytes) -> None:
    assert Answer(200, {}, body).json() is None


def test_nobody_listening_means_nothing_was_sent(http: Http) -> None:
    with pytest.raises(TemporarilyRefused) as caught:
        http.call("POST", f"http://127.0.0.1:{free_port()}/", json={})
    assert caught.value.code == "unreachable"


def test_a_name_that_does_not_exist_means_nothing_was_sent(http: Http) -> None:
    with pytest.raises(TemporarilyRefused):
        http.call("POST", "http://nowhere.invalid/", json={})


@pytest.mark.parametrize(
    ("label", "behaviour", "code"),
    [
        ("silence", say(b"", partial(time.sleep, 1)), "no_answer"),
        ("a reset after the request", reset, "no_answer"),
        ("hanging up without a word", say(b""), "no_answer"),
        ("not HTTP at all", say(b"SSH-2.0-OpenSSH\r\n"), "no_answer"),
        ("half a body", say(HALF), "answer_broken"),
        ("half a body, then silence", say(HALF, partial(time.sleep, 1)), "answer_broken"),
        ("a byte now and then", trickle, "answer_too_slow"),
        ("an answer without an end", flood, "answer_too_large"),
    ],
)  # fmt: skip
def test_once_the_request_left_nobody_knows(label: str, behaviour: Behaviour, code: str, http: Http) -> None:
    begun = time.monotonic()
    with behaving(behaviour) as channel, pytest.raises(OutcomeUnknown) as caught:
        http.call("POST", channel.url, json={"a": 1})
    assert caught.value.code == code, label
    assert len(channel.requests) == 1, "an unclear call is never repeated here"
    assert time.monotonic() - begun < 3


@pytest.mark.parametrize("url", ["", "ftp://host/", "http://", "https://[", "javascript:alert(1)", "http://a:b/"])
def test_what_is_no_address_is_not_sent(url: str, http: Http) -> None:
    with pytest.raises(TemporarilyRefused):
        http.call("POST", url, json={})


def test_what_cannot_be_a_header_is_not_sent(http: Http) -> None:
    with behaving(answer(b"{}")) as channel, pytest.raises(TemporarilyRefused):
        http.call("POST", channel.url, headers={"access_token": "two\r\nlines"}, json={})
    assert channel.requests == []


def test_a_redirect_is_not_followed(http: Http) -> None:
    with behaving(answer(b"{}")) as elsewhere:
        found = ask(http, answer(b"", "302 Found", f"Location: {elsewhere.url}"))
    assert found.status == 302
    assert elsewhere.requests == []


def test_no_cookie_goes_from_one_commune_to_another(http: Http) -> None:
    with behaving(answer(b"{}", "200 OK", "Set-Cookie: who=xa-mot")) as channel:
        http.call("POST", channel.url, json={})
        http.call("POST", channel.url, json={})
    assert b"who=" not in channel.requests[1]


def test_a_proxy_of_the_environment_is_not_used(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    client = Http()
    with behaving(answer(b"{}")) as channel:
        assert client.call("POST", channel.url, json={}).status == 200
    client.close()


def test_compression_is_not_asked_for(http: Http) -> None:
    with behaving(answer(b"{}")) as channel:
        http.call("POST", channel.url, json={})
    assert b"accept-encoding: identity" in channel.requests[0].lower()


def test_an_answer_that_unfolds_is_measured_unfolded(http: Http) -> None:
    import gzip

    bomb = gzip.compress(b" " * 5_000_000)
    with pytest.raises(OutcomeUnknown) as caught:
        ask(http, answer(bomb, "200 OK", "Content-Encoding: gzip"))
    assert caught.value.code == "answer_too_large"


# --- what is kept of a call -------------------------------------------------------------------------------------------


def exchange_of(http: Http, behaviour: Behaviour, **more: Any) -> dict[str, Any]:
    with behaving(behaviour) as channel, http.recording() as exchanges, contextlib.suppress(ChannelError):
        http.call("POST", channel.url + "?data=private#part", **more)
    assert len(exchanges) == 1
    return exchanges[0].to_json()


def test_an_exchange_names_headers_but_keeps_no_value(http: Http) -> None:
    kept = exchange_of(http, answer(b"{}"), headers={"access_token": "t-12345678"}, json={"text": "riêng tư"})
    assert kept["request_headers"] == ["access_token"]
    assert kept["url"].endswith("/v3.0/oa/message/cs")
    assert (kept["method"], kept["status"], kept["response"], kept["error"]) == ("POST", 200, "{}", "")
    for secret in ("t-12345678", "riêng tư", "private"):
        assert secret not in json.dumps(kept, ensure_ascii=False)


def test_an_exchange_that_failed_says_how(http: Http) -> None:
    kept = exchange_of(http, reset, json={})
    assert kept["status"] is None
    assert kept["error"] in {"ReadError", "RemoteProtocolError"}


def test_an_exchange_keeps_the_beginning_of_a_long_answer(http: Http) -> None:
    assert len(exchange_of(http, answer(b"y" * 40_000), json={})["response"]) == 500


def test_exchanges_of_other_threads_are_not_mixed_in(http: Http) -> None:
    with behaving(answer(b"{}")) as channel, http.recording() as exchanges:
        other = threading.Thread(target=http.call, args=("POST", channel.url), kwargs={"json": {}})
        other.start()
        other.join()
    assert exchanges == []


@pytest.mark.parametrize(
    "body",
    [
        '{"access_token": "secret-1", "b": 1}',
        '{"access_token":"secret-1"',
        '{"refresh_token": "secret-1", "grant_type": "refresh_token"}',
        '{"x": {"oa_secret" : "secret-1"}}',
        '{"appsecret_proof": "secret-1"}',
        '{"Password": "secret-1"}',
        '{"access_token": "with \\" quote secret-1"}',
        '{"my_token": 12345678, "x": "secret-1"}',
        '{"said": "said secret-1 to you"}',
        "plain secret-1 text",
    ],
)
def test_a_secret_is_taken_out_of_what_is_kept(body: str) -> None:
    text = redacted(body.encode(), ["secret-1", "refresh_token"])
    assert "secret-1" not in text
    assert "12345678" not in text


def test_a_field_that_names_a_token_is_hidden_although_the_request_carried_its_name() -> None:
    body = b'{"access_token": "aaaa", "refresh_token": "bbbb", "expires_in": "90000"}'
    kept = redacted(body, ["refresh_token"])
    assert "aaaa" not in kept
    assert "bbbb" not in kept
    assert "90000" in kept


def test_hidden_words_are_found_however_json_writes_them() -> None:
    words = 'Đèn "tối" om'
    for body in (json.dumps({"text": words}), json.dumps({"text": words}, ensure_ascii=False), words):
        assert "om" not in redacted(body.encode(), [words])


def test_short_words_are_no_secrets() -> None:
    assert redacted(b"error 0 success", ["0", "error"]) == "error 0 success"


def test_nul_and_broken_letters_do_not_stop_the_record() -> None:
    assert redacted(b"a\0b\xff") == "ab\ufffd"


# --- media ------------------------------------------------------------------------------------------------------------


def fetch(http: Http, url: str, *, max_bytes: int = 10_000, allowed: bool = True, local: bool = True) -> bytes:
    return http.get_media(url, max_bytes=max_bytes, allowed=lambda _: allowed, allow_local=local)


def refused(http: Http, url: str, **more: Any) -> str:
    with pytest.raises(MediaUnavailable) as caught:
        fetch(http, url, **more)
    assert caught.value.shown.endswith(".")
    return caught.value.code


def test_a_picture_is_fetched_byte_for_byte(http: Http) -> None:
    with behaving(answer(b"\xff\xd8\xff\0picture")) as channel:
        assert fetch(http, channel.url) == b"\xff\xd8\xff\0picture"
    assert b"host: 127.0.0.1:" in channel.requests[0].lower()


@pytest.mark.parametrize(
    ("label", "behaviour", "code"),
    [
        ("nothing inside", answer(b""), "empty"),
        ("larger than it said it would be", flood, "too_large"),
        ("too large, and says so", answer(b"x" * 10_001), "too_large"),
        ("a redirect", answer(b"", "302 Found", "Location: http://127.0.0.1/"), "not_allowed"),
        ("gone", answer(b"no", "404 Not Found"), "unreachable"),
        ("broken inside", answer(b"no", "500 Internal Server Error"), "unreachable"),
        ("half of it", say(b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\nhalf"), "unreachable"),
        ("a byte now and then", trickle, "unreachable"),
        ("reset", reset, "unreachable"),
        ("a length that is no number", say(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nx"), "unreachable"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_had_says_why(label: str, behaviour: Behaviour, code: str, http: Http) -> None:
    with behaving(behaviour) as channel:
        assert refused(http, channel.url, max_bytes=10_000 if code == "too_large" else 200_000) == code, label


def test_exactly_the_limit_is_allowed(http: Http) -> None:
    with behaving(answer(b"x" * 10_000)) as channel:
        assert len(fetch(http, channel.url)) == 10_000


def test_nobody_listening_is_worth_another_try(http: Http) -> None:
    assert refused(http, f"http://127.0.0.1:{free_port()}/a.jpg") == "unreachable"


@pytest.mark.parametrize(
    "url",
    [
        "", "a.jpg", "ftp://f1.zdn.vn/a", "file:///etc/passwd", "https://user:word@f1.zdn.vn/a","https://",
        "data:,x",
    ],
)  # fmt: skip
def test_what_is_no_web_address_is_not_fetched(url: str, http: Http) -> None:
    assert refused(http, url) == "not_allowed"


def test_an_address_the_channel_does_not_use_is_not_looked_up(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: pytest.fail("looked up"))
    assert refused(http, "https://evil.example.vn/a.jpg", allowed=False) == "not_allowed"


PRIVATE = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.9", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "168.63.129.16", "224.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1",
    "::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1",
    "::ffff:127.0.0.1", "::ffff:8.8.8.8", "2002:7f00:1::", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2001::1",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_inside_is_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "118.69.1.1", "2405:4800::1", "64:ff9b::808:808"])
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


def resolving(*addresses: str) -> Callable[..., list[Any]]:
    def look_up(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in addresses]

    return look_up


@pytest.mark.parametrize("address", [*PRIVATE, "fe80::1%eth0"])
def test_a_name_that_leads_inside_is_not_fetched(address: str, http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolving(address))
    assert refused(http, "https://f1.zdn.vn/a.jpg", local=False) == "not_allowed"


def test_one_inside_address_among_public_ones_is_enough_to_refuse(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolving("8.8.8.8", "127.0.0.1"))
    assert refused(http, "https://f1.zdn.vn/a.jpg", local=False) == "not_allowed"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "https://127.0.0.1/", "https://[::1]/", "https://[::ffff:127.0.0.1]/",
        "https://2130706433/", "https://0x7f.1/", "https://localhost/",
    ],
)  # fmt: skip
def test_no_spelling_of_this_machine_is_fetched(url: str, http: Http) -> None:
    assert refused(http, url, local=False) in {"not_allowed", "unreachable"}


def test_a_name_is_looked_up_once_and_that_address_is_connected_to(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    with behaving(answer(b"picture")) as channel:
        calls = []

        def look_up(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
            calls.append(host)
            return resolving("127.0.0.1")(host, port)

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        assert fetch(http, f"http://f1.zdn.invalid:{channel.port}/a.jpg") == b"picture"
    assert calls in (["f1.zdn.invalid"], ["f1.zdn.invalid", "127.0.0.1"])
    assert f"host: f1.zdn.invalid:{channel.port}".encode() in channel.requests[0].lower()


def test_plain_http_becomes_https_outside_the_sandbox(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(socket, "getaddrinfo", resolving("10.0.0.1"))
    with pytest.raises(MediaUnavailable):
        http.get_media("http://f1.zdn.vn:80/a.jpg", max_bytes=10, allowed=lambda url: bool(asked.append(url)) or True)
    assert asked == ["https://f1.zdn.vn/a.jpg"]


def test_a_fetch_is_kept_without_its_query(http: Http) -> None:
    with behaving(answer(b"picture")) as channel, http.recording() as exchanges:
        fetch(http, channel.url + "?signature=private")
    assert "private" not in json.dumps(exchanges[0].to_json())
    assert exchanges[0].response == ""


# --- secrets that are part of an address -----------------------------------------------------------------------------


def test_what_is_hidden_is_taken_out_of_the_address(http: Http) -> None:
    with behaving(answer(b"{}")) as channel, http.recording() as exchanges:
        http.call("POST", f"http://127.0.0.1:{channel.port}/bot12345678:abc/send", json={}, hide=["12345678:abc"])
    assert exchanges[0].url == f"http://127.0.0.1:{channel.port}/bot***/send"
    assert b"/bot12345678:abc/send" in channel.requests[0]


def test_an_adapter_says_how_much_of_an_answer_may_be_kept(http: Http) -> None:
    with http.recording() as exchanges:
        found = ask(http, answer(b'{"id": 7, "name": "Hoa"}'), told=lambda body: body.decode()[:9])
    assert found.json() == {"id": 7, "name": "Hoa"}
    assert exchanges[0].response == '{"id": 7,'


def test_a_file_goes_into_the_field_the_channel_wants(http: Http) -> None:
    with behaving(answer(b"{}")) as channel:
        http.call("POST", channel.url, form={"a": "b"}, file=("a.jpg", b"bytes", "image/jpeg"), file_field="photo")
    assert b'name="photo"; filename="a.jpg"' in channel.requests[0]


def test_of_a_download_another_address_is_shown(http: Http) -> None:
    with behaving(answer(b"bytes")) as channel, http.recording() as exchanges:
        url = f"http://127.0.0.1:{channel.port}/file/secret-token/a.jpg"
        http.get_media(url, max_bytes=10, allowed=lambda _: True, allow_local=True, shown_url="telegram-file:a")
    assert [exchange.url for exchange in exchanges] == ["telegram-file:a"]
