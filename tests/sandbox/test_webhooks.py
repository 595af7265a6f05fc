"""The sandbox's webhooks are Zalo's: signed, in order, repeated until somebody answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.errors import BadSignature
from adapters.messages import (
    Attachment,
    Echo,
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
from tests.builders import APP, APP_SECRET, OA, OA_SECRET
from tests.sandbox.running import Listener, Running, listening, running, until

CONFIG = ZaloConfig(APP, OA, Secret(APP_SECRET), Secret(OA_SECRET))
adapter = Zalo()


def heard(listener: Listener, count: int = 1) -> list[Any]:
    """What the gateway's own adapter understands of the webhooks, each let in by its signature."""
    words = []
    for request in listener.wait_for(count):
        assert adapter.admit(request, CONFIG).account == OA
        words += adapter.parse(request.body)
    return words


def test_a_text_arrives_signed_as_zalo_signs(zalo: Running, listener: Listener) -> None:
    user = zalo.citizen()
    deed = zalo.says(user, "Đường xóm 5 có ổ gà")
    (word,) = heard(listener)
    assert isinstance(word, InboundMessage)
    assert (word.external_id, word.urn, word.text) == (deed["msg_id"], f"zalo:{user}", "Đường xóm 5 có ổ gà")
    headers = listener.received[0].headers
    assert headers["user-agent"] == "ZaloWebhook"
    assert headers["x-zevent-server"] == "OA OpenAPI"
    assert "num_retry" not in headers


def test_a_changed_letter_breaks_the_signature(zalo: Running, listener: Listener) -> None:
    zalo.says(zalo.citizen(), "Đường xóm 5 có ổ gà")
    request = listener.wait_for(1)[0]
    forged = WebhookRequest("POST", request.headers, request.body.replace(b"5", b"6", 1))
    with pytest.raises(BadSignature):
        adapter.admit(forged, CONFIG)


@pytest.mark.parametrize(
    ("kind", "fields", "attachment"),
    [
        ("image", {}, "image"),
        ("file", {}, "file"),
        ("voice", {}, "audio"),
        ("sticker", {}, "sticker"),
        ("location", {"latitude": "10.74", "longitude": "106.28"}, "location"),
        ("link", {}, "link"),
        ("business_card", {"text": "Cô Ba"}, "contact"),
    ],
)
def test_what_a_phone_can_send_is_understood(
    kind: str, fields: dict[str, str], attachment: str, zalo: Running, listener: Listener
) -> None:
    zalo.says(zalo.citizen(), kind=kind, **fields)
    (word,) = heard(listener)
    assert isinstance(word, InboundMessage)
    assert [a.kind for a in word.attachments] == [attachment]


def test_a_picture_can_be_fetched_from_where_the_webhook_says(zalo: Running, listener: Listener) -> None:
    zalo.says(zalo.citizen(), "Ảnh ổ gà", kind="image")
    (word,) = heard(listener)
    url = word.attachments[0].url
    assert zalo.client.get(url).content.startswith(b"\xff\xd8\xff")


def test_a_file_has_the_checksum_it_declares(zalo: Running, listener: Listener) -> None:
    import hashlib

    zalo.says(zalo.citizen(), kind="file")
    (word,) = heard(listener)
    found: Attachment = word.attachments[0]
    assert hashlib.md5(zalo.client.get(str(found.url)).content).hexdigest() == found.md5


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("follow", Following), ("unfollow", Following), ("chatnow", Interaction), ("withdraw", Withdrawal)],
)
def test_what_a_citizen_does_to_the_channel_is_told(
    kind: str, expected: type, zalo: Running, listener: Listener
) -> None:
    user = zalo.citizen()
    zalo.says(user, kind=kind)
    (word,) = heard(listener)
    assert isinstance(word, expected)
    assert word.urn == f"zalo:{user}"
    if isinstance(word, Following):
        assert word.is_following is (kind == "follow")


