"""What we say to Telegram: message → request, and its answers → results or errors. Rows of tables, no network."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from adapters.base import Account
from adapters.errors import (
    AskedElsewhere,
    ChannelRefused,
    ContactUnreachable,
    MessageRefused,
    OutcomeUnknown,
    SendError,
    TemporarilyRefused,
)
from adapters.http import Http, MediaUnavailable
from adapters.messages import InboundMessage, OutboundImage, OutboundMessage, SendResult
from adapters.secret import Secret
from adapters.telegram import SECRET_HEADER, Telegram, TelegramConfig

CHAT = 5000000005
CITIZEN = f"telegram:{CHAT}"
TOKEN = "7000000001:AAExample-token-that-nobody-may-see"
WEBHOOK_SECRET = "example-webhook-secret-not-real"
WORDS = "Đã tiếp nhận phản ánh của Anh/Chị, mã PA26-0001."
JPG, PNG = b"\xff\xd8\xff" + b"x" * 100, b"\x89PNG\r\n\x1a\n" + b"x" * 100
CONFIG = TelegramConfig(Secret(TOKEN), Secret(WEBHOOK_SECRET))
ANSWERS = json.loads((Path(__file__).parent / "payloads" / "telegram" / "_api_responses.json").read_text())
OK = ANSWERS["send_message_ok"]
NO_PREVIEW = {"link_preview_options": {"is_disabled": True}}

telegram = Telegram()


@pytest.fixture
def http() -> Iterator[Http]:
    client = Http()
    yield client
    client.close()


def url(method: str, base: str = "https://api.telegram.org") -> str:
    return f"{base}/bot{TOKEN}/{method}"


def reply(body: object, status: int | None = None) -> httpx.Response:
    if isinstance(body, bytes):
        return httpx.Response(status or 200, content=body)
    code = status or (body.get("error_code", 200) if isinstance(body, dict) else 200)
    return httpx.Response(code, content=json.dumps(body).encode())


def send(http: Http, message: OutboundMessage, config: TelegramConfig = CONFIG) -> SendResult:
    return telegram.send(http, config, config.token, message)


@dataclass(frozen=True)
class Outgoing:
    label: str
    message: OutboundMessage
    request: dict[str, Any]


def button(label: str, data: str = "") -> dict[str, str]:
    return {"text": label, "callback_data": data or label}


LONG_LABEL = "Một câu trả lời dài hơn sáu mươi tư byte nên phải tra lại"
ROWS = [
    Outgoing("words", OutboundMessage(CITIZEN, WORDS), {"chat_id": CHAT, "text": WORDS, **NO_PREVIEW}),
    Outgoing(
        "words with marks are sent as they are written",
        OutboundMessage(CITIZEN, "2 < 3 & *sao* _gạch_"),
        {"chat_id": CHAT, "text": "2 < 3 & *sao* _gạch_", **NO_PREVIEW},
    ),
    Outgoing(
        "words that answer a message",
        OutboundMessage(CITIZEN, WORDS, quoted_external_id=f"{CHAT}:17"),
        {
            "chat_id": CHAT,
            "text": WORDS,
            "reply_parameters": {"message_id": 17, "allow_sending_without_reply": True},
            **NO_PREVIEW,
        },
    ),
    Outgoing(
        "what answers an edit quotes what was edited",
        OutboundMessage(CITIZEN, WORDS, quoted_external_id=f"{CHAT}:17:1791000061"),
        {
            "chat_id": CHAT,
            "text": WORDS,
            "reply_parameters": {"message_id": 17, "allow_sending_without_reply": True},
            **NO_PREVIEW,
        },
    ),
    Outgoing(
        "a tapped button cannot be quoted",
        OutboundMessage(CITIZEN, WORDS, quoted_external_id=f"{CHAT}:tap:99"),
        {"chat_id": CHAT, "text": WORDS, **NO_PREVIEW},
    ),
    Outgoing(
        "a message of another chat cannot be quoted",
        OutboundMessage(CITIZEN, WORDS, quoted_external_id="6:17"),
        {"chat_id": CHAT, "text": WORDS, **NO_PREVIEW},
    ),
    Outgoing(
        "short answers stand side by side",
        OutboundMessage(CITIZEN, WORDS, choices=("Hài lòng", "Chưa hài lòng", "Bỏ qua")),
        {
            "chat_id": CHAT,
            "text": WORDS,
            "reply_markup": {"inline_keyboard": [[button("Hài lòng"), button("Chưa hài lòng")], [button("Bỏ qua")]]},
            **NO_PREVIEW,
        },
    ),
    Outgoing(
        "where it is can be handed over with one press, or skipped",
        OutboundMessage(CITIZEN, WORDS, choices=("Gửi vị trí của tôi", "Bỏ qua"), asks="location"),
        {
            "chat_id": CHAT,
            "text": WORDS,
            "reply_markup": {
                "keyboard": [[{"text": "Gửi vị trí của tôi", "request_location": True}], [{"text": "Bỏ qua"}]],
                "resize_keyboard": True,
                "one_time_keyboard": True,
            },
            **NO_PREVIEW,
        },
    ),
    Outgoing(
        "so can one's number",
        OutboundMessage(CITIZEN, WORDS, choices=("Gửi số của tôi", "Ẩn danh", "Bỏ qua"), asks="contact"),
        {
            "chat_id": CHAT,
            "text": WORDS,
            "reply_markup": {
                "keyboard": [
                    [{"text": "Gửi số của tôi", "request_contact": True}],
                    [{"text": "Ẩn danh"}, {"text": "Bỏ qua"}],
                ],
                "resize_keyboard": True,
                "one_time_keyboard": True,
            },
            **NO_PREVIEW,
        },
    ),
    Outgoing(
        "the keys go when they are not needed any more",
        OutboundMessage(CITIZEN, WORDS, asks="done"),
        {"chat_id": CHAT, "text": WORDS, "reply_markup": {"remove_keyboard": True}, **NO_PREVIEW},
    ),
    Outgoing(
        "buttons of an answer stay buttons",
        OutboundMessage(CITIZEN, WORDS, choices=("Bỏ qua",), asks="done"),
        {"chat_id": CHAT, "text": WORDS, "reply_markup": {"inline_keyboard": [[button("Bỏ qua")]]}, **NO_PREVIEW},
    ),
    Outgoing(
        "an answer that is too long for its data is looked up when tapped",
        OutboundMessage(CITIZEN, WORDS, choices=(LONG_LABEL, "#thẻ")),
        {
            "chat_id": CHAT,
            "text": WORDS,
            "reply_markup": {"inline_keyboard": [[button(LONG_LABEL, "#0")], [button("#thẻ", "#1")]]},
            **NO_PREVIEW,
        },
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.label)
@respx.mock
def test_a_message_becomes_one_request(row: Outgoing, http: Http) -> None:
    route = respx.post(url("sendMessage")).mock(return_value=reply(OK))
    result = send(http, row.message)
    assert json.loads(route.calls.last.request.content) == row.request
    assert len(route.calls) == 1
    assert result == SendResult(f"{CHAT}:4401", datetime(2026, 10, 3, 4, 1, 40, tzinfo=UTC))


def test_no_button_holds_more_than_telegram_takes(http: Http) -> None:
    for row in ROWS:
        for line in row.request.get("reply_markup", {}).get("inline_keyboard", []):
            assert all(1 <= len(one["callback_data"].encode()) <= 64 for one in line)


@pytest.mark.parametrize(
    ("data", "name", "mime"), [(JPG, b'filename="anh.jpg"', b"image/jpeg"), (PNG, b'filename="anh.png"', b"image/png")]
)
@respx.mock
def test_a_picture_goes_with_its_words_in_one_request(data: bytes, name: bytes, mime: bytes, http: Http) -> None:
    route = respx.post(url("sendPhoto")).mock(return_value=reply(OK))
    picture = OutboundImage(data, "../../etc/ảnh.JPEG", "image/jpeg")
    result = send(http, OutboundMessage(CITIZEN, WORDS, picture, f"{CHAT}:17", ("Hài lòng",)))
    body = route.calls.last.request.content
    assert result.external_id == f"{CHAT}:4401"
    for part in (b'name="photo"', name, mime, data, WORDS.encode(), str(CHAT).encode(), b'"message_id": 17'):
        assert part in body
    assert b"inline_keyboard" in body
    assert b"etc" not in body


REFUSED_HERE = [
    ("nothing to say", OutboundMessage(CITIZEN, " "), "empty"),
    (
        "a picture that is none",
        OutboundMessage(CITIZEN, "", OutboundImage(b"GIF89a", "a.gif", "image/gif")),
        "image_type",
    ),
    (
        "a heavy picture",
        OutboundMessage(CITIZEN, "", OutboundImage(JPG + b"x" * 10_000_000, "a", "")),
        "image_too_large",
    ),
    ("a long caption", OutboundMessage(CITIZEN, "ữ" * 1_025, OutboundImage(JPG, "a", "")), "caption_too_long"),
    ("a group", OutboundMessage("telegram:-100", WORDS), "not_a_telegram_address"),
]


@pytest.mark.parametrize(("label", "message", "code"), REFUSED_HERE, ids=[row[0] for row in REFUSED_HERE])
@respx.mock
def test_what_telegram_would_refuse_is_not_even_sent(
    label: str, message: OutboundMessage, code: str, http: Http
) -> None:
    with pytest.raises(MessageRefused) as caught:
        send(http, message)
    assert caught.value.code == code
    assert not respx.calls


REFUSALS: list[tuple[str, object, int | None, type[SendError], str]] = [
    ("too much at once", ANSWERS["flood"], None, TemporarilyRefused, "telegram_429"),
    ("blocked", ANSWERS["blocked"], None, ContactUnreachable, "telegram_403"),
    ("an account that is gone", ANSWERS["deactivated"], None, ContactUnreachable, "telegram_403"),
    ("nobody there", ANSWERS["chat_not_found"], None, ContactUnreachable, "telegram_chat_not_found"),
    ("a group that moved", ANSWERS["migrated"], None, ContactUnreachable, "telegram_chat_migrated"),
    ("too long", ANSWERS["too_long"], None, MessageRefused, "telegram_400"),
    ("another token", ANSWERS["unauthorized"], None, ChannelRefused, "telegram_401"),
    ("no such bot", ANSWERS["not_found"], None, ChannelRefused, "telegram_404"),
    ("somebody else asks", ANSWERS["conflict"], None, AskedElsewhere, "telegram_409"),
    ("a refusal under 200", ANSWERS["blocked"], 200, ContactUnreachable, "telegram_403"),
    ("too large a body", b"<html>", 413, MessageRefused, "telegram_413"),
    ("something in between", b"", 302, TemporarilyRefused, "telegram_redirected"),
    ("out of order", b"<html>", 502, OutcomeUnknown, "telegram_502"),
    ("not JSON", b"<html>hello", 200, OutcomeUnknown, "telegram_unclear"),
    ("an empty answer", b"", 200, OutcomeUnknown, "telegram_unclear"),
    ("neither yes nor no", {"result": {}}, 200, OutcomeUnknown, "telegram_unclear"),
    ("a yes without a message", {"ok": True, "result": {}}, 200, OutcomeUnknown, "telegram_no_message_id"),
    ("a yes to nothing", {"ok": True, "result": True}, 200, OutcomeUnknown, "telegram_no_message_id"),
]


@pytest.mark.parametrize(
    ("label", "body", "status", "kind", "code"), REFUSALS, ids=[refusal[0] for refusal in REFUSALS]
)
@respx.mock
def test_an_answer_means(
    label: str, body: object, status: int | None, kind: type[SendError], code: str, http: Http
) -> None:
    respx.post(url("sendMessage")).mock(return_value=reply(body, status))
    with pytest.raises(SendError) as caught:
        send(http, OutboundMessage(CITIZEN, WORDS))
    assert type(caught.value) is kind
    assert caught.value.code == code
    assert caught.value.shown.endswith(".")


@pytest.mark.parametrize(("asked", "held"), [(14, 14.0), (2.5, 2.5), (0, 30.0), ("x", 30.0), (10**9, 3_600.0)])
@respx.mock
def test_too_much_at_once_holds_the_whole_bot(asked: object, held: float, http: Http) -> None:
    respx.post(url("sendMessage")).mock(
        return_value=reply(ANSWERS["flood"] | {"parameters": {"retry_after": asked}}, 429)
    )
    with pytest.raises(TemporarilyRefused) as caught:
        send(http, OutboundMessage(CITIZEN, WORDS))
    assert caught.value.whole_channel
    assert caught.value.retry_after == held


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (httpx.ConnectError("refused"), TemporarilyRefused),
        (httpx.ConnectTimeout("slow"), TemporarilyRefused),
        (httpx.ReadTimeout("silent"), OutcomeUnknown),
        (httpx.RemoteProtocolError("hung up"), OutcomeUnknown),
    ],
    ids=["nobody listens", "nobody listens for long", "silence", "hanging up"],
)
@respx.mock
def test_what_cannot_have_left_is_tried_again_and_nothing_else(
    failure: Exception, kind: type[SendError], http: Http
) -> None:
    route = respx.post(url("sendMessage")).mock(side_effect=failure)
    with pytest.raises(kind):
        send(http, OutboundMessage(CITIZEN, WORDS))
    assert len(route.calls) == 1


@pytest.mark.parametrize("answer", [OK, ANSWERS["blocked"], ANSWERS["unauthorized"], b"bot" + TOKEN.encode()])
@respx.mock
def test_neither_token_nor_words_nor_names_are_recorded(
    answer: object, http: Http, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for method in ("sendMessage", "sendPhoto"):
        respx.post(url(method)).mock(return_value=reply(answer))
    shown = ""
    with http.recording() as exchanges:
        for picture in (None, OutboundImage(JPG, "a", "")):
            try:
                send(http, OutboundMessage(CITIZEN, WORDS, picture))
            except SendError as error:
                shown += f"{error!r} {error} {error.shown} {error.__cause__} {error.__context__}"
    assert len(exchanges) == 2
    kept = json.dumps([one.to_json() for one in exchanges], ensure_ascii=False) + shown + caplog.text
    kept += "".join(str(record.args) for record in caplog.records)
    assert [word for word in (TOKEN, "AAExample", WORDS, "Hoa", "Ví Dụ", "hoa_vi_du", str(CHAT)) if word in kept] == []
    assert exchanges[0].url == "https://api.telegram.org/bot***/sendMessage"


def test_a_lost_connection_names_no_token(http: Http) -> None:
    nowhere = replace(CONFIG, api_base="http://127.0.0.1:9")
    with http.recording() as exchanges, pytest.raises(TemporarilyRefused) as caught:
        send(http, OutboundMessage(CITIZEN, WORDS), nowhere)
    assert TOKEN not in f"{exchanges} {caught.value!r} {caught.value.__context__!r} {caught.value.shown}"


@respx.mock
def test_another_server_is_spoken_to_when_an_operator_names_one(http: Http) -> None:
    route = respx.post(url("sendMessage", "http://bot-api:8081")).mock(return_value=reply(OK))
    send(http, OutboundMessage(CITIZEN, WORDS), replace(CONFIG, api_base="http://bot-api:8081"))
    assert len(route.calls) == 1


# ---- the account and where its updates go ---------------------------------------------------------------------------


@respx.mock
def test_a_token_tells_whose_it_is(http: Http) -> None:
    respx.post(url("getMe")).mock(return_value=reply(ANSWERS["get_me_ok"]))
    assert telegram.account_of(http, CONFIG) == Account("7000000001", "vi_du_bot")


@respx.mock
def test_updates_are_brought_with_a_secret_and_only_those_we_read(http: Http) -> None:
    route = respx.post(url("setWebhook")).mock(return_value=reply({"ok": True, "result": True}))
    telegram.bring(http, CONFIG, "https://cong.example.vn/webhooks/telegram-vi-du")
    assert json.loads(route.calls.last.request.content) == {
        "url": "https://cong.example.vn/webhooks/telegram-vi-du",
        "secret_token": WEBHOOK_SECRET,
        "allowed_updates": ["message", "edited_message", "callback_query", "my_chat_member"],
        "max_connections": 40,
    }


@respx.mock
def test_updates_that_wait_are_not_dropped_when_the_address_goes(http: Http) -> None:
    route = respx.post(url("deleteWebhook")).mock(return_value=reply({"ok": True, "result": True}))
    telegram.bring(http, CONFIG, "")
    assert json.loads(route.calls.last.request.content) == {"drop_pending_updates": False}


@respx.mock
def test_where_updates_go_is_told_with_the_last_failure(http: Http) -> None:
    respx.post(url("getWebhookInfo")).mock(return_value=reply(ANSWERS["webhook_info"]))
    found = telegram.bringing(http, CONFIG)
    assert (found.url, found.waiting) == ("https://cong.example.vn/webhooks/telegram-vi-du", 3)
    assert found.kinds == telegram.event_kinds
    assert found.failed_at == datetime(2026, 10, 3, 3, 50, tzinfo=UTC)
    assert "503" in found.failure


@respx.mock
def test_updates_that_are_asked_for_are_those_that_would_have_been_brought(http: Http) -> None:
    updates = [{"update_id": 8, "message": {"text": "chào"}}, {"update_id": 9, "hologram": {}}]
    route = respx.post(url("getUpdates")).mock(return_value=reply({"ok": True, "result": updates}))
    found = telegram.fetch(http, CONFIG, 7, 25)
    asked = json.loads(route.calls.last.request.content)
    assert (asked["offset"], asked["timeout"], asked["allowed_updates"]) == (8, 25, list(telegram.event_kinds))
    assert found.after == 9
    assert [json.loads(request.body) for request in found.requests] == updates
    assert [telegram.admit(request, CONFIG).key for request in found.requests] == ["update:8", "update:9"]
    assert found.requests[0].headers == {SECRET_HEADER: WEBHOOK_SECRET}


@respx.mock
def test_half_a_character_does_not_stop_the_others(http: Http) -> None:
    chat = {"id": CHAT, "type": "private"}
    said = {"message_id": 1, "date": 1_791_000_000, "chat": chat, "text": "ổ gà \ud83d"}
    updates = {"ok": True, "result": [{"update_id": 8, "message": said}]}
    respx.post(url("getUpdates")).mock(return_value=httpx.Response(200, content=json.dumps(updates).encode()))
    [request] = telegram.fetch(http, CONFIG, None, 0).requests
    assert telegram.admit(request, CONFIG).key == "update:8"
    [event] = telegram.parse(request.body)
    assert isinstance(event, InboundMessage)
    assert event.text == "ổ gà \ufffd"


@respx.mock
def test_the_first_question_gives_nothing_up(http: Http) -> None:
    route = respx.post(url("getUpdates")).mock(return_value=reply({"ok": True, "result": []}))
    assert telegram.fetch(http, CONFIG, None, 0).after is None
    assert "offset" not in json.loads(route.calls.last.request.content)


@respx.mock
def test_a_tap_is_answered_by_its_id(http: Http) -> None:
    route = respx.post(url("answerCallbackQuery")).mock(return_value=reply({"ok": True, "result": True}))
    body = (Path(__file__).parent / "payloads" / "telegram" / "tap.json").read_bytes()
    tap = telegram.tap_in(body)
    assert tap == "21474836470000001"
    telegram.answer_tap(http, CONFIG, tap)
    assert json.loads(route.calls.last.request.content) == {"callback_query_id": tap}


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"callback_query": 1}', b'{"callback_query": {"id": 5}}'])
def test_what_is_no_tap_is_not_answered(body: bytes) -> None:
    assert telegram.tap_in(body) is None


# ---- files ----------------------------------------------------------------------------------------------------------


@respx.mock
def test_a_reference_becomes_an_address_that_shows_itself_to_nobody(http: Http) -> None:
    route = respx.post(url("getFile")).mock(return_value=reply(ANSWERS["get_file_ok"]))
    with http.recording() as exchanges:
        source = telegram.media_source(http, CONFIG, "telegram-file:AgACAgUAAxkBAAIBx-example")
    assert json.loads(route.calls.last.request.content) == {"file_id": "AgACAgUAAxkBAAIBx-example"}
    assert source.url.reveal() == f"https://api.telegram.org/file/bot{TOKEN}/photos/file_7.jpg"
    assert not source.is_operators
    assert TOKEN not in f"{source!r} {exchanges}"
    assert telegram.may_fetch(source.url.reveal(), CONFIG)


@pytest.mark.parametrize(
    ("reference", "answer", "code"),
    [
        ("telegram-file:AgAC-example", ANSWERS["file_too_big"], "too_large"),
        ("telegram-file:AgAC-example", ANSWERS["unauthorized"], "unreachable"),
        ("telegram-file:AgAC-example", {"ok": True, "result": {"file_id": "x"}}, "unreachable"),
        ("https://elsewhere.example/x", ANSWERS["get_file_ok"], "not_allowed"),
    ],
)
@respx.mock
def test_a_file_that_cannot_be_had_says_why(reference: str, answer: object, code: str, http: Http) -> None:
    respx.post(url("getFile")).mock(return_value=reply(answer))
    with pytest.raises(MediaUnavailable) as caught:
        telegram.media_source(http, CONFIG, reference)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "address",
    [
        "https://api.telegram.org/file/bot7000000001:another/photos/a.jpg",
        f"https://api.telegram.org.example/file/bot{TOKEN}/a.jpg",
        f"https://api.telegram.org/file/bot{TOKEN}/../../bot{TOKEN}/getMe",
        f"http://api.telegram.org/file/bot{TOKEN}/a.jpg",
        f"https://api.telegram.org/bot{TOKEN}/getMe",
    ],
)
def test_only_this_bots_files_are_fetched(address: str) -> None:
    assert not telegram.may_fetch(address, CONFIG)


# ---- settings -------------------------------------------------------------------------------------------------------

GOOD = {"token": TOKEN, "webhook_secret": WEBHOOK_SECRET}


@pytest.mark.parametrize(
    ("settings", "secrets", "complaint"),
    [
        ({}, {}, "token is missing"),
        ({}, {"token": "abc", "webhook_secret": WEBHOOK_SECRET}, "token is not a bot's"),
        ({}, {"token": TOKEN, "webhook_secret": "short"}, "webhook_secret must be"),
        ({"receive": "pigeon"}, GOOD, "receive must be"),
        ({"api_base": "http://api.example.vn"}, GOOD, "must be https"),
        ({"api_base": "ftp://x"}, GOOD, "not an http"),
        ({"api_base": "https://u@x.vn"}, GOOD, "not an http"),
        ({"is_sandbox": True}, GOOD, "is the real Telegram"),
        ({"is_sandbox": "yes"}, GOOD, "must be true or false"),
    ],
)
def test_what_is_wrong_in_the_settings_is_named(
    settings: dict[str, Any], secrets: dict[str, str], complaint: str
) -> None:
    with pytest.raises(ValueError, match="telegram: ") as caught:
        telegram.config(settings, secrets)
    assert complaint in str(caught.value)
    assert "AAExample" not in str(caught.value)


@pytest.mark.parametrize(
    "base", ["https://bots.example.vn", "http://127.0.0.1:8081", "http://10.0.0.5:8081/", "http://bot-api:8081"]
)
def test_a_server_of_ones_own_may_stand_nearby(base: str) -> None:
    config = telegram.config({"api_base": base}, GOOD)
    assert config.api_base == base.rstrip("/")
    assert config.is_own_server
    assert config.account == "7000000001"
