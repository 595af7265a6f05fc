"""The settings of a Zalo channel: everything wrong is named at once, and no secret is repeated."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from adapters._zalo_config import ZaloConfig, configured, is_within
from adapters.secret import Secret
from adapters.zalo import Zalo

SETTINGS: dict[str, Any] = {"app_id": "1000000000000000001", "oa_id": "2000000000000000002"}
SECRETS = {"app_secret": "example-app-secret", "oa_secret": "example-oa-secret"}

zalo = Zalo()


def problems(settings: dict[str, Any], secrets: dict[str, str] | None = None) -> str:
    with pytest.raises(ValueError, match="zalo: ") as caught:
        configured(SETTINGS | settings, SECRETS if secrets is None else secrets)
    return str(caught.value)


def test_two_ids_and_two_secrets_are_enough() -> None:
    config = configured(SETTINGS, SECRETS)
    assert config == ZaloConfig(
        "1000000000000000001", "2000000000000000002", Secret("example-app-secret"), Secret("example-oa-secret")
    )
    assert (config.account, config.api_base, config.signature_mode) == (
        "2000000000000000002",
        "https://openapi.zalo.me",
        "strict",
    )


def test_everything_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(ValueError, match="zalo") as caught:
        configured({}, {})
    for name in ("app_id", "oa_id", "app_secret", "oa_secret"):
        assert f"{name} is missing" in str(caught.value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("app_id", "12 34"),
        ("app_id", "x" * 65),
        ("oa_id", "một"),
        ("oa_id", ["1"]),
        ("signature_mode", "loose"),
        ("file_key", "id"),
        ("is_sandbox", "yes"),
        ("appsecret_proof", 1),
        ("api_base", "openapi.zalo.me"),
        ("api_base", "ftp://openapi.zalo.me"),
        ("api_base", "http://openapi.zalo.me"),
        ("api_base", "https://"),
        ("api_base", "https://a:99999"),
        ("api_base", "https://user:word@openapi.zalo.me"),
        ("api_base", "https://openapi.zalo.me?x=1"),
        ("api_base", 5),
        ("oauth_base", "http://127.0.0.1:9"),
        ("extra_media_hosts", "https://cdn.example.vn/x"),
        ("extra_media_hosts", [5]),
        ("extra_media_hosts", {"a": 1}),
    ],
)
def test_a_malformed_field_is_named(field: str, value: object) -> None:
    assert field in problems({field: value})


def test_a_sandbox_never_speaks_to_the_real_zalo() -> None:
    for base in ("https://openapi.zalo.me", "https://x.zaloapp.com", "https://ZALO.me"):
        assert "real Zalo" in problems({"is_sandbox": True, "api_base": base, "oauth_base": "http://127.0.0.1:9"})


def test_a_sandbox_that_names_no_address_is_refused_rather_than_sent_to_the_real_one() -> None:
    assert "api_base is the real Zalo" in problems({"is_sandbox": True})


def test_a_sandbox_may_live_on_this_machine() -> None:
    config = configured(
        SETTINGS | {"is_sandbox": True, "api_base": "http://127.0.0.1:9/zalo/", "oauth_base": "http://[::1]:9"}, SECRETS
    )
    assert (config.api_base, config.oauth_base) == ("http://127.0.0.1:9/zalo", "http://[::1]:9")


def test_the_console_shows_the_oa_secret_only_after_the_address_is_saved() -> None:
    config = configured(SETTINGS | {"signature_mode": "bootstrap"}, {"app_secret": "example-app-secret"})
    assert not config.oa_secret


@pytest.mark.parametrize("value", ["bí-mật-có-dấu", "two\nlines", "bell\a"])
def test_a_secret_that_cannot_be_one_is_named_but_not_repeated(value: str) -> None:
    told = problems({}, SECRETS | {"oa_secret": value})
    assert "oa_secret" in told
    assert value not in told


def test_blanks_around_a_pasted_secret_are_no_part_of_it() -> None:
    assert (
        configured(SETTINGS, SECRETS | {"oa_secret": "  example-oa-secret\n"}).oa_secret.reveal() == "example-oa-secret"
    )


def test_an_empty_earlier_secret_is_none() -> None:
    assert configured(SETTINGS, SECRETS | {"previous_oa_secret": " "}).previous_oa_secret is None


def test_ids_may_be_numbers_in_a_settings_file() -> None:
    assert configured(SETTINGS | {"oa_id": 2000000000000000002}, SECRETS).oa_id == "2000000000000000002"


def test_media_hosts_may_be_a_list_or_a_line_of_words() -> None:
    for value in (
        ["cdn.example.vn", "localhost:8080"],
        "cdn.example.vn, localhost:8080",
        ("cdn.example.vn", "localhost:8080"),
    ):
        assert configured(SETTINGS | {"extra_media_hosts": value}, SECRETS).extra_media_hosts == (
            "cdn.example.vn",
            "localhost:8080",
        )


def test_every_field_is_offered_to_the_operator() -> None:
    offered = set(zalo.config_fields) | set(zalo.secret_fields)
    assert offered == {f.name for f in fields(ZaloConfig)}


def test_secrets_are_typed_as_secrets() -> None:
    config = configured(SETTINGS, SECRETS | {"previous_oa_secret": "example-earlier"})
    assert all(isinstance(getattr(config, name), Secret) for name in zalo.secret_fields)


@pytest.mark.parametrize(
    ("url", "may"),
    [
        ("https://f1-photo.zdn.vn/a.jpg", True),
        ("http://f1-photo.zdn.vn/a.jpg", True),
        ("https://zdn.vn/a.jpg", True),
        ("https://F1.ZADN.VN/a.jpg", True),
        ("https://cdn.example.vn/a.jpg", True),
        ("https://localhost:8080/a.jpg", True),
        ("https://localhost/a.jpg", False),
        ("https://f1.zdn.vn:8443/a.jpg", False),
        ("https://evilzdn.vn/a.jpg", False),
        ("https://zdn.vn.evil.example/a.jpg", False),
        ("https://zdn.vn@evil.example/a.jpg", False),
        ("ftp://f1.zdn.vn/a.jpg", False),
        ("//f1.zdn.vn/a.jpg", False),
        ("f1.zdn.vn/a.jpg", False),
        ("", False),
        ("https://[", False),
        ("https://127.0.0.1/a.jpg", False),
        ("https://zdn.vn%2eevil.example/a.jpg", False),
    ],
)
def test_media_come_from_zalos_hosts_and_those_an_operator_named(url: str, may: bool) -> None:
    config = configured(SETTINGS | {"extra_media_hosts": "cdn.example.vn localhost:8080"}, SECRETS)
    assert zalo.may_fetch(url, config) is may


@pytest.mark.parametrize(
    ("host", "inside"),
    [("zalo.me", True), ("a.zalo.me", True), ("azalo.me", False), ("zalo.me.vn", False), ("", False)],
)
def test_a_host_is_inside_a_domain_only_behind_a_dot(host: str, inside: bool) -> None:
    assert is_within(host, ("zalo.me",)) is inside
