"""What Zalo's webhooks mean, payload by payload, and who may knock."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.errors import BadSignature, DoorError, ForeignPayload, UnreadablePayload
from adapters.messages import (
    AccountNotice,
    Attachment,
    AttachmentKind,
    Echo,
    Event,
    Following,
    Ignored,
    InboundMessage,
    Interaction,
    ProfileShared,
    Reaction,
    Receipt,
    ReceiptStatus,
    WebhookRequest,
    Withdrawal,
)
from adapters.secret import Secret
from adapters.zalo import Zalo, ZaloConfig

PAYLOADS = Path(__file__).parent / "payloads" / "zalo"
OA = "2000000000000000002"
CITIZEN = "zalo:3000000000000000003"
GUEST = "zalo-guest:anon0000000000000006/conv0000000000000007"
CDN = "https://f99-photo.example-zdn.invalid"
CONFIG = ZaloConfig(
    app_id="1000000000000000001",
    oa_id=OA,
    app_secret=Secret("example-app-secret-not-real"),
    oa_secret=Secret("example-oa-secret-key-not-real"),
    previous_oa_secret=Secret("example-earlier-secret-not-real"),
)
DELIVERED, READ = ReceiptStatus.DELIVERED, ReceiptStatus.READ
IMAGE, GIF, LINK, FILE = AttachmentKind.IMAGE, AttachmentKind.GIF, AttachmentKind.LINK, AttachmentKind.FILE
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

zalo = Zalo()


def at(seconds: int) -> datetime:
    """Payloads count their seconds from one moment in October 2026."""
    return datetime(2026, 10, 3, 4, 0, tzinfo=UTC) + timedelta(seconds=seconds)


def said(msg_id: str, seconds: int, text: str = "", *attachments: Attachment, **more: Any) -> InboundMessage:
    urn = more.pop("urn", CITIZEN)
    return InboundMessage(f"f1c71{msg_id}abcdef", urn, at(seconds), text, attachments, **more)


def echoed(msg_id: str, seconds: int, text: str = "", *attachments: Attachment, **more: Any) -> Echo:
    urn = more.pop("urn", CITIZEN)
    return Echo(f"f1c71{msg_id}abcdef", urn, at(seconds), text, attachments, **more)


def picture(kind: AttachmentKind, name: str, thumbnail: str) -> Attachment:
    return Attachment(kind, f"{CDN}/{name}", f"{CDN}/thumb/{thumbnail}")


@dataclass(frozen=True)
class Incoming:
    label: str
    file: str
    event: Event
    account: str = OA
    conversation: str = CITIZEN
    is_signable: bool = True


def unsupported(label: str, name: str, seconds: int, conversation: str = OA) -> Incoming:
    return Incoming(label, name, Ignored("unsupported", name, at(seconds)), conversation=conversation)


def probe(label: str, file: str, name: str, seconds: int) -> Incoming:
    event = Ignored("probe", name, at(seconds))
    return Incoming(label, file, event, account="9000000000000000003", conversation="zalo:9000000000000000001")


def other_product(label: str, file: str, event: Event) -> Incoming:
    return Incoming(label, file, event, is_signable=False)


ROWS = [
    Incoming(
        "a citizen writes",
        "user_send_text",
        said("ona10001", 1, "Xin chào, tôi muốn hỏi thủ tục cấp lại giấy khai sinh"),
    ),
    Incoming(
        "a citizen answers a message",
        "user_send_text_quote",
        said("ona10002", 2, "Ý tôi là mục số 2", quoted_external_id="f1c71ona10001abcdef"),
    ),
    Incoming("a tapped button is plain text", "user_send_text_button_payload", said("ona10003", 3, "#tra_cuu_ho_so")),
    Incoming("an emoji alone is a message", "user_send_text_emoji_only", said("ona10004", 4, "👍")),
    Incoming(
        "a photo has its caption",
        "user_send_image",
        said("ona10005", 5, "Ảnh ổ gà trước số nhà 12", picture(IMAGE, "a1.jpg", "a1.jpg")),
    ),
    Incoming(
        "two photos in one message",
        "user_send_image_multi",
        said("ona10006", 6, "", picture(IMAGE, "b1.jpg", "b1.jpg"), picture(IMAGE, "b2.jpg", "b2.jpg")),
    ),
    Incoming("a moving picture", "user_send_gif", said("ona10007", 7, "", picture(GIF, "g1.gif", "g1.jpg"))),
    Incoming(
        "a link keeps its description",
        "user_send_link",
        said(
            "ona10008",
            8,
            "https://tin.example.vn/bai-viet",
            Attachment(LINK, "https://tin.example.vn/bai-viet", "https://tin.example.vn/t.jpg", title="Mô tả trang"),
        ),
    ),
    Incoming(
        "a voice note", "user_send_audio", said("ona10009", 9, "", Attachment(AttachmentKind.AUDIO, f"{CDN}/v1.amr"))
    ),
    Incoming(
        "a video", "user_send_video", said("ona10010", 10, "", picture(AttachmentKind.VIDEO, "vd1.mp4", "vd1.jpg"))
    ),
    Incoming(
        "a sticker",
        "user_send_sticker",
        said("ona10011", 11, "", Attachment(AttachmentKind.STICKER, "https://sticker.example-zdn.invalid/46982.png")),
    ),
    Incoming(
        "a pin on the map",
        "user_send_location",
        said("ona10012", 12, "", Attachment(AttachmentKind.LOCATION, latitude=21.0000001, longitude=105.8000001)),
    ),
    Incoming(
        "a document with what is known of it",
        "user_send_file",
        said(
            "ona10013",
            13,
            "",
            Attachment(
                FILE,
                f"{CDN}/file/don-de-nghi.pdf",
                name="don-de-nghi.pdf",
                mime_hint="application/pdf",
                size=84213,
                md5="0123456789abcdef0123456789abcdef",
            ),
        ),
    ),
    Incoming(
        "a business card is a contact, its name no message",
        "user_send_business_card",
        said(
            "ona10014",
            14,
            "",
            Attachment(
                AttachmentKind.CONTACT,
                "https://qr.example-zdn.invalid/x.png",
                f"{CDN}/avatar/x.jpg",
                title="Nguyễn Văn Ví Dụ",
                phone="+84100000001",
            ),
        ),
    ),
    Incoming(
        "a timestamp may be a number",
        "user_send_text_numeric_timestamp",
        said("ona10015", 15, "timestamp là số nguyên"),
    ),
    Incoming(
        "an icon on a message", "user_reacted_message", Reaction(CITIZEN, "f1c71ona10001abcdef", "/-heart", at(16))
    ),
    Incoming("the chat was opened", "user_click_chatnow", Interaction(CITIZEN, "user_click_chatnow", at(17))),
    Incoming(
        "the web widget was accepted",
        "widget_interaction_accepted",
        Interaction(CITIZEN, "widget_interaction_accepted", at(44)),
    ),
    Incoming("a citizen follows", "follow", Following(CITIZEN, True, at(18))),
    Incoming("a citizen leaves", "unfollow", Following(CITIZEN, False, at(19))),
    Incoming(
        "the contact form of today",
        "user_submit_info",
        ProfileShared(
            CITIZEN, at(20), "Trần Thị Mẫu", "+84100000002", "12 Đường Giả Định, Phường Mẫu, Thành phố Ví Dụ"
        ),
    ),
    Incoming(
        "the contact form of old, its phone a number",
        "user_submit_info_legacy",
        ProfileShared(
            CITIZEN, at(21), "Trần Thị Mẫu", "+84100000002", "12 Đường Giả Định, Phường Mẫu, Quận Mẫu, Thành phố Ví Dụ"
        ),
    ),
    Incoming("data withdrawn", "user_withdraw", Withdrawal(CITIZEN, at(43))),
    Incoming(
        "a message arrived", "user_received_message", Receipt(("f1c71ona1oa01abcdef",), DELIVERED, at(22), CITIZEN)
    ),
    Incoming(
        "two messages were read",
        "user_seen_message",
        Receipt(("f1c71ona1oa01abcdef", "f1c71ona1oa02abcdef"), READ, at(23), CITIZEN),
    ),
    Incoming(
        "a template arrived at a phone number, which is nobody's id",
        "user_received_message_zns",
        Receipt(("zns0001abcdef",), DELIVERED, at(25), None),
        conversation=OA,
    ),
    Incoming("our words come back", "oa_send_text", echoed("ona1oa01", 26, "Cảm ơn anh/chị. Mã hồ sơ: 000-TEST")),
    Incoming(
        "a colleague typed in Zalo's own app",
        "oa_send_text_admin",
        echoed("ona1oa02", 27, "Em là cán bộ trực, xin hỗ trợ anh/chị.", by_person=True, author="5000000000000000005"),
    ),
    Incoming(
        "our photo comes back", "oa_send_image", echoed("ona10017", 28, "Mẫu đơn", picture(IMAGE, "o1.jpg", "o1.jpg"))
    ),
    Incoming(
        "our moving picture comes back", "oa_send_gif", echoed("ona10018", 29, "", picture(GIF, "o2.gif", "o2.jpg"))
    ),
    Incoming(
        "our list comes back",
        "oa_send_list",
        echoed(
            "ona10019",
            30,
            "Danh sách thủ tục",
            Attachment(LINK, "https://dichvucong.example.vn/1", f"{CDN}/thumb/l1.jpg", title="Thủ tục 1"),
            Attachment(LINK, "https://dichvucong.example.vn/2", f"{CDN}/thumb/l2.jpg", title="Thủ tục 2"),
        ),
    ),
    Incoming(
        "our document comes back",
        "oa_send_file",
        echoed(
            "ona10020",
            31,
            "",
            Attachment(
                FILE,
                f"{CDN}/file/huong-dan.pdf",
                name="huong-dan.pdf",
                mime_hint="application/pdf",
                size=10240,
                md5="fedcba9876543210fedcba9876543210",
            ),
        ),
    ),
    Incoming(
        "our sticker comes back",
        "oa_send_sticker",
        echoed("ona10021", 32, "", Attachment(AttachmentKind.STICKER, "https://sticker.example-zdn.invalid/46982.png")),
    ),
    Incoming(
        "our template comes back",
        "oa_send_template",
        echoed(
            "ona10022", 33, "", Attachment(LINK, "https://dichvucong.example.vn/kq", title="Kết quả xử lý phản ánh")
        ),
    ),
    unsupported("our own icon asks for nothing", "oa_reacted_message", 34, CITIZEN),
    Incoming(
        "a visitor without Zalo writes",
        "anonymous_send_text",
        said("ona10023", 35, "Tôi chưa đăng nhập Zalo", urn=GUEST),
        conversation=GUEST,
    ),
    Incoming(
        "a visitor's photo",
        "anonymous_send_image",
        said("ona10024", 36, "", picture(IMAGE, "n1.jpg", "n1.jpg"), urn=GUEST),
        conversation=GUEST,
    ),
    Incoming(
        "a visitor's document",
        "anonymous_send_file",
        said(
            "ona10025",
            37,
            "",
            Attachment(
                FILE,
                f"{CDN}/file/giay-to.docx",
                name="giay-to.docx",
                mime_hint=DOCX,
                size=2048,
                md5="aabbccddeeff00112233445566778899",
            ),
            urn=GUEST,
        ),
        conversation=GUEST,
    ),
    Incoming(
        "our words to a visitor come back",
        "oa_send_anonymous_text",
        echoed("ona10026", 38, "Xin chào", urn=GUEST),
        conversation=GUEST,
    ),
    Incoming(
        "the administrator took our permission away",
        "permission_revoked",
        AccountNotice("permission_revoked", at(47), is_alarm=True),
        conversation=OA,
    ),
    Incoming(
        "the daily quota changed, in an event that spells oaId",
        "change_oa_daily_quota",
        AccountNotice("change_oa_daily_quota", at(62), detail={"quota.prev_value": "500", "quota.new_value": "5000"}),
        conversation=OA,
    ),
    Incoming(
        "a template was approved",
        "change_template_status",
        AccountNotice(
            "change_template_status",
            at(60),
            detail={
                "template_id": "700001",
                "status.prev_status": "PENDING_REVIEW",
                "status.new_status": "ENABLE",
            },
        ),
        conversation=OA,
    ),
    Incoming(
        "a template got worse",
        "change_template_quality",
        AccountNotice(
            "change_template_quality",
            at(61),
            detail={"template_id": "700001", "quality.prev_quality": "HIGH", "quality.new_quality": "MEDIUM"},
        ),
        conversation=OA,
    ),
    Incoming(
        "a package was bought",
        "extension_purchased",
        AccountNotice(
            "extension_purchased",
            at(46),
            detail={
                "extension_id": "6000000000000000006",
                "extension_sub_info.valid_start_date": "01/01/2026",
                "extension_sub_info.valid_through_date": "31/12/2026",
                "extension_sub_info.duration_month": "12",
            },
        ),
        conversation=OA,
    ),
    unsupported("a tag was put on a citizen", "add_user_to_tag", 39),
    unsupported("a tag was taken off a citizen", "remove_user_from_tag", 40),
    unsupported("a tag is gone", "remove_tag", 41),
    unsupported("a profile changed", "update_user_info", 42, CITIZEN),
    unsupported("the widget could not join two ids", "widget_failed_to_sync_user_external_id", 45, CITIZEN),
    unsupported("an order in a shop", "shop_has_order", 48),
    unsupported("a question about goods", "user_asking_product", 103),
    unsupported("we asked to call", "oa_send_consent", 51),
    unsupported("a citizen let us call", "user_reply_consent", 54),
    unsupported("a citizen called", "user_call_oa", 56, CITIZEN),
    unsupported("a group was made", "create_group", 57),
    unsupported("someone joined a group", "user_join_group", 58),
    unsupported("words in a group are not a conversation with us", "user_send_group_text", 59),
    unsupported("a rating of a template", "user_feedback", 64),
    unsupported("a button of a template", "user_click_response_button", 66),
    unsupported("a journey timed out", "event_journey_time_out", 67),
    probe("the console tests with a text", "console_test_user_send_text", "user_send_text", 68),
    probe("the console tests with a photo", "console_test_user_send_image", "user_send_image", 100),
    probe("the console tests with a document", "console_test_user_send_file", "user_send_file", 101),
    probe("the console tests with a list", "console_test_oa_send_list", "oa_send_list", 102),
    Incoming("the console tests with next to nothing", "no_event_name", Ignored("probe", "", at(70)), conversation=OA),
    Incoming(
        "an event of the future",
        "unknown_event",
        Ignored("unknown", "event_name_from_the_future", at(69)),
        conversation=OA,
    ),
    other_product("a bot's text is another product's", "bot_message_text_received", Ignored("probe", "")),
    other_product("a bot's photo is another product's", "bot_message_image_received", Ignored("probe", "")),
    other_product("a bot's sticker is another product's", "bot_message_sticker_received", Ignored("probe", "")),
    other_product("a bot's surprise is another product's", "bot_message_unsupported_received", Ignored("probe", "")),
    other_product(
        "a bot's bare text is another product's",
        "bot_message_text_received_group_unwrapped",
        Ignored("unknown", "message.text.received"),
    ),
]
SIGNABLE = [row for row in ROWS if row.is_signable]


def payload(file: str) -> bytes:
    return (PAYLOADS / f"{file}.json").read_bytes()


def signature(body: bytes, timestamp: str, secret: Secret = CONFIG.oa_secret, app_id: str = CONFIG.app_id) -> str:
    return hashlib.sha256(app_id.encode() + body + timestamp.encode() + secret.reveal().encode()).hexdigest()


def request(body: bytes, header: str | None) -> WebhookRequest:
    headers = {"x-zevent-signature": header} if header is not None else {}
    return WebhookRequest("POST", {"content-type": "application/json"} | headers, body)


def signed(body: bytes, secret: Secret = CONFIG.oa_secret) -> WebhookRequest:
    timestamp = str(json.loads(body)["timestamp"])
    return request(body, f"mac={signature(body, timestamp, secret)}")


def an_event(**changes: Any) -> bytes:
    """A citizen's text, with some fields replaced."""
    event = json.loads(payload("user_send_text")) | changes
    return json.dumps(event, ensure_ascii=False).encode("utf-8", "surrogatepass")


