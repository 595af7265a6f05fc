"""Zalo's conversation API: each kind of what it tells becomes the event that the webhook would have been."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import respx

from adapters.base import CatchingUp, Chat, Heard
from adapters.errors import QuotaExhausted, SendError, TemporarilyRefused
from adapters.http import Http
from adapters.messages import AttachmentKind, Echo, InboundMessage
from adapters.secret import Secret
from adapters.zalo import Zalo, ZaloConfig

OA, USER = "2000000000000000002", "3000000000000000003"
CONFIG = ZaloConfig("1000000000000000001", OA, Secret("example-app-secret"), Secret("example-oa-secret"))
TOKEN = Secret("an-access-token")
AT_MS = 1_791_000_001_000
AT = datetime.fromtimestamp(AT_MS / 1000, UTC)
RECENT = "https://openapi.zalo.me/v2.0/oa/listrecentchat"
TALK = "https://openapi.zalo.me/v2.0/oa/conversation"

zalo = Zalo()


@pytest.fixture
def http() -> Iterator[Http]:
    client = Http()
    yield client
    client.close()


def entry(**more: Any) -> dict[str, Any]:
    return {
        "src": 1, "time": AT_MS, "type": "text", "message": "", "message_id": "m-1", "from_id": USER, "to_id": OA,
        "from_display_name": "Lan", "to_display_name": "Xã", **more,
    }  # fmt: skip


def told(http: Http, *entries: Any) -> tuple[Heard, ...]:
    with respx.mock:
        respx.get(url__startswith=TALK).respond(json={"data": list(entries), "error": 0, "message": "Success"})
        return zalo.said_in(http, CONFIG, TOKEN, f"zalo:{USER}", 0).items


def event_of(http: Http, **more: Any) -> tuple[str, Any]:
    """The key and the word of one entry."""
    (heard,) = told(http, entry(**more))
    assert heard.event is not None
    assert heard.event.body is not None
    (word,) = zalo.parse(heard.event.body)
    return heard.event.key, word


@dataclass(frozen=True)
class Told:
    label: str
    fields: dict[str, Any]
    name: str
    attachments: tuple[dict[str, Any], ...] = ()
    text: str = ""


PHOTO = "https://photo-stal-1.zdn.vn/a.jpg"
CARD = json.dumps({"phone": "84900000005", "qrCodeUrl": ""})
SAID = (
    Told("text", {"message": "đường hư"}, "text", text="đường hư"),
    Told(
        "photo",
        {"type": "photo", "url": PHOTO, "thumb": "https://t.zdn.vn/a.jpg", "message": "đây"},
        "image",
        ({"kind": AttachmentKind.IMAGE, "url": PHOTO, "thumbnail_url": "https://t.zdn.vn/a.jpg"},),
        "đây",
    ),
    Told("voice", {"type": "voice", "url": "https://v.zdn.vn/a.amr"}, "audio", ({"kind": AttachmentKind.AUDIO},)),
    Told("gif", {"type": "gif", "url": "https://g.zdn.vn/a.gif"}, "gif", ({"kind": AttachmentKind.GIF},)),
    Told("sticker", {"type": "sticker", "url": "https://s.zdn.vn/1"}, "sticker", ({"kind": AttachmentKind.STICKER},)),
    Told("video", {"type": "video", "url": "https://v.zdn.vn/a.mp4"}, "video", ({"kind": AttachmentKind.VIDEO},)),
    Told(
        "file",
        {"type": "file", "url": "https://f.zdn.vn/don.pdf?k=1"},
        "file",
        ({"kind": AttachmentKind.FILE, "name": "don.pdf", "mime_hint": "application/pdf"},),
    ),
    Told(
        "location as an object",
        {"type": "location", "location": '{"longitude":106.6297,"latitude":"10.8231"}'},
        "location",
        ({"kind": AttachmentKind.LOCATION, "latitude": 10.8231, "longitude": 106.6297},),
    ),
    Told(
        "location as two numbers",
        {"type": "location", "location": "10.8231,106.6297"},
        "location",
        ({"kind": AttachmentKind.LOCATION, "latitude": 10.8231, "longitude": 106.6297},),
    ),
    Told(
        "link",
        {"type": "link", "url": "https://tin.example.vn/bai", "description": "Báo đăng"},
        "link",
        ({"kind": AttachmentKind.LINK, "url": "https://tin.example.vn/bai", "title": "Báo đăng"},),
    ),
    Told(
        "several links",
        {"type": "links", "links": [{"url": "https://a.example.vn"}, {"url": "https://b.example.vn", "title": "B"}]},
        "link",
        ({"url": "https://a.example.vn"}, {"url": "https://b.example.vn", "title": "B"}),
    ),
    Told(
        "business card",
        {"type": "link", "message": "Cô Ba", "description": CARD},
        "business_card",
        ({"kind": AttachmentKind.CONTACT, "phone": "+84900000005", "title": "Cô Ba"},),
    ),
    Told("unsupported with words", {"type": "nosupport", "message": "chào xã"}, "text", text="chào xã"),
)


@pytest.mark.parametrize("case", SAID, ids=lambda case: case.label)
def test_what_a_citizen_said_is_the_event_it_would_have_been(case: Told, http: Http) -> None:
    key, word = event_of(http, **case.fields)
    assert key == f"user_send_{case.name}:m-1"
    assert isinstance(word, InboundMessage)
    assert (word.external_id, word.urn, word.occurred_at, word.text) == ("m-1", f"zalo:{USER}", AT, case.text)
    assert len(word.attachments) == len(case.attachments)
    for found, expected in zip(word.attachments, case.attachments, strict=True):
        assert {name: getattr(found, name) for name in expected} == expected


def test_what_we_said_is_an_echo(http: Http) -> None:
    ours = {"src": 0, "from_id": OA, "to_id": USER}
    for kind, name in (("text", "text"), ("photo", "image"), ("links", "link"), ("voice", "audio")):
        key, word = event_of(http, **ours, type=kind, message="Chào bà", url=PHOTO)
        assert key == f"oa_send_{name}:m-1"
        assert isinstance(word, Echo)
        assert (word.urn, word.text, word.by_person) == (f"zalo:{USER}", "Chào bà", False)


def test_a_quoted_message_is_named(http: Http) -> None:
    _, word = event_of(http, message="ở đầu xóm", quote_id="m-0")
    assert word.quoted_external_id == "m-0"


def test_what_zalo_does_not_show_is_heard_of_and_no_event(http: Http) -> None:
    (heard,) = told(http, entry(type="nosupport"))
    assert heard == Heard("m-1", AT, by_citizen=True, event=None)


@pytest.mark.parametrize(
    "broken",
    [
        {"message_id": None}, {"time": "yesterday"}, {"from_id": {"id": 1}}, {"src": None, "to_id": ""},
        {"message_id": "x" * 200}, {"time": -5},
    ],
)  # fmt: skip
def test_an_entry_without_what_identifies_it_is_passed_over(broken: dict[str, Any], http: Http) -> None:
    assert told(http, entry(**broken), entry(message="chào")) == told(http, entry(message="chào"))


@pytest.mark.parametrize("data", [None, {}, "nothing", [1, None, "x", []]])
def test_an_answer_that_is_no_list_is_an_empty_one(data: object, http: Http) -> None:
    with respx.mock:
        respx.get(url__startswith=TALK).respond(json={"data": data, "error": 0})
        listed = zalo.said_in(http, CONFIG, TOKEN, f"zalo:{USER}", 0)
    assert (listed.items, listed.after) == ((), None)


@pytest.mark.parametrize("location", [None, "", "somewhere", '{"latitude": 200, "longitude": 5}', {"latitude": "1.5"}])
def test_a_pin_that_makes_no_sense_is_none(location: object, http: Http) -> None:
    _, word = event_of(http, type="location", location=location)
    assert word.attachments[0].latitude is None


def test_ids_keep_every_digit(http: Http) -> None:
    _, word = event_of(http, from_id=9007199254740993123, message="chào")
    assert word.urn == "zalo:9007199254740993123"


def test_recent_conversations_are_listed_with_where_to_go_on(http: Http) -> None:
    other = entry(src=0, from_id=OA, to_id="3000000000000000004", time=AT_MS + 1000)
    with respx.mock:
        route = respx.get(url__startswith=RECENT).respond(json={"data": [other, entry()], "error": 0})
        listed = zalo.recent_chats(http, CONFIG, TOKEN, 20)
    assert listed.items == (
        Chat("zalo:3000000000000000004", datetime.fromtimestamp(AT_MS / 1000 + 1, UTC)),
        Chat(f"zalo:{USER}", AT),
    )
    assert listed.after == 22
    asked = route.calls.last.request
    assert json.loads(httpx.QueryParams(asked.url.query)["data"]) == {"offset": 20, "count": 10}
    assert asked.headers["access_token"] == TOKEN.reveal()


def test_what_citizens_said_is_recorded_nowhere(http: Http) -> None:
    with respx.mock, http.recording() as exchanges:
        respx.get(url__startswith=TALK).respond(json={"data": [entry(message="chuyện riêng của tôi")], "error": 0})
        zalo.said_in(http, CONFIG, TOKEN, f"zalo:{USER}", 0)
    shown = json.dumps([one.to_json() for one in exchanges], ensure_ascii=False)
    assert "chuyện riêng" not in shown
    assert USER not in shown
    assert TOKEN.reveal() not in shown


@pytest.mark.parametrize(("code", "kind"), [(-32, TemporarilyRefused), (-211, QuotaExhausted), (-210, SendError)])
def test_refusals_are_errors_by_number(code: int, kind: type, http: Http) -> None:
    with respx.mock:
        respx.get(url__startswith=RECENT).respond(json={"error": code, "message": "no"})
        with pytest.raises(kind):
            zalo.recent_chats(http, CONFIG, TOKEN, 0)


def test_the_adapter_says_that_it_can() -> None:
    assert isinstance(zalo, CatchingUp)
