"""Approved messages and Zalo's own clock: requests, answers and errors; no network."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import respx

from adapters._zalo_errors import ERRORS
from adapters.base import ApprovedForm, Windowed
from adapters.errors import MessageRefused, NotNow, OutcomeUnknown, PaymentRefused, SendError
from adapters.http import Http
from adapters.messages import Approved, OutboundMessage
from adapters.secret import Secret
from adapters.zalo import Zalo, ZaloConfig

USER = "3000000000000000003"
CONFIG = ZaloConfig("1000000000000000001", "2000000000000000002", Secret("app-secret"), Secret("oa-secret"))
TOKEN = Secret("an-access-token")
BY_UID = "https://openapi.zalo.me/v3.0/oa/message/template"
BY_PHONE = "https://business.openapi.zalo.me/message/template"
CLOCK = "https://openapi.zalo.me/v3.0/oa/quota/message"
VALUES = {"ma_phan_anh": "PA26-0001", "chu_de": "Chiếu sáng"}
MESSAGE = OutboundMessage(f"zalo:{USER}", "Phản ánh…", id="hc-26-1-0", template=Approved("400001", VALUES))

zalo = Zalo()


@pytest.fixture
def http() -> Iterator[Http]:
    client = Http()
    yield client
    client.close()


def to_phone(phone: str = "+84900000005") -> OutboundMessage:
    return replace(MESSAGE, template=Approved("400001", VALUES, phone))


@respx.mock
def test_an_approved_message_goes_to_whoever_wrote_to_us(http: Http) -> None:
    data = {"message_id": "m1", "user_id": USER, "sent_time": "1791000002000", "quota": {"remain": "3"}}
    route = respx.post(BY_UID).respond(json={"data": data, "error": 0})
    result = zalo.send(http, CONFIG, TOKEN, MESSAGE)
    assert (result.external_id, dict(result.quota)) == ("m1", {"remain": "3"})
    assert json.loads(route.calls.last.request.content) == {
        "user_id": USER, "template_id": "400001", "template_data": VALUES,
    }  # fmt: skip


@respx.mock
def test_an_approved_message_goes_to_a_number(http: Http) -> None:
    route = respx.post(BY_PHONE).respond(json={"data": {"msg_id": "z1", "sent_time": "1791000002000"}, "error": 0})
    assert zalo.send(http, CONFIG, TOKEN, to_phone()).external_id == "z1"
    assert json.loads(route.calls.last.request.content) == {
        "phone": "84900000005", "template_id": "400001", "template_data": VALUES, "tracking_id": "hc-26-1-0",
    }  # fmt: skip
    assert route.calls.last.request.headers["access_token"] == TOKEN.reveal()


@respx.mock
def test_what_stands_in_it_and_the_number_are_recorded_nowhere(http: Http) -> None:
    respx.post(BY_PHONE).respond(json={"error": -118, "message": "no account 84900000005 PA26-0001"})
    with http.recording() as exchanges, pytest.raises(MessageRefused):
        zalo.send(http, CONFIG, TOKEN, to_phone())
    shown = json.dumps([one.to_json() for one in exchanges])
    assert "84900000005" not in shown
    assert "PA26-0001" not in shown


@pytest.mark.parametrize("code", [code for service, code in ERRORS if service == "zbs"])
@respx.mock
def test_numbers_of_this_service_mean_their_own(code: int, http: Http) -> None:
    meaning = ERRORS["zbs", code]
    respx.post(BY_PHONE).respond(json={"error": code, "message": "whatever"})
    with pytest.raises(SendError) as caught:
        zalo.send(http, CONFIG, TOKEN, to_phone())
    assert type(caught.value) is meaning.kind
    assert caught.value.code == f"zalo_zbs_{code}"
    assert caught.value.shown == meaning.shown


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (-249, MessageRefused, "mẫu"),
        (-133, NotNow, "6 giờ"),
        (-224, PaymentRefused, "gói"),
        (-320, PaymentRefused, "ví ZCA"),
        (-321, PaymentRefused, "ví ZCA"),
        (-201, MessageRefused, "không hợp lệ"),
    ],
)
@respx.mock
def test_refusals_of_an_approved_message_say_what_to_do(code: int, kind: type, words: str, http: Http) -> None:
    respx.post(BY_UID).respond(json={"error": code})
    with pytest.raises(kind) as caught:
        zalo.send(http, CONFIG, TOKEN, MESSAGE)
    assert words in caught.value.shown


@respx.mock
def test_an_answer_without_an_id_is_unknown(http: Http) -> None:
    respx.post(BY_UID).respond(json={"data": {}, "error": 0})
    respx.post(BY_PHONE).respond(json={"data": {}, "error": 0})
    for message in (MESSAGE, to_phone()):
        with pytest.raises(OutcomeUnknown):
            zalo.send(http, CONFIG, TOKEN, message)


def test_a_visitor_has_no_account_to_send_it_to(http: Http) -> None:
    with pytest.raises(MessageRefused, match="not_a_zalo_address"):
        zalo.send(http, CONFIG, TOKEN, replace(MESSAGE, urn="zalo-guest:1/c"))


@pytest.mark.parametrize(
    ("data", "last", "quota"),
    [
        (
            {"last_interaction": "1791000001000", "cs_reply": {"remain": 7, "total": 8}},
            datetime.fromtimestamp(1_791_000_001, UTC),
            {"remain": "7", "total": "8"},
        ),
        ({"last_interaction": 1791000001000}, datetime.fromtimestamp(1_791_000_001, UTC), {}),
        ({"last_interaction": "0"}, None, {}),
        ({"last_interaction": None, "cs_reply": []}, None, {}),
        ({}, None, {}),
    ],
)
@respx.mock
def test_zalo_says_when_a_citizen_was_last_there(
    data: dict[str, Any], last: datetime | None, quota: dict[str, str], http: Http
) -> None:
    route = respx.post(CLOCK).respond(json={"data": data, "error": 0})
    clock = zalo.clock_of(http, CONFIG, TOKEN, f"zalo:{USER}")
    assert (clock.last_interaction_at, dict(clock.quota)) == (last, quota)
    assert json.loads(route.calls.last.request.content) == {"user_id": USER}


SETTINGS = {"app_id": "1000000000000000001", "oa_id": "2000000000000000002"}
SECRETS = {"app_secret": "example-a", "oa_secret": "example-b"}
TEMPLATE = {
    "template_id": "400001",
    "template_text": "Phản ánh {ma} về {chude} đã có trả lời. Hỏi tại {lienhe}.",
    "template_fields": {"ma_phan_anh": "ma", "chu_de": "chude", "lien_he": "lienhe"},
}


def test_a_template_in_the_settings_is_the_form() -> None:
    config = zalo.config({**SETTINGS, **TEMPLATE, "template_by": "phone"}, SECRETS)
    assert zalo.form(config) == ApprovedForm(
        "400001", TEMPLATE["template_text"], TEMPLATE["template_fields"], by_phone=True
    )
    assert zalo.form(zalo.config(SETTINGS, SECRETS)) is None
    assert zalo.paid_replies(config) == "ask"
    assert isinstance(zalo, Windowed)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"template_text": ""}, "template_text"),
        ({"template_text": "Phản ánh {ten}"}, "template_text"),
        ({"template_text": "Phản ánh {ma"}, "template_text"),
        ({"template_text": "x" * 1001}, "template_text"),
        ({"template_fields": {"a": "ten"}}, "template_fields"),
        ({"template_fields": {"a": ["ma"]}}, "template_fields"),
        ({"template_fields": "ma"}, "template_fields"),
        ({"template_by": "pigeon"}, "template_by"),
        ({"template_id": "not an id"}, "template_id"),
        ({"paid_replies": "sometimes"}, "paid_replies"),
    ],
)
def test_a_template_that_cannot_be_is_named(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        zalo.config({**SETTINGS, **TEMPLATE, **wrong}, SECRETS)