def a_message(**message: Any) -> bytes:
    return an_event(message={"msg_id": "m1", "text": "xin chào"} | message)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.label)
def test_each_payload_says_what_it_says(row: Incoming) -> None:
    assert zalo.parse(payload(row.file)) == (row.event,)


@pytest.mark.parametrize("row", SIGNABLE, ids=lambda row: row.label)
def test_each_signed_payload_is_let_in_under_its_own_account(row: Incoming) -> None:
    body = payload(row.file)
    envelope = zalo.admit(signed(body), CONFIG)
    data = json.loads(body)
    assert (envelope.account, envelope.conversation) == (row.account, row.conversation)
    assert envelope.event_name == data.get("event_name", "")
    assert envelope.occurred_at == row.event.occurred_at
    assert envelope.is_probe == (isinstance(row.event, Ignored) and row.event.reason == "probe")


def test_every_payload_has_a_row() -> None:
    files = {path.stem for path in PAYLOADS.glob("[!_]*.json")}
    assert {row.file for row in ROWS} == files


def test_no_two_payloads_share_a_key_but_the_consoles_probes() -> None:
    keys: dict[str, list[str]] = {}
    for row in SIGNABLE:
        keys.setdefault(zalo.admit(signed(payload(row.file)), CONFIG).key, []).append(row.file)
    assert [files for files in keys.values() if len(files) > 1] == []