def test_a_filled_in_form_is_a_profile(zalo: Running, listener: Listener) -> None:
    info = {"name": "Cô Hoa (tập dượt)", "phone": "84100000002", "full_address": {"user_address": "Xóm 5"}}
    zalo.says(zalo.citizen(), kind="submit_info", info=info)
    (word,) = heard(listener)
    assert isinstance(word, ProfileShared)
    assert (word.name, word.phone, word.address) == ("Cô Hoa (tập dượt)", "+84100000002", "Xóm 5")


def test_a_reaction_names_the_message(zalo: Running, listener: Listener) -> None:
    zalo.says(zalo.citizen(), kind="react", msg_id="m1")
    (word,) = heard(listener)
    assert isinstance(word, Reaction)
    assert word.external_id == "m1"


def test_a_new_follower_is_announced(zalo: Running, listener: Listener) -> None:
    zalo.control("citizens", count=1)
    (word,) = heard(listener)
    assert isinstance(word, Following)


def test_a_visitor_who_is_not_signed_in_speaks_and_is_answered(zalo: Running, listener: Listener) -> None:
    visitor = zalo.citizen(anonymous=True)
    zalo.says(visitor, "Cho hỏi")
    (word,) = heard(listener)
    scheme, _, rest = word.urn.partition(":")
    guest, _, conversation = rest.partition("/")
    assert (scheme, guest) == ("zalo-guest", visitor)
    body = {"recipient": {"anonymous_id": guest, "conversation_id": conversation}, "message": {"text": "Xin chào"}}
    assert zalo.api("/v2.0/oa/message", body)["error"] == 0


def test_our_own_words_come_back_as_an_echo_and_a_receipt(zalo: Running, listener: Listener) -> None:
    user = zalo.citizen()
    message_id = zalo.text_to(user, "Đã tiếp nhận")["data"]["message_id"]
    words = heard(listener, 2)
    echo = next(w for w in words if isinstance(w, Echo))
    receipt = next(w for w in words if isinstance(w, Receipt))
    assert (echo.external_id, echo.text, echo.urn, echo.by_person) == (
        message_id,
        "Đã tiếp nhận",
        f"zalo:{user}",
        False,
    )
    assert (receipt.external_ids, receipt.status) == ((message_id,), ReceiptStatus.DELIVERED)


def test_what_was_looked_at_is_seen(zalo: Running, listener: Listener) -> None:
    user = zalo.citizen()
    ids = [zalo.text_to(user, text)["data"]["message_id"] for text in ("một", "hai")]
    zalo.client.get(f"/phone/{user}")
    until(lambda: any(b"user_seen_message" in r.body for r in listener.received))
    receipts = [w for r in listener.received for w in adapter.parse(r.body) if isinstance(w, Receipt)]
    seen = next(w for w in receipts if w.status is ReceiptStatus.READ)
    assert list(seen.external_ids) == ids


def test_a_switched_off_event_is_never_sent(tmp_path: Path, listener: Listener) -> None:
    with running(tmp_path, webhook_url=listener.url, switched_off_events=frozenset({"user_send_image"})) as zalo:
        user = zalo.citizen()
        zalo.says(user, kind="image")
        zalo.says(user, "Xin chào")
        (word,) = heard(listener)
    assert word.text == "Xin chào"


def test_one_citizens_events_keep_their_order(zalo: Running, listener: Listener) -> None:
    users = [zalo.citizen() for _ in range(4)]
    for n in range(6):
        for user in users:
            zalo.says(user, str(n))
    words = heard(listener, 24)
    for user in users:
        assert [w.text for w in words if w.urn == f"zalo:{user}"] == list("012345")


def test_an_unanswered_webhook_is_repeated_up_the_ladder(zalo: Running, listener: Listener) -> None:
    listener.statuses = [500, 503, 404]
    zalo.says(zalo.citizen(), "Xin chào")
    requests = listener.wait_for(4, 10)
    assert len({r.body for r in requests}) == 1
    assert [r.headers.get("num_retry") for r in requests] == [None, "1", "2", "3"]
    adapter.admit(requests[3], CONFIG)
    first, second, third = (b - a for a, b in zip(listener.times, listener.times[1:], strict=False))
    assert 0.02 <= first < second < third  # 30 s, 5 min, 15 min at a thousandth
    until(lambda: webhooks(zalo)["counts"] == {"delivered": 1})


