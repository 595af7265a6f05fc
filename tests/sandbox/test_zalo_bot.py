"""The pretend Zalo Bot platform: six codes, ids that are text, an event that is given up as it is handed over."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.errors import (
    ChannelRefused,
    ContactUnreachable,
    MessageRefused,
    OutcomeUnknown,
    SendError,
    TemporarilyRefused,
)
from adapters.http import Http
from adapters.messages import AttachmentKind, InboundMessage, OutboundMessage, WebhookRequest
from adapters.secret import Secret
from adapters.zalo_bot import SECRET_HEADER, ZaloBot, ZaloBotConfig
from bot.web.sandbox.media import sample_photo
from tests.bots import TOKEN, WEBHOOK_SECRET
from tests.sandbox.bots import BotApi, bot_api
from tests.sandbox.running import Listener, until

adapter = ZaloBot()


@pytest.fixture
def api(tmp_path: Path) -> Iterator[BotApi]:
    with bot_api(tmp_path, "zalo_bot") as found:
        yield found


@pytest.fixture
def http() -> Iterator[Http]:
    made = Http(connect_seconds=1, read_seconds=0.6, call_seconds=1.5)
    yield made
    made.close()


def config(api: BotApi) -> ZaloBotConfig:
    return ZaloBotConfig(Secret(TOKEN), Secret(WEBHOOK_SECRET), api_base=api.url, is_sandbox=True)


def fetched(api: BotApi, http: Http) -> list[Any]:
    found = adapter.fetch(http, config(api), None, 0).requests
    for request in found:
        adapter.admit(request, config(api))
    return [word for request in found for word in adapter.parse(request.body)]


@pytest.mark.parametrize(
    ("method", "asked", "code"),
    [
        ("sendMessage", {"text": ""}, 400),
        ("sendMessage", {"text": "ữ" * 2_001}, 400),
        ("sendMessage", {"text": "x", "chat_id": "nobody"}, 404),
        ("sendPhoto", {"photo": "no address"}, 400),
        ("sendChatAction", {"action": "dance"}, 400),
        ("setWebhook", {"url": "https://x.example.vn/", "secret_token": "short"}, 400),
        ("setWebhook", {"url": "http://x.example.vn/", "secret_token": "long enough"}, 400),
        ("nothing", {}, 404),
    ],
)
def test_what_the_platform_does_not_grant(api: BotApi, method: str, asked: dict[str, Any], code: int) -> None:
    answer = api.api(method, **{"chat_id": api.person(), **asked})
    assert (answer["ok"], answer["error_code"]) == (False, code)


def test_a_wrong_token_opens_nothing(api: BotApi) -> None:
    assert api.api("getMe", token="7000000001:AAnother-token-of-the-form")["error_code"] == 401


def test_a_bot_of_another_platform_is_not_answered(tmp_path: Path) -> None:
    with bot_api(tmp_path, "telegram") as telegram:
        answer = telegram.client.post(f"/zalo-bot-api/bot{TOKEN}/getMe", json={})
    assert answer.json()["error_code"] == 401


def test_our_own_adapter_is_understood(api: BotApi, http: Http) -> None:
    account = adapter.account_of(http, config(api))
    assert (account.id, account.name) == (TOKEN.partition(":")[0], "bot.duc_hue_bot")
    adapter.bring(http, config(api), "https://x.example.vn/hook")
    assert adapter.bringing(http, config(api)).url == "https://x.example.vn/hook"
    adapter.bring(http, config(api), "")
    assert adapter.bringing(http, config(api)).url == ""
    hoa = api.person()
    sent = adapter.send(http, config(api), Secret(TOKEN), OutboundMessage(f"zalo_bot:{hoa}", "Đã tiếp nhận"))
    [entry] = api.ledger(hoa)
    assert sent.external_id == f"{hoa}:{entry['message_id']}"
    assert entry["text_head"] == "Đã tiếp nhận"
    assert api.api("sendPhoto", chat_id=hoa, photo="https://x.example.vn/a.jpg", caption="Ảnh")["ok"]
    assert api.api("sendChatAction", chat_id=hoa, action="typing")["ok"]


def test_an_event_is_given_up_as_it_is_handed_over(api: BotApi, http: Http) -> None:
    hoa = api.person()
    api.says(hoa, "một")
    api.says(hoa, "hai")
    said = [fetched(api, http) for _ in range(3)]
    assert [[word.text for word in words] for words in said] == [["một"], ["hai"], []]


def test_whoever_asks_waits_for_the_first_event(api: BotApi) -> None:
    hoa = api.person()
    assert api.api("getUpdates", timeout="0")["error_code"] == 408
    threading.Timer(0.05, lambda: api.says(hoa, "một")).start()
    assert api.api("getUpdates", timeout="5")["result"]["message"]["text"] == "một"


def test_what_is_brought_cannot_be_asked_for_and_nobody_says_so(api: BotApi) -> None:
    api.says(api.person(), "một")
    api.api("setWebhook", url="https://x.example.vn/", secret_token=WEBHOOK_SECRET)
    assert api.api("getUpdates", timeout="0")["error_code"] == 408


def test_a_picture_a_voice_a_sticker_and_what_the_platform_keeps_to_itself(api: BotApi, http: Http) -> None:
    hoa = api.person()
    photo = {"name": "a.png", "hex": sample_photo().hex()}
    for kind in ("photo", "voice", "sticker", "unsupported"):
        api.says(hoa, "đây" if kind == "photo" else "", kind=kind, files=[photo] if kind in {"photo", "voice"} else [])
    words = [fetched(api, http)[0] for _ in range(4)]
    kinds = [word.attachments[0].kind for word in words[:3]]
    assert kinds == [AttachmentKind.IMAGE, AttachmentKind.AUDIO, AttachmentKind.STICKER]
    assert words[0].text == "đây"
    assert api.client.get(words[0].attachments[0].url).content == sample_photo()
    assert isinstance(words[3], InboundMessage)
    assert words[3].is_withheld


def test_events_are_brought_with_the_secret_until_they_are_taken(api: BotApi, listener: Listener) -> None:
    api.box.start()
    listener.statuses = [503]
    api.api("setWebhook", url=listener.url, secret_token=WEBHOOK_SECRET)
    hoa = api.person()
    api.says(hoa, "một")
    first, second = listener.wait_for(2)
    assert first.body == second.body
    assert adapter.admit(first, config(api)).key == adapter.admit(second, config(api)).key
    api.control("again")
    third = listener.wait_for(3)[2]
    assert adapter.parse(third.body) == adapter.parse(first.body)
    assert third.headers[SECRET_HEADER] == WEBHOOK_SECRET
    with pytest.raises(Exception, match="forged"):
        adapter.admit(WebhookRequest("POST", {SECRET_HEADER: "x"}, third.body), config(api))


def test_two_events_can_come_in_the_wrong_order(api: BotApi, http: Http) -> None:
    hoa = api.person()
    api.says(hoa, "một")
    api.says(hoa, "hai")
    api.control("swap")
    assert [fetched(api, http)[0].text for _ in range(2)] == ["hai", "một"]


@pytest.mark.parametrize(
    ("fault", "error", "accepted"),
    [
        ({"kind": "error", "code": 403, "message": "Internal server error"}, OutcomeUnknown, 0),
        ({"kind": "status", "status": 401}, ChannelRefused, 0),
        ({"kind": "status", "status": 404}, ContactUnreachable, 0),
        ({"kind": "status", "status": 400}, MessageRefused, 0),
        ({"kind": "status", "status": 429, "retry_after": 9}, TemporarilyRefused, 0),
        ({"kind": "status", "status": 502}, OutcomeUnknown, 0),
        ({"kind": "drop", "when": "after"}, OutcomeUnknown, 1),
        ({"kind": "slow", "when": "after", "seconds": 0.8}, OutcomeUnknown, 1),
        ({"kind": "malformed"}, OutcomeUnknown, 1),
        ({"kind": "token_expired"}, ChannelRefused, 0),
    ],
    ids=lambda value: value.get("kind", "") if isinstance(value, dict) else None,
)
def test_a_fault_on_demand(
    api: BotApi, http: Http, fault: dict[str, Any], error: type[SendError], accepted: int
) -> None:
    hoa = api.person()
    api.fault(**fault)
    message = OutboundMessage(f"zalo_bot:{hoa}", "Đã tiếp nhận")
    with pytest.raises(error) as found:
        adapter.send(http, config(api), Secret(TOKEN), message)
    assert getattr(found.value, "retry_after", 9) == 9
    assert len(api.ledger(hoa)) == accepted
    api.fault("clear")
    adapter.send(http, config(api), Secret(TOKEN), message)
    ledger = api.ledger(hoa)
    assert len(ledger) == accepted + 1
    assert ledger[-1]["answered"]
    repeats = api.client.get("/control/zalo_bot/ledger/repeats").json()["repeats"]
    assert [one["times"] for one in repeats] == ([2] if accepted else [])


@pytest.mark.parametrize("asked", [{"kind": "fly"}, {"kind": "drop", "applies_to": "upload"}, {"kind": ""}])
def test_a_fault_that_is_none_is_said_so(api: BotApi, asked: dict[str, str]) -> None:
    answer = api.client.post("/control/zalo_bot/faults", json=asked)
    assert answer.status_code == 400
    assert "kind must be one of" in answer.text or "JSON" in answer.text


# ---- the phone ------------------------------------------------------------------------------------------------------


def test_a_phone_works_without_javascript_and_offers_only_what_the_platform_has(api: BotApi, http: Http) -> None:
    page = api.client.post("/zalo-bot/", data={"name": "Cô Hoa"}, follow_redirects=True)
    assert "Cô Hoa (tập dượt)" in page.text
    assert "trên Zalo Bot" in page.text
    assert "Nút Bắt đầu" not in page.text
    [action] = set(re.findall(r'<form method="post" action="([^"]+)"', page.text))
    api.client.post(action, data={"kind": "text", "text": "đèn đường hỏng"}, follow_redirects=True)
    shown = api.client.post(action, data={"kind": "unsupported"}, follow_redirects=True)
    assert "đèn đường hỏng" in shown.text
    assert "Tin thuộc loại kênh không đọc được" in shown.text
    assert fetched(api, http)[0].text == "đèn đường hỏng"
    refused = api.client.post(action, data={"kind": "contact"}, headers={"Accept": "application/json"})
    assert refused.json() == {"ok": False, "notice": "Không có thao tác này."}


def test_the_phones_are_linked_with_each_other(api: BotApi) -> None:
    home = api.client.get("/phone/").text
    assert 'href="/zalo-bot/"' in home
    assert 'href="/telegram/"' not in home
    assert 'href="/phone/"' in api.client.get("/zalo-bot/").text


def test_a_form_of_another_site_does_nothing(api: BotApi) -> None:
    hoa = api.person()
    headers = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    answer = api.client.post(f"/zalo-bot/{hoa}/acts", data={"text": "x"}, headers=headers)
    assert answer.status_code == 403
    until(lambda: api.api("getUpdates")["error_code"] == 408)
