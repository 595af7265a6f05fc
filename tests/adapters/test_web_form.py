"""The web form's wire: what a page says, and what is never believed of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.errors import BadSignature, ForeignPayload, MessageRefused, UnreadablePayload
from adapters.http import Http
from adapters.messages import (
    Attachment,
    AttachmentKind,
    Event,
    Ignored,
    InboundMessage,
    OutboundMessage,
    ProfileShared,
    WebhookRequest,
)
from adapters.secret import Secret
from adapters.web_form import SIGNATURE_HEADER, WebForm, signature, visitor_of

FORM = WebForm()
CONFIG = FORM.config({"account": "trang-phan-anh"}, {"signing_key": "example-signing-key"})
PAYLOADS = Path(__file__).parent / "payloads" / "web_form"
URN = "web:0123456789abcdef0123456789abcdef"


def at(second: int) -> datetime:
    return datetime.fromtimestamp(1_791_000_000 + second, UTC)


EXPECTED: dict[str, tuple[Event, ...]] = {
    "text": (InboundMessage("k3Jd92_xQm11", URN, at(1), "Đèn đường xóm 5 hỏng ba hôm nay"),),
    "photo_and_pin": (
        InboundMessage(
            "k3Jd92_xQm12",
            URN,
            at(2),
            "Ổ gà ở đây",
            (
                Attachment(AttachmentKind.IMAGE, url="blob:0f0e0d0c0b0a09080706050403020100", name="IMG_0001.HEIC"),
                Attachment(AttachmentKind.LOCATION, latitude=10.80446, longitude=106.31723),
            ),
        ),
    ),
    "name_and_phone": (
        ProfileShared(URN, at(3), "Trần Thị Bưởi", "0900 000 001", None, has_consented=True),
        InboundMessage("k3Jd92_xQm13", URN, at(3), "Rác chất đống đầu xóm 7"),
    ),
    "unknown_event": (Ignored("unknown", "opened", at(4)),),
    "malformed_parts": (InboundMessage("k3Jd92_xQm15", URN, at(5), "7"),),
}


def request(body: bytes, key: str = "example-signing-key") -> WebhookRequest:
    return WebhookRequest("POST", {SIGNATURE_HEADER: signature(body, Secret(key))}, body)


def changed(**values: Any) -> bytes:
    return json.dumps({**json.loads((PAYLOADS / "text.json").read_bytes()), **values}).encode()


@pytest.mark.parametrize("name", [path.stem for path in sorted(PAYLOADS.glob("*.json"))])
def test_what_a_page_says(name: str) -> None:
    body = (PAYLOADS / f"{name}.json").read_bytes()
    assert FORM.parse(body) == EXPECTED[name]
    envelope = FORM.admit(request(body), CONFIG)
    assert (envelope.account, envelope.conversation) == ("trang-phan-anh", URN)


def test_the_same_form_sent_twice_has_one_key() -> None:
    first, again = changed(), changed(text="Đèn đường xóm 5 vẫn hỏng")
    assert FORM.admit(request(first), CONFIG).key == FORM.admit(request(again), CONFIG).key
    assert FORM.admit(request(changed(id="another-form-1")), CONFIG).key != FORM.admit(request(first), CONFIG).key


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (request(changed(), "another-signing-key"), BadSignature),
        (request(changed(account="trang-khac")), ForeignPayload),
        (request(changed(visitor="ai-do")), UnreadablePayload),
        (request(changed(id="x")), UnreadablePayload),
        (request(b"[]"), UnreadablePayload),
    ],
)
def test_what_is_not_ours_stays_outside(sent: WebhookRequest, error: type[Exception]) -> None:
    with pytest.raises(error):
        FORM.admit(sent, CONFIG)


@pytest.mark.parametrize("moment", [None, True, "1791000001000", 10**20, float("nan")])
def test_a_message_without_a_time_is_unreadable(moment: object) -> None:
    assert FORM.parse(changed(at=moment)) == (Ignored("unreadable", "message"),)


def test_an_answer_stands_on_the_page_at_once_without_a_call() -> None:
    http = Http()
    with http.recording() as exchanges:
        results = [FORM.send(http, CONFIG, Secret(""), OutboundMessage(URN, "Đã thay bóng.")) for _ in range(2)]
    assert exchanges == []
    assert results[0].external_id != results[1].external_id
    with pytest.raises(MessageRefused):
        FORM.send(http, CONFIG, Secret(""), OutboundMessage(URN, " "))
    http.close()


def test_a_link_is_not_told_by_the_address_it_leads_to() -> None:
    assert visitor_of("bi-mat-cua-toi") not in "bi-mat-cua-toi"
    assert len(visitor_of("a")) == 32
    assert visitor_of("a") != visitor_of("b")


@pytest.mark.parametrize(
    ("url", "name"),
    [("blob:0f0e0d0c0b0a0908", "0f0e0d0c0b0a0908"), ("blob:../x", None), ("https://a.vn/x", None), ("", None)],
)
def test_only_files_of_our_store_are_kept_files(url: str, name: str | None) -> None:
    assert FORM.kept_file(url) == name