def test_the_ladder_ends_and_the_event_is_lost(tmp_path: Path, listener: Listener) -> None:
    listener.statuses = [500] * 20
    with running(tmp_path, webhook_url=listener.url, retry_time_scale=0.00001) as zalo:
        zalo.says(zalo.citizen(), "Xin chào")
        until(lambda: webhooks(zalo)["counts"] == {"lost": 1})
    assert len(listener.received) == 6


def test_a_gateway_that_is_away_gets_the_event_when_it_returns(tmp_path: Path) -> None:
    with listening() as listener:
        url = listener.url
    with running(tmp_path, webhook_url=url) as zalo:
        zalo.says(zalo.citizen(), "Xin chào")
        until(lambda: webhooks(zalo)["webhooks"][0]["attempts"] >= 1)
        assert webhooks(zalo)["webhooks"][0]["last_result"] == "ConnectError"
        assert webhooks(zalo)["webhooks"][0]["state"] == "pending"


def test_what_was_unsent_is_sent_by_the_next_run(tmp_path: Path, listener: Listener) -> None:
    with running(tmp_path, webhook_url=listener.url, deliver_webhooks=False) as zalo:
        zalo.says(zalo.citizen(), "Xin chào")
    assert listener.received == []
    with running(tmp_path, webhook_url=listener.url):
        assert heard(listener)[0].text == "Xin chào"


def test_the_latest_event_can_be_delivered_twice(zalo: Running, listener: Listener) -> None:
    user = zalo.citizen()
    zalo.says(user, "Xin chào")
    listener.wait_for(1)
    zalo.control("redelivery", user_id=user)
    first, second = listener.wait_for(2)
    assert first.body == second.body
    assert adapter.admit(first, CONFIG).key == adapter.admit(second, CONFIG).key


def test_the_last_two_events_can_be_told_in_the_wrong_order(tmp_path: Path, listener: Listener) -> None:
    with running(tmp_path, webhook_url=listener.url, deliver_webhooks=False) as zalo:
        user = zalo.citizen()
        assert zalo.control("swap", user_id=user) == {"swapped": False}
        for text in ("một", "hai", "ba"):
            zalo.says(user, text)
        assert zalo.control("swap", user_id=user) == {"swapped": True}
        zalo.box.start()
        assert [word.text for word in heard(listener, 3)] == ["một", "ba", "hai"]


@pytest.mark.parametrize("event", ["user_send_text", "user_send_image", "user_send_file"])
def test_the_console_probe_is_signed_and_speaks_of_nobody(event: str, zalo: Running, listener: Listener) -> None:
    assert zalo.control("probe", event=event)["ok"] is True
    request = listener.wait_for(1)[0]
    assert adapter.admit(request, CONFIG).is_probe
    assert isinstance(adapter.parse(request.body)[0], Ignored)


def test_a_probe_that_is_refused_is_not_stored(zalo: Running, listener: Listener) -> None:
    listener.statuses = [401]
    result = zalo.control("probe")
    assert (result["ok"], result["result"]) == (False, "401")


def webhooks(zalo: Running) -> dict[str, Any]:
    return json.loads(zalo.client.get("/control/webhooks").text)


def test_during_an_outage_webhooks_are_lost_and_the_conversation_remembers(zalo: Running, listener: Listener) -> None:
    user = zalo.citizen()
    zalo.fault("outage")
    zalo.says(user, "nói lúc mất mạng")
    zalo.fault("outage_over")
    zalo.says(user, "nói khi có mạng lại")
    (word,) = heard(listener)
    assert word.text == "nói khi có mạng lại"
    kept = zalo.lookup("/v2.0/oa/conversation", f'{{"user_id":"{user}","offset":0,"count":10}}')["data"]
    assert [one["message"] for one in kept] == ["nói khi có mạng lại", "nói lúc mất mạng"]
    counts = zalo.client.get("/control/webhooks").json()["counts"]
    assert counts["lost"] == 1
