"""What we say to Zalo: message → requests, and its answers → results or errors. Rows of tables, no network."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
import respx

from adapters._zalo_errors import CONSENT_ERRORS, ERRORS
from adapters.errors import (
    ChannelError,
    ContactUnreachable,
    MessageRefused,
    NotNow,
    OutcomeUnknown,
    PaymentRefused,
    QuotaExhausted,
    SendError,
    TemporarilyRefused,
    TokenRefreshFailed,
    TokenRejected,
    UploadExpired,
    WindowClosed,
)
from adapters.http import Http
from adapters.messages import OutboundImage, OutboundMessage, SendResult
from adapters.secret import Secret
from adapters.zalo import Zalo, ZaloConfig, code_challenge

CITIZEN, USER = "zalo:3000000000000000003", "3000000000000000003"
TOKEN = "an-access-token-that-nobody-may-see"
REFRESH = "a-refresh-token-that-nobody-may-see"
APP_SECRET, OA_SECRET = "example-app-secret-not-real", "example-oa-secret-key-not-real"
WORDS = "Đã tiếp nhận phản ánh của ông/bà, mã PA26-0001."
JPG, PNG = b"\xff\xd8\xff" + b"x" * 100, b"\x89PNG\r\n\x1a\n" + b"x" * 100
CS = "https://openapi.zalo.me/v3.0/oa/message/cs"
GUESTS = "https://openapi.zalo.me/v2.0/oa/message"
UPLOAD = "https://openapi.zalo.me/v2.0/oa/upload/image"
OAUTH = "https://oauth.zaloapp.com/v4/oa/access_token"
ANSWERS = json.loads((Path(__file__).parent / "payloads" / "zalo" / "_api_responses.json").read_text())
CONFIG = ZaloConfig(
    app_id="1000000000000000001",
    oa_id="2000000000000000002",
    app_secret=Secret(APP_SECRET),
    oa_secret=Secret(OA_SECRET),
)
OK = ANSWERS["message_cs_ok"]
UPLOADED = {"data": {"attachment_id": "att-1"}, "error": 0, "message": "Success"}

zalo = Zalo()


@pytest.fixture
def http() -> Iterator[Http]:
    client = Http()
    yield client
    client.close()


def send(http: Http, message: OutboundMessage, config: ZaloConfig = CONFIG) -> SendResult:
    return zalo.send(http, config, Secret(TOKEN), message)


def reply(body: object, status: int = 200, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.Response(status, content=content, headers=headers)


@dataclass(frozen=True)
class Outgoing:
    label: str
    message: OutboundMessage
    responses: list[object]
    requests: list[tuple[str, Any]]
    external_id: str = OK["data"]["message_id"]
    config: ZaloConfig = field(default=CONFIG)


def to_citizen(**message: Any) -> dict[str, Any]:
    return {"recipient": {"user_id": USER}, "message": message}


def picture(attachment_id: str) -> dict[str, Any]:
    element = {"media_type": "image", "attachment_id": attachment_id}
    return {"type": "template", "payload": {"template_type": "media", "elements": [element]}}


ROWS = [
    Outgoing("words", OutboundMessage(CITIZEN, WORDS), [OK], [(CS, to_citizen(text=WORDS))]),
    Outgoing(
        "words that answer a message",
        OutboundMessage(CITIZEN, WORDS, quoted_external_id="f1c71ona10001abcdef"),
        [OK],
        [(CS, to_citizen(text=WORDS, quote_message_id="f1c71ona10001abcdef"))],
    ),
    Outgoing(
        "a refused quote is left out and the words are sent once more",
        OutboundMessage(CITIZEN, WORDS, quoted_external_id="of-somebody-else"),
        [{"error": -201, "message": "quote"}, OK],
        [(CS, to_citizen(text=WORDS, quote_message_id="of-somebody-else")), (CS, to_citizen(text=WORDS))],
    ),
    Outgoing(
        "a picture is uploaded first",
        OutboundMessage(CITIZEN, "Ảnh kết quả", OutboundImage(JPG, "anh sau khi sửa.JPEG", "image/jpeg")),
        [UPLOADED, OK],
        [
            (UPLOAD, ("anh-sau-khi-s-a.jpg", "image/jpeg", JPG)),
            (CS, to_citizen(text="Ảnh kết quả", attachment=picture("att-1"))),
        ],
    ),
    Outgoing(
        "a picture without words",
        OutboundMessage(CITIZEN, image=OutboundImage(PNG, "a.png", "image/png")),
        [UPLOADED, OK],
        [(UPLOAD, ("a.png", "image/png", PNG)), (CS, to_citizen(attachment=picture("att-1")))],
    ),
    Outgoing(
        "the ending comes from the bytes, not from the name",
        OutboundMessage(CITIZEN, image=OutboundImage(PNG, "ket-qua.jpg", "image/jpeg")),
        [UPLOADED, OK],
        [(UPLOAD, ("ket-qua.png", "image/png", PNG)), (CS, to_citizen(attachment=picture("att-1")))],
    ),
    Outgoing(
        "a picture without a name",
        OutboundMessage(CITIZEN, image=OutboundImage(JPG, "", "image/jpeg")),
        [UPLOADED, OK],
        [(UPLOAD, ("anh.jpg", "image/jpeg", JPG)), (CS, to_citizen(attachment=picture("att-1")))],
    ),
    Outgoing(
        "a name with a path keeps no path",
        OutboundMessage(CITIZEN, image=OutboundImage(JPG, "../../etc/passwd", "image/jpeg")),
        [UPLOADED, OK],
        [(UPLOAD, ("passwd.jpg", "image/jpeg", JPG)), (CS, to_citizen(attachment=picture("att-1")))],
    ),
    Outgoing(
        "a visitor who is not signed in",
        OutboundMessage("zalo-guest:anon6/conv7", WORDS),
        [OK],
        [(GUESTS, {"recipient": {"anonymous_id": "anon6", "conversation_id": "conv7"}, "message": {"text": WORDS}})],
    ),
    Outgoing(
        "a sandbox's own address",
        OutboundMessage(CITIZEN, WORDS),
        [OK],
        [("http://127.0.0.1:9/zalo/v3.0/oa/message/cs", to_citizen(text=WORDS))],
        config=replace(CONFIG, api_base="http://127.0.0.1:9/zalo", is_sandbox=True),
    ),
    Outgoing(
        "half a character does not break the request",
        OutboundMessage(CITIZEN, "mã\ud800 PA\x00"),
        [OK],
        [(CS, to_citizen(text="mã\ufffd PA"))],
    ),
    Outgoing(
        "a number for an id is an id",
        OutboundMessage(CITIZEN, WORDS),
        [{"data": {"message_id": 123456, "sent_time": 1791000002000}, "error": 0}],
        [(CS, to_citizen(text=WORDS))],
        external_id="123456",
    ),
    Outgoing(
        "success may be said with a string",
        OutboundMessage(CITIZEN, WORDS),
        [OK | {"error": "0"}],
        [(CS, to_citizen(text=WORDS))],
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.label)
@respx.mock
def test_a_message_becomes_exactly_these_requests(row: Outgoing, http: Http) -> None:
    route = respx.route().mock(side_effect=[reply(body) for body in row.responses])
    result = send(http, row.message, row.config)
    assert [(str(call.request.url), read(call.request)) for call in route.calls] == row.requests
    assert result.external_id == row.external_id
    for call in route.calls:
        assert call.request.method == "POST"
        assert call.request.headers["access_token"] == TOKEN
        assert "authorization" not in call.request.headers
        assert "appsecret_proof" not in call.request.headers


def read(request: httpx.Request) -> Any:
    """The JSON of a request, or the name, type and bytes of the file it carries."""
    if request.headers["content-type"] == "application/json":
        return json.loads(request.content)
    head, _, rest = request.content.partition(b"\r\n\r\n")
    data = rest.rpartition(b"\r\n--")[0]
    assert b'name="file"' in head
    name = head.partition(b'filename="')[2].partition(b'"')[0].decode()
    kind = head.partition(b"Content-Type: ")[2].partition(b"\r\n")[0].decode()
    return name, kind, data


@respx.mock
def test_the_proof_is_a_keyed_hash_of_the_token(http: Http) -> None:
    route = respx.post(CS).mock(return_value=reply(OK))
    send(http, OutboundMessage(CITIZEN, WORDS), replace(CONFIG, appsecret_proof=True))
    expected = hmac.new(APP_SECRET.encode(), TOKEN.encode(), hashlib.sha256).hexdigest()
    assert route.calls[0].request.headers["appsecret_proof"] == expected


@respx.mock
def test_the_answer_tells_when_it_was_sent_at_what_cost(http: Http) -> None:
    respx.post(CS).mock(return_value=reply(OK))
    result = send(http, OutboundMessage(CITIZEN, WORDS))
    assert result.sent_at == datetime.fromtimestamp(1791000002, UTC)
    assert result.quota == OK["data"]["quota"]


@pytest.mark.parametrize("name", ["message_cs_ok_sub_quota", "message_cs_ok_no_quota"])
@respx.mock
def test_the_quota_is_only_telemetry(name: str, http: Http) -> None:
    respx.post(CS).mock(return_value=reply(ANSWERS[name]))
    assert send(http, OutboundMessage(CITIZEN, WORDS)).external_id == ANSWERS[name]["data"]["message_id"]


@pytest.mark.parametrize("quota", [[], "viel", {"remain": [1]}, {"x" * 500: "y" * 500}, None])
@respx.mock
def test_a_strange_quota_does_not_undo_a_sent_message(quota: object, http: Http) -> None:
    respx.post(CS).mock(return_value=reply({"data": {"message_id": "m1", "quota": quota}, "error": 0}))
    assert send(http, OutboundMessage(CITIZEN, WORDS)).external_id == "m1"


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [code for service, code in ERRORS if service == "oa"])
@respx.mock
def test_every_number_of_the_table_is_the_error_it_stands_for(code: int, http: Http) -> None:
    meaning = ERRORS["oa", code]
    respx.post(CS).mock(return_value=reply({"error": code, "message": "whatever they say"}))
    with pytest.raises(SendError) as caught:
        send(http, OutboundMessage(CITIZEN, WORDS))
    assert type(caught.value) is meaning.kind
    assert caught.value.code == f"zalo_{code}"
    assert caught.value.shown == meaning.shown


CLASSES = {
    TokenRejected: {-216, -220, -124, 216, 401, -401},
    WindowClosed: {-213, -230, -232, -305},
    ContactUnreachable: {-217, -227, -244},
    NotNow: {-133, -234},
    PaymentRefused: {-224, -320, -321},
    QuotaExhausted: {-211, -218, -238, -241, -311},
    TemporarilyRefused: {-32, -200, -214},
    UploadExpired: {-100},
}


@pytest.mark.parametrize(("kind", "codes"), CLASSES.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_the_table_says_what_the_protocol_says(kind: type[SendError], codes: set[int]) -> None:
    assert {code for (service, code), meaning in ERRORS.items() if service == "oa" and meaning.kind is kind} == codes


@pytest.mark.parametrize("meaning", ERRORS.values(), ids=lambda m: m.kind.__name__)
def test_an_official_reads_what_happened_in_whole_sentences(meaning: Any) -> None:
    assert meaning.shown.endswith(".")
    assert len(meaning.shown) > 30
    assert len(meaning.shown) <= 400  # the column of a delivery's reason


@pytest.mark.parametrize("code", [-9999, 5, -1, 12345])
@respx.mock
def test_an_unknown_number_refuses_the_message_for_good(code: int, http: Http) -> None:
    route = respx.post(CS).mock(return_value=reply({"error": code, "message": "?"}))
    with pytest.raises(MessageRefused) as caught:
        send(http, OutboundMessage(CITIZEN, WORDS))
    assert caught.value.code == f"zalo_{code}"
    assert route.call_count == 1


@respx.mock
def test_a_message_without_a_quote_is_not_tried_twice(http: Http) -> None:
    route = respx.post(CS).mock(return_value=reply({"error": -201}))
    with pytest.raises(MessageRefused):
        send(http, OutboundMessage(CITIZEN, WORDS))
    assert route.call_count == 1


@respx.mock
def test_a_quote_is_left_out_once_only(http: Http) -> None:
    route = respx.post(CS).mock(return_value=reply({"error": -201}))
    with pytest.raises(MessageRefused):
        send(http, OutboundMessage(CITIZEN, WORDS, quoted_external_id="m1"))
    assert route.call_count == 2


@respx.mock
def test_the_night_rule_names_the_next_morning(http: Http) -> None:
    respx.post(CS).mock(return_value=reply({"error": -234}))
    with pytest.raises(NotNow) as caught:
        send(http, OutboundMessage(CITIZEN, WORDS))
    wait = caught.value.not_before - datetime.now(UTC)
    assert timedelta(0) < wait <= timedelta(hours=24)
    assert caught.value.not_before.astimezone().astimezone(UTC).hour == 23  # 6 o'clock in Vietnam


@respx.mock
def test_the_channel_limit_holds_everybody_until_the_next_minute(http: Http) -> None:
    respx.post(CS).mock(return_value=reply({"error": -32}))
    with pytest.raises(TemporarilyRefused) as caught:
        send(http, OutboundMessage(CITIZEN, WORDS))
    assert caught.value.whole_channel
    assert 0 < caught.value.retry_after <= 65


@pytest.mark.parametrize(
    ("header", "low", "high"),
    [("7", 7, 7), ("99999", 3600, 3600), ("0", 1, 1), ("", 0.5, 65), ("soon", 0.5, 65), ("-5", 0.5, 65)],
)
@respx.mock
def test_http_429_holds_the_channel_as_long_as_it_says(header: str, low: float, high: float, http: Http) -> None:
    respx.post(CS).mock(return_value=reply(b"", 429, **{"retry-after": header}))
    with pytest.raises(TemporarilyRefused) as caught:
        send(http, OutboundMessage(CITIZEN, WORDS))
    assert caught.value.whole_channel
    assert low <= caught.value.retry_after <= high


@respx.mock
def test_http_429_may_name_a_date(http: Http) -> None:
    then = datetime.now(UTC) + timedelta(seconds=90)
    respx.post(CS).mock(return_value=reply(b"", 429, **{"retry-after": f"{then:%a, %d %b %Y %H:%M:%S} GMT"}))
    with pytest.raises(TemporarilyRefused) as caught:
        send(http, OutboundMessage(CITIZEN, WORDS))
    assert 85 <= caught.value.retry_after <= 91


UNCLEAR = [
    (500, b"", "zalo_http_500"),
    (502, b"<html>Bad gateway</html>", "zalo_http_502"),
    (503, json.dumps(OK).encode(), "zalo_http_503"),
    (504, b"", "zalo_http_504"),
    (200, b"", "zalo_unclear"),
    (200, b"<html>maintenance</html>", "zalo_unclear"),
    (200, b"[]", "zalo_unclear"),
    (200, b"null", "zalo_unclear"),
    (200, b'{"message": "Success"}', "zalo_unclear"),
    (200, b'{"error": true}', "zalo_unclear"),
    (200, b'{"error": "no"}', "zalo_unclear"),
    (200, b'{"error": 0}', "zalo_no_message_id"),
    (200, b'{"error": 0, "data": []}', "zalo_no_message_id"),
    (200, b'{"error": 0, "data": {"message_id": ""}}', "zalo_no_message_id"),
    (200, b'{"error": 0, "data": {"message_id": {"a": 1}}}', "zalo_no_message_id"),
    (200, b"[" * 100_000, "zalo_unclear"),
]


@pytest.mark.parametrize(("status", "body", "code"), UNCLEAR, ids=[f"{s} {b[:40]!r}" for s, b, _ in UNCLEAR])
@respx.mock
def test_an_unclear_answer_leaves_the_outcome_unknown(status: int, body: bytes, code: str, http: Http) -> None:
    route = respx.post(CS).mock(return_value=reply(body, status))
    with pytest.raises(OutcomeUnknown) as caught:
        send(http, OutboundMessage(CITIZEN, WORDS))
    assert caught.value.code == code
    assert route.call_count == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, TemporarilyRefused),
        (400, MessageRefused),
        (401, TokenRejected),
        (403, MessageRefused),
        (404, MessageRefused),
    ],
)
@respx.mock
def test_a_clear_http_status_is_an_error_of_its_own(status: int, kind: type[SendError], http: Http) -> None:
    respx.post(CS).mock(return_value=reply(b"", status, location="https://elsewhere.example.vn"))
    with pytest.raises(kind):
        send(http, OutboundMessage(CITIZEN, WORDS))


@respx.mock
def test_a_number_inside_an_http_error_is_what_counts(http: Http) -> None:
    respx.post(CS).mock(return_value=reply({"error": -216}, 400))
    with pytest.raises(TokenRejected):
        send(http, OutboundMessage(CITIZEN, WORDS))


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (httpx.ConnectError("refused"), TemporarilyRefused),
        (httpx.ConnectTimeout("no route"), TemporarilyRefused),
        (httpx.PoolTimeout("busy"), TemporarilyRefused),
        (httpx.ReadTimeout("silence"), OutcomeUnknown),
        (httpx.WriteTimeout("half sent"), OutcomeUnknown),
        (httpx.WriteError("reset"), OutcomeUnknown),
        (httpx.ReadError("reset"), OutcomeUnknown),
        (httpx.RemoteProtocolError("hung up"), OutcomeUnknown),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
@respx.mock
def test_what_failed_before_anything_left_is_safe_to_repeat(
    failure: Exception, kind: type[SendError], http: Http
) -> None:
    respx.post(CS).mock(side_effect=failure)
    with pytest.raises(kind):
        send(http, OutboundMessage(CITIZEN, WORDS))


@pytest.mark.parametrize(
    "urn", ["", "zalo:", "telegram:12", "zalo-guest:anon6", "zalo-guest:anon6/", "3000000003", "tel:+84"]
)
def test_an_address_that_is_not_of_zalo_is_refused_before_anything_leaves(urn: str, http: Http) -> None:
    with respx.mock, pytest.raises(MessageRefused, match="not_a_zalo_address"):
        send(http, OutboundMessage(urn, WORDS))


@pytest.mark.parametrize("text", ["", "\x00"])
def test_nothing_is_not_sent(text: str, http: Http) -> None:
    with respx.mock, pytest.raises(MessageRefused, match="empty"):
        send(http, OutboundMessage(CITIZEN, text))


# --- pictures ---------------------------------------------------------------------------------------------------------

PICTURE = OutboundMessage(CITIZEN, WORDS, OutboundImage(JPG, "a.jpg", "image/jpeg"))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"GIF89a....", "image_type"),
        (b"", "image_type"),
        (b"<svg/>", "image_type"),
        (JPG + b"x" * 1_000_000, "image_too_large"),
    ],
)
def test_a_picture_zalo_cannot_take_is_refused_before_anything_leaves(data: bytes, code: str, http: Http) -> None:
    with respx.mock, pytest.raises(MessageRefused, match=code):
        send(http, OutboundMessage(CITIZEN, WORDS, OutboundImage(data, "a.jpg", "image/jpeg")))


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (reply({"error": 0, "data": {}}), MessageRefused, "zalo_upload_empty"),
        (reply({"error": 0}), MessageRefused, "zalo_upload_empty"),
        (reply(b"", 500), TemporarilyRefused, "zalo_upload_unclear"),
        (reply(b""), TemporarilyRefused, "zalo_upload_unclear"),
        (httpx.ReadTimeout("silence"), TemporarilyRefused, "zalo_upload_unclear"),
        (reply({"error": -216}), TokenRejected, "zalo_-216"),
        (reply({"error": -210}), MessageRefused, "zalo_-210"),
        (reply(b"", 429), TemporarilyRefused, "zalo_http_429"),
    ],
)
@respx.mock
def test_a_failed_upload_sends_the_citizen_nothing(answer: Any, kind: type[SendError], code: str, http: Http) -> None:
    respx.post(UPLOAD).mock(side_effect=[answer])
    with pytest.raises(kind) as caught:
        send(http, PICTURE)
    assert caught.value.code == code


@respx.mock
def test_an_expired_picture_is_worth_a_second_upload(http: Http) -> None:
    respx.post(UPLOAD).mock(return_value=reply(UPLOADED))
    respx.post(CS).mock(return_value=reply({"error": -100}))
    with pytest.raises(TemporarilyRefused) as caught:
        send(http, PICTURE)
    assert caught.value.tries == 2


# --- tokens -----------------------------------------------------------------------------------------------------------


@respx.mock
def test_a_refresh_token_buys_a_new_pair(http: Http) -> None:
    pair = {"access_token": "new-access", "refresh_token": "new-refresh", "expires_in": "90000"}
    route = respx.post(OAUTH).mock(return_value=reply(pair))
    tokens = zalo.refresh(http, CONFIG, Secret(REFRESH))
    request = route.calls[0].request
    assert parse_qs(request.content.decode()) == {
        "refresh_token": [REFRESH],
        "app_id": [CONFIG.app_id],
        "grant_type": ["refresh_token"],
    }
    assert request.headers["secret_key"] == APP_SECRET
    assert (tokens.access, tokens.refresh) == ("new-access", "new-refresh")
    assert abs(tokens.expires_at - datetime.now(UTC) - timedelta(hours=25)) < timedelta(minutes=1)


@respx.mock
def test_a_code_buys_the_first_pair(http: Http) -> None:
    pair = {"access_token": "new-access", "refresh_token": "new-refresh", "expires_in": 3600}
    route = respx.post(OAUTH).mock(return_value=reply(pair))
    tokens = zalo.exchange_code(http, CONFIG, "a-code", "a-verifier")
    sent = parse_qs(route.calls[0].request.content.decode())
    assert (sent["code"], sent["code_verifier"], sent["grant_type"]) == (
        ["a-code"],
        ["a-verifier"],
        ["authorization_code"],
    )
    assert abs(tokens.expires_at - datetime.now(UTC) - timedelta(hours=1)) < timedelta(minutes=1)


@pytest.mark.parametrize("life", [None, "", "soon", "-5", "0", [], "9" * 30])
@respx.mock
def test_a_life_that_makes_no_sense_is_25_hours(life: object, http: Http) -> None:
    pair = {"access_token": "new-access", "refresh_token": "new-refresh", "expires_in": life}
    respx.post(OAUTH).mock(return_value=reply(pair))
    expires = zalo.refresh(http, CONFIG, Secret(REFRESH)).expires_at
    assert abs(expires - datetime.now(UTC) - timedelta(hours=25)) < timedelta(minutes=1)


NEEDS_PERSON, TRY_LATER = True, False


@pytest.mark.parametrize(
    ("label", "answer", "needs_consent"),
    [
        ("a spent token", reply({"error": -14014, "error_name": "Invalid refresh token"}), NEEDS_PERSON),
        ("an invalid grant", reply({"error": -118}), NEEDS_PERSON),
        ("a refusal nobody listed", reply({"error": -14099}), NEEDS_PERSON),
        ("success without tokens", reply({"error": 0}), NEEDS_PERSON),
        ("half a pair", reply({"access_token": "only-this"}), NEEDS_PERSON),
        ("empty tokens", reply({"access_token": "", "refresh_token": ""}), NEEDS_PERSON),
        ("tokens that are no words", reply({"access_token": ["a"], "refresh_token": {}}), NEEDS_PERSON),
        ("HTTP 400 without a body", reply(b"", 400), NEEDS_PERSON),
        ("HTTP 500", reply(b"", 500), TRY_LATER),
        ("HTTP 429", reply(b"", 429), TRY_LATER),
        ("a redirect", reply(b"", 302), TRY_LATER),
        ("a page instead of JSON", reply(b"<html>"), TRY_LATER),
        ("nothing", reply(b""), TRY_LATER),
        ("no connection", httpx.ConnectError("refused"), TRY_LATER),
        ("no answer", httpx.ReadTimeout("silence"), TRY_LATER),
    ],
)
@respx.mock
def test_only_a_clear_no_needs_a_person(label: str, answer: Any, needs_consent: bool, http: Http) -> None:
    respx.post(OAUTH).mock(side_effect=[answer])
    with pytest.raises(TokenRefreshFailed) as caught:
        zalo.refresh(http, CONFIG, Secret(REFRESH))
    assert caught.value.needs_consent is needs_consent, label
    assert caught.value.shown.endswith(".")


@pytest.mark.parametrize("code", [code for _, code in CONSENT_ERRORS])
@respx.mock
def test_a_known_refusal_says_what_the_administrator_must_do(code: int, http: Http) -> None:
    respx.post(OAUTH).mock(return_value=reply({"error": code}))
    with pytest.raises(TokenRefreshFailed) as caught:
        zalo.refresh(http, CONFIG, Secret(REFRESH))
    assert caught.value.shown == CONSENT_ERRORS["oauth", code]
    assert caught.value.code == f"zalo_oauth_{code}"


def test_the_way_to_consent_names_the_app_and_hides_the_verifier() -> None:
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    challenge = code_challenge(verifier)
    assert challenge == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"  # RFC 7636, appendix B
    url = httpx.URL(zalo.authorise_url(CONFIG, "https://xa.example.vn/zalo/xong?a=1", challenge, "state-1"))
    assert (url.host, url.path) == ("oauth.zaloapp.com", "/v4/oa/permission")
    assert dict(url.params) == {
        "app_id": CONFIG.app_id,
        "redirect_uri": "https://xa.example.vn/zalo/xong?a=1",
        "code_challenge": challenge,
        "state": "state-1",
    }
    assert verifier not in str(url)


# --- secrets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        reply(OK | {"echo": [TOKEN, WORDS]}),
        reply({"error": -216, "message": f"token {TOKEN} is invalid for {WORDS}"}),
        reply(f"<pre>access_token: {TOKEN}</pre> {WORDS}".encode(), 500),
        reply(TOKEN.encode(), 502),
        httpx.ReadError(f"reset while sending {TOKEN}"),
        httpx.ConnectError(f"cannot connect with {TOKEN}"),
    ],
)
@respx.mock
def test_neither_tokens_nor_words_are_in_what_is_kept_of_a_call(
    answer: Any, http: Http, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    respx.post(CS).mock(side_effect=[answer])
    seen = ""
    with http.recording() as exchanges:
        try:
            send(http, OutboundMessage(CITIZEN, WORDS), replace(CONFIG, appsecret_proof=True))
        except ChannelError as error:
            seen = f"{error!r} {error} {error.shown} {error.__dict__} {error.__cause__!r}"
    kept = seen + json.dumps([e.to_json() for e in exchanges], ensure_ascii=False) + caplog.text
    assert len(exchanges) == 1
    for secret in (TOKEN, APP_SECRET, OA_SECRET, WORDS):
        assert secret not in kept


@respx.mock
def test_new_tokens_are_not_in_what_is_kept_of_a_refresh(http: Http, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    pair = {"access_token": "brand-new-access-1", "refresh_token": "brand-new-refresh-1", "expires_in": "90000"}
    respx.post(OAUTH).mock(return_value=reply(pair))
    with http.recording() as exchanges:
        zalo.refresh(http, CONFIG, Secret(REFRESH))
    kept = json.dumps([e.to_json() for e in exchanges]) + caplog.text
    for secret in ("brand-new-access-1", "brand-new-refresh-1", REFRESH, APP_SECRET):
        assert secret not in kept
    assert exchanges[0].status == 200


def test_a_printed_configuration_shows_no_secret() -> None:
    config = replace(CONFIG, previous_oa_secret=Secret("example-earlier-secret-not-real"))
    for secret in (APP_SECRET, OA_SECRET, "example-earlier-secret-not-real"):
        assert secret not in f"{config!r} {config}"
