"""The pretend Telegram: refuses what the real one refuses, forgets nothing, and has phones with buttons."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from adapters.http import Http
from adapters.secret import Secret
from adapters.telegram import SECRET_HEADER, Telegram, TelegramConfig
from bot.web.sandbox.media import sample_photo
from tests.bots import TOKEN, WEBHOOK_SECRET
from tests.sandbox.bots import BotApi, bot_api
from tests.sandbox.running import Listener, until


@pytest.fixture
def api(tmp_path: Path) -> Iterator[BotApi]:
    with bot_api(tmp_path) as found:
        yield found


def button(label: str, data: str = "") -> dict[str, object]:
    return {"inline_keyboard": [[{"text": label, "callback_data": data or label}]]}


@pytest.mark.parametrize(("token", "code"), [("7000000001:AAAnother-token-of-the-same-form", 401), ("nonsense", 404)])
def test_a_wrong_token_opens_nothing(api: BotApi, token: str, code: int) -> None:
    assert api.api("getMe", token=token)["error_code"] == code


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"text": ""}, "text is empty"),
        ({"text": "ữ" * 4_097}, "too long"),
        ({"text": "x", "reply_markup": button("x", "ữ" * 40)}, "BUTTON_DATA_INVALID"),
        ({"text": "x", "reply_parameters": {"message_id": 99}}, "to be replied not found"),
        ({"text": "x", "chat_id": 1}, "chat not found"),
        ({"text": "x", "reply_markup": "{"}, "can't parse"),
    ],
)
def test_what_telegram_refuses_is_refused_here(api: BotApi, asked: dict[str, object], words: str) -> None:
    answer = api.api("sendMessage", **{"chat_id": api.person(), **asked})
    assert (answer["ok"], answer["error_code"]) == (False, 400)
    assert words in answer["description"]


def test_our_own_adapter_is_understood(api: BotApi) -> None:
    http, config = Http(), TelegramConfig(Secret(TOKEN), Secret(WEBHOOK_SECRET), api_base=api.url)
    assert Telegram().account_of(http, config).name == "duc_hue_bot"
    assert api.api("nothing")["error_code"] == 404
    http.close()


def test_an_update_waits_until_it_is_given_up(api: BotApi) -> None:
    hoa = api.person()
    [first] = api.says(hoa, "một")
    [second] = api.says(hoa, "hai")
    assert [u["update_id"] for u in api.api("getUpdates")["result"]] == [first, second]
    assert [u["update_id"] for u in api.api("getUpdates", offset=second)["result"]] == [second]
    assert api.api("getUpdates", offset=second + 1)["result"] == []


def test_whoever_asks_waits_for_the_first_update(api: BotApi) -> None:
    hoa = api.person()
    threading.Timer(0.05, lambda: api.says(hoa, "một")).start()
    assert len(api.api("getUpdates", timeout=5)["result"]) == 1


def test_updates_that_nobody_asked_for_are_not_made(api: BotApi) -> None:
    hoa = api.person()
    api.api("getUpdates", allowed_updates=["message"])
    api.says(hoa, kind="block")
    assert api.api("getUpdates")["result"] == []


def test_who_brings_is_not_asked(api: BotApi) -> None:
    api.api("setWebhook", url="https://x.example.vn/")
    assert api.api("getUpdates")["error_code"] == 409


def test_only_https_is_taken_for_a_webhook(api: BotApi) -> None:
    assert "HTTPS" in api.api("setWebhook", url="http://x.example.vn/")["description"]


def test_updates_are_brought_in_order_until_they_are_taken(api: BotApi, listener: Listener) -> None:
    api.box.start()
    listener.statuses = [503, 503]
    api.api("setWebhook", url=listener.url, secret_token=WEBHOOK_SECRET)
    hoa = api.person()
    api.says(hoa, "một")
    api.says(hoa, "hai")
    requests = listener.wait_for(4)
    assert {request.headers[SECRET_HEADER] for request in requests} == {WEBHOOK_SECRET}
    assert [b"hai" in request.body for request in requests] == [False, False, False, True]
    until(lambda: api.api("getWebhookInfo")["result"]["pending_update_count"] == 0)
    api.control("again")
    assert b"hai" in listener.wait_for(5)[4].body


def test_a_button_is_pressed_once_it_is_there(api: BotApi) -> None:
    hoa = api.person()
    sent = api.api("sendMessage", chat_id=hoa, text="?", reply_markup=button("Có"))["result"]
    api.says(hoa, "Có", kind="tap", message_id=sent["message_id"])
    [update] = api.api("getUpdates")["result"]
    tap = update["callback_query"]
    assert (tap["data"], tap["message"]["text"]) == ("Có", "?")
    assert api.api("answerCallbackQuery", callback_query_id=tap["id"])["ok"]
    assert "too old" in api.api("answerCallbackQuery", callback_query_id="0")["description"]


# ---- the phone ------------------------------------------------------------------------------------------------------


def forms(html: str) -> list[str]:
    return re.findall(r'<form method="post" action="([^"]+)"', html)


def test_a_phone_works_without_javascript(api: BotApi) -> None:
    page = api.client.post("/telegram/", data={"name": "Cô Hoa"}, follow_redirects=True)
    assert 'lang="vi"' in page.text
    assert "Cô Hoa (tập dượt)" in page.text
    assert "MÔI TRƯỜNG TẬP DƯỢT" in page.text
    [action] = set(forms(page.text))
    answered = api.client.post(action, data={"kind": "text", "text": "đèn đường hỏng"}, follow_redirects=True)
    assert "đèn đường hỏng" in answered.text
    assert 'name="kind" value="edit"' in answered.text


def test_a_phone_shows_buttons_and_what_was_pressed(api: BotApi) -> None:
    hoa = api.person()
    api.api("sendMessage", chat_id=hoa, text="Có hài lòng không?", reply_markup=button("Hài lòng"))
    page = api.client.get(f"/telegram/{hoa}")
    assert '<button type="submit">Hài lòng' in page.text
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text)[:3])
    assert fields["kind"] == "tap"
    answer = api.client.post(f"/telegram/{hoa}/acts", data=fields, headers={"Accept": "application/json"})
    assert answer.json() == {"ok": True, "notice": ""}
    assert "Hài lòng ✓" in api.client.get(f"/telegram/{hoa}").text


def test_a_phone_shows_keys_that_hand_something_over_and_uses_them(api: BotApi) -> None:
    hoa = api.person()
    keys = {"keyboard": [[{"text": "Gửi số của tôi", "request_contact": True}], [{"text": "Bỏ qua"}]]}
    api.api("sendMessage", chat_id=hoa, text="Xin cho biết họ tên", reply_markup=keys)
    page = api.client.get(f"/telegram/{hoa}")
    assert '<button type="submit">Gửi số của tôi</button>' in page.text
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text)[:1])
    assert fields == {"kind": "contact"}
    api.client.post(f"/telegram/{hoa}/acts", data=fields)
    shared = [u["message"]["contact"] for u in api.api("getUpdates")["result"]]
    assert [card["user_id"] for card in shared] == [hoa]


@pytest.mark.parametrize(
    ("fields", "notice"),
    [
        ({"kind": "text", "text": " "}, "còn trống"),
        ({"kind": "fly"}, "Không có thao tác"),
        ({"kind": "tap", "text": "x", "message_id": "1"}, "không còn nữa"),
        ({"kind": "edit", "text": "x"}, "Chưa có tin nào"),
        ({"kind": "block"}, "Đã chặn bot"),
        ({"kind": "contact"}, "Đã chia sẻ"),
    ],
)
def test_a_phone_says_what_became_of_it(api: BotApi, fields: dict[str, str], notice: str) -> None:
    hoa = api.person()
    page = api.client.post(f"/telegram/{hoa}/acts", data=fields, follow_redirects=True)
    assert page.status_code == 200
    assert notice in page.text


def test_several_photos_are_an_album_and_are_shown(api: BotApi) -> None:
    hoa = api.person()
    files = [("files", (f"{n}.png", sample_photo(), "image/png")) for n in range(2)]
    api.client.post(f"/telegram/{hoa}/acts", data={"kind": "photo", "text": "đây"}, files=files)
    updates = api.api("getUpdates")["result"]
    assert len({u["message"]["media_group_id"] for u in updates}) == 1
    assert [u["message"].get("caption") for u in updates] == ["đây", None]
    addresses = re.findall(r'src="(/telegram/files/[^"]+)"', api.client.get(f"/telegram/{hoa}").text)
    assert [api.client.get(address).content == sample_photo() for address in addresses] == [True, True]


def test_a_form_of_another_site_does_nothing(api: BotApi) -> None:
    hoa = api.person()
    headers = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    answer = api.client.post(f"/telegram/{hoa}/acts", data={"text": "x"}, headers=headers)
    assert answer.status_code == 403
    assert api.api("getUpdates")["result"] == []


@pytest.mark.parametrize("path", ["/telegram/1", "/telegram/files/nothing"])
def test_who_is_not_there_is_said_so(api: BotApi, path: str) -> None:
    assert api.client.get(path).status_code == 404


# ---- faults and the ledger ------------------------------------------------------------------------------------------


def test_what_was_accepted_is_in_the_ledger(api: BotApi) -> None:
    hoa, lan = api.person(), api.person()
    api.says(hoa, "chào")
    for text in ("một", "một", "hai"):
        api.api("sendMessage", chat_id=hoa, text=text)
    api.fault("drop", when="after")
    with pytest.raises(httpx.HTTPError):
        api.api("sendMessage", chat_id=lan, text="ba")
    assert [(e["text_head"], e["answered"]) for e in api.ledger()] == [
        ("một", True), ("một", True), ("hai", True), ("ba", False),
    ]  # fmt: skip
    assert [e["text_head"] for e in api.ledger(lan)] == ["ba"]
    [repeat] = api.client.get("/control/telegram/ledger/repeats").json()["repeats"]
    assert (repeat["chat_id"], repeat["times"], len(repeat["message_ids"])) == (hoa, 2, 2)


def test_a_token_that_was_taken_back_opens_nothing_until_it_is_given_again(api: BotApi) -> None:
    api.fault("token_expired")
    assert api.api("getMe")["error_code"] == 401
    assert api.api("getUpdates")["error_code"] == 401
    api.fault("clear")
    assert api.api("getMe")["ok"]
