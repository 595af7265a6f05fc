"""Viber's wire: callbacks → our words, our messages → requests, its answers → results or errors."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from adapters.errors import (
    BadSignature,
    ChannelRefused,
    ContactUnreachable,
    MessageRefused,
    OutcomeUnknown,
    QuotaExhausted,
    SendError,
    TemporarilyRefused,
    UnreadablePayload,
)
from adapters.http import Http
from adapters.messages import (
    Attachment,
    AttachmentKind,
    Event,
    Following,
    Ignored,
    InboundMessage,
    Interaction,
    OutboundImage,
    OutboundMessage,
    Receipt,
    ReceiptStatus,
    WebhookRequest,
)
from adapters.viber import SIGNATURE_HEADER, Viber

PAYLOADS = Path(__file__).parent / "payloads" / "viber"
TOKEN = "example-token-0123456789abcdef-not-real"
PERSON = "viber:01234567890A="
SEND = "https://chatapi.viber.com/pa/send_message"
viber = Viber()
CONFIG = viber.config({"account": "xaduchue", "sender": "UBND xã Đức Huệ"}, {"token": TOKEN})


def at(second: int) -> datetime:
    return datetime.fromtimestamp(1_791_000_000 + second, UTC)


def said(number: int, text: str = "", *sent: Attachment) -> InboundMessage:
    return InboundMessage(str(4912661846655238144 + number), PERSON, at(number), text, sent)


PICTURE = "https://dl-media.viber.com/5/media/2/short/any/sig/image/0x0/abcd.jpg"
LOST = "Viber báo không giao được tin. Anh/Chị gọi điện hoặc bấm Gửi lại."
OURS, LATER = ("4912661846655238160",), ("4912661846655238161",)
EXPECTED: dict[str, Event] = {
    "text": said(1, "Đèn đường xóm 5 hỏng ba hôm nay"),
    "picture_with_caption": said(
        2, "Ổ gà ở đây", Attachment(AttachmentKind.IMAGE, url=PICTURE, name="abcd.jpg", size=81234)
    ),
    "location": said(3, "", Attachment(AttachmentKind.LOCATION, latitude=10.80446, longitude=106.31723)),
    "contact_card": said(4, "", Attachment(AttachmentKind.CONTACT, name="Ông Bảy", phone="0900000007")),
    "sticker": said(5, "", Attachment(AttachmentKind.STICKER)),
    "subscribed": Following(PERSON, is_following=True, occurred_at=at(6)),
    "unsubscribed": Following(PERSON, is_following=False, occurred_at=at(7)),
    "conversation_started": Interaction(PERSON, "opened", at(8)),
    "delivered": Receipt(OURS, ReceiptStatus.DELIVERED, at(9), PERSON),
    "seen": Receipt(OURS, ReceiptStatus.READ, at(10), PERSON),
    "failed": Receipt(LATER, ReceiptStatus.FAILED, at(11), PERSON, LOST),
    "webhook_probe": Ignored("probe", "webhook", at(12)),
    "malformed": Ignored("unreadable", "message", at(13)),
    "unknown_event": Ignored("unknown", "client_status", at(14)),
}


@pytest.fixture
def http() -> Iterator[Http]:
    client = Http()
    yield client
    client.close()


def signed(body: bytes, token: str = TOKEN) -> WebhookRequest:
    mac = hmac.new(token.encode(), body, hashlib.sha256).hexdigest()
    return WebhookRequest("POST", {SIGNATURE_HEADER: mac}, body)


def send(http: Http, message: OutboundMessage) -> str:
    return viber.send(http, CONFIG, CONFIG.token, message).external_id


@pytest.mark.parametrize("name", [path.stem for path in sorted(PAYLOADS.glob("*.json"))])
def test_what_viber_tells(name: str) -> None:
    body = (PAYLOADS / f"{name}.json").read_bytes()
    assert viber.parse(body) == (EXPECTED[name],)
    envelope = viber.admit(signed(body), CONFIG)
    assert envelope.account == "xaduchue"
    assert envelope.is_probe is (name == "webhook_probe")


def test_a_receipt_and_the_one_that_follows_are_two_events() -> None:
    bodies = [(PAYLOADS / f"{name}.json").read_bytes() for name in ("delivered", "seen")]
    assert len({viber.admit(signed(body), CONFIG).key for body in bodies}) == 2
    assert len({viber.admit(signed(bodies[0]), CONFIG).key for _ in range(2)}) == 1


def test_what_is_not_signed_with_the_token_stays_outside() -> None:
    body = (PAYLOADS / "text.json").read_bytes()
    with pytest.raises(BadSignature):
        viber.admit(signed(body, "example-of-another-token"), CONFIG)
    with pytest.raises(BadSignature):
        viber.admit(WebhookRequest("POST", signed(body).headers, body + b" "), CONFIG)
    with pytest.raises(UnreadablePayload):
        viber.admit(signed(b'{"event": "message"}'), CONFIG)


@respx.mock
def test_a_message_with_its_answers_as_a_keyboard(http: Http) -> None:
    route = respx.post(SEND).respond(json={"status": 0, "status_message": "ok", "message_token": 4912661846655238170})
    sent = send(http, OutboundMessage(PERSON, "Đồng ý không?", choices=("Đồng ý", "Không")))
    assert sent == "4912661846655238170"
    request = route.calls.last.request
    assert request.headers["x-viber-auth-token"] == TOKEN
    assert json.loads(request.content) == {
        "receiver": "01234567890A=",
        "type": "text",
        "sender": {"name": "UBND xã Đức Huệ"},
        "text": "Đồng ý không?",
        "keyboard": {
            "Type": "keyboard",
            "Buttons": [
                {"ActionType": "reply", "ActionBody": "Đồng ý", "Text": "Đồng ý"},
                {"ActionType": "reply", "ActionBody": "Không", "Text": "Không"},
            ],
        },
    }


@pytest.mark.parametrize(
    ("status", "answer", "error", "code"),
    [
        (200, {"status": 2}, ChannelRefused, "viber_2"),
        (200, {"status": 10}, ChannelRefused, "viber_10"),
        (200, {"status": 5}, ContactUnreachable, "viber_5"),
        (200, {"status": 6}, ContactUnreachable, "viber_6"),
        (200, {"status": 12}, TemporarilyRefused, "viber_12"),
        (429, {}, TemporarilyRefused, "viber_12"),
        (200, {"status": 24}, QuotaExhausted, "viber_24"),
        (200, {"status": 3}, MessageRefused, "viber_3"),
        (200, {"status": 99}, MessageRefused, "viber_99"),
        (200, {"status": 0}, OutcomeUnknown, "viber_no_token"),
        (200, [], OutcomeUnknown, "viber_http_200"),
        (502, {"status": 0}, OutcomeUnknown, "viber_http_502"),
    ],
)
@respx.mock
def test_what_viber_answers(http: Http, status: int, answer: Any, error: type[SendError], code: str) -> None:
    respx.post(SEND).mock(return_value=httpx.Response(status, json=answer))
    with pytest.raises(error) as raised:
        send(http, OutboundMessage(PERSON, "Đã tiếp nhận."))
    assert raised.value.code == code
    assert "Viber" in raised.value.shown


@respx.mock
def test_nobody_knows_what_became_of_a_call_without_an_answer(http: Http) -> None:
    respx.post(SEND).mock(side_effect=httpx.ReadTimeout)
    with pytest.raises(OutcomeUnknown):
        send(http, OutboundMessage(PERSON, "Đã tiếp nhận."))


@pytest.mark.parametrize(
    "message",
    [
        OutboundMessage(PERSON, " "),
        OutboundMessage(PERSON, "ảnh", OutboundImage(b"\xff\xd8\xff", "a.jpg", "image/jpeg")),
        OutboundMessage("zalo:3000000000000000003", "chào"),
    ],
)
def test_what_cannot_be_sent_is_refused_before_any_call(http: Http, message: OutboundMessage) -> None:
    with http.recording() as exchanges, pytest.raises(MessageRefused):
        send(http, message)
    assert exchanges == []


@pytest.mark.parametrize(
    ("url", "is_fine"),
    [
        (PICTURE, True),
        ("https://viber.com/x", True),
        ("http://dl-media.viber.com/x", False),
        ("https://viber.com.evil.vn/x", False),
        ("https://notviber.com/x", False),
        ("https://a@viber.com/x", False),
    ],
)
def test_files_come_from_viber_alone(url: str, is_fine: bool) -> None:
    assert viber.may_fetch(url, CONFIG) is is_fine


@pytest.mark.parametrize("settings", [{}, {"account": "x y", "sender": ""}, {"account": "ok", "sender": "x" * 29}])
def test_a_configuration_names_what_is_wrong(settings: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"viber: missing or malformed: .*token"):
        viber.config(settings, {})
