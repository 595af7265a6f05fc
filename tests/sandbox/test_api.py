"""The sandbox's OpenAPI refuses what the real one refuses and remembers what it accepted."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from adapters.errors import (
    ContactUnreachable,
    MessageRefused,
    OutcomeUnknown,
    SendError,
    TemporarilyRefused,
    TokenRejected,
    WindowClosed,
)
from adapters.http import Http
from adapters.messages import OutboundImage, OutboundMessage
from adapters.secret import Secret
from adapters.zalo import Zalo, ZaloConfig, code_challenge
from tests.builders import APP, APP_SECRET, OA, OA_SECRET
from tests.sandbox.running import ACCESS, REFRESH, Running, running

adapter = Zalo()
OAUTH = "/v4/oa/access_token"


def send(zalo: Running, user: str, text: str = "Xin chào", **more: Any) -> str:
    """Send with the gateway's own adapter."""
    http = Http(read_seconds=0.5, call_seconds=1)
    try:
        message = OutboundMessage(f"zalo:{user}", text, **more)
        return adapter.send(http, config(zalo), Secret(ACCESS), message).external_id
    finally:
        http.close()


def config(zalo: Running) -> ZaloConfig:
    return adapter.config(
        {"app_id": APP, "oa_id": OA, "is_sandbox": True, "api_base": zalo.url, "oauth_base": zalo.url},
        {"app_secret": APP_SECRET, "oa_secret": OA_SECRET},
    )


def refresh(zalo: Running, token: str = REFRESH, secret: str = APP_SECRET, app_id: str = APP) -> Any:
    form = {"refresh_token": token, "app_id": app_id, "grant_type": "refresh_token"}
    return zalo.client.post(OAUTH, data=form, headers={"secret_key": secret}).json()


# --- sending ----------------------------------------------------------------------------------------------------------


def test_an_accepted_message_is_in_the_ledger_once(zalo: Running) -> None:
    user = zalo.citizen()
    message_id = send(zalo, user, "Đã tiếp nhận phản ánh")
    (entry,) = zalo.ledger()
    assert (entry["message_id"], entry["user_id"], entry["text_head"]) == (message_id, user, "Đã tiếp nhận phản ánh")
    assert zalo.client.get("/control/ledger/repeats").json() == {"repeats": []}


def test_the_same_words_twice_are_reported_as_a_repeat(zalo: Running) -> None:
    user = zalo.citizen()
    send(zalo, user)
    send(zalo, user)
    (repeat,) = zalo.client.get("/control/ledger/repeats").json()["repeats"]
    assert repeat["times"] == 2


def test_a_picture_is_uploaded_and_shown(zalo: Running) -> None:
    user = zalo.citizen()
    jpg = b"\xff\xd8\xff" + b"x" * 50
    send(zalo, user, "Ảnh kết quả", image=OutboundImage(jpg, "anh.jpg", "image/jpeg"))
    (message,) = zalo.client.get(f"/control/citizens/{user}/messages").json()["messages"]
    assert zalo.client.get(message["attachments"][0]["payload"]["url"]).content == jpg


def test_a_known_message_can_be_quoted(zalo: Running) -> None:
    user = zalo.citizen()
    said = zalo.says(user, "Mục số 2 là sao")["msg_id"]
    send(zalo, user, quoted_external_id=said)
    assert zalo.client.get(f"/control/citizens/{user}/messages").json()["messages"][-1]["quote"] == said


def test_a_foreign_quote_is_refused_and_the_words_go_without_it(zalo: Running) -> None:
    assert send(zalo, zalo.citizen(), quoted_external_id="of-somebody-else")
    assert len(zalo.ledger()) == 1


REFUSED = [
    ("nobody", lambda z: send(z, "123"), MessageRefused),
    ("a stranger who never spoke", lambda z: send(z, z.citizen(follow=False)), WindowClosed),
    ("a silence of eight days", lambda z: send(z, idle(z, 8)), WindowClosed),
    ("somebody who left", lambda z: send(z, left(z)), WindowClosed),
    ("somebody who blocked us", lambda z: send(z, blocked(z)), ContactUnreachable),
    ("too many words", lambda z: send(z, z.citizen(), "x" * 2_001), MessageRefused),
]


def idle(zalo: Running, days: float) -> str:
    user = zalo.citizen()
    zalo.control(f"citizens/{user}", idle_days=days)
    return user


def left(zalo: Running) -> str:
    user = zalo.citizen()
    zalo.says(user, kind="unfollow")
    return user


def blocked(zalo: Running) -> str:
    user = zalo.citizen()
    zalo.fault("block", user_id=user)
    return user


