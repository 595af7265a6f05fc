"""Pretend SMS providers and old telephones: the wire as the providers describe it, each fault as it says."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from adapters.sms_text import segments
from bot.web.sandbox.sms.alphabet import NARROW, counted, words_of
from tests.sandbox.networks import KEY, NUMBER, SECRET, SIGNING, Networks, an_account, networks
from tests.sandbox.running import until
from tests.sandbox.taking import Taken, taking
from tests.sandbox.test_pages import Page

LONG = "Kính gửi UBND xã, đèn đường thôn Đông hỏng ba hôm nay, mong cán bộ cử người sửa sớm, xin cảm ơn nhiều."
PROVIDERS = ("kannel", "esms", "speedsms", "vonage")


@pytest.fixture
def gateway() -> Iterator[Taken]:
    with taking() as found:
        yield found


@pytest.fixture
def net(tmp_path: Path, gateway: Taken) -> Iterator[Networks]:
    with networks(tmp_path, an_account(callback_url=gateway.url)) as found:
        yield found


@pytest.fixture
def one(request: pytest.FixtureRequest, tmp_path: Path, gateway: Taken) -> Iterator[Networks]:
    """The networks with an account at the provider that a test names."""
    with networks(tmp_path, an_account(request.param, gateway.url, receipt_url=f"{gateway.url}/receipt")) as found:
        yield found


def send(net: Networks, phone: str, words: str = "Da sua xong", /, **more: object) -> httpx.Response:
    """Send one message as the provider of the account wants it."""
    ways = {"kannel": _kannel, "esms": _esms, "speedsms": _speedsms, "vonage": _vonage}
    return ways[net.box.settings.sms[0].provider](net, phone, words, **more)


def _kannel(net: Networks, phone: str, words: str, /, **more: str) -> httpx.Response:
    return net.sendsms(phone, words, **{"coding": "2", **more})


def _esms(net: Networks, phone: str, words: str, /, **more: object) -> httpx.Response:
    body = {
        "ApiKey": KEY, "SecretKey": SECRET, "Phone": phone, "Content": words, "Brandname": "UBND-DUCHUE",
        "SmsType": "2", "IsUnicode": "1", "Sandbox": "0", **more,
    }  # fmt: skip
    return net.client.post("/MainService.svc/json/SendMultipleMessage_V4_post_json/", json=body)


def _speedsms(net: Networks, phone: str, words: str, /, **more: object) -> httpx.Response:
    body = {"to": [phone], "content": words, "sms_type": 3, "sender": "UBND-DUCHUE"}
    token = str(more.pop("token", KEY))
    return net.client.post("/index.php/sms/send", json={**body, **more}, auth=(token, "x"))


def _vonage(net: Networks, phone: str, words: str, /, **more: object) -> httpx.Response:
    body = {"api_key": KEY, "api_secret": SECRET, "to": phone, "from": NUMBER, "text": words, "type": "unicode", **more}
    return net.client.post("/sms/json", data=body)


# ---- alphabets ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["a" * 160, "a" * 161, "[x]" * 60, "Đèn hỏng " * 20, "😀" * 50, "[€]" * 100, LONG])
def test_two_readings_of_the_standard_agree(text: str) -> None:
    mine, ours = counted(text), segments(text)
    assert (len(mine.pieces), mine.units) == (ours.count, ours.units)
    assert tuple(words_of(piece, mine.alphabet) for piece in mine.pieces) == ours.parts
    assert (mine.alphabet == NARROW) is not ours.is_unicode


# ---- sending --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("one", PROVIDERS, indirect=True)
def test_a_message_arrives_and_stands_in_the_ledger(one: Networks) -> None:
    hoa = one.phone()
    assert send(one, hoa, "Đã sửa xong").is_success
    [row] = one.ledger()
    assert (row["phone"], row["text_head"], row["alphabet"], row["pieces"]) == (hoa, "Đã sửa xong", "UCS-2", 1)
    assert (row["fate"], row["answered"]) == ("arrived", True)
    assert one.heard(hoa) == ["Đã sửa xong"]
    assert one.repeats() == []


def test_answers_are_those_of_the_providers(tmp_path: Path) -> None:
    said = {}
    for provider in PROVIDERS:
        with networks(tmp_path / provider, an_account(provider)) as net:
            answer = send(net, net.phone())
            said[provider] = (answer.status_code, answer.text if provider == "kannel" else answer.json())
    assert said["kannel"] == (202, "0: Accepted for delivery")
    assert said["esms"] == (200, {"CodeResult": "100", "CountRegenerate": 0, "SMSID": "sandbox-1"})
    assert said["speedsms"][1]["code"] == "00"
    assert said["speedsms"][1]["data"]["tranId"] == 1
    assert said["vonage"][1]["messages"][0]["status"] == "0"


@pytest.mark.parametrize(
    ("one", "changes", "code"),
    [
        ("kannel", {"pass": "wrong"}, 403), ("kannel", {"to": "8088"}, 400), ("kannel", {"text": " "}, 400),
        ("esms", {"ApiKey": "wrong"}, "101"), ("esms", {"Phone": "113"}, "108"), ("esms", {"SmsType": "9"}, "118"),
        ("speedsms", {"token": "wrong"}, 401), ("speedsms", {"to": ["113"]}, "105"),
        ("vonage", {"api_secret": "wrong"}, "4"), ("vonage", {"to": "113"}, "3"),
    ],
    indirect=["one"],
)  # fmt: skip
def test_what_a_provider_refuses_is_refused_here(one: Networks, changes: dict[str, object], code: object) -> None:
    answer = send(one, one.phone(), **changes)
    if isinstance(code, int):
        assert answer.status_code == code
    else:
        body = answer.json()
        assert code in {body.get("CodeResult"), body.get("code"), body.get("messages", [{}])[0].get("status")}
    assert one.ledger() == []


@pytest.mark.parametrize("one", ["esms"], indirect=True)
def test_a_name_that_was_used_is_not_used_again(one: Networks) -> None:
    hoa = one.phone()
    assert send(one, hoa, RequestId="hc-1").json()["CodeResult"] == "100"
    assert send(one, hoa, RequestId="hc-1").json()["CodeResult"] == "124"
    assert [row["our_id"] for row in one.ledger()] == ["hc-1"]


@pytest.mark.parametrize("one", ["kannel", "esms", "vonage"], indirect=True)
def test_letters_that_the_narrow_alphabet_lacks_are_lost_in_it(one: Networks) -> None:
    hoa = one.phone()
    send(one, hoa, "Đã sửa", **{"kannel": {"coding": "0"}, "esms": {"IsUnicode": "0"}, "vonage": {"type": "text"}}[
        one.box.settings.sms[0].provider
    ])  # fmt: skip
    assert one.heard(hoa) == ["?? s?a"]
    assert one.ledger()[0]["alphabet"] == "GSM-7"


@pytest.mark.parametrize(("one", "path"), [("esms", "ApiKey"), ("speedsms", "")], indirect=["one"])
def test_a_balance_is_told_to_whoever_has_the_key(one: Networks, path: str) -> None:
    if path:
        url = "/MainService.svc/json/GetBalance_json"
        answers = [one.client.post(url, json={"ApiKey": key, "SecretKey": SECRET}).json() for key in (KEY, "wrong")]
        assert [answer["CodeResponse"] for answer in answers] == ["100", "101"]
    else:
        answers = [one.client.get("/index.php/user/info", auth=(key, "x")) for key in (KEY, "wrong")]
        assert [answer.status_code for answer in answers] == [200, 401]


# ---- faults ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("one", PROVIDERS, indirect=True)
@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"kind": "status", "status": 503}, {503}),
        ({"kind": "throttle"}, {503, 429, 200}),
        ({"kind": "key"}, {403, 401, 200}),
        ({"kind": "error", "code": 146}, {400, 200}),
    ],
)
def test_a_refusal_accepts_nothing_and_is_over_after_its_count(
    one: Networks, fault: dict[str, object], status: set[int]
) -> None:
    hoa = one.phone()
    one.control("faults", **fault)
    answer = send(one, hoa)
    assert answer.status_code in status
    assert '"100"' not in answer.text
    assert '"00"' not in answer.text
    assert one.ledger() == []
    send(one, hoa)
    assert len(one.ledger()) == 1


@pytest.mark.parametrize(("when", "accepted"), [("before", 0), ("after", 1)])
def test_a_line_breaks_before_or_after_the_message_was_taken(net: Networks, when: str, accepted: int) -> None:
    net.fault("drop", when=when)
    with pytest.raises(httpx.TransportError):
        send(net, net.phone())
    until(lambda: len(net.ledger()) == accepted)
    assert [row["answered"] for row in net.ledger()] == [False] * accepted


def test_an_answer_is_withheld_although_the_message_was_taken(net: Networks) -> None:
    hoa = net.phone()
    net.fault("mute", seconds=0.8)
    with pytest.raises(httpx.ReadTimeout):
        net.client.get(
            "/cgi-bin/sendsms", params={"user": KEY, "pass": SECRET, "to": f"+{hoa}", "text": "a"}, timeout=0.2
        )
    until(lambda: [row["answered"] for row in net.ledger()] == [False])
    assert net.heard(hoa) == ["a"]


@pytest.mark.parametrize("one", PROVIDERS, indirect=True)
def test_a_broken_answer_tells_nothing(one: Networks) -> None:
    one.fault("malformed")
    answer = send(one, one.phone())
    assert answer.status_code == 200
    assert len(answer.content) < 10
    assert len(one.ledger()) == 1


def test_a_slow_provider_answers_in_the_end(net: Networks) -> None:
    hoa = net.phone()
    net.fault("slow", seconds=0.3)
    with pytest.raises(httpx.ReadTimeout):
        net.client.get("/cgi-bin/sendsms", params={"user": KEY, "pass": SECRET, "to": hoa, "text": "a"}, timeout=0.1)
    until(lambda: len(net.ledger()) == 1)
    net.fault("slow", seconds=0.01, when="after")
    assert net.sendsms(hoa, "b").status_code == 202


@pytest.mark.parametrize(
    "asked", [{"kind": "fly"}, {"kind": "repeat"}, {"kind": "throttle", "applies_to": "bind"}, {"kind": "drop", "x": 1}]
)
def test_a_fault_that_there_is_not_is_explained(net: Networks, asked: dict[str, object]) -> None:
    answer = net.client.post("/control/sms/faults", json=asked)
    assert answer.status_code == 400
    assert "send: throttle" in answer.json()["message"]


def test_faults_can_be_called_off(net: Networks) -> None:
    net.fault("throttle", count=5)
    assert net.client.get("/control/sms/faults").json()["faults"][0]["remaining"] == 5
    net.fault("clear")
    assert send(net, net.phone()).status_code == 202


# ---- receipts -------------------------------------------------------------------------------------------------------

RECEIPT = {"dlr-mask": "31", "dlr-url": "{url}/receipt?id=hc-1&type=%d&answer=%A&from=%p"}


def wanted(gateway: Taken, **changes: str) -> dict[str, str]:
    return {name: value.format(url=gateway.url) for name, value in {**RECEIPT, **changes}.items()}


def types(gateway: Taken) -> list[str]:
    return [parse_qs(urlsplit(call.url).query)["type"][0] for call in gateway.calls if "/receipt" in call.url]


def test_receipts_come_later_one_for_each_step(net: Networks, gateway: Taken) -> None:
    net.box.start()
    net.sendsms(net.phone(), "a", **wanted(gateway))
    until(lambda: types(gateway) == ["8", "1"])
    query = parse_qs(urlsplit(gateway.calls[-1].url).query)
    assert (query["id"], query["from"]) == (["hc-1"], ["+84900000001"])


def test_a_receipt_comes_only_for_what_the_mask_asks(net: Networks, gateway: Taken) -> None:
    net.box.start()
    net.sendsms(net.phone(), "a", **wanted(gateway, **{"dlr-mask": "1"}))
    until(lambda: types(gateway) == ["1"])


@pytest.mark.parametrize("reason", ["nobody", "off", "fault"])
def test_what_does_not_arrive_is_reported_so(net: Networks, gateway: Taken, reason: str) -> None:
    net.box.start()
    hoa = net.phone()
    if reason == "off":
        net.control("switch", number=hoa)
    if reason == "fault":
        net.fault("failed", applies_to="receipt")
    net.sendsms("84999999999" if reason == "nobody" else hoa, "a", **wanted(gateway))
    until(lambda: types(gateway) == ["8", "2"])
    assert net.heard(hoa) == []
    assert net.ledger()[0]["fate"] == "failed"


@pytest.mark.parametrize(("kind", "seen"), [("repeat", ["8", "1", "1"]), ("lost", [])])
def test_receipts_may_come_twice_or_never(net: Networks, gateway: Taken, kind: str, seen: list[str]) -> None:
    net.box.start()
    net.fault(kind, applies_to="receipt")
    net.sendsms(net.phone(), "a", **wanted(gateway))
    until(lambda: net.calls("waiting") == [])
    assert types(gateway) == seen


def test_a_gateway_that_is_away_is_called_again_and_given_up_in_the_end(net: Networks, gateway: Taken) -> None:
    gateway.statuses = [503, 503]
    net.box.start()
    net.says(net.phone(), "a")
    until(lambda: [call["state"] for call in net.calls()] == ["told"])
    assert len(gateway.calls) == 3
    gateway.statuses = [503] * 20
    net.says("84900000001", "b")
    until(lambda: len(net.calls("lost")) == 1)


@pytest.mark.parametrize("one", ["esms", "speedsms", "vonage"], indirect=True)
def test_every_provider_reports_in_its_own_words(one: Networks, gateway: Taken) -> None:
    one.box.start()
    send(one, one.phone(), **({"CallbackUrl": f"{gateway.url}/receipt"} if gateway_is(one, "esms") else {}))
    wants = 0 if gateway_is(one, "vonage") else 2
    until(lambda: len(gateway.calls) >= wants and one.calls("waiting") == [])
    if gateway_is(one, "esms"):
        last = parse_qs(urlsplit(gateway.calls[-1].url).query)
        assert (last["SendStatus"], last["SendSuccess"], last["phonenumber"]) == (["5"], ["1"], ["84900000001"])
    if gateway_is(one, "speedsms"):
        assert gateway.calls[-1].json == {"type": "report", "tranId": 1, "phone": "84900000001", "status": 0}


def gateway_is(net: Networks, provider: str) -> bool:
    return net.box.settings.sms[0].provider == provider


# ---- what citizens write --------------------------------------------------------------------------------------------


def words(gateway: Taken) -> list[str]:
    """The words that the gateway was called with, in the order they came."""
    return [parse_qs(urlsplit(call.url).query)["text"][0] for call in gateway.calls]


def test_kannel_hands_over_a_long_message_whole(net: Networks, gateway: Taken) -> None:
    net.box.start()
    net.says(net.phone(), LONG)
    until(lambda: words(gateway) == [LONG])
    query = parse_qs(urlsplit(gateway.calls[0].url).query)
    assert (query["from"], query["to"], query["charset"]) == (["+84900000001"], [NUMBER], ["UTF-8"])


@pytest.mark.parametrize("one", ["esms"], indirect=True)
def test_esms_signs_and_sends_the_answer_to_the_citizen(one: Networks, gateway: Taken) -> None:
    gateway.answer = b"<ClientResponse><Message>Xa da nhan &amp; cam on</Message></ClientResponse>"
    one.box.start()
    hoa = one.phone()
    one.says(hoa, "PA den hong")
    until(lambda: one.heard(hoa) == ["Xa da nhan & cam on"])
    query = {name: values[0] for name, values in parse_qs(urlsplit(gateway.calls[0].url).query).items()}
    signed = "".join(query[name] for name in ("cpid", "smsid", "content", "receiverTime")) + SIGNING
    assert query["sign"] == base64.b64encode(hashlib.md5(signed.encode()).digest()).decode()
    assert (query["keyword"], query["serviceNumber"]) == ("PA", NUMBER)


@pytest.mark.parametrize("one", ["speedsms"], indirect=True)
def test_speedsms_posts_what_it_got(one: Networks, gateway: Taken) -> None:
    one.box.start()
    one.says(one.phone(), "den hong")
    until(lambda: [call.json for call in gateway.calls] == [
        {"type": "sms", "phone": "84900000001", "content": "den hong"}
    ])  # fmt: skip


@pytest.mark.parametrize("one", ["vonage"], indirect=True)
@pytest.mark.parametrize("shuffled", [False, True])
def test_vonage_leaves_the_pieces_to_us(one: Networks, gateway: Taken, shuffled: bool) -> None:
    if shuffled:
        one.fault("shuffle", applies_to="message")
    one.box.start()
    one.says(one.phone(), LONG)
    until(lambda: len(gateway.calls) == 2)
    queries = [parse_qs(urlsplit(call.url).query) for call in gateway.calls]
    assert [query["concat-part"] for query in queries] == ([["2"], ["1"]] if shuffled else [["1"], ["2"]])
    assert len({query["concat-ref"][0] for query in queries}) == 1
    assert "".join(words(gateway)[:: -1 if shuffled else 1]) == LONG


def test_a_message_comes_twice_with_one_id(net: Networks, gateway: Taken) -> None:
    net.fault("repeat", applies_to="message")
    net.box.start()
    net.says(net.phone(), "a")
    until(lambda: words(gateway) == ["a", "a"])
    assert len({call.url for call in gateway.calls}) == 1
    net.control("again")
    until(lambda: words(gateway) == ["a", "a", "a"])


def test_messages_can_be_told_in_the_wrong_order(net: Networks, gateway: Taken) -> None:
    net.box.start()
    hoa = net.phone()
    net.says(hoa, "một", hold=True)
    net.says(hoa, "hai", hold=True)
    assert net.control("swap") == {"swapped": True}
    until(lambda: words(gateway) == ["hai", "một"])
    net.fault("shuffle", applies_to="message")
    net.says(hoa, "ba")
    assert len(net.calls("held")) == 1
    net.says(hoa, "bốn")
    until(lambda: words(gateway) == ["hai", "một", "bốn", "ba"])


def test_what_is_held_is_let_go(net: Networks, gateway: Taken) -> None:
    net.box.start()
    net.says(net.phone(), "a", hold=True)
    assert net.control("swap") == {"swapped": False}
    until(lambda: words(gateway) == ["a"])
    net.says("84900000001", "b", hold=True)
    net.control("go")
    until(lambda: words(gateway) == ["a", "b"])


# ---- the telephone --------------------------------------------------------------------------------------------------


def test_a_telephone_works_without_javascript(net: Networks) -> None:
    page = net.client.post("/sms/", data={"name": "Cô Hoa", "number": "0912 345 678"}, follow_redirects=True)
    assert "Cô Hoa (tập dượt)" in page.text
    assert "số 0912345678" in page.text
    target = re.findall(r'<form method="post" action="([^"]+)"', page.text)[0]
    page = net.client.post(target, data={"kind": "text", "text": "Đèn hỏng\r\nở xóm 5"}, follow_redirects=True)
    assert "Đèn hỏng\nở xóm 5" in page.text
    assert "1 tin, có dấu (UCS-2), 16 ký tự" in page.text
    net.sendsms("84912345678", "a" * 161)
    assert "2 tin, không dấu (GSM-7), 161 ký tự" in net.client.get("/sms/84912345678").text


@pytest.mark.parametrize("path", ["/sms/", "/sms/84900000001", "/sms/84900000001/log"])
def test_every_screen_can_be_read_and_says_that_it_is_a_rehearsal(net: Networks, path: str) -> None:
    net.sendsms(net.phone(), "Đã sửa xong")
    html = net.client.get(path).text
    page = Page(html)
    assert "MÔI TRƯỜNG TẬP DƯỢT" in html
    assert (page.lang, html.count("<h1"), page.inline) == ("vi", 1, [])
    assert [i for i in page.inputs if i.get("id") not in page.labels] == []
    assert [f for f in page.forms if not f.get("action")] == []


@pytest.mark.parametrize(
    ("fields", "notice"),
    [
        ({"text": " "}, "còn trống"),
        ({"text": "a" * 1_531}, "dài quá"),
        ({"text": "a", "to": "9999"}, "Không có đầu số"),
        ({"kind": "off"}, "Đã tắt máy"),
        ({"kind": "on"}, "Đã bật máy"),
    ],
)
def test_a_telephone_says_what_became_of_it(net: Networks, fields: dict[str, str], notice: str) -> None:
    hoa = net.phone()
    assert notice in net.client.post(f"/sms/{hoa}/acts", data=fields, follow_redirects=True).text
    answer = net.client.post(f"/sms/{hoa}/acts", data=fields, headers={"Accept": "application/json"}).json()
    assert notice in answer["notice"]


def test_a_telephone_that_is_off_writes_nothing(net: Networks) -> None:
    hoa = net.phone()
    net.control("switch", number=hoa)
    assert "Máy đang tắt" in net.client.post(f"/sms/{hoa}/acts", data={"text": "a"}, follow_redirects=True).text
    assert net.calls() == []


def test_a_script_asks_for_news_and_gets_only_that(net: Networks) -> None:
    hoa = net.phone()
    net.sendsms(hoa, "mot")
    first = net.client.get(f"/sms/{hoa}/messages").json()
    net.sendsms(hoa, "hai")
    second = net.client.get(f"/sms/{hoa}/messages", params={"after": first["last"]}).json()
    assert (first["count"], second["count"]) == (1, 1)
    assert "mot" not in second["html"]


def test_a_number_that_is_none_is_explained(net: Networks) -> None:
    page = net.client.post("/sms/", data={"number": "113"}, follow_redirects=True)
    assert "Số điện thoại chưa đúng" in page.text


def test_words_are_never_markup(net: Networks) -> None:
    hoa = net.phone()
    net.sendsms(hoa, "<script>alert(1)</script>", **{"from": "<b>x"})
    html = net.client.get(f"/sms/{hoa}").text
    assert "<script>alert" not in html
    assert "<b>x" not in html


def test_a_form_of_another_site_does_nothing(net: Networks) -> None:
    hoa = net.phone()
    headers = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    assert net.client.post(f"/sms/{hoa}/acts", data={"text": "x"}, headers=headers).status_code == 403
    assert net.calls() == []


@pytest.mark.parametrize("path", ["/sms/84999999999", "/sms/84999999999/log", "/sms/84999999999/messages"])
def test_a_telephone_that_is_not_there_is_said_so(net: Networks, path: str) -> None:
    assert net.client.get(path).status_code == 404


def test_the_homes_lead_to_each_other(net: Networks) -> None:
    assert 'href="/sms/"' in net.client.get("/phone/").text
    assert 'href="/phone/"' in net.client.get("/sms/").text


def test_a_number_stands_once_at_each_provider(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="every number"), networks(tmp_path, an_account(), an_account()):
        pass


def test_a_sandbox_without_sms_has_no_telephones(tmp_path: Path) -> None:
    from tests.sandbox.running import running

    with running(tmp_path) as zalo:
        assert zalo.client.get("/sms/").status_code == 404
        assert zalo.client.post("/control/sms/again", json={}).status_code == 404
        assert "Sang SMS" not in zalo.client.get("/phone/").text
