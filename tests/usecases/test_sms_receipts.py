"""What the network says later about an SMS: delivered, given up, or piece by piece."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters.messages import Receipt, ReceiptStatus
from bot.usecases import deliveries, intake
from bot.usecases.receipts import take_receipt
from bot.usecases.work import Work
from bot.web.fate import fate
from storage.channels import Channel
from storage.deliveries import Delivery
from storage.enums import DeliveryState
from storage.messages import InboundEvent
from tests.builders import World, all_rows
from tests.conftest import Clock
from tests.sms import an_sms_channel, reported, texts
from tests.usecases.looking import outcomes, owed, take_in
from tests.web.pages import app_on

OURS = "hc-261007-1-0"
REASON = "Nhà mạng báo không giao được tin tới máy người dân (mã NACK/0x410). Vui lòng gọi điện."


@pytest.fixture
def channel(morning: World) -> int:
    """A channel on which a citizen has reported something and was told so."""
    number = an_sms_channel(morning, accents="drop")
    texts(morning, number, "Đèn đường hỏng ở xóm 5, tối om cả tuần nay")
    take_in(morning)
    change(morning, state=DeliveryState.SENT, external_id=OURS)
    return number


def change(world: World, **values: Any) -> None:
    with world.runtime.database.transaction() as session:
        row = session.get_one(Delivery, owed(world)[0].id)
        for name, value in values.items():
            setattr(row, name, value)


def test_what_is_owed_is_what_will_be_read(morning: World, channel: int) -> None:
    assert owed(morning)[0].text.isascii()


def test_a_message_that_arrived_is_delivered(morning: World, channel: int) -> None:
    reported(morning, channel, OURS, 8)
    reported(morning, channel, OURS, 1)
    take_in(morning)
    assert owed(morning)[0].state is DeliveryState.DELIVERED


def test_an_official_sees_that_the_network_gave_up(morning: World, channel: int) -> None:
    reported(morning, channel, OURS, 16, "NACK/0x410")
    take_in(morning)
    delivery = owed(morning)[0]
    assert (delivery.state, delivery.code, delivery.reason) == (DeliveryState.REFUSED, "undelivered", REASON)
    assert outcomes(morning)[-1] == "receipt:failed"


def test_what_arrived_stays_arrived(morning: World, channel: int) -> None:
    for kind in (1, 2):
        reported(morning, channel, OURS, kind)
        take_in(morning)
    assert owed(morning)[0].state is DeliveryState.DELIVERED


def test_a_telephone_that_was_off_may_get_it_after_all(morning: World, channel: int) -> None:
    for kind in (2, 1):
        reported(morning, channel, OURS, kind)
        take_in(morning)
    delivery = owed(morning)[0]
    assert (delivery.state, delivery.code, delivery.reason) == (DeliveryState.DELIVERED, None, None)


def test_a_failure_says_nothing_of_what_was_sent_anew(morning: World, channel: int) -> None:
    reported(morning, channel, OURS, 2)
    take_in(morning)
    deliveries.resend(morning.runtime, morning.officials["lan"], owed(morning)[0])
    reported(morning, channel, OURS, 16, "late")
    take_in(morning)
    assert owed(morning)[0].state is DeliveryState.WAITING


def test_what_surely_failed_is_sent_anew_under_another_name(morning: World, channel: int) -> None:
    reported(morning, channel, OURS, 2)
    take_in(morning)
    deliveries.resend(morning.runtime, morning.officials["lan"], owed(morning)[0])
    row = owed(morning)[0]
    assert (row.resends, row.tries) == (1, 0)


def test_what_may_have_arrived_keeps_its_name_when_it_is_sent_again(morning: World, channel: int) -> None:
    change(morning, state=DeliveryState.UNKNOWN, via="main")
    deliveries.resend(morning.runtime, morning.officials["lan"], owed(morning)[0])
    row = owed(morning)[0]
    assert (row.resends, row.tries, row.via) == (0, 1, "main")


@pytest.mark.parametrize(("kind", "state"), [(1, DeliveryState.DELIVERED), (2, DeliveryState.REFUSED)])
def test_a_receipt_settles_what_nobody_knew(morning: World, channel: int, kind: int, state: DeliveryState) -> None:
    change(morning, state=DeliveryState.UNKNOWN)
    reported(morning, channel, OURS, kind)
    take_in(morning)
    assert owed(morning)[0].state is state


def test_a_receipt_spares_the_second_try(morning: World, channel: int) -> None:
    change(morning, state=DeliveryState.WAITING, via="main")
    reported(morning, channel, OURS, 1)
    take_in(morning)
    assert owed(morning)[0].state is DeliveryState.DELIVERED


def test_a_receipt_says_nothing_of_what_was_surely_not_sent(morning: World, channel: int) -> None:
    change(morning, state=DeliveryState.WAITING, via=None)
    reported(morning, channel, OURS, 1)
    take_in(morning)
    assert owed(morning)[0].state is DeliveryState.WAITING


# --- piece by piece ---------------------------------------------------------------------------------------------------


def told(world: World, channel: int, part: int, status: ReceiptStatus, parts: int = 3) -> str:
    """The network speaks of one piece of the message."""
    with world.runtime.database.transaction() as session:
        row = session.get_one(InboundEvent, all_rows(world.runtime, InboundEvent)[0].id)
        work = Work(world.runtime, session, session.get_one(Channel, channel), None, row, world.clock(), set())  # type: ignore[arg-type]
        return take_receipt(work, Receipt((OURS,), status, world.clock(), reason="lý do", part=part, parts=parts))


def test_a_message_is_delivered_when_all_its_pieces_are(morning: World, channel: int) -> None:
    for part in (2, 1, 2):
        told(morning, channel, part, ReceiptStatus.DELIVERED)
        assert owed(morning)[0].state is DeliveryState.SENT
    told(morning, channel, 3, ReceiptStatus.DELIVERED)
    assert owed(morning)[0].state is DeliveryState.DELIVERED


def test_one_lost_piece_is_a_lost_message(morning: World, channel: int) -> None:
    told(morning, channel, 1, ReceiptStatus.DELIVERED)
    told(morning, channel, 2, ReceiptStatus.FAILED)
    told(morning, channel, 3, ReceiptStatus.DELIVERED)
    delivery = owed(morning)[0]
    assert (delivery.state, delivery.reason) == (DeliveryState.REFUSED, "lý do")


# --- what an official sees --------------------------------------------------------------------------------------------


def test_an_undelivered_message_can_be_sent_again(morning: World, channel: int) -> None:
    from flask import Flask

    reported(morning, channel, OURS, 16, "NACK/0x410")
    take_in(morning)
    app: Flask = app_on(morning.runtime)
    with app.test_request_context():
        seen = fate(owed(morning)[:1], {row.id: row for row in all_rows(morning.runtime, Channel)})
    assert seen is not None
    assert (seen.is_problem, seen.reason, seen.again_id) == (True, REASON, owed(morning)[0].id)


def test_a_message_of_a_short_code_is_answered_by_nobody(morning: World, channel: int, clock: Clock) -> None:
    before = len(owed(morning))
    for sender in ("191", "VIETTEL", "0212345678"):
        texts(morning, channel, "Den duong hong", sender=sender)
    intake.drain(morning.runtime)
    assert len(owed(morning)) == before
    assert [json.loads(bytes(e.body))["from"] for e in all_rows(morning.runtime, InboundEvent)][-3:] == [
        "191", "VIETTEL", "0212345678",
    ]  # fmt: skip


def test_the_books_balance_when_a_person_sends_anew_what_did_not_arrive(morning: World, channel: int) -> None:
    from bot.usecases.ledger import balance
    from storage.deliveries import Attempt

    def sent_once_more() -> None:
        with morning.runtime.database.transaction() as session:
            row = session.get_one(Delivery, owed(morning)[0].id)
            row.state, row.external_id = DeliveryState.SENT, OURS
            session.add(
                Attempt(
                    commune_id=row.commune_id, delivery_id=row.id, number=1, outcome="sent",
                    started_at=morning.clock(), ended_at=morning.clock(),
                )
            )  # fmt: skip

    sent_once_more()
    reported(morning, channel, OURS, 2)
    take_in(morning)
    deliveries.resend(morning.runtime, morning.officials["lan"], owed(morning)[0])
    sent_once_more()
    assert balance(morning.runtime).problems == []
    sent_once_more()
    assert balance(morning.runtime).problems == ["1 deliveries were handed over more than once"]
