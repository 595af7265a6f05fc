"""The process that keeps a link: one for each account, and the truth about every message when it breaks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

pytest.importorskip("smpplib", reason="the extra [smpp] is not installed")

from bot.queue import BROADCAST
from bot.runtime import utc_now
from bot.usecases import channels, intake, sending
from bot.usecases.broadcast import expand_due, finish
from bot.usecases.setup import SetupError, add_channel
from bot.usecases.smpp import keep_link
from storage.channels import Channel
from storage.communes import Commune
from storage.deliveries import Delivery
from storage.enums import DeliveryState, Direction
from storage.messages import InboundEvent, Message
from tests.adapters.smsc import VENDOR, Smsc, an_smsc, pieces
from tests.builders import World, a_world, all_rows
from tests.conftest import Clock
from tests.towns import linked
from tests.usecases.looking import owed, take_in
from tests.usecases.telling import approved, followers
from tests.usecases.test_gateways import owes

LONG = "PA Kính gửi UBND xã, đèn đường xóm 5 hỏng ba hôm nay, mong cán bộ cử người sửa sớm, xin cảm ơn nhiều."


@pytest.fixture
def smsc() -> Iterator[Smsc]:
    with an_smsc() as found:
        yield found


@pytest.fixture
def live(runtime: Any) -> World:
    """A commune that lives by the real clock: a link waits for nobody's."""
    runtime.now = utc_now
    return a_world(runtime, utc_now)


@pytest.fixture
def number(live: World, smsc: Smsc) -> int:
    return add_channel(
        live.runtime,
        commune="duc-hue",
        type="smpp",
        slug="smpp-duc-hue",
        name="SMPP",
        settings={"host": "127.0.0.1", "port": smsc.port, "system_id": "xa", "number": "8088", "keyword": "PA"},
        secrets={"password": "smppword"},
    )


def kept(world: World) -> AbstractContextManager[None]:
    """The process is at work meanwhile."""
    return linked(world, "smpp-duc-hue")


def until(what: Callable[[], bool], seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.03)


def states(world: World) -> list[DeliveryState]:
    return [delivery.state for delivery in owed(world)]


def test_what_is_owed_goes_out_and_its_receipt_comes_back(live: World, number: int, smsc: Smsc) -> None:
    owes(live, number, 3)
    with kept(live):
        until(lambda: states(live) == [DeliveryState.SENT] * 3)
        assert smsc.receipt(owed(live)[0].external_id or "", "DELIVRD") == 0
        assert smsc.receipt(owed(live)[1].external_id or "", "UNDELIV") == 0
    take_in(live)
    assert states(live) == [DeliveryState.DELIVERED, DeliveryState.REFUSED, DeliveryState.SENT]
    assert "UNDELIV 001" in (owed(live)[1].reason or "")
    assert {sent.destination for sent in smsc.submitted} == {"84910000000", "84910000001", "84910000002"}


def test_workers_leave_what_belongs_to_the_link(live: World, number: int) -> None:
    owes(live, number)
    sending.send_due(live.runtime, sending.PERSONAL)
    assert [(d.state, d.tries) for d in owed(live)] == [(DeliveryState.WAITING, 0)]


def test_a_message_is_heard_whole(live: World, number: int, smsc: Smsc) -> None:
    with kept(live):
        until(lambda: smsc.binds == 1)
        for data in pieces(LONG, 7)[::-1]:
            assert smsc.deliver("84912345678", data, esm=0x40) == 0
            assert smsc.deliver("84912345678", data, esm=0x40) == 0, "the SMSC repeats what it thinks was lost"
        until(lambda: len(all_rows(live.runtime, InboundEvent)) == 2)
    while intake.drain_batch(live.runtime):
        pass
    heard = [m.text for m in all_rows(live.runtime, Message) if m.direction is Direction.IN]
    assert heard == [LONG.removeprefix("PA ")]


def test_what_is_repeated_when_ten_minutes_turn_is_heard_once(live: World, number: int, smsc: Smsc) -> None:
    clock = Clock(datetime(2026, 10, 7, 5, 9, 50, tzinfo=UTC))
    live.runtime.now = clock
    words = "PA đèn hỏng".encode("utf-16-be")
    with kept(live):
        for seconds, known in ((20, 1), (580, 1), (0, 2)):
            assert smsc.deliver("84912345678", words) == 0
            assert len(all_rows(live.runtime, InboundEvent)) == known
            clock.move(seconds=seconds)


def test_a_refusal_is_told_to_officials(live: World, number: int, smsc: Smsc) -> None:
    smsc.answers_with(VENDOR, 0x0B)
    owes(live, number, 2)
    with kept(live):
        until(lambda: set(states(live)) == {DeliveryState.REFUSED})
    assert {delivery.code for delivery in owed(live)} == {"smpp_0x410", "smpp_0xb"}


def test_a_refused_account_stops_the_channel(live: World, number: int, smsc: Smsc) -> None:
    smsc.answers_with(0x0A)
    owes(live, number)
    with kept(live):
        until(lambda: bool(all_rows(live.runtime, Channel)[-1].paused_at))
    assert states(live) == [DeliveryState.WAITING]


