"""What SMS providers call us with: request → what it means. Rows of tables, no network."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters._sms_callbacks import addressed
from adapters.errors import BadSignature, DoorError, UnreadablePayload
from adapters.messages import Ignored, InboundMessage, MessagePart, Receipt, ReceiptStatus, WebhookRequest
from tests.adapters.sms import PAYLOADS, TOKEN, config, recorded, sms

CITIZEN = "tel:+84912345678"
OURS = "hc-261007-12-0"
NOON = datetime(2026, 10, 7, 5, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Incoming:
    """A recorded call, and what becomes of it."""

    payload: str
    kind: type
    text: str = ""
    account: str = "8088"
    key: str = ""
    what: str = ""


ROWS = [
    Incoming("esms_message", InboundMessage, "Đèn đường hỏng ở xóm 5", key="message:7001"),
    Incoming("esms_message_without_marks", InboundMessage, "den duong hong o xom 5", key="message:7002"),
    Incoming("esms_message_to_a_commune", InboundMessage, "cong tac nghen", account="8088/ANBINH"),
    Incoming("esms_message_of_a_short_code", Ignored, what="not_a_mobile_number"),
    Incoming("esms_receipt_delivered", Receipt, what="delivered"),
    Incoming("esms_receipt_done_but_failed", Receipt, what="failed"),
    Incoming("esms_receipt_rejected", Receipt, what="failed"),
    Incoming("esms_receipt_queued", Ignored, what="receipt_2"),
    Incoming("speedsms_receipt_delivered", Receipt, account="0888000111", what="delivered"),
    Incoming("speedsms_receipt_temporary", Ignored, account="0888000111", what="receipt_33"),
    Incoming("speedsms_receipt_failed", Receipt, account="0888000111", what="failed"),
    Incoming("speedsms_message", InboundMessage, "den duong hong", account="0888000111"),
    Incoming("kannel_message", InboundMessage, "Đèn đường hỏng ở xóm 5, tối om", key="message:a1b2c3d4-0001"),
    Incoming("kannel_message_raw_utf16", InboundMessage, "Đèn đường hỏng 😀 & tối"),
    Incoming("kannel_message_from_a_name", Ignored, what="not_a_mobile_number"),
    Incoming("kannel_receipt_delivered", Receipt, what="delivered"),
    Incoming("kannel_receipt_failed", Receipt, what="failed"),
    Incoming("kannel_receipt_refused", Receipt, what="failed"),
    Incoming("kannel_receipt_buffered", Ignored, what="receipt_4"),
    Incoming(
        "vonage_first_piece",
        MessagePart,
        "PA Kính gửi UBND, đèn đường thôn Đông hỏng ba hôm nay, mong cán bộ ",
        key="message:0B0001:1",
    ),
    Incoming("vonage_second_piece", MessagePart, "cử người sửa sớm.", key="message:0B0002:2"),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.payload)
def test_a_recorded_call_means(row: Incoming) -> None:
    settings, request = recorded(row.payload)
    envelope = sms.admit(request, settings)
    assert envelope.account == row.account
    assert envelope.body is not None
    if row.key:
        assert envelope.key == row.key
    (event,) = sms.parse(envelope.body)
    assert type(event) is row.kind
    if isinstance(event, InboundMessage | MessagePart):
        assert (event.urn, event.text) == (CITIZEN, row.text)
        assert envelope.conversation == CITIZEN
    elif isinstance(event, Receipt):
        assert (event.status.value, event.urn) == (row.what, CITIZEN)
        assert event.external_ids in {(OURS,), ("123456",)}
        assert bool(event.reason) == (event.status is ReceiptStatus.FAILED)
    elif isinstance(event, Ignored):
        assert event.what == row.what


def test_every_recording_has_a_row() -> None:
    assert {row.payload for row in ROWS} == {path.stem for path in PAYLOADS.glob("*.json")}


def test_the_hour_is_the_providers() -> None:
    settings, request = recorded("kannel_message")
    assert sms.admit(request, settings).occurred_at == NOON
    settings, request = recorded("esms_message")  # told in Vietnam's time
    assert sms.admit(request, settings).occurred_at == datetime(2026, 10, 7, 4, 59, tzinfo=UTC)


def test_what_was_written_is_kept_as_it_was() -> None:
    settings, request = recorded("esms_message_to_a_commune")
    assert json.loads(sms.admit(request, settings).body or b"")["written"] == "pa anbinh: cong tac nghen"


def test_nothing_that_proves_a_call_is_kept_of_it() -> None:
    for path in PAYLOADS.glob("*.json"):
        settings, request = recorded(path.stem)
        body = (sms.admit(request, settings).body or b"").decode()
        assert "example-" not in body
        assert '"sign"' not in body


def test_esms_hears_the_message_named_in_xml() -> None:
    settings, request = recorded("esms_message")
    envelope = sms.admit(request, settings)
    assert envelope.reply_type.startswith("text/xml")
    assert envelope.reply.decode() == (
        "<ClientResponse><Message></Message><Smsid>7001</Smsid><Receiver>84912345678</Receiver></ClientResponse>"
    )


def test_an_answer_in_xml_cannot_be_broken_out_of() -> None:
    _, request = recorded("esms_message")
    envelope = sms.admit(request, config("esms", mo_answer="UBND <xa> & thon"))
    assert b"<Message>UBND &lt;xa&gt; &amp; thon</Message>" in envelope.reply


def test_kannel_and_receipts_hear_nothing() -> None:
    for name in ("kannel_message", "kannel_receipt_delivered", "esms_receipt_delivered"):
        settings, request = recorded(name)
        assert sms.admit(request, settings).reply == b""


# --- who may call -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["", "mo", "wrong-callback-token-here", f"{TOKEN}x", f"{TOKEN}/elsewhere", f"x/{TOKEN}"]
)
def test_without_the_secret_in_the_address_nobody_is_heard(path: str) -> None:
    for recording in PAYLOADS.glob("*.json"):
        settings, request = recorded(recording.stem, path=path)
        with pytest.raises(BadSignature):
            sms.admit(request, settings)


def test_the_previous_secret_works_while_it_is_being_replaced() -> None:
    settings, request = recorded("kannel_message", path="example-previous-token")
    assert sms.admit(request, settings).matched_secret == "previous"


def test_esms_must_sign_what_a_citizen_wrote() -> None:
    settings, request = recorded("esms_message")
    forged = WebhookRequest("GET", {}, b"", path=request.path, query=request.query.replace(b"7001", b"7009"))
    with pytest.raises(BadSignature, match="forged"):
        sms.admit(forged, settings)
    unsigned = WebhookRequest("GET", {}, b"", path=request.path, query=request.query.split(b"&sign=")[0])
    with pytest.raises(BadSignature, match="unsigned"):
        sms.admit(unsigned, settings)


@pytest.mark.parametrize(
    ("remote", "is_let_in"),
    [("203.0.113.7", True), ("203.0.113.250", True), ("198.51.100.4", False), ("", False), ("2001:db8::1", True)],
)
def test_only_addresses_of_the_provider_may_call(remote: str, is_let_in: bool) -> None:
    pinned = config("kannel", source_addresses="203.0.113.0/24, 2001:db8::/32")
    _, request = recorded("kannel_message", remote=remote)
    if is_let_in:
        assert sms.admit(request, pinned).event_name == "message"
    else:
        with pytest.raises(BadSignature, match="foreign_address"):
            sms.admit(request, pinned)


@pytest.mark.parametrize(
    ("signature", "headers", "fields", "is_let_in"),
    [
        ({"kind": "header", "at": "X-Key"}, {"x-key": "example-callback-key"}, {}, True),
        ({"kind": "header", "at": "X-Key"}, {"x-key": "another"}, {}, False),
        ({"kind": "header", "at": "X-Key"}, {}, {}, False),
        ({"kind": "field", "at": "key"}, {}, {"key": "example-callback-key"}, True),
        ({"kind": "field", "at": "key"}, {}, {"key": "another"}, False),
        ({"kind": "basic"}, {"authorization": "Basic eDpleGFtcGxlLWNhbGxiYWNrLWtleQ=="}, {}, True),
        ({"kind": "basic"}, {"authorization": "Basic eDp5"}, {}, False),
        ({"kind": "basic"}, {"authorization": "Basic %%%"}, {}, False),
        ({"kind": "basic"}, {"authorization": "Bearer eDpleGFtcGxlLWNhbGxiYWNrLWtleQ=="}, {}, False),
    ],
)
def test_other_providers_prove_themselves_in_other_ways(
    signature: dict[str, str], headers: dict[str, str], fields: dict[str, str], is_let_in: bool
) -> None:
    profile = {
        "name": "other",
        "send": {"url": "https://sms.example.vn/send", "fields": {"to": "{to}"}},
        "mo": {"from_at": "a", "text_at": "b", "id_at": "c"},
        "signature": signature,
    }
    settings = config("kannel", profile=profile)
    query = urlencode({"a": "0912345678", "b": "den hong", "c": "1", **fields}).encode()
    request = WebhookRequest("GET", headers, b"", path=TOKEN, query=query)
    if is_let_in:
        assert sms.admit(request, settings).key == "message:1"
    else:
        with pytest.raises(BadSignature):
            sms.admit(request, settings)


@pytest.mark.parametrize("profile", ["esms", "speedsms", "kannel", "vonage"])
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 5_000, b"a=b", b"%", b"=&=&=", b"{}"])
def test_garbage_behind_the_right_address_is_refused(profile: str, method: str, raw: bytes) -> None:
    with pytest.raises(DoorError):
        sms.admit(WebhookRequest(method, {}, raw, path=TOKEN, query=raw), config(profile))
    assert all(isinstance(event, Ignored) for event in sms.parse(raw))


@given(st.binary(max_size=300), st.sampled_from(["esms", "speedsms", "kannel", "vonage"]), st.booleans())
def test_no_call_is_ever_an_error_of_ours(raw: bytes, profile: str, is_form: bool) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded" if is_form else "application/json"}
    for method in ("GET", "POST"):
        try:
            envelope = sms.admit(WebhookRequest(method, headers, raw, path=TOKEN, query=raw), config(profile))
        except DoorError:
            continue
        assert sms.parse(envelope.body or b"")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["kind", "at", "id", "from", "text", "meaning", "status"]), inner)
        ),
    )
)
def test_whatever_is_stored_is_read_without_an_error(data: object) -> None:
    assert len(sms.parse(json.dumps(data).encode())) == 1


def test_a_method_the_provider_never_uses_is_refused() -> None:
    settings, request = recorded("kannel_message")
    with pytest.raises(UnreadablePayload, match="wrong_method"):
        sms.admit(WebhookRequest("POST", {}, b"", path=request.path, query=request.query), settings)


# --- repeats ----------------------------------------------------------------------------------------------------------


def test_a_repeated_call_has_the_same_key() -> None:
    for path in PAYLOADS.glob("*.json"):
        settings, request = recorded(path.stem)
        assert sms.admit(request, settings).key == sms.admit(request, settings).key, path.stem


def test_two_statuses_of_one_message_are_two_facts() -> None:
    keys = [
        sms.admit(request, settings).key
        for settings, request in map(recorded, ("kannel_receipt_buffered", "kannel_receipt_delivered"))
    ]
    assert len(set(keys)) == 2


# --- keyword and commune ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "unit", "rest"),
    [
        ("PA den duong hong", "", "den duong hong"),
        ("pa  Đèn đường hỏng", "", "Đèn đường hỏng"),
        ("PA ANBINH den duong hong", "ANBINH", "den duong hong"),
        ("Pa anbinh: den hong", "ANBINH", "den hong"),
        ("ANBINH den hong", "ANBINH", "den hong"),
        ("PA ĐỨCHUỆ đèn hỏng", "DUCHUE", "đèn hỏng"),
        ("PA AN BINH den hong", "", "AN BINH den hong"),
        ("den duong hong", "", "den duong hong"),
        ("PA26-0001 sao roi", "", "PA26-0001 sao roi"),
        ("PA TRA PA26-0001", "", "TRA PA26-0001"),
        ("PA", "", "PA"),
        ("PA ANBINH", "ANBINH", "PA ANBINH"),
        ("", "", ""),
        ("PA\nhang hai", "", "hang hai"),
    ],
)
def test_only_a_word_of_the_table_is_a_commune(text: str, unit: str, rest: str) -> None:
    assert addressed(text, config("esms")) == (unit, rest)


@given(st.text(max_size=60))
def test_what_is_left_is_always_the_end_of_what_was_written(text: str) -> None:
    import unicodedata

    _, rest = addressed(text, config("esms"))
    assert rest == text or unicodedata.normalize("NFC", text).endswith(rest)


# --- pieces -----------------------------------------------------------------------------------------------------------


def pieces(*names: str) -> list[MessagePart]:
    found = []
    for name in names:
        settings, request = recorded(name)
        (part,) = sms.parse(sms.admit(request, settings).body or b"")
        assert isinstance(part, MessagePart)
        found.append(part)
    return found


def test_pieces_become_one_message_whatever_their_order() -> None:
    both = pieces("vonage_second_piece", "vonage_first_piece")
    envelope = sms.joined(both, config("vonage"))
    (event,) = sms.parse(envelope.body or b"")
    assert isinstance(event, InboundMessage)
    assert event.text == "Kính gửi UBND, đèn đường thôn Đông hỏng ba hôm nay, mong cán bộ cử người sửa sớm."
    assert envelope.key == sms.joined(both[::-1], config("vonage")).key


def test_a_missing_piece_is_shown_as_a_gap() -> None:
    (event,) = sms.parse(sms.joined(pieces("vonage_second_piece"), config("vonage")).body or b"")
    assert isinstance(event, InboundMessage)
    assert event.text == " […] cử người sửa sớm."


def test_pieces_name_what_they_have_in_common() -> None:
    envelopes = [
        sms.admit(request, settings)
        for settings, request in map(recorded, ("vonage_first_piece", "vonage_second_piece"))
    ]
    assert {envelope.event_name for envelope in envelopes} == {"part 8088 7 2"}


def test_a_message_said_to_be_one_piece_is_whole() -> None:
    whole = {"concat-ref": "1", "concat-total": "1", "concat-part": "1"}
    query = urlencode({"msisdn": "84912345678", "messageId": "9", "text": "PA den hong", **whole}).encode()
    envelope = sms.admit(WebhookRequest("GET", {}, b"", path=TOKEN, query=query), config("vonage"))
    assert envelope.event_name == "message"


def test_an_alphabet_nobody_knows_is_read_as_utf_8() -> None:
    query = f"from=%2B84912345678&to=8088&text={quote('đèn')}&id=5&charset=KLINGON".encode()
    (event,) = sms.parse(
        sms.admit(WebhookRequest("GET", {}, b"", path=TOKEN, query=query), config("kannel")).body or b""
    )
    assert isinstance(event, InboundMessage)
    assert event.text == "đèn"
