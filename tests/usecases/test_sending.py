"""Sending over real HTTP to a pretend Zalo: once, in order, at its pace, and never on a guess."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from adapters.messages import Tokens, WebhookRequest
from bot.runtime import Runtime, utc_now
from bot.usecases import intake, sending
from bot.usecases.deliveries import owe
from bot.usecases.sending import MANY, PERSONAL, channels_with_due, send_due
from bot.usecases.setup import add_channel, add_commune
from storage.channels import Channel, ChannelToken
from storage.contacts import Contact, Urn
from storage.deliveries import Attempt, Delivery
from storage.enums import DeliveryKind, DeliveryState, InboundState, TokenState
from storage.messages import InboundEvent, Message
from tests.builders import World, all_rows
from tests.live import live_on
from tests.sandbox.running import ACCESS, REFRESH, Listener, Running, listening, running, until
from tests.usecases.looking import LIGHT, owed

JPG = b"\xff\xd8\xff" + b"x" * 60


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as found:
        yield found


@pytest.fixture
def zalo(tmp_path: Path, listener: Listener) -> Iterator[Running]:
    with running(tmp_path / "sandbox", webhook_url=listener.url) as found:
        yield found


@pytest.fixture
def live(runtime: Runtime, zalo: Running) -> World:
    """The commune's channel speaks to the pretend Zalo, by the real clock, at any hour of it."""
    return live_on(runtime, zalo, patience=0.75)


def change(world: World, model: type, **values: Any) -> None:
    with world.runtime.database.transaction() as session:
        session.execute(sa.update(model).values(**values))


def reports(world: World, zalo: Running, text: str = LIGHT) -> str:
    """A citizen of the pretend Zalo writes, and the gateway has taken it in."""
    user = zalo.citizen()
    world.says(text, user=user)
    intake.drain(world.runtime)
    # One acknowledgement each, whatever the hour at which the test runs.
    with world.runtime.database.transaction() as session:
        session.execute(sa.delete(Delivery).where(Delivery.key.like("after_hours:%")))
    return user


def writes_to(world: World, user: str, *texts: str, kind: DeliveryKind = DeliveryKind.REPLY, **more: Any) -> None:
    """Owe a citizen these texts, each a message of its own."""
    with world.runtime.database.transaction() as session:
        channel = session.get_one(Channel, world.channel_id)
        urn = session.scalars(sa.select(Urn).where(Urn.value == f"zalo:{user}")).one()
        message = session.scalars(sa.select(Message)).first() if kind is DeliveryKind.REPLY else None
        given = {"channel": channel, "urn": urn, "kind": kind, "priority": 1, "message": message, **more}
        for text in texts:
            owe(session, world.runtime, text=text, key=f"t:{user}:{text[:40]}", **given)


def meets(world: World, zalo: Running) -> str:
    """A citizen both sides know, to whom nothing is owed."""
    user = zalo.citizen()
    world.says("Xin chào", user=user)
    intake.drain(world.runtime)
    with world.runtime.database.transaction() as session:
        session.execute(sa.delete(Delivery))
    return user


def send(world: World, seconds: float = 5.0, kinds: list[DeliveryKind] = PERSONAL) -> int:
    return send_due(world.runtime, kinds, budget_seconds=seconds)


def hurry(world: World) -> None:
    """Let the time pass that waiting deliveries and the channel wait for."""
    change(world, Delivery, next_attempt_at=utc_now() - timedelta(seconds=1))
    change(world, Channel, hold_until=None)


def the_delivery(world: World) -> Delivery:
    (delivery,) = owed(world)
    return delivery


# --- it works ---------------------------------------------------------------------------------------------------------


def test_an_acknowledgement_arrives_once(live: World, zalo: Running) -> None:
    user = reports(live, zalo)
    assert send(live) == 1
    assert send(live) == 0
    (entry,) = zalo.ledger(user)
    delivery = the_delivery(live)
    assert (delivery.state, delivery.external_id) == (DeliveryState.SENT, entry["message_id"])
    (message,) = [m for m in zalo.client.get(f"/control/citizens/{user}/messages").json()["messages"] if m["from_oa"]]
    assert message["text"] == delivery.text
    assert "PA" in delivery.text


