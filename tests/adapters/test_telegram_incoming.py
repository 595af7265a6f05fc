"""What Telegram's updates mean, payload by payload, and who may knock."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.errors import BadSignature, ForeignPayload, UnreadablePayload
from adapters.messages import (
    WHEN_IT_REACHED_US,
    Attachment,
    AttachmentKind,
    Event,
    Following,
    Ignored,
    InboundMessage,
    ProfileShared,
    WebhookRequest,
)
from adapters.secret import Secret
from adapters.telegram import Telegram, TelegramConfig

PAYLOADS = Path(__file__).parent / "payloads" / "telegram"
CHAT = "5000000005"
CITIZEN = f"telegram:{CHAT}"
SECRET = "example-webhook-secret-not-real"
CONFIG = TelegramConfig(Secret("7000000001:AAExample-token-of-nobody-0000000000"), Secret(SECRET))
KINDS = AttachmentKind

telegram = Telegram()


def at(seconds: int) -> datetime:
    """Payloads count their seconds from one moment in October 2026."""
    return datetime(2026, 10, 3, 4, 0, tzinfo=UTC) + timedelta(seconds=seconds)


def said(number: int, text: str = "", *attachments: Attachment, **more: Any) -> InboundMessage:
    moment = at(more.pop("seconds", number))
    if "edits" not in more:  # within a second, the number tells the order
        moment += timedelta(microseconds=number)
    return InboundMessage(f"{CHAT}:{number}", CITIZEN, moment, text, attachments, **more)


def tapped(number: int, label: str, on: int) -> InboundMessage:
    external_id = f"{CHAT}:tap:2147483647000000{number}"
    quoted = f"{CHAT}:{on}"
    return InboundMessage(external_id, CITIZEN, WHEN_IT_REACHED_US, label, quoted_external_id=quoted, is_tap=True)


def file(kind: AttachmentKind, file_id: str, size: int, mime: str | None = None, name: str | None = None) -> Attachment:
    return Attachment(kind, f"telegram-file:{file_id}-example", name=name, mime_hint=mime, size=size)


def photo(file_id: str, size: int) -> Attachment:
    return file(KINDS.IMAGE, f"AgACAgUAAxkBAAIB{file_id}", size, "image/jpeg")


def pin(latitude: float, longitude: float, title: str | None = None) -> Attachment:
    return Attachment(KINDS.LOCATION, latitude=latitude, longitude=longitude, title=title)


@dataclass(frozen=True)
class Incoming:
    label: str
    file: str
    event: Event
    name: str = "message"


ROWS = [
    Incoming("a citizen writes", "text", said(1, "Đường vào xóm 5 có ổ gà rất lớn")),
    Incoming(
        "a citizen answers a message",
        "text_reply",
        said(2, "Ý tôi là phía trước trường học", quoted_external_id=f"{CHAT}:90"),
    ),
    Incoming("a link is words", "text_emoji_and_link", said(3, "👍 xem https://tin.example.vn/bai")),
    Incoming(
        "of a photo's sizes the largest counts",
        "photo_with_caption",
        said(4, "Ổ gà trước số nhà 12", photo("x", 190_000)),
    ),
    Incoming("an album begins with its caption", "album_first", said(5, "Rác đổ ở chợ Đình", photo("a1", 150_000))),
    Incoming("an album's next photo is alone", "album_second", said(6, "", photo("a2", 160_000), seconds=5)),
    Incoming("a voice note", "voice", said(7, "", file(KINDS.AUDIO, "AwACAgUAAxkBAAIBvoice", 44_120, "audio/ogg"))),
    Incoming(
        "a sound file",
        "audio",
        said(8, "", file(KINDS.AUDIO, "CQACAgUAAxkBAAIBaudio", 960_000, "audio/mpeg", "ghi-am.mp3")),
    ),
    Incoming(
        "a video",
        "video",
        said(9, "Nước tràn qua đường", file(KINDS.VIDEO, "BAACAgUAAxkBAAIBvideo", 3_200_000, "video/mp4", "nuoc.mp4")),
    ),
    Incoming("a round video", "video_note", said(10, "", file(KINDS.VIDEO, "DQACAgUAAxkBAAIBround", 700_000))),
    Incoming(
        "a document with what is known of it",
        "document",
        said(11, "", file(KINDS.FILE, "BQACAgUAAxkBAAIBpdf", 84_213, "application/pdf", "don-de-nghi.pdf")),
    ),
    Incoming(
        "a photo that was sent as a file is a photo",
        "document_that_is_a_photo",
        said(12, "", file(KINDS.IMAGE, "BQACAgUAAxkBAAIBsharp", 4_100_000, "image/jpeg", "IMG_0001.JPG")),
    ),
    Incoming(
        "a moving picture is one video, not a document beside it",
        "animation",
        said(13, "", file(KINDS.VIDEO, "CgACAgUAAxkBAAIBgif", 90_000, "video/mp4", "g.mp4")),
    ),
    Incoming("a sticker is its emoji", "sticker", said(14, "", Attachment(KINDS.STICKER, title="🙏"))),
    Incoming("a poll is something said that cannot be read", "poll_sent", said(33, "", Attachment(KINDS.WITHHELD))),
    Incoming("a pin on the map", "location", said(15, "", pin(10.880001, 106.280002))),
    Incoming("a live location begins as a pin", "live_location", said(16, "", pin(10.881, 106.281))),
    Incoming(
        "a live location that moves says nothing new",
        "live_location_moves",
        Ignored("unsupported", "live_location", at(46)),
        "edited_message",
    ),
    Incoming("a venue is a pin with a name", "venue", said(17, "", pin(10.882, 106.282, "Chợ Đình, Xã Ví Dụ"))),
    Incoming(
        "one's own number is a profile",
        "contact_own",
        ProfileShared(CITIZEN, at(18), "Hoa Ví Dụ", "+84900000001"),
    ),
    Incoming(
        "somebody else's card is an attachment",
        "contact_of_somebody",
        said(19, "", Attachment(KINDS.CONTACT, title="Ông Ba", phone="+84900000002")),
    ),
    Incoming(
        "a card without an account is an attachment",
        "contact_without_account",
        said(20, "", Attachment(KINDS.CONTACT, title="Bà Tư", phone="+84900000003")),
    ),
    Incoming(
        "an edit names what it edits",
        "edited_text",
        InboundMessage(f"{CHAT}:1:1791000061", CITIZEN, at(61), "Đường vào xóm 7 có ổ gà rất lớn", edits=f"{CHAT}:1"),
        "edited_message",
    ),
    Incoming(
        "an edited caption does not send its photo again",
        "edited_caption",
        InboundMessage(f"{CHAT}:4:1791000064", CITIZEN, at(64), "Ổ gà trước số nhà 21", edits=f"{CHAT}:4"),
        "edited_message",
    ),
    Incoming("a button is its label", "tap", tapped(1, "Hài lòng", 92), "callback_query"),
    Incoming(
        "a long label is looked up among the buttons",
        "tap_on_a_long_label",
        tapped(2, "Một câu trả lời dài hơn sáu mươi tư byte nên phải tra lại trong tin", 92),
        "callback_query",
    ),
    Incoming(
        "a button of months ago still says what it says",
        "tap_on_an_old_message",
        tapped(3, "Chưa", 12),
        "callback_query",
    ),
    Incoming(
        "a button that was never there says nothing",
        "tap_that_means_nothing",
        Ignored("unsupported", "callback_query"),
        "callback_query",
    ),
    Incoming("the chat is begun", "start", Following(CITIZEN, True, at(29), is_start=True)),
    Incoming("the chat is begun from a poster", "start_from_a_poster", Following(CITIZEN, True, at(30), is_start=True)),
    Incoming("a citizen blocks the bot", "blocked", Following(CITIZEN, False, at(31)), "my_chat_member"),
    Incoming("a citizen comes back", "unblocked", Following(CITIZEN, True, at(32)), "my_chat_member"),
    Incoming(
        "a kind of update we did not ask for",
        "reaction",
        Ignored("unknown", "message_reaction", at(34)),
        "message_reaction",
    ),
    Incoming("a kind of update nobody knows", "something_new", Ignored("unknown", "hologram", at(35)), "hologram"),
    Incoming("a message whose shape is wrong", "broken_message", Ignored("unreadable", "message", at(36))),
    Incoming(
        "words are kept whatever is wrong beside them",
        "broken_photo_with_words",
        said(40, "Cột điện nghiêng ở xóm 7"),
    ),
]
GROUPS = ["_group_text", "_group_migrated", "_group_joined"]


def payload(name: str) -> bytes:
    return (PAYLOADS / f"{name}.json").read_bytes()


def knock(body: bytes, secret: str = SECRET) -> WebhookRequest:
    return WebhookRequest("POST", {"x-telegram-bot-api-secret-token": secret}, body)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.label)
def test_an_update_means(row: Incoming) -> None:
    assert telegram.parse(payload(row.file)) == (row.event,)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.label)
def test_an_update_is_let_in_once_under_its_number(row: Incoming) -> None:
    body = payload(row.file)
    envelope = telegram.admit(knock(body), CONFIG)
    assert envelope.key == f"update:{json.loads(body)['update_id']}"
    assert (envelope.account, envelope.event_name) == ("7000000001", row.name)
    assert envelope.conversation == CITIZEN
    assert not envelope.is_probe


def test_every_recording_has_a_row() -> None:
    recorded = {path.stem for path in PAYLOADS.glob("[a-z]*.json")}
    assert {row.file for row in ROWS} == recorded


@pytest.mark.parametrize("name", GROUPS)
def test_what_people_say_in_groups_is_not_even_kept(name: str) -> None:
    with pytest.raises(ForeignPayload):
        telegram.admit(knock(payload(name)), CONFIG)
    [event] = telegram.parse(payload(name))
    assert isinstance(event, Ignored)


@pytest.mark.parametrize("given", ["", "wrong", SECRET[:-1], SECRET + "x", SECRET.upper(), "é" * 20])
def test_another_secret_is_refused(given: str) -> None:
    with pytest.raises(BadSignature):
        telegram.admit(knock(payload("text"), given), CONFIG)


@pytest.mark.parametrize("update_id", [None, "910000001", True, 1.5, 1 << 60])
def test_an_update_without_a_number_cannot_be_told_from_its_repeat(update_id: object) -> None:
    body = json.dumps({"update_id": update_id, "message": {"text": "x"}}).encode()
    with pytest.raises(UnreadablePayload):
        telegram.admit(knock(body), CONFIG)


def test_the_same_update_has_the_same_key_however_it_is_spelled() -> None:
    body = payload("text")
    respelled = json.dumps(json.loads(body), separators=(",", ":")).encode()
    assert telegram.admit(knock(body), CONFIG).key == telegram.admit(knock(respelled), CONFIG).key


@pytest.mark.parametrize("moment", [0, -5, 1 << 40, "now", None])
def test_a_moment_that_makes_no_sense_is_when_it_reached_us(moment: object) -> None:
    body = json.loads(payload("text"))
    body["message"]["date"] = moment
    for event in telegram.parse(json.dumps(body).encode()):
        assert isinstance(event, InboundMessage | Ignored)
        if isinstance(event, InboundMessage):
            assert event.occurred_at == WHEN_IT_REACHED_US


def test_a_file_reference_holds_no_address() -> None:
    body = json.loads(payload("voice"))
    body["message"]["voice"]["file_id"] = "https://elsewhere.example/x"
    assert telegram.parse(json.dumps(body).encode()) == (Ignored("unreadable", "message", at(7)),)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(name=st.sampled_from([row.file for row in ROWS]), path=st.integers(0, 30), junk=anything)
def test_whatever_is_wrong_in_an_update_it_is_read_without_failing(name: str, path: int, junk: Any) -> None:
    body = json.loads(payload(name))
    place, keys = body, [(body, key) for key in body]
    while keys and path:
        place, key = keys[path % len(keys)]
        path //= 3
        if not isinstance(place[key], dict):
            break
        keys = [(place[key], inner) for inner in place[key]]
    if keys:
        place, key = keys[path % len(keys)]
        place[key] = junk
    events = telegram.parse(json.dumps(body).encode())
    assert events
    for event in events:
        if isinstance(event, InboundMessage):
            assert event.urn.startswith("telegram:")
            assert event.text or event.attachments
