"""Our abilities on Rasa's action-server protocol: a ticket is opened once, looked up, and no citizen's word leaks."""

from __future__ import annotations

import json
import zlib
from typing import Any

import pytest
from flask.testing import FlaskClient

from bot.web.action_server import create_action_server
from storage.messages import InboundEvent, Message
from storage.tickets import Ticket
from tests.builders import World, all_rows
from tests.conftest import Clock

DOMAIN: dict[str, Any] = {"slots": {}, "forms": {"report_form": {"required_slots": ["what", "where"]}}}
SENDER = "zalo-duc-hue|zalo:3000000000000000003"


@pytest.fixture
def server(morning: World) -> FlaskClient:
    return create_action_server(morning.runtime).test_client()


def call(action: str, text: str = "", *, sender: str = SENDER, message_id: str = "m1", **slots: Any) -> dict[str, Any]:
    """What a Rasa server sends."""
    return {
        "next_action": action,
        "sender_id": sender,
        "tracker": {
            "sender_id": sender,
            "slots": slots,
            "latest_message": {"text": text, "metadata": {"message_id": message_id}},
            "events": [],
            "paused": False,
            "active_loop": {},
            "latest_action_name": None,
        },
        "domain": DOMAIN,
        "version": "3.6.21",
    }


def run(server: FlaskClient, *args: Any, **named: Any) -> tuple[list[str], dict[str, Any]]:
    """The words and the slots that come back."""
    answer = server.post("/webhook", json=call(*args, **named))
    assert answer.status_code == 200, answer.text
    slots = {e["name"]: e["value"] for e in answer.json["events"] if e["event"] == "slot"}
    return [r["text"] for r in answer.json["responses"]], slots


def test_a_ticket_is_opened_from_the_slots_once_for_each_message(morning: World, server: FlaskClient) -> None:
    slots = {"what": "Đèn đường tối om mấy hôm nay", "where": "xóm 5"}
    words, set_to = run(server, "action_open_ticket", **slots)
    assert set_to["ticket_code"] == "PA26-0001"
    assert "PA26-0001" in words[0]
    (ticket,) = all_rows(morning.runtime, Ticket)
    assert (ticket.topic, ticket.place_text) == ("chieu-sang", "Xóm 5")
    again, set_again = run(server, "action_open_ticket", **slots)
    assert (again, set_again["ticket_code"]) == ([], "PA26-0001")
    assert len(all_rows(morning.runtime, Ticket)) == 1


def test_nothing_is_sent_to_the_citizen_by_us(morning: World, server: FlaskClient) -> None:
    run(server, "action_open_ticket", what="Đèn đường xóm 5 tối om", where="-")
    assert [m for m in all_rows(morning.runtime, Message) if m.direction.value == "out"] == []


def test_a_ticket_is_looked_up_and_a_person_called(morning: World, server: FlaskClient, clock: Clock) -> None:
    run(server, "action_open_ticket", what="Đèn đường xóm 5 tối om mấy hôm nay", message_id="m1")
    assert "PA26-0001" in run(server, "action_look_up", "tra cứu", message_id="m2")[0][0]
    words, slots = run(server, "action_hand_over", "gặp cán bộ", message_id="m3")
    assert slots["ticket_code"] == "PA26-0001"
    assert "PA26-0001" in words[0]
    assert "thông báo" in run(server, "action_subscribe", "nhận tin", message_id="m4")[0][0]
    clock.move(minutes=1)
    assert "ngừng nhận" in run(server, "action_unsubscribe", "ngừng nhận tin", message_id="m5")[0][0]


def test_danger_is_answered_with_the_numbers_whatever_the_form_thinks(morning: World, server: FlaskClient) -> None:
    words, _ = run(server, "action_open_ticket", what="Cháy nhà ở xóm 5 rồi cứu với", where="-")
    assert "114" in words[0]
    assert all_rows(morning.runtime, Ticket)[0].urgency.value == "khan_cap"


@pytest.mark.parametrize(
    ("slot", "value", "kept"),
    [
        ("what", "đèn đường hỏng", "đèn đường hỏng"),
        ("what", "đèn", None),
        ("where", "ngã ba gần chợ", "ngã ba gần chợ"),
        ("where", "bỏ qua", "-"),
    ],
)
def test_slots_are_validated_without_side_effects(
    morning: World, server: FlaskClient, slot: str, value: str, kept: str | None
) -> None:
    asked = call("validate_report_form", value, **{slot: value})
    asked["tracker"]["events"] = [{"event": "slot", "name": slot, "value": value}]
    asked["tracker"]["active_loop"] = {"name": "report_form"}
    answer = server.post("/webhook", json=asked)
    slots = {e["name"]: e["value"] for e in answer.json["events"] if e["event"] == "slot"}
    assert slots[slot] == kept
    assert all_rows(morning.runtime, InboundEvent) == []


def test_a_sender_that_is_not_ours_is_told_whom_to_call(morning: World, server: FlaskClient) -> None:
    words, slots = run(server, "action_open_ticket", what="Đèn đường hỏng rồi", sender="someone")
    assert "113" in words[0]
    assert slots["ticket_code"] is None
    assert all_rows(morning.runtime, Ticket) == []


def test_the_protocol_answers_as_rasas_own_server_does(server: FlaskClient) -> None:
    assert server.get("/health").json == {"status": "ok"}
    assert {"name": "action_open_ticket"} in server.get("/actions").json
    assert server.post("/webhook", json=call("action_unknown")).status_code == 404
    assert server.post("/webhook", data=b"{").status_code == 400
    assert server.post("/webhook", json=[1]).status_code == 400
    without = call("action_look_up", "tra cứu")
    del without["domain"]
    without["domain_digest"] = "abc"
    assert server.post("/webhook", json=without).status_code == 449
    packed = zlib.compress(json.dumps(call("action_look_up", "tra cứu")).encode())
    assert server.post("/webhook", data=packed, headers={"Content-Encoding": "deflate"}).status_code == 200
    assert server.post("/webhook", data=b"junk", headers={"Content-Encoding": "deflate"}).status_code == 400


def test_with_a_token_nobody_else_may_call(morning: World) -> None:
    guarded = create_action_server(morning.runtime, token="a-secret").test_client()
    assert guarded.get("/health").status_code == 200
    assert guarded.post("/webhook", json=call("action_look_up")).status_code == 401
    assert guarded.post("/webhook?token=a-secret", json=call("action_look_up", "tra cứu")).status_code == 200
    allowed = {"Authorization": "Bearer a-secret"}
    assert guarded.get("/actions", headers=allowed).status_code == 200


def test_an_error_says_nothing_of_what_was_written(
    morning: World, server: FlaskClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_args: object, **_named: object) -> None:
        raise RuntimeError("bí mật của dân")

    monkeypatch.setattr("bot.rasa.abilities.hear", broken)
    answer = server.post("/webhook", json=call("action_open_ticket", what="bí mật của dân"))
    assert answer.status_code == 500
    assert "bí mật" not in answer.text
    out = capsys.readouterr()
    assert "bí mật" not in out.out + out.err