def test_an_attempt_tells_what_was_asked_without_secrets(live: World, zalo: Running) -> None:
    reports(live, zalo)
    send(live)
    (attempt,) = all_rows(live.runtime, Attempt)
    (exchange,) = attempt.exchange
    assert (exchange["method"], exchange["status"]) == ("POST", 200)
    assert exchange["url"].endswith("/v3.0/oa/message/cs")
    for secret in (ACCESS, REFRESH, "Chiếu sáng"):
        assert secret not in str(exchange)


def test_the_quota_the_channel_told_is_kept(live: World, zalo: Running) -> None:
    reports(live, zalo)
    send(live)
    assert live.channel.quota["quota_type"] in {"reply", "welcome_msg"}


def test_a_picture_and_words_arrive_together(live: World, zalo: Running) -> None:
    user = meets(live, zalo)
    writes_to(live, user, "Ảnh kết quả", image_blob=live.runtime.blobs.keep(JPG))
    send(live)
    (entry,) = zalo.ledger(user)
    assert (entry["kind"], entry["text_head"]) == ("image", "Ảnh kết quả")


def test_a_picture_that_is_lost_is_refused_with_a_sentence(live: World, zalo: Running) -> None:
    user = meets(live, zalo)
    writes_to(live, user, "Ảnh kết quả", image_blob="0" * 32)
    send(live)
    delivery = the_delivery(live)
    assert (delivery.state, delivery.code) == (DeliveryState.REFUSED, "image_lost")
    assert zalo.ledger() == []


def test_a_long_answer_arrives_in_order(live: World, zalo: Running) -> None:
    user = meets(live, zalo)
    words = [f"Mục {n}: đã kiểm tra và sửa xong." for n in range(200)]
    writes_to(live, user, " ".join(words))
    send(live)
    heard = [m["text"] for m in zalo.client.get(f"/control/citizens/{user}/messages").json()["messages"]]
    assert len(heard) == 4
    assert " ".join(heard) == " ".join(words)


def test_replies_to_one_citizen_keep_their_order(live: World, zalo: Running) -> None:
    users = [meets(live, zalo) for _ in range(3)]
    for n in range(8):
        for user in users:
            writes_to(live, user, f"tin {n}")
    send(live, 10)
    for user in users:
        assert [e["text_head"] for e in zalo.ledger(user)] == [f"tin {n}" for n in range(8)]


def test_a_reply_that_must_wait_holds_back_those_behind_it(live: World, zalo: Running) -> None:
    user = meets(live, zalo)
    writes_to(live, user, "một", "hai", "ba")
    zalo.fault("error", code=-200)
    send(live, 1)
    assert zalo.ledger() == []
    hurry(live)
    send(live)
    assert [e["text_head"] for e in zalo.ledger(user)] == ["một", "hai", "ba"]