@pytest.mark.parametrize(("label", "act", "kind"), REFUSED, ids=[row[0] for row in REFUSED])
def test_who_may_not_be_written_to_is_not(label: str, act: Any, kind: type[SendError], zalo: Running) -> None:
    with pytest.raises(kind):
        act(zalo)
    assert zalo.ledger() == []


def test_six_days_are_inside_the_window_but_not_free(zalo: Running) -> None:
    quota = zalo.text_to(idle(zalo, 6))["data"]["quota"]
    assert quota["quota_type"] == "sub_quota"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("words", -201),
        ({}, -201),
        ({"text": " "}, -201),
        ({"text": 5}, -201),
        ({"attachment": {"type": "image", "payload": {"url": "https://x.vn/a.jpg"}}}, -201),
        ({"attachment": {"type": "file", "payload": {"token": "nothing"}}}, -201),
        ({"attachment": {"type": "template", "payload": {"template_type": "media", "elements": []}}}, -201),
        ({"attachment": {"type": "template", "payload": {"template_type": "promotion", "elements": [{}]}}}, -233),
    ],
)
def test_a_message_of_the_wrong_shape_is_refused(message: object, code: int, zalo: Running) -> None:
    body = {"recipient": {"user_id": zalo.citizen()}, "message": message}
    assert zalo.api("/v3.0/oa/message/cs", body)["error"] == code


@pytest.mark.parametrize("recipient", [None, {}, {"user_id": 5}, {"user_id": "' OR 1=1 --"}, []])
def test_a_recipient_nobody_is_is_refused(recipient: object, zalo: Running) -> None:
    body = {"recipient": recipient, "message": {"text": "Xin chào"}}
    assert zalo.api("/v3.0/oa/message/cs", body)["error"] == -201


def test_the_old_path_is_closed(zalo: Running) -> None:
    body = {"recipient": {"user_id": zalo.citizen()}, "message": {"text": "Xin chào"}}
    assert zalo.api("/v2.0/oa/message", body)["error"] == -240


def test_an_upload_without_an_ending_succeeds_and_keeps_nothing(zalo: Running) -> None:
    answer = zalo.client.post(
        "/v2.0/oa/upload/image",
        files={"file": ("anh", b"\xff\xd8\xff", "image/jpeg")},
        headers={"access_token": ACCESS},
    ).json()
    assert answer == {"data": {}, "error": 0, "message": "Success"}


def test_the_limit_of_a_minute_is_kept(tmp_path: Path) -> None:
    with running(tmp_path, requests_per_minute=3) as zalo:
        user = zalo.citizen()
        if time.time() % 60 > 57:
            time.sleep(3.5)
        codes = [zalo.text_to(user)["error"] for _ in range(5)]
    assert codes == [0, 0, 0, -32, -32]


# --- faults -----------------------------------------------------------------------------------------------------------

FAULTS = [
    ({"kind": "error", "code": -216}, TokenRejected, 0),
    ({"kind": "error", "code": -32}, TemporarilyRefused, 0),
    ({"kind": "error", "code": -230}, WindowClosed, 0),
    ({"kind": "status", "status": 500}, OutcomeUnknown, 0),
    ({"kind": "status", "status": 429, "retry_after": 7}, TemporarilyRefused, 0),
    ({"kind": "drop", "when": "before"}, OutcomeUnknown, 0),
    ({"kind": "drop", "when": "after"}, OutcomeUnknown, 1),
    ({"kind": "slow", "when": "before", "seconds": 0.8}, OutcomeUnknown, 1),
    ({"kind": "slow", "when": "after", "seconds": 0.8}, OutcomeUnknown, 1),
]


@pytest.mark.parametrize(
    ("fault", "kind", "accepted"), FAULTS, ids=[" ".join(map(str, f.values())) for f, _, _ in FAULTS]
)
def test_each_fault_happens_once_when_asked_for(
    fault: dict[str, Any], kind: type[SendError], accepted: int, zalo: Running
) -> None:
    user = zalo.citizen()
    zalo.fault(**fault)
    with pytest.raises(kind):
        send(zalo, user)
    time.sleep(0.6 if fault["kind"] == "slow" else 0)
    assert len(zalo.ledger()) == accepted
    assert send(zalo, user)


def test_an_answer_that_was_lost_is_marked_in_the_ledger(zalo: Running) -> None:
    user = zalo.citizen()
    zalo.fault("drop", when="after")
    with pytest.raises(OutcomeUnknown):
        send(zalo, user)
    assert [entry["answered"] for entry in zalo.ledger()] == [False]