def test_when_the_link_breaks_nobody_is_sent_anything_twice(live: World, number: int, smsc: Smsc) -> None:
    smsc.is_silent()
    owes(live, number, 2)
    with kept(live):
        until(lambda: len(smsc.submitted) == 2)
        smsc.hang_up()
        until(lambda: states(live) == [DeliveryState.UNKNOWN] * 2)
        smsc.behaves()
        owes(live, number)
        until(lambda: smsc.binds >= 2 and states(live)[-1] is DeliveryState.SENT)
    assert len(smsc.submitted) == 3


def change(world: World, number: int, **values: Any) -> None:
    with world.runtime.database.transaction() as session:
        channel = session.get_one(Channel, number)
        for name, value in values.items():
            setattr(channel, name, value)


def test_when_the_link_breaks_what_had_not_gone_out_goes_back_and_out_once(
    live: World, number: int, smsc: Smsc
) -> None:
    with live.runtime.database.reading() as session:
        settings = dict(session.get_one(Channel, number).settings)
    change(live, number, settings={**settings, "window": 2})
    smsc.is_silent()
    owes(live, number, 6)
    with kept(live):
        until(lambda: len(smsc.submitted) == 2)
        smsc.hang_up()
        until(lambda: states(live).count(DeliveryState.UNKNOWN) == 2)
        smsc.behaves()
        with live.runtime.database.transaction() as session:
            session.execute(sa.update(Delivery).values(next_attempt_at=live.clock()))
        until(lambda: states(live).count(DeliveryState.SENT) == 4)
    assert len(smsc.submitted) == 6
    assert len({sent.destination for sent in smsc.submitted}) == 6


def test_an_answer_that_is_no_pdu_costs_the_session_and_not_the_process(live: World, number: int, smsc: Smsc) -> None:
    smsc.fault("malformed")
    owes(live, number)
    with kept(live):
        until(lambda: states(live) == [DeliveryState.UNKNOWN])
        owes(live, number)
        until(lambda: states(live)[-1] is DeliveryState.SENT)
    assert smsc.binds == 2
    assert len(smsc.submitted) == 2


def test_what_waits_when_the_process_ends_goes_out_with_the_next(live: World, number: int, smsc: Smsc) -> None:
    owes(live, number, 20)
    change(live, number, rate_per_second=10.0)
    with kept(live):
        until(lambda: len(smsc.submitted) >= 2)
    assert DeliveryState.SENDING not in states(live)
    assert states(live).count(DeliveryState.WAITING) >= 10
    change(live, number, rate_per_second=500.0)
    with live.runtime.database.transaction() as session:
        session.execute(sa.update(Delivery).values(next_attempt_at=live.clock()))
    with kept(live):
        until(lambda: DeliveryState.WAITING not in states(live) and DeliveryState.SENDING not in states(live))
    numbers = [sent.destination for sent in smsc.submitted]
    assert len(numbers) == len(set(numbers)), "nobody was sent anything twice"


def test_a_reply_goes_out_before_an_announcement_and_neither_waits_for_the_other(
    live: World, number: int, smsc: Smsc
) -> None:
    world = replace(live, channel_id=number)
    with live.runtime.database.transaction() as session:
        session.execute(sa.update(Commune).values(settings={"quiet_hours": None, "undo_seconds": 0}))
    followers(world, 30, values=[f"tel:+8493{n:07d}" for n in range(30)])
    announcement = approved(world)
    expand_due(live.runtime)
    owes(live, number)
    change(live, number, rate_per_second=60.0)
    with kept(live):
        until(lambda: len(states(live)) == 31 and set(states(live)) == {DeliveryState.SENT})
        until(lambda: live.runtime.nudge.jobs[-1] == BROADCAST)  # type: ignore[attr-defined]
    assert finish(live.runtime, announcement)
    assert smsc.submitted[0].destination.startswith("8491")


def test_only_one_process_keeps_a_link(live: World, number: int, smsc: Smsc) -> None:
    with kept(live):
        until(lambda: smsc.binds == 1)
        ended = threading.Event()
        second = threading.Thread(target=keep_link, args=(live.runtime, "smpp-duc-hue", ended.is_set))
        second.start()
        time.sleep(1.0)
        assert smsc.binds == 1
        ended.set()
        second.join(10)
    with kept(live):
        until(lambda: smsc.binds == 2)


def test_a_check_says_how_the_link_is(live: World, number: int, smsc: Smsc) -> None:
    def told() -> str:
        return "\n".join(channels.check(live.runtime, "smpp-duc-hue").lines)

    assert "nobody keeps it; run: haichieu smpp smpp-duc-hue" in told()
    with kept(live):
        until(lambda: "link: up since" in told())
    smsc.refuses_binds(0xE)
    with kept(live):
        until(lambda: "down (bind_0xe)" in told())
    assert "smppword" not in told()


def test_a_channel_of_another_kind_has_no_link(live: World) -> None:
    with pytest.raises(SetupError, match="zalo-duc-hue"):
        keep_link(live.runtime, "zalo-duc-hue", lambda: True)


def test_every_delivery_was_tried_as_often_as_it_is_written(live: World, number: int, smsc: Smsc) -> None:
    owes(live, number, 5)
    with kept(live):
        until(lambda: states(live) == [DeliveryState.SENT] * 5)
    assert [d.tries for d in all_rows(live.runtime, Delivery)] == [1] * 5
    assert len(smsc.submitted) == 5