VECTORS = json.loads(payload("_signature_vectors"))["vectors"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["note"])
def test_the_published_signatures_are_right(vector: dict[str, str]) -> None:
    config = replace(CONFIG, app_id=vector["app_id"], oa_secret=Secret(vector["oa_secret_key"]))
    body = vector["raw_body_utf8"].encode()
    if not body.startswith(b"{"):
        assert signature(body, vector["timestamp"], config.oa_secret, config.app_id) == vector["expected_mac_hex"]
        return
    header = vector["expected_header"].partition(": ")[2]
    assert zalo.admit(request(body, header), config).key == "user_send_text:f1c71ona10001abcdef"


@pytest.mark.parametrize("form", ["mac={}", "{}", "mac = {}", " MAC={} "])
def test_the_signature_may_be_written_in_several_ways(form: str) -> None:
    body = payload("user_send_text")
    mac = signature(body, "1791000001000")
    assert zalo.admit(request(body, form.format(mac)), CONFIG).account == OA
    assert zalo.admit(request(body, form.format(mac.upper())), CONFIG).account == OA


@pytest.mark.parametrize(
    "header", [None, "", "mac=", "mac=0123", "sha256=" + "0" * 64, "mac=" + "g" * 64, "mac=" + "0" * 65]
)
def test_an_event_without_a_signature_is_not_let_in(header: str | None) -> None:
    with pytest.raises(BadSignature, match="unsigned"):
        zalo.admit(request(payload("user_send_text"), header), CONFIG)