def test_faults_can_be_called_off(zalo: Running) -> None:
    zalo.fault("status", count=5)
    assert len(zalo.client.get("/control/faults").json()["faults"]) == 1
    zalo.fault("clear")
    assert send(zalo, zalo.citizen())


@pytest.mark.parametrize(
    "asked",
    [
        {"kind": "flood"},
        {"kind": "error", "applies_to": "tea"},
        {"kind": "slow", "when": "never"},
        {"kind": "error", "code": "x"},
        {"kind": "block", "user_id": "1"},
    ],
)
def test_a_fault_nobody_knows_is_refused(asked: dict[str, Any], zalo: Running) -> None:
    assert zalo.client.post("/control/faults", json=asked).status_code == 400


# --- tokens -----------------------------------------------------------------------------------------------------------


def test_a_refresh_token_works_once(zalo: Running) -> None:
    first = refresh(zalo)
    assert first["expires_in"] == "90000"
    assert refresh(zalo)["error"] == -14014
    assert refresh(zalo, first["refresh_token"])["access_token"] != first["access_token"]


def test_a_new_access_token_voids_the_one_before(tmp_path: Path) -> None:
    with running(tmp_path, access_token_grace=0) as zalo:
        user = zalo.citizen()
        fresh = refresh(zalo)["access_token"]
        assert zalo.text_to(user)["error"] == -216
        body = {"recipient": {"user_id": user}, "message": {"text": "Xin chào"}}
        assert zalo.api("/v3.0/oa/message/cs", body, token=fresh)["error"] == 0


def test_an_expired_token_says_so(zalo: Running) -> None:
    zalo.fault("token_expired")
    assert zalo.text_to(zalo.citizen())["error"] == -220
    assert zalo.text_to("1", "x")["error"] == -220


def test_a_spent_refresh_token_needs_a_person(zalo: Running) -> None:
    zalo.fault("refresh_invalid")
    assert refresh(zalo)["error"] == -14014


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"secret": "another"}, -14004),
        ({"app_id": "1"}, -14002),
        ({"token": "made-up"}, -14014),
        ({"token": ""}, -14014),
    ],
)
def test_the_token_endpoint_refuses_with_http_200(asked: dict[str, str], code: int, zalo: Running) -> None:
    assert refresh(zalo, **asked)["error"] == code


def test_no_token_no_service(zalo: Running) -> None:
    assert zalo.api("/v3.0/oa/message/cs", {}, token="")["error"] == -216
    assert zalo.lookup("/v2.0/oa/getoa", token="made-up")["error"] == -216


def test_the_proof_is_demanded_where_it_is_switched_on(tmp_path: Path) -> None:
    with running(tmp_path, requires_proof=True) as zalo:
        user = zalo.citizen()
        assert zalo.text_to(user)["error"] == -242
        proof = hmac.new(APP_SECRET.encode(), ACCESS.encode(), hashlib.sha256).hexdigest()
        headers = {"access_token": ACCESS, "appsecret_proof": proof}
        assert zalo.client.get("/v2.0/oa/getoa", headers=headers).json()["error"] == 0


def test_an_administrators_consent_buys_the_first_pair(tmp_path: Path) -> None:
    with running(tmp_path, redirect_uri="http://127.0.0.1:8000/zalo/xong") as zalo:
        verifier = base64.urlsafe_b64encode(b"v" * 32).rstrip(b"=").decode()
        asked = {
            "app_id": APP,
            "redirect_uri": "http://127.0.0.1:8000/zalo/xong",
            "code_challenge": code_challenge(verifier),
            "state": "state-1",
        }
        page = zalo.client.get("/v4/oa/permission", params=asked)
        assert page.status_code == 200
        assert "Xã Đức Huệ" in page.text
        decided = zalo.client.post("/v4/oa/permission", data={**asked, "oa_id": OA, "decision": "approve"})
        back = parse_qs(urlsplit(decided.headers["location"]).query)
        assert (decided.status_code, back["state"], back["oa_id"]) == (302, ["state-1"], [OA])
        http = Http()
        with pytest.raises(Exception, match="zalo_oauth_-118"):
            adapter.exchange_code(http, config(zalo), back["code"][0], "another-verifier")
        decided = zalo.client.post("/v4/oa/permission", data={**asked, "oa_id": OA, "decision": "approve"})
        code = parse_qs(urlsplit(decided.headers["location"]).query)["code"][0]
        tokens = adapter.exchange_code(http, config(zalo), code, verifier)
        with pytest.raises(Exception, match="zalo_oauth_-118"):
            adapter.exchange_code(http, config(zalo), code, verifier)
        http.close()
        assert zalo.lookup("/v2.0/oa/getoa", token=tokens.access)["error"] == 0