def test_several_workers_send_everything_once(live: World, zalo: Running) -> None:
    users = [meets(live, zalo) for _ in range(6)]
    for user in users:
        writes_to(live, user, *(f"tin {n}" for n in range(5)))
    workers = [threading.Thread(target=send, args=(live, 8)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    send(live)
    assert len(zalo.ledger()) == 30
    assert zalo.client.get("/control/ledger/repeats").json() == {"repeats": []}
    for user in users:
        assert [e["text_head"] for e in zalo.ledger(user)] == [f"tin {n}" for n in range(5)]


def test_announcements_wait_for_their_own_senders(live: World, zalo: Running) -> None:
    user = meets(live, zalo)
    writes_to(live, user, "Lịch tiêm phòng", kind=DeliveryKind.ANNOUNCEMENT, priority=8)
    assert send(live) == 0
    assert send(live, kinds=MANY) == 1


def micros(moment: datetime) -> int:
    return round(moment.timestamp() * 1e6)


# --- pace -------------------------------------------------------------------------------------------------------------


def busiest_second(live: World, zalo: Running, users: list[str], name: str) -> int:
    """Let two workers send 100 messages, and count those the pretend Zalo got in its busiest second."""
    before = len(zalo.ledger())
    for user in users:
        writes_to(live, user, *(f"{name} {n}" for n in range(5)))
    workers = [threading.Thread(target=send, args=(live, 10)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    at = sorted(entry["received_monotonic_ns"] / 1e9 for entry in zalo.ledger()[before:])
    assert len(at) == 100
    assert at[-1] - at[0] < 20
    return max(sum(1 for t in at if start <= t < start + 1) for start in at)


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=False)
def test_the_pace_of_the_channel_is_kept(engine_name: str, live: World, zalo: Running) -> None:
    change(live, Channel, rate_per_second=50.0)
    users = [meets(live, zalo) for _ in range(20)]
    # A machine that stalls for a moment bunches what it sends; a wrong pace is too fast every time.
    assert any(busiest_second(live, zalo, users, name) <= 51 for name in ("một", "hai", "ba"))


def test_a_slot_too_far_away_is_not_waited_for(live: World, zalo: Running) -> None:
    reports(live, zalo)
    change(live, Channel, slots=[micros(utc_now() + timedelta(seconds=8))])
    begun = time.monotonic()
    assert send(live) == 0
    assert time.monotonic() - begun < 2
    assert the_delivery(live).state is DeliveryState.WAITING


def test_a_clock_that_was_set_back_does_not_stop_the_channel(live: World, zalo: Running) -> None:
    reports(live, zalo)
    change(live, Channel, slots=[micros(utc_now() + timedelta(hours=1))])
    begun = time.monotonic()
    assert send(live) == 1
    assert time.monotonic() - begun < 3


def test_a_slot_that_was_missed_is_given_back_for_another(
    live: World, zalo: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports(live, zalo)
    real, lates = time.sleep, iter([0.2])
    monkeypatch.setattr("bot.usecases.slots.time.sleep", lambda seconds: real(seconds + next(lates, 0.0)))
    begun = time.time()
    assert send(live) == 1
    assert the_delivery(live).state is DeliveryState.SENT
    with live.runtime.database.reading() as session:
        (slot,) = session.get_one(Channel, live.channel_id).slots
    assert slot / 1e6 - begun >= 0.2, "the first one is free again, the later one was used"


def test_what_is_claimed_is_sent_though_no_slot_can_be_had(
    live: World, zalo: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> list[float]:
        raise sa.exc.OperationalError("select", {}, Exception("away"))

    reports(live, zalo)
    monkeypatch.setattr("bot.usecases.slots.reserve", away)
    assert send(live) == 1
    assert the_delivery(live).state is DeliveryState.SENT, "it has not left: nobody may call it unknown"


def another_commune(world: World, zalo: Running) -> int:
    """A second commune with a channel of its own, and one citizen to whom an answer is owed."""
    base = {"is_sandbox": True, "api_base": zalo.url, "oauth_base": zalo.url}
    add_commune(world.runtime, code="00004", slug="xa-khac")
    channel_id = add_channel(
        world.runtime,
        commune="xa-khac",
        type="zalo",
        slug="zalo-xa-khac",
        name="Zalo",
        settings={"app_id": "5", "oa_id": "6", **base},
        secrets={"app_secret": "example-app-secret", "oa_secret": "example-oa-secret"},
        tokens=Tokens("example-token", "example-refresh", utc_now() + timedelta(hours=25)),
    )
    with world.runtime.database.transaction() as session:
        channel = session.get_one(Channel, channel_id)
        contact = Contact(commune_id=channel.commune_id, created_at=utc_now())
        session.add(contact)
        session.flush()
        urn = Urn(
            commune_id=channel.commune_id,
            channel_id=channel_id,
            contact_id=contact.id,
            value="zalo:77",
            last_interaction_at=utc_now(),
        )
        session.add(urn)
        session.flush()
        kind = DeliveryKind.REPLY
        owe(session, world.runtime, channel=channel, urn=urn, text="Xã khác", kind=kind, key="other:1", priority=1)
    return channel_id


def test_one_communes_slow_channel_does_not_hold_up_anothers(live: World, zalo: Running) -> None:
    for user in [meets(live, zalo) for _ in range(12)]:
        writes_to(live, user, "tin")
    change(live, Channel, rate_per_second=4.0)
    channel_id = another_commune(live, zalo)
    send(live, 1)
    states = {d.key: d.state for d in owed(live) if d.channel_id == channel_id}
    # The pretend Zalo does not know this account's token, so what matters is that it was asked at all.
    assert states == {"other:1": DeliveryState.WAITING}
    assert [d.tries for d in owed(live) if d.channel_id == channel_id] == [1]
    assert DeliveryState.WAITING in {d.state for d in owed(live) if d.channel_id != channel_id}


# --- tokens -----------------------------------------------------------------------------------------------------------


def test_a_refused_token_is_renewed_and_the_message_sent_once_more(live: World, zalo: Running) -> None:
    reports(live, zalo)
    zalo.fault("error", code=-216)
    send(live)
    assert the_delivery(live).state is DeliveryState.SENT
    assert len(zalo.ledger()) == 1
    (token,) = all_rows(live.runtime, ChannelToken)
    assert token.generation == 3
    (attempt,) = all_rows(live.runtime, Attempt)
    assert [e["url"].rpartition("/")[2] for e in attempt.exchange] == ["cs", "access_token", "cs"]
    opened = live.runtime.vault.open
    for secret in (ACCESS, REFRESH, opened(token.access), opened(token.refresh)):
        assert secret not in str(attempt.exchange)


def test_a_token_refused_twice_waits(live: World, zalo: Running) -> None:
    reports(live, zalo)
    zalo.fault("error", code=-216, count=2)
    send(live, 1)
    delivery = the_delivery(live)
    assert (delivery.state, delivery.code) == (DeliveryState.WAITING, "zalo_-216")
    hurry(live)
    send(live)
    assert len(zalo.ledger()) == 1


def test_an_expired_token_in_the_middle_of_many_sends_is_renewed_once(live: World, zalo: Running) -> None:
    for user in [meets(live, zalo) for _ in range(12)]:
        writes_to(live, user, "tin")
    zalo.fault("token_expired")
    for _ in range(4):
        send(live, 3)
        hurry(live)
    assert len(zalo.ledger()) == 12
    assert zalo.client.get("/control/ledger/repeats").json() == {"repeats": []}
    (token,) = all_rows(live.runtime, ChannelToken)
    assert (token.generation, token.state) == (3, TokenState.OK)


def test_a_dead_refresh_token_pauses_the_channel_and_loses_nothing(live: World, zalo: Running) -> None:
    reports(live, zalo)
    zalo.fault("token_expired")
    zalo.fault("refresh_invalid")
    send(live, 1)
    assert live.channel.paused_at is not None
    assert "cấp quyền lại" in live.channel.paused_reason
    assert (the_delivery(live).state, the_delivery(live).code) == (DeliveryState.WAITING, "needs_consent")
    assert send(live) == 0


def test_a_token_office_that_is_busy_makes_the_message_wait(live: World, zalo: Running) -> None:
    reports(live, zalo)
    zalo.fault("error", code=-216)
    zalo.fault("status", status=503, applies_to="token")
    send(live, 1)
    assert (the_delivery(live).state, live.channel.paused_at) == (DeliveryState.WAITING, None)


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [-230, -213, -217])
def test_a_citizen_who_may_not_be_written_to_is_marked_until_they_write(code: int, live: World, zalo: Running) -> None:
    user = reports(live, zalo)
    zalo.fault("error", code=code)
    send(live)
    delivery = the_delivery(live)
    assert (delivery.state, delivery.code) == (DeliveryState.REFUSED, f"zalo_{code}")
    assert (delivery.reason or "").endswith(".")
    (urn,) = all_rows(live.runtime, Urn)
    assert (urn.unreachable_code, urn.unreachable_at is not None) == (f"zalo_{code}", True)
    live.says("alo", user=user)
    intake.drain(live.runtime)
    assert all_rows(live.runtime, Urn)[0].unreachable_at is None


def test_a_closed_window_is_not_knocked_at(live: World, zalo: Running) -> None:
    user = reports(live, zalo)
    zalo.control(f"citizens/{user}", idle_days=7)
    change(live, Urn, last_interaction_at=utc_now() - timedelta(hours=167))
    send(live)
    delivery = the_delivery(live)
    assert (delivery.state, delivery.code) == (DeliveryState.REFUSED, "window_closed")
    assert "gọi điện" in (delivery.reason or "")
    (attempt,) = all_rows(live.runtime, Attempt)
    assert [one["url"].rpartition("/v3.0/oa/")[2] for one in attempt.exchange] == ["quota/message"]  # only asked
    assert zalo.ledger() == []


def test_a_message_that_is_refused_is_not_tried_again(live: World, zalo: Running) -> None:
    reports(live, zalo)
    zalo.fault("error", code=-248)
    send(live)
    hurry(live)
    assert send(live) == 0
    assert (the_delivery(live).state, the_delivery(live).tries) == (DeliveryState.REFUSED, 1)


def test_an_overloaded_channel_holds_every_send(live: World, zalo: Running) -> None:
    reports(live, zalo)
    zalo.fault("error", code=-32)
    send(live, 1)
    assert live.channel.hold_until is not None
    assert timedelta(0) < live.channel.hold_until - utc_now() <= timedelta(seconds=66)
    assert channels_with_due(live.runtime, PERSONAL) == []
    hurry(live)
    send(live)
    assert the_delivery(live).state is DeliveryState.SENT


def test_http_429_is_obeyed(live: World, zalo: Running) -> None:
    reports(live, zalo)
    zalo.fault("status", status=429, retry_after=120)
    send(live, 1)
    assert live.channel.hold_until is not None
    assert timedelta(seconds=110) < live.channel.hold_until - utc_now() <= timedelta(seconds=120)


@pytest.mark.parametrize("code", [-204, -209, -224, -321])
def test_a_channel_that_cannot_send_is_paused_and_nothing_is_lost(code: int, live: World, zalo: Running) -> None:
    reports(live, zalo)
    zalo.fault("error", code=code)
    send(live)
    assert live.channel.paused_at is not None
    assert "tạm dừng gửi" in live.channel.paused_reason
    assert the_delivery(live).state is DeliveryState.WAITING
    assert send(live) == 0
    change(live, Channel, paused_at=None, paused_reason=None)
    hurry(live)
    send(live)
    assert len(zalo.ledger()) == 1


def test_a_used_up_quota_waits_an_hour(live: World, zalo: Running) -> None:
    reports(live, zalo)
    zalo.fault("error", code=-211)
    send(live, 1)
    delivery = the_delivery(live)
    assert (delivery.state, delivery.code) == (DeliveryState.WAITING, "zalo_-211")
    assert delivery.next_attempt_at - utc_now() > timedelta(minutes=59)


def test_one_citizens_used_up_quota_is_a_refusal(live: World, zalo: Running) -> None:
    reports(live, zalo)
    zalo.fault("error", code=-218)
    send(live)
    assert the_delivery(live).state is DeliveryState.REFUSED


def test_the_night_is_waited_for(live: World, zalo: Running) -> None:
    reports(live, zalo)
    zalo.fault("error", code=-234)
    send(live, 1)
    delivery = the_delivery(live)
    assert delivery.state is DeliveryState.WAITING
    assert delivery.next_attempt_at.astimezone(UTC).hour == 23


def test_a_failing_send_is_tried_three_times_with_growing_pauses(live: World, zalo: Running) -> None:
    reports(live, zalo)
    zalo.fault("error", code=-200, count=5)
    for _ in range(5):
        send(live, 0.5)
        hurry(live)
    assert (the_delivery(live).state, the_delivery(live).tries) == (DeliveryState.REFUSED, 3)


# --- not knowing ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "arrived"),
    [
        ({"kind": "slow", "when": "after", "seconds": 1.2}, 1),
        ({"kind": "drop", "when": "after"}, 1),
        ({"kind": "drop", "when": "before"}, 0),
        ({"kind": "status", "status": 502}, 0),
    ],
    ids=["slow after", "dropped after", "dropped before", "502"],
)
def test_when_nobody_knows_nothing_is_sent_again(
    fault: dict[str, Any], arrived: int, live: World, zalo: Running
) -> None:
    reports(live, zalo)
    zalo.fault(**fault)
    send(live)
    delivery = the_delivery(live)
    assert delivery.state is DeliveryState.UNKNOWN
    assert "không biết người dân đã nhận chưa" in (delivery.reason or "")
    hurry(live)
    assert send(live) == 0
    assert len(zalo.ledger()) == arrived


def test_what_surely_did_not_leave_is_sent_again(live: World, zalo: Running) -> None:
    reports(live, zalo)
    settings = dict(live.channel.settings)
    change(live, Channel, settings={**settings, "api_base": "http://127.0.0.1:9"})
    send(live, 1)
    assert (the_delivery(live).state, the_delivery(live).code) == (DeliveryState.WAITING, "unreachable")
    change(live, Channel, settings=settings)
    hurry(live)
    send(live)
    assert len(zalo.ledger()) == 1


def test_a_surprise_inside_the_sender_is_an_unknown_outcome(
    live: World, zalo: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reports(live, zalo)
    monkeypatch.setattr(sending.Sender, "_call", lambda self, *a: (_ for _ in ()).throw(KeyError(LIGHT)))
    send(live)
    assert (the_delivery(live).state, the_delivery(live).code) == (DeliveryState.UNKNOWN, "internal_error")
    assert LIGHT not in capsys.readouterr().out


def take_over(world: World, requests: list[WebhookRequest]) -> None:
    """Put what the pretend Zalo posted into the inbox, as the door does."""
    channel = world.channel
    adapter = world.runtime.adapters["zalo"]
    config = adapter.config(dict(channel.settings), json.loads(world.runtime.vault.open(channel.secrets)))
    with world.runtime.database.transaction() as session:
        for request in requests:
            envelope = adapter.admit(request, config)
            now = utc_now()
            session.add(
                InboundEvent(
                    commune_id=channel.commune_id, channel_id=channel.id, key=envelope.key,
                    event_name=envelope.event_name, conversation_key=envelope.conversation, body=request.body,
                    occurred_at=envelope.occurred_at, received_at=now, next_try_at=now,
                )
            )  # fmt: skip


def test_an_unknown_outcome_is_settled_by_the_echo_of_the_same_words(
    live: World, zalo: Running, listener: Listener
) -> None:
    reports(live, zalo)
    zalo.fault("drop", when="after")
    send(live)
    take_over(live, listener.wait_for(2))
    intake.drain(live.runtime)
    intake.drain(live.runtime)
    delivery = the_delivery(live)
    assert delivery.state in {DeliveryState.SENT, DeliveryState.DELIVERED}
    assert delivery.external_id == zalo.ledger()[0]["message_id"]


def test_from_a_citizens_phone_and_back(live: World, zalo: Running, listener: Listener) -> None:
    user = zalo.citizen()
    zalo.says(user, LIGHT)
    take_over(live, listener.wait_for(1))
    intake.drain(live.runtime)
    send(live)
    until(lambda: len(listener.received) >= 3)
    zalo.client.get(f"/phone/{user}")
    until(lambda: any(b"user_seen_message" in r.body for r in listener.received))
    take_over(live, listener.received[1:])
    intake.drain(live.runtime)
    assert {d.state for d in owed(live)} == {DeliveryState.READ}
    assert {row.state for row in all_rows(live.runtime, InboundEvent)} == {InboundState.DONE}
    assert datetime.now(UTC) - all_rows(live.runtime, Urn)[0].last_interaction_at < timedelta(minutes=1)
