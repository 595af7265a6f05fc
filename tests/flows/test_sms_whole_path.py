"""From an old telephone to the official and back, through each provider and the SMSC of the sandbox."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("smpplib", reason="the extra [smpp] is not installed")

from bot.runtime import Runtime, utc_now
from bot.usecases import replies
from bot.usecases.replies import Written
from storage.enums import DeliveryState, Direction
from storage.messages import Message
from tests.builders import a_world, all_rows
from tests.towns import Town, a_town
from tests.usecases.looking import owed, the_ticket, tickets

REPORT = (
    "Kính gửi UBND xã, đèn đường xóm 5 hỏng ba hôm nay, tối om không thấy gì, mong cán bộ cử người sửa sớm giúp bà con."
)
ANSWER = "Xa da cu nguoi sua den xom 5 sang mai."
REPORTS_BACK = ("kannel", "esms", "speedsms", "smpp")
EVERYWHERE = pytest.mark.parametrize("town", [*REPORTS_BACK, "vonage"], indirect=True)
WHERE_RECEIPTS_COME = pytest.mark.parametrize("town", REPORTS_BACK, indirect=True)


@pytest.fixture
def town(request: pytest.FixtureRequest, runtime: Runtime, tmp_path: Path) -> Iterator[Town]:
    runtime.now = utc_now
    with a_town(a_world(runtime, utc_now), request.param, tmp_path / "networks") as found:
        yield found


def provider_of(town: Town) -> str:
    return town.net.box.settings.sms[0].provider


def answer(town: Town) -> None:
    ticket, world = the_ticket(town.world), town.world
    written = Written(ANSWER)
    assert replies.reply(
        world.runtime, world.official("lan"), ticket.id, version=ticket.version, token=secrets.token_hex(16),
        written=written,
    )  # fmt: skip


@EVERYWHERE
def test_a_report_goes_in_an_answer_comes_out_and_its_receipt_back(town: Town) -> None:
    hoa = town.net.phone("84912345678")
    town.net.says(hoa, REPORT)
    town.until(lambda: tickets(town.world))
    ticket = the_ticket(town.world)
    heard = [m.text for m in all_rows(town.world.runtime, Message) if m.direction is Direction.IN]
    assert heard == [REPORT]
    town.until(lambda: any(ticket.code in words for words in town.net.heard(hoa)))

    answer(town)
    town.until(lambda: any(ANSWER in words for words in town.net.heard(hoa)))
    assert town.net.repeats() == []
    if provider_of(town) in REPORTS_BACK:
        town.until(lambda: {d.state for d in owed(town.world)} == {DeliveryState.DELIVERED})
    assert town.net.calls("lost") == []


@WHERE_RECEIPTS_COME
def test_a_telephone_that_is_off_is_told_to_the_official(town: Town) -> None:
    hoa = town.net.phone("84912345678")
    town.net.says(hoa, REPORT)
    town.until(lambda: owed(town.world) and {d.state for d in owed(town.world)} == {DeliveryState.DELIVERED})
    town.net.control("switch", number=hoa)
    answer(town)
    town.until(lambda: owed(town.world)[-1].state is DeliveryState.REFUSED)
    assert owed(town.world)[-1].code == "undelivered"
    assert "không giao được" in (owed(town.world)[-1].reason or "")


@EVERYWHERE
def test_what_comes_twice_and_out_of_order_is_one_report(town: Town) -> None:
    hoa = town.net.phone("84912345678")
    town.net.fault("shuffle" if provider_of(town) in {"vonage", "smpp"} else "repeat", applies_to="message")
    town.net.says(hoa, REPORT)
    town.until(lambda: tickets(town.world))
    for _ in range(2):
        town.net.control("again")
        town.until(lambda: not town.net.calls("waiting"))
    town.until(lambda: owed(town.world) and all(d.state is not DeliveryState.WAITING for d in owed(town.world)))
    assert len(tickets(town.world)) == 1
    assert [m.text for m in all_rows(town.world.runtime, Message) if m.direction is Direction.IN] == [REPORT]


@EVERYWHERE
def test_an_answer_that_was_withheld_is_not_sent_twice(town: Town) -> None:
    hoa = town.net.phone("84912345678")
    town.net.says(hoa, "Đèn đường xóm 5 hỏng rồi")
    town.until(lambda: owed(town.world) and {d.state for d in owed(town.world)} <= {
        DeliveryState.SENT, DeliveryState.DELIVERED
    })  # fmt: skip
    town.net.fault("drop", when="after")
    answer(town)
    town.until(lambda: owed(town.world)[-1].state not in {DeliveryState.WAITING, DeliveryState.SENDING})
    town.until(lambda: any(ANSWER in words for words in town.net.heard(hoa)))
    assert town.net.repeats() == []
    assert owed(town.world)[-1].state in {DeliveryState.UNKNOWN, DeliveryState.SENT, DeliveryState.DELIVERED}
