"""The SMPP channel's settings, and what it makes of what an SMSC tells."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.errors import BadSignature, MessageRefused, TemporarilyRefused
from adapters.http import Http
from adapters.messages import Ignored, InboundMessage, MessagePart, OutboundMessage, Receipt, WebhookRequest
from adapters.secret import Secret
from adapters.smpp import Smpp, SmppConfig, configured, message_heard, receipt_heard

smpp = Smpp()
SETTINGS = {"host": "smsc.example.vn", "system_id": "xa", "number": "8088", "keyword": "PA", "codes": "ANBINH"}
SECRETS = {"password": "example"}
NOON = datetime(2026, 10, 7, 5, 0, tzinfo=UTC)


def config(**changes: Any) -> SmppConfig:
    return configured({**SETTINGS, **changes}, SECRETS)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"host": ""}, "host is missing"),
        ({"host": "http://x/"}, "host is not"),
        ({"port": "many"}, "port must be a whole number from 1 to 65535"),
        ({"port": 70_000}, "port must be"),
        ({"window": 0}, "window must be"),
        ({"system_id": ""}, "system_id is missing"),
        ({"number": "", "sender": ""}, "number and sender are missing"),
        ({"sender": "UBND & XA"}, "sender must be"),
        ({"receipt_ids": "roman"}, "receipt_ids must be one of"),
        ({"system_id": "x" * 16}, "system_id has more than 15 characters"),
        ({"system_type": "x" * 13}, "system_type has more than 12 characters"),
    ],
)
def test_a_mistake_is_named(change: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match="smpp") as raised:
        config(**change)
    assert named in str(raised.value)


def test_a_password_that_would_be_cut_off_is_named_and_not_shown() -> None:
    with pytest.raises(ValueError, match="password has more than 8 characters") as raised:
        configured(SETTINGS, {"password": "too-long-a-word"})
    assert "too-long" not in str(raised.value)


def test_settings_typed_as_text_are_numbers() -> None:
    assert (config(port="2776").port, config(window="50").window, config().port) == (2776, 50, 2775)


def test_a_message_goes_to_the_commune_it_names() -> None:
    envelope = message_heard(config(), "+84912345678", "8088", "PA ANBINH Đèn hỏng", None, NOON)
    (event,) = smpp.parse(envelope.body or b"")
    assert isinstance(event, InboundMessage)
    assert (envelope.account, event.text, event.urn) == ("8088/ANBINH", "Đèn hỏng", "tel:+84912345678")


def test_a_piece_waits_for_the_others() -> None:
    envelope = message_heard(config(), "84912345678", "8088", "PA Kính gửi ", (7, 2, 1), NOON)
    (event,) = smpp.parse(envelope.body or b"")
    assert isinstance(event, MessagePart)
    assert (event.reference, event.total, event.number, envelope.event_name) == ("7", 2, 1, "part 8088 7 2")


@pytest.mark.parametrize("part", [(7, 1, 1), (7, 2, 3), (7, 0, 0)])
def test_what_cannot_be_a_piece_is_whole(part: tuple[int, int, int]) -> None:
    assert message_heard(config(), "84912345678", "8088", "den hong", part, NOON).event_name == "message"


def test_a_repeated_delivery_has_the_same_key() -> None:
    first, again, other = (
        message_heard(config(), "84912345678", "8088", "den hong", part, NOON).key for part in (None, None, (7, 2, 1))
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("DELIVRD", "delivered"),
        ("EXPIRED", "failed"),
        ("UNDELIV", "failed"),
        ("REJECTD", "failed"),
        ("DELETED", "failed"),
        ("UNKNOWN", "failed"),
        ("ACCEPTD", None),
        ("ENROUTE", None),
        ("", None),
    ],
)
def test_only_final_states_are_news(state: str, status: str | None) -> None:
    envelope = receipt_heard(config(), "84912345678", "ABC1", state, "001")
    assert envelope is not None
    (event,) = smpp.parse(envelope.body or b"")
    if status is None:
        assert isinstance(event, Ignored)
    else:
        assert isinstance(event, Receipt)
        assert (event.status.value, event.external_ids) == (status, ("ABC1",))


def test_a_receipt_that_names_nothing_is_nothing() -> None:
    assert receipt_heard(config(), "84912345678", "", "DELIVRD", "000") is None


def test_nobody_may_call_and_nothing_goes_out_over_http() -> None:
    http = Http()
    with pytest.raises(BadSignature):
        smpp.admit(WebhookRequest("POST", {}, b"{}"), config())
    with pytest.raises(TemporarilyRefused):
        smpp.send(http, config(), Secret(""), OutboundMessage("tel:+84912345678", "a"))
    with pytest.raises(MessageRefused):
        smpp.send(http, config(), Secret(""), OutboundMessage("tel:8088", "a"))
    http.close()
