"""A Zalo bot's account: whose token it is, where its events go, asking for them, its settings and its files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import respx

from adapters.base import Account, Bringing, Fetching, StandingToken
from adapters.errors import ChannelRefused, OutcomeUnknown, SendError
from adapters.http import Http
from adapters.zalo_bot import SECRET_HEADER
from tests.adapters.zalo_bots import ANSWERS, CONFIG, GOOD, SECRET, TOKEN, bot, payload, reply, url


@pytest.fixture
def http() -> Iterator[Http]:
    client = Http()
    yield client
    client.close()


def test_it_is_spoken_to_as_the_other_bots_are() -> None:
    adapter: object = bot
    assert isinstance(adapter, Fetching)
    assert isinstance(adapter, StandingToken)
    assert adapter.standing_token(CONFIG).reveal() == TOKEN


@respx.mock
def test_a_token_tells_whose_it_is(http: Http) -> None:
    respx.post(url("getMe")).mock(return_value=reply(ANSWERS["get_me_ok"]))
    assert bot.account_of(http, CONFIG) == Account(CONFIG.account, "bot.ViDuXaViDu")


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (ANSWERS["unauthorized"], ChannelRefused, "zalo_bot_401"),
        (ANSWERS["not_found"], ChannelRefused, "zalo_bot_404"),
        ({"ok": True, "result": [1]}, OutcomeUnknown, "zalo_bot_unclear"),
        ({"ok": True, "result": {"id": None}}, OutcomeUnknown, "zalo_bot_unclear"),
    ],
)
@respx.mock
def test_a_token_that_opens_nothing_is_said(answer: object, kind: type[SendError], code: str, http: Http) -> None:
    respx.post(url("getMe")).mock(return_value=reply(answer))
    with pytest.raises(kind) as caught:
        bot.account_of(http, CONFIG)
    assert caught.value.code == code


@respx.mock
def test_events_are_brought_with_a_secret(http: Http) -> None:
    route = respx.post(url("setWebhook")).mock(return_value=reply(ANSWERS["webhook_set"]))
    bot.bring(http, CONFIG, "https://cong.example.vn/webhooks/bot-vi-du")
    assert json.loads(route.calls.last.request.content) == {
        "url": "https://cong.example.vn/webhooks/bot-vi-du",
        "secret_token": SECRET,
    }


@respx.mock
def test_events_are_brought_nowhere_when_the_address_goes(http: Http) -> None:
    route = respx.post(url("deleteWebhook")).mock(return_value=reply(ANSWERS["webhook_gone"]))
    bot.bring(http, CONFIG, "")
    assert json.loads(route.calls.last.request.content) == {}


@pytest.mark.parametrize(
    ("answer", "where"),
    [("webhook_set", "https://cong.example.vn/webhooks/bot-vi-du"), ("webhook_gone", "")],
)
@respx.mock
def test_where_events_go_is_told(answer: str, where: str, http: Http) -> None:
    respx.post(url("getWebhookInfo")).mock(return_value=reply(ANSWERS[answer]))
    assert bot.bringing(http, CONFIG) == Bringing(where, 0, ())


# ---- asking for events ----------------------------------------------------------------------------------------------

ONE = json.loads(payload("text"))["result"]
OTHER = json.loads(payload("text_when_asked"))


@pytest.mark.parametrize(
    ("result", "found"),
    [(ONE, [ONE]), ([ONE, OTHER], [ONE, OTHER]), (OTHER, [OTHER]), ([ONE, 5, {}, None], [ONE])],
    ids=["one", "several", "one without a name", "one among nonsense"],
)
@respx.mock
def test_events_that_are_asked_for_are_those_that_would_have_been_brought(
    result: object, found: list[Any], http: Http
) -> None:
    route = respx.post(url("getUpdates")).mock(return_value=reply({"ok": True, "result": result}))
    fetched = bot.fetch(http, CONFIG, None, 25)
    assert json.loads(route.calls.last.request.content) == {"timeout": "25"}
    assert [json.loads(request.body) for request in fetched.requests] == found
    assert fetched.requests[0].headers == {SECRET_HEADER: SECRET}
    keys = [bot.admit(request, CONFIG).key for request in fetched.requests]
    assert all(key.startswith("message.text.received:") for key in keys)
    assert fetched.after is not None


@pytest.mark.parametrize(
    "answer",
    [
        ANSWERS["timed_out"],
        {"ok": True},
        {"ok": True, "result": None},
        {"ok": True, "result": {}},
        {"ok": True, "result": []},
    ],
    ids=["408", "no result", "null", "an empty object", "an empty list"],
)
@respx.mock
def test_nobody_wrote(answer: object, http: Http) -> None:
    respx.post(url("getUpdates")).mock(return_value=reply(answer))
    fetched = bot.fetch(http, CONFIG, 7, 25)
    assert (fetched.requests, fetched.after) == ((), 7)


@respx.mock
def test_the_same_answer_again_is_noticed_and_another_is_not(http: Http) -> None:
    answers = [reply({"ok": True, "result": result}) for result in (ONE, ONE, OTHER)]
    respx.post(url("getUpdates")).mock(side_effect=answers)
    first = bot.fetch(http, CONFIG, None, 0).after
    assert bot.fetch(http, CONFIG, first, 0).after == first
    assert bot.fetch(http, CONFIG, first, 0).after != first


@pytest.mark.parametrize("answer", [ANSWERS["internal"], {"ok": True, "result": "x"}, b"x", ANSWERS["quota"]])
@respx.mock
def test_a_question_that_fails_is_said(answer: object, http: Http) -> None:
    respx.post(url("getUpdates")).mock(return_value=reply(answer))
    with pytest.raises(SendError):
        bot.fetch(http, CONFIG, 7, 25)


@respx.mock
def test_half_a_character_does_not_stop_the_others(http: Http) -> None:
    broken = {**ONE, "message": {**ONE["message"], "text": "ổ gà \ud83d"}}
    respx.post(url("getUpdates")).mock(return_value=reply({"ok": True, "result": broken}))
    [request] = bot.fetch(http, CONFIG, None, 0).requests
    [event] = bot.parse(request.body)
    assert getattr(event, "text", "") == "ổ gà \ufffd"


# ---- settings and files ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "secrets", "complaint"),
    [
        ({}, {}, "token is missing; webhook_secret is missing"),
        ({}, {"token": "AAExample", "webhook_secret": SECRET}, "token is not a bot's"),
        ({}, {"token": TOKEN, "webhook_secret": "short"}, "webhook_secret must be"),
        ({"receive": "pigeon"}, GOOD, "receive must be"),
        ({"api_base": "http://api.example.vn"}, GOOD, "must be https"),
        ({"api_base": "https://u@x.vn"}, GOOD, "not an http"),
        ({"is_sandbox": True}, GOOD, "is the real Zalo"),
        ({"is_sandbox": "yes"}, GOOD, "must be true or false"),
        ({"extra_media_hosts": "a b/c"}, GOOD, "list of host"),
    ],
)
def test_what_is_wrong_in_the_settings_is_named(
    settings: dict[str, Any], secrets: dict[str, str], complaint: str
) -> None:
    with pytest.raises(ValueError, match="zalo_bot: ") as caught:
        bot.config(settings, secrets)
    assert complaint in str(caught.value)
    assert "AAExample" not in str(caught.value)


def test_settings_become_a_configuration() -> None:
    given = {"receive": "polling", "username": " bot.ViDu ", "api_base": "https://bots.example.vn/"}
    config = bot.config(given, GOOD)
    assert (config.account, config.username, bot.wished(config)) == ("7000000001", "bot.ViDu", "polling")
    assert config.method_url("getMe").reveal() == f"https://bots.example.vn/bot{TOKEN}/getMe"


@pytest.mark.parametrize(
    ("address", "may"),
    [
        ("https://photo-stal-1.zdn.vn/a.jpg", True),
        ("https://f2-voice-aac-dl.zdn.vn/a.aac", True),
        ("https://cdn.example.vn/a.jpg", True),
        ("https://zdn.vn.example/a.jpg", False),
        ("https://photo-stal-1.zdn.vn:8443/a.jpg", False),
        ("https://bot-api.zaloplatforms.com/a.jpg", False),
    ],
)
def test_files_come_from_zalos_hosts_and_those_an_operator_named(address: str, may: bool) -> None:
    config = bot.config({"extra_media_hosts": "cdn.example.vn"}, GOOD)
    assert bot.may_fetch(address, config) is may


def test_nobody_is_seen_to_follow_and_no_picture_can_be_sent() -> None:
    assert not bot.limits.tells_followers
    assert (bot.limits.image_bytes, bot.limits.buttons) == (0, 0)