@pytest.mark.parametrize("timestamp", [None, "", [], {}, True, "١٧٩١", "\ud800"])
def test_an_event_without_a_timestamp_cannot_be_signed(timestamp: object) -> None:
    with pytest.raises(BadSignature, match="unsigned"):
        zalo.admit(request(json.dumps({"timestamp": timestamp}).encode(), "mac=" + "0" * 64), CONFIG)


def test_one_changed_byte_is_a_forgery() -> None:
    body = payload("user_send_text")
    header = f"mac={signature(body, '1791000001000')}"
    with pytest.raises(BadSignature, match="forged"):
        zalo.admit(request(body.replace(b"Xin ch", b"Xin Ch"), header), CONFIG)


def test_the_app_secret_does_not_sign_events() -> None:
    with pytest.raises(BadSignature, match="forged"):
        zalo.admit(signed(payload("user_send_text"), CONFIG.app_secret), CONFIG)


def test_an_empty_secret_signs_nothing() -> None:
    unset = replace(CONFIG, oa_secret=Secret(""), previous_oa_secret=Secret(""), signature_mode="bootstrap")
    with pytest.raises(BadSignature, match="forged"):
        zalo.admit(signed(payload("user_send_text"), Secret("")), unset)


def test_the_previous_secret_still_opens_while_the_secret_is_changed() -> None:
    assert CONFIG.previous_oa_secret is not None
    envelope = zalo.admit(signed(payload("user_send_text"), CONFIG.previous_oa_secret), CONFIG)
    assert envelope.matched_secret == "previous"
    assert zalo.admit(signed(payload("user_send_text")), CONFIG).matched_secret == "current"