@pytest.mark.parametrize("uri", ["http://evil.example.vn/", "javascript:alert(1)", ""])
def test_a_callback_that_is_not_the_registered_one_is_refused(uri: str, tmp_path: Path) -> None:
    with running(tmp_path, redirect_uri="http://127.0.0.1:8000/zalo/xong") as zalo:
        answer = zalo.client.get("/v4/oa/permission", params={"app_id": APP, "redirect_uri": uri})
        assert answer.status_code == 400
        assert "-14003" in answer.text


# --- questions --------------------------------------------------------------------------------------------------------


def test_followers_are_listed_fifty_at_a_time(zalo: Running) -> None:
    zalo.control("citizens", count=60, announce=False)
    found = zalo.lookup("/v3.0/oa/user/getlist", '{"offset":50,"count":50,"is_follower":"true"}')["data"]
    assert (found["total"], found["count"]) == (60, 10)
    assert zalo.lookup("/v3.0/oa/user/getlist", '{"count":51}')["error"] == -210


def test_a_conversation_can_be_read_back(zalo: Running) -> None:
    user = zalo.citizen()
    zalo.says(user, "Đèn hỏng")
    send(zalo, user, "Đã tiếp nhận")
    rows = zalo.lookup("/v2.0/oa/conversation", json.dumps({"user_id": user, "count": 10}))["data"]
    assert [(row["src"], row["message"]) for row in rows] == [(0, "Đã tiếp nhận"), (1, "Đèn hỏng")]
    (latest,) = zalo.lookup("/v2.0/oa/listrecentchat")["data"]
    assert latest["message"] == "Đã tiếp nhận"
    assert zalo.lookup("/v2.0/oa/conversation", json.dumps({"user_id": user, "count": 11}))["error"] == -210


def test_the_window_clock_can_be_asked_for(zalo: Running) -> None:
    user = zalo.citizen()
    zalo.says(user, "Xin chào")
    clock = zalo.api("/v3.0/oa/quota/message", {"user_id": user})["data"]["last_interaction"]
    assert abs(int(clock) / 1000 - time.time()) < 5


@pytest.mark.parametrize("data", ["[]", "{", '{"user_id": 5}', '{"user_id": "1"}'])
def test_a_question_that_makes_no_sense_is_refused(data: str, zalo: Running) -> None:
    assert zalo.lookup("/v3.0/oa/user/detail", data)["error"] == -201


def test_an_address_the_platform_does_not_have_is_empty(zalo: Running) -> None:
    answer = zalo.client.post("/v3.0/oa/nothing", headers={"access_token": ACCESS})
    assert (answer.status_code, answer.json()["message"]) == (404, "Empty api")


def test_one_apps_tokens_open_nothing_without_their_header(zalo: Running) -> None:
    answer = httpx.post(zalo.url + "/v3.0/oa/message/cs", params={"access_token": ACCESS}, json={})
    assert answer.json()["error"] == -216


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/v3.0/oa/message/template", {"template_id": "999"}, -249),
        ("/v3.0/oa/message/template", {"template_id": "400002"}, -249),
        ("/v3.0/oa/message/template", {"template_id": "400001", "user_id": "nobody"}, -201),
        ("/message/template", {"template_id": "999", "phone": "84900000005"}, -131),
        ("/message/template", {"template_id": "400002", "phone": "0900000005"}, -108),
        ("/message/template", {"template_id": "400002", "phone": "84900000005"}, -118),
        ("/v2.0/article/create", {"type": "normal", "title": "x" * 151}, -201),
        ("/v2.0/article/create", {"type": "normal", "title": "a", "author": "b", "description": "c"}, -201),
        ("/v2.0/article/verify", {"token": "none"}, -201),
        ("/v2.0/oa/message", {"recipient": {"target": {}}, "message": {"text": "to all"}}, -201),
    ],
)
def test_what_cannot_be_sent_to_many_or_as_a_template_is_refused(
    zalo: Running, path: str, body: dict[str, Any], code: int
) -> None:
    assert zalo.api(path, body)["error"] == code
    assert zalo.ledger() == []


def test_a_template_without_one_of_its_values_is_refused(zalo: Running) -> None:
    user = zalo.citizen()
    body = {"user_id": user, "template_id": "400001", "template_data": {"ma_phan_anh": "PA26-1"}}
    assert zalo.api("/v3.0/oa/message/template", body)["error"] == -201
    assert zalo.ledger() == []
