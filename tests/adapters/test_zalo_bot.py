"""What a Zalo bot is told and what we say to it: payloads → events, messages → requests, answers → outcomes."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import respx
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.errors import (
    BadSignature,
    ChannelRefused,
    ContactUnreachable,
    ForeignPayload,
    MessageRefused,
    OutcomeUnknown,
    SendError,
    TemporarilyRefused,
    UnreadablePayload,
)
from adapters.http import Http
from adapters.messages import (
    WHEN_IT_REACHED_US,
    Attachment,
    AttachmentKind,
    Event,
    Ignored,
    InboundMessage,
    Interaction,
    OutboundImage,
    OutboundMessage,
    SendResult,
    WebhookRequest,
)
from adapters.zalo_bot import ZaloBotConfig
from tests.adapters.zalo_bots import (
    ANSWERS,
    CHAT,
    CITIZEN,
    CONFIG,
    PAYLOADS,
    SECRET,
    TOKEN,
    WORDS,
    bot,
    payload,
    reply,
    url,
)

KINDS = AttachmentKind
OK = ANSWERS["send_message_ok"]


# ---- what comes -----------------------------------------------------------------------------------------------------


def at(number: int) -> datetime:
    """Payloads are numbered by the seconds after one moment in October 2026."""
    return datetime(2026, 10, 3, 4, 0, 44, tzinfo=UTC) + timedelta(seconds=number)


def said(number: int, text: str = "", *attachments: Attachment) -> InboundMessage:
    return InboundMessage(f"{CHAT}:bot00{number}abc", CITIZEN, at(number), text, attachments)


def picture(url: str | None) -> Attachment:
    return Attachment(KINDS.IMAGE, url)


@dataclass(frozen=True)
class Incoming:
    label: str
    file: str
    event: Event
    name: str = "message.text.received"


VOICE = Attachment(KINDS.AUDIO, "https://f2-voice.example-zdn.invalid/bot2.aac", mime_hint="audio/aac")
STICKER = Attachment(KINDS.STICKER, "https://sticker.example-zdn.invalid/0000abcd.png")
IMAGE = "message.image.received"
ROWS = [
    Incoming("a citizen writes", "text", said(27, "Xin chào")),
    Incoming(
        "a picture with words",
        "image",
        said(28, "Ảnh hiện trường", picture("https://f99-photo.example-zdn.invalid/bot1.jpg")),
        IMAGE,
    ),
    Incoming("a sticker", "sticker", said(29, "", STICKER), "message.sticker.received"),
    Incoming(
        "what Zalo keeps to itself is something said that cannot be read",
        "withheld",
        said(30, "", Attachment(KINDS.WITHHELD)),
        "message.unsupported.received",
    ),
    Incoming("a voice note", "voice", said(32, "", VOICE), "message.voice.received"),
    Incoming(
        "a picture under the name of the document",
        "image_as_documented",
        said(33, "", picture("https://f99-photo.example-zdn.invalid/bot3.jpg")),
        IMAGE,
    ),
    Incoming("an event without a name is what it holds", "text_when_asked", said(34, "Đường vào xóm 5 có ổ gà")),
    Incoming(
        "words are kept whatever is wrong beside them",
        "broken_image_with_words",
        said(35, "Cột điện nghiêng ở xóm 7", picture(None)),
        IMAGE,
    ),
    Incoming("nothing said", "empty_text", Ignored("unsupported", "message.text.received", at(36))),
    Incoming("a chat that is none", "broken_chat", Ignored("unreadable", "message.text.received", at(37))),
    Incoming(
        "a kind of event nobody knows",
        "something_new",
        Ignored("unknown", "message.poll.received", at(38)),
        "message.poll.received",
    ),
]


def knock(body: bytes, secret: str = SECRET) -> WebhookRequest:
    return WebhookRequest("POST", {"x-bot-api-secret-token": secret}, body)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.label)
def test_an_event_means(row: Incoming) -> None:
    assert bot.parse(payload(row.file)) == (row.event,)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.label)
def test_an_event_is_let_in_under_its_own_key(row: Incoming) -> None:
    envelope = bot.admit(knock(payload(row.file)), CONFIG)
    assert (envelope.account, envelope.event_name, envelope.is_probe) == ("7000000001", row.name, False)
    is_broken = row.file == "broken_chat"
    assert envelope.conversation == ("7000000001" if is_broken else CITIZEN)
    assert envelope.key.startswith("body:" if is_broken else f"{row.name}:{CHAT}:bot00")
    assert len(envelope.key) <= 200


def test_every_recording_has_a_row() -> None:
    assert {row.file for row in ROWS} == {path.stem for path in PAYLOADS.glob("[a-z]*.json")}


@pytest.mark.parametrize("name", ["_group_text", "_said_by_the_bot"])
def test_groups_and_our_own_words_are_not_even_kept(name: str) -> None:
    with pytest.raises(ForeignPayload):
        bot.admit(knock(payload(name)), CONFIG)
    [event] = bot.parse(payload(name))
    assert isinstance(event, Ignored)


def test_our_own_words_are_known_by_our_number_too() -> None:
    body = json.loads(payload("_said_by_the_bot"))
    del body["result"]["message"]["from"]["is_bot"]
    with pytest.raises(ForeignPayload):
        bot.admit(knock(json.dumps(body).encode()), CONFIG)


@pytest.mark.parametrize(("sender", "private"), [(CHAT, True), ("b800000000000002", False), (None, False)])
def test_a_chat_of_no_kind_is_private_only_when_it_is_the_citizens_own(sender: object, private: bool) -> None:
    body = json.loads(payload("text"))
    del body["result"]["message"]["chat"]["chat_type"]
    body["result"]["message"]["from"]["id"] = sender
    [event] = bot.parse(json.dumps(body).encode())
    assert isinstance(event, InboundMessage) is private


@pytest.mark.parametrize("given", ["", "wrong", SECRET[:-1], SECRET + "x", SECRET.upper(), "é" * 20])
def test_another_secret_is_refused(given: str) -> None:
    with pytest.raises(BadSignature):
        bot.admit(knock(payload("text"), given), CONFIG)


def test_the_envelope_makes_no_difference() -> None:
    inner = json.dumps(json.loads(payload("text"))["result"], separators=(",", ":")).encode()
    assert bot.parse(inner) == bot.parse(payload("text"))
    assert bot.admit(knock(inner), CONFIG).key == bot.admit(knock(payload("text")), CONFIG).key


@pytest.mark.parametrize("body", [b"{}", b'{"ok": true}', b'{"ok": true, "result": {}}'])
def test_who_says_nothing_tries_the_address(body: bytes) -> None:
    assert bot.admit(knock(body), CONFIG).is_probe


@pytest.mark.parametrize("body", [b"", b"[]", b'"x"', b"{"])
def test_garbage_is_refused_also_with_the_secret(body: bytes) -> None:
    with pytest.raises(UnreadablePayload):
        bot.admit(knock(body), CONFIG)


@pytest.mark.parametrize("moment", [0, -5, 1_791_000_071, 1 << 60, "now", None, True])
def test_a_moment_that_makes_no_sense_is_when_it_reached_us(moment: object) -> None:
    body = json.loads(payload("text"))
    body["result"]["message"]["date"] = moment
    [event] = bot.parse(json.dumps(body).encode())
    assert isinstance(event, InboundMessage)
    assert event.occurred_at == WHEN_IT_REACHED_US


def test_an_id_longer_than_a_double_keeps_every_digit() -> None:
    body = json.loads(payload("text"))
    for part in ("chat", "from"):
        body["result"]["message"][part]["id"] = 9_007_199_254_740_993_123
    [event] = bot.parse(json.dumps(body).encode())
    assert isinstance(event, InboundMessage)
    assert event.urn == "zalo_bot:9007199254740993123"


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=100, deadline=None)
@given(name=st.sampled_from([row.file for row in ROWS]), path=st.integers(0, 60), junk=anything)
def test_whatever_is_wrong_in_an_event_it_is_read_without_failing(name: str, path: int, junk: Any) -> None:
    body = json.loads(payload(name))
    place, key = body, next(iter(body))
    while isinstance(place[key], dict) and place[key] and path % 5:
        place, path = place[key], path // 2
        key = list(place)[path % len(place)]
    place[key] = junk
    events = bot.parse(json.dumps(body).encode())
    assert events
    for event in events:
        if isinstance(event, InboundMessage):
            assert event.urn.startswith("zalo_bot:")
            assert event.text or event.attachments


# ---- what goes ------------------------------------------------------------------------------------------------------


@pytest.fixture
def http() -> Iterator[Http]:
    client = Http()
    yield client
    client.close()


def send(http: Http, message: OutboundMessage, config: ZaloBotConfig = CONFIG) -> SendResult:
    return bot.send(http, config, config.token, message)


@pytest.mark.parametrize(
    "message",
    [
        OutboundMessage(CITIZEN, WORDS),
        OutboundMessage(CITIZEN, WORDS, quoted_external_id=f"{CHAT}:bot0027abc"),
        OutboundMessage(CITIZEN, WORDS, choices=("Hài lòng", "Chưa")),
    ],
    ids=["words", "nothing can be quoted", "there are no buttons"],
)
@respx.mock
def test_words_become_one_request(message: OutboundMessage, http: Http) -> None:
    route = respx.post(url("sendMessage")).mock(return_value=reply(OK))
    result = send(http, message)
    assert json.loads(route.calls.last.request.content) == {"chat_id": CHAT, "text": WORDS}
    assert len(route.calls) == 1
    moment = datetime(2026, 10, 3, 4, 1, 40, 199_000, tzinfo=UTC)
    assert result == SendResult(f"{CHAT}:82599fa32f56d00eabcd", moment)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (OutboundMessage(CITIZEN, " "), "empty"),
        (OutboundMessage(CITIZEN, WORDS, OutboundImage(b"\xff\xd8\xff", "a.jpg", "image/jpeg")), "no_images"),
        (OutboundMessage("zalo:5000000005", WORDS), "not_a_zalo_bot_address"),
        (OutboundMessage("zalo_bot:a/b", WORDS), "not_a_zalo_bot_address"),
    ],
    ids=["nothing to say", "a picture", "a citizen of the Official Account", "an address that is none"],
)
@respx.mock
def test_what_cannot_be_said_is_refused_at_once(message: OutboundMessage, code: str, http: Http) -> None:
    with pytest.raises(MessageRefused) as caught:
        send(http, message)
    assert caught.value.code == code
    assert caught.value.shown.endswith(".")
    assert "Anh/Chị" in caught.value.shown


@dataclass(frozen=True)
class Refusal:
    label: str
    answer: httpx.Response
    kind: type[SendError]
    code: str


def html(status: int) -> httpx.Response:
    return reply(b"<html>bad gateway</html>", status)


REFUSALS = [
    Refusal("a bad request", reply(ANSWERS["bad_request"], 400), MessageRefused, "zalo_bot_400"),
    Refusal("a refusal under 200", reply(ANSWERS["bad_request"]), MessageRefused, "zalo_bot_400"),
    Refusal("a token that is none", reply(ANSWERS["unauthorized"], 401), ChannelRefused, "zalo_bot_401"),
    Refusal("a token that is none, under 200", reply(ANSWERS["unauthorized"]), ChannelRefused, "zalo_bot_401"),
    Refusal("an error of theirs, which they number 403", reply(ANSWERS["internal"]), OutcomeUnknown, "zalo_bot_403"),
    Refusal("nobody there", reply(ANSWERS["not_found"]), ContactUnreachable, "zalo_bot_404"),
    Refusal("it took too long", reply(ANSWERS["timed_out"]), OutcomeUnknown, "zalo_bot_408"),
    Refusal("too much", reply(ANSWERS["quota"], 429), TemporarilyRefused, "zalo_bot_429"),
    Refusal("a code nobody knows", reply({"ok": False, "error_code": 418}), MessageRefused, "zalo_bot_418"),
    Refusal("a code that is none", reply({"ok": False, "error_code": True}), OutcomeUnknown, "zalo_bot_unclear"),
    Refusal("a gateway in between", html(502), OutcomeUnknown, "zalo_bot_502"),
    Refusal("granted, but with an error's status", reply(OK, 500), OutcomeUnknown, "zalo_bot_500"),
    Refusal("somebody who redirects", html(302), TemporarilyRefused, "zalo_bot_redirected"),
    Refusal("not JSON", reply(b"ok"), OutcomeUnknown, "zalo_bot_unclear"),
    Refusal("neither yes nor no", reply({"result": {}}), OutcomeUnknown, "zalo_bot_unclear"),
    Refusal("no message", reply({"ok": True, "result": {}}), OutcomeUnknown, "zalo_bot_no_message_id"),
    Refusal("no result", reply({"ok": True}), OutcomeUnknown, "zalo_bot_no_message_id"),
]


@pytest.mark.parametrize("row", REFUSALS, ids=lambda row: row.label)
@respx.mock
def test_a_refusal_says_what_to_do_next(row: Refusal, http: Http) -> None:
    route = respx.post(url("sendMessage")).mock(return_value=row.answer)
    with pytest.raises(SendError) as caught:
        send(http, OutboundMessage(CITIZEN, WORDS))
    assert (type(caught.value), caught.value.code) == (row.kind, row.code)
    assert caught.value.shown.endswith(".")
    assert len(route.calls) == 1


@pytest.mark.parametrize(
    ("header", "held"), [("14", 14.0), ("0", 60.0), ("soon", 60.0), (None, 60.0), ("999999999", 3_600.0)]
)
@respx.mock
def test_too_much_at_once_holds_the_whole_bot(header: str | None, held: float, http: Http) -> None:
    headers = {"Retry-After": header} if header else {}
    respx.post(url("sendMessage")).mock(return_value=reply(ANSWERS["quota"], 429, **headers))
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


ECHOING = {"ok": False, "error_code": 400, "description": f"/bot{TOKEN}/sendMessage {CHAT}: {WORDS}"}


@pytest.mark.parametrize("answer", [OK, ANSWERS["unauthorized"], ECHOING, b"bot" + TOKEN.encode()])
@respx.mock
def test_neither_token_nor_words_nor_address_are_recorded(
    answer: object, http: Http, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    respx.post(url("sendMessage")).mock(return_value=reply(answer))
    respx.post(url("setWebhook")).mock(return_value=reply({"ok": True, "result": {"secret_token": SECRET}}))
    shown = ""
    with http.recording() as exchanges:
        bot.bring(http, CONFIG, "https://cong.example.vn/webhooks/bot-vi-du")
        try:
            send(http, OutboundMessage(CITIZEN, WORDS))
        except SendError as error:
            shown = f"{error!r} {error} {error.shown} {error.__cause__} {error.__context__}"
    kept = json.dumps([one.to_json() for one in exchanges], ensure_ascii=False) + shown + caplog.text
    kept += "".join(str(record.args) for record in caplog.records)
    assert [word for word in (TOKEN, "AAExample", WORDS, CHAT, SECRET) if word in kept] == []
    assert exchanges[1].url == "https://bot-api.zaloplatforms.com/bot***/sendMessage"


def test_a_lost_connection_names_no_token(http: Http) -> None:
    nowhere = replace(CONFIG, api_base="http://127.0.0.1:9")
    with http.recording() as exchanges, pytest.raises(TemporarilyRefused) as caught:
        send(http, OutboundMessage(CITIZEN, WORDS), nowhere)
    assert "AAExample" not in f"{exchanges} {caught.value!r} {caught.value.__context__!r} {caught.value.shown}"


def test_what_is_kept_from_us_and_has_no_number_is_a_sign_of_life() -> None:
    event = json.loads(payload("withheld"))["result"]
    del event["message"]["message_id"]
    assert bot.parse(json.dumps(event).encode()) == (Interaction(CITIZEN, "withheld", at(30)),)