def test_the_literal_digits_of_a_number_are_what_was_signed() -> None:
    body = an_event(timestamp=0).replace(b'"timestamp": 0', b'"timestamp": 1.7910000150E+12')
    envelope = zalo.admit(request(body, signature(body, "1.7910000150E+12")), CONFIG)
    assert abs(envelope.occurred_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_well_signed_event_of_another_app_is_foreign() -> None:
    body = an_event(app_id="1000000000000000009")
    with pytest.raises(ForeignPayload):
        zalo.admit(signed(body), CONFIG)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "not_json"),
        (b"\xff\xfe", "not_json"),
        (b"<xml/>", "not_json"),
        (b'{"timestamp": "1', "not_json"),
        (b"[" * 200_000, "not_json"),
        (b'{"a":' * 200_000, "not_json"),
        (b"[]", "not_an_object"),
        (b"null", "not_an_object"),
        (b"NaN", "not_an_object"),
        (b"1" * 100_000, "not_an_object"),
    ],
)
def test_what_is_not_a_json_object_is_unreadable(body: bytes, code: str) -> None:
    with pytest.raises(UnreadablePayload, match=code):
        zalo.admit(request(body, "mac=" + "0" * 64), CONFIG)
    assert zalo.parse(body) == (Ignored("unreadable", code),)


