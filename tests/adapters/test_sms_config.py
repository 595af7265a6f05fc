"""Settings of an SMS channel and profiles of providers: every mistake is named at once."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from adapters.sms_profile_form import SHIPPED, profile_from, shipped
from tests.adapters.sms import SECRETS, SETTINGS, VONAGE, config, sms


def problems(settings: dict[str, Any], secrets: dict[str, str] | None = None) -> str:
    with pytest.raises(ValueError, match="sms") as raised:
        sms.config(settings, SECRETS if secrets is None else secrets)
    return str(raised.value)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_profiles_have_no_mistake(name: str) -> None:
    assert shipped(name).name == name


@pytest.mark.parametrize("provider", SETTINGS)
def test_every_provider_can_be_configured(provider: str) -> None:
    assert config(provider).account in {"8088", "0888000111"}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"profile": "nobody"}, "profile is unknown"),
        ({"profile": "{not json"}, "profile is not JSON"),
        ({"number": "80-88x"}, "number is not"),
        ({"sender": "A NAME THAT IS TOO LONG"}, "sender must be"),
        ({"sender": "UBND&XA"}, "sender must be"),
        ({"accents": "sometimes"}, "accents must be one of drop, keep"),
        ({"codes": "AN BÌNH"}, "codes must be words"),
        ({"codes": ["ANBINH", 5]}, "codes must be words"),
        ({"keyword": "P A"}, "keyword must be one word"),
        ({"source_addresses": "the internet"}, "source_addresses must be"),
        ({"send_url": "http://sms.example.vn/send"}, "send_url must be https"),
        ({"send_url": "https://user@sms.example.vn/"}, "send_url is not"),
        ({"is_sandbox": "yes"}, "is_sandbox must be true or false"),
        ({"backup_profile": "nobody"}, "backup_profile is unknown"),
        ({"backup_profile": "esms"}, "backup_api_key is missing"),
    ],
)
def test_a_mistake_is_named(change: dict[str, Any], named: str) -> None:
    assert named in problems({**SETTINGS["esms"], **change})


def test_all_mistakes_are_named_at_once() -> None:
    told = problems({"profile": "esms", "number": "x", "accents": "y", "codes": "AN BÌNH"}, {})
    for field in ("number", "accents", "codes", "api_key", "api_secret", "callback_key", "callback_token"):
        assert field in told


def test_a_secret_is_never_repeated() -> None:
    told = problems(SETTINGS["esms"], {**SECRETS, "callback_token": "short-secret", "api_key": "bad\nkey-of-mine"})
    assert "short-secret" not in told
    assert "key-of-mine" not in told


def test_what_cannot_be_answered_needs_no_key_to_sign_answers_with() -> None:
    settings = {"profile": "esms", "sender": "UBND-ANBINH"}
    assert sms.config(settings, {**SECRETS, "callback_key": ""}).account == "UBND-ANBINH"


def test_kannel_may_stand_inside_and_everybody_else_may_not_be_spoken_to_in_the_open() -> None:
    for url in ("http://127.0.0.1:13013/cgi-bin/sendsms", "http://10.0.0.5:13013/", "http://kannel:13013/"):
        assert config("kannel", send_url=url).gateway.send_url == url
    assert "https" in problems({**SETTINGS["kannel"], "send_url": "http://8.8.8.8/cgi-bin/sendsms"})


def test_a_shared_number_has_an_account_for_each_word() -> None:
    assert config("esms", unit="anbinh").account == "8088/ANBINH"
    assert config("esms", unit="ANBINH").app_id == config("esms").app_id


def test_a_backup_gateway_is_used_when_it_is_named() -> None:
    with_backup = sms.config(
        {**SETTINGS["esms"], "backup_profile": "kannel", "backup_sender": "8099"},
        {**SECRETS, "backup_api_key": "b", "backup_api_secret": "c"},
    )
    assert with_backup.gateway.profile.name == "esms"
    assert with_backup.through("backup").gateway.profile.name == "kannel"
    assert with_backup.through("backup").gateway.sender == "8099"
    assert config("esms").through("backup").gateway.profile.name == "esms"


# --- an operator's own profile ----------------------------------------------------------------------------------------


def test_a_profile_may_be_given_as_text() -> None:
    assert config("kannel", profile=json.dumps(VONAGE)).gateway.profile == profile_from(VONAGE)


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (("name",), "", "profile.name is missing"),
        (("send", "url"), "ftp://x", "profile.send.url must begin with https://"),
        (("send", "method"), "PUT", "profile.send.method must be one of POST, GET"),
        (("send", "fields", "to"), "{phone}", "profile.send.fields names {phone}, which is unknown"),
        (("send", "fields", "to"), "{to", "profile.send.fields has braces that do not match"),
        (("send", "codes"), {"1": "oops"}, "profile.send.codes.1 must be one of"),
        (("send", "ok_values"), [], "profile.send.ok_values is missing"),
        (("send", "ok_statuses"), ["200"], "profile.send.ok_statuses must be a list of numbers"),
        (("send", "colour"), "red", "profile.send.colour is unknown"),
        (("send", "is_repeatable"), True, "profile.send.is_repeatable needs a code that means sent_before"),
        (("send", "auth"), "header", "profile.send.header is missing"),
        (("mo", "total_at"), "", "total_at and part_at belong together"),
        (("mo", "time_format"), "", "profile.mo.time_format is missing"),
        (("mo", "from_at"), 5, "profile.mo.from_at must be a text"),
        (("receipt",), {"id_at": "a", "status_at": "b"}, "profile.receipt.statuses is missing"),
        (("signature",), {"kind": "digest", "at": "sign"}, "profile.signature.over is missing"),
        (("reply",), {"body": "{sign}"}, "profile.reply.body names {sign}"),
        (("needs",), ["a_key"], "profile.needs may hold"),
        (("mo",), [], "profile.mo must be an object"),
    ],
)
def test_a_mistake_in_a_profile_is_named_with_its_place(path: tuple[str, ...], value: Any, named: str) -> None:
    broken = copy.deepcopy(VONAGE)
    part = broken
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    with pytest.raises(ValueError, match="profile") as raised:
        profile_from(broken)
    assert named in str(raised.value)


@pytest.mark.parametrize("data", [None, [], "x", 5, {}])
def test_what_is_no_profile_says_so(data: object) -> None:
    with pytest.raises(ValueError, match="profile"):
        profile_from(data)


def test_a_pattern_that_is_none_is_named() -> None:
    broken = copy.deepcopy(VONAGE)
    broken["send"] |= {"reads": "text", "ok_at": "(", "id_at": "id", "code_at": ""}
    with pytest.raises(ValueError, match="ok_at is no regular expression") as raised:
        profile_from(broken)
    assert "id_at needs a group" in str(raised.value)


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        ("0", "delivered"),
        ("1", "pending"),
        ("63", "pending"),
        ("64", "failed"),
        ("9999", "failed"),
        ("-1", "pending"),
        ("DELIVRD", "pending"),
        ("", "pending"),
    ],
)
def test_ranges_of_statuses_are_understood(status: str, meaning: str) -> None:
    receipt = shipped("speedsms").receipt
    assert receipt is not None
    assert receipt.meaning(status) == meaning
