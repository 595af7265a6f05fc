"""What we say to SMS providers: message → request; their answers → results or errors. Tables, no network."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
import respx

from adapters.errors import (
    ChannelRefused,
    ContactUnreachable,
    MessageRefused,
    OutcomeUnknown,
    QuotaExhausted,
    SendError,
    TemporarilyRefused,
)
from adapters.http import Http
from adapters.messages import OutboundImage, OutboundMessage, SendResult
from adapters.secret import Secret
from adapters.sms import Sms
from adapters.sms_text import segments
from tests.adapters.channels import BadChannel, answer, behaving, free_port, reset
from tests.adapters.sms import TOKEN, VONAGE, config, sms

CITIZEN, OURS = "tel:+84912345678", "hc-261007-12-0"
WORDS, BARE = "Đã tiếp nhận phản ánh của ông/bà, mã PA26-0001.", "Da tiep nhan phan anh cua ong/ba, ma PA26-0001."
DOOR = "https://xa.example.vn/webhooks/sms-an-binh"
URLS = {
    "esms": "https://rest.esms.vn/MainService.svc/json/SendMultipleMessage_V4_post_json/",
    "speedsms": "https://api.speedsms.vn/index.php/sms/send",
    "kannel": "http://127.0.0.1:13013/cgi-bin/sendsms",
    "vonage": "https://rest.nexmo.com/sms/json",
}
ESMS_OK = {"CodeResult": "100", "CountRegenerate": 0, "SMSID": "c5a1f0"}
SPEEDSMS_OK = {"status": "success", "code": "00", "data": {"tranId": 123456, "totalSMS": 1, "invalidPhone": []}}
MESSAGE = OutboundMessage(CITIZEN, WORDS, id=OURS, callback_url=DOOR)


@pytest.fixture
def http() -> Iterator[Http]:
    client = Http(connect_seconds=0.5, read_seconds=0.5, call_seconds=1)
    yield client
    client.close()


def send(http: Http, provider: str, message: OutboundMessage = MESSAGE, **settings: Any) -> SendResult:
    return sms.send(http, config(provider, **settings), Secret("unused"), message)


@dataclass(frozen=True)
class Outgoing:
    """A message at a provider, the one request it becomes, and the id that later receipts will name."""

    label: str
    provider: str
    answer: httpx.Response
    body: Any = None
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    external_id: str = OURS
    message: OutboundMessage = MESSAGE
    settings: dict[str, Any] = field(default_factory=dict)


def esms_body(**changes: str) -> dict[str, str]:
    return {
        "ApiKey": "example-api-key", "SecretKey": "example-api-secret", "Phone": "84912345678", "Content": BARE,
        "Brandname": "UBND-ANBINH", "SmsType": "2", "IsUnicode": "0", "Sandbox": "0", "RequestId": OURS,
        "CallbackUrl": f"{DOOR}/{TOKEN}/receipt", **changes,
    }  # fmt: skip


KANNEL = {
    "user": "example-api-key", "pass": "example-api-secret", "from": "8088", "to": "+84912345678", "text": BARE,
    "charset": "UTF-8", "coding": "0", "dlr-mask": "31",
    "dlr-url": f"{DOOR}/{TOKEN}/receipt?id={OURS}&type=%d&answer=%A&from=%p",
}  # fmt: skip

ROWS = [
    Outgoing("eSMS takes JSON with its keys inside", "esms", httpx.Response(200, json=ESMS_OK), esms_body()),
    Outgoing(
        "marks are kept where the channel says so",
        "esms",
        httpx.Response(200, json=ESMS_OK),
        esms_body(Content=WORDS, IsUnicode="1"),
        settings={"accents": "keep"},
    ),
    Outgoing(
        "a rehearsal is said to be one",
        "esms",
        httpx.Response(200, json=ESMS_OK),
        esms_body(Sandbox="1"),
        settings={"is_sandbox": True},
    ),
    Outgoing(
        "eSMS sent it already when we ask again",
        "esms",
        httpx.Response(200, json={"CodeResult": "124", "ErrorMessage": "Duplicate RequestId"}),
        esms_body(),
        message=OutboundMessage(CITIZEN, WORDS, id=OURS, callback_url=DOOR, is_repeat=True),
    ),
    Outgoing(
        "SpeedSMS is told who we are by Basic",
        "speedsms",
        httpx.Response(200, json=SPEEDSMS_OK),
        {"to": ["84912345678"], "content": BARE, "sms_type": "3", "sender": "UBND-ANBINH"},
        headers={"authorization": "Basic ZXhhbXBsZS1hcGkta2V5Ong="},
        external_id="123456",
    ),
    Outgoing(
        "Kannel is asked by a query and names nothing: receipts carry our own id",
        "kannel",
        httpx.Response(202, text="0: Accepted for delivery"),
        query=KANNEL,
    ),
    Outgoing(
        "Kannel queues for later",
        "kannel",
        httpx.Response(202, text="3: Queued for later delivery"),
        query=KANNEL,
    ),
    Outgoing(
        "Kannel is told of the wide alphabet",
        "kannel",
        httpx.Response(202, text="0: Accepted for delivery"),
        query=KANNEL | {"text": WORDS, "coding": "2"},
        settings={"accents": "keep"},
    ),
    Outgoing(
        "a profile of the operator's own, with a form",
        "vonage",
        httpx.Response(200, json={"messages": [{"status": "0", "message-id": "0A01"}]}),
        b"api_key=example-api-key&api_secret=example-api-secret&to=84912345678&from=8088&text="
        b"Da+tiep+nhan+phan+anh+cua+ong%2Fba%2C+ma+PA26-0001.&type=unicode",
        external_id="0A01",
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.label)
@respx.mock
def test_a_message_becomes_one_request(http: Http, row: Outgoing) -> None:
    route = respx.route(url__startswith=URLS[row.provider]).mock(return_value=row.answer)
    result = send(http, row.provider, row.message, **row.settings)
    assert result.external_id == row.external_id
    (call,) = route.calls
    asked = call.request
    if isinstance(row.body, dict):
        assert json.loads(asked.content) == row.body
    elif row.body is not None:
        assert asked.content == row.body
    assert {name: values[0] for name, values in parse_qs(asked.url.query.decode()).items()} == row.query
    for name, value in row.headers.items():
        assert asked.headers[name] == value


@dataclass(frozen=True)
class Refusal:
    """What a provider answers, and what it means for us."""

    provider: str
    answer: httpx.Response
    error: type[SendError]
    code: str
    shown: str = ""


def esms_code(code: str) -> httpx.Response:
    return httpx.Response(200, json={"CodeResult": code, "ErrorMessage": "words of the provider"})


def speedsms_code(code: str) -> httpx.Response:
    return httpx.Response(200, json={"status": "error", "code": code, "message": "words of the provider"})


REFUSALS = [
    Refusal("esms", esms_code("99"), ContactUnreachable, "esms_99", "gọi điện"),
    Refusal("esms", esms_code("101"), ChannelRefused, "esms_101", "người vận hành"),
    Refusal("esms", esms_code("102"), ChannelRefused, "esms_102"),
    Refusal("esms", esms_code("103"), QuotaExhausted, "esms_103", "nạp thêm tiền"),
    Refusal("esms", esms_code("104"), ChannelRefused, "esms_104"),
    Refusal("esms", esms_code("107"), ChannelRefused, "esms_107"),
    Refusal("esms", esms_code("108"), ContactUnreachable, "esms_108", "kiểm tra số"),
    Refusal("esms", esms_code("118"), ChannelRefused, "esms_118"),
    Refusal("esms", esms_code("124"), MessageRefused, "esms_id_taken", "gọi điện"),
    Refusal("esms", esms_code("140"), ChannelRefused, "esms_140"),
    Refusal("esms", esms_code("146"), MessageRefused, "esms_146", "theo mẫu"),
    Refusal("esms", esms_code("177"), MessageRefused, "esms_177", "nhà mạng của người dân"),
    Refusal("esms", esms_code("304"), MessageRefused, "esms_304", "sửa lời"),
    Refusal("esms", esms_code("777"), MessageRefused, "esms_777"),
    Refusal("esms", httpx.Response(200, text="<html>"), OutcomeUnknown, "esms_unknown"),
    Refusal("esms", httpx.Response(500), OutcomeUnknown, "esms_unknown"),
    Refusal("esms", httpx.Response(429), TemporarilyRefused, "esms_throttled"),
    Refusal("esms", httpx.Response(302), TemporarilyRefused, "esms_busy"),
    Refusal("speedsms", speedsms_code("007"), ChannelRefused, "speedsms_007"),
    Refusal("speedsms", speedsms_code("105"), ContactUnreachable, "speedsms_105"),
    Refusal("speedsms", speedsms_code("110"), MessageRefused, "speedsms_110", "ký tự lạ"),
    Refusal("speedsms", speedsms_code("113"), MessageRefused, "speedsms_113", "rút ngắn"),
    Refusal("speedsms", speedsms_code("300"), QuotaExhausted, "speedsms_300"),
    Refusal("speedsms", speedsms_code("500"), OutcomeUnknown, "speedsms_500"),
    Refusal(
        "speedsms",
        httpx.Response(429, json={"name": "Too Many Requests", "code": 0, "status": 429}),
        TemporarilyRefused,
        "speedsms_0",
    ),
    Refusal("speedsms", httpx.Response(401), ChannelRefused, "speedsms_account"),
    Refusal(
        "speedsms",
        httpx.Response(200, json={"status": "success", "code": "00", "data": {"invalidPhone": ["0912345678"]}}),
        ContactUnreachable,
        "speedsms_number",
    ),
    Refusal(
        "speedsms",
        httpx.Response(200, json={"status": "success", "code": "00", "data": {}}),
        OutcomeUnknown,
        "speedsms_no_id",
    ),
    Refusal("kannel", httpx.Response(403, text="Authorization failed for sendsms"), ChannelRefused, "kannel_account"),
    Refusal(
        "kannel", httpx.Response(503, text="Temporal failure, try again later."), TemporarilyRefused, "kannel_busy"
    ),
    Refusal("kannel", httpx.Response(400, text="Sender missing"), MessageRefused, "kannel_refused"),
    Refusal("kannel", httpx.Response(500), OutcomeUnknown, "kannel_unknown"),
    # Taken, by its own words, but not by its status: something in between has spoilt the answer.
    Refusal("kannel", httpx.Response(200, text="0: Accept"), OutcomeUnknown, "kannel_0"),
    Refusal("kannel", httpx.Response(200, text="3: Queued for"), OutcomeUnknown, "kannel_3"),
    Refusal("vonage", httpx.Response(200, json={"messages": [{"status": "1"}]}), TemporarilyRefused, "vonage_1"),
    Refusal("vonage", httpx.Response(200, json={"messages": []}), OutcomeUnknown, "vonage_unknown"),
]


@pytest.mark.parametrize("row", REFUSALS, ids=lambda row: f"{row.provider}-{row.code}-{row.answer.status_code}")
@respx.mock
def test_a_refusal_says_what_to_do_next(http: Http, row: Refusal) -> None:
    respx.route(url__startswith=URLS[row.provider]).mock(return_value=row.answer)
    with pytest.raises(SendError) as raised:
        send(http, row.provider)
    assert (type(raised.value), raised.value.code) == (row.error, row.code)
    assert row.shown in raised.value.shown
    assert "words of the provider" not in raised.value.shown


def test_every_code_of_the_shipped_tables_is_tested() -> None:
    from adapters.sms_profile_form import SHIPPED, shipped

    tested = {(row.provider, row.code.rpartition("_")[2]) for row in REFUSALS}
    missing = {(name, code) for name in SHIPPED for code in shipped(name).send.codes if (name, code) not in tested} - {
        ("speedsms", "008"),
        ("speedsms", "009"),
        ("speedsms", "101"),
        ("esms", "124"),
    }
    assert not missing


@pytest.mark.parametrize(
    ("provider", "may_repeat"), [("esms", True), ("speedsms", False), ("kannel", False), ("vonage", False)]
)
def test_a_lost_answer_is_asked_again_only_where_our_id_is_known(http: Http, provider: str, may_repeat: bool) -> None:
    with behaving(reset) as channel:
        url = channel.url
        with pytest.raises(OutcomeUnknown) as raised:
            send(http, provider, send_url=url, is_sandbox=True)
    assert raised.value.may_repeat is may_repeat
    assert len(channel.requests) == 1


def test_without_an_id_of_ours_nothing_is_asked_again(http: Http) -> None:
    with behaving(reset) as channel, pytest.raises(OutcomeUnknown) as raised:
        send(http, "esms", OutboundMessage(CITIZEN, WORDS), send_url=channel.url, is_sandbox=True)
    assert not raised.value.may_repeat


@pytest.mark.parametrize("provider", ["esms", "speedsms", "kannel"])
def test_a_provider_that_is_away_was_surely_not_told(http: Http, provider: str) -> None:
    with pytest.raises(TemporarilyRefused, match="unreachable"):
        send(http, provider, send_url=f"http://127.0.0.1:{free_port()}/", is_sandbox=True)


@pytest.mark.parametrize("provider", ["esms", "speedsms", "kannel", "vonage"])
def test_neither_words_nor_numbers_nor_keys_are_recorded(http: Http, provider: str) -> None:
    told = json.dumps({"CodeResult": "146", "code": "146", "echo": [BARE, "84912345678", "+84912345678", "0912345678",
                       "example-api-key", "example-api-secret", TOKEN]}).encode()  # fmt: skip
    with behaving(answer(told, "400 Bad Request")) as channel, http.recording() as exchanges, pytest.raises(SendError):
        send(http, provider, send_url=channel.url, is_sandbox=True)
    assert isinstance(channel, BadChannel)
    (exchange,) = exchanges
    kept = json.dumps(exchange.to_json(), ensure_ascii=False)
    for secret in (BARE, "912345678", "example-", TOKEN):
        assert secret not in kept


@pytest.mark.parametrize(
    "urn", ["tel:+8488", "tel:8088", "tel:VIETTEL", "zalo:84912345678", "tel:+85512345678", "tel:"]
)
def test_only_a_citizens_mobile_is_written_to(http: Http, urn: str) -> None:
    with pytest.raises(MessageRefused, match="not_a_mobile_number"):
        send(http, "esms", OutboundMessage(urn, WORDS))


def test_a_picture_is_refused_with_a_word_on_what_to_do(http: Http) -> None:
    with pytest.raises(MessageRefused, match="sms_no_image") as raised:
        send(http, "esms", OutboundMessage(CITIZEN, WORDS, OutboundImage(b"x", "a.jpg", "image/jpeg")))
    assert "bằng lời" in raised.value.shown


def test_more_parts_than_the_provider_takes_are_refused_before_anything_is_sent(http: Http) -> None:
    with pytest.raises(MessageRefused) as raised:
        send(http, "esms", OutboundMessage(CITIZEN, "a" * 613))
    assert "rút ngắn" in raised.value.shown


# --- words and their price --------------------------------------------------------------------------------------------


def test_a_long_text_becomes_messages_of_at_most_four_parts() -> None:
    for text in ("Đèn đường hỏng. " * 100, "[{}]€ " * 300, "字" * 1_000):
        for settings in ({}, {"accents": "keep"}):
            pieces = Sms().pieces(settings, text)
            assert all(segments(piece).count <= 4 for piece in pieces)
            assert len(pieces) > 1


def test_what_names_cost_is_told_before_it_is_sent() -> None:
    cost = sms.cost({}, WORDS)
    assert (cost.words, cost.parts, cost.is_unicode, cost.lost_marks) == (BARE, 1, False, True)
    kept = sms.cost({"accents": "keep"}, WORDS * 2)
    assert (kept.words, kept.parts, kept.is_unicode, kept.lost_marks) == (WORDS * 2, 2, True, False)


# --- the account ------------------------------------------------------------------------------------------------------


@respx.mock
def test_the_balance_is_what_the_provider_says(http: Http) -> None:
    route = respx.post("https://rest.esms.vn/MainService.svc/json/GetBalance_json").mock(
        return_value=httpx.Response(200, json={"Balance": 36693, "CodeResponse": "100", "UserID": 9999})
    )
    assert sms.account(http, config("esms")) == {"balance": "36693"}
    assert json.loads(route.calls[0].request.content)["SecretKey"] == "example-api-secret"
    info = respx.get("https://api.speedsms.vn/index.php/user/info").mock(
        return_value=httpx.Response(200, json={"status": "success", "data": {"balance": 100000.0}})
    )
    assert sms.account(http, config("speedsms")) == {"balance": "100000.0"}
    assert info.calls[0].request.headers["authorization"].startswith("Basic ")
    assert sms.account(http, config("kannel")) is None


@respx.mock
def test_wrong_keys_are_told_when_the_account_is_asked(http: Http) -> None:
    respx.post("https://rest.esms.vn/MainService.svc/json/GetBalance_json").mock(
        return_value=httpx.Response(200, json={"Balance": 0, "CodeResponse": "101", "ErrorMessage": "Authorize Failed"})
    )
    with pytest.raises(ChannelRefused, match="esms_101"):
        sms.account(http, config("esms"))


def test_the_operators_profile_is_a_copy_of_nothing_shipped() -> None:
    assert VONAGE["name"] not in {"esms", "speedsms", "kannel"}