def test_several_icons_on_one_message_are_several_events() -> None:
    first = json.loads(payload("user_reacted_message"))
    second = json.dumps(first | {"timestamp": "1791000017000"}).encode()
    keys = {zalo.admit(signed(body), CONFIG).key for body in (json.dumps(first).encode(), second)}
    assert keys == {
        "user_reacted_message:f1c71ona10001abcdef:1791000016000",
        "user_reacted_message:f1c71ona10001abcdef:1791000017000",
    }


@pytest.mark.parametrize("msg_id", [None, [], {}, True, "", "x" * 300, "a\u0000b", "\ud800"])
def test_an_event_without_a_usable_id_is_kept_under_the_hash_of_its_body(msg_id: object) -> None:
    body = json.dumps(json.loads(payload("user_send_text")) | {"message": {"msg_id": msg_id, "text": "xin"}}).encode()
    assert zalo.admit(signed(body), CONFIG).key == "sha256:" + hashlib.sha256(body).hexdigest()
    assert zalo.parse(body) == (Ignored("unreadable", "user_send_text", at(1)),)


def test_a_number_is_an_id_too() -> None:
    body = a_message(msg_id=90071992547409931234)
    assert zalo.admit(signed(body), CONFIG).key == "user_send_text:90071992547409931234"
    assert zalo.parse(body)[0].external_id == "90071992547409931234"  # type: ignore[union-attr]


def test_a_signed_event_that_names_no_account_stays_with_the_channel_it_came_to() -> None:
    envelope = zalo.admit(signed(an_event(recipient="gone", sender=["who"])), CONFIG)
    assert (envelope.account, envelope.conversation) == (OA, OA)


@pytest.mark.parametrize("timestamp", ["1791000001", "0", "abc", "-1", "9" * 30])
def test_an_absurd_moment_is_taken_for_now(timestamp: str) -> None:
    body = an_event(timestamp=timestamp)
    now = datetime.now(UTC)
    assert abs(zalo.admit(signed(body), CONFIG).occurred_at - now) < timedelta(minutes=1)
    assert abs(zalo.parse(body)[0].occurred_at - now) < timedelta(minutes=1)  # type: ignore[operator]


def test_a_name_that_is_no_name_is_kept_harmless() -> None:
    for name, kept in [("x" * 500, "x" * 80), ("a\u0000b\ud800", "a?b?"), ([], "?"), (7, "7")]:
        body = json.dumps(json.loads(payload("user_send_text")) | {"event_name": name}).encode()
        envelope = zalo.admit(signed(body), CONFIG)
        assert envelope.event_name == kept
        assert zalo.parse(body)[0] == Ignored("unknown", kept, at(1))


def test_words_are_made_safe_to_store() -> None:
    body = json.dumps(json.loads(a_message()) | {"message": {"msg_id": "m1", "text": "a\x00b\ud800" + "c" * 20_000}})
    text = zalo.parse(body.encode())[0].text  # type: ignore[union-attr]
    assert text.startswith("ab\ufffdc")
    assert len(text) < 10_001


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "url_to_thumbnail", "file:///etc/passwd", "https://", "http://[", 5]
)
def test_an_address_that_is_not_of_the_web_is_no_address(url: object) -> None:
    body = a_message(attachments=[{"type": "image", "payload": {"url": url, "thumbnail": url}}])
    assert zalo.parse(body)[0].attachments == (Attachment(IMAGE),)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("latitude", "longitude"), [("91", "105"), ("21", "181"), ("NaN", "105"), (None, "1"), ([], {})]
)
def test_a_pin_off_the_map_has_no_coordinates(latitude: object, longitude: object) -> None:
    pin = {"type": "location", "payload": {"coordinates": {"latitude": latitude, "longitude": longitude}}}
    assert zalo.parse(a_message(attachments=[pin]))[0].attachments == (  # type: ignore[union-attr]
        Attachment(AttachmentKind.LOCATION),
    )


@pytest.mark.parametrize(
    ("phone", "kept"),
    [
        ("84100000002", "+84100000002"),
        (84100000002, "+84100000002"),
        ("0100000002", "+84100000002"),
        ("+84 100 000 002", "+84100000002"),
        (100000002, "+84100000002"),
        (0, None),
        ("", None),
        ("không có", None),
        ([], None),
    ],
)
def test_a_phone_number_is_written_one_way(phone: object, kept: str | None) -> None:
    body = an_event(event_name="user_submit_info", info={"name": "Mẫu", "phone": phone})
    assert zalo.parse(body)[0].phone == kept  # type: ignore[union-attr]


def test_a_business_card_with_a_broken_description_is_still_a_contact() -> None:
    card = {"type": "link", "payload": {"description": "{broken", "url": "https://qr.example.invalid/x.png"}}
    body = an_event(
        event_name="user_send_business_card", message={"msg_id": "m1", "text": "Mẫu", "attachments": [card]}
    )
    assert zalo.parse(body)[0].attachments == (  # type: ignore[union-attr]
        Attachment(AttachmentKind.CONTACT, "https://qr.example.invalid/x.png", title="Mẫu"),
    )


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def places_in(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, child in children for place in places_in(child, (*path, key)))]


@st.composite
def mutations(draw: st.DrawFn) -> bytes:
    """A real payload with a few of its values replaced by anything at all."""
    event = json.loads(payload(draw(st.sampled_from(ROWS)).file))
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from([place for place in places_in(event) if place]))
        inner = event
        try:
            for step in way:
                inner = inner[step]
            inner[last] = draw(json_values)
        except (TypeError, KeyError, IndexError):
            continue
    return json.dumps(event).encode()


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutations())
def test_no_mutation_of_a_payload_breaks_the_reader(body: bytes) -> None:
    events = zalo.parse(body)
    assert events
    for event in events:
        for text in texts_of(event):
            text.encode()
            assert "\0" not in text
        for urn in [event.urn] if hasattr(event, "urn") else []:
            assert urn is None or 5 < len(urn) <= 160


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutations())
def test_no_mutation_of_a_payload_breaks_the_door(body: bytes) -> None:
    timestamp = json.loads(body, parse_int=str, parse_float=str).get("timestamp")
    header = signature(body, timestamp) if isinstance(timestamp, str) and timestamp.isascii() else "mac=" + "0" * 64
    try:
        envelope = zalo.admit(request(body, header), CONFIG)
    except DoorError:
        return
    lengths = (envelope.account, 80), (envelope.event_name, 80), (envelope.key, 200), (envelope.conversation, 200)
    for value, longest in lengths:
        assert len(value) <= longest
        assert value.isprintable()
    assert envelope.occurred_at.tzinfo is UTC


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300) | json_values.map(lambda value: json.dumps(value).encode()))
def test_no_bytes_break_anything(body: bytes) -> None:
    assert zalo.parse(body)
    with pytest.raises(DoorError):
        zalo.admit(request(body, "mac=" + "0" * 64), CONFIG)


def texts_of(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for pair in value.items() for one in pair for text in texts_of(one)]
    if isinstance(value, tuple):
        return [text for one in value for text in texts_of(one)]
    return [text for one in vars(value).values() for text in texts_of(one)] if hasattr(value, "__dict__") else []
